"""Plain data that every upper layer shares: outcomes, plans, events, summaries.

A verb yields `Event`s as they come and the dispatcher closes them with a `Summary`. Nothing here
prints or decides how things look. Everything is frozen and survives pickling.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, overload

from bitsshell.bits import (
    Effect,
    Explanation,
    HostIdentity,
    Job,
    JobDetail,
    JobError,
    JobList,
    Operation,
    explain,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from bitsshell.errors import BitsShellError


class Status(enum.StrEnum):
    """What became of one thing that was asked of one host."""

    DONE = "done"
    ALREADY = "already so"
    PLANNED = "planned"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"
    FAILED = "failed"

    @property
    def is_well(self) -> bool:
        """Whether nobody needs to look at it again."""
        return self in {Status.DONE, Status.ALREADY, Status.PLANNED}


class Output(enum.StrEnum):
    """What `-o` takes."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    TSV = "tsv"
    VERTICAL = "vertical"


class View(enum.StrEnum):
    """What kind of thing a verb's values are, from which a renderer chooses its form."""

    JOBS = "jobs"
    """Many jobs, one a row. Outcome values: `JobList`, or `Job`."""
    JOB = "job"
    """Jobs in full, one a block. Outcome values: `JobDetail`."""
    FILES = "files"
    """The files of jobs, one a row. Outcome values: `Job`."""
    HOSTS = "hosts"
    """Hosts, one a row. Outcome values: `HostStatus`."""
    EXPLAIN = "explain"
    """Errors and codes, explained. Outcome values: `JobDetail` or `Explanation`."""
    CHANGES = "changes"
    """What changing verbs did, one (host, job) a row, errors apart. Outcome values: `Job`."""
    CHECKS = "checks"
    """What `doctor` looked at, one check a row. Outcome values: `Check`."""
    WATCH = "watch"
    """`Frame`s and `JobChange`s, then one outcome a job."""
    TEXT = "text"
    """Only `Text` and `Notice`s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """One host as the session knows it. `product` is what Identify answered, if it was asked.

    `auth` is what the host was logged on to with, and until then what was asked for.
    """

    name: str
    endpoint: str
    auth: str
    user: str | None = None
    is_target: bool = False
    is_connected: bool = False
    product: str | None = None
    jobs: int | None = None
    error: BitsShellError | None = None


class CheckState(enum.StrEnum):
    """How a check went."""

    OK = "ok"
    FAILED = "failed"
    NOTE = "note"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at, of a host or of the installation, and what to do next."""

    subject: str
    name: str
    state: CheckState
    text: str = ""
    next: str | None = None


Item = Job | JobDetail | HostStatus | Explanation | Check
"""One thing of interest to a reader."""

Value = Item | JobList | JobError | HostIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One host's answer: a value or an error, never both.

    `job_id` names the job where one is concerned. `warning` is a success code that carries a
    warning (`BG_S_*`). `planned` says in words what was to be done, for a change.
    """

    host: str
    status: Status = Status.DONE
    value: Value | None = None
    error: BitsShellError | None = None
    job_id: str | None = None
    warning: int | None = None
    planned: str | None = None

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs in the value, whatever its form."""
        match self.value:
            case Job() as job:
                return (job,)
            case JobList(jobs=jobs):
                return jobs
            case JobDetail(job=job):
                return (job,)
            case _:
                return ()

    @property
    def warning_explained(self) -> Explanation | None:
        """The warning's symbol and meaning."""
        return None if self.warning is None else explain(self.warning)


Pair = tuple[str, str | None]
"""A host and a job on it, by label and id; None for a job that is not made yet."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on one host, before it is sent."""

    host: str
    operation: Operation

    @property
    def job_id(self) -> str | None:
        """The job concerned, None for one that is still to be created."""
        return getattr(self.operation, "job_id", None)

    @property
    def job_ids(self) -> tuple[str | None, ...]:
        """The job concerned, and those that it replaces."""
        return (self.job_id, *self.replaces)

    @property
    def replaces(self) -> tuple[str, ...]:
        """The jobs that a new one takes the place of, which are cancelled for it."""
        replaced: tuple[str, ...] = getattr(self.operation, "replaces", ())
        return replaced


@dataclass(frozen=True, slots=True)
class Plan:
    """What a changing verb would do, complete, before anything is sent.

    `found` are outcomes that stand already when the plan is made: hosts that could not be asked,
    and jobs that are as wanted. `policy` says in words what a long-running verb does later to the
    jobs that it `follows`, as (host, job id).
    """

    verb: str
    steps: tuple[Step, ...]
    found: tuple[Outcome, ...] = ()
    policy: str | None = None
    policy_effect: Effect = Effect.CHANGE
    follows: tuple[tuple[str, str], ...] = ()

    @property
    def effect(self) -> Effect:
        """The strongest effect of any step, or of the policy."""
        effects = {step.operation.effect for step in self.steps}
        if self.policy is not None:
            effects.add(self.policy_effect)
        for effect in (Effect.DESTROY, Effect.CHANGE):
            if effect in effects:
                return effect
        return Effect.READ

    @property
    def hosts(self) -> tuple[str, ...]:
        """Labels of the hosts concerned, in order, once each."""
        acted_on = [step.host for step in self.steps]
        return tuple(dict.fromkeys([*acted_on, *(host for host, _ in self.follows)]))

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The (host, job id) pairs that it touches, once each; a job still to be made has no id."""
        acted_on = [(step.host, job) for step in self.steps for job in step.job_ids]
        return tuple(dict.fromkeys([*acted_on, *self.follows]))

    @property
    def size(self) -> int:
        """How many (host, job) pairs it touches; every job still to be made is one.

        A job that is replaced is touched, too.
        """
        made = sum(1 for step in self.steps if step.job_id is None)
        return made + sum(1 for _, job_id in self.pairs if job_id is not None)

    @property
    def needs_confirmation(self) -> bool:
        """Whether a person must agree: something is destroyed, or more than one job changed."""
        if self.effect is Effect.DESTROY:
            return True
        return self.effect is Effect.CHANGE and self.size > 1


@dataclass(frozen=True, slots=True)
class Shape:
    """How a person wants a listing: its columns, and by which fields its rows are in order.

    Empty means the usual ones. `order` has (field, whether descending), the first counts most.
    """

    columns: tuple[str, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()


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


class PlanForm(enum.StrEnum):
    """How `--what-if` shows a plan (`--as`)."""

    WORDS = "words"
    POWERSHELL = "powershell"
    XML = "xml"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan as `--what-if` shows it: nothing of it was sent.

    Where the form is not words, `scripts` has one text for each of the plan's steps.
    """

    plan: Plan
    form: PlanForm = PlanForm.WORDS
    scripts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchRow:
    """One job in a frame. Rate in bytes per second over the last seconds, time left in seconds."""

    job: Job
    rate_bytes_s: float | None = None
    time_left_s: float | None = None
    error: JobError | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The watched jobs at one moment. `unreachable` are hosts that this poll could not read.

    The last frame `is_final`, and `is_stopped` where a person ended it before the jobs did.
    """

    rows: tuple[WatchRow, ...]
    as_of: datetime
    is_final: bool = False
    is_stopped: bool = False
    unreachable: tuple[str, ...] = ()

    @property
    def phase(self) -> str:
        """`live`, `final` or `stopped`."""
        if self.is_stopped:
            return "stopped"
        return "final" if self.is_final else "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChange:
    """Something about a watched job became different between two polls.

    `before` is None for a job that is new; `after` is None for one that left the queue. `error`
    is the job's error when it went into an error state. `is_first` marks the jobs of the first
    poll, which are not new but only seen for the first time.
    """

    at: datetime
    host: str
    job_id: str
    before: Job | None = None
    after: Job | None = None
    error: JobError | None = None
    is_first: bool = False

    @property
    def state_changed(self) -> bool:
        """Whether the state is another one, or the job came or went."""
        if self.before is None or self.after is None:
            return True
        return self.before.state != self.after.state

    @property
    def kind(self) -> str:
        """`present`, `appeared`, `left`, `state` or `progress`."""
        if self.before is None:
            return "present" if self.is_first else "appeared"
        if self.after is None:
            return "left"
        return "state" if self.state_changed else "progress"


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


Event = Begin | Outcome | Notice | Text | Planned | Frame | JobChange | Summary


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
        )

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """What the hosts gave, flat."""
        flat: list[Item] = []
        for outcome in self.outcomes:
            if isinstance(outcome.value, JobList):
                flat.extend(outcome.value.jobs)
            elif isinstance(outcome.value, Job | JobDetail | HostStatus | Explanation | Check):
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


def listing_order(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """The jobs as a listing shows them: by host, then oldest first, then by name and id.

    The row numbered n (`%n`) is element n - 1.
    """
    return tuple(sorted(jobs, key=lambda job: (job.host, job.created_filetime, job.name, job.id)))
