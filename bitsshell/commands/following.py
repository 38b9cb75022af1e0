"""Following jobs: poll, see what changed, decide, act. `watch`, `wait`, `manage` and `transfer`.

One enumeration a host and poll, which asks only for what is shown. What to do with a job in each
state is a `Judge`, a pure function of the job, so that a policy can be tested without a clock.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from bitsshell import wsman
from bitsshell.bits import (
    AccessDenied,
    ChangeState,
    GetError,
    Job,
    JobAction,
    JobError,
    JobList,
    JobState,
    ProviderMissing,
)
from bitsshell.commands.declare import Call
from bitsshell.commands.outcomes import JobFailed, LeftTheQueue, NotReached
from bitsshell.errors import BitsShellError
from bitsshell.fleet.targets import Target
from bitsshell.fleet.watching import WATCHED_PROPERTIES, Key, Watch, key_of
from bitsshell.results import (
    Event,
    Frame,
    JobChange,
    Notice,
    Outcome,
    Plan,
    Status,
    Step,
)

PERMANENT = (
    wsman.AuthenticationRejected,
    wsman.CertificateRejected,
    wsman.MissingExtra,
    wsman.NoTicket,
    AccessDenied,
    ProviderMissing,
)
"""Errors of a host that do not pass by themselves: following its jobs ends."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a job as it was just read.

    `action` is sent; `ends` says that the job is followed no more after it; `failed` that this
    counts as a failure, `fate` what was done, in words.
    """

    action: JobAction | None = None
    ends: bool = False
    failed: bool = False
    fate: str = ""


WAIT = Decision()


class Judge(Protocol):
    """Decides about each job at each poll."""

    @property
    def wanted(self) -> str:
        """Where jobs should get to, in words, for the message of a time limit."""

    def judge(self, job: Job) -> Decision:
        """What to do about a job in the state that it is in."""

    def left(self, job: Job) -> Outcome:
        """What it means that a job is gone."""


class Follower:
    """Follows jobs on several hosts until each has ended, a time limit, or Ctrl-C.

    Args:
        call: the verb's call.
        targets: the hosts.
        jobs: the jobs to follow, as last read; None for all of the hosts, which has no end.
        judge: decides.
        interval_s: time between two polls.
    """

    def __init__(
        self,
        call: Call,
        targets: Iterable[Target],
        jobs: Iterable[Job] | None,
        judge: Judge,
        *,
        interval_s: float,
    ) -> None:
        self.call = call
        self.session = call.session
        self.targets = {target.name: target for target in targets}
        self.judge = judge
        self.interval_s = interval_s
        self.pending: dict[Key, Job] = {key_of(job): job for job in jobs or ()}
        self.is_open = jobs is None
        self.watch = Watch(None if jobs is None else self.pending)
        self.unreachable: dict[str, BitsShellError] = {}
        self._answered = {host for host, _ in self.pending}
        self._noted: set[Key] = set()

    def run(self) -> Iterator[Event]:
        """Changes, frames, notices, and one outcome a job."""
        began = self.session.clock.monotonic()
        limit = self.call.timeout_s
        try:
            while True:
                yield from self._poll()
                passed = self.session.clock.monotonic() - began
                is_late = limit is not None and passed >= limit
                is_final = is_late or not (self.is_open or self.pending)
                yield self._frame(is_final=is_final)
                if is_late and limit is not None:
                    yield from self._late(limit)
                if is_final:
                    return
                left = self.interval_s if limit is None else min(self.interval_s, limit - passed)
                self.session.pause(max(left, 0.0))
        except KeyboardInterrupt:
            yield self._frame(is_final=True)
            if self.pending:
                yield Notice(f"stopped; {_jobs(len(self.pending))} go on without being watched")
            raise

    def _frame(self, *, is_final: bool) -> Frame:
        return Frame(
            self.watch.rows(),
            as_of=self.session.clock.now(),
            is_final=is_final,
            unreachable=tuple(self.unreachable),
        )

    def _poll(self) -> Iterator[Event]:
        wanted = {host for host, _ in self.pending}
        targets = [t for name, t in self.targets.items() if self.is_open or name in wanted]
        jobs: list[Job] = []
        readable: list[str] = []
        for outcome in self.session.look(targets, properties=WATCHED_PROPERTIES):
            if isinstance(outcome.value, JobList):
                readable.append(outcome.host)
                self._answered.add(outcome.host)
                jobs.extend(outcome.value.jobs)
                if self.unreachable.pop(outcome.host, None) is not None:
                    yield Notice(f"{outcome.host}: answers again")
            else:
                yield from self._unreadable(outcome)
        changes = self.watch.look(
            jobs,
            readable=readable,
            at=self.session.clock.now(),
            at_s=self.session.clock.monotonic(),
        )
        self._ask_for_errors(changes)
        for change in changes:
            error = self.watch.errors.get((change.host, change.job_id))
            yield replace(change, error=error) if error is not None else change
        yield from self._decide(readable)

    def _unreadable(self, outcome: Outcome) -> Iterator[Event]:
        """A host that could not be read now: go on, unless it cannot get better by itself."""
        error = outcome.error
        if error is None:
            return
        if isinstance(error, PERMANENT) or outcome.host not in self._answered:
            for key in [key for key in self.pending if key[0] == outcome.host]:
                del self.pending[key]
                yield replace(outcome, job_id=key[1])
            if self.is_open:
                self.targets.pop(outcome.host, None)
                self.is_open = bool(self.targets)
                yield outcome
        elif outcome.host not in self.unreachable:
            self.unreachable[outcome.host] = error
            yield Notice(f"{error.lines()[0]}; asking again every {self.interval_s:g} s")

    def _ask_for_errors(self, changes: Iterable[JobChange]) -> None:
        """One GetError for each job that went into an error state or failed once more."""
        work = [
            (self.targets[change.host], GetError(change.job_id))
            for change in changes
            if change.after is not None
            and change.after.state.has_error
            and (change.state_changed or _failed_again(change))
        ]
        for outcome in self.session.send(work):
            if isinstance(outcome.value, JobError):
                self.watch.errors[outcome.host, outcome.value.job_id] = outcome.value

    def _decide(self, readable: Iterable[str]) -> Iterator[Event]:
        hosts = set(readable)
        for key in [key for key in self.pending if key[0] in hosts]:
            job = self.watch.jobs.get(key)
            if job is None:
                yield self.judge.left(self.pending.pop(key))
                continue
            self.pending[key] = job
            yield from self._apply(key, job, self.judge.judge(job))

    def _apply(self, key: Key, job: Job, decision: Decision) -> Iterator[Event]:
        outcome: Outcome | None = None
        if decision.action is not None:
            outcome = yield from self._act(job, decision.action)
        elif not decision.ends and job.state is JobState.SUSPENDED and key not in self._noted:
            self._noted.add(key)
            yield Notice(
                f"{job.host}: {job.name!r} is suspended, nothing moves until it is resumed"
            )
        if not decision.ends:
            return
        del self.pending[key]
        if decision.failed:
            fate = decision.fate
            if outcome is not None and not outcome.status.is_well and outcome.error is not None:
                fate = f"and {outcome.error.what()}"
            error = JobFailed(job, self.watch.errors.get(key), fate=fate)
            yield Outcome(host=job.host, status=Status.FAILED, error=error, job_id=job.id)
        else:
            yield outcome or Outcome(host=job.host, value=job, job_id=job.id)

    def _act(
        self, job: Job, action: JobAction
    ) -> Generator[Event, None, Outcome | None]:
        """Send an action; the job is shown from now on as it came out of it."""
        operation = ChangeState(job.id, action, planned_state=job.state, job_name=job.name)
        result: Outcome | None = None
        for outcome in self.call.carry_out(Plan("manage", (Step(job.host, operation),))):
            result = outcome
            for after in outcome.jobs:
                yield JobChange(
                    at=self.session.clock.now(),
                    host=job.host,
                    job_id=job.id,
                    before=job,
                    after=after,
                    error=self.watch.errors.get(key_of(job)),
                )
                if after.state.is_final:
                    self.watch.settle(after)
                else:
                    self.watch.jobs[key_of(after)] = after
        return result

    def _late(self, limit_s: float) -> Iterator[Outcome]:
        for key, job in self.pending.items():
            error = NotReached(job, wanted=self.judge.wanted, limit_s=limit_s)
            if key[0] in self.unreachable:
                error = NotReached(
                    job, wanted=f"{self.judge.wanted} (and the host does not answer)",
                    limit_s=limit_s,
                )
            yield Outcome(host=job.host, status=Status.FAILED, error=error, job_id=job.id)


def gone(job: Job) -> Outcome:
    """The outcome for a job that somebody else took out of the queue."""
    return Outcome(host=job.host, status=Status.FAILED, error=LeftTheQueue(job), job_id=job.id)


def _failed_again(change: JobChange) -> bool:
    before, after = change.before, change.after
    return before is not None and after is not None and after.error_count > before.error_count


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"
