"""The four steps, done by clients that nobody here wrote."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess

import pytest
from practice_clients import (
    COMPLETE,
    JOB_URI,
    RESUME,
    BitsOverPypsrp,
    N,
    S,
    T,
    W,
    connect,
    envelope,
    parsed,
    pywinrm,
)
from pypsrp.exceptions import AuthenticationError
from pypsrp.exceptions import WinRMTransportError as PypsrpTransportError
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError

from bitsshell.practice import (
    JobState,
    PracticeFleet,
    PracticeHost,
    PracticeSettings,
    Priority,
    WinRmSettings,
)


@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate"])
def test_pypsrp_does_the_four_steps(fleet: PracticeFleet, host: PracticeHost, auth: str) -> None:
    source = fleet.files[-1]
    before = host.stats
    bits = BitsOverPypsrp(connect(host, auth))
    job_id = bits.create(source.url, rf"C:\in\{auth}.iso", name=f"by {auth}")
    assert bits.values(job_id)["State"] == str(int(JobState.SUSPENDED))
    bits.put(job_id, {"Priority": 0})
    assert host.jobs()[0].priority is Priority.FOREGROUND
    assert bits.set_state(job_id, RESUME) == 0
    host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    items, _ = bits.enumerate()
    assert [item.findtext(f"{{{JOB_URI}}}State") for item in items] == ["6"]
    assert not host.path(rf"C:\in\{auth}.iso").exists()
    assert bits.set_state(job_id, COMPLETE) == 0
    bits.wsman.close()
    arrived = host.path(rf"C:\in\{auth}.iso").read_bytes()
    assert hashlib.sha256(arrived).hexdigest() == source.sha256
    assert host.jobs() == ()
    after = host.stats
    assert (after.connections - before.connections, after.logons - before.logons) == (1, 1)


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_pywinrm_alone_does_the_four_steps(
    fleet: PracticeFleet, host: PracticeHost, auth: str
) -> None:
    source = fleet.files[2]
    transport = pywinrm(host, auth)

    def send(action: str, body: str, job_id: str | None = None, headers: str = "") -> bytes:
        selectors = {"JobId": job_id} if job_id else None
        return transport.send_message(envelope(action, body, selectors=selectors, headers=headers))

    created = parsed(
        send(
            f"{JOB_URI}/CreateJob",
            "<p:CreateJob_INPUT><p:DisplayName>by hand</p:DisplayName>"
            f"<p:RemoteUrl>{source.url}</p:RemoteUrl><p:LocalFile>C:\\in\\hand.csv</p:LocalFile>"
            "<p:Suspend>true</p:Suspend></p:CreateJob_INPUT>",
        )
    )
    job_id = created.findtext(f".//{{{JOB_URI}}}JobId")
    assert job_id is not None
    assert re.fullmatch(r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}", job_id)
    put = parsed(
        send(
            f"{T}/Put",
            "<w:XmlFragment><p:Priority>1</p:Priority></w:XmlFragment>",
            job_id,
            '<w:FragmentTransfer s:mustUnderstand="true">Priority</w:FragmentTransfer>',
        )
    )
    assert put.findtext(f".//{{{W}}}XmlFragment/{{{JOB_URI}}}Priority") == "1"
    for action, wanted in (("2", JobState.TRANSFERRED), ("1", None)):
        answer = parsed(
            send(
                f"{JOB_URI}/SetJobState",
                f"<p:SetJobState_INPUT><p:JobState>{action}</p:JobState></p:SetJobState_INPUT>",
                job_id,
            )
        )
        assert answer.findtext(f".//{{{JOB_URI}}}ReturnValue") == "0"
        if wanted is not None:
            host.wait_for(lambda jobs, wanted=wanted: jobs[0].state is wanted)
    transport.close_session()
    arrived = host.path(r"C:\in\hand.csv").read_bytes()
    assert hashlib.sha256(arrived).hexdigest() == source.sha256


def test_what_ntlm_carries_is_sealed(host: PracticeHost) -> None:
    transport = pywinrm(host, "ntlm")
    session = transport.build_session()
    assert transport.encryption is not None
    message = envelope(f"{N}/Enumerate", "<n:Enumerate/>").encode()
    request = transport.encryption.prepare_encrypted_request(session, host.endpoint, message)
    response = session.send(request)
    transport.close_session()
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("multipart/encrypted;protocol=")
    assert b"EnumerateResponse" not in response.content


@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate"])
def test_a_wrong_password_is_refused(host: PracticeHost, auth: str) -> None:
    before = host.stats.logons
    bits = BitsOverPypsrp(connect(host, auth, password="not it"))
    with pytest.raises(AuthenticationError):
        bits.enumerate()
    assert host.stats.logons == before
    bits.wsman.close()


def test_another_user_name_is_refused(host: PracticeHost) -> None:
    transport = pywinrm(host, "ntlm")
    transport.username = "somebody"
    with pytest.raises(InvalidCredentialsError):
        transport.send_message(envelope(f"{N}/Enumerate", "<n:Enumerate/>"))
    transport.close_session()


@pytest.mark.parametrize("form", ["{host}\\{user}", ".\\{user}", "{upper}"])
def test_the_local_account_may_be_written_in_windows_ways(host: PracticeHost, form: str) -> None:
    user = form.format(host=host.name, user=host.username, upper=host.username.upper())
    for auth in ("basic", "ntlm"):
        bits = BitsOverPypsrp(connect(host, auth, username=user))
        assert bits.enumerate() == ([], [])
        bits.wsman.close()


def test_an_idle_connection_takes_its_context_with_it(host: PracticeHost) -> None:
    """The client reconnects in silence and resends what it sealed under the lost context."""
    transport = pywinrm(host, "ntlm")
    message = envelope(f"{N}/Enumerate", "<n:Enumerate/>")
    host.drop_idle_connections()  # what clients before this one left open
    transport.send_message(message)
    before = host.stats
    assert host.drop_idle_connections() == 1
    with pytest.raises(WinRMTransportError) as caught:
        transport.send_message(message)
    assert caught.value.code == 400
    assert host.stats.calls["Enumerate"] == before.calls["Enumerate"]
    transport.close_session()
    fresh = pywinrm(host, "ntlm")
    fresh.send_message(message)
    fresh.close_session()


def test_a_sealed_body_without_a_context_gets_401(host: PracticeHost) -> None:
    transport = pywinrm(host, "ntlm")
    session = transport.build_session()
    assert transport.encryption is not None
    request = transport.encryption.prepare_encrypted_request(session, host.endpoint, b"<x/>")
    request.hooks = {"response": []}
    host.drop_idle_connections()
    response = session.send(request)
    transport.close_session()
    assert response.status_code == 401
    assert "Negotiate" in response.headers["WWW-Authenticate"]


def test_plain_messages_are_refused_where_encryption_is_demanded() -> None:
    settings = PracticeSettings(winrm=WinRmSettings(allow_unencrypted=False))
    with PracticeFleet(hosts=1, settings=settings) as fleet:
        host = fleet.hosts[0]
        with pytest.raises(AuthenticationError):
            BitsOverPypsrp(connect(host, "basic")).enumerate()
        with pytest.raises(PypsrpTransportError) as refused:
            BitsOverPypsrp(connect(host, "ntlm", encryption="never")).enumerate()
        assert refused.value.code == 500
        sealed = BitsOverPypsrp(connect(host, "ntlm"))
        assert sealed.enumerate() == ([], [])
        sealed.wsman.close()


def test_hosts_on_one_port_are_told_apart_by_the_path() -> None:
    with PracticeFleet(hosts=3, by_path=True) as fleet:
        ports = {host.endpoint.split(":")[2].split("/")[0] for host in fleet.hosts}
        assert len(ports) == 1
        bits = BitsOverPypsrp(connect(fleet.hosts[1], "ntlm"))
        bits.create(fleet.files[1].url, r"C:\in\a.txt")
        bits.wsman.close()
        assert [len(host.jobs()) for host in fleet.hosts] == [0, 1, 0]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("scheme", ["--basic", "--ntlm"])
def test_curl_identifies_the_host(host: PracticeHost, scheme: str) -> None:
    body = (
        f'<s:Envelope xmlns:s="{S}"><s:Header/><s:Body><i:Identify xmlns:i='
        '"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>'
    )
    command = ["curl", "-sS", "--noproxy", "*", scheme, "-u", f"{host.username}:{host.password}"]
    command += ["-H", "Content-Type: application/soap+xml;charset=UTF-8", "-d", body, host.endpoint]
    features = subprocess.run(["curl", "-V"], capture_output=True, text=True, check=True).stdout
    if scheme == "--ntlm" and "NTLM" not in features:
        pytest.skip("this curl has no NTLM")
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    assert "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>" in done.stdout
    assert "OS: 10.0.20348" in done.stdout


def test_without_credentials_the_host_says_what_it_takes(host: PracticeHost) -> None:
    transport = pywinrm(host, "basic")
    session = transport.build_session()
    session.auth = None
    response = session.post(host.endpoint, data=envelope(f"{N}/Enumerate", "<n:Enumerate/>"))
    assert response.status_code == 401
    offered = response.headers["WWW-Authenticate"]
    assert "Negotiate" in offered
    assert 'Basic realm="WSMAN"' in offered
    assert response.content == b""
