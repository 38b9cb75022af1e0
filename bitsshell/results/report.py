"""A whole stream folded into one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, overload

from bitsshell.bits import Explanation, Job, JobDetail, JobList, UrlGroup, UrlGroupList
from bitsshell.results.entries import Entry, StartedJob
from bitsshell.results.events import (
    USUAL,
    Begin,
    Ending,
    Event,
    Notice,
    Shape,
    Summary,
    Text,
)
from bitsshell.results.plans import Plan, Planned
from bitsshell.results.runs import Conclusion, ConditionResult, Difference, StepRun, Verdict
from bitsshell.results.values import Check, HostStatus, Item, Outcome, View
from bitsshell.results.watching import Frame, JobChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bitsshell.errors import BitsShellError


@dataclass(frozen=True, eq=False)
class Report(Sequence[Item]):
    """A whole stream folded into one value: a sequence over what the hosts gave.

    For listings the items are the jobs of all hosts; for other verbs the value of each outcome.
    Hosts that failed never hide those that answered: they are in `errors`. No slots, so that the
    items can be gathered once.
    """

    verb: str
    view: View
    outcomes: tuple[Outcome, ...]
    summary: Summary
    plan: Plan | None = None
    changes: tuple[JobChange, ...] = ()
    last_frame: Frame | None = None
    notices: tuple[str, ...] = ()
    shape: Shape = USUAL
    planned: Planned | None = None
    conclusion: Conclusion | None = None

    @classmethod
    def of(cls, events: Iterable[Event]) -> Report:
        """Fold a stream. Of many frames only the last is kept."""
        verb, view = "", View.TEXT
        outcomes: list[Outcome] = []
        changes: list[JobChange] = []
        notices: list[str] = []
        planned: Planned | None = None
        shape = USUAL
        frame: Frame | None = None
        conclusion: Conclusion | None = None
        summary = Summary(verb="")
        for event in events:
            match event:
                case Begin():
                    verb, view, shape = event.verb, event.view, event.shape
                case Outcome():
                    outcomes.append(event)
                case JobChange():
                    changes.append(event)
                case Notice(text=text) | Text(text=text):
                    notices.append(text)
                case Planned():
                    planned = event
                case Frame():
                    frame = event
                case Conclusion():
                    conclusion = event
                case Summary():
                    summary = event
        return cls(
            verb=verb,
            view=view,
            outcomes=tuple(outcomes),
            summary=summary,
            plan=None if planned is None else planned.plan,
            changes=tuple(changes),
            last_frame=frame,
            notices=tuple(notices),
            shape=shape,
            planned=planned,
            conclusion=conclusion,
        )

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """What the hosts gave, flat."""
        flat: list[Item] = []
        for outcome in self.outcomes:
            if isinstance(outcome.value, JobList):
                flat.extend(outcome.value.jobs)
            elif isinstance(outcome.value, UrlGroupList):
                flat.extend(outcome.value.groups)
            elif isinstance(outcome.value, _ITEMS):
                flat.append(outcome.value)
        return tuple(flat)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All jobs in it."""
        return tuple(job for outcome in self.outcomes for job in outcome.jobs)

    @property
    def errors(self) -> tuple[BitsShellError, ...]:
        """Every error in it."""
        return tuple(outcome.error for outcome in self.outcomes if outcome.error is not None)

    @property
    def ok(self) -> bool:
        """Whether everything went well."""
        summary = self.summary
        if summary.verdict is not None:
            return summary.verdict is Verdict.WELL
        return summary.ending is Ending.COMPLETE and not (
            summary.failed or summary.not_sent or summary.unknown or summary.unmet
        )

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Item, ...]: ...
    def __getitem__(self, index: int | slice) -> Item | tuple[Item, ...]:
        """An item by position."""
        return self.items[index]

    def __iter__(self) -> Iterator[Item]:
        """The items in order."""
        return iter(self.items)

    def __len__(self) -> int:
        """How many items."""
        return len(self.items)


_ITEMS = (
    Job, JobDetail, HostStatus, Explanation, Check, StepRun, ConditionResult, Difference,
    Entry, StartedJob, UrlGroup,
)  # fmt: skip


def listing_order(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """The jobs as a listing shows them: by host, then oldest first, then by name and id.

    The row numbered n (`%n`) is element n - 1.
    """
    return tuple(sorted(jobs, key=lambda job: (job.host, job.created_filetime, job.name, job.id)))
