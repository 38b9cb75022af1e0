"""The second message on a connection goes a shorter way, and does what the first one does."""

from __future__ import annotations

import gzip
import threading
from typing import TYPE_CHECKING

import pytest
from loopback import Certificate, Connection, Loopback, NtlmPeer, make_certificate
from wires import OUTPUT, aborted

from bitsshell.wsman import (
    Answer,
    AnswerLost,
    AnswerTimeout,
    CallAborted,
    ConnectionStale,
    Endpoint,
    MalformedAnswer,
    WinRMWire,
    WSManClient,
)
from bitsshell.wsman._kept import _host_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "pa$$ wörd"
QUICK = {"connect_s": 2.0, "read_s": 5.0}
SOAP = "application/soap+xml;charset=UTF-8"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def ntlm_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = tmp_path / "users"
    users.write_text(f"PRACTICE:ann:{SECRET}\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(users))


def basic(url: str, **more: object) -> Endpoint:
    return Endpoint(url=url, auth="basic", username="ann", password=SECRET, **more)  # type: ignore[arg-type]


def ntlm(url: str, **more: object) -> Endpoint:
    user = "PRACTICE\\ann"
    return Endpoint(url=url, auth="ntlm", username=user, password=SECRET, **more)  # type: ignore[arg-type]


def after_one(then: Callable[[Connection], None]) -> Callable[[Connection], None]:
    """A host that answers one message plainly, and the second as `then` does."""

    def handler(connection: Connection) -> None:
        connection.request()
        connection.answer(b"<first/>", Content_Type=SOAP)
        if connection.request()[0]:
            then(connection)

    return handler


def second(endpoint: Endpoint, **times: float) -> Answer:
    wire = WinRMWire(endpoint)
    try:
        assert wire.exchange(b"<a/>", **QUICK).body == b"<first/>"
        return wire.exchange(b"<longer/>", **{**QUICK, **times})
    finally:
        wire.close()


def heads_of(url: Callable[[Loopback], str], address: str = "127.0.0.1") -> list[list[str]]:
    """The heads of three messages over one connection, their lengths aside."""
    heads: list[str] = []

    def handler(connection: Connection) -> None:
        while True:
            head, body = connection.request()
            if not head:
                return
            heads.append(head)
            connection.answer(body)

    with Loopback(handler, address=address) as server:
        wire = WinRMWire(basic(url(server)))
        for body in (b"<a/>", b"<longer/>", b""):
            assert wire.exchange(body, **QUICK).body == body
        wire.close()
        assert server.accepted == 1
    return [
        [line for line in head.split("\r\n") if not line.startswith("Content-Length")]
        for head in heads
    ]


def test_later_messages_have_the_headers_of_the_first() -> None:
    first, *later = heads_of(lambda server: server.url)
    for head in later:
        assert head[0] == first[0]
        assert sorted(head) == sorted(first)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://srv01:5985/wsman", "srv01:5985"),
        ("http://SRV01.example.:5985/wsman", "srv01.example:5985"),
        ("https://srv01:443/wsman", "srv01"),
        ("http://srv01/wsman", "srv01"),
        ("https://[fe80::1]:5986/wsman", "[fe80::1]:5986"),
    ],
)
def test_the_host_header_is_written_as_http_has_it(url: str, host: str) -> None:
    assert _host_in(url) == host


@pytest.mark.parametrize("status", [200, 302, 401, 404, 500])
def test_every_status_of_a_later_answer_is_an_answer_and_asked_for_once(status: int) -> None:
    asked: list[str] = []

    def then(connection: Connection) -> None:
        connection.answer(b"<second/>", status=f"{status} X", WWW_Authenticate="Basic, Negotiate")
        asked.append(connection.request()[0])

    with Loopback(after_one(then)) as server:
        answer = second(basic(server.url))
        assert server.accepted == 1
    assert asked == [""]
    assert (answer.status, answer.body) == (status, b"<second/>")
    assert answer.headers["www-authenticate"] == "Basic, Negotiate"


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\n<b>\r\n4\r\n</b>\r\n0\r\n\r\n", b"<b></b>"),
        (b"Content-Length: 0\r\n\r\n", b""),
        (b"X: 1\r\nx: 2\r\nContent-Length: 1\r\n\r\nb", b"b"),
    ],
)
def test_a_later_answer_may_come_in_any_frame(sent: bytes, body: bytes) -> None:
    def then(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + sent)

    with Loopback(after_one(then)) as server:
        answer = second(basic(server.url))
    assert answer.body == body
    assert answer.headers.get("x", "1, 2") == "1, 2"


def test_a_later_answer_that_somebody_compressed_is_read() -> None:
    def then(connection: Connection) -> None:
        connection.answer(gzip.compress(b"<second/>"), Content_Encoding="gzip")

    with Loopback(after_one(then)) as server:
        assert second(basic(server.url)).body == b"<second/>"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "compress"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no HTTP"),
    ],
)
def test_a_later_answer_that_cannot_be_read_is_refused(sent: bytes, words: str) -> None:
    with (
        Loopback(after_one(lambda connection: connection.send(sent))) as server,
        pytest.raises(MalformedAnswer, match=words),
    ):
        second(basic(server.url))


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<half",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n<half",
    ],
)
def test_a_connection_that_ends_in_a_later_answer_is_an_answer_lost(start: bytes) -> None:
    with (
        Loopback(after_one(lambda connection: connection.send(start))) as server,
        pytest.raises((AnswerLost, MalformedAnswer)) as caught,
    ):
        second(basic(server.url))
    assert caught.value.during("CreateJob", change=True, host="h").may_have_been_applied


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<half"])
def test_a_later_answer_that_comes_late_is_never_taken_for_the_next_one(start: bytes) -> None:
    is_late = threading.Event()

    def late(connection: Connection) -> None:
        connection.send(start)
        is_late.wait(10)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<stale>")

    def third(connection: Connection) -> None:
        connection.request()
        connection.answer(b"<third/>")

    with Loopback(after_one(late), third) as server:
        wire = WinRMWire(basic(server.url))
        wire.exchange(b"<a/>", **QUICK)
        with pytest.raises(AnswerTimeout):
            wire.exchange(b"<b/>", connect_s=2.0, read_s=0.2)
        is_late.set()
        assert wire.exchange(b"<c/>", **QUICK).body == b"<third/>"
        wire.close()


def test_a_later_answer_of_any_size_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bitsshell.wsman.winrm_wire.MAX_ANSWER_BYTES", 100_000)

    def endless(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.send(b" " * 65536)

    with (
        Loopback(after_one(endless)) as server,
        pytest.raises(MalformedAnswer, match="larger than"),
    ):
        second(basic(server.url))


def test_a_host_that_closes_after_a_later_answer_gets_a_new_connection() -> None:
    def closes(connection: Connection) -> None:
        connection.answer(b"<second/>", Connection="close")
        connection.wait_for_the_end()

    def third(connection: Connection) -> None:
        connection.request()
        connection.answer(b"<third/>")

    with Loopback(after_one(closes), third) as server:
        wire = WinRMWire(basic(server.url))
        bodies = [wire.exchange(b"<a/>", **QUICK).body for _ in range(3)]
        wire.close()
        assert server.accepted == 2
    assert bodies == [b"<first/>", b"<second/>", b"<third/>"]


def test_a_sealed_connection_that_the_host_closes_after_an_answer_is_stale() -> None:
    def handler(connection: Connection) -> None:
        peer = NtlmPeer(connection)
        peer.sign_in()
        for _ in range(2):
            peer.write(peer.read())
        connection.socket.close()

    with Loopback(handler) as server:
        wire = WinRMWire(ntlm(server.url))
        for body in (b"<a/>", b"<b/>"):
            assert wire.exchange(body, **QUICK).body == body
        with pytest.raises((ConnectionStale, AnswerLost)):
            wire.exchange(b"<c/>", **QUICK)
        with pytest.raises(ConnectionStale):
            wire.exchange(b"<d/>", **QUICK)
        wire.close()
        assert server.accepted == 1


def test_a_connection_over_tls_that_forgot_its_sign_in_is_signed_in_again(
    certificate: Certificate,
) -> None:
    def handler(connection: Connection) -> None:
        assert NtlmPeer(connection).sign_in()
        head, _ = connection.request()
        assert "Authorization" not in head
        connection.answer(status="401 Unauthorized", WWW_Authenticate="Negotiate")
        assert NtlmPeer(connection).sign_in()
        _, body = connection.request()
        connection.answer(body)

    with Loopback(handler, tls=certificate.server_context()) as server:
        wire = WinRMWire(ntlm(server.url, tls_fingerprint=certificate.fingerprint))
        statuses = [wire.exchange(b"<a/>", **QUICK).status for _ in range(2)]
        assert wire.exchange(b"<c/>", **QUICK).body == b"<c/>"
        wire.close()
        assert server.accepted == 1
    assert statuses == [200, 200]


def test_cookies_and_proxies_stay_with_the_session() -> None:
    heads: list[str] = []

    def handler(connection: Connection) -> None:
        while True:
            heads.append(connection.request()[0])
            if not heads[-1]:
                return
            connection.answer(Set_Cookie="a=b")

    with Loopback(handler) as server:
        for endpoint in (basic(server.url), basic("http://srv01/wsman", proxy=server.url)):
            wire = WinRMWire(endpoint)
            wire.exchange(b"<a/>", **QUICK)
            wire.exchange(b"<b/>", **QUICK)
            wire.close()
    assert "Cookie: a=b" in heads[1]
    assert heads[4].startswith("POST http://srv01/wsman HTTP/1.1")


@pytest.mark.parametrize("tls", [False, True])
def test_a_later_call_that_waits_can_be_stopped_from_another_thread(
    tls: bool, certificate: Certificate
) -> None:
    received = threading.Event()

    def handler(connection: Connection) -> None:
        connection.request()
        connection.answer(OUTPUT.body, Content_Type=SOAP)
        connection.request()
        received.set()
        connection.wait_for_the_end()

    context = certificate.server_context() if tls else None
    with Loopback(handler, tls=context) as server:
        client = WSManClient.at(basic(server.url, tls_fingerprint=certificate.fingerprint))
        client.invoke("urn:x/J", "Do")
        error = aborted(client, until=received.is_set)
    assert isinstance(error, CallAborted)
    assert error.may_have_been_applied
