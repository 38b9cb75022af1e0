"""Whether this process has a terminal on which a prompt can be drawn."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def can_prompt(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether both standard streams are a terminal that moves its cursor."""
    is_terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    return is_terminal and environment.get("TERM") != "dumb"


def no_console() -> tuple[type[Exception], ...]:
    """What prompt_toolkit raises where there is a terminal in name only."""
    if sys.platform == "win32":
        from prompt_toolkit.output.win32 import NoConsoleScreenBufferError

        return (OSError, NoConsoleScreenBufferError)
    return (OSError,)
