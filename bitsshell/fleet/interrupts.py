"""Ctrl-C while hosts are being worked on: heard at once, but never in the middle of a line.

A KeyboardInterrupt may strike between any two instructions, so an outcome could be lost between
the thread that made it and the screen. While a command runs, the first Ctrl-C is therefore only
noted; whoever waits looks at it every tenth of a second and winds up in order. The second one
raises as usual.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class Interrupts:
    """Notes Ctrl-C. One for a session; only the main thread can listen."""

    def __init__(self) -> None:
        self._is_set = False

    def __call__(self) -> bool:
        """Whether Ctrl-C was typed since `deferred` was entered."""
        return self._is_set

    def set(self) -> None:
        """Interrupt the command from elsewhere: a test, a button."""
        self._is_set = True

    def check(self) -> None:
        """Raise KeyboardInterrupt where one was noted."""
        if self._is_set:
            raise KeyboardInterrupt

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Note the first Ctrl-C instead of raising it."""
        if self._is_listening():  # inside another one, whose Ctrl-C must not be forgotten
            yield
            return
        self._is_set = False
        with _handled_by(self._note):
            yield

    @contextmanager
    def immediate(self) -> Iterator[None]:
        """Let Ctrl-C raise for a while, because a person is being asked something.

        Raises KeyboardInterrupt where one was noted before: who stopped is not asked.
        """
        if not self._is_listening():
            yield
            return
        self.check()
        with raising():
            yield

    def _is_listening(self) -> bool:
        """Whether this thread listens. The system is asked, for a flag of ours could be stale."""
        return (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) == self._note
        )

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if self._is_set:
            signal.default_int_handler(signum, frame)
        self._is_set = True


@contextmanager
def raising() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, while something other than hosts is waited for."""
    with _handled_by(signal.default_int_handler):
        yield


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Give Ctrl-C to this for a while. Only the main thread can; in another one nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        # None is a handler that Python did not set, and cannot set again.
        signal.signal(signal.SIGINT, before or signal.default_int_handler)
