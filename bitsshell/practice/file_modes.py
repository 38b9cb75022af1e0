"""Web servers as BITS meets them: the modes of the practice file server.

A mode stands in the path: `/mode/norange/package.zip`, `/mode/reset,at=5000/package.zip`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from .files import Content

USERNAME, PASSWORD = "reader", "read-4-practice"
_DAY_S = 86_400.0
_REALM = "practice files"
_NONCE = "practice"
_BLOCK_BYTES = 1 << 14

Serve = Callable[[web.BaseRequest, "Content"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to misbehave."""

    name: str
    summary: str
    arguments: Mapping[str, int]
    """Names and defaults of what may follow the name."""


def _mode(name: str, summary: str, **arguments: int) -> Mode:
    return Mode(name, summary, MappingProxyType(arguments))


MODES: Mapping[str, Mode] = MappingProxyType(
    {
        mode.name: mode
        for mode in (
            _mode("status", "Every request is answered by that status.", code=500),
            _mode("nohead", "HEAD is answered by 405; GET works."),
            _mode("busy", "That many requests are answered by 503, then all is well.", times=1),
            _mode("norange", "Ranges are ignored: 200 and the whole file."),
            _mode("nolength", "Answers have no Content-Length."),
            _mode("wronglength", "The file is said to be longer than it is, by that much.", by=100),
            _mode("slow", "That many bytes a second.", rate=65_536),
            _mode(
                "reset",
                "The connection breaks when the file has been read up to that byte.",
                at=1000,
                times=1,
            ),
            _mode("changes", "The file is another one after that many GETs.", after=1),
            _mode("hang", "GET is never answered."),
            _mode("redirect", "302 to the file itself."),
            _mode("basic", f"Needs basic credentials: {USERNAME} / {PASSWORD}."),
            _mode("digest", f"Needs digest credentials: {USERNAME} / {PASSWORD}."),
        )
    }
)


_STATUS = re.compile("[2-5][0-9]{2}")
_NUMBER = re.compile("[0-9]{1,12}")


def parse_mode(text: str) -> tuple[str, dict[str, int]] | None:
    """Name and arguments of a mode, such as `reset,at=5000`; a bare number is a status."""
    if _STATUS.fullmatch(text):
        return "status", {"code": int(text)}
    name, *given = text.split(",")
    mode = MODES.get(name)
    if mode is None:
        return None
    arguments = dict(mode.arguments)
    for item in given:
        key, equals, value = item.partition("=")
        form = _STATUS if key == "code" else _NUMBER
        if not equals or key not in arguments or not form.fullmatch(value):
            return None
        arguments[key] = int(value)
    return name, arguments


_Arguments = Mapping[str, int]
_Handler = Callable[[web.BaseRequest, "Content", _Arguments], Awaitable[web.StreamResponse]]


class FileModes:
    """Carries the modes out. What happens only so often is counted for each address."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._counts: Counter[str] = Counter()
        self._handlers: dict[str, _Handler] = {
            "status": self._status,
            "nohead": self._nohead,
            "busy": self._busy,
            "norange": self._whole,
            "nolength": self._unsized,
            "wronglength": self._longer,
            "slow": self._slow,
            "reset": self._reset,
            "changes": self._changing,
            "hang": self._hang,
            "redirect": self._redirect,
            "basic": self._guarded_by_basic,
            "digest": self._guarded_by_digest,
        }

    async def handle(
        self, request: web.BaseRequest, content: Content, mode: str, arguments: Mapping[str, int]
    ) -> web.StreamResponse:
        """Answer one request in that mode."""
        return await self._handlers[mode](request, content, arguments)

    async def _status(
        self, request: web.BaseRequest, content: Content, arguments: _Arguments
    ) -> web.StreamResponse:
        del request, content
        return web.Response(status=arguments["code"])

    async def _nohead(
        self, request: web.BaseRequest, content: Content, arguments: _Arguments
    ) -> web.StreamResponse:
        del arguments
        if request.method == hdrs.METH_HEAD:
            return web.Response(status=405, headers={hdrs.ALLOW: "GET"})
        return await self._serve(request, content)

    async def _busy(
        self, request: web.BaseRequest, content: Content, arguments: _Arguments
    ) -> web.StreamResponse:
        if self._count(request) <= arguments["times"]:
            return web.Response(status=503, headers={hdrs.RETRY_AFTER: "5"})
        return await self._serve(request, content)

    async def _hang(
        self, request: web.BaseRequest, content: Content, arguments: _Arguments
    ) -> web.StreamResponse:
        del arguments
        if request.method == hdrs.METH_GET:
            await asyncio.Event().wait()
        return await self._serve(request, content)

    async def _redirect(
        self, request: web.BaseRequest, content: Content, arguments: _Arguments
    ) -> web.StreamResponse:
        del request, arguments
        return web.Response(status=302, headers={hdrs.LOCATION: f"/{content.name}"})

    async def _guarded_by_basic(
        self, request: web.BaseRequest, content: Content, arguments: _Arguments
    ) -> web.StreamResponse:
        del arguments
        allowed = _authorized(request, "basic")
        return await self._serve(request, content) if allowed else _challenge("basic")

    async def _guarded_by_digest(
        self, request: web.BaseRequest, content: Content, arguments: _Arguments
    ) -> web.StreamResponse:
        del arguments
        allowed = _authorized(request, "digest")
        return await self._serve(request, content) if allowed else _challenge("digest")

    def _count(self, request: web.BaseRequest) -> int:
        self._counts[request.path] += 1
        return self._counts[request.path]

    async def _whole(
        self, request: web.BaseRequest, content: Content, arguments: _Arguments
    ) -> web.StreamResponse:
        del arguments
        headers = {hdrs.LAST_MODIFIED: content.last_modified}
        if request.method == hdrs.METH_HEAD:
            headers[hdrs.CONTENT_LENGTH] = str(len(content.data))
            return web.Response(headers=headers)
        return web.Response(body=content.data, headers=headers)

    async def _unsized(
        self, request: web.BaseRequest, content: Content, arguments: _Arguments
    ) -> web.StreamResponse:
        del arguments
        response = web.StreamResponse(headers={hdrs.LAST_MODIFIED: content.last_modified})
        response.enable_chunked_encoding()
        await response.prepare(request)
        if request.method == hdrs.METH_GET:
            await response.write(content.data)
        await response.write_eof()
        return response

    async def _longer(
        self, request: web.BaseRequest, content: Content, arguments: _Arguments
    ) -> web.StreamResponse:
        return await self._broken(request, content, len(content.data), arguments["by"])

    async def _slow(
        self, request: web.BaseRequest, content: Content, arguments: _Arguments
    ) -> web.StreamResponse:
        if request.method == hdrs.METH_HEAD:
            return await self._serve(request, content)
        rate = max(1, arguments["rate"])
        first, last = _wanted(request, len(content.data))
        response = await _begin(request, content, first, last, len(content.data))
        step = max(1, min(_BLOCK_BYTES, rate // 10))
        for start in range(first, last + 1, step):
            await response.write(content.data[start : min(start + step, last + 1)])
            await asyncio.sleep(step / rate)
        await response.write_eof()
        return response

    async def _reset(
        self, request: web.BaseRequest, content: Content, arguments: _Arguments
    ) -> web.StreamResponse:
        first, last = _wanted(request, len(content.data))
        reached = request.method == hdrs.METH_GET and first <= arguments["at"] <= last
        if not reached or self._count(request) > arguments["times"]:
            return await self._serve(request, content)
        return await self._broken(request, content, arguments["at"], 0)

    @staticmethod
    async def _broken(
        request: web.BaseRequest, content: Content, ends_at: int, longer_by: int
    ) -> web.StreamResponse:
        """Announce the asked range (of a longer file) and close where the data ends."""
        size = len(content.data) + longer_by
        if request.method == hdrs.METH_HEAD:
            headers = {hdrs.LAST_MODIFIED: content.last_modified, hdrs.CONTENT_LENGTH: str(size)}
            return web.Response(headers=headers)
        first, last = _wanted(request, size)
        response = await _begin(request, content, first, last, size)
        await response.write(content.data[first : min(ends_at, last + 1)])
        if last >= ends_at and request.transport is not None:
            request.transport.close()
        return response

    async def _changing(
        self, request: web.BaseRequest, content: Content, arguments: _Arguments
    ) -> web.StreamResponse:
        got = self._counts[request.path]
        if request.method == hdrs.METH_GET:
            self._count(request)
        if got >= arguments["after"]:
            content = replace(content, data=content.data[::-1], modified_s=_later(content))
        return await self._serve(request, content)


def _later(content: Content) -> float:
    return content.modified_s + _DAY_S


def _wanted(request: web.BaseRequest, size_bytes: int) -> tuple[int, int]:
    """First and last byte of the asked range, the whole file without one."""
    match = re.fullmatch(r"bytes=([0-9]{1,15})-([0-9]{0,15})", request.headers.get(hdrs.RANGE, ""))
    if match is None:
        return 0, size_bytes - 1
    return int(match[1]), min(int(match[2] or size_bytes - 1), size_bytes - 1)


async def _begin(
    request: web.BaseRequest, content: Content, first: int, last: int, size_bytes: int
) -> web.StreamResponse:
    headers = {
        hdrs.LAST_MODIFIED: content.last_modified,
        hdrs.CONTENT_RANGE: f"bytes {first}-{last}/{size_bytes}",
    }
    response = web.StreamResponse(status=206, headers=headers)
    response.content_length = max(0, last - first + 1)
    await response.prepare(request)
    return response


def _challenge(mode: str) -> web.Response:
    value = f'Basic realm="{_REALM}"'
    if mode == "digest":
        value = f'Digest realm="{_REALM}", nonce="{_NONCE}", qop="auth", algorithm=SHA-256'
    return web.Response(status=401, headers={hdrs.WWW_AUTHENTICATE: value})


def _authorized(request: web.BaseRequest, mode: str) -> bool:
    header = request.headers.get(hdrs.AUTHORIZATION, "")
    if mode == "basic":
        plain = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        return header == f"Basic {plain}"
    fields = dict(re.findall(r'(\w+)="?([^",]+)"?', header.removeprefix("Digest ")))
    secret = _sha256(f"{USERNAME}:{_REALM}:{PASSWORD}")
    asked = _sha256(f"{request.method}:{fields.get('uri', '')}")
    parts = (fields.get("nc", ""), fields.get("cnonce", ""), "auth")
    expected = _sha256(":".join((secret, _NONCE, *parts, asked)))
    return fields.get("response") == expected and fields.get("uri") == request.path_qs


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
