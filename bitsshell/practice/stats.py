"""What a practice host counted."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class HostStats:
    """Counts since the host started, as they stood when they were asked for."""

    connections: int
    """TCP connections that brought at least one request."""
    logons: int
    """Successful logons: one a connection, unless a client logs on anew on it."""
    requests: int
    """HTTP requests, those of handshakes and refused ones included."""
    calls: Mapping[str, int]
    """Operations by name, counted before they take effect; `Get`, `Enumerate`, `CreateJob`, ..."""


class Counters:
    """Counts from the event loop, read from anywhere."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections = 0
        self._logons = 0
        self._requests = 0
        self._calls: Counter[str] = Counter()
        self._under_way = 0

    def connection(self) -> None:
        """A connection brought its first request."""
        with self._lock:
            self._connections += 1

    def logon(self) -> None:
        """Somebody logged on."""
        with self._lock:
            self._logons += 1

    def request(self) -> None:
        """An HTTP request came."""
        with self._lock:
            self._requests += 1

    def call(self, operation: str) -> None:
        """An operation was read."""
        with self._lock:
            self._calls[operation] += 1

    @contextmanager
    def operation(self) -> Iterator[int]:
        """An operation is under way; how many there are now, this one included."""
        with self._lock:
            self._under_way += 1
            under_way = self._under_way
        try:
            yield under_way
        finally:
            with self._lock:
                self._under_way -= 1

    def snapshot(self) -> HostStats:
        """The counts now."""
        with self._lock:
            calls = MappingProxyType(dict(self._calls))
            return HostStats(self._connections, self._logons, self._requests, calls)
