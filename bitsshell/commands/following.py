"""Following jobs: poll, see what changed, decide, act. `watch`, `wait`, `manage` and `transfer`.

One enumeration a host and poll, which asks only for what is shown. What to do with a job in each
state is a `Judge`, a pure function of the job, so that a policy can be tested without a clock.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from bitsshell import wsman
from bitsshell.bits import (
    AccessDenied,
    AnswerWasLost,
    BitsError,
    ChangeState,
    GetError,
    Job,
    JobAction,
    JobError,
    JobGone,
    JobList,
    JobState,
    ProviderMissing,
)
from bitsshell.commands.outcomes import JobFailed, LeftTheQueue, NoAnswerYet, NotReached
from bitsshell.errors import BitsShellError, shown
from bitsshell.fleet.fanout import Interrupted, OutOfTime, TimeLimit
from bitsshell.fleet.rounds import PATIENCE_S, Rounds
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

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from bitsshell.commands.declare import Call
    from bitsshell.fleet.fanout import Steps
    from bitsshell.fleet.targets import Target

PERMANENT = (
    wsman.AuthenticationRejected,
    wsman.CertificateRejected,
    wsman.MissingExtra,
    wsman.NoTicket,
    AccessDenied,
    ProviderMissing,
)
"""Errors of a host that do not pass by themselves: following its jobs ends."""

_READING_MAY_PASS = (wsman.WSManError, BitsError)
_ACTING_MAY_PASS = (wsman.WSManError, AnswerWasLost)
"""Errors that may be over at the next poll, unless they are permanent."""

_CUT_OFF = (Interrupted, OutOfTime, wsman.CallAborted)
"""Errors of what this program itself stopped."""

LAST_LOOK_S = 1.0
"""A poll may take at least this long, also the last one, which begins when the time limit comes."""

MAX_TRIES = 3
"""How often an action that got no answer is sent again, each time after a fresh look at the job."""


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
        self.watch = Watch(None if jobs is None else self.pending.values())
        self.unreachable: dict[str, BitsShellError] = {}
        self._rounds = Rounds(self.session.clock, max(interval_s, PATIENCE_S))
        self._answered = {host for host, _ in self.pending}
        self._noted: set[Key] = set()
        self._unsure: dict[Key, Decision] = {}
        self._tries: Counter[Key] = Counter()

    def run(self) -> Iterator[Event]:
        """Changes, frames, notices, and one outcome a job.

        The time limit of the verb begins anew here: a question before it costs nothing.
        """
        with self.session.within(None):
            yield from self._run()

    def _run(self) -> Iterator[Event]:
        began = self.session.clock.monotonic()
        limit = self.call.timeout_s
        try:
            while True:
                is_late = yield from self._poll_within(None if limit is None else began + limit)
                is_final = is_late or not (self.is_open or self.pending)
                yield self._frame(is_final=is_final)
                if is_late and limit is not None:
                    yield from self._late(limit)
                if is_final:
                    return
                left = self.interval_s
                if limit is not None:
                    left = min(left, began + limit - self.session.clock.monotonic())
                (self.call.pause or self.session.pause)(max(left, 0.0))
        except KeyboardInterrupt:
            yield self._frame(is_final=True, is_stopped=True)
            if self.pending:
                go = "1 job goes" if len(self.pending) == 1 else f"{len(self.pending):,} jobs go"
                yield Notice(f"stopped; {go} on without being watched")
            raise
        finally:
            self._rounds.close()

    def _frame(self, *, is_final: bool, is_stopped: bool = False) -> Frame:
        return Frame(
            self.watch.rows(),
            as_of=self.session.clock.now(),
            is_final=is_final,
            is_stopped=is_stopped,
            unreachable=tuple(self.unreachable),
        )

    # Looking

    def _poll_within(self, deadline: float | None) -> Generator[Event, None, bool]:
        """One poll; whether the time limit has come."""
        if deadline is None:
            yield from self._poll()
            return False
        left = deadline - self.session.clock.monotonic()
        try:
            with self.session.within(max(left, LAST_LOOK_S)):
                yield from self._poll()
        except TimeLimit:
            return True
        return self.session.clock.monotonic() >= deadline

    def _poll(self) -> Iterator[Event]:
        """One look at every host that is not late with its answer to an earlier one."""
        wanted = {host for host, _ in self.pending}
        targets = [t for name, t in self.targets.items() if self.is_open or name in wanted]
        jobs: list[Job] = []
        readable: list[str] = []
        try:
            yield from self._answers(targets, jobs, readable)
        except (KeyboardInterrupt, TimeLimit):
            self._see(jobs, readable)  # what had arrived stays in sight
            raise
        changes = self._see(jobs, readable)
        self._ask_for_errors(changes)
        for change in changes:
            error = self.watch.errors.get((change.host, change.job_id))
            yield replace(change, error=error) if error is not None else change
        yield from self._decide(readable)

    def _answers(
        self, targets: Sequence[Target], jobs: list[Job], readable: list[str]
    ) -> Iterator[Event]:
        """Collect the jobs of the hosts that answer, and say what is to be said of the others."""
        for outcome in self._rounds.round(targets, self._read):
            if isinstance(outcome.value, JobList):
                readable.append(outcome.host)
                self._answered.add(outcome.host)
                jobs.extend(outcome.value.jobs)
                if self.unreachable.pop(outcome.host, None) is not None:
                    yield Notice(f"{outcome.host}: answers again")
            else:
                yield from self._unreadable(outcome)
        for host in sorted(self._rounds.late - self.unreachable.keys()):
            yield from self._lost(host, NoAnswerYet(host=host))

    def _see(self, jobs: Iterable[Job], readable: Iterable[str]) -> list[JobChange]:
        return self.watch.look(
            jobs,
            readable=readable,
            at=self.session.clock.now(),
            at_s=self.session.clock.monotonic(),
        )

    def _read(self, targets: Sequence[Target]) -> Steps:
        ids = [job_id for _, job_id in self.pending]
        return self.session.look_patiently(targets, properties=WATCHED_PROPERTIES, ids=ids)

    def _unreadable(self, outcome: Outcome) -> Iterator[Event]:
        """A host that could not be read now: go on, unless it cannot get better by itself."""
        error = outcome.error
        if error is None:
            return
        may_pass = isinstance(error, _READING_MAY_PASS) and not isinstance(error, PERMANENT)
        if isinstance(error, _CUT_OFF) and outcome.host in self._answered:
            self.unreachable.setdefault(outcome.host, error)
        elif not may_pass or outcome.host not in self._answered:
            for key in [key for key in self.pending if key[0] == outcome.host]:
                del self.pending[key]
                yield replace(outcome, job_id=key[1])
            if self.is_open:
                self.targets.pop(outcome.host, None)
                self.is_open = bool(self.targets)
                yield outcome
        else:
            yield from self._lost(outcome.host, error)

    def _lost(self, host: str, error: BitsShellError) -> Iterator[Notice]:
        """Say once that a host does not answer."""
        known = self.unreachable.get(host)
        if known is None or isinstance(known, NoAnswerYet):
            self.unreachable[host] = error
            if not isinstance(error, NoAnswerYet):
                yield Notice(f"{error.lines()[0]}; asking again every {self.interval_s:g} s")
            else:
                others = "; the other hosts go on" if len(self.targets) > 1 else ""
                yield Notice(f"{error.lines()[0]}{others}")

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

    # Deciding and acting

    def _decide(self, readable: Iterable[str]) -> Iterator[Event]:
        hosts = frozenset(readable)
        actions: dict[Key, Decision] = {}
        for key in [key for key in self.pending if key[0] in hosts]:
            job = self.watch.jobs.get(key)
            if job is None:
                yield from self._left(key)
                continue
            self.pending[key] = job
            decision = self.judge.judge(job)
            if decision.action is not None:
                actions[key] = decision
            elif decision.ends:
                yield self._end(key, decision, Outcome(host=job.host, value=job, job_id=job.id))
            elif job.state is JobState.SUSPENDED and key not in self._noted:
                self._noted.add(key)
                yield Notice(
                    f"{job.host}: {shown(job.name)} is suspended, nothing moves until it is resumed"
                )
        if actions:
            yield from self._act(actions)

    def _act(self, decisions: dict[Key, Decision]) -> Iterator[Event]:
        """Send the actions of one poll, to all hosts side by side."""
        steps = []
        for (host, job_id), decision in decisions.items():
            job = self.pending[host, job_id]
            assert decision.action is not None  # noqa: S101  # those without are not in it
            operation = ChangeState(
                job_id, decision.action, planned_state=job.state, job_name=job.name
            )
            steps.append(Step(host, operation))
        for outcome in self.call.carry_out(Plan(self.call.verb, tuple(steps))):
            key = (outcome.host, outcome.job_id or "")
            yield from self._acted(key, decisions[key], outcome)

    def _acted(self, key: Key, decision: Decision, outcome: Outcome) -> Iterator[Event]:
        """What came of an action. One that got no answer is tried again, if it is still right."""
        for after in outcome.jobs:
            yield from self._became(self.pending[key], after)
        if outcome.status.is_well:
            self._tries.pop(key, None)
            if decision.ends:
                yield self._end(key, decision, outcome)
            return
        error = outcome.error
        if isinstance(error, JobGone):
            yield from self._left(key)
        elif isinstance(error, _ACTING_MAY_PASS) and self._may_try_again(key, error):
            if outcome.status is Status.UNKNOWN:
                self._unsure[key] = decision
            yield from self._lost(key[0], error)
        else:
            yield self._end(key, decision, outcome)

    def _may_try_again(self, key: Key, error: BitsShellError) -> bool:
        self._tries[key] += 1
        return self._tries[key] < MAX_TRIES and not isinstance(error, (*PERMANENT, *_CUT_OFF))

    def _became(self, before: Job, after: Job) -> Iterator[JobChange]:
        """Show a job from now on as it came out of an action."""
        key = key_of(after)
        yield JobChange(
            at=self.session.clock.now(),
            host=after.host,
            job_id=after.id,
            before=before,
            after=after,
            error=self.watch.errors.get(key),
        )
        if after.state.is_final:
            self.watch.settle(after)
        else:
            self.watch.jobs[key] = after

    def _left(self, key: Key) -> Iterator[Event]:
        """A job is gone: by an action of ours whose answer was lost, or by somebody else's."""
        job = self.pending[key]
        decision = self._unsure.get(key)
        final = decision.action.final_state if decision and decision.action is not None else None
        if decision is None or final is None:
            del self.pending[key]
            yield self.judge.left(job)
            return
        after = replace(job, state=final)
        yield from self._became(job, after)
        yield self._end(key, decision, Outcome(host=job.host, value=after, job_id=job.id))

    def _end(self, key: Key, decision: Decision, outcome: Outcome) -> Outcome:
        """Follow a job no more; how it ended."""
        job = self.pending.pop(key)
        if not decision.failed:
            return outcome
        fate = decision.fate
        if outcome.error is not None and not outcome.status.is_well:
            fate = f"{outcome.planned or 'an action'}: {outcome.error.what()}"
        error = JobFailed(job, self.watch.errors.get(key), fate=fate)
        return Outcome(host=job.host, status=Status.FAILED, error=error, job_id=job.id)

    def _late(self, limit_s: float) -> Iterator[Outcome]:
        for key, job in self.pending.items():
            wanted = self.judge.wanted
            if key[0] in self.unreachable:
                wanted += " (and the host does not answer)"
            error = NotReached(job, wanted=wanted, limit_s=limit_s)
            yield Outcome(host=job.host, status=Status.FAILED, error=error, job_id=job.id)


def gone(job: Job) -> Outcome:
    """The outcome for a job that somebody else took out of the queue."""
    return Outcome(host=job.host, status=Status.FAILED, error=LeftTheQueue(job), job_id=job.id)


def _failed_again(change: JobChange) -> bool:
    before, after = change.before, change.after
    return before is not None and after is not None and after.error_count > before.error_count
