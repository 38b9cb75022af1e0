"""What the live view shows, and where the person is in it. No clock, no drawing, no terminal.

The model takes the events of a watch and the person's wishes. It draws nothing: `drawing` makes
lines of it, and may do so at any moment.
"""

from __future__ import annotations

import enum
from collections import deque
from typing import TYPE_CHECKING

from bitsshell.bits import JobState
from bitsshell.fleet.watching import Key, key_of
from bitsshell.render.text import prose
from bitsshell.results import Frame, JobChange, Notice, Outcome, WatchRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from bitsshell.bits import Job

HISTORY = 12
"""How many rates of a job are kept for its sparkline, one a poll."""

KEPT_MESSAGES = 200

_NO_NUMBER = float("inf")
_URGENCY = {
    JobState.ERROR: 0,
    JobState.TRANSIENT_ERROR: 1,
    JobState.TRANSFERRING: 2,
    JobState.CONNECTING: 3,
    JobState.QUEUED: 4,
    JobState.SUSPENDED: 5,
}
_LEAST_URGENT = 6


class Order(enum.StrEnum):
    """What the jobs are sorted by. Within equal ones the order is host, then name."""

    HOST = "host"
    NAME = "name"
    STATE = "state"
    DONE = "done"
    RATE = "rate"
    LEFT = "left"


_SORT_KEYS: dict[Order, Callable[[WatchRow], Any]] = {
    Order.NAME: lambda row: row.job.name.casefold(),
    Order.STATE: lambda row: _URGENCY.get(row.job.state, _LEAST_URGENT),
    Order.DONE: lambda row: _NO_NUMBER if row.job.fraction is None else row.job.fraction,
    Order.RATE: lambda row: -(row.rate_bytes_s or 0.0),
    Order.LEFT: lambda row: _NO_NUMBER if row.time_left_s is None else row.time_left_s,
}


class Mode(enum.Enum):
    """What the keys mean right now."""

    LIST = enum.auto()
    FILTER = enum.auto()
    QUESTION = enum.auto()
    SECRET = enum.auto()
    HELP = enum.auto()
    MESSAGES = enum.auto()


class Model:
    """The state of the view. `rows` are all jobs, `shown` those that filter and order leave."""

    def __init__(self) -> None:
        self.mode = Mode.LIST
        self.frame: Frame | None = None
        self.rows: Sequence[WatchRow] = ()
        self.shown: Sequence[WatchRow] = ()
        self.hosts: tuple[str, ...] = ()
        self.rate_bytes_s: float | None = None
        self.order = Order.HOST
        self.is_reversed = False
        self.filter = ""
        self.errors_only = False
        self.is_held = False
        self.has_details = False
        self.marks: set[Key] = set()
        self.index = 0
        self.top = 0
        self.page = 1
        self.failed_hosts: dict[str, str] = {}
        self.messages: deque[str] = deque(maxlen=KEPT_MESSAGES)
        self.message = ""
        self.busy = ""
        self.awaited = ""
        """Which hosts are waited for, in words."""
        self.question = ""
        self.typed = ""
        self._waiting: Frame | None = None
        self._rates: dict[Key, deque[float]] = {}

    # What comes in

    def take(self, event: object) -> None:
        """Take in an event of the watch."""
        match event:
            case Frame() if self.is_held:
                self._waiting = event
            case Frame():
                self._show(event)
            case Notice(text=text):
                self.say(text)
            case Outcome(error=error) if error is not None:
                if event.job_id is None:
                    self.failed_hosts[event.host] = error.lines()[0]
                self.say(error.lines()[0])
            case JobChange() if event.state_changed and not event.is_first:
                self._change(event)

    def say(self, text: str) -> None:
        """Show a message, and keep it."""
        self.message = prose(text)
        self.messages.append(self.message)

    def _change(self, change: JobChange) -> None:
        job = change.after
        if job is not None and (job.state is JobState.TRANSFERRED or job.state.has_error):
            what = job.state.name
            if change.error is not None:
                what += f", {change.error.explanation.title}"
            self.say(f"{job.host}: {job.name} is {what}")

    def _show(self, frame: Frame) -> None:
        self.frame = frame
        self.rows = frame.rows
        self.hosts = tuple(dict.fromkeys(row.job.host for row in frame.rows))
        keys = set()
        for row in frame.rows:
            key = key_of(row.job)
            keys.add(key)
            rates = self._rates.get(key)
            if rates is None and row.rate_bytes_s is not None:
                rates = self._rates[key] = deque(maxlen=HISTORY)
            if rates is not None:
                rates.append(row.rate_bytes_s or 0.0)
        for key in self._rates.keys() - keys:
            del self._rates[key]
        known = [row.rate_bytes_s for row in frame.rows if row.rate_bytes_s is not None]
        self.rate_bytes_s = sum(known) if known else None
        self.marks &= keys
        self.arrange()

    # What is shown

    def arrange(self) -> None:
        """Filter and sort anew; the selection stays with its job."""
        before = self.selected
        words = self.filter.casefold().split()
        rows: Iterable[WatchRow] = self.rows
        if self.errors_only:
            rows = [row for row in rows if row.job.state.has_error]
        if words:
            rows = [row for row in rows if _matches(row.job, words)]
        sort_key = _SORT_KEYS.get(self.order)
        shown = list(rows) if sort_key is None else sorted(rows, key=sort_key)
        if self.is_reversed:
            shown.reverse()
        self.shown = shown
        if before is not None:
            wanted = key_of(before.job)
            for index, row in enumerate(shown):
                if key_of(row.job) == wanted:
                    self.index = index
                    break
        self.index = max(0, min(self.index, len(shown) - 1))

    def window(self, height: int) -> Sequence[WatchRow]:
        """The rows that are visible in so many lines, scrolled so that the selected one is."""
        self.page = max(1, height)
        lowest = max(0, len(self.shown) - self.page)
        self.top = max(self.index - self.page + 1, min(self.top, self.index, lowest))
        return self.shown[self.top : self.top + self.page]

    @property
    def selected(self) -> WatchRow | None:
        """The row that the cursor is on."""
        return self.shown[self.index] if self.index < len(self.shown) else None

    @property
    def chosen(self) -> list[Job]:
        """The jobs that a command acts on: those marked, else the selected one.

        A marked job that the filter hides is not among them: nothing unseen is acted on.
        """
        marked = [row.job for row in self.shown if key_of(row.job) in self.marks]
        if marked or self.marks:
            return marked
        return [self.selected.job] if self.selected is not None else []

    @property
    def silent(self) -> tuple[str, ...]:
        """The hosts that do not answer, for now or for good."""
        now = () if self.frame is None else self.frame.unreachable
        return tuple(dict.fromkeys([*self.failed_hosts, *now]))

    def rates_of(self, job: Job) -> Sequence[float]:
        """The last rates of a job in bytes per second, the oldest first."""
        return tuple(self._rates.get(key_of(job), ()))

    # What the person wants

    def move(self, by: int) -> None:
        """Move the cursor by so many rows, as far as there are any."""
        self.index = max(0, min(self.index + by, len(self.shown) - 1))

    def mark(self) -> None:
        """Mark the selected job or not, and go on to the next one."""
        if self.selected is not None:
            self.marks ^= {key_of(self.selected.job)}
            self.move(1)

    def mark_all(self) -> None:
        """Mark all jobs that are shown; when they are marked already, none."""
        keys = {key_of(row.job) for row in self.shown}
        self.marks = self.marks - keys if keys <= self.marks else self.marks | keys

    def sort_by_next(self) -> None:
        """Sort by the next column."""
        orders = list(Order)
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]
        self.arrange()

    def reverse(self) -> None:
        """Turn the order around."""
        self.is_reversed = not self.is_reversed
        self.arrange()

    def toggle_errors_only(self) -> None:
        """Show only jobs with errors, or all of them."""
        self.errors_only = not self.errors_only
        self.arrange()

    def toggle_details(self) -> None:
        """Show what is known of the selected job, or not."""
        self.has_details = not self.has_details

    def set_filter(self, text: str) -> None:
        """Show only jobs that have all of these words in host, name, state or id."""
        self.filter = text
        self.arrange()

    def toggle_hold(self) -> None:
        """Keep the picture as it is while the polls go on, or show what came meanwhile."""
        self.is_held = not self.is_held
        frame, self._waiting = self._waiting, None
        if frame is not None:
            self._show(frame)

    def ask(self, question: str, *, is_secret: bool) -> None:
        """Ask the person; what is typed is in `typed`."""
        self.mode = Mode.SECRET if is_secret else Mode.QUESTION
        self.question = question
        self.typed = ""

    def answered(self) -> str:
        """Back to the list; what was typed."""
        typed, self.typed, self.question = self.typed, "", ""
        self.mode = Mode.LIST
        return typed


def _matches(job: Job, words: Sequence[str]) -> bool:
    text = f"{job.host}\n{job.name}\n{job.state.name}\n{job.id}".casefold()
    return all(word in text for word in words)
