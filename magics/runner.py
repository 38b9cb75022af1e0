"""One command of a shell, from its line to the value that a magic returns, or what it raises."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from IPython import display

from bitsshell.commands import VERBS, Dispatcher, Invocation
from bitsshell.commands.dispatch import help_text
from bitsshell.errors import BitsShellError
from bitsshell.results import Event, Frame, Report
from magics.errors import from_error, from_result, interrupted
from magics.objects import Result
from magics.people import asking
from magics.views import EventView, view_for
from magics.words import Words, read_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from bitsshell.session import Session

MAGIC_OPTIONS: Mapping[str, str] = {
    "-q": "show nothing; the value is returned all the same",
    "--into NAME": "put the value into this variable",
}

_display: Any = display.display  # IPython has no types for it

_IN_NOTEBOOKS = """\
Here also:
{options}
  {{name}} stands for the value of a variable, {{name.attribute}} and {{name[0]}} work too; a list
  gives several arguments; {{{{ and }}}} are literal braces; a job id in braces stays as it is."""


class Runner:
    """Runs lines for one shell on its session."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        self.shell = shell
        self.session = session
        self.in_sight: Result | None = None
        """The result that the running cell shows already, so that it is not shown twice."""

    def run(self, line: str, verb: str | None = None) -> Result | None:
        """Run one line; help and an empty line give None.

        Raises:
            MagicError: it cannot be run, or did not end well.
            Interrupted: Ctrl-C.
        """
        try:
            words = read_words(line, self.shell.user_ns, verb=verb)
            if not words.words:
                return self._status()
            dispatcher = Dispatcher(self.session, asking(self.shell, self.session))
            invocation = dispatcher.parse(words.words)
            if invocation.context is None:
                print(help_for(invocation.words))  # noqa: T201  # help is text, not a value
                return None
        except BitsShellError as error:
            raise from_error(error) from error
        return self._run(dispatcher, invocation, words)

    def _status(self) -> Result | None:
        print(verb_list())  # noqa: T201
        return self.run("", "hosts")

    def _run(self, dispatcher: Dispatcher, invocation: Invocation, words: Words) -> Result:
        view = view_for(self.shell, self.session, invocation, is_quiet=words.is_quiet)
        stream = _Kept(dispatcher.events(invocation), view)
        ending: BaseException | None = None
        try:
            stream.drain()
        except (BitsShellError, KeyboardInterrupt) as error:
            ending = error
        result = Result(stream.report())
        is_in_sight = view.finish(result)
        if words.into is not None:
            self.shell.user_ns[words.into] = result
        problem = self._problem(result, ending)
        if problem is not None:
            if not is_in_sight and _is_worth_showing(result):
                _display(result)
            raise problem from ending
        self.in_sight = result if is_in_sight else None
        return result

    def _problem(self, result: Result, ending: BaseException | None) -> BaseException | None:
        if isinstance(ending, BitsShellError):
            return from_error(ending, result)
        if ending is not None:
            return interrupted(result, twice=True)
        if self.session.interrupts():
            # Also when the command was done by then: Ctrl-C must stop the cells that wait.
            return interrupted(result)
        return from_result(result)


class _Kept:
    """A stream that goes through a view and stays, of its frames the last, whatever ends it."""

    def __init__(self, events: Iterator[Event], view: EventView) -> None:
        self._events = events
        self._view = view
        self._kept: list[Event] = []
        self._frame: Frame | None = None

    def drain(self) -> None:
        """Take all events."""
        with closing(self._events):  # type: ignore[type-var]  # it is a generator
            for event in self._events:
                if isinstance(event, Frame):
                    self._frame = event
                else:
                    self._kept.append(event)
                self._view.feed(event)

    def report(self) -> Report:
        """What came."""
        return Report.of([*self._kept, *([self._frame] if self._frame else [])])


def _is_worth_showing(result: Result) -> bool:
    """Whether there is more to see than the error that is about to be raised."""
    report = result.report
    return report.plan is not None or len(report.outcomes) > 1


def help_for(words: tuple[str, ...]) -> str:
    """The help of a verb, with what magics add to it; the list of verbs where none is named."""
    verb = next((word for word in words if word in VERBS), None)
    if verb is None:
        help_text(words)  # raises when the word is an unknown verb
        return verb_list()
    options = "\n".join(f"  {name:<13}{text}" for name, text in MAGIC_OPTIONS.items())
    return f"{help_text([verb])}\n\n{_IN_NOTEBOOKS.format(options=options)}"


def verb_list() -> str:
    """Every verb as a magic, one a line."""
    rows = [
        f"  %bits_{name:<10}{command.get_short_help_str(70)}" for name, command in VERBS.items()
    ]
    return "\n".join(["%bits VERB ... or %bits_VERB ... (%bits_VERB? for more):", *rows])
