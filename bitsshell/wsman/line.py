"""The one TCP connection of a wire: opened within a time, ended from another thread.

urllib3 would open a new connection whenever the old one turns out dead. Where the connection itself
is signed in and the message is sealed for it, that sends a message that the host cannot open; a
`Line` that is `sealed` refuses instead, which proves that nothing was sent.
"""

from __future__ import annotations

import errno
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from bitsshell.wsman.errors import ConnectFailed, ConnectionStale

if TYPE_CHECKING:
    from collections.abc import Iterable


class Line:
    """State that a wire and its urllib3 connection share.

    `connected` is True while TCP is up, `ready` while messages can go, which TLS may delay.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.connected = False
        self.ready = False
        self.sealed = False
        self.aborted = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def open(
        self, host: str, port: int, timeout_s: float | None, options: Iterable[tuple[Any, ...]]
    ) -> socket.socket:
        """A connected socket. `timeout_s` bounds all of the host's addresses together.

        Raises `ConnectionStale` on a sealed or aborted line, else `ConnectFailed`.
        """
        if self.sealed or self.aborted:
            raise ConnectionStale()
        self.connected = self.ready = False
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        failure: OSError | None = None
        addresses = self._addresses(host, port)
        for tried, (family, kind, protocol, _, address) in enumerate(addresses):
            share = None
            if deadline is not None:
                # A fair share each, so that one dead address does not use up the time of all.
                share = max(deadline - time.monotonic(), 0.01) / (len(addresses) - tried)
            try:
                return self._connected(
                    socket.socket(family, kind, protocol), address, share, options
                )
            except OSError as error:
                failure = error
        raise self._failed(failure, timeout_s) from failure

    @property
    def kept(self) -> socket.socket | None:
        """The socket of a connection that is up; None before that and after `abort`."""
        with self._lock:
            return self._socket if self.ready and not self.aborted else None

    def carry(self, connected: socket.socket) -> None:
        """The connection is up, TLS included, on this socket."""
        self._remember(connected)
        self.ready = True

    def abort(self) -> None:
        """End what the connection is doing, from any thread. It is not usable afterwards."""
        with self._lock:
            self.aborted = True
            current = self._socket
        if current is None:
            return
        try:
            # The plain socket's shutdown: TLS's own would first talk to the host.
            socket.socket.shutdown(current, socket.SHUT_RDWR)
            if sys.platform == "win32":
                # There only closing wakes a thread that waits for bytes.
                socket.close(current.detach())
        except OSError:
            pass  # it had ended by itself

    def _addresses(self, host: str, port: int) -> list[Any]:
        try:
            return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            detail = getattr(error, "strerror", None) or "no valid name"
            raise ConnectFailed("name", address=self.address, detail=detail) from error

    def _connected(
        self,
        opened: socket.socket,
        address: Any,
        timeout_s: float | None,
        options: Iterable[tuple[Any, ...]],
    ) -> socket.socket:
        try:
            for option in options:
                opened.setsockopt(*option)
            opened.settimeout(timeout_s)
            self._remember(opened)
            opened.connect(address)
        except OSError:
            opened.close()
            raise
        self.connected = True
        return opened

    def _remember(self, opened: socket.socket) -> None:
        with self._lock:
            if self.aborted:
                raise ConnectionAbortedError(errno.ECONNABORTED, "stopped")
            self._socket = opened

    def _failed(self, error: OSError | None, timeout_s: float | None) -> ConnectFailed:
        kind = kind_of(error)
        detail = "" if kind in ("refused", "timeout") else getattr(error, "strerror", None) or ""
        return ConnectFailed(kind, address=self.address, detail=detail, timeout_s=timeout_s)


_UNREACHABLE = frozenset(
    number
    for name in ("EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN", "EADDRNOTAVAIL")
    if (number := getattr(errno, name, None)) is not None
) | {10049, 10050, 10051, 10064, 10065}  # the same from Windows sockets


def kind_of(error: BaseException | None) -> str:
    """The `ConnectFailed.kind` of a socket error."""
    if isinstance(error, TimeoutError) or getattr(error, "errno", None) == errno.ETIMEDOUT:
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionError):
        return "reset"
    return "unreachable" if getattr(error, "errno", None) in _UNREACHABLE else "other"
