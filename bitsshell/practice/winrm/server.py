"""The listeners of WinRM over HTTP, and the connections that they hold."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from ..httplog import HTTP_LOG
from .answers import plain
from .auth import Authenticator
from .exchange import Connection, Endpoint, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.web_protocol import RequestHandler

__all__ = ["Endpoint", "WinRmServer"]

_MAX_FIELD_BYTES = 16_384
"""Of http.sys; a Kerberos ticket of somebody in many groups needs more than half of it."""


class WinRmServer(web.Server):
    """The listener of one port. Hosts are found by the path, or there is only one."""

    def __init__(
        self,
        find: Callable[[str], Endpoint | None],
        *,
        idle_timeout_s: float,
    ) -> None:
        super().__init__(
            self._handle,
            keepalive_timeout=idle_timeout_s,
            access_log=None,
            auto_decompress=False,
            lingering_time=1.0,
            max_field_size=_MAX_FIELD_BYTES,
            logger=HTTP_LOG,
        )
        self._find = find
        self._idle_timeout_s = idle_timeout_s
        self._states: dict[RequestHandler, Connection] = {}
        self._stopping = asyncio.Event()

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """A client connected."""
        super().connection_made(handler, transport)
        state = self._states[handler] = Connection()
        state.silence = asyncio.get_running_loop().call_later(
            self._idle_timeout_s, _drop_if_silent, state, transport
        )

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """A connection is gone, and its security context with it."""
        super().connection_lost(handler, exc)
        state = self._states.pop(handler, None)
        if state is not None:
            state.closed.set()
            if state.silence is not None:
                state.silence.cancel()

    def drop_idle(self, endpoint: Endpoint) -> int:
        """Close the keep-alive connections to a host on which nothing is under way."""
        dropped = 0
        for handler, state in list(self._states.items()):
            transport = handler.transport
            if not state.busy and endpoint.name in state.authenticators and transport is not None:
                transport.close()
                dropped += 1
        return dropped

    async def stop(self) -> None:
        """Let go what hangs and close every connection."""
        self._stopping.set()
        self.pre_shutdown()
        await self.shutdown(timeout=1.0)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        endpoint = self._find(request.path)
        if endpoint is None:
            return plain(404)
        state = self._states.get(request.protocol)
        if state is None:
            return plain(503)
        authenticator = state.authenticators.get(endpoint.name)
        if authenticator is None:
            endpoint.counters.connection()
            authenticator = state.authenticators[endpoint.name] = Authenticator(
                endpoint.gate, _client_certificate(request)
            )
        endpoint.counters.request()
        state.busy += 1
        try:
            exchange = Exchange(request, endpoint, authenticator, state, self._stopping)
            response = await exchange.answer()
            await _send(request, response, endpoint.settings.max_packet_retrieval_s)
        finally:
            state.busy -= 1
        return response


def _drop_if_silent(state: Connection, transport: asyncio.Transport) -> None:
    """Close a connection that has not brought one whole header: nobody, or one that dawdles."""
    if not state.authenticators:
        transport.abort()


async def _send(request: web.BaseRequest, response: web.StreamResponse, limit_s: float) -> None:
    """Send the answer; a client that does not take it in time is let go."""
    try:
        async with asyncio.timeout(limit_s):
            await response.prepare(request)
            await response.write_eof()
    except (TimeoutError, ConnectionError):
        if request.transport is not None:
            request.transport.abort()


def _client_certificate(request: web.BaseRequest) -> bytes | None:
    """What the client showed in TLS (DER), signed by the fleet's authority."""
    tls = request.get_extra_info("ssl_object")
    return None if tls is None else tls.getpeercert(binary_form=True)
