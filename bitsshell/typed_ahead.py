"""Keys that were pressed before a question stood there: they are no answer to it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Protocol


class Numbered(Protocol):
    """What the operating system knows by a number: a stream, an input of prompt_toolkit."""

    def fileno(self) -> int:
        """The number. Raises OSError, ValueError or NotImplementedError where there is none."""


def forget_typed_ahead(source: Numbered) -> bool:
    """Throw away what was typed on a terminal and not read yet; whether it is a terminal.

    Pipes and files keep what they hold: a script has its answers ready.
    """
    try:
        number = source.fileno()
    except (OSError, ValueError, NotImplementedError):
        return False
    if not os.isatty(number):
        return False
    if sys.platform == "win32":
        import msvcrt

        while msvcrt.kbhit():
            msvcrt.getwch()
    else:
        import termios

        with suppress(termios.error):  # it is gone just now, which whoever reads will notice
            termios.tcflush(number, termios.TCIFLUSH)
    return True
