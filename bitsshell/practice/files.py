"""The practice file server: files of known content over HTTP, and servers that misbehave."""

from __future__ import annotations

import hashlib
import html
import random
import re
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime

from aiohttp import hdrs, web

from .file_modes import MODES, FileModes, Mode, parse_mode

_LAST_MODIFIED_S = 1_735_689_600.0
"""2025-01-01 00:00 UTC: the same on every run."""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_IN_MODE = re.compile(r"/mode/(?P<mode>[^/]+)/(?P<name>[^/]+)")
_BLOCK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Content:
    """One file that the server has."""

    name: str
    data: bytes = field(repr=False)
    modified_s: float = _LAST_MODIFIED_S

    @property
    def sha256(self) -> str:
        """Hash of the content, in hex."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def last_modified(self) -> str:
        """The time stamp as HTTP writes it."""
        return formatdate(self.modified_s, usegmt=True)


@dataclass(frozen=True, slots=True)
class PracticeFile:
    """One file of the practice file server."""

    name: str
    url: str
    size_bytes: int
    sha256: str


def standard_files() -> tuple[Content, ...]:
    """The files that every fleet has; their bytes are the same on every run."""
    hello = b"Hello from the practice file server.\r\n"
    sizes = {"report.csv": 48_611, "package.zip": 1_048_576, "image.iso": 8_388_608}
    generated = tuple(
        Content(name, random.Random(name).randbytes(size))  # noqa: S311 - content, no secret
        for name, size in sizes.items()
    )
    return (Content("empty.txt", b""), Content("hello.txt", hello), *generated)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A satisfiable range: first and last byte, both included."""

    first: int
    last: int


def parse_range(header: str | None, size_bytes: int) -> ByteRange | None:
    """The range of a request; None is the whole file.

    Raises:
        ValueError: nothing of it lies in the file.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        count = min(int(match[2]), size_bytes)
        if count == 0:
            raise ValueError("empty range")
        return ByteRange(size_bytes - count, size_bytes - 1)
    first = int(match[1])
    last = min(int(match[2]), size_bytes - 1) if match[2] else size_bytes - 1
    if first >= size_bytes or last < first:
        raise ValueError("outside of the file")
    return ByteRange(first, last)


class FileServer:
    """Serves the files; `GET /` lists them."""

    def __init__(self, contents: tuple[Content, ...]) -> None:
        self._contents = {content.name: content for content in contents}
        self._modes = FileModes(self._send)

    @property
    def contents(self) -> tuple[Content, ...]:
        """All files, in the order of the index."""
        return tuple(self._contents.values())

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            return await self._answer(request)
        except ConnectionError:
            return web.Response()  # nobody reads it: who asked has hung up, as a cancelled job does

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method not in {hdrs.METH_GET, hdrs.METH_HEAD}:
            return web.Response(status=405, headers={hdrs.ALLOW: "GET, HEAD"})
        if request.path == "/":
            return web.Response(text=self._index(), content_type="text/html")
        mode, name = None, request.path.lstrip("/")
        in_mode = _IN_MODE.fullmatch(request.path)
        if in_mode is not None:
            mode, name = parse_mode(in_mode["mode"]), in_mode["name"]
        content = self._contents.get(name)
        if content is None or (in_mode is not None and mode is None):
            return web.Response(status=404, text="no such file or mode\n")
        if mode is not None:
            return await self._modes.handle(request, content, *mode)
        return await self._send(request, content)

    def _index(self) -> str:
        rows = "".join(
            f'<li><a href="{html.escape(c.name)}">{html.escape(c.name)}</a> '
            f"{len(c.data)} bytes, SHA-256 <code>{c.sha256}</code></li>"
            for c in self.contents
        )
        modes = "".join(
            f"<li><code>/mode/{html.escape(_example(mode))}/FILE</code> "
            f"{html.escape(mode.summary)}</li>"
            for mode in MODES.values()
        )
        return (
            "<!DOCTYPE html><html><head><title>Practice files</title></head>"
            f"<body><h1>Practice files</h1><ul>{rows}</ul>"
            f"<h2>Servers that misbehave</h2><ul>{modes}</ul></body></html>"
        )

    async def _send(self, request: web.BaseRequest, content: Content) -> web.StreamResponse:
        size = len(content.data)
        headers = {
            hdrs.ACCEPT_RANGES: "bytes",
            hdrs.LAST_MODIFIED: content.last_modified,
            hdrs.CONTENT_TYPE: "application/octet-stream",
        }
        if _changed_since(request.headers.get(hdrs.IF_UNMODIFIED_SINCE), content):
            return web.Response(status=412)
        try:
            wanted = parse_range(request.headers.get(hdrs.RANGE), size)
        except ValueError:
            headers[hdrs.CONTENT_RANGE] = f"bytes */{size}"
            return web.Response(status=416, headers=headers)
        whole = wanted is None or request.method == hdrs.METH_HEAD
        first, last = (0, size - 1) if whole or wanted is None else (wanted.first, wanted.last)
        response = web.StreamResponse(status=200 if whole else 206, headers=headers)
        response.content_length = last - first + 1
        if not whole:
            response.headers[hdrs.CONTENT_RANGE] = f"bytes {first}-{last}/{size}"
        await response.prepare(request)
        if request.method == hdrs.METH_GET:
            for start in range(first, last + 1, _BLOCK_BYTES):
                await response.write(content.data[start : min(start + _BLOCK_BYTES, last + 1)])
        await response.write_eof()
        return response


def _example(mode: Mode) -> str:
    return ",".join((mode.name, *(f"{name}={value}" for name, value in mode.arguments.items())))


def _changed_since(header: str | None, content: Content) -> bool:
    if header is None:
        return False
    try:
        return content.modified_s > parsedate_to_datetime(header).timestamp()
    except (ValueError, TypeError):
        return False
