"""The practice upload server: takes files by the BITS upload protocol into one folder.

Written on asyncio's streams: the verb `BITS_POST` is unknown to the HTTP parsers of web servers.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROTOCOL = "{7df0354d-249b-430f-820d-3d2a9bef4931}"
MAX_UPLOAD_BYTES = 30_000_000
"""The default limit of IIS, about 30 MB (122)."""
MAX_HELD_BYTES = 1 << 30
"""Of all open sessions together, which live in memory."""
_IDLE_S = 120.0
_SESSION_NOT_FOUND = "0x8020001F"
_TOO_LARGE = "0x80200020"
_INVALID_ARGUMENT = "0x80070057"
_FILE_EXISTS = "0x80070050"
_NAME = re.compile(r"[^\\/:*?\"<>|\x00-\x1f]{1,200}")
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Packet:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ack:
    """One answer."""

    status: HTTPStatus
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Session:
    name: str
    data: bytearray = field(default_factory=bytearray)
    total: int | None = None


def _refused(status: HTTPStatus, code: str) -> Ack:
    return Ack(status, {"BITS-Error-Code": code, "BITS-Error-Context": "0x5"})


class UploadServer:
    """Sessions, and the folder in which a closed one leaves its file."""

    def __init__(
        self, folder: Path, *, max_bytes: int = MAX_UPLOAD_BYTES, overwrite: bool = True
    ) -> None:
        self.folder = folder
        self.sessions: dict[str, _Session] = {}
        self._max_bytes = max_bytes
        self._overwrite = overwrite
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, packet after packet."""
        self._writers.add(writer)
        try:
            while (packet := await _read_in_time(reader, self._max_bytes)) is not None:
                writer.write(_written(self.answer(packet)))
                await writer.drain()
        except (ConnectionError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def close(self) -> None:
        """End every connection."""
        for writer in self._writers:
            writer.close()

    def answer(self, packet: Packet) -> Ack:
        """What one packet leads to (116 to 119)."""
        if packet.method != "BITS_POST":
            return Ack(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "BITS_POST"})
        kind = packet.headers.get("bits-packet-type", "").lower()
        if kind == "ping":
            return Ack(HTTPStatus.OK)
        if kind == "create-session":
            return self._create(packet)
        session_id = packet.headers.get("bits-session-id", "")
        session = self.sessions.get(session_id)
        if session is None:
            return _refused(HTTPStatus.INTERNAL_SERVER_ERROR, _SESSION_NOT_FOUND)
        if kind == "fragment":
            return self._fragment(packet, session_id, session)
        if kind == "close-session":
            return self._finish(session_id, session)
        if kind == "cancel-session":
            del self.sessions[session_id]
            return Ack(HTTPStatus.OK, {"BITS-Session-Id": session_id})
        return _refused(HTTPStatus.BAD_REQUEST, _INVALID_ARGUMENT)

    def _create(self, packet: Packet) -> Ack:
        offered = packet.headers.get("bits-supported-protocols", "").lower().split()
        name = unquote(urlsplit(packet.path).path).lstrip("/")
        if PROTOCOL not in offered or not _NAME.fullmatch(name) or set(name) <= {".", " "}:
            return _refused(HTTPStatus.BAD_REQUEST, _INVALID_ARGUMENT)
        if not self._overwrite and (self.folder / name).exists():
            return _refused(HTTPStatus.CONFLICT, _FILE_EXISTS)
        session_id = "{" + secrets.token_hex(16).upper() + "}"
        self.sessions[session_id] = _Session(name)
        headers = {
            "BITS-Protocol": PROTOCOL,
            "BITS-Session-Id": session_id,
            "Accept-Encoding": "Identity",
        }
        return Ack(HTTPStatus.OK, headers)

    def _fragment(self, packet: Packet, session_id: str, session: _Session) -> Ack:
        match = _CONTENT_RANGE.fullmatch(packet.headers.get("content-range", ""))
        if match is None or int(match[2]) - int(match[1]) + 1 != len(packet.body):
            return _refused(HTTPStatus.BAD_REQUEST, _INVALID_ARGUMENT)
        first, last, total = (int(number) for number in match.groups())
        if total > self._max_bytes:
            return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE)
        if last >= total:
            return _refused(HTTPStatus.BAD_REQUEST, _INVALID_ARGUMENT)
        if sum(len(other.data) for other in self.sessions.values()) > MAX_HELD_BYTES:
            return Ack(HTTPStatus.SERVICE_UNAVAILABLE)
        session.total = total
        have = {"BITS-Session-Id": session_id}
        if first > len(session.data):
            have["BITS-Received-Content-Range"] = str(len(session.data))
            return Ack(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, have)
        session.data[first : first + len(packet.body)] = packet.body
        have["BITS-Received-Content-Range"] = str(len(session.data))
        return Ack(HTTPStatus.OK, have)

    def _finish(self, session_id: str, session: _Session) -> Ack:
        if session.total is not None and len(session.data) != session.total:
            return _refused(HTTPStatus.BAD_REQUEST, _INVALID_ARGUMENT)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / session.name).write_bytes(session.data)
        del self.sessions[session_id]
        return Ack(HTTPStatus.OK, {"BITS-Session-Id": session_id})


async def _read_in_time(reader: asyncio.StreamReader, max_bytes: int) -> Packet | None:
    async with asyncio.timeout(_IDLE_S):
        return await _read(reader, max_bytes)


async def _read(reader: asyncio.StreamReader, max_bytes: int) -> Packet | None:
    """The next request; None at the end of the connection, or when it is no request."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    start, *lines = head[:-4].decode("latin-1").split("\r\n")
    parts = start.split(" ")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            return None
        headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "0")
    if len(parts) != 3 or not length.isdigit() or int(length) > max_bytes:
        return None
    return Packet(parts[0], parts[1], headers, await reader.readexactly(int(length)))


def _written(ack: Ack) -> bytes:
    headers = {"BITS-Packet-Type": "Ack", "Content-Length": "0", **ack.headers}
    lines = [f"HTTP/1.1 {ack.status.value} {ack.status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
