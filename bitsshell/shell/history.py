"""The lines that were entered, in a file for the user alone, shared by all shells of that user.

The form is prompt_toolkit's own. An entry is appended by one write, so that two shells at once
never mix their entries. Only the file's end is read, so that a long one costs no time.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prompt_toolkit.history import History

from bitsshell.concealed import may_hold_secret
from bitsshell.known_secrets import scrub

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

READ_BYTES = 256 * 1024
"""How much of the file's end is read: some thousands of lines."""


def is_kept(line: str) -> bool:
    """Whether a line may go into the history: not one that begins with a blank, and no secret.

    Neither one that looks like a secret nor one that this process knows.
    """
    if not line.strip() or line[0].isspace():
        return False
    return not may_hold_secret(line) and scrub(line) == line


class ShellHistory(History):
    """History in a file. A file that cannot be used is said once, in `problem`, and then left."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.problem: str | None = None
        self.is_new = False
        try:
            _make_folder(path.parent)
            self.is_new = not path.exists() or path.stat().st_size == 0
            os.close(_open(path))
        except OSError as error:
            self.problem = f"this shell keeps no history: {path}: {error.strerror}"

    def append_string(self, string: str) -> None:
        """Remember a line, unless it holds what may not be kept, here or in the file."""
        if is_kept(string):
            super().append_string(string)

    def load_history_strings(self) -> Iterable[str]:
        """What was entered before, the newest first."""
        if self.problem is not None:
            return []
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - READ_BYTES))
                text = file.read().decode("utf-8", errors="replace")
        except OSError:
            return []
        return reversed(_entries(text))

    def store_string(self, string: str) -> None:
        """Append a line to the file, in one write. A full disk takes no line from the user."""
        if self.problem is not None:
            return
        when = datetime.now(UTC).replace(tzinfo=None)
        body = "".join(f"+{line}\n" for line in string.split("\n"))
        with suppress(OSError):
            descriptor = _open(self.path)
            try:
                os.write(descriptor, f"\n# {when}\n{body}".encode(errors="replace"))
            finally:
                os.close(descriptor)


def _entries(text: str) -> list[str]:
    """The entries of (the end of) a file; one that is cut off at its beginning is left out."""
    _, _, whole = ("\n" + text).partition("\n# ")
    entries: list[str] = []
    for block in whole.split("\n# "):
        lines = [line[1:] for line in block.split("\n")[1:] if line.startswith("+")]
        if lines:
            entries.append("\n".join(lines))
    return entries


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        with suppress(PermissionError):
            folder.chmod(0o700)


def _open(path: Path) -> int:
    """Open for appending, readable and writable for the user alone also if it was there before."""
    binary = getattr(os, "O_BINARY", 0)  # else Windows makes two characters of a line break
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | binary, 0o600)
    if sys.platform != "win32" and stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
        with suppress(PermissionError):
            os.fchmod(descriptor, 0o600)
    return descriptor
