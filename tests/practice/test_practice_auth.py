"""Logging on to practice hosts, with every scheme and sealing that other people's clients have.

Kerberos is in `test_practice_kerberos.py`, TLS itself in `test_practice_tls.py`.
"""

from __future__ import annotations

import base64
import http.client
import os
import socket
import ssl
import struct
import warnings
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests
import spnego
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from practice_clients import (
    CANCEL,
    JOB_URI,
    BitsOverPypsrp,
    connect,
    envelope,
    parsed,
    pywinrm,
)
from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from requests_credssp.exceptions import AuthenticationException, NTStatusException
from spnego.channel_bindings import GssChannelBindings
from winrm.exceptions import InvalidCredentialsError

from bitsshell.practice import (
    ClientCertificate,
    PracticeFleet,
    PracticeHost,
    PracticeSettings,
    Tls,
    WinRmSettings,
)
from bitsshell.practice.winrm import auth_offers
from bitsshell.practice.winrm.auth_bindings import names_a_channel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IDENTIFY = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
    '<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/>'
    "</s:Body></s:Envelope>"
)
LONG = "x" * 60_000
"""Makes a request longer than three of CredSSP's chunks."""


class Plain:
    """A host as it is reached over plain HTTP."""

    def __init__(self, host: PracticeHost) -> None:
        self.endpoint = host.http_endpoint
        self.username, self.password = host.username, host.password


class Known(Plain):
    """A host as it is reached by somebody with another password."""

    def __init__(self, host: PracticeHost, password: str) -> None:
        super().__init__(host)
        self.password = password


@pytest.fixture(scope="module")
def fleet() -> Iterator[PracticeFleet]:
    """Every scheme, over HTTP and HTTPS."""
    settings = PracticeSettings(winrm=WinRmSettings(credssp=True, certificate=True))
    with PracticeFleet(hosts=1, tls=Tls.GOOD, settings=settings) as running:
        yield running


@pytest.fixture
def secure(fleet: PracticeFleet) -> PracticeHost:
    """The host, by HTTPS."""
    return fleet.hosts[0]


@pytest.fixture
def plain(fleet: PracticeFleet) -> Plain:
    """The same host, by HTTP."""
    return Plain(fleet.hosts[0])


@pytest.fixture(scope="module")
def certificate(fleet: PracticeFleet) -> ClientCertificate:
    return fleet.client_certificate()


def authority(host: PracticeHost) -> str:
    assert host.certificate is not None
    return str(host.certificate.path)


def works(bits: BitsOverPypsrp) -> None:
    """Messages go both ways, longer ones than a chunk of CredSSP too."""
    try:
        text = "y" * 1000
        made = [
            bits.create("http://127.0.0.1:9/a", rf"C:\in\{number}", Description=text)
            for number in range(20)
        ]
        found, _ = bits.enumerate()
        assert [item.findtext(f"{{{JOB_URI}}}Description") for item in found] == [text] * 20
        too_long = {"DisplayName": LONG, "RemoteUrl": "http://h/a", "LocalFile": r"C:\in\a"}
        assert bits.invoke("CreateJob", too_long)["ReturnValue"] != "0"
        assert [bits.set_state(job, CANCEL) for job in made] == [0] * 20
    finally:
        bits.wsman.close()


# --- pypsrp: every authentication and encryption it has ---


@pytest.mark.parametrize(
    ("auth", "protocol"),
    [("ntlm", "SPNEGO"), ("negotiate", "SPNEGO"), ("credssp", "CredSSP")],
)
def test_pypsrp_seals_over_http(plain: Plain, auth: str, protocol: str) -> None:
    bits = BitsOverPypsrp(connect(plain, auth))
    works(bits)
    sealing = bits.wsman.transport.encryption
    assert sealing is not None
    assert sealing.protocol == f"application/HTTP-{protocol}-session-encrypted"


@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate", "credssp"])
def test_pypsrp_sends_plain_messages_over_http_where_they_are_allowed(
    plain: Plain, auth: str
) -> None:
    works(BitsOverPypsrp(connect(plain, auth, encryption="never")))


@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate", "credssp", "certificate"])
def test_pypsrp_over_tls(secure: PracticeHost, certificate: ClientCertificate, auth: str) -> None:
    bits = BitsOverPypsrp(
        connect(
            secure,
            auth,
            encryption="auto",
            cert_validation=authority(secure),
            certificate_pem=str(certificate.path),
            certificate_key_pem=str(certificate.key_path),
        )
    )
    works(bits)
    assert bits.wsman.transport.encryption is None


@pytest.mark.parametrize("auth", ["ntlm", "negotiate", "credssp"])
def test_pypsrp_may_seal_inside_tls(secure: PracticeHost, auth: str) -> None:
    bits = BitsOverPypsrp(connect(secure, auth, cert_validation=authority(secure)))
    works(bits)
    assert bits.wsman.transport.encryption is not None


@pytest.mark.parametrize("mechanism", ["auto", "ntlm"])
def test_pypsrp_uses_credssp_over_ntlm(plain: Plain, mechanism: str) -> None:
    works(BitsOverPypsrp(connect(plain, "credssp", credssp_auth_mechanism=mechanism)))


@pytest.mark.parametrize("version", [2, 5, 6])
def test_credssp_meets_every_version_that_a_client_demands(plain: Plain, version: int) -> None:
    bits = BitsOverPypsrp(connect(plain, "credssp", credssp_minimum_version=version))
    assert bits.enumerate() == ([], [])
    bits.wsman.close()


# --- pywinrm: every transport it has, but Kerberos ---


@pytest.mark.parametrize(
    ("auth", "encryption"),
    [
        ("basic", "never"),
        ("plaintext", "never"),
        ("ntlm", "always"),
        ("ntlm", "never"),
        ("credssp", "always"),
        ("credssp", "never"),
    ],
)
def test_pywinrm_over_http(plain: Plain, auth: str, encryption: str) -> None:
    transport = pywinrm(plain, auth, message_encryption=encryption)
    for text in (IDENTIFY, IDENTIFY.replace("<s:Header/>", f"<s:Header><!--{LONG}--></s:Header>")):
        assert b"OS: 10.0.20348" in transport.send_message(text)
    transport.close_session()


@pytest.mark.parametrize("auth", ["basic", "ssl", "ntlm", "credssp", "certificate", "ssl+cert"])
@pytest.mark.parametrize("encryption", ["auto", "always"])
def test_pywinrm_over_tls(
    secure: PracticeHost, certificate: ClientCertificate, auth: str, encryption: str
) -> None:
    if encryption == "always" and auth not in {"ntlm", "credssp"}:
        encryption = "never"
    options = {}
    if auth in {"certificate", "ssl+cert"}:
        options = {
            "cert_pem": str(certificate.path),
            "cert_key_pem": str(certificate.key_path),
        }
    transport = pywinrm(
        secure,
        auth.partition("+")[0],
        message_encryption=encryption,
        ca_trust_path=authority(secure),
        **options,
    )
    assert b"OS: 10.0.20348" in transport.send_message(IDENTIFY)
    transport.close_session()


@pytest.mark.parametrize("auth", ["basic", "ntlm", "credssp"])
def test_a_wrong_password_is_refused(secure: PracticeHost, auth: str) -> None:
    other = Known(secure, "wrong")
    logons = secure.stats.logons
    with pytest.raises((InvalidCredentialsError, NTStatusException, PermissionError)):
        pywinrm(other, auth, message_encryption="auto").send_message(IDENTIFY)
    with pytest.raises((AuthenticationError, AuthenticationException, NTStatusException)):
        BitsOverPypsrp(connect(other, auth)).enumerate()
    assert secure.stats.logons == logons


# --- client certificates ---


def test_a_certificate_of_nobody_here_is_refused(
    fleet: PracticeFleet, secure: PracticeHost
) -> None:
    stranger = fleet.client_certificate("stranger")
    options = {"encryption": "auto", "cert_validation": authority(secure)}
    given_files = {
        "certificate_pem": str(stranger.path),
        "certificate_key_pem": str(stranger.key_path),
    }
    with pytest.raises(AuthenticationError):
        BitsOverPypsrp(connect(secure, "certificate", **options, **given_files)).enumerate()


def test_a_certificate_of_another_authority_ends_the_handshake(secure: PracticeHost) -> None:
    with PracticeFleet(hosts=1, tls=Tls.GOOD) as other:
        foreign = other.client_certificate(secure.username)
        bits = BitsOverPypsrp(
            connect(
                secure,
                "certificate",
                encryption="auto",
                cert_validation=authority(secure),
                certificate_pem=str(foreign.path),
                certificate_key_pem=str(foreign.key_path),
            )
        )
        with pytest.raises(requests.ConnectionError):
            bits.enumerate()


def test_claiming_a_certificate_without_showing_one_is_refused(
    secure: PracticeHost, plain: Plain
) -> None:
    mutual = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
    with requests.Session() as session:
        session.trust_env = False
        for url in (secure.endpoint, plain.endpoint):
            answer = session.post(
                url,
                data=IDENTIFY,
                headers={"Authorization": mutual, "Content-Type": "application/soap+xml"},
                verify=authority(secure),
                timeout=20,
            )
            assert answer.status_code == 401


def test_certificates_are_not_taken_where_they_are_switched_off() -> None:
    with PracticeFleet(hosts=1, tls=Tls.GOOD) as fleet:
        host = fleet.hosts[0]
        mine = fleet.client_certificate()
        bits = BitsOverPypsrp(
            connect(
                host,
                "certificate",
                encryption="auto",
                cert_validation=authority(host),
                certificate_pem=str(mine.path),
                certificate_key_pem=str(mine.key_path),
            )
        )
        with pytest.raises(AuthenticationError):
            bits.enumerate()


def test_certificates_need_a_fleet_with_tls() -> None:
    with PracticeFleet(hosts=1) as fleet, pytest.raises(RuntimeError):
        fleet.client_certificate()


# --- channel bindings ---


def by_ntlm(host: PracticeHost, bindings: bytes | None) -> int:
    """The status of a logon by bare NTLM over TLS, made for that channel."""
    parts = urlsplit(host.endpoint)
    context = ssl.create_default_context(cafile=authority(host))
    connection = http.client.HTTPSConnection(
        parts.hostname or "", parts.port, context=context, timeout=20
    )
    client = spnego.client(
        host.username,
        host.password,
        protocol="ntlm",
        options=spnego.NegotiateOptions.use_ntlm,
        channel_bindings=None
        if bindings is None
        else GssChannelBindings(application_data=bindings),
    )
    token = client.step()
    while True:
        assert token is not None
        offer = {"Authorization": f"Negotiate {base64.b64encode(token).decode()}"}
        connection.request("POST", parts.path, headers=offer)
        response = connection.getresponse()
        response.read()
        if client.complete:
            connection.close()
            return response.status
        challenge = response.headers["WWW-Authenticate"].partition(" ")[2]
        token = client.step(base64.b64decode(challenge))


def test_a_logon_that_is_made_for_this_channel_or_for_none_is_taken(secure: PracticeHost) -> None:
    assert secure.certificate is not None
    assert by_ntlm(secure, secure.certificate.channel_bindings) == 200
    assert by_ntlm(secure, None) == 200


def test_a_logon_that_is_made_for_another_channel_is_refused(secure: PracticeHost) -> None:
    assert by_ntlm(secure, b"tls-server-end-point:" + bytes(32)) == 401


@given(st.binary(max_size=200))
def test_a_broken_logon_is_left_to_the_acceptor(rest: bytes) -> None:
    assert names_a_channel(b"NTLMSSP\x00\x03\x00\x00\x00" + rest) in {True, False}


# --- what a host offers ---


def offers(url: str, verify: str | bool = True) -> list[str]:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(url, data=IDENTIFY, verify=verify, timeout=20)
    assert answer.status_code == 401
    assert answer.content == b""
    return [text.strip() for text in answer.headers["WWW-Authenticate"].split(",")]


BASIC = 'Basic realm="WSMAN"'


def test_offers_come_in_the_order_of_windows(secure: PracticeHost, plain: Plain) -> None:
    assert offers(plain.endpoint) == ["Negotiate", BASIC, "CredSSP"]
    assert offers(secure.endpoint, authority(secure)) == ["Negotiate", BASIC, "CredSSP"]


def test_basic_is_offered_over_http_only_where_plain_messages_are_allowed() -> None:
    settings = PracticeSettings(winrm=WinRmSettings(allow_unencrypted=False))
    with PracticeFleet(hosts=1, tls=Tls.GOOD, settings=settings) as fleet:
        host = fleet.hosts[0]
        assert offers(host.http_endpoint) == ["Negotiate"]
        assert offers(host.endpoint, authority(host)) == ["Negotiate", BASIC]


@pytest.mark.parametrize("auth", ["ntlm", "credssp"])
def test_plain_messages_after_a_logon_are_refused_where_they_are_not_allowed(auth: str) -> None:
    settings = PracticeSettings(winrm=WinRmSettings(allow_unencrypted=False, credssp=True))
    with PracticeFleet(hosts=1, tls=Tls.GOOD, settings=settings) as fleet:
        host = fleet.hosts[0]
        # The second is requests_credssp's, for any answer to its last token but 200.
        with pytest.raises((WinRMTransportError, AuthenticationException)) as refused:
            BitsOverPypsrp(connect(Plain(host), auth, encryption="never")).enumerate()
        assert getattr(refused.value, "code", 500) == 500
        works(BitsOverPypsrp(connect(Plain(host), auth)))
        works(
            BitsOverPypsrp(connect(host, auth, encryption="auto", cert_validation=authority(host)))
        )


@pytest.mark.parametrize("scheme", ["Negotiate", "NTLM", "CredSSP", "Basic", "Kerberos", "Digest"])
def test_a_scheme_that_is_off_is_refused(scheme: str) -> None:
    settings = PracticeSettings(winrm=WinRmSettings(basic=False, negotiate=False))
    with PracticeFleet(hosts=1, settings=settings) as fleet, requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            fleet.hosts[0].endpoint,
            data=IDENTIFY,
            headers={"Authorization": f"{scheme} TlRMTVNTUAABAAAA"},
            timeout=20,
        )
        assert answer.status_code == 401
        assert "WWW-Authenticate" not in answer.headers


def test_the_configuration_tells_what_is_offered() -> None:
    settings = PracticeSettings(
        winrm=WinRmSettings(credssp=True, certificate=True, allow_unencrypted=False)
    )
    with PracticeFleet(hosts=1, settings=settings) as fleet:
        uri = "http://schemas.microsoft.com/wbem/wsman/1/config"
        get = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
        answer = pywinrm(fleet.hosts[0], "ntlm").send_message(envelope(get, uri=uri))
    auth = parsed(answer).find(".//{*}Service/{*}Auth")
    assert auth is not None
    assert {child.tag.partition("}")[2]: child.text for child in auth} == {
        "Basic": "true",
        "Kerberos": "false",
        "Negotiate": "true",
        "Certificate": "true",
        "CredSSP": "true",
        "CbtHardeningLevel": "Relaxed",
    }
    assert parsed(answer).findtext(".//{*}Service/{*}AllowUnencrypted") == "false"


def test_kerberos_is_not_offered_without_a_keytab(tmp_path: Path) -> None:
    assert auth_offers.kerberos_problem(None) is not None
    assert auth_offers.kerberos_problem(tmp_path / "none") is not None
    assert not auth_offers.offered(WinRmSettings(), None).kerberos
    with pytest.raises(ValueError, match="Kerberos cannot be offered"):
        PracticeFleet(hosts=1, keytab=tmp_path / "none")


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_kerberos_is_not_offered_where_the_acceptor_checks_real_accounts(
    tmp_path: Path, platform: str
) -> None:
    keytab = tmp_path / "keytab"
    keytab.touch()
    problem = auth_offers.kerberos_problem(keytab, platform)
    assert problem is not None
    assert "real accounts" in problem


# --- a session is its connection ---


def sealed_request(transport: object, host: Plain) -> requests.PreparedRequest:
    session = transport.session
    request = transport.encryption.prepare_encrypted_request(
        session, host.endpoint, IDENTIFY.encode()
    )
    request.hooks = {"response": []}
    return request


@pytest.mark.parametrize("auth", ["ntlm", "credssp"])
def test_what_was_sealed_for_one_connection_is_refused_on_another(plain: Plain, auth: str) -> None:
    first, second = pywinrm(plain, auth), pywinrm(plain, auth)
    first.build_session()
    session = second.build_session()
    assert session.send(sealed_request(first, plain), timeout=20).status_code == 400
    first.close_session()
    second.close_session()


@pytest.mark.parametrize(
    "change",
    [
        (b"HTTP-SPNEGO-session", b"HTTP-Kerberos-session"),
        (b"HTTP-SPNEGO-session", b"HTTP-CredSSP-session"),
        (b"--Encrypted Boundary--", b"--Encrypted Boundary"),
        (b"\tContent-Type: application/octet-stream\r\n", b""),
        (b"Length=", b"Length=0"),
    ],
)
def test_a_sealed_body_of_another_form_is_refused(
    plain: Plain, change: tuple[bytes, bytes]
) -> None:
    transport = pywinrm(plain, "ntlm")
    session = transport.build_session()
    request = sealed_request(transport, plain)
    assert isinstance(request.body, bytes)
    request.body = request.body.replace(*change)
    if change[0] == b"Length=":
        request.body = request.body.replace(b"Length=0", b"Length=0;was=")
    request.headers["Content-Length"] = str(len(request.body))
    assert session.send(request, timeout=20).status_code == 400
    transport.close_session()


def test_credssp_says_how_long_the_trailer_of_its_record_is(plain: Plain) -> None:
    transport = pywinrm(plain, "credssp")
    session = transport.build_session()
    request = sealed_request(transport, plain)
    assert isinstance(request.body, bytes)
    head = b"application/octet-stream\r\n"
    request.body = request.body.replace(head + struct.pack("<I", 16), head + struct.pack("<I", 17))
    assert session.send(request, timeout=20).status_code == 400
    transport.close_session()


def test_a_new_logon_replaces_the_one_before_on_its_connection(secure: PracticeHost) -> None:
    before = secure.stats
    transport = pywinrm(Plain(secure), "ntlm")
    session = transport.build_session()
    transport.setup_encryption(session)
    # The connection is known, so that the server asks for nothing.
    assert secure.stats.logons == before.logons + 1
    session.headers["Authorization"] = (
        "Basic " + base64.b64encode(f"{secure.username}:{secure.password}".encode()).decode()
    )
    assert session.post(secure.http_endpoint, data=b"", timeout=20).status_code == 200
    assert secure.stats.connections == before.connections + 1
    assert secure.stats.logons == before.logons + 2
    transport.close_session()


@pytest.mark.parametrize("tls", [False, True])
def test_an_idle_session_is_dropped_after_its_time(tls: bool) -> None:
    settings = PracticeSettings(winrm=WinRmSettings(idle_connection_timeout_s=0.2))
    with PracticeFleet(hosts=1, tls=Tls.GOOD, settings=settings) as fleet:
        host = fleet.hosts[0]
        parts = urlsplit(host.endpoint if tls else host.http_endpoint)
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as opened:
            line = opened
            if tls:
                context = ssl.create_default_context(cafile=authority(host))
                line = context.wrap_socket(opened, server_hostname=parts.hostname)
            line.sendall(b"POST /wsman HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
            received = b""
            while chunk := line.recv(4096):
                received += chunk
            line.close()
    assert received.startswith(b"HTTP/1.1 401")


# --- strangers ---


@pytest.mark.parametrize("scheme", ["Negotiate", "CredSSP", "Basic", "NTLM"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    token=st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=200).map(b"NTLMSSP\x00\x01\x00\x00\x00".__add__),
        st.binary(max_size=200).map(b"NTLMSSP\x00\x03\x00\x00\x00".__add__),
        st.binary(max_size=200).map(b"\x60\x82\x01\x00\x06\x06\x2b\x06\x01\x05\x05\x02".__add__),
        st.binary(max_size=200).map(b"\x16\x03\x01\x01\x00".__add__),
    )
)
def test_no_token_harms_a_host(plain: Plain, scheme: str, token: bytes) -> None:
    parts = urlsplit(plain.endpoint)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    value = f"{scheme} {base64.b64encode(token).decode()}"
    for _ in range(2):
        connection.request("POST", parts.path, headers={"Authorization": value})
        response = connection.getresponse()
        response.read()
        assert response.status == 401
    connection.close()


def test_the_acceptors_leave_the_environment_as_it_was(plain: Plain) -> None:
    names = ("NTLM_USER_FILE", "KRB5_KTNAME")
    before = [os.environ.get(name) for name in names]
    works(BitsOverPypsrp(connect(plain, "credssp")))
    assert [os.environ.get(name) for name in names] == before


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """pypsrp switches warnings off for all; pywinrm warns about its own defaults."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
