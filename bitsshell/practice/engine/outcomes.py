"""What a failed transfer means: which code, in which context, and whether BITS tries again."""

from __future__ import annotations

import asyncio
import socket
import ssl

import aiohttp

from .codes import ErrorContext, Hr, http_status

_FATAL_3XX = frozenset({300, 301, 302, 303, 304, 305, 307})
_TRANSIENT_4XX = frozenset({408, 409})
_FATAL_5XX = frozenset({501, 505})
_CERTIFICATE_EXPIRED = 10
_CERTIFICATE_NOT_YET_VALID = 9
_NAME_MISMATCHES = frozenset({62, 64})
"""Of a host name and of an address."""


class TransferError(Exception):
    """A transfer that stopped. `fatal` leads to ERROR, otherwise to TRANSIENT_ERROR."""

    def __init__(self, code: int, context: ErrorContext, *, fatal: bool) -> None:
        super().__init__(f"0x{code:08X} in context {context.name}")
        self.code = code
        self.context = context
        self.fatal = fatal


class ConditionError(TransferError):
    """A failure that waits for its condition to end, not for a timer (38, 39, 82)."""

    def __init__(self, code: int, context: ErrorContext = ErrorContext.GENERAL_TRANSPORT) -> None:
        super().__init__(code, context, fatal=False)


class RemoteChangedError(Exception):
    """The remote file is no longer the one that was begun (102)."""


def status_is_fatal(status: int) -> bool:
    """Statement 106: which HTTP statuses end the job."""
    if 300 <= status < 400:
        return status in _FATAL_3XX
    if 400 <= status < 500:
        return status not in _TRANSIENT_4XX
    return status in _FATAL_5XX


def from_status(status: int) -> TransferError:
    """An answer with an error status (104, 106 to 109)."""
    return TransferError(
        http_status(status), ErrorContext.REMOTE_FILE, fatal=status_is_fatal(status)
    )


def missing_size() -> TransferError:
    """No length in the answer to HEAD (97)."""
    return TransferError(Hr.MISSING_FILE_SIZE, ErrorContext.REMOTE_FILE, fatal=True)


def no_ranges() -> TransferError:
    """The server ignored the range or left out Content-Range (98)."""
    return TransferError(Hr.INSUFFICIENT_RANGE_SUPPORT, ErrorContext.REMOTE_FILE, fatal=True)


def local_file(hresult: int) -> TransferError:
    """The destination cannot be written (65, 115)."""
    return TransferError(hresult, ErrorContext.LOCAL_FILE, fatal=True)


def _transient(code: int, context: ErrorContext = ErrorContext.REMOTE_FILE) -> TransferError:
    return TransferError(code, context, fatal=False)


def _certificate(error: BaseException) -> int:
    """The WinHTTP code for a certificate that was refused (113)."""
    number = getattr(error, "verify_code", None)
    if number in {_CERTIFICATE_EXPIRED, _CERTIFICATE_NOT_YET_VALID}:
        return Hr.CERT_DATE_INVALID
    if number in _NAME_MISMATCHES:
        return Hr.CERT_CN_INVALID
    return Hr.INVALID_CA


def from_exception(error: Exception) -> TransferError:
    """What a failure of the network means (110, 113)."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        code = _certificate(error.certificate_error)
        return TransferError(code, ErrorContext.REMOTE_FILE, fatal=True)
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return TransferError(Hr.SECURE_FAILURE, ErrorContext.REMOTE_FILE, fatal=True)
    if isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error, aiohttp.ClientConnectorDNSError) or isinstance(
            error.os_error, socket.gaierror
        ):
            return _transient(Hr.NAME_NOT_RESOLVED)
        return _transient(Hr.CANNOT_CONNECT)
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return _transient(Hr.TIMEOUT)
    if isinstance(error, aiohttp.TooManyRedirects):
        return _transient(Hr.REDIRECT_FAILED)
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return TransferError(Hr.INVALID_URL, ErrorContext.REMOTE_FILE, fatal=True)
    if isinstance(error, aiohttp.ClientResponseError):
        return _transient(Hr.INVALID_HTTP_RESPONSE)
    return _transient(Hr.CONNECTION_ERROR)


def is_connect_failure(error: Exception) -> bool:
    """Whether nothing was reached at all, which BITS tries again at once (80)."""
    return isinstance(error, aiohttp.ClientConnectorError | ConnectionRefusedError) and (
        not isinstance(error, aiohttp.ClientSSLError)
    )
