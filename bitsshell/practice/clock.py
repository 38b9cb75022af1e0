"""Time as the practice fleet sees it: monotonic, scalable, and drivable by a test.

BITS' timers are monotonic (statement 79: moving the system clock changes nothing), so the engine
asks only this clock for deadlines and the wall only for the times that it reports.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

FILETIME_EPOCH_S = 11_644_473_600
"""Seconds between 1601-01-01 and 1970-01-01, both UTC."""


class Timer(Protocol):
    """A call that is due later and may be given up."""

    def cancel(self) -> None:
        """Give it up; harmless when it already ran."""


class Clock(Protocol):
    """Where the engine gets its time from."""

    def now_s(self) -> float:
        """Monotonic seconds."""

    def wall_s(self) -> float:
        """Seconds since 1970-01-01 UTC, for the times that jobs report."""

    def call_at(self, when_s: float, callback: Callable[[], None]) -> Timer:
        """Run `callback` on the running loop once `now_s()` has reached `when_s`."""


def filetime(clock: Clock) -> int:
    """The clock's wall time in 100 ns since 1601-01-01 UTC (statement 11)."""
    return int((clock.wall_s() + FILETIME_EPOCH_S) * 10_000_000)


async def pause(clock: Clock, duration_s: float) -> None:
    """Wait on that clock."""
    done = asyncio.get_running_loop().create_future()

    def finish() -> None:
        if not done.done():
            done.set_result(None)

    timer = clock.call_at(clock.now_s() + duration_s, finish)
    try:
        await done
    finally:
        timer.cancel()


class ScaledClock:
    """Real time, optionally faster: `scale` 60 lets an hour pass in a minute."""

    def __init__(
        self,
        scale: float = 1.0,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        if not scale > 0:
            raise ValueError(f"time scale must be above zero, not {scale}")
        self._scale = scale
        self._monotonic_s = monotonic_s
        self._wall_s = wall_s
        self._start_s = monotonic_s()
        self._skew_s = 0.0

    def now_s(self) -> float:
        """Scaled monotonic seconds since the clock was made."""
        return (self._monotonic_s() - self._start_s) * self._scale

    def wall_s(self) -> float:
        """The system's wall time, moved by the skew."""
        return self._wall_s() + self._skew_s

    def skew(self, by_s: float) -> None:
        """Move the wall time; no timer feels it."""
        self._skew_s += by_s

    def of_host(self) -> ScaledClock:
        """A clock of the same pace, whose skew is nobody else's."""
        return ScaledClock(self._scale, monotonic_s=self._monotonic_s, wall_s=self._wall_s)

    def call_at(self, when_s: float, callback: Callable[[], None]) -> Timer:
        """Run `callback` on the running loop at that scaled time."""
        delay_s = max(0.0, when_s - self.now_s()) / self._scale
        return asyncio.get_running_loop().call_later(delay_s, callback)


class _ManualTimer:
    """One due call of a manual clock."""

    __slots__ = ("callback", "cancelled", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self.loop = loop
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def run(self) -> None:
        if not self.cancelled:
            self.cancelled = True
            self.callback()


class ManualClock:
    """A clock that stands still until a test moves it. May be moved from any thread."""

    def __init__(self, *, wall_s: float = 1_700_000_000.0) -> None:
        self._lock = threading.Lock()
        self._now_s = 0.0
        self._wall_start_s = wall_s
        self._order = itertools.count()
        self._due: list[tuple[float, int, _ManualTimer]] = []

    def now_s(self) -> float:
        """Seconds that the test has let pass."""
        with self._lock:
            return self._now_s

    def wall_s(self) -> float:
        """The start's wall time plus what has passed."""
        return self._wall_start_s + self.now_s()

    def call_at(self, when_s: float, callback: Callable[[], None]) -> Timer:
        """Run `callback` on the running loop once the test has moved the clock that far."""
        timer = _ManualTimer(asyncio.get_running_loop(), callback)
        with self._lock:
            if when_s > self._now_s:
                heapq.heappush(self._due, (when_s, next(self._order), timer))
                return timer
        timer.loop.call_soon(timer.run)
        return timer

    def advance(self, by_s: float) -> None:
        """Let time pass; what becomes due runs on its own loop, in order."""
        with self._lock:
            self._now_s += by_s
            due = []
            while self._due and self._due[0][0] <= self._now_s:
                due.append(heapq.heappop(self._due)[2])
        for timer in due:
            if not timer.loop.is_closed():
                timer.loop.call_soon_threadsafe(timer.run)
