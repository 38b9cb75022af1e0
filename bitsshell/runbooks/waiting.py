"""Waiting for a cell, and all that may end it: Ctrl-C, its time, the end of this process."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bitsshell.results import Running, StepStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from concurrent.futures import Future
    from typing import Any

    from bitsshell.fleet.interrupts import Interrupts
    from bitsshell.results import Event, StepRun
    from bitsshell.runbooks.kernel import Kernel

_TICK_S = 0.1
_SHOWN_EVERY_S = 1.0
_GRACE_S = 10.0
"""How long a cell may take to wind up when its time is over, before its kernel is killed."""
_TERMINATED_GRACE_S = 2.0
"""The same when this process was told to end."""
_STOPPING = {
    StepStatus.INTERRUPTED: "interrupting it; Ctrl-C again kills the kernel",
    StepStatus.TIMED_OUT: "its time is over; interrupting it",
}


class Waiting:
    """Waits for what a kernel does. The first Ctrl-C is noted by the session's `interrupts`.

    `now_s` is the clock by which time limits count, in seconds since any moment.
    """

    def __init__(self, interrupts: Interrupts, now_s: Callable[[], float]) -> None:
        self._interrupts = interrupts
        self._now_s = now_s
        self.is_terminated = False

    def wait(
        self, future: Future[Any], kernel: Kernel, blank: StepRun, deadline_s: float | None
    ) -> Generator[Event, None, StepStatus | None]:
        """Wait until something is done; why it was stopped, if it was.

        `deadline_s` is a moment of the clock. The first Ctrl-C and the end of the time
        interrupt the cell; the second Ctrl-C and the end of the grace kill its kernel.
        """
        began_s = shown_s = self._now_s()
        stopped: StepStatus | None = None
        stopped_s = 0.0
        while True:
            try:
                if wait([future], timeout=_TICK_S).done:
                    return stopped
                now_s = self._now_s()
                if stopped is None:
                    stopped, stopped_s = self._why(now_s, deadline_s), now_s
                    if stopped is not None:
                        kernel.interrupt()
                elif self._is_grace_over(stopped, now_s - stopped_s):
                    kernel.kill()
            except KeyboardInterrupt:
                stopped = stopped or StepStatus.INTERRUPTED
                kernel.kill()
                continue
            if now_s - shown_s >= _SHOWN_EVERY_S:
                shown_s = now_s
                note = "" if stopped is None else _STOPPING[stopped]
                yield Running(replace(blank, elapsed_s=now_s - began_s, note=note))

    def _why(self, now_s: float, deadline_s: float | None) -> StepStatus | None:
        if self.is_terminated or self._interrupts():
            return StepStatus.INTERRUPTED
        if deadline_s is not None and now_s >= deadline_s:
            return StepStatus.TIMED_OUT
        return None

    def _is_grace_over(self, stopped: StepStatus, since_s: float) -> bool:
        """Whether a cell had its time to wind up. Who pressed Ctrl-C says so by the next one."""
        if self.is_terminated:
            return since_s > _TERMINATED_GRACE_S
        return stopped is StepStatus.TIMED_OUT and since_s > _GRACE_S

    @contextmanager
    def terminable(self) -> Iterator[None]:
        """Wind up in order when this process is told to end, so that no kernel is left."""
        names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
        if threading.current_thread() is not threading.main_thread():
            names = []
        before = {name: signal.signal(getattr(signal, name), self._terminate) for name in names}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(getattr(signal, name), handler or signal.SIG_DFL)

    def _terminate(self, *_: object) -> None:
        self.is_terminated = True
        self._interrupts.set()
