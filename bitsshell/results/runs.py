"""What running, checking and comparing runbooks gives: steps, conditions, differences."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Verdict(enum.IntEnum):
    """How a whole went that is more than a count over jobs; the number is the exit code."""

    WELL = 0
    SOME_FAILED = 1
    USAGE = 2
    ALL_FAILED = 3
    NOT_MET = 4
    NEEDS_PERSON = 5
    INTERRUPTED = 130


class StepStatus(enum.StrEnum):
    """What became of one step of a runbook."""

    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    INTERRUPTED = "interrupted"
    SKIPPED = "skipped"
    NOT_RUN = "not run"
    WHAT_IF = "what-if"

    @property
    def is_well(self) -> bool:
        """Whether nothing went wrong in it."""
        return self in {StepStatus.OK, StepStatus.SKIPPED, StepStatus.WHAT_IF}

    @property
    def has_run(self) -> bool:
        """Whether its cell was sent to the kernel."""
        return self not in {StepStatus.SKIPPED, StepStatus.NOT_RUN}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """One step of a run: a code cell and what became of it.

    `number` counts from 1 of `total`. `error` has what its exception said, `note` why it stands as
    it does where that is no error (why it was skipped, what a what-if cannot tell).
    """

    number: int
    total: int
    id: str
    title: str
    status: StepStatus
    elapsed_s: float = 0.0
    note: str = ""
    error_type: str | None = None
    error: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    """The last lines that it showed before it failed."""


@dataclass(frozen=True, slots=True)
class Running:
    """A step is under way, and has been for so long. Shown while it lasts, and kept nowhere."""

    step: StepRun


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionResult:
    """Whether one condition holds of one job, or of a count of jobs (then `job_id` is None).

    `observed` has the values that the condition speaks of, as they were read.
    """

    host: str
    condition: str
    is_met: bool
    observed: str
    job_id: str | None = None
    job_name: str | None = None


class Changed(enum.StrEnum):
    """What is different between two pieces of evidence."""

    PARAMETER = "parameter"
    COMMAND = "command"
    OUTCOME = "outcome"
    STATUS = "status"
    CHECK = "check"
    ADDED = "step added"
    MISSING = "step missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not the same in two pieces of evidence.

    `counts` is false for what is listed and makes no difference by itself, such as a parameter.
    """

    kind: Changed
    where: str
    what: str
    first: str | None = None
    second: str | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What it all comes to: a verdict, in lines for people and as a record for programs."""

    verdict: Verdict
    lines: tuple[str, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
