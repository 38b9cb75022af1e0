"""The renderer for people: tables or blocks, lines as changes come, frames redrawn in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.render.errors import error_lines, failed_lines, folded_error_lines, warning_line
from bitsshell.render.frames import frame_lines
from bitsshell.render.listings import listing_lines, outcome_errors
from bitsshell.render.machine import NdjsonRenderer
from bitsshell.render.messages import counts_line, ending_line
from bitsshell.render.outcomes import (
    change_line,
    change_words,
    folded_change_lines,
    job_change_line,
)
from bitsshell.render.plans import by_identity, planned_lines
from bitsshell.render.runs import difference_lines, running_line, step_error_lines, step_line
from bitsshell.render.screen import InPlace
from bitsshell.render.text import prose, text_lines
from bitsshell.results import (
    USUAL,
    Begin,
    Conclusion,
    Difference,
    Event,
    Frame,
    JobChange,
    Notice,
    Outcome,
    PlanForm,
    Planned,
    Running,
    StepRun,
    Summary,
    Text,
    View,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bitsshell.render.printer import Printer

_EARLY = 5
"""So many outcomes of a kind are shown as they come; more are folded at the end."""

_AS_THEY_COME = {View.CHANGES, View.WATCH, View.TEXT, View.RUN, View.DIFFERENCES}


class PeopleRenderer:
    """Listings are collected and printed at the end; everything else is printed as it comes.

    Errors of a listing follow its rows, those of many hosts folded. Rows, plans and outcomes go to
    `out`; errors, notices and how it ended go to `err`.
    """

    def __init__(
        self,
        out: Printer,
        err: Printer,
        *,
        width: int,
        colour: bool,
        vertical: bool,
        live: Callable[[], tuple[int, int]] | None,
        watch_lines: bool,
        clock: Callable[[], datetime],
    ) -> None:
        """`live` gives columns and lines of the terminal to draw frames on, None for none.

        Without it the changes of a watch are NDJSON, with `watch_lines` lines for people.
        """
        self.out = out
        self.err = err
        self._width = width
        self._colour = colour
        self._vertical = vertical
        self._live = live
        self._is_ndjson = live is None and not watch_lines
        self._clock = clock
        self._view = View.TEXT
        self._shape = USUAL
        self._collected: list[Outcome] = []
        self._found: dict[int, Outcome] = {}
        self._is_plan = False
        self._kinds: dict[str, int] = {}
        self._screen = InPlace()
        self._frame: Frame | None = None
        self._is_running = False
        self._concluded: list[str] = []
        self._events = NdjsonRenderer(out, err, width=width)

    def feed(self, event: Event) -> None:
        """Take the next event of the stream."""
        if self._is_running:
            self._is_running = False
            self.out.raw(self._screen.erase())
        match event:
            case Begin(view=view, shape=shape):
                self._view, self._shape = view, shape
                self._events.feed(event)
            case Notice(text=text):
                self._say([prose(text)])
            case Text(text=text):
                self.out.sentences(text_lines(text))
            case Planned(plan=plan):
                self._is_plan, self._found = True, by_identity(plan.found)
                lines = planned_lines(event, self._width)
                # What is to be pasted elsewhere stays as it is.
                (self.out.sentences if event.form is PlanForm.WORDS else self.out.lines)(lines)
            case Outcome() if id(event) not in self._found:
                self._outcome(event)
            case Frame():
                self._show(event)
            case JobChange():
                self._changed(event)
            case Running() | Conclusion():
                self._of_run(event)
            case Summary():
                self._end(event)
            case _:
                pass

    def close(self) -> None:
        """Print the listing, then the errors; safe to call after an interrupt, and twice."""
        self._screen.release()
        collected, self._collected = self._collected, []
        if self._view in _AS_THEY_COME:
            self._sum_up(collected)
            return
        lines = listing_lines(
            self._view,
            collected,
            width=self._width,
            now=self._clock(),
            colour=self._colour,
            vertical=self._vertical,
            shape=self._shape,
        )
        if any(outcome.error is None for outcome in collected):
            self.out.lines(lines)
        self.out.lines(self._concluded)
        self._concluded = []
        self.err.lines(folded_error_lines(outcome_errors(collected), self._width))

    def _outcome(self, outcome: Outcome) -> None:
        if isinstance(outcome.value, StepRun):
            step, colour = outcome.value, self._colour
            self.out.lines([step_line(step, self._width, colour=colour)])
            self.out.lines(step_error_lines(step, self._width, colour=colour))
            return
        if isinstance(outcome.value, Difference):
            self.out.lines(difference_lines(outcome.value, self._width, colour=self._colour))
            return
        if self._view not in _AS_THEY_COME:
            self._collected.append(outcome)
        elif self._view is View.CHANGES and (outcome.error or not self._is_early(outcome)):
            self._collected.append(outcome)  # said once for all hosts when it has ended
        elif outcome.error is not None:
            first, *rest = error_lines(outcome.error, self._width)
            self._say([f"{outcome.status.value}: {first}", *rest])
        elif self._view is View.WATCH and self._is_ndjson:
            self._events.feed(outcome)
        else:
            self._done(outcome)

    def _of_run(self, event: Running | Conclusion) -> None:
        if isinstance(event, Running):
            self._show_running(event)
        elif self._view in _AS_THEY_COME:
            self.out.lines(list(event.lines))
        else:
            self._concluded = list(event.lines)

    def _show_running(self, running: Running) -> None:
        if self._live is None:
            return
        columns, _ = self._live()
        line = self.out.fitting(running_line(running, columns, colour=self._colour))
        self.out.raw(self._screen.draw([line], columns))
        self._is_running = True

    def _changed(self, change: JobChange) -> None:
        if self._is_ndjson:
            self._events.feed(change)
        elif self._live is None:
            self.out.line(job_change_line(change))

    def _is_early(self, outcome: Outcome) -> bool:
        """Whether it is one of the first of its kind, which are shown as they come."""
        kind = change_words(outcome)
        self._kinds[kind] = self._kinds.get(kind, 0) + 1
        return outcome.warning is not None or self._kinds[kind] <= _EARLY

    def _sum_up(self, collected: list[Outcome]) -> None:
        """What was held back of changes: equal outcomes folded, failures by cause."""
        well = [outcome for outcome in collected if outcome.error is None]
        self.out.lines(folded_change_lines(well, width=self._width, colour=self._colour))
        self.err.lines(failed_lines(collected, self._width))

    def _done(self, outcome: Outcome) -> None:
        if self._view is not View.WATCH or self._live is None:  # frames show the job already
            self._above([change_line(outcome, width=self._width, colour=self._colour)], self.out)
        known = outcome.warning_explained
        if known is not None:
            self._say([warning_line(known)])

    def _end(self, summary: Summary) -> None:
        self._screen.release()
        self._frame = None
        held, self._collected = self._collected, []
        if self._view in _AS_THEY_COME:
            self._sum_up(held)
        else:
            self._collected = held
        line = ending_line(summary)
        if line is None and self._view is View.CHANGES and not self._is_plan:
            line = counts_line(summary)
        if line is not None:
            self._say([line])

    def _say(self, lines: list[str]) -> None:
        self._above(lines, self.err)

    def _above(self, lines: list[str], printer: Printer) -> None:
        """Write lines above the frame, which is taken away and drawn again below them."""
        if self._frame is None or self._live is None:
            printer.lines(lines)
            return
        self.out.raw(self._screen.erase())
        printer.lines(lines)
        self._show(self._frame)

    def _show(self, frame: Frame) -> None:
        if self._live is None:
            if self._is_ndjson:
                self._events.feed(frame)
            return
        columns, height = self._live()
        # One cell and one line less than there are: a full line or screen would wrap or scroll.
        lines = frame_lines(
            frame,
            width=max(1, columns - 1),
            height=max(1, height - 1),
            colour=self._colour,
            blocks=self.out.blocks,
        )
        text = [self.out.fitting(line) for line in lines]
        self.out.raw(self._screen.draw(text, columns))
        self._frame = frame
        if frame.is_final:
            self._screen.release()
            self._frame = None
