"""Where the data of a line goes instead of the screen: a command, a file, a pager."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from bitsshell.commands.redirect import Into, Redirect
from bitsshell.errors import BitsShellError, UsageError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Outlet(io.TextIOBase):
    """A text stream into a file or a command, made when it is opened and used when written to.

    A reader that ends early (`| head`), or a full disk, takes nothing from a change that is under
    way: what is written after that is dropped. `is_gone` says so, and `problem` why, if it is one.
    """

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__()
        self.is_gone = False
        self.problem: str | None = None

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Write, until nobody reads any more."""
        if not self.is_gone:
            try:
                self.put(text)
            except BrokenPipeError:
                self.is_gone = True
            except OSError as error:  # a full disk
                self.is_gone, self.problem = True, error.strerror
        return len(text)

    def put(self, text: str) -> None:
        """Write for this kind of outlet."""
        raise NotImplementedError

    def finish(self, *, is_well: bool) -> None:
        """Write what is left, and wait for the command. `is_well`: the line was understood."""
        raise NotImplementedError


class NotWritten(BitsShellError):
    """What came could not be written to its end. What was to be done was done all the same."""

    default_hint = "what had been written before stays there"


class FileOutlet(Outlet):
    """A file. It loses its old text with the first new one, not because a command failed."""

    def __init__(self, path: Path, *, appends: bool) -> None:
        """Raises UsageError where it cannot be written."""
        super().__init__()
        self.path = path
        self._is_kept = appends
        try:
            self._file = path.open("a", encoding="utf-8", errors="surrogateescape")
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise UsageError(f"{shown(str(path))} cannot be written: {why}") from error

    def put(self, text: str) -> None:
        """Append; the first text replaces the old one."""
        if not self._is_kept:
            self._is_kept = True
            self._file.truncate(0)
        self._file.write(text)
        self._file.flush()

    def finish(self, *, is_well: bool) -> None:
        """Close it; an answer without any text empties it too."""
        with suppress(OSError), self._file:
            if is_well and not self._is_kept:
                self._file.truncate(0)


class CommandOutlet(Outlet):
    """The standard input of a command line of the operating system's shell.

    It is started with the first text, so that a question comes before it. What it says goes to the
    terminal itself, or to `out` where that is no file.
    """

    def __init__(self, command: str, out: TextIO) -> None:
        super().__init__()
        self.command = command
        self._out = out
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def put(self, text: str) -> None:
        """Start the command if need be, and write to it."""
        stream = self._started().stdin
        if stream is not None:
            stream.write(text)
            stream.flush()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            inherits = _is_file(self._out)
            if inherits:
                self._out.flush()
            self._process = subprocess.Popen(  # noqa: S602 - a person typed it for the shell
                self.command,
                shell=True,
                stdin=subprocess.PIPE,
                stdout=self._out if inherits else subprocess.PIPE,
                encoding="utf-8",
                errors="surrogateescape",
            )
            if self._process.stdout is not None:
                self._reader = threading.Thread(
                    target=_copy, args=(self._process.stdout, self._out), daemon=True
                )
                self._reader.start()
        return self._process

    def finish(self, *, is_well: bool) -> None:
        """Close its input and wait until it ends; Ctrl-C ends it."""
        if self._process is None and not is_well:
            return
        process = self._started()  # it runs also where there was nothing to write
        with suppress(BrokenPipeError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait()
            if self._reader is not None:
                self._reader.join()
        except KeyboardInterrupt:
            process.kill()
            process.wait()
            raise


def _copy(source: IO[str], out: TextIO) -> None:
    with source:
        shutil.copyfileobj(source, out)


def _is_file(stream: TextIO) -> bool:
    try:
        stream.fileno()
    except (OSError, ValueError, AttributeError):
        return False
    return True


def open_outlet(redirect: Redirect, out: TextIO) -> Outlet:
    """The outlet for what a line says. Raises UsageError where a file cannot be written."""
    if redirect.into is Into.COMMAND:
        return CommandOutlet(redirect.name, out)
    return FileOutlet(Path(redirect.name).expanduser(), appends=redirect.into is Into.END_OF_FILE)


class Paged(io.TextIOBase):
    """A terminal whose taller texts go through a pager.

    A listing is written at once, so one write is one text; what comes in pieces is never paged.
    """

    encoding = "utf-8"  # else it is a property of the base class that cannot be set

    def __init__(self, out: TextIO, *, height: Callable[[], int], page: Callable[[str], bool]):
        """`page` shows a text and says whether it could."""
        super().__init__()
        self.out = out
        self._height = height
        self._page = page
        self.encoding = getattr(out, "encoding", None) or "utf-8"

    def writable(self) -> bool:
        """It is."""
        return True

    def isatty(self) -> bool:
        """As what is behind it."""
        return self.out.isatty()

    def fileno(self) -> int:
        """As what is behind it."""
        return self.out.fileno()

    def flush(self) -> None:
        """Flush what is behind it."""
        self.out.flush()

    def write(self, text: str) -> int:
        """Write, or show page by page."""
        is_drawing = "\x1b[?7l" in text  # a frame, which is cut to the screen
        if is_drawing or text.count("\n") < self._height() or not self._page(text):
            self.out.write(text)
        return len(text)


def page_with(environment: Mapping[str, str]) -> Callable[[str], bool]:
    """A pager: `$PAGER`, else `less -RX` where there is one; an empty `$PAGER` is none."""
    words = shlex.split(environment.get("PAGER", "less -RX"), posix=os.name == "posix")

    def page(text: str) -> bool:
        program = shutil.which(words[0]) if words else None
        if program is None:
            return False
        process = subprocess.Popen(  # noqa: S603 - the pager that the person chose
            [program, *words[1:]], stdin=subprocess.PIPE, encoding="utf-8", errors="replace"
        )
        with suppress(BrokenPipeError, KeyboardInterrupt):  # Ctrl-C is the pager's own affair
            if process.stdin is not None:
                process.stdin.write(text)
        with suppress(BrokenPipeError):
            if process.stdin is not None:
                process.stdin.close()
        while process.poll() is None:
            with suppress(KeyboardInterrupt):
                process.wait()
        return True

    return page
