"""Failures on demand: what a practice host can be told to do wrong, while it runs.

Armed by name, for all operations or one, for ever or a number of times. Thread-safe.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

_MAX_NUMBER = 1 << 40


class When(Enum):
    """At which point of a request a fault strikes."""

    REQUEST = "request"
    """Instead of an answer, before the operation takes effect. Without `operation` it strikes
    every HTTP request, those of a handshake too."""
    LOGON = "logon"
    """When credentials are checked."""
    OPERATION = "operation"
    """As the answer of the provider, before the operation takes effect."""
    ANSWER = "answer"
    """After the operation took effect."""
    HOST = "host"
    """A condition of the machine, for as long as it is armed."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One named failure."""

    name: str
    summary: str
    when: When
    arguments: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """Names and defaults of what may be said beside the name."""
    operation: str | None = None
    """The only operation that it is for, unless another is named."""


def _kind(
    name: str, when: When, summary: str, *, operation: str | None = None, **arguments: object
) -> FaultKind:
    return FaultKind(name, summary, when, MappingProxyType(arguments), operation)


KINDS: Mapping[str, FaultKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            _kind(
                "provider-missing",
                When.OPERATION,
                "The namespace of the BITS provider is not there: its feature is not installed.",
                code=2150858752,
            ),
            _kind(
                "enumerate-failed",
                When.OPERATION,
                "Enumeration fails with WBEM_E_FAILED: the owner of one job no longer exists.",
                operation="Enumerate",
            ),
            _kind(
                "access-denied",
                When.OPERATION,
                "The caller is no administrator: fault with code 5.",
            ),
            _kind(
                "quota",
                When.OPERATION,
                "Too many operations of this user at once: 2150859174.",
            ),
            _kind(
                "timed-out",
                When.OPERATION,
                "The operation did not end within OperationTimeout: 2150858793.",
            ),
            _kind(
                "fault",
                When.OPERATION,
                "Any fault, by its code, in the provider's shape.",
                code=2147942402,
            ),
            _kind("garbage", When.REQUEST, "Status 200 with bytes that are no XML."),
            _kind(
                "html",
                When.REQUEST,
                "An HTML page in Latin-1 from something in between.",
                status=503,
            ),
            _kind(
                "half-answer",
                When.ANSWER,
                "The operation takes effect; the answer breaks off in its middle.",
            ),
            _kind(
                "no-answer",
                When.REQUEST,
                "The connection is closed before the operation took effect.",
            ),
            _kind(
                "lost-answer",
                When.ANSWER,
                "The operation takes effect; the connection is closed without an answer.",
            ),
            _kind(
                "hang",
                When.REQUEST,
                "No answer, and the connection stays open; of one operation only until its "
                "OperationTimeout.",
            ),
            _kind(
                "slow",
                When.REQUEST,
                "The answer comes late, by real seconds.",
                seconds=1.0,
            ),
            _kind(
                "expired-password",
                When.LOGON,
                "401 to the right credentials: the account's password has expired.",
            ),
            _kind(
                "network-down",
                When.HOST,
                "The host has no network: its jobs wait with 0x80200010 until it is back.",
                code=0x8020_0010,
            ),
            _kind(
                "disk-full",
                When.HOST,
                "Nothing more can be written: transfers end in ERROR with 0x80070070.",
            ),
            _kind(
                "locked-file",
                When.HOST,
                "Another process holds the destination: complete fails with 0x80070020.",
                path="",
            ),
            _kind(
                "read-only-folder",
                When.HOST,
                "The job's owner may not write to a folder: AddFile answers 0x80070005.",
                path=r"C:\in",
            ),
            _kind(
                "clock-skew",
                When.HOST,
                "The host's wall clock is wrong by that many seconds; timers do not feel it.",
                seconds=3600.0,
            ),
        )
    }
)


@dataclass(slots=True)
class ArmedFault:
    """A fault that waits for its operation."""

    kind: FaultKind
    operation: str | None
    times_left: int | None
    arguments: Mapping[str, object]

    def fits(self, operation: str | None) -> bool:
        """Whether it is for that operation; None is a request that was not read."""
        wanted = self.operation
        return wanted is None or (operation is not None and wanted.lower() == operation.lower())

    def number(self, name: str) -> float:
        """A numeric argument."""
        value = self.arguments[name]
        return float(value) if isinstance(value, int | float | str) else 0.0


def _check_argument(kind: FaultKind, name: str, value: object) -> None:
    """Where the default is a number, a number that one can wait or answer with is wanted."""
    if isinstance(kind.arguments[name], str):
        fits = isinstance(value, str)
    else:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = is_number and abs(float(str(value))) < _MAX_NUMBER
    if not fits:
        raise ValueError(f"{kind.name} cannot take {value!r} for {name}")


Listener = Callable[[ArmedFault, bool], None]
"""Told that a condition of the host began (True) or ended, on the thread that said so."""


class HostFaults:
    """The faults of one host."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[ArmedFault] = []
        self._listeners: list[Listener] = []
        self._hanging: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def arm(
        self,
        name: str,
        *,
        times: int | None = None,
        operation: str | None = None,
        **arguments: object,
    ) -> None:
        """Let a failure happen from now on.

        Args:
            name: one of `KINDS`.
            times: how often; None is until it is disarmed.
            operation: only for `Get`, `Put`, `Enumerate`, `Pull`, `CreateJob`, ...; None for all.
            arguments: what the kind takes, such as `status=404` for `html`.

        Raises:
            ValueError: unknown name or argument, or a number of times below one.
        """
        kind = KINDS.get(name)
        if kind is None:
            raise ValueError(f"no fault is called {name!r}; there are {', '.join(sorted(KINDS))}")
        unknown = set(arguments) - set(kind.arguments)
        if unknown:
            raise ValueError(f"{name} takes no {', '.join(sorted(unknown))}")
        for argument, value in arguments.items():
            _check_argument(kind, argument, value)
        if times is not None and times < 1:
            raise ValueError(f"a fault happens at least once, not {times} times")
        armed = ArmedFault(
            kind, operation or kind.operation, times, {**kind.arguments, **arguments}
        )
        with self._lock:
            self._armed.append(armed)
        self._tell(armed, armed_now=True)

    def disarm(self, name: str | None = None) -> None:
        """End one failure, or all; what hangs is let go."""
        with self._lock:
            gone = [a for a in self._armed if name is None or a.kind.name == name]
            self._armed = [a for a in self._armed if a not in gone]
            hanging, self._hanging = self._hanging, []
        for loop, event in hanging:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)
        for armed in gone:
            self._tell(armed, armed_now=False)

    @property
    def armed(self) -> tuple[str, ...]:
        """Names of what is armed now."""
        with self._lock:
            return tuple(a.kind.name for a in self._armed)

    def take(self, when: When, operation: str | None, *, of_any: bool = True) -> ArmedFault | None:
        """The fault that strikes now, counted down.

        Without `of_any`, one that is for any operation does not: it has had its turn.
        """
        with self._lock:
            for armed in self._armed:
                if not of_any and armed.operation is None:
                    continue
                if armed.kind.when is when and armed.fits(operation):
                    if armed.times_left is not None:
                        armed.times_left -= 1
                        if armed.times_left == 0:
                            self._armed.remove(armed)
                    return armed
        return None

    async def hang(self, until: Iterable[asyncio.Event]) -> None:
        """Wait until the faults are disarmed or one of the events is set."""
        released = asyncio.Event()
        with self._lock:
            self._hanging.append((asyncio.get_running_loop(), released))
        waits = [asyncio.ensure_future(event.wait()) for event in (released, *until)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def listen(self, listener: Listener) -> None:
        """Be told when a condition of the host is armed or disarmed."""
        self._listeners.append(listener)

    def _tell(self, armed: ArmedFault, *, armed_now: bool) -> None:
        if armed.kind.when is When.HOST:
            for listener in self._listeners:
                listener(armed, armed_now)
