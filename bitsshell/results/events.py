"""What a verb yields as it comes: the stream opens with `Begin` and closes with `Summary`."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from bitsshell.results.plans import Planned
from bitsshell.results.runs import Conclusion, Running, Verdict
from bitsshell.results.values import Outcome, Status, View
from bitsshell.results.watching import Frame, JobChange


@dataclass(frozen=True, slots=True)
class Shape:
    """How a person wants a listing: its columns, and by which fields its rows are in order.

    Empty means the usual ones. `order` has (field, whether descending), the first counts most.
    Rows of a part of a listing are not numbered, for `%3` means a row of the whole.
    """

    columns: tuple[str, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    is_numbered: bool = True


USUAL = Shape()


@dataclass(frozen=True, slots=True)
class Begin:
    """Opens the stream of a verb."""

    verb: str
    view: View
    shape: Shape = USUAL


@dataclass(frozen=True, slots=True)
class Notice:
    """A line for a person. It is not data: machine formats send it to the error stream."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """Text of our own that is the answer itself, such as help; printed as it stands."""

    text: str


class Ending(enum.StrEnum):
    """Why a command ended."""

    COMPLETE = "complete"
    TIME_LIMIT = "time limit"
    NEEDS_PERSON = "needs a person"
    DECLINED = "declined"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Closes the stream: counts over (host, job) pairs, and why it ended."""

    verb: str
    ending: Ending = Ending.COMPLETE
    well: int = 0
    failed: int = 0
    not_sent: int = 0
    unknown: int = 0
    unmet: int = 0
    """Pairs that only missed a time limit or a waited-for condition."""
    elapsed_s: float = 0.0
    verdict: Verdict | None = None
    """What a `Conclusion` said; it goes before the counts."""

    def counting(self, outcome: Outcome) -> Summary:
        """The same with one more outcome counted."""
        match outcome.status:
            case Status.NOT_SENT:
                return replace(self, not_sent=self.not_sent + 1)
            case Status.UNKNOWN:
                return replace(self, unknown=self.unknown + 1)
            case Status.FAILED:
                return replace(self, failed=self.failed + 1)
            case _:
                return replace(self, well=self.well + 1)


Event = (
    Begin | Outcome | Notice | Text | Planned | Frame | JobChange | Running | Conclusion | Summary
)
