"""Files that others read at any moment: written whole or not at all, under another name first."""

from __future__ import annotations

import os
import secrets
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Got = TypeVar("Got")

PATIENCE_S = 2.0
"""So long a file may be held by another process, which on Windows keeps it from being replaced."""
_PAUSE_S = 0.05


def write_whole(path: Path, text: str, *, mode: int = 0o600, is_synced: bool = False) -> None:
    """Put a file in the place of what was there, in one piece. Raises OSError.

    Args:
        path: of the file; its folder is there.
        text: is kept in UTF-8; half of a surrogate pair as its escape.
        mode: of the new file, less what the umask takes away.
        is_synced: whether it is on the disk before the old one goes.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(
            descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n"
        ) as file:
            file.write(text)
            if is_synced:
                file.flush()
                os.fsync(file.fileno())
        patiently(lambda: new.replace(path))
    except BaseException:  # Ctrl-C, too: nothing of it is left
        with suppress(OSError):
            new.unlink()
        raise


def patiently(
    action: Callable[[], Got],
    *,
    is_windows: bool = sys.platform == "win32",
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], object] = time.sleep,
) -> Got:
    """Do something with a file. Windows refuses it while another process has the file open.

    An indexer, a virus scanner or a viewer lets go of it soon: it is tried for `PATIENCE_S`.
    Raises what the action raises.
    """
    end_s = clock() + PATIENCE_S
    while True:
        try:
            return action()
        except PermissionError:
            if not is_windows or clock() >= end_s:
                raise
        pause(_PAUSE_S)
