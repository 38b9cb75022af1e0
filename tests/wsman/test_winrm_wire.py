"""The real wire against a real socket: time-outs, stopping, TLS, sealing, and odd answers."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from loopback import Certificate, Connection, Handler, Loopback, NtlmPeer, make_certificate
from wires import OUTPUT, aborted, result_of, soap

from bitsshell.wsman import (
    Answer,
    AnswerLost,
    AnswerTimeout,
    AuthenticationRejected,
    CallAborted,
    CertificateRejected,
    ConnectFailed,
    ConnectionStale,
    Endpoint,
    HttpFailure,
    MalformedAnswer,
    NoTicket,
    RequestRefused,
    Retry,
    WinRMWire,
    WSManClient,
    WSManError,
)
from bitsshell.wsman.sign_in import refusal_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "pa$$ wörd"
WAIT_S = 10.0
QUICK = {"connect_s": 2.0, "read_s": 5.0}
SOAP = "application/soap+xml;charset=UTF-8"


def basic(url: str, **more: object) -> Endpoint:
    return Endpoint(url=url, auth="basic", username="ann", password=SECRET, **more)  # type: ignore[arg-type]


def ntlm(url: str, password: str = SECRET) -> Endpoint:
    return Endpoint(url=url, auth="ntlm", username="PRACTICE\\ann", password=password)


def once(endpoint: Endpoint, message: bytes = b"<x/>", **times: float) -> Answer:
    wire = WinRMWire(endpoint)
    try:
        return wire.exchange(message, **{**QUICK, **times})
    finally:
        wire.close()


def echo(connection: Connection) -> None:
    """Answers every request with its own body."""
    while True:
        head, body = connection.request()
        if not head:
            return
        connection.answer(body, Content_Type=SOAP)


def silent(connection: Connection) -> None:
    connection.request()
    connection.wait_for_the_end()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def certificate(folder: Path) -> Certificate:
    return make_certificate(folder)


@pytest.fixture(autouse=True)
def ntlm_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = tmp_path / "users"
    users.write_text(f"PRACTICE:ann:{SECRET}\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(users))


# An exchange.


def test_one_connection_carries_all_exchanges() -> None:
    with Loopback(echo) as server:
        wire = WinRMWire(basic(server.url))
        for number in range(5):
            answer = wire.exchange(f"<x>{number}</x>".encode(), **QUICK)
            assert answer.status == 200
            assert answer.body == f"<x>{number}</x>".encode()
        wire.close()
        assert server.accepted == 1


def test_a_message_goes_as_soap_with_a_basic_header_in_utf_8() -> None:
    heads: list[str] = []

    def handler(connection: Connection) -> None:
        heads.append(connection.request()[0])
        connection.answer()

    with Loopback(handler) as server:
        once(basic(server.url))
    (head,) = heads
    assert head.startswith("POST /wsman HTTP/1.1")
    assert "Content-Type: application/soap+xml;charset=UTF-8" in head
    assert "Authorization: Basic YW5uOnBhJCQgd8O2cmQ=" in head
    assert "Accept-Encoding: identity" in head


@pytest.mark.parametrize(
    "status", ["200 OK", "500 Internal Server Error", "404 Not Found", "302 X"]
)
def test_every_status_is_an_answer_and_no_redirect_is_followed(status: str) -> None:
    def handler(connection: Connection) -> None:
        connection.request()
        connection.answer(
            b"\xfe\xff\0<", status=status, Content_Type="text/html", Location="http://127.0.0.1:9/"
        )

    with Loopback(handler) as server:
        answer = once(basic(server.url))
        assert server.accepted == 1
    assert (answer.status, answer.body) == (int(status[:3]), b"\xfe\xff\0<")
    assert answer.headers["content-type"] == "text/html"


def test_an_idle_connection_that_ended_is_made_anew_where_nothing_is_sealed() -> None:
    def one_answer(connection: Connection) -> None:
        connection.answer(connection.request()[1])

    with Loopback(one_answer) as server:
        wire = WinRMWire(basic(server.url))
        wire.exchange(b"<a/>", **QUICK)
        _wait_until_ended(wire)
        assert wire.exchange(b"<b/>", **QUICK).body == b"<b/>"
        wire.close()


def _wait_until_ended(wire: WinRMWire) -> None:
    """Until the server's end of the connection is seen here."""
    opened = wire._line._socket
    assert opened is not None
    opened.settimeout(WAIT_S)
    assert opened.recv(1, socket.MSG_PEEK) == b""


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
def test_an_ipv6_address_is_reached() -> None:
    with Loopback(echo, address="::1") as server:
        assert once(basic(server.url)).status == 200


# The environment.


def test_proxies_and_netrc_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password stolen\n")
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("NO_PROXY", "")
    heads: list[str] = []

    def handler(connection: Connection) -> None:
        heads.append(connection.request()[0])
        connection.answer()

    with Loopback(handler) as server:
        assert once(basic(server.url)).status == 200
    assert "Basic YW5u" in heads[0]


def test_ca_files_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, certificate: Certificate
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.certificate))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(certificate.certificate))
    with (
        Loopback(echo, tls=certificate.server_context()) as server,
        pytest.raises(CertificateRejected),
    ):
        once(basic(server.url))


def test_a_proxy_that_is_asked_for_is_used() -> None:
    heads: list[str] = []

    def proxy(connection: Connection) -> None:
        heads.append(connection.request()[0])
        connection.answer(b"<x/>")

    with Loopback(proxy) as server:
        endpoint = basic(
            "http://nowhere.invalid:5985/wsman", proxy=f"http://127.0.0.1:{server.port}"
        )
        assert once(endpoint).body == b"<x/>"
    assert heads[0].startswith("POST http://nowhere.invalid:5985/wsman HTTP/1.1")


def test_a_proxy_that_does_not_answer_is_said() -> None:
    endpoint = basic("https://nowhere.invalid:5986/wsman", proxy=f"http://127.0.0.1:{_free_port()}")
    with pytest.raises(ConnectFailed) as caught:
        once(endpoint)
    assert caught.value.kind in ("proxy", "refused")


# No connection.


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("make", [basic, ntlm])
def test_a_port_where_nothing_listens_is_said(make: object) -> None:
    port = _free_port()
    endpoint = (basic if make is basic else ntlm)(f"http://127.0.0.1:{port}/wsman")
    with pytest.raises(ConnectFailed) as caught:
        once(endpoint)
    assert caught.value.kind == "refused"
    assert caught.value.lines()[0] == f"nothing listens on 127.0.0.1:{port}"


def test_a_name_that_is_unknown_is_said() -> None:
    with pytest.raises(ConnectFailed) as caught:
        once(basic("http://nowhere.invalid:5985/wsman"))
    assert caught.value.kind == "name"
    with pytest.raises(ConnectFailed) as caught:
        once(basic(f"http://{'x' * 64}.invalid/wsman"))
    assert caught.value.kind in ("name", "other")


@pytest.fixture
def black_hole() -> Iterator[str]:
    """An address that takes no connection and refuses none: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            waiting.append(filler)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/wsman"
        for filler in waiting:
            filler.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux leaves a full queue unanswered")
@pytest.mark.parametrize("make", [basic, ntlm])
def test_connecting_has_a_time_out_of_its_own(black_hole: str, make: object) -> None:
    endpoint = (basic if make is basic else ntlm)(black_hole)
    began = time.monotonic()
    with pytest.raises(ConnectFailed) as caught:
        once(endpoint, connect_s=0.2, read_s=60.0)
    assert time.monotonic() - began < WAIT_S
    assert caught.value.kind == "timeout"
    assert "within 0.2 s" in caught.value.lines()[0]
    assert "firewall open for WinRM (5985" in caught.value.lines()[1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux leaves a full queue unanswered")
def test_connecting_can_be_stopped_from_another_thread(black_hole: str) -> None:
    wire = WinRMWire(basic(black_hole))
    client = WSManClient(lambda: wire, host="h", to=black_hole, connect_s=60)
    error = aborted(client, until=lambda: wire._line._socket is not None)
    assert isinstance(error, CallAborted)
    assert not error.sent


def test_a_host_that_takes_the_connection_and_does_not_sign_in_is_said() -> None:
    with Loopback(silent) as server, pytest.raises(ConnectFailed) as caught:
        once(ntlm(server.url), read_s=0.2)
    assert caught.value.kind == "silent"
    assert "does not answer within 0.2 s" in caught.value.lines()[0]


@pytest.mark.parametrize("make", [basic, ntlm])
def test_what_is_no_http_is_said(make: object) -> None:
    def ssh(connection: Connection) -> None:
        connection.send(b"SSH-2.0-OpenSSH_9.6\r\n")
        connection.wait_for_the_end()

    with Loopback(ssh) as server:
        endpoint = (basic if make is basic else ntlm)(server.url)
        with pytest.raises(WSManError, match="HTTP"):
            once(endpoint)


# Answers that do not come, or not whole.


def test_an_answer_that_does_not_come_is_a_time_out() -> None:
    with Loopback(silent) as server:
        began = time.monotonic()
        with pytest.raises(AnswerTimeout) as caught:
            once(basic(server.url), read_s=0.2)
    assert time.monotonic() - began < WAIT_S
    assert caught.value.timeout_s == 0.2


def test_half_an_answer_that_does_not_go_on_is_a_time_out() -> None:
    def handler(connection: Connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<half")
        connection.wait_for_the_end()

    with Loopback(handler) as server, pytest.raises(AnswerTimeout):
        once(basic(server.url), read_s=0.2)


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<half",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n<half",
    ],
)
def test_a_connection_that_ends_before_the_answer_does_is_an_answer_lost(start: bytes) -> None:
    def handler(connection: Connection) -> None:
        connection.request()
        connection.send(start)

    with Loopback(handler) as server, pytest.raises((AnswerLost, MalformedAnswer)) as caught:
        once(basic(server.url))
    error = caught.value.during("CreateJob", change=True, host="h")
    assert error.may_have_been_applied


def test_the_time_out_is_the_time_that_was_waited() -> None:
    gate = threading.Event()  # never set: the head of the answer comes late

    def handler(connection: Connection) -> None:
        connection.request()
        gate.wait(0.4)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<half")
        connection.wait_for_the_end()

    with Loopback(handler) as server, pytest.raises(AnswerTimeout) as caught:
        once(basic(server.url), read_s=0.8)
    assert caught.value.timeout_s is not None
    assert caught.value.timeout_s >= 1.0


def test_a_silent_host_is_asked_once() -> None:
    with Loopback(silent) as server:
        client = WSManClient.at(basic(server.url), read_s=0.2, retry=Retry(first_delay_s=0.01))
        error = result_of(lambda: client.enumerate("urn:x/J"))
        assert server.accepted == 1
    assert isinstance(error, AnswerTimeout)
    assert error.timeout_s == 0.2


def test_an_answer_of_any_size_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bitsshell.wsman.winrm_wire.MAX_ANSWER_BYTES", 100_000)

    def endless(connection: Connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.send(b" " * 65536)

    with Loopback(endless) as server, pytest.raises(MalformedAnswer, match="larger than"):
        once(basic(server.url))


def test_a_compressed_answer_that_is_no_such_thing_is_refused() -> None:
    def handler(connection: Connection) -> None:
        connection.request()
        connection.answer(b"no gzip", Content_Encoding="gzip")

    with Loopback(handler) as server, pytest.raises(MalformedAnswer, match="compressed"):
        once(basic(server.url))


# Stopping.


@pytest.mark.parametrize("tls", [False, True])
def test_a_call_that_waits_for_an_answer_can_be_stopped_from_another_thread(
    tls: bool, certificate: Certificate
) -> None:
    received = threading.Event()

    def handler(connection: Connection) -> None:
        connection.request()
        received.set()
        connection.wait_for_the_end()

    context = certificate.server_context() if tls else None
    with Loopback(handler, tls=context) as server:
        client = WSManClient.at(basic(server.url, tls_fingerprint=certificate.fingerprint))
        error = aborted(client, until=received.is_set)
    assert isinstance(error, CallAborted)
    assert error.may_have_been_applied


def test_an_aborted_wire_is_stale_and_the_next_call_makes_another() -> None:
    def outputs(connection: Connection) -> None:
        while connection.request()[0]:
            connection.answer(OUTPUT.body, Content_Type=SOAP)

    with Loopback(outputs) as server:
        client = WSManClient.at(basic(server.url))
        client.invoke("urn:x/J", "Do")
        client.abort()
        client.invoke("urn:x/J", "Do")
        assert client.connections == 2
        client.close()


# TLS.


def tls_error(server: Loopback, **options: object) -> ConnectFailed:
    with pytest.raises(ConnectFailed) as caught:
        once(basic(server.url, **options))
    return caught.value


def test_an_unknown_authority_is_refused_and_a_named_one_taken(certificate: Certificate) -> None:
    with Loopback(echo, tls=certificate.server_context()) as server:
        error = tls_error(server)
        assert isinstance(error, CertificateRejected)
        assert "self-signed certificate" in error.lines()[0].replace("self signed", "self-signed")
        assert "--tls-fingerprint" in error.lines()[1]
        assert once(basic(server.url, ca_file=str(certificate.certificate))).status == 200


def test_a_pinned_certificate_is_taken_and_no_other(certificate: Certificate, folder: Path) -> None:
    other = make_certificate(folder, name="elsewhere.test")
    pin = ":".join(other.fingerprint[i : i + 2].upper() for i in range(0, 64, 2))
    with Loopback(echo, tls=other.server_context()) as server:
        assert once(basic(server.url, tls_fingerprint=pin)).status == 200
        error = tls_error(server, tls_fingerprint=certificate.fingerprint)
    assert isinstance(error, CertificateRejected)
    assert "not the pinned one" in error.lines()[0]


@pytest.mark.parametrize(("name", "days"), [("elsewhere.test", 1), ("127.0.0.1", -1)])
def test_another_name_or_an_old_date_is_refused(folder: Path, name: str, days: int) -> None:
    made = make_certificate(folder, name=name, days=days)
    with Loopback(echo, tls=made.server_context()) as server:
        error = tls_error(server, ca_file=str(made.certificate))
        assert isinstance(error, CertificateRejected)
        assert once(basic(server.url, tls_verify=False)).status == 200


def http_only(connection: Connection) -> None:
    connection.socket.recv(10)
    connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize("handler", [http_only, silent])
def test_http_where_tls_was_wanted_is_said(handler: Handler) -> None:
    with Loopback(handler) as server, pytest.raises(ConnectFailed) as caught:
        once(basic(server.url.replace("http:", "https:"), tls_verify=False), connect_s=0.3)
    assert caught.value.kind in ("tls", "reset")
    assert "5985 speaks HTTP, 5986 TLS" in caught.value.lines()[1]


def test_ntlm_over_tls_signs_in_without_sealing(certificate: Certificate) -> None:
    bodies: list[bytes] = []

    def handler(connection: Connection) -> None:
        peer = NtlmPeer(connection)
        assert peer.sign_in()
        bodies.append(b"signed in")
        echo(connection)

    with Loopback(handler, tls=certificate.server_context()) as server:
        endpoint = Endpoint(
            url=server.url,
            auth="ntlm",
            username="PRACTICE\\ann",
            password=SECRET,
            tls_fingerprint=certificate.fingerprint,
        )
        wire = WinRMWire(endpoint)
        assert wire.exchange(b"<a/>", **QUICK).status == 200
        assert wire.exchange(b"<b/>", **QUICK).body == b"<b/>"
        wire.close()
        assert server.accepted == 1
    assert bodies == [b"signed in"]


# NTLM with sealed messages.


def sealed_echo(connection: Connection) -> None:
    peer = NtlmPeer(connection)
    if peer.sign_in():
        while message := peer.read():
            peer.write(message)


def test_messages_are_sealed_on_one_signed_in_connection() -> None:
    with Loopback(sealed_echo) as server:
        wire = WinRMWire(ntlm(server.url))
        for number in range(3):
            text = f"<x>{number} ü</x>".encode()
            answer = wire.exchange(text, **QUICK)
            assert (answer.status, answer.body) == (200, text)
            assert answer.headers["content-type"] == SOAP
        wire.close()
        assert server.accepted == 1


def test_a_sealed_fault_in_utf_16_reads_like_any_other() -> None:
    def handler(connection: Connection) -> None:
        peer = NtlmPeer(connection)
        peer.sign_in()
        peer.read()
        refused = soap(
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text>Zugriff "
            '</s:Text></s:Reason><s:Detail><f:WSManFault Code="5"/></s:Detail></s:Fault>'
        )
        text = refused.body.decode().encode("utf-16")
        peer.write(text, status="500 Internal Server Error", charset="UTF-16")

    with Loopback(handler) as server:
        client = WSManClient.at(ntlm(server.url))
        error = result_of(client.identify)
        client.close()
    assert getattr(error, "codes", None) == (5,)


def test_a_wrong_password_is_said_after_one_handshake() -> None:
    with Loopback(sealed_echo) as server:
        client = WSManClient.at(ntlm(server.url, "wrong"))
        error = result_of(client.identify)
        client.close()
        assert server.accepted == 1
    assert isinstance(error, AuthenticationRejected)
    assert error.offered == ("Negotiate", "Kerberos")
    assert error.user == "PRACTICE\\ann"
    assert "wrong" not in str(error)


def test_a_scheme_that_is_not_offered_is_said() -> None:
    def handler(connection: Connection) -> None:
        while connection.request()[0]:
            connection.answer(status="401 Unauthorized", WWW_Authenticate='Basic realm="WSMAN"')

    with Loopback(handler) as server:
        error = result_of(WSManClient.at(ntlm(server.url)).identify)
    assert isinstance(error, AuthenticationRejected)
    assert "it offers Basic" in error.lines()[0]


@pytest.mark.parametrize(
    "header", ["Negotiate", "Negotiate !", "Negotiate AAAA", "NTLM TlRMTVNTUAACAAAA", None]
)
def test_a_broken_handshake_says_nothing_about_the_password(header: str | None) -> None:
    def handler(connection: Connection) -> None:
        connection.request()
        connection.answer(status="401 Unauthorized", WWW_Authenticate="Negotiate, NTLM")
        line = "" if header is None else f"WWW-Authenticate: {header}\r\n"
        while connection.request()[0]:
            connection.send(f"HTTP/1.1 401 No\r\n{line}Content-Length: 0\r\n\r\n".encode())

    with Loopback(handler) as server:
        error = result_of(WSManClient.at(ntlm(server.url)).identify)
    assert isinstance(error, ConnectFailed)
    assert not isinstance(error, AuthenticationRejected)
    assert error.kind == "sign-in"
    assert error.lines()[0].startswith(f"127.0.0.1:{server.port}: the sign-in there broke off (")
    assert SECRET not in f"{error} {error.__dict__}"


@pytest.mark.parametrize("body", [b"hello", OUTPUT.body])
@pytest.mark.parametrize("legs", [0, 1])
def test_a_host_that_answers_without_a_sign_in_has_refused_no_password(
    legs: int, body: bytes
) -> None:
    def handler(connection: Connection) -> None:
        for _ in range(legs):
            connection.request()
            connection.answer(status="401 Unauthorized", WWW_Authenticate="Negotiate")
        while connection.request()[0]:
            connection.answer(body, Content_Type=SOAP)

    with Loopback(handler) as server:
        client = WSManClient.at(ntlm(server.url))
        error = result_of(lambda: client.invoke("urn:x/J", "Do"))
        client.close()
    assert isinstance(error, ConnectFailed)
    assert error.kind == ("sign-in" if legs else "open")
    assert not error.may_have_been_applied
    assert ("answers without asking who you are" in str(error)) is (legs == 0)
    assert "WinRM" in error.lines()[1]


def test_a_host_that_answers_credssp_without_a_sign_in_has_refused_no_password() -> None:
    with Loopback(echo) as server, pytest.raises(ConnectFailed) as caught:
        once(Endpoint(url=server.url, auth="credssp", username="ann", password=SECRET))
    assert caught.value.kind == "open"


def test_only_what_a_sign_in_library_says_of_the_account_is_a_refusal() -> None:
    endpoint = Endpoint(url="http://h/wsman", auth="credssp", username="ann", password=SECRET)
    library = importlib.import_module("requests_credssp.exceptions")
    said = library.AuthenticationException("no token after step 3")
    assert refusal_of(said, endpoint, ("CredSSP",)) == AuthenticationRejected(
        scheme="credssp", offered=("CredSSP",), user="ann", detail="no token after step 3"
    )
    for other in (KeyError("www-authenticate"), AttributeError("wrap"), PermissionError("no")):
        assert refusal_of(other, endpoint, ("CredSSP",)) is None


def test_a_host_that_grants_any_sign_in_and_does_not_seal_has_refused_no_password() -> None:
    def handler(connection: Connection) -> None:
        peer = NtlmPeer(connection)
        assert peer.sign_in()
        connection.request()
        connection.answer(b"hello")

    with Loopback(handler) as server:
        error = result_of(WSManClient.at(ntlm(server.url)).identify)
    assert isinstance(error, MalformedAnswer)


def test_a_handshake_over_tls_that_breaks_off_says_nothing_about_the_password(
    certificate: Certificate,
) -> None:
    def handler(connection: Connection) -> None:
        connection.request()
        connection.answer(status="401 Unauthorized", WWW_Authenticate="Negotiate")
        connection.request()
        connection.answer(b"hello")

    with Loopback(handler, tls=certificate.server_context()) as server:
        endpoint = Endpoint(
            url=server.url,
            auth="ntlm",
            username="PRACTICE\\ann",
            password=SECRET,
            tls_fingerprint=certificate.fingerprint,
        )
        client = WSManClient.at(endpoint)
        error = result_of(lambda: client.invoke("urn:x/J", "Do"))
    assert isinstance(error, MalformedAnswer)
    assert "reading it failed (KeyError: 'www-authenticate')" in error.lines()[0]
    assert error.may_have_been_applied


def test_another_web_server_is_said_before_any_sealing() -> None:
    def handler(connection: Connection) -> None:
        connection.request()
        connection.answer(b"<h1>nginx</h1>", status="404 Not Found", Content_Type="text/html")

    with Loopback(handler) as server:
        error = result_of(WSManClient.at(ntlm(server.url)).identify)
    assert isinstance(error, HttpFailure)
    assert "something else than WinRM answers on this port" in error.lines()[0]


def test_a_sealed_message_is_never_sent_on_another_connection() -> None:
    def one_answer(connection: Connection) -> None:
        peer = NtlmPeer(connection)
        peer.sign_in()
        peer.write(peer.read())

    with Loopback(one_answer) as server:
        wire = WinRMWire(ntlm(server.url))
        wire.exchange(b"<a/>", **QUICK)
        _wait_until_ended(wire)
        with pytest.raises(ConnectionStale):
            wire.exchange(b"<b/>", **QUICK)
        wire.close()
        assert server.accepted == 1


def test_a_client_survives_an_idle_connection_that_ended() -> None:
    def one_output(connection: Connection) -> None:
        peer = NtlmPeer(connection)
        peer.sign_in()
        if peer.read():
            peer.write(OUTPUT.body)

    wires: list[WinRMWire] = []
    with Loopback(one_output) as server:

        def connect() -> WinRMWire:
            wires.append(WinRMWire(ntlm(server.url)))
            return wires[-1]

        client = WSManClient(connect, host="h", to=server.url)
        client.invoke("urn:x/J", "Do")
        _wait_until_ended(wires[0])
        assert client.invoke("urn:x/J", "Do").return_value == 0
        assert client.connections == 2
        client.close()


def test_a_401_on_a_sealed_connection_is_not_answered_by_requests_itself() -> None:
    asked: list[str] = []

    def handler(connection: Connection) -> None:
        peer = NtlmPeer(connection)
        peer.sign_in()
        peer.connection.request()
        connection.answer(status="401 Unauthorized", WWW_Authenticate="Negotiate")
        asked.append(connection.request()[0])

    with Loopback(handler) as server:
        answer = once(ntlm(server.url))
    assert answer.status == 401
    assert asked == [""]


@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error"])
def test_a_plain_answer_to_a_sealed_message_is_refused(status: str) -> None:
    def handler(connection: Connection) -> None:
        peer = NtlmPeer(connection)
        peer.sign_in()
        peer.read()
        connection.answer(OUTPUT.body, status=status, Content_Type=SOAP)

    with Loopback(handler) as server, pytest.raises(MalformedAnswer, match="not encrypted"):
        once(ntlm(server.url))


@pytest.mark.parametrize("damage", [b"", b"x", b"--Encrypted Boundary\r\n" * 3])
def test_a_sealed_answer_that_does_not_open_is_refused(damage: bytes) -> None:
    def handler(connection: Connection) -> None:
        peer = NtlmPeer(connection)
        peer.sign_in()
        peer.read()
        protocol = "application/HTTP-SPNEGO-session-encrypted"
        connection.answer(damage, Content_Type=f'multipart/encrypted;protocol="{protocol}"')

    with Loopback(handler) as server:
        client = WSManClient.at(ntlm(server.url))
        error = result_of(lambda: client.invoke("urn:x/J", "Do"))
        client.close()
    assert isinstance(error, MalformedAnswer)
    assert error.may_have_been_applied


# What is refused before anything is sent.


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint(url="http://h/wsman", auth="basic", username="ann"),
        Endpoint(url="http://h/wsman", auth="ntlm", password="x"),
        Endpoint(url="https://h/wsman", auth="certificate"),
        Endpoint(
            url="https://h/wsman", auth="certificate", certificate_pem="/no/c", key_pem="/no/k"
        ),
        Endpoint(url="https://h/wsman", auth="basic", username="a", password="b", ca_file="/no/ca"),
    ],
)
def test_incomplete_credentials_are_refused_before_anything_is_sent(endpoint: Endpoint) -> None:
    with pytest.raises(RequestRefused):
        once(endpoint)


@pytest.mark.parametrize(
    ("auth", "packages"),
    [("kerberos", ["kerberos", "winkerberos"]), ("credssp", ["requests_credssp"])],
)
def test_an_authentication_that_is_not_installed_names_its_extra(
    auth: str, packages: list[str]
) -> None:
    code = (
        "import sys\n"
        "auth, *packages = sys.argv[1:]\n"
        "sys.modules.update(dict.fromkeys(packages))  # None: not to be imported\n"
        "from bitsshell.wsman import Endpoint, MissingExtra, WinRMWire\n"
        "endpoint = Endpoint(url='http://h/wsman', auth=auth, username='a', password='b')\n"
        "try:\n"
        "    WinRMWire(endpoint).exchange(b'', connect_s=1, read_s=1)\n"
        "except MissingExtra as error:\n"
        "    print(error.hint)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, auth, *packages], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == f'pip install "bitsshell[{auth}]"'


def exchange_error(words: str) -> Exception:
    """The error of pywinrm's own Kerberos library, whose package needs Kerberos to be imported."""
    import winrm.vendor

    name = "winrm.vendor.requests_kerberos.exceptions"
    path = Path(winrm.vendor.__path__[0]) / "requests_kerberos" / "exceptions.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    error: Exception = module.KerberosExchangeError(words)
    return error


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("No Kerberos credentials available', -1765328243", NoTicket),
        ("No Kerberos credentials available', 2529639053", NoTicket),
        ("('Ticket expired', -1765328352)", NoTicket),
        ("No credentials were supplied', 458752", NoTicket),
        ("Server not found in Kerberos database', -1765328377", AuthenticationRejected),
    ],
)
def test_a_missing_ticket_is_told_by_its_code(
    words: str, kind: type[AuthenticationRejected]
) -> None:
    endpoint = Endpoint(url="http://srv01:5985/wsman", auth="kerberos")
    complaint = exchange_error(f"authGSSClientStep() failed: (('x', 851968), ('{words}))")
    error = refusal_of(complaint, endpoint, ())
    assert type(error) is kind
    assert error is not None
    assert "authGSSClientStep" in error.lines()[0]


@pytest.mark.parametrize(
    "options",
    [
        {"url": "ftp://h/wsman"},
        {"url": "h:5985"},
        {"url": "http:///wsman"},
        {"url": "http://h:port/wsman"},
        {"url": "http://[::1/wsman"},
        {"url": "http://ann:word@h/wsman"},
        {"url": "http://h/wsman", "auth": "certificate"},
        {"url": "https://h/wsman", "tls_fingerprint": "abc"},
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(RequestRefused):
        Endpoint(**{"auth": "basic", **options})  # type: ignore[arg-type]


def test_an_endpoint_pickles_and_shows_no_secret() -> None:
    endpoint = basic("http://h:5985/wsman", proxy="http://u:word@proxy:3128")
    assert pickle.loads(pickle.dumps(endpoint)) == endpoint
    assert SECRET not in repr(endpoint)
    assert "word" not in repr(endpoint)


def test_importing_the_package_imports_neither_winrm_nor_requests() -> None:
    code = (
        "import sys, bitsshell.wsman; "
        "heavy = ('winrm', 'requests', 'urllib3', 'spnego', 'cryptography'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
    assert os.linesep not in run.stderr


def test_reads_are_repeated_over_new_connections_until_one_answers() -> None:
    identity = soap(
        '<i:IdentifyResponse xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
        "<i:ProductVendor>V</i:ProductVendor></i:IdentifyResponse>"
    )

    def drop(connection: Connection) -> None:
        connection.request()

    def answer(connection: Connection) -> None:
        connection.request()
        connection.answer(identity.body, Content_Type=SOAP)

    with Loopback(drop, drop, answer) as server:
        client = WSManClient.at(basic(server.url), retry=Retry(first_delay_s=0.01))
        assert client.identify().product_vendor == "V"
        client.close()
        assert server.accepted == 3
