"""Where the files of the compact servers are fetched from: one listener for the whole fleet.

HTTP.sys listens on the port of every URL group. Practice hosts share one machine and its ports, so
one listener serves them all and looks at the Host header: `http://practice01:8080/packages/a.zip`.
The fleet's own transfers find it by the host's name; others by `/practice01/packages/a.zip` on the
listener's address.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import hdrs, web
from aiohttp.abc import AbstractResolver, ResolveResult

from .httplog import HTTP_LOG
from .winrm.answers import SERVER_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .compact import CompactServer, UrlGroup

_HTTP_PORT = "80"
_MAX_PORT_DIGITS = 6


class CompactHttp(web.Server):
    """The listener. `servers` are the hosts by name in lower case."""

    def __init__(self, servers: Mapping[str, CompactServer]) -> None:
        super().__init__(self._handle, access_log=None, logger=HTTP_LOG)
        self._servers = servers

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method not in {hdrs.METH_GET, hdrs.METH_HEAD}:
            return web.Response(status=405, headers={hdrs.ALLOW: "GET, HEAD"})
        found = self._route(request)
        if found is None or not found[1].is_file():
            return web.Response(status=404)
        group, path = found
        if group.transfers >= group.limits["ConnectionLimit"]:
            return web.Response(status=503)
        response = web.FileResponse(path, headers={hdrs.SERVER: SERVER_NAME})
        response.content_type = "application/octet-stream"
        group.transfers += 1
        try:
            await response.prepare(request)
        finally:
            group.transfers -= 1
        return response

    def _route(self, request: web.BaseRequest) -> tuple[UrlGroup, Path] | None:
        name, _, port = request.host.lower().rpartition(":")
        if not (port.isascii() and port.isdigit() and len(port) < _MAX_PORT_DIGITS):
            name, port = request.host.lower(), _HTTP_PORT
        server = self._servers.get(name)
        if server is not None:
            return server.route(request.path, int(port))
        first, _, rest = request.path.lstrip("/").partition("/")
        server = self._servers.get(first.lower())
        return None if server is None else server.route(f"/{rest}", None)


class FleetResolver(AbstractResolver):
    """Finds the hosts of a fleet by their names, and all others as usual."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._others = aiohttp.DefaultResolver()
        self.address: tuple[str, int, socket.AddressFamily] | None = None
        """Where the compact servers are, once they listen."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name."""
        if host.lower() not in self._names or self.address is None:
            return await self._others.resolve(host, port, family)
        address, real_port, real_family = self.address
        return [
            ResolveResult(
                hostname=host, host=address, port=real_port, family=real_family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Let the other resolver go."""
        await self._others.close()
