"""One HTTP request to a host and its answer: logon, sealing, limits, and faults on demand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from ..faults import ArmedFault, HostFaults, When
from . import faults as soap_faults
from .answers import GARBAGE, PAGE, SOAP_TYPE, plain, typed, unauthorized
from .auth import Accepted, Authenticator, Gate, UnsealError
from .sealing import Opened, is_sealed, open_message, seal_message
from .service import Call, Reply, WsManService
from .soap import NotSoapError

if TYPE_CHECKING:
    from ..settings import WinRmSettings
    from ..stats import Counters

_SEAL_OVERHEAD_BYTES = 4_096
_IDENTIFY_HEADER = "WSMANIDENTIFY"


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
class Connection:
    """What is known about one TCP connection."""

    closed: asyncio.Event = field(default_factory=asyncio.Event)
    authenticators: dict[str, Authenticator] = field(default_factory=dict)
    busy: int = 0
    silence: asyncio.TimerHandle | None = None
    """Ends the connection if it brings no request."""


class ClosedError(Exception):
    """The connection was closed on purpose; nothing is to be answered."""


class Exchange:
    """One HTTP request and its answer."""

    def __init__(
        self,
        request: web.BaseRequest,
        endpoint: Endpoint,
        authenticator: Authenticator,
        state: Connection,
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
            self._late_s = self._endpoint.latency_s
            response = await self._strike(When.REQUEST, None)
            if response is None:
                response = await self._authenticated(body)
            await self._wait(self._late_s)
            return response
        except ClosedError:
            return plain(400)

    async def _body(self) -> bytes | web.Response:
        """The request's body, or why it is not looked at."""
        request = self._request
        if request.method != hdrs.METH_POST:
            return plain(405)
        limit = self._endpoint.settings.max_envelope_kb * 1024 + _SEAL_OVERHEAD_BYTES
        if request.content_length is not None and request.content_length > limit:
            return plain(413, close=True)
        body = bytearray()
        try:
            async with asyncio.timeout(self._endpoint.settings.max_packet_retrieval_s):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > limit:
                        return plain(413, close=True)
        except (web.RequestPayloadError, ConnectionError):
            return plain(400, close=True)
        except TimeoutError:
            self._close()
            raise ClosedError from None
        return bytes(body)

    async def _authenticated(self, body: bytes) -> web.StreamResponse:
        headers = self._request.headers
        anonymous = headers.get(_IDENTIFY_HEADER, "").lower() == "unauthenticated"
        if anonymous and hdrs.AUTHORIZATION not in headers:
            return await self._identify(body)
        verdict = self._authenticator.authenticate(headers.get(hdrs.AUTHORIZATION))
        if not isinstance(verdict, Accepted):
            return unauthorized(verdict.challenges)
        if self._endpoint.faults.take(When.LOGON, None) is not None:
            return unauthorized(self._authenticator.offers)
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
            return plain(400)
        if not isinstance(call, Call) or call.operation != "Identify":
            return unauthorized(self._authenticator.offers)
        self._endpoint.counters.call("Identify")
        return self._soap(self._endpoint.service.identify(authenticated=False))

    async def _opened(self, body: bytes) -> web.StreamResponse:
        """Open a sealed body, or see that a plain one is allowed."""
        content_type = self._request.headers.get(hdrs.CONTENT_TYPE, "")
        if is_sealed(content_type):
            try:
                self._sealed = open_message(body, self._authenticator.context)
            except UnsealError:
                return plain(400)
            body, self._charset = self._sealed.data, self._sealed.charset
        elif not body:
            return plain(200)
        elif not (self._endpoint.gate.tls or self._endpoint.settings.allow_unencrypted):
            return plain(self._endpoint.settings.unencrypted_status)
        else:
            if not content_type.lower().startswith((SOAP_TYPE, "text/xml")):
                return plain(415)
            self._charset = self._request.charset or "UTF-8"
        return await self._operation(body)

    async def _operation(self, body: bytes) -> web.StreamResponse:
        endpoint = self._endpoint
        if len(body) > endpoint.settings.max_envelope_kb * 1024:
            return plain(413, close=True)
        try:
            call = endpoint.service.read(body, self._charset)
        except NotSoapError:
            return plain(400)
        if isinstance(call, Reply):
            return self._soap(call)
        endpoint.counters.call(call.operation)
        with endpoint.counters.operation() as under_way:
            settings, is_wmi = endpoint.settings, call.operation != "Identify"
            if under_way > settings.max_concurrent_operations_per_user:
                return self._fault(soap_faults.quota(), call)
            if is_wmi and under_way > settings.plugin_operations_per_user:
                return self._fault(soap_faults.plugin_quota(), call)
            return await self._carried_out(call)

    async def _carried_out(self, call: Call) -> web.StreamResponse:
        endpoint = self._endpoint
        limit_s = min(call.request.timeout_s, endpoint.settings.max_timeout_ms / 1000)
        try:
            async with asyncio.timeout(limit_s):
                struck = await self._strike(When.REQUEST, call.operation)
                if struck is not None:
                    return struck
                await self._wait(self._late_s)
        except TimeoutError:
            self._late_s = 0.0
            return self._fault(soap_faults.timed_out(), call)
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
                return typed(200, GARBAGE, f"{SOAP_TYPE};charset=UTF-8")
            case "html":
                page = PAGE.encode("latin-1")
                return typed(int(armed.number("status")), page, "text/html; charset=ISO-8859-1")
            case "hang":
                await self._endpoint.faults.hang((self._state.closed, self._stopping))
        self._close()
        raise ClosedError

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
        raise ClosedError

    def _close(self) -> None:
        if self._request.transport is not None:
            self._request.transport.close()

    def _soap(self, reply: Reply) -> web.Response:
        """An envelope as it goes out: in the request's encoding, sealed as the request was."""
        utf16 = self._charset.lower().startswith("utf-16")
        charset = "UTF-16" if utf16 else "UTF-8"
        data = b"\xff\xfe" + reply.body.encode("utf-16-le") if utf16 else reply.body.encode()
        if self._sealed is None:
            return typed(reply.status, data, f"{SOAP_TYPE};charset={charset}")
        content_type, body = seal_message(data, charset, self._sealed.context)
        return typed(reply.status, body, content_type)


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
