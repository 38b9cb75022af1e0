"""Who writes to a folder of evidence: one run at a time.

A file in the folder says whose run it is, and is locked while that lives; the system takes the lock
away with the process, so that a run that was killed holds nothing. Where a file system knows no
locks nothing is held.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bitsshell.errors import UsageError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HELD = ".running"
"""The name of the file."""
_LOCKED_BYTE = 1 << 30
"""Far behind what is written: Windows lets nobody read what is locked."""
_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}


class FolderInUse(UsageError):
    """Another run, which has not ended, writes to the folder. Nothing was started or moved."""


class Hold:
    """The folder is this run's, until `release`."""

    def __init__(self, file: Path, descriptor: int) -> None:
        self._file = file
        self._stream = os.fdopen(descriptor, "r+", encoding="utf-8")

    @classmethod
    def of(cls, folder: Path, about: Mapping[str, Any]) -> Hold:
        """Take a folder. `about` says to others whose it is: `notebook`, `machine`, `process`.

        Raises `FolderInUse`, and OSError where nothing can be written.
        """
        file = folder / HELD
        while True:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
            hold = cls(file, descriptor)
            if not _lock(descriptor):
                hold._stream.close()
                raise _in_use(folder, file)
            if _is_at(file, descriptor):
                break
            hold._stream.close()  # who had it took it away just now
        hold._stream.truncate(0)
        hold._stream.write(json.dumps(dict(about)))
        hold._stream.flush()
        return hold

    def release(self) -> None:
        """Let others take the folder. Safe to call twice."""
        if self._stream.closed:
            return
        if sys.platform == "win32":  # which removes no open file
            self._stream.close()
        with suppress(OSError):
            self._file.unlink()
        self._stream.close()


def _lock(descriptor: int) -> bool:
    """Lock a file; False where another one has done so."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _TAKEN
    return True


def _is_at(file: Path, descriptor: int) -> bool:
    """Whether an open file still stands under its name."""
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


def _in_use(folder: Path, file: Path) -> FolderInUse:
    whose = "another run"
    with suppress(OSError, ValueError, LookupError, TypeError):
        said = json.loads(file.read_text(encoding="utf-8"))
        whose = (
            f"the run of {shown(str(said['notebook']))} "
            f"(process {said['process']} on {shown(str(said['machine']))})"
        )
    return FolderInUse(
        f"{whose} has not ended, and keeps its evidence in {shown(str(folder))}; nothing was run",
        hint="name another folder: --evidence DIR; or wait until it has ended",
    )
