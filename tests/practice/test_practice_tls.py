"""HTTPS: hosts with certificates that fit or do not, and downloads from such servers (113)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import pytest
import requests
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from engine_rig import Rig, rig
from practice_clients import BitsOverPypsrp, connect

from bitsshell.practice import (
    EngineSettings,
    JobState,
    PracticeFleet,
    PracticeSettings,
    Tls,
    WinRmSettings,
)
from bitsshell.practice.certificates import Authority, user_of
from bitsshell.practice.command import practice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def secure() -> Iterator[PracticeFleet]:
    with PracticeFleet(hosts=2, tls=Tls.GOOD) as running:
        yield running


def shown(url: str) -> bytes:
    """The certificate (DER) that a listener shows."""
    parts = urlsplit(url)
    pem = ssl.get_server_certificate((parts.hostname or "", parts.port or 0))
    return ssl.PEM_cert_to_DER_cert(pem)


def test_hosts_speak_https_and_http_at_the_same_time(secure: PracticeFleet) -> None:
    host = secure.hosts[0]
    assert host.endpoint.startswith("https://127.0.0.1:")
    assert host.http_endpoint.startswith("http://127.0.0.1:")
    assert host.certificate is not None
    by_tls = BitsOverPypsrp(connect(host, "basic", cert_validation=str(host.certificate.path)))
    made = by_tls.create("http://127.0.0.1:9/a", r"C:\in\a")
    with PracticeFleet(hosts=1) as other:
        assert other.hosts[0].http_endpoint == other.hosts[0].endpoint
        assert other.hosts[0].certificate is None
    assert host.drop_idle_connections() == 1
    assert by_tls.set_state(made, 0) == 0
    by_tls.wsman.close()


def test_hosts_on_one_port_speak_both_too() -> None:
    with PracticeFleet(hosts=3, tls=Tls.GOOD, by_path=True) as fleet:
        for addresses in zip(*((h.endpoint, h.http_endpoint) for h in fleet.hosts), strict=True):
            assert len({urlsplit(address).netloc for address in addresses}) == 1
        host = fleet.hosts[1]
        assert host.certificate is not None
        bits = BitsOverPypsrp(connect(host, "ntlm", cert_validation=str(host.certificate.path)))
        bits.create("http://127.0.0.1:9/a", r"C:\in\a")
        bits.wsman.close()
        assert [len(each.jobs()) for each in fleet.hosts] == [0, 1, 0]


def test_the_fingerprint_is_that_of_what_the_hosts_show(secure: PracticeFleet) -> None:
    for host in secure.hosts:
        assert host.certificate is not None
        assert hashlib.sha256(shown(host.endpoint)).hexdigest() == host.certificate.fingerprint


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", socket.gethostname()])
def test_the_certificate_is_for_the_names_of_this_machine(secure: PracticeFleet, name: str) -> None:
    certificate = x509.load_der_x509_certificate(shown(secure.hosts[0].endpoint))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    told = [*names.get_values_for_type(x509.DNSName)]
    told += [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    assert name in told


def test_a_strict_client_takes_the_certificate(secure: PracticeFleet) -> None:
    host = secure.hosts[0]
    assert host.certificate is not None
    context = ssl.create_default_context(cafile=str(host.certificate.path))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    parts = urlsplit(host.endpoint)
    with (
        socket.create_connection((parts.hostname, parts.port), timeout=20) as opened,
        context.wrap_socket(opened, server_hostname="localhost") as line,
    ):
        assert line.version() in {"TLSv1.2", "TLSv1.3"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_keys_are_for_their_owner_only_and_gone_afterwards() -> None:
    with PracticeFleet(hosts=1, tls=Tls.GOOD) as fleet:
        certificate = fleet.hosts[0].certificate
        assert certificate is not None
        keys = [certificate.key_path, fleet.client_certificate().key_path]
        assert [key.stat().st_mode & 0o077 for key in keys] == [0, 0]
        assert certificate.path.parent.stat().st_mode & 0o077 == 0
    assert not any(key.exists() for key in keys)
    assert not certificate.path.parent.exists()


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("kind", [Tls.WRONG_NAME, Tls.EXPIRED])
def test_a_certificate_that_does_not_fit_is_refused_by_a_client_that_looks(kind: Tls) -> None:
    with PracticeFleet(hosts=1, tls=kind) as fleet, requests.Session() as session:
        session.trust_env = False
        host = fleet.hosts[0]
        assert host.certificate is not None
        with pytest.raises(requests.exceptions.SSLError):
            session.post(host.endpoint, verify=str(host.certificate.path), data=b"", timeout=20)
        assert session.post(host.endpoint, verify=False, data=b"", timeout=20).status_code == 401


def test_what_is_no_tls_does_not_harm_a_host(secure: PracticeFleet) -> None:
    host = secure.hosts[0]
    parts = urlsplit(host.endpoint)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as opened:
        opened.sendall(b"POST /wsman HTTP/1.1\r\nHost: h\r\n\r\n")
        assert not opened.recv(4096).startswith(b"HTTP")
    assert shown(host.endpoint)


# --- certificates of people ---


def test_a_certificate_names_its_user(tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    def der(path: Path) -> bytes:
        return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)

    assert user_of(der(authority.client("bits-\u00fcser").path)) == "bits-\u00fcser@localhost"
    assert user_of(der(authority.host(Tls.GOOD, ["localhost"]).host_path)) is None
    assert user_of(b"no certificate") is None
    with pytest.raises(ValueError, match="too long"):
        authority.client("u" * 200)


# --- the command ---


@pytest.mark.skipif(os.name == "nt", reason="the test ends it by a POSIX signal")
def test_the_command_tells_what_to_trust_and_what_to_show() -> None:
    words = ["--hosts", "1", "--json", "--tls", "--auth", "certificate", "--encrypted-only"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bitsshell.practice", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert set(told) == {"hosts", "files", "uploads", "compact", "tls"}
    host, tls = told["hosts"][0], told["tls"]
    assert hashlib.sha256(shown(host["endpoint"])).hexdigest() == tls["fingerprint"]
    with requests.Session() as session:
        session.trust_env = False
        mutual = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
        answer = session.post(
            host["endpoint"],
            data=b"",
            headers={"Authorization": mutual},
            verify=tls["ca"],
            cert=(tls["certificate"], tls["certificate_key"]),
            timeout=20,
        )
        assert answer.status_code == 200
        refused = session.post(host["http_endpoint"], data=b"", timeout=20)
        assert (refused.status_code, refused.headers.get("WWW-Authenticate")) == (401, None)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=20) == ("", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--auth", "certificate"], "client certificates need --tls"),
        (["--auth", "kerberos"], "Kerberos cannot be offered"),
        (["--tls", "strange"], "strange"),
        (["--auth", "digest"], "digest"),
    ],
)
def test_what_cannot_be_is_a_usage_error(words: list[str], said: str) -> None:
    result = CliRunner().invoke(practice, words)
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(
    ("settings", "tls", "scheme"),
    [
        ({}, None, "basic"),
        ({"allow_unencrypted": False}, None, "ntlm"),
        ({"allow_unencrypted": False}, Tls.GOOD, "basic"),
        ({"basic": False, "negotiate": False, "credssp": True}, None, "credssp"),
        (
            {"basic": False, "negotiate": False, "certificate": True},
            Tls.GOOD,
            "certificate --certificate ",
        ),
        ({"basic": False, "negotiate": False}, None, "kerberos"),
    ],
)
def test_the_page_shows_a_way_to_log_on_that_works(
    settings: dict[str, bool], tls: Tls | None, scheme: str
) -> None:
    from bitsshell.practice.command import _page

    chosen = WinRmSettings(**settings)
    with PracticeFleet(hosts=1, tls=tls, settings=PracticeSettings(winrm=chosen)) as fleet:
        page = _page(fleet, chosen)
        assert f"--auth {scheme}" in page
        assert ("--ca " in page) == (tls is not None)


# --- downloads ---


@pytest.mark.parametrize(
    ("kind", "trusted", "code"),
    [
        (Tls.GOOD, True, None),
        (Tls.GOOD, False, 0x80072F0D),
        (Tls.WRONG_NAME, True, 0x80072F06),
        (Tls.EXPIRED, True, 0x80072F05),
    ],
)
def test_113_a_download_tells_what_is_wrong_with_a_certificate(
    tmp_path: Path, kind: Tls, trusted: bool, code: int | None
) -> None:
    certificate = Authority(tmp_path).host(kind, ["127.0.0.1"])

    async def scenario(b: Rig) -> None:
        server = aiohttp.web.Server(b.origin, access_log=None)
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(server, "127.0.0.1", 0, ssl=certificate.context())
        port = listener.sockets[0].getsockname()[1]
        job = b.job()
        b.engine.add_file(job, f"https://127.0.0.1:{port}/a.bin", r"C:\in\a.bin")
        b.engine.resume(job)
        await b.until(job, JobState.ERROR, JobState.TRANSFERRED)
        if code is None:
            assert job.state is JobState.TRANSFERRED
        else:
            assert (job.state, b.engine.failure(job).code) == (JobState.ERROR, code)
        listener.close()
        await server.shutdown(1)

    async def run() -> None:
        context = ssl.create_default_context(cafile=str(certificate.path) if trusted else None)
        connector = aiohttp.TCPConnector(ssl=context)
        settings = EngineSettings(connect_attempts=1)
        async with rig(tmp_path / "host", settings, connector=connector) as made:
            await scenario(made)

    asyncio.run(run())
