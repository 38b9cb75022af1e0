"""Ctrl-C in the shell: it stops a command or clears a line, and never ends the shell.

While a command runs, `Interrupts` listens; while a line is read, the reader does. Between the two,
which is a moment, nobody must raise, or a KeyboardInterrupt would strike outside every `try`.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


def hold() -> None:
    """Let Ctrl-C do nothing from now on, until somebody else listens."""
    if _can_listen():
        signal.signal(signal.SIGINT, _nothing)


@contextmanager
def held() -> Iterator[None]:
    """`hold`, and what was before at the end."""
    before = signal.getsignal(signal.SIGINT)
    hold()
    try:
        yield
    finally:
        if _can_listen():
            signal.signal(signal.SIGINT, before)


def _can_listen() -> bool:
    return threading.current_thread() is threading.main_thread()


def _nothing(signum: int, frame: FrameType | None) -> None:
    del signum, frame
