"""requests and urllib3 as this package needs them; imported when a wire first opens.

One connection a wire, opened by its `Line`; a pinned certificate if there is one; nothing from the
environment; redirects not followed; one exception of ours for each of theirs.
"""

from __future__ import annotations

import http.client
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from bitsshell.wsman.errors import (
    AnswerLost,
    AnswerTimeout,
    CertificateRejected,
    ConnectFailed,
    MalformedAnswer,
    RequestRefused,
)
from bitsshell.wsman.line import Line, kind_of
from bitsshell.wsman.texts import clean

if TYPE_CHECKING:
    from collections.abc import Iterator


class _PlainConnection(HTTPConnection):
    line: Line

    def _new_conn(self) -> Any:
        return _opened(self)

    def connect(self) -> None:
        super().connect()
        self.line.carry(self.sock)


class _TlsConnection(HTTPSConnection):
    line: Line

    def _new_conn(self) -> Any:
        return _opened(self)

    def connect(self) -> None:
        super().connect()
        self.line.carry(self.sock)


def _opened(connection: _PlainConnection | _TlsConnection) -> Any:
    timeout_s = connection.timeout if isinstance(connection.timeout, int | float) else None
    port = connection.port or connection.default_port
    # `host` has lost the final dot that tells the resolver not to search; `_dns_host` keeps it.
    host = getattr(connection, "_dns_host", connection.host)
    return connection.line.open(host.strip("[]"), port, timeout_s, connection.socket_options or ())


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection

    def __init__(self, line: Line, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.line = line

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        connection.line = self.line
        return connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection

    def __init__(self, line: Line, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.line = line

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        connection.line = self.line
        return connection


class LineAdapter(HTTPAdapter):
    """What carries a session's requests: one connection, opened by a `Line`."""

    def __init__(self, line: Line, fingerprint: str | None) -> None:
        self._line = line
        self._fingerprint = fingerprint
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        """As the base does it, with our connections and the pinned certificate."""
        if self._fingerprint is not None:
            pool_kwargs["assert_fingerprint"] = self._fingerprint
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self._use_line(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """As the base does it, with our connections, to the proxy, too."""
        if self._fingerprint is not None:
            proxy_kwargs["assert_fingerprint"] = self._fingerprint
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        if not proxy.lower().startswith("socks"):
            self._use_line(manager)
        return manager

    def _use_line(self, manager: PoolManager) -> None:
        pools: dict[str, Any] = {
            "http": partial(_PlainPool, self._line),
            "https": partial(_TlsPool, self._line),
        }
        manager.pool_classes_by_scheme = pools


def connect_failure(
    error: Exception, line: Line, *, connect_s: float, read_s: float
) -> ConnectFailed | RequestRefused:
    """The error before anything of a message was sent, sign-in included."""
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return RequestRefused("endpoint", f"is no usable URL ({clean(str(error), 120)})")
    causes = tuple(causes_of(error))
    for failure_of in (_certificate_failure, _tls_failure, _line_failure):
        for cause in causes:
            failure = failure_of(cause, line, connect_s, read_s)
            if failure is not None:
                return failure
    return ConnectFailed("reset" if line.ready else "other", address=line.address)


_OTHER_NAME = (
    "use the name that the certificate is made for, or pin it with --tls-fingerprint SHA256"
)
_CERTIFICATE_HINTS = {
    # X509_V_ERR_CERT_HAS_EXPIRED, _HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH
    10: "renew the certificate there, or pin it with --tls-fingerprint SHA256",
    62: _OTHER_NAME,
    64: _OTHER_NAME,
}
_OTHER_CERTIFICATE = "pin the new certificate if the host has one; else ask who answers there"


def _certificate_failure(
    cause: BaseException, line: Line, _connect_s: float, _read_s: float
) -> ConnectFailed | None:
    if isinstance(cause, ssl.SSLCertVerificationError):
        hint = _CERTIFICATE_HINTS.get(cause.verify_code)
        return CertificateRejected(address=line.address, detail=cause.verify_message, hint=hint)
    if isinstance(cause, urllib3.exceptions.SSLError) and "ingerprint" in str(cause):
        detail = f"not the pinned one ({clean(str(cause), 240)})"
        return CertificateRejected(address=line.address, detail=detail, hint=_OTHER_CERTIFICATE)
    return None


def _tls_failure(
    cause: BaseException, line: Line, _connect_s: float, _read_s: float
) -> ConnectFailed | None:
    if line.connected and not line.ready and isinstance(cause, TimeoutError):
        detail = "no answer to the handshake"
    elif isinstance(cause, ssl.SSLError):
        detail = cause.reason or clean(str(cause), 120)
    else:
        return None
    return ConnectFailed("tls", address=line.address, detail=detail)


def _line_failure(
    cause: BaseException, line: Line, connect_s: float, read_s: float
) -> ConnectFailed | None:
    address = line.address
    if isinstance(cause, urllib3.exceptions.ProxyError):
        return ConnectFailed("proxy", address=address, detail=clean(str(cause), 120))
    if isinstance(cause, TimeoutError | urllib3.exceptions.ReadTimeoutError):
        if line.ready:
            return ConnectFailed("silent", address=address, timeout_s=read_s)
        return ConnectFailed("timeout", address=address, timeout_s=connect_s)
    if _is_no_http(cause):
        return ConnectFailed("no-http", address=address)
    if isinstance(cause, ConnectionError):
        return ConnectFailed(kind_of(cause), address=address, detail=cause.strerror or "")
    return None


EXCHANGE_ERRORS = (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError)
"""What an exchange that goes without requests may raise."""


def answer_failure(
    error: Exception, *, read_s: float
) -> AnswerLost | AnswerTimeout | MalformedAnswer:
    """The error after a message was sent, or part of it."""
    for cause in causes_of(error):
        if isinstance(cause, TimeoutError | urllib3.exceptions.ReadTimeoutError):
            return AnswerTimeout(read_s)
        if isinstance(cause, http.client.IncompleteRead | http.client.RemoteDisconnected):
            return AnswerLost()
        if _is_no_http(cause):
            return MalformedAnswer(f"it is no HTTP ({clean(str(cause), 80)})")
        if isinstance(cause, ConnectionError):
            return AnswerLost(cause.strerror or "")
    undecodable = requests.exceptions.ContentDecodingError | urllib3.exceptions.DecodeError
    if isinstance(error, undecodable):
        return MalformedAnswer("it is compressed in a way that cannot be read")
    return AnswerLost()


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it was made of: causes, urllib3's `reason`, and arguments."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        found = waiting.pop()
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        # Innermost first: what happened stands deepest.
        waiting += [found.__context__, found.__cause__, getattr(found, "reason", None), *found.args]
        yield found


def _is_no_http(error: BaseException) -> bool:
    return isinstance(error, http.client.HTTPException) and not isinstance(
        error, http.client.RemoteDisconnected | http.client.IncompleteRead
    )
