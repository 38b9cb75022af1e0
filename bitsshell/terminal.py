"""One line, run on text streams: what the command line and the shell have in common."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TextIO, cast

from bitsshell.bits import Effect
from bitsshell.commands import VERBS, Dispatcher, Interaction
from bitsshell.commands.declare import Declined
from bitsshell.commands.redirect import Redirect, split_redirect
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.fleet.fanout import nobody_looks
from bitsshell.outlets import NotWritten, Outlet, Paged, open_outlet, page_with
from bitsshell.render import Renderer, make_renderer, question
from bitsshell.render.errors import error_lines
from bitsshell.render.printer import Printer, columns_of
from bitsshell.render.waiting import WaitingLine
from bitsshell.results import Begin, Event, Output, Plan, Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from bitsshell.commands import Invocation
    from bitsshell.session import Session

MOST_BY_YES = 10
"""Of more jobs than this the number is to be typed: a habit answers y too quickly."""

_YES, _NO = frozenset({"y", "yes"}), frozenset({"", "n", "no"})

DEFAULT_WIDTH = 4000
"""The width of what is written where there is no terminal: nothing that a job may hold is cut."""

_USUAL_SIZE = (100, 24)
"""Columns and lines of a terminal that does not tell."""

_LINES_BELOW = 1
"""What stands below a listing beside the prompt: the shell's toolbar."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a line ended: with a summary, or with an error before anything was sent."""

    summary: Summary | None = None
    error: BitsShellError | None = None


class FullScreen(Protocol):
    """Shows a watch on the whole screen; what it yields afterwards stays."""

    def __call__(
        self, session: Session, invocation: Invocation, *, colour: bool
    ) -> Iterator[Event]:
        """Run the watch. Raises as the dispatcher does."""


class Asking:
    """Asks yes or no by a function that reads a line; None where nobody can be asked."""

    def __init__(self, read_line: Callable[[str], str] | None) -> None:
        self.read_line = read_line

    def confirm(self, plan: Plan) -> bool | None:
        """Whether the person types y or yes, or the number where it is a large one.

        End of file is a no. Ctrl-C raises, and `Declined` where something else was typed.
        """
        if self.read_line is None:
            return None
        number = str(plan.size) if plan.size > MOST_BY_YES else None
        asked = question(plan)
        if number:
            asked += f"{'' if asked.endswith('?') else ';'} type {number} to go on:"
        else:
            asked += " [y/N]"
        try:
            typed = self.read_line(f"{asked} ").strip().lower()
        except EOFError:
            return False
        if typed in _NO:
            return False
        if typed not in ({number} if number else _YES):
            raise Declined(f"only {number or 'y'} goes on, and something else was typed")
        return True

    @property
    def is_attended(self) -> bool:
        """Whether somebody can be asked."""
        return self.read_line is not None

    def ask(self, question: str) -> str:
        """What the person types; nothing at the end of file, and where nobody can be asked."""
        if self.read_line is None:
            return ""
        try:
            return self.read_line(question).strip()
        except EOFError:
            return ""


class Terminal:
    """Runs lines for one session and writes what comes of them.

    Args:
        session: where they run.
        interaction: asks the person.
        out: data goes here.
        err: what is said about it goes here.
        output: the form when a line asks for none; None for a table, and for NDJSON where a watch
            is shown on no terminal.
        full_screen: shows a `watch`, where the terminal can carry it.
        is_paged: answers that are taller than the terminal go through a pager.
        environment: `NO_COLOR`, `TERM` and `PAGER` are looked up here.
    """

    def __init__(
        self,
        session: Session,
        interaction: Interaction,
        *,
        out: TextIO | None = None,
        err: TextIO | None = None,
        output: Output | None = None,
        full_screen: FullScreen | None = None,
        is_paged: bool = False,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.session = session
        self.dispatcher = Dispatcher(session, interaction)
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self.output = output
        self.full_screen = full_screen
        self.is_paged = is_paged
        self._environment = environment
        is_dumb = environment.get("TERM") == "dumb"
        self.is_live = _is_terminal(self.out) and not is_dumb and _takes_escapes(self.out)
        is_plain = bool(environment.get("NO_COLOR")) or not session.config.colour
        self.has_colour = self.is_live and not is_plain

    @property
    def width(self) -> int:
        """How many columns there are to write in."""
        if _is_terminal(self.out):
            return shutil.get_terminal_size(_USUAL_SIZE).columns
        return DEFAULT_WIDTH

    def run_line(self, line: str) -> Ended:
        """Run one line as typed; an empty one or a comment does nothing.

        While the session is recorded, a comment is a note in the recording.
        """
        recorder = self.session.recorder
        try:
            if recorder is not None and line.lstrip().startswith("#"):
                recorder.comment(line)
            words, redirect = split_redirect(line)
            if redirect is not None and not words:
                raise UsageError(
                    f"a command is missing before {redirect.into}", hint="jobs > jobs.tsv"
                )
        except BitsShellError as error:
            return self.fail(error)
        return self.run(words, redirect) if words else Ended()

    def run(self, words: Sequence[str], redirect: Redirect | None = None) -> Ended:
        """Run one command, its data to the screen or where `redirect` says.

        Errors are written, not raised.

        Raises:
            KeyboardInterrupt: Ctrl-C for the second time; what had come is written.
            BrokenPipeError: nobody reads any more.
        """
        try:
            invocation = self.dispatcher.parse(words)
            outlet = None if redirect is None else open_outlet(redirect, self.out)
        except BitsShellError as error:
            return self.fail(error)
        if outlet is None:
            return self._show(invocation, self.renderer(invocation.output or self.output))
        return self._divert(invocation, outlet)

    def _show(
        self, invocation: Invocation, renderer: Renderer, outlet: Outlet | None = None
    ) -> Ended:
        summary: Summary | None = None
        has_begun = outlet is None  # a file keeps its old text until an answer comes
        try:
            for event in _all(self._events(invocation, outlet)):
                if isinstance(event, Summary):
                    summary = event
                renderer.feed(event)
                has_begun = has_begun or not isinstance(event, Begin)
                if outlet is not None and outlet.is_gone and _only_reads(invocation):
                    break
        except BitsShellError as error:
            if has_begun:
                renderer.close()
            return self.fail(error)
        except KeyboardInterrupt:
            renderer.close()
            raise
        renderer.close()
        return Ended(summary)

    def _divert(self, invocation: Invocation, outlet: Outlet) -> Ended:
        """Run a command whose data goes elsewhere: plain, unless the line says in which form."""
        asked = invocation.output or (self.output if self.output is not Output.TABLE else None)
        renderer = make_renderer(
            asked or Output.TSV,
            out=cast("TextIO", outlet),
            err=self.err,
            width=DEFAULT_WIDTH,
            clock=self.session.clock.now,
            header=outlet.first_line,
        )
        ended = Ended()
        try:
            ended = self._show(invocation, renderer, outlet)
        finally:
            outlet.finish(is_well=ended.error is None)
        if outlet.problem is not None:
            return self.fail(NotWritten(f"not everything was written: {outlet.problem}"))
        return ended

    def _events(self, invocation: Invocation, outlet: Outlet | None) -> Iterator[Event]:
        """The events of a line. A watch for a person is shown on the whole screen first."""
        is_table = (invocation.output or self.output or Output.TABLE) is Output.TABLE
        if (
            self.full_screen is not None
            and outlet is None
            and self.is_live
            and is_table
            and invocation.verb == "watch"
            and invocation.context is not None
        ):
            self.session.waiting = nobody_looks
            return self.full_screen(self.session, invocation, colour=self.has_colour)
        self.session.waiting = self._waiting()
        return self.dispatcher.events(invocation)

    def _waiting(self) -> Callable[[Collection[str] | None], None]:
        """What says which hosts do not answer, where a person looks on."""
        if not (self.is_live and _is_terminal(self.err)):
            return nobody_looks
        return WaitingLine(self.err, self.session.clock.monotonic, colour=self.has_colour)

    def renderer(self, output: Output | None) -> Renderer:
        """A renderer for one command on these streams, in the form that was asked for, if any."""
        return make_renderer(
            output or Output.TABLE,
            out=self._paged() if self.is_paged and self.is_live else self.out,
            err=self.err,
            width=self.width,
            colour=self.has_colour,
            live=self.is_live,
            watch_lines=output is not None or _is_terminal(self.out),
            clock=self.session.clock.now,
        )

    def _paged(self) -> TextIO:
        def height() -> int:
            return shutil.get_terminal_size(_USUAL_SIZE).lines - _LINES_BELOW

        return cast("TextIO", Paged(self.out, height=height, page=page_with(self._environment)))

    def fail(self, error: BitsShellError) -> Ended:
        """Write an error that came before anything was sent."""
        width = columns_of(self.err) or self.width
        Printer(self.err, wraps=True).lines(error_lines(error, width))
        return Ended(error=error)


def _all(events: Iterator[Event]) -> Iterator[Event]:
    with closing(events):  # type: ignore[type-var]  # it is a generator
        yield from events


def _only_reads(invocation: Invocation) -> bool:
    command = VERBS.get(invocation.verb)
    return command is None or command.effect is Effect.READ


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
