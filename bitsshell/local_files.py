"""Paths of this machine as a person types them, and whether a file is there."""

from __future__ import annotations

import os
from pathlib import Path

from bitsshell.errors import UsageError, shown


def local_path(text: str) -> Path:
    """The path that was typed, `~` and `~name` replaced. Raises UsageError where it can be none."""
    if "\0" in text:
        raise UsageError(f"{shown(text)} is no path: it holds a NUL character")
    try:
        os.fsencode(text)
        return Path(text).expanduser()
    except UnicodeEncodeError as error:
        raise UsageError(f"{shown(text)} is no path of this system: {error.reason}") from error
    except RuntimeError as error:
        raise UsageError(
            f"{shown(text)}: nobody's home folder is known under that name",
            hint="write the path without ~",
        ) from error


def is_a_file(path: Path) -> bool:
    """Whether a file is there that may be looked at, whatever the path is."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long a name, a folder that is closed to this person, a NUL
        return False
