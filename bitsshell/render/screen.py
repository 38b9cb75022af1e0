"""A block of lines that is redrawn in place at the end of a terminal's scrollback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"
_CLEAR_LINE = "\x1b[2K"
_CLEAR_BELOW = "\x1b[J"


class InPlace:
    """Makes the text that replaces one block of lines by the next. It writes nothing itself.

    The cursor rests on the line under the block. Lines must be narrower than the terminal. Wrapping
    is off while a block is drawn, because terminals disagree on the width of some characters and a
    line that wraps would put every later redraw one line too low.
    """

    def __init__(self) -> None:
        self._height = 0
        self._width = 0

    def draw(self, lines: Sequence[str], width: int) -> str:
        """Replace the block, on a terminal of that width now.

        A terminal that became narrower may have wrapped the old lines, or not, and says neither:
        the new block then starts below the old one, so that nothing above is overwritten.
        """
        back = self._back() if width >= self._width else ""
        self._height, self._width = len(lines), width
        body = "".join(f"\r{_CLEAR_LINE}{line}\n" for line in lines)
        return f"{back}{_NO_WRAP}{body}\r{_CLEAR_BELOW}{_WRAP}"

    def erase(self) -> str:
        """Take the block away, so that other lines can be written where it stood."""
        text = f"{self._back()}\r{_CLEAR_BELOW}" if self._height else ""
        self.release()
        return text

    def release(self) -> None:
        """Leave the block where it is for good; the next one starts below it."""
        self._height = self._width = 0

    def _back(self) -> str:
        return f"\x1b[{self._height}A" if self._height else ""
