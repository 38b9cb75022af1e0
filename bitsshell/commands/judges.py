"""Policies: what to do with a job in each state, as pure functions of the job."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from bitsshell.bits import BG_S_PARTIAL_COMPLETE, Effect, Job, JobAction, JobState
from bitsshell.commands.following import WAIT, Decision, gone
from bitsshell.commands.outcomes import NotVerified
from bitsshell.results import Outcome, Status


class OnTransferred(enum.StrEnum):
    """What `manage` does at TRANSFERRED."""

    COMPLETE = "complete"
    KEEP = "keep"


class OnError(enum.StrEnum):
    """What `manage` does at ERROR."""

    KEEP = "keep"
    CANCEL = "cancel"
    RESUME = "resume"


class OnTransient(enum.StrEnum):
    """What `manage` does at TRANSIENT_ERROR, which BITS retries by itself."""

    WAIT = "wait"
    CANCEL = "cancel"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class ManagePolicy:
    """Microsoft's loop. Its sample's own policy is complete, cancel, cancel."""

    on_transferred: OnTransferred = OnTransferred.COMPLETE
    on_error: OnError = OnError.KEEP
    on_transient: OnTransient = OnTransient.WAIT

    @property
    def wanted(self) -> str:
        """Where jobs should get to."""
        return "TRANSFERRED"

    @property
    def effect(self) -> Effect:
        """Destroys when any part of it cancels; changes nothing when no part of it acts."""
        if self.on_error is OnError.CANCEL or self.on_transient is OnTransient.CANCEL:
            return Effect.DESTROY
        is_idle = self == ManagePolicy(OnTransferred.KEEP, OnError.KEEP, OnTransient.WAIT)
        return Effect.READ if is_idle else Effect.CHANGE

    def describe(self) -> str:
        """In words."""
        return (
            f"{self.on_transferred} at TRANSFERRED, {self.on_error} at ERROR, "
            f"{self.on_transient} at TRANSIENT_ERROR"
        )

    def judge(self, job: Job) -> Decision:
        """What to do about a job in the state that it is in."""
        match job.state:
            case JobState.TRANSFERRED if self.on_transferred is OnTransferred.COMPLETE:
                return Decision(JobAction.COMPLETE, ends=True)
            case JobState.TRANSFERRED:
                return Decision(ends=True)
            case JobState.ERROR if self.on_error is OnError.CANCEL:
                return _cancelled("ERROR")
            case JobState.ERROR if self.on_error is OnError.RESUME:
                return Decision(JobAction.RESUME)
            case JobState.ERROR:
                return Decision(ends=True, failed=True, fate="kept as it is")
            case JobState.TRANSIENT_ERROR if self.on_transient is OnTransient.CANCEL:
                return _cancelled("TRANSIENT_ERROR")
            case JobState.TRANSIENT_ERROR if self.on_transient is OnTransient.RESUME:
                return Decision(JobAction.RESUME)
            case _:
                return WAIT

    def left(self, job: Job) -> Outcome:
        """Somebody else took it out of the queue."""
        return gone(job)


def _cancelled(state: str) -> Decision:
    return Decision(
        JobAction.CANCEL, ends=True, failed=True, fate=f"cancelled, as asked for at {state}"
    )


@dataclass(frozen=True, slots=True)
class WatchJudge:
    """Only looks: a job ends when BITS will do no more for it without being asked."""

    @property
    def wanted(self) -> str:
        """Where jobs should get to."""
        return "TRANSFERRED"

    def judge(self, job: Job) -> Decision:
        """TRANSFERRED ends well, ERROR badly."""
        if job.state is JobState.TRANSFERRED:
            return Decision(ends=True)
        if job.state is JobState.ERROR:
            return Decision(ends=True, failed=True)
        return WAIT

    def left(self, job: Job) -> Outcome:
        """A job that left while it was TRANSFERRED was completed; of another nobody can tell."""
        if job.state is JobState.TRANSFERRED:
            return Outcome(host=job.host, value=job, job_id=job.id)
        return gone(job)


@dataclass(frozen=True, slots=True)
class WaitJudge:
    """Waits for one of some states. A job that leaves the queue is ACKNOWLEDGED or CANCELLED."""

    until: frozenset[JobState]

    @property
    def wanted(self) -> str:
        """The states, by name."""
        return " or ".join(state.name for state in sorted(self.until))

    def judge(self, job: Job) -> Decision:
        """Ends where it should; fails at ERROR, which nothing leaves by itself."""
        if job.state in self.until:
            return Decision(ends=True)
        if job.state is JobState.ERROR:
            return Decision(ends=True, failed=True)
        return WAIT

    def left(self, job: Job) -> Outcome:
        """Well if a final state was waited for."""
        if any(state.is_final for state in self.until):
            return Outcome(host=job.host, value=job, job_id=job.id)
        return gone(job)


def verified(outcome: Outcome) -> Outcome:
    """The outcome of a completed transfer, failed where the host's own account contradicts it."""
    if not outcome.status.is_well or not isinstance(outcome.value, Job):
        return outcome
    job = outcome.value
    problem = None
    if outcome.warning == BG_S_PARTIAL_COMPLETE:
        problem = "BITS completed it only in part (BG_S_PARTIAL_COMPLETE)"
    elif job.files_transferred != job.files_total:
        problem = f"{job.files_transferred} of {job.files_total} files were transferred"
    elif job.bytes_total is not None and job.bytes_transferred != job.bytes_total:
        problem = f"{job.bytes_transferred:,} of {job.bytes_total:,} bytes were transferred"
    elif job.state is not JobState.ACKNOWLEDGED:
        problem = f"it is {job.state.name}"
    if problem is None:
        return outcome
    return Outcome(
        host=outcome.host,
        status=Status.FAILED,
        error=NotVerified(job, problem),
        job_id=outcome.job_id,
    )
