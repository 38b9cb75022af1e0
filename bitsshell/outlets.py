"""Where the data of a line goes instead of the screen: a command, a file, a pager."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import stat
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, TextIO

from bitsshell.commands.redirect import Into, Redirect
from bitsshell.errors import BitsShellError, UsageError, shown
from bitsshell.fleet.interrupts import raising
from bitsshell.local_files import local_path
from bitsshell.readers_gone import is_reader_gone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


_LONGEST_HEADER = 4096
"""No header is longer, in characters."""


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
        self.first_line = ""
        """What stands first in front of what is written, without its end."""

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Write, until nobody reads any more."""
        if not self.is_gone:
            try:
                self.put(text)
            except OSError as error:
                self.give_up(error)
        return len(text)

    def give_up(self, error: OSError) -> None:
        """Write no more. A reader that has quit is no problem, a full disk is one."""
        self.is_gone = True
        if not is_reader_gone(error):
            self.problem = self.problem or error.strerror or str(error)

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
            if appends and path.is_file():
                self.first_line = _first_line(path)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise UsageError(f"{shown(str(path))} cannot be written: {why}") from error

    def put(self, text: str) -> None:
        """Append; the first text replaces the old one."""
        self._empty()
        self._file.write(text)
        self._file.flush()

    def finish(self, *, is_well: bool) -> None:
        """Close it; an answer without any text empties it too."""
        try:
            with self._file:
                if is_well:
                    self._empty()
        except OSError as error:
            self.give_up(error)

    def _empty(self) -> None:
        """Take the old text away, once. A device or a named pipe has none."""
        if not self._is_kept:
            self._is_kept = True
            if stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
                self._file.truncate(0)


def _first_line(path: Path) -> str:
    """The first line of a file, empty where it cannot be read or is no table's header."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as opened:
            return opened.readline(_LONGEST_HEADER).rstrip("\n")
    except OSError:
        return ""


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
        try:
            with raising():
                self._close_input(process)
                process.wait()
                if self._reader is not None:
                    self._reader.join()
        except KeyboardInterrupt:
            process.kill()
            process.wait()
            raise

    def _close_input(self, process: subprocess.Popen[str]) -> None:
        try:
            if process.stdin is not None:
                process.stdin.close()
        except OSError as error:
            self.give_up(error)


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
    """The outlet for what a line says. Raises UsageError where a file cannot be written.

    A named pipe is open when somebody reads it; Ctrl-C ends the wait for that.
    """
    if redirect.into is Into.COMMAND:
        return CommandOutlet(redirect.name, out)
    with raising():
        return FileOutlet(local_path(redirect.name), appends=redirect.into is Into.END_OF_FILE)


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
    """A pager: `$PAGER`, else `less -RXK` where there is one; an empty `$PAGER` is none.

    K lets Ctrl-C leave it.
    """
    words = pager_words(environment.get("PAGER", "less -RXK"))

    def page(text: str) -> bool:
        program = shutil.which(words[0]) if words else None
        if program is None:
            return False
        try:
            process = subprocess.Popen(  # noqa: S603 - the pager that the person chose
                [program, *words[1:]], stdin=subprocess.PIPE, encoding="utf-8", errors="replace"
            )
        except OSError:  # no program after all
            return False
        with suppress(KeyboardInterrupt), _until_gone():  # Ctrl-C is the pager's own affair
            if process.stdin is not None:
                process.stdin.write(text)
        with _until_gone():
            if process.stdin is not None:
                process.stdin.close()
        while process.poll() is None:
            with suppress(KeyboardInterrupt):
                process.wait()
        return True

    return page


def pager_words(said: str, *, is_posix: bool = os.name == "posix") -> list[str]:
    """What `$PAGER` says as words; none where it cannot be cut, such as an open quote."""
    try:
        words = shlex.split(said, posix=is_posix)
    except ValueError:
        return []
    return words if is_posix else [word.strip('"') for word in words]


@contextmanager
def _until_gone() -> Iterator[None]:
    """Write as long as somebody reads."""
    try:
        yield
    except OSError as error:
        if not is_reader_gone(error):
            raise
