"""One line that says which hosts a command is waiting for, and goes away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.render.paint import DIM, painted
from bitsshell.render.printer import Printer, columns_of
from bitsshell.render.text import clip, folded_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import TextIO

AFTER_S = 1.5
"""So long a command has to take before it is said; most are done before."""
_CLEAR_TO_END = "\x1b[K"


class WaitingWords:
    """Says it in words, from time to time, as a fan-out calls it.

    Args:
        monotonic: the time, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._since: float | None = None

    def __call__(self, hosts: Collection[str] | None) -> str:
        """These hosts are at work; none of them while answers are shown, None at the end."""
        if not hosts:
            self._since = self._since if hosts is not None else None
            return ""
        now = self._monotonic()
        self._since = now if self._since is None else self._since
        waited_s = now - self._since
        if waited_s < AFTER_S:
            return ""
        return f"waiting for {folded_names(sorted(hosts))}, {waited_s:.0f} s so far; Ctrl-C ends it"


class WaitingLine:
    """Shows it on a terminal, from time to time, as a fan-out calls it.

    Args:
        stream: the terminal; the cursor is at the beginning of a line.
        monotonic: the time, in seconds.
        colour: whether it may be dim.
    """

    def __init__(
        self, stream: TextIO, monotonic: Callable[[], float], *, colour: bool = False
    ) -> None:
        self._stream = stream
        self._printer = Printer(stream)
        self._words = WaitingWords(monotonic)
        self._colour = colour
        self._shown = ""

    def __call__(self, hosts: Collection[str] | None) -> None:
        """These hosts are at work; none of them while answers are shown, None at the end."""
        self._write(self._words(hosts))

    def _write(self, text: str) -> None:
        if text == self._shown:
            return
        self._shown = text
        # A line as wide as the terminal would wrap, and be two.
        fitting = clip(self._printer.fitting(text), (columns_of(self._stream) or 80) - 1)
        painted_text = painted(fitting, DIM, colour=self._colour) if text else ""
        self._printer.raw(f"\r{painted_text}{_CLEAR_TO_END}")
