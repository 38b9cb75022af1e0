"""WinRM over HTTP: connections, authentication, sealing, limits, and faults on demand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from multidict import CIMultiDict

from ..faults import ArmedFault, HostFaults, When
from . import faults as soap_faults
from .auth import Accepted, Authenticator, Gate, UnsealError
from .sealing import Opened, is_sealed, open_message, seal_message
from .service import Call, Reply, WsManService
from .soap import NotSoapError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.web_protocol import RequestHandler

    from ..settings import WinRmSettings
    from ..stats import Counters

SERVER_NAME = "Microsoft-HTTPAPI/2.0"
_SOAP_TYPE = "application/soap+xml"
_SEAL_OVERHEAD_BYTES = 4_096
_IDENTIFY_HEADER = "WSMANIDENTIFY"

_PAGE = (
    "<!DOCTYPE html><html><head><title>Service indisponible</title></head>"
    "<body><h1>Désolé</h1><p>La requête a été refusée : réessayez plus tard.</p></body></html>"
)
_GARBAGE = b"\x00\xff\xfe not XML at all <<<&&& \x80\x81"


@dataclass(slots=True, eq=False)
class Endpoint:
    """One practice host as its HTTP side sees it."""

    name: str
    service: WsManService
    settings: WinRmSettings
    counters: Counters
    faults: HostFaults
    gate: Gate
    latency_s: float = 0.0


@dataclass(slots=True, eq=False)
class _Connection:
    """What is known about one TCP connection."""

    closed: asyncio.Event = field(default_factory=asyncio.Event)
    authenticators: dict[str, Authenticator] = field(default_factory=dict)
    busy: int = 0


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
        )
        self._find = find
        self._states: dict[RequestHandler, _Connection] = {}
        self._stopping = asyncio.Event()

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """A client connected."""
        super().connection_made(handler, transport)
        self._states[handler] = _Connection()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """A connection is gone, and its security context with it."""
        super().connection_lost(handler, exc)
        state = self._states.pop(handler, None)
        if state is not None:
            state.closed.set()

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
            return _plain(404)
        state = self._states.get(request.protocol)
        if state is None:
            return _plain(503)
        authenticator = state.authenticators.get(endpoint.name)
        if authenticator is None:
            endpoint.counters.connection()
            authenticator = state.authenticators[endpoint.name] = Authenticator(
                endpoint.gate, _client_certificate(request)
            )
        endpoint.counters.request()
        state.busy += 1
        try:
            exchange = _Exchange(request, endpoint, authenticator, state, self._stopping)
            return await exchange.answer()
        finally:
            state.busy -= 1


class _ClosedError(Exception):
    """The connection was closed on purpose; nothing is to be answered."""


class _Exchange:
    """One HTTP request and its answer."""

    def __init__(
        self,
        request: web.BaseRequest,
        endpoint: Endpoint,
        authenticator: Authenticator,
        state: _Connection,
        stopping: asyncio.Event,
    ) -> None:
        self._request = request
        self._endpoint = endpoint
        self._authenticator = authenticator
        self._state = state
        self._stopping = stopping
        self._sealed: Opened | None = None
        self._charset = "UTF-8"
        self._is_administrator = True
        self._late_s = 0.0
        """How long the answer is still to be kept back."""

    async def answer(self) -> web.StreamResponse:
        """The response, whatever happens."""
        try:
            body = await self._body()
            if isinstance(body, web.Response):
                return body
            if self._endpoint.latency_s:
                await asyncio.sleep(self._endpoint.latency_s)
            struck = await self._strike(When.REQUEST, None)
            if struck is not None:
                return struck
            response = await self._authenticated(body)
            await self._wait(self._late_s)
            return response
        except _ClosedError:
            return _plain(400)

    async def _body(self) -> bytes | web.Response:
        """The request's body, or why it is not looked at."""
        request = self._request
        if request.method != hdrs.METH_POST:
            return _plain(405)
        limit = self._endpoint.settings.max_envelope_kb * 1024 + _SEAL_OVERHEAD_BYTES
        if request.content_length is not None and request.content_length > limit:
            return _plain(413, close=True)
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > limit:
                return _plain(413, close=True)
        return bytes(body)

    async def _authenticated(self, body: bytes) -> web.StreamResponse:
        headers = self._request.headers
        anonymous = headers.get(_IDENTIFY_HEADER, "").lower() == "unauthenticated"
        if anonymous and hdrs.AUTHORIZATION not in headers:
            return await self._identify(body)
        verdict = self._authenticator.authenticate(headers.get(hdrs.AUTHORIZATION))
        if not isinstance(verdict, Accepted):
            return _unauthorized(verdict.challenges)
        if self._endpoint.faults.take(When.LOGON, None) is not None:
            return _unauthorized(self._authenticator.offers)
        self._is_administrator = verdict.is_administrator
        if verdict.fresh:
            self._endpoint.counters.logon()
        response = await self._opened(body)
        if verdict.token is not None and not response.prepared:
            response.headers.add(hdrs.WWW_AUTHENTICATE, verdict.token)
        return response

    async def _identify(self, body: bytes) -> web.StreamResponse:
        """Identify without credentials; nothing else is answered that way (4.9)."""
        try:
            call = self._endpoint.service.read(body, "UTF-8")
        except NotSoapError:
            return _plain(400)
        if not isinstance(call, Call) or call.operation != "Identify":
            return _unauthorized(self._authenticator.offers)
        self._endpoint.counters.call("Identify")
        return self._soap(self._endpoint.service.identify(authenticated=False))

    async def _opened(self, body: bytes) -> web.StreamResponse:
        """Open a sealed body, or see that a plain one is allowed."""
        content_type = self._request.headers.get(hdrs.CONTENT_TYPE, "")
        if is_sealed(content_type):
            try:
                self._sealed = open_message(body, self._authenticator.context)
            except UnsealError:
                return _plain(400)
            body, self._charset = self._sealed.data, self._sealed.charset
        elif not body:
            return _plain(200)
        elif not (self._endpoint.gate.tls or self._endpoint.settings.allow_unencrypted):
            return _plain(self._endpoint.settings.unencrypted_status)
        else:
            if not content_type.lower().startswith((_SOAP_TYPE, "text/xml")):
                return _plain(415)
            self._charset = self._request.charset or "UTF-8"
        return await self._operation(body)

    async def _operation(self, body: bytes) -> web.StreamResponse:
        endpoint = self._endpoint
        if len(body) > endpoint.settings.max_envelope_kb * 1024:
            return _plain(413, close=True)
        try:
            call = endpoint.service.read(body, self._charset)
        except NotSoapError:
            return _plain(400)
        if isinstance(call, Reply):
            return self._soap(call)
        endpoint.counters.call(call.operation)
        with endpoint.counters.operation() as under_way:
            if under_way > endpoint.settings.max_concurrent_operations_per_user:
                return self._fault(soap_faults.quota(), call)
            return await self._carried_out(call)

    async def _carried_out(self, call: Call) -> web.StreamResponse:
        endpoint = self._endpoint
        struck = await self._strike(When.REQUEST, call.operation)
        if struck is not None:
            return struck
        limit_s = min(call.request.timeout_s, endpoint.settings.max_timeout_ms / 1000)
        if self._late_s > limit_s:
            await self._wait(limit_s)
            self._late_s = 0.0
            return self._fault(soap_faults.timed_out(), call)
        await self._wait(self._late_s)
        reply = self._refused(call) or endpoint.service.answer(call)
        armed = endpoint.faults.take(When.ANSWER, call.operation)
        if armed is not None:
            return await self._break_off(armed, reply)
        return self._soap(reply)

    def _refused(self, call: Call) -> Reply | None:
        """The fault that is armed for this operation, or that a stranger to the host gets."""
        armed = self._endpoint.faults.take(When.OPERATION, call.operation)
        if call.operation == "Identify" or (armed is None and self._is_administrator):
            return None
        fault = soap_faults.access_denied() if armed is None else _soap_fault(armed)
        return self._fault_reply(fault, call)

    def _fault_reply(self, fault: soap_faults.SoapFaultError, call: Call) -> Reply:
        return self._endpoint.service.fault(fault, call.request.message_id, call.request.locale)

    def _fault(self, fault: soap_faults.SoapFaultError, call: Call) -> web.Response:
        return self._soap(self._fault_reply(fault, call))

    async def _wait(self, seconds: float) -> None:
        """Keep the answer back, once."""
        if seconds > 0:
            self._late_s = max(self._late_s - seconds, 0.0)
            await asyncio.sleep(seconds)

    async def _strike(self, when: When, operation: str | None) -> web.StreamResponse | None:
        # What is for any operation struck before the operation was read.
        armed = self._endpoint.faults.take(when, operation, of_any=operation is None)
        if armed is None:
            return None
        match armed.kind.name:
            case "slow":
                self._late_s += armed.number("seconds")
                return None
            case "garbage":
                return _typed(200, _GARBAGE, f"{_SOAP_TYPE};charset=UTF-8")
            case "html":
                page = _PAGE.encode("latin-1")
                return _typed(int(armed.number("status")), page, "text/html; charset=ISO-8859-1")
            case "hang":
                await self._endpoint.faults.hang((self._state.closed, self._stopping))
        self._close()
        raise _ClosedError

    async def _break_off(self, armed: ArmedFault, reply: Reply) -> web.StreamResponse:
        """The operation took effect; its answer does not arrive, or not whole."""
        if armed.kind.name == "half-answer":
            whole = self._soap(reply)
            body = whole.body
            data = bytes(body) if isinstance(body, bytes | bytearray) else b""
            half = web.StreamResponse(status=whole.status, headers=whole.headers)
            half.content_length = len(data)
            await half.prepare(self._request)
            await half.write(data[: len(data) // 2])
        self._close()
        raise _ClosedError

    def _close(self) -> None:
        if self._request.transport is not None:
            self._request.transport.close()

    def _soap(self, reply: Reply) -> web.Response:
        """An envelope as it goes out: in the request's encoding, sealed as the request was."""
        utf16 = self._charset.lower().startswith("utf-16")
        charset = "UTF-16" if utf16 else "UTF-8"
        data = b"\xff\xfe" + reply.body.encode("utf-16-le") if utf16 else reply.body.encode()
        if self._sealed is None:
            return _typed(reply.status, data, f"{_SOAP_TYPE};charset={charset}")
        content_type, body = seal_message(data, charset, self._sealed.context)
        return _typed(reply.status, body, content_type)


def _soap_fault(armed: ArmedFault) -> soap_faults.SoapFaultError:
    match armed.kind.name:
        case "provider-missing":
            return soap_faults.resource_not_found(code=int(armed.number("code")))
        case "enumerate-failed":
            return soap_faults.enumeration_failed()
        case "access-denied":
            return soap_faults.access_denied()
        case "quota":
            return soap_faults.quota()
        case "timed-out":
            return soap_faults.timed_out()
    return soap_faults.provider_failed(int(armed.number("code")))


def _client_certificate(request: web.BaseRequest) -> bytes | None:
    """What the client showed in TLS (DER), signed by the fleet's authority."""
    tls = request.get_extra_info("ssl_object")
    return None if tls is None else tls.getpeercert(binary_form=True)


def _typed(status: int, body: bytes, content_type: str) -> web.Response:
    headers = {hdrs.CONTENT_TYPE: content_type, hdrs.SERVER: SERVER_NAME}
    return web.Response(status=status, body=body, headers=headers)


def _plain(status: int, *, close: bool = False) -> web.Response:
    """An answer without content."""
    response = web.Response(status=status, headers={hdrs.SERVER: SERVER_NAME})
    response.headers.popall(hdrs.CONTENT_TYPE, None)
    if close:
        response.force_close()
    return response


def _unauthorized(challenges: tuple[str, ...]) -> web.Response:
    headers = CIMultiDict({hdrs.SERVER: SERVER_NAME})
    for challenge in challenges:
        headers.add(hdrs.WWW_AUTHENTICATE, challenge)
    return web.Response(status=401, headers=headers)
