"""What hosts give: outcomes, the values in them, and the kinds of view on them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitsshell.bits import (
    Explanation,
    HostIdentity,
    Job,
    JobDetail,
    JobError,
    JobList,
    UrlGroup,
    UrlGroupList,
    explain,
)
from bitsshell.results.entries import Entry, StartedJob
from bitsshell.results.runs import ConditionResult, Difference, StepRun

if TYPE_CHECKING:
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
    """What changing verbs did, one (host, job) a row, errors apart. Outcome values: `Job`; of
    verbs that publish `UrlGroup`, with its suffix."""
    CHECKS = "checks"
    """What `doctor` looked at, one check a row. Outcome values: `Check`."""
    WATCH = "watch"
    """`Frame`s and `JobChange`s, then one outcome a job."""
    RUN = "run"
    """The steps of a runbook as they end, and a `Conclusion`. Outcome values: `StepRun`."""
    CONDITIONS = "conditions"
    """Conditions on jobs, one (job, condition) a row. Outcome values: `ConditionResult`."""
    DIFFERENCES = "differences"
    """What is not the same, and a `Conclusion`. Outcome values: `Difference`."""
    HISTORY = "history"
    """What was done, one entry a row. Outcome values: `Entry`."""
    ENTRY = "entry"
    """Entries of the journal in full, one a block. Outcome values: `Entry`."""
    STARTED = "started"
    """Jobs and changes whose end the journal has not. Outcome values: `StartedJob`."""
    URL_GROUPS = "published"
    """URL groups, or URLs of them, one a row. Outcome values: `UrlGroupList`."""
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


Item = (
    Job
    | JobDetail
    | HostStatus
    | Explanation
    | Check
    | StepRun
    | ConditionResult
    | Difference
    | Entry
    | StartedJob
    | UrlGroup
)
"""One thing of interest to a reader."""

Value = Item | JobList | JobError | HostIdentity | UrlGroupList


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One host's answer: a value or an error, never both.

    `job_id` names the job where one is concerned, or the URL. `warning` is a success code that
    carries a warning (`BG_S_*`). `planned` says in words what was to be done, for a change.
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
