"""Where what is this person's own to keep lies: the platform's folder for state."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def state_file(name: str) -> Path:
    """A file of this name there; it need not be there yet."""
    from platformdirs import user_state_path

    return user_state_path("bitsshell", appauthor=False) / name


def history_file() -> Path:
    """The lines that were entered in the shell."""
    return state_file("history")
