"""One command, from its words to the object that it gives, and the exception that it ends in.

Magics and `bitsshell.connect` run commands here, through the one dispatcher. What outlives a
command, such as the last watch, is kept here too, and not in a cell.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from click.core import ParameterSource

from bitsshell.api.answers import ROW_LIMIT, Answer
from bitsshell.api.errors import from_error, from_result, interrupted
from bitsshell.api.sets import WatchResult, answer_of
from bitsshell.api.timeline import Samples, Timeline
from bitsshell.commands import Dispatcher, Interaction, Invocation
from bitsshell.errors import BitsShellError
from bitsshell.results import Event, Frame, JobChange, Report, Verdict, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bitsshell.session import Session


class EventView(Protocol):
    """Takes the events of one command as they come."""

    def feed(self, event: Event, timeline: Timeline) -> None:
        """Take the next event; the frames so far are in the timeline."""

    def finish(self, answer: Answer[Any]) -> bool:
        """Show what is left to show; whether the answer needs no other display. Always called."""


class Unseen:
    """Shows nothing while the command runs, and nothing after it either if that `is_enough`."""

    def __init__(self, *, is_enough: bool = False) -> None:
        self.is_enough = is_enough

    def feed(self, event: Event, timeline: Timeline) -> None:
        """Leave it to the answer."""

    def finish(self, answer: Answer[Any]) -> bool:
        """Nothing was shown."""
        del answer
        return self.is_enough


@dataclass(slots=True)
class Settings:
    """What holds for commands that say nothing themselves; None leaves it to the files.

    Times in seconds; of an answer at most `row_limit` rows are shown.
    """

    timeout_s: float | None = None
    interval_s: float | None = None
    row_limit: int = ROW_LIMIT


@dataclass(frozen=True, slots=True)
class LastWatch:
    """The last watch of a session, as far as it got. `verb` is what it was typed as."""

    verb: str
    answer: WatchResult
    interval_s: float | None
    is_open: bool
    hosts: tuple[str, ...]

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left to be watched."""
        return self.answer.is_final

    @property
    def pending(self) -> tuple[str, ...]:
        """The ids of the jobs that had not come to their end."""
        return tuple(job.id for job in self.answer if not job.state.is_final)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command gave, and what to raise about it. `is_in_sight` needs no other display."""

    answer: Answer[Any]
    problem: BaseException | None
    is_in_sight: bool


class Engine:
    """Runs commands of one session."""

    def __init__(self, session: Session, settings: Settings | None = None) -> None:
        self.session = session
        self.settings = settings or Settings()
        self.last_watch: LastWatch | None = None

    def parse(
        self, words: Sequence[str], interaction: Interaction, typed: str | None = None
    ) -> tuple[Dispatcher, Invocation]:
        """Words as an invocation; `typed` is the line that they came from.

        Raises `CommandError`; sends nothing.
        """
        dispatcher = Dispatcher(self.session, interaction)
        try:
            invocation = dispatcher.parse(words, typed)
        except BitsShellError as error:
            raise from_error(error) from error
        self._complete(invocation)
        return dispatcher, invocation

    def _complete(self, invocation: Invocation) -> None:
        """Put in what was not said: typed options win, the files lose."""
        context = invocation.context
        if context is None:
            return

        def is_typed(name: str) -> bool:
            return context.get_parameter_source(name) is ParameterSource.COMMANDLINE

        if self.settings.timeout_s is not None and not is_typed("timeout"):
            invocation.call.timeout_s = self.settings.timeout_s
        interval_s = self.settings.interval_s
        if interval_s is not None and "interval" in context.params and not is_typed("interval"):
            context.params["interval"] = interval_s

    def run(
        self,
        dispatcher: Dispatcher,
        invocation: Invocation,
        view: EventView,
        *,
        before: Samples | None = None,
    ) -> Ran:
        """Run it to its end, whichever that is. `before` is what an earlier watch of it saw."""
        kept = Kept(view, before)
        ending: BaseException | None = None
        try:
            kept.drain(dispatcher.events(invocation))
        except (BitsShellError, KeyboardInterrupt) as error:
            ending = error
        answer = kept.answer(self.session, self.settings.row_limit)
        if isinstance(answer, WatchResult) and answer.frame is not None:
            self._remember(answer, invocation)
        return Ran(answer, self._problem(answer, ending), view.finish(answer))

    def _remember(self, answer: WatchResult, invocation: Invocation) -> None:
        params = invocation.context.params if invocation.context is not None else {}
        self.last_watch = LastWatch(
            verb=answer.verb,
            answer=answer,
            interval_s=params.get("interval"),
            is_open=invocation.verb == "watch" and not params.get("jobs"),
            hosts=invocation.call.typed_hosts or tuple(t.name for t in self.session.targets),
        )

    def _problem(self, answer: Answer[Any], ending: BaseException | None) -> BaseException | None:
        if isinstance(ending, BitsShellError):
            problem: BaseException = from_error(ending, answer)
            problem.__cause__ = ending
            return problem
        if ending is not None:
            return interrupted(answer, twice=True)
        if self.session.interrupts() or answer.summary.verdict is Verdict.INTERRUPTED:
            # Also when the command was done by then: Ctrl-C must stop the cells that wait.
            return interrupted(answer)
        return from_result(answer)


class Kept:
    """A stream that goes through a view and stays, whatever ends it.

    Of its frames the last stays, and samples of all; of its changes those of a state.
    """

    def __init__(self, view: EventView, before: Samples | None = None) -> None:
        self._view = view
        self._kept: list[Event] = []
        self.frame: Frame | None = None
        self.timeline = Timeline(before)

    def drain(self, events: Iterator[Event]) -> None:
        """Take all events."""
        with closing(events):  # type: ignore[type-var]  # it is a generator
            for event in events:
                self.take(event)

    def take(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(event, Frame):
            self.frame = event
            self.timeline.add(event)
        elif not (isinstance(event, JobChange) and event.kind == "progress"):
            self._kept.append(event)
        self._view.feed(event, self.timeline)

    def answer(self, session: Session, row_limit: int) -> Answer[Any]:
        """What came."""
        report = Report.of([*self._kept, *([self.frame] if self.frame else [])])
        as_of = self.frame.as_of if self.frame is not None else session.clock.now()
        samples = self.timeline.samples if report.view is View.WATCH else None
        return answer_of(report, as_of, row_limit=row_limit, samples=samples)
