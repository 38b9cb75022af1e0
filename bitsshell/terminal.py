"""One line, run on text streams: what the command line and the shell have in common."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from bitsshell.commands import Dispatcher, Interaction, tokenize
from bitsshell.errors import BitsShellError
from bitsshell.render import Renderer, make_renderer, question
from bitsshell.render.errors import error_lines
from bitsshell.render.printer import Printer, columns_of
from bitsshell.results import Event, Output, Plan, Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bitsshell.session import Session

DEFAULT_WIDTH = 4000
"""The width of what is written where there is no terminal: nothing that a job may hold is cut."""

_USUAL_SIZE = (100, 24)
"""Columns and lines of a terminal that does not tell."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a line ended: with a summary, or with an error before anything was sent."""

    summary: Summary | None = None
    error: BitsShellError | None = None


class Asking:
    """Asks yes or no by a function that reads a line; None where nobody can be asked."""

    def __init__(self, read_line: Callable[[str], str] | None) -> None:
        self.read_line = read_line

    def confirm(self, plan: Plan) -> bool | None:
        """Whether the person types y or yes; end of file is a no. Ctrl-C raises."""
        if self.read_line is None:
            return None
        try:
            typed = self.read_line(f"{question(plan)} [y/N] ")
        except EOFError:
            return False
        return typed.strip().lower() in {"y", "yes"}


class Terminal:
    """Runs lines for one session and writes what comes of them.

    Args:
        session: where they run.
        interaction: asks the person.
        out: data goes here.
        err: what is said about it goes here.
        output: the form when a line asks for none; None for a table, and for NDJSON where a watch
            can not be drawn in place.
        environment: `NO_COLOR` and `TERM` are looked up here.
    """

    def __init__(
        self,
        session: Session,
        interaction: Interaction,
        *,
        out: TextIO | None = None,
        err: TextIO | None = None,
        output: Output | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.session = session
        self.dispatcher = Dispatcher(session, interaction)
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self.output = output
        is_dumb = environment.get("TERM") == "dumb"
        self.is_live = _is_terminal(self.out) and not is_dumb and _takes_escapes(self.out)
        self.has_colour = self.is_live and not environment.get("NO_COLOR")

    @property
    def width(self) -> int:
        """How many columns there are to write in."""
        if _is_terminal(self.out):
            return shutil.get_terminal_size(_USUAL_SIZE).columns
        return DEFAULT_WIDTH

    def run_line(self, line: str) -> Ended:
        """Run one line as typed; an empty one or a comment does nothing."""
        try:
            words = tokenize(line)
        except BitsShellError as error:
            return self.fail(error)
        return self.run(words) if words else Ended()

    def run(self, words: Sequence[str]) -> Ended:
        """Run one command. Errors are written, not raised.

        Raises:
            KeyboardInterrupt: Ctrl-C for the second time; what had come is written.
            BrokenPipeError: nobody reads any more.
        """
        try:
            invocation = self.dispatcher.parse(words)
        except BitsShellError as error:
            return self.fail(error)
        renderer = self.renderer(invocation.output or self.output)
        summary: Summary | None = None
        try:
            for event in _all(self.dispatcher.events(invocation)):
                if isinstance(event, Summary):
                    summary = event
                renderer.feed(event)
        except BitsShellError as error:
            renderer.close()
            return self.fail(error)
        except KeyboardInterrupt:
            renderer.close()
            raise
        renderer.close()
        return Ended(summary)

    def renderer(self, output: Output | None) -> Renderer:
        """A renderer for one command on these streams, in the form that was asked for, if any."""
        return make_renderer(
            output or Output.TABLE,
            out=self.out,
            err=self.err,
            width=self.width,
            colour=self.has_colour,
            live=self.is_live,
            watch_lines=output is not None,
            clock=self.session.clock.now,
        )

    def fail(self, error: BitsShellError) -> Ended:
        """Write an error that came before anything was sent."""
        width = columns_of(self.err) or self.width
        Printer(self.err, wraps=True).lines(error_lines(error, width))
        return Ended(error=error)


def _all(events: Iterator[Event]) -> Iterator[Event]:
    with closing(events):  # type: ignore[type-var]  # it is a generator
        yield from events


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def _takes_escapes(stream: TextIO) -> bool:
    """Whether a terminal acts on escape sequences. A Windows console must be asked to."""
    if sys.platform != "win32":
        return True
    import ctypes
    import msvcrt

    acts_on_escapes = 4  # ENABLE_VIRTUAL_TERMINAL_PROCESSING
    console = ctypes.windll.kernel32
    handle = ctypes.c_void_p(msvcrt.get_osfhandle(stream.fileno()))
    mode = ctypes.c_ulong()
    if not console.GetConsoleMode(handle, ctypes.byref(mode)):
        return True  # a terminal emulator behind a pipe
    return bool(console.SetConsoleMode(handle, mode.value | acts_on_escapes))
