"""Hosts under fire: a fault or a closed connection, and the next request is answered."""

from __future__ import annotations

import base64
import contextlib
import logging
import re
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from practice_clients import (
    ALL_URI,
    CANCEL,
    JOB_URI,
    WQL,
    BitsOverPypsrp,
    N,
    S,
    T,
    connect,
    envelope,
    parsed,
    pywinrm,
)

from bitsshell.practice import PracticeFleet, PracticeHost, PracticeSettings, WinRmSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

ENUMERATE = envelope(f"{N}/Enumerate", "<n:Enumerate/>")
SOAP = "Content-Type: application/soap+xml;charset=UTF-8"
fuzz = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Complaints(logging.Handler):
    """What the servers log of themselves: mistakes of theirs, never of a client."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@pytest.fixture(autouse=True)
def unharmed(host: PracticeHost) -> Iterator[None]:
    """After every test the host answers a good request, and has found no mistake in itself."""
    heard = Complaints()
    loggers = [logging.getLogger(name) for name in ("bitsshell.practice", "aiohttp", "asyncio")]
    for logger in loggers:
        logger.addHandler(heard)
    yield
    status, answer = post(host, ENUMERATE.encode())
    for logger in loggers:
        logger.removeHandler(heard)
    assert (status, b"EnumerateResponse" in answer) == (200, True)
    assert heard.texts == []


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0


def basic(host: PracticeHost) -> str:
    plain = f"{host.username}:{host.password}".encode()
    return f"Authorization: Basic {base64.b64encode(plain).decode()}"


def exchange(to: tuple[str, int], request: bytes, *, ends: bool = False) -> tuple[int, bytes]:
    """Status and all that came until the server had answered or closed; 0 is a closed connection.

    `ends` closes the client's side first, so that the server cannot wait for more.
    """
    received = b""
    with socket.create_connection(to, timeout=20) as line, contextlib.suppress(ConnectionError):
        line.sendall(request)
        if ends:
            line.shutdown(socket.SHUT_WR)
        while not is_whole(received) and (chunk := line.recv(65_536)):
            received += chunk
    return int(received[9:12] or 0), received


def is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return bool(end) and length is not None and len(body) >= int(length[1])


def post(host: PracticeHost, body: bytes, content_type: str = SOAP) -> tuple[int, bytes]:
    head = (
        f"POST /wsman HTTP/1.1\r\nHost: h\r\n{basic(host)}\r\n{content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return exchange(address(host.endpoint), head.encode() + body)


def subcode(answer: bytes) -> str:
    body = answer.partition(b"\r\n\r\n")[2]
    return parsed(body).findtext(f".//{{{S}}}Subcode/{{{S}}}Value") or ""


# --- HTTP ---


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 3\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding\x0b: chunked",
        "Content-Length : 5",
        "Content-Length: +5",
        "Content-Length: -1",
        "Content-Length: 5, 5",
        "Content-Length: 0x5",
        "Content-Length: " + "9" * 40,
        "X: a\r\n b",
        "X: a\rContent-Length: 5",
        "X: a\x00b",
        "Host: other\r\nContent-Length: 5",
        "X: " + "a" * 100_000,
        "\r\n".join(f"X{number}: y" for number in range(5_000)),
    ],
)
def test_a_header_that_means_two_things_or_too_much_is_refused(
    host: PracticeHost, headers: str
) -> None:
    smuggled = "POST /wsman HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
    request = f"POST /wsman HTTP/1.1\r\nHost: h\r\n{headers}\r\n\r\n0\r\n\r\n{smuggled}"
    status, answer = exchange(address(host.endpoint), request.encode("latin-1"), ends=True)
    assert status in {0, 400}
    assert answer.count(b"HTTP/1.") <= 1, "the rest was taken for a request of its own"


def test_what_is_announced_as_too_large_is_not_waited_for(host: PracticeHost) -> None:
    request = b"POST /wsman HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n"
    assert exchange(address(host.endpoint), request)[0] == 413


def test_chunks_without_end_are_cut_off(host: PracticeHost) -> None:
    head = b"POST /wsman HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    assert exchange(address(host.endpoint), head + chunk * 20)[0] in {0, 413}


@pytest.mark.parametrize("body", [b"ZZ\r\n", b"-5\r\nabc\r\n", b"5\r\nabcdefgh\r\n", b"f" * 40])
def test_chunks_that_are_none_are_refused(host: PracticeHost, body: bytes) -> None:
    head = b"POST /wsman HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert exchange(address(host.endpoint), head + body, ends=True)[0] in {0, 400}


def test_a_client_that_leaves_in_the_middle_of_its_body_is_forgotten(host: PracticeHost) -> None:
    request = b"POST /wsman HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc"
    assert exchange(address(host.endpoint), request, ends=True)[0] in {0, 400}


@fuzz
@given(data=st.binary(max_size=400), begins=st.sampled_from([b"", b"POST /wsman HTTP/1.1\r\n"]))
def test_any_bytes_get_an_answer_or_a_closed_connection(
    fleet: PracticeFleet, host: PracticeHost, data: bytes, begins: bytes
) -> None:
    request = begins + data + b"\r\n\r\n"
    for url in (host.endpoint, fleet.files_url, fleet.uploads_url, fleet.compact_url):
        status, _ = exchange(address(url), request, ends=True)
        assert status == 0 or 400 <= status < 500


@pytest.mark.parametrize(
    ("content_type", "allowed"),
    [
        ("X: y", {415}),
        ("Content-Type: text/html", {415}),
        ("Content-Type: application/x-www-form-urlencoded", {415}),
        ("Content-Type: multipart/form-data; boundary=x", {415}),
        ("Content-Type: application/soap+xml;charset=no-such-charset", {200}),
        ("Content-Type: application/soap+xml;charset=utf-16", {400}),
        ('Content-Type: application/soap+xml;;=;charset="', {200}),
        ("Content-Type: multipart/encrypted", {400}),
        ("Content-Encoding: gzip\r\n" + SOAP, {200, 400}),
    ],
)
def test_content_types_that_do_not_fit(
    host: PracticeHost, content_type: str, allowed: set[int]
) -> None:
    assert post(host, ENUMERATE.encode(), content_type)[0] in allowed


# --- XML ---

BOMB = "<!DOCTYPE z [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {after} '{f'&{before};' * 10}'>"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        f"{BOMB}]>" + ENUMERATE.replace("<n:Enumerate/>", "<n:Enumerate>&i;</n:Enumerate>"),
        "<!DOCTYPE s:Envelope>" + ENUMERATE,
        "<!DOCTYPE z SYSTEM 'http://127.0.0.1:1/z.dtd'>" + ENUMERATE,
        "<!DOCTYPE z [<!ENTITY f SYSTEM 'file:///etc/hosts'>]>"
        + ENUMERATE.replace("<n:Enumerate/>", "<n:Enumerate>&f;</n:Enumerate>"),
        "<!DOCTYPE z [<!ENTITY % p SYSTEM 'file:///etc/hosts'> %p;]>" + ENUMERATE,
        ENUMERATE.replace("<n:Enumerate/>", "<n:Enumerate>&nothing;</n:Enumerate>"),
        ENUMERATE.replace("<n:Enumerate/>", "<n:E>" * 60_000),
        ENUMERATE.replace("<n:Enumerate/>", "<n:E>" * 5_000 + "</n:E>" * 5_000),
        ENUMERATE.replace("<n:Enumerate/>", "\x01"),
        ENUMERATE.replace("<n:Enumerate/>", '<n:E a="1" a="2"/>'),
        ENUMERATE[:-20],
    ],
)
def test_xml_that_is_a_weapon_is_no_envelope(host: PracticeHost, text: str) -> None:
    assert post(host, text.encode())[0] == 400


@pytest.mark.parametrize(
    "text",
    [
        ENUMERATE.replace("<s:Envelope ", f"<s:Envelope {' '.join(names)} ")
        for names in (
            [f'xmlns:z{number}="u:{number}"' for number in range(15_000)],
            [f'z{number}="{number}"' for number in range(30_000)],
        )
    ]
    + [
        envelope(f"{N}/Enumerate", f"<n:Enumerate>{'<w:a/>' * 60_000}</n:Enumerate>"),
        envelope(f"{N}/Enumerate", "<n:Enumerate/>", headers="<z/>" * 100_000),
    ],
)
def test_very_much_of_what_is_allowed_is_read_in_time(host: PracticeHost, text: str) -> None:
    began_s = time.monotonic()
    assert post(host, text.encode())[0] == 200
    assert time.monotonic() - began_s < 10


NUMBERS = ["²", "٣", "9" * 5_000, "-1", "1e3", "0x10", "1_0", " ", ""]


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_that_are_none_are_faults(
    host: PracticeHost, bits: BitsOverPypsrp, fleet: PracticeFleet, number: str
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
    state = f"<p:SetJobState_INPUT><p:JobState>{number}</p:JobState></p:SetJobState_INPUT>"
    condition = f"SELECT * FROM BitsClientJob WHERE Priority = {number}"
    query = f'<n:Enumerate><w:Filter Dialect="{WQL}">{condition}</w:Filter></n:Enumerate>'
    texts = [
        envelope(f"{JOB_URI}/SetJobState", state, selectors={"JobId": job_id}),
        envelope(f"{N}/Enumerate", query, uri=ALL_URI),
        envelope(
            f"{N}/Enumerate",
            f"<n:Enumerate><w:MaxElements>{number}</w:MaxElements></n:Enumerate>",
        ),
    ]
    if number.strip():
        texts.append(ENUMERATE.replace("153600", number))
        texts.append(ENUMERATE.replace("PT60S", f"PT{number.strip('9')}S"))
    for text in texts:
        status, answer = post(host, text.encode())
        # WQL has negative numbers, and takes anything for a number that compares as none.
        assert status == 500 or number == "-1", text
        assert status == 200 or subcode(answer), text
    assert bits.set_state(job_id, CANCEL) == 0


def test_no_pattern_of_like_keeps_the_host_busy(
    host: PracticeHost, bits: BitsOverPypsrp, fleet: PracticeFleet
) -> None:
    bits.create(fleet.files[1].url, r"C:\in\a.txt", Description="a" * 1_000)
    began_s = time.monotonic()
    for pattern in ("%a" * 40 + "b", "%a%" * 4_000 + "b", "%_" * 2_000, "[a-z]%" * 900 + "1"):
        query = f"SELECT * FROM BitsClientJob WHERE Description LIKE '{pattern}'"
        assert bits.enumerate(uri=ALL_URI, query=query)[0] == []
    assert time.monotonic() - began_s < 10


@fuzz
@given(
    junk=st.text(st.characters(codec="utf-8", exclude_characters="<&"), max_size=60),
    place=st.sampled_from(["153600", "PT60S", "uuid:1", N, JOB_URI, "role/anonymous", "<n:E"]),
)
def test_any_text_in_any_place_is_answered(host: PracticeHost, junk: str, place: str) -> None:
    status, answer = post(host, ENUMERATE.replace(place, junk, 1).encode())
    assert status in {200, 400, 500}
    assert status != 500 or b"s:Fault" in answer


PUT = (
    "<p:BitsClientJob><p:Priority>0</p:Priority><p:DisplayName>x</p:DisplayName></p:BitsClientJob>"
)
CREATE = (
    "<p:CreateJob_INPUT><p:DisplayName>x</p:DisplayName><p:RemoteUrl>http://127.0.0.1:1/x</p:Remote"
    "Url><p:LocalFile>C:\\in\\x</p:LocalFile><p:Suspend>true</p:Suspend></p:CreateJob_INPUT>"
)
QUERY = "SELECT Priority FROM BitsClientJob WHERE NOT (Priority = 1 OR DisplayName LIKE '[a-f]%_')"
WELL_FORMED = [
    ENUMERATE,
    envelope(f"{T}/Get", selectors={"JobId": "{0}"}),
    envelope(f"{T}/Put", PUT, selectors={"JobId": "{0}"}),
    envelope(f"{JOB_URI}/CreateJob", CREATE),
    envelope(f"{N}/Pull", "<n:Pull><n:EnumerationContext>uuid:1</n:EnumerationContext></n:Pull>"),
    envelope(
        f"{N}/Enumerate",
        f'<n:Enumerate><w:Filter Dialect="{WQL}">{QUERY}</w:Filter></n:Enumerate>',
        uri=ALL_URI,
    ),
]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=st.sampled_from(WELL_FORMED),
    edits=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 30), st.integers(0, 3), st.text(max_size=4)),
        min_size=1,
        max_size=4,
    ),
)
def test_a_request_with_mistakes_is_answered(
    host: PracticeHost, text: str, edits: list[tuple[float, int, int, str]]
) -> None:
    for place, length, times, inserted in edits:
        at = int(place * len(text))
        text = text[:at] + text[at : at + length] * times + inserted + text[at + length :]
    status, answer = post(host, text.encode("utf-8", "replace"))
    assert status in {200, 400, 500}
    assert status != 500 or b"s:Fault" in answer


# --- logon and sealing ---


@pytest.mark.parametrize(
    "value",
    [
        "NTLM " + base64.b64encode(b"NTLMSSP\x00\x01\x00\x00\x00" + b"\xff" * 6_000).decode(),
        "NTLM " + base64.b64encode(b"NTLMSSP\x00\x03\x00\x00\x00" + b"\xff" * 200).decode(),
        "NTLM " + "A" * 12_000,
        "NTLM ====",
        "NTLM",
        "Negotiate " + base64.b64encode(b"\x60\x84\xff\xff\xff\xff").decode(),
        "Negotiate " + base64.b64encode(b"\x60\x80" * 3_000).decode(),
        "Basic \xff\xfe",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Digest username=x",
        "Bearer x",
        " ",
    ],
)
def test_absurd_tokens_are_refused(host: PracticeHost, value: str) -> None:
    request = (
        f"POST /wsman HTTP/1.1\r\nHost: h\r\nAuthorization: {value}\r\nContent-Length: 0\r\n\r\n"
    )
    assert exchange(address(host.endpoint), request.encode("latin-1"))[0] == 401


@pytest.fixture(scope="module")
def sealed(fleet: PracticeFleet) -> Iterator[requests.Session]:
    """A connection that has logged on by NTLM, so that it has what opens sealed messages."""
    transport = pywinrm(fleet.hosts[0], "ntlm")
    session = transport.build_session()
    transport.setup_encryption(session)
    yield session
    transport.close_session()


HEAD = (
    b"--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
    b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%b\r\n"
    b"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n%b"
    b"--Encrypted Boundary--\r\n"
)


def send_sealed(session: requests.Session, host: PracticeHost, body: bytes) -> int:
    answer = session.post(
        host.endpoint,
        data=body,
        headers={
            "Content-Type": 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypt'
            'ed";boundary="Encrypted Boundary"'
        },
        timeout=20,
    )
    return answer.status_code


@pytest.mark.parametrize(
    "body",
    [
        b"--" + b" " * 500_000,
        b"-" * 500_000,
        b"--Encrypted Boundary\r\n" * 20_000,
        HEAD % (b"9" * 5_000, b"\x10\x00\x00\x00" + b"x" * 40),
        HEAD % (b"24", b"\xff\xff\xff\xff" + b"x" * 40),
        HEAD % (b"24", b"\x00\x00\x00\x00"),
        HEAD % (b"24", b"\x10"),
        HEAD % (b"24", b""),
        HEAD % (b"24", b"\x10\x00\x00\x00" + b"x" * 40),
    ],
)
def test_wrong_framing_of_a_sealed_message_is_refused(
    host: PracticeHost, sealed: requests.Session, body: bytes
) -> None:
    began_s = time.monotonic()
    assert send_sealed(sealed, host, body) == 400
    assert time.monotonic() - began_s < 10


@fuzz
@given(payload=st.binary(max_size=200), length=st.integers(0, 10**9))
def test_any_sealed_bytes_are_refused(
    host: PracticeHost, sealed: requests.Session, payload: bytes, length: int
) -> None:
    assert send_sealed(sealed, host, HEAD % (str(length).encode(), payload)) == 400


# --- clients that take their time ---


@pytest.fixture(scope="module")
def impatient() -> Iterator[PracticeHost]:
    winrm = WinRmSettings(idle_connection_timeout_s=0.3, max_packet_retrieval_s=0.3)
    with PracticeFleet(hosts=1, settings=PracticeSettings(winrm=winrm)) as fleet:
        yield fleet.hosts[0]


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"POST /wsm",
        b"POST /wsman HTTP/1.1\r\nHost: h\r\nX: a",
        b"POST /wsman HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc",
        b"POST /wsman HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
)
def test_a_request_that_does_not_come_to_its_end_is_not_waited_for(
    impatient: PracticeHost, begun: bytes
) -> None:
    with socket.create_connection(address(impatient.endpoint), timeout=20) as line:
        line.sendall(begun)
        with contextlib.suppress(ConnectionError):
            assert line.recv(100) == b""


def test_a_request_that_comes_byte_by_byte_is_not_waited_for(impatient: PracticeHost) -> None:
    with socket.create_connection(address(impatient.endpoint), timeout=20) as line:
        line.sendall(b"POST /wsman HTTP/1.1\r\nHost: h\r\nX: ")
        line.settimeout(0.02)
        sent = 0
        with contextlib.suppress(ConnectionError):
            while True:
                line.sendall(b"a")
                sent += 1
                with contextlib.suppress(TimeoutError):
                    if line.recv(1) == b"":
                        break
    assert sent < 500


def test_a_client_that_does_not_take_its_answers_is_let_go(impatient: PracticeHost) -> None:
    bits = BitsOverPypsrp(connect(impatient))
    job_id = bits.create("http://127.0.0.1/x", r"C:\in\x")
    for number in range(200):
        path = rf"C:\in\{number}"
        bits.invoke("AddFile", {"remoteUrl": "http://127.0.0.1/x", "localFile": path}, job_id)
    bits.wsman.close()
    get = envelope(f"{T}/Get", selectors={"JobId": job_id}, max_envelope=500_000).encode()
    head = f"POST /wsman HTTP/1.1\r\nHost: h\r\n{basic(impatient)}\r\n{SOAP}\r\n"
    request = f"{head}Content-Length: {len(get)}\r\n\r\n".encode() + get
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        line.settimeout(20)
        line.connect(address(impatient.endpoint))
        # Their answers are far more than the buffers between the two hold; none is taken.
        with pytest.raises(ConnectionError):
            line.sendall(request * 20_000)


def test_many_silent_connections_leave_room_for_others(impatient: PracticeHost) -> None:
    with contextlib.ExitStack() as lines:
        for _ in range(200):
            lines.enter_context(socket.create_connection(address(impatient.endpoint), timeout=20))
        assert post(impatient, ENUMERATE.encode())[0] == 200


# --- uploads ---


def packet(kind: str, headers: str = "", body: bytes = b"") -> bytes:
    head = (
        f"BITS_POST /a.bin HTTP/1.1\r\nHost: h\r\nBITS-Packet-Type: {kind}\r\n"
        f"BITS-Supported-Protocols: {{7df0354d-249b-430f-820d-3d2a9bef4931}}\r\n{headers}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@pytest.mark.parametrize(
    "ranges",
    ["bytes 0-4/4", "bytes 0-4/0", "bytes 5-9/10", "bytes 4-0/10", "bytes 0-3/10", "bytes -4/10"],
)
def test_a_fragment_that_does_not_fit_its_file_is_refused(
    fleet: PracticeFleet, ranges: str
) -> None:
    to = address(fleet.uploads_url)
    _, opened = exchange(to, packet("Create-Session"))
    session = re.search(rb"BITS-Session-Id: (\S+)", opened)
    assert session is not None
    headers = f"BITS-Session-Id: {session[1].decode()}\r\nContent-Range: {ranges}\r\n"
    assert exchange(to, packet("Fragment", headers, b"abcde"))[0] in {400, 416}
