"""The core that shell, command line and magics share: targets, logon, snapshot, resolving, sending.

A session never prints and never asks, except for a password through `Credentials.ask`.
"""

from __future__ import annotations

import difflib
import getpass
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace

from bitsshell import wsman
from bitsshell.bits import Job, JobList, ListJobs, Operation
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.fleet.channels import ChannelPool, Purpose, Task
from bitsshell.fleet.clock import Clock, SystemClock
from bitsshell.fleet.credentials import Credential, Credentials
from bitsshell.fleet.fanout import WIDTH, DaemonExecutor, TimeLimit, fan_out
from bitsshell.fleet.interrupts import Interrupts
from bitsshell.fleet.references import BadReference, Kind, NoSuchJob, Reference, match
from bitsshell.fleet.snapshot import Snapshot
from bitsshell.fleet.targets import NO_OPTIONS, LogonOptions, Target, parse_target
from bitsshell.journal import Journal, MemoryJournal
from bitsshell.results import HostStatus, Outcome, Plan, Status


_STAGGER_S = 2.0
_TICK_S = 0.1


class NoTarget(UsageError):
    """A verb that acts on hosts was typed and there are none."""

    default_hint = "name them: -H HOST, or once for the session: use HOST"

    def what(self) -> str:
        """Say so."""
        return "no host to act on"


class PasswordRejected(BitsShellError):
    """A new password was rejected by the first host, so it was sent to no other."""

    default_hint = "give the right one and run it again; nothing was sent to this host"

    def what(self) -> str:
        """Say so."""
        return "not sent: the first host rejected this account's new password"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What references mean: pairs of target and job, and the hosts that could not be asked."""

    found: tuple[tuple[Target, Job], ...]
    failed: tuple[Outcome, ...]


@dataclass
class Session:
    """One person's work: where it goes, what is known, what was done.

    Everything that touches the world is passed in, so that a test can put something else there.
    """

    credentials: Credentials = field(default_factory=Credentials)
    pool: ChannelPool = field(default_factory=ChannelPool)
    executor: Executor = field(default_factory=DaemonExecutor)
    journal: Journal = field(default_factory=MemoryJournal)
    clock: Clock = field(default_factory=SystemClock)
    interrupts: Interrupts = field(default_factory=Interrupts)
    user: str = field(default_factory=getpass.getuser)

    def __post_init__(self) -> None:
        """Nothing is known yet."""
        self.known: dict[str, Target] = {}
        self.targets: tuple[Target, ...] = ()
        self.snapshot = Snapshot()
        self.logon = NO_OPTIONS
        self._deadline: float | None = None
        self.listing: tuple[tuple[str, str], ...] = ()
        self._proven: set[Credential] = set()

    # Hosts

    def remember(self, target: Target) -> Target:
        """Know a host by its label from now on."""
        self.known[target.name] = target
        return target

    def target(self, typed: str, logon: LogonOptions = NO_OPTIONS) -> Target:
        """The target for a host as typed: a known one with what is said now on top of it."""
        known = self.known.get(typed.strip().lower())
        if known is None:
            fresh = parse_target(typed, _merge(self.logon, logon))
            known = self.known.get(fresh.name)
            if known is None or known.url != fresh.url:
                return self.remember(fresh)
        merged = _merge(known.logon, logon)
        return known if merged == known.logon else self.remember(replace(known, logon=merged))

    def select(
        self,
        typed: Sequence[str],
        *,
        exclude: Sequence[str] = (),
        logon: LogonOptions = NO_OPTIONS,
    ) -> tuple[Target, ...]:
        """The targets of one command: those typed, else the session's, less those excluded.

        Raises:
            NoTarget: nothing is left.
            BadHost: something typed is no host.
        """
        chosen = [self.target(name, logon) for name in _split(typed)]
        if not chosen:
            chosen = [self.target(target.name, logon) for target in self.targets]
        excluded = {self.target(name).name for name in _split(exclude)}
        left = tuple(dict.fromkeys(target for target in chosen if target.name not in excluded))
        if not left:
            raise NoTarget()
        return left

    def host_status(self, target: Target) -> HostStatus:
        """What the session knows of a host, without asking it."""
        connected = any(self.pool.has_answered(target, known) for known in self._proven)
        read = target.name in self.snapshot.read_at
        return HostStatus(
            name=target.name,
            endpoint=target.url,
            auth=str(target.logon.auth or "auto"),
            user=target.logon.user,
            is_target=target.name in {chosen.name for chosen in self.targets},
            is_connected=connected,
            jobs=len(self.snapshot.jobs.get(target.name, ())) if read else None,
        )

    # Sending

    def ask(
        self,
        targets: Iterable[Target],
        operation: Operation | Callable[[Target], Operation],
        *,
        purpose: Purpose = Purpose.COMMAND,
    ) -> Iterator[Outcome]:
        """One operation on each target, side by side; outcomes as they come."""
        return self.send(
            [(target, operation(target) if callable(operation) else operation) for target in targets],
            purpose=purpose,
        )

    def send(
        self, work: Iterable[tuple[Target, Operation]], *, purpose: Purpose = Purpose.COMMAND
    ) -> Iterator[Outcome]:
        """Carry out operations; learn from the outcomes.

        Credentials are found first, in this thread, so that a prompt comes before anything is
        sent. A password that no host has accepted yet goes to one host first.
        """
        tasks: list[Task] = []
        for target, operation in work:
            try:
                with self.interrupts.immediate():
                    credential = self.credentials.find(target)
            except BitsShellError as error:
                yield Outcome(
                    host=target.name,
                    status=Status.FAILED,
                    error=error.located(host=target.name),
                    job_id=getattr(operation, "job_id", None),
                )
                continue
            tasks.append(Task(target, credential, operation, purpose))
        for outcome in self._send_carefully(tasks):
            self._learn(outcome)
            yield outcome

    def _send_carefully(self, tasks: list[Task]) -> Iterator[Outcome]:
        """All at once where the password is proven, else one account after the other."""
        proven = [task for task in tasks if task.credential in self._proven]
        yield from self._fan_out(proven)
        unproven = [task for task in tasks if task.credential not in self._proven]
        for credential in dict.fromkeys(task.credential for task in unproven):
            yield from self._prove([task for task in unproven if task.credential == credential])

    def _prove(self, tasks: list[Task]) -> Iterator[Outcome]:
        """Try a new password on one host before the others, so that no account gets locked.

        While none has answered, one more host is asked every `_STAGGER_S` seconds: a host that is
        down must not hold the rest.
        """
        credential = tasks[0].credential
        began = self.clock.monotonic()
        rejected = False

        def width() -> int:
            if rejected:
                return 0
            if credential in self._proven:
                return WIDTH
            return 1 + int((self.clock.monotonic() - began) // _STAGGER_S)

        def observe(outcome: Outcome) -> None:
            nonlocal rejected
            error = outcome.error
            if isinstance(error, wsman.AuthenticationRejected):
                rejected = True
                self.credentials.forget(credential)
            elif not isinstance(error, wsman.WSManError) or isinstance(error, wsman.Fault):
                self._proven.add(credential)

        left = yield from self._fan_out(tasks, width=width, observe=observe)
        for task in left:
            yield Outcome(
                host=task.target.name,
                status=Status.NOT_SENT,
                error=PasswordRejected(host=task.target.name),
                job_id=getattr(task.operation, "job_id", None),
            )

    def _fan_out(
        self,
        tasks: Iterable[Task],
        *,
        width: Callable[[], int] = lambda: WIDTH,
        observe: Callable[[Outcome], None] = lambda outcome: None,
    ) -> Generator[Outcome, None, tuple[Task, ...]]:
        return fan_out(
            tasks,
            executor=self.executor,
            pool=self.pool,
            width=width,
            stop=self._why_stop,
            observe=observe,
        )

    def _why_stop(self) -> type[BaseException] | None:
        if self.interrupts():
            return KeyboardInterrupt
        if self._deadline is not None and self.clock.monotonic() >= self._deadline:
            return TimeLimit
        return None

    @contextmanager
    def within(self, limit_s: float | None) -> Iterator[None]:
        """Give all that is sent inside a time limit: `TimeLimit` is raised when it is over.

        One inside another stands in its place until it ends; None is no limit.
        """
        outer = self._deadline
        self._deadline = None if limit_s is None else self.clock.monotonic() + limit_s
        try:
            yield
        finally:
            self._deadline = outer

    def pause(self, seconds: float) -> None:
        """Let time pass between two polls. Raises KeyboardInterrupt when Ctrl-C was typed."""
        end = self.clock.monotonic() + seconds
        while (left := end - self.clock.monotonic()) > 0:
            self.interrupts.check()
            self.clock.wait(min(left, _TICK_S))
        self.interrupts.check()

    # Jobs

    def look(
        self,
        targets: Sequence[Target],
        *,
        properties: tuple[str, ...] | None = None,
        ids: Iterable[str] = (),
        purpose: Purpose = Purpose.COMMAND,
    ) -> Iterator[Outcome]:
        """Read the queues. `ids` are read alone, with the known ones, where that must be."""
        extra = tuple(ids)

        def listing(target: Target) -> ListJobs:
            known = dict.fromkeys((*extra, *self.snapshot.ids_on(target.name)))
            return ListJobs(properties, tuple(known))

        return self.ask(targets, listing, purpose=purpose)

    def resolve(
        self,
        references: Sequence[Reference],
        targets: Sequence[Target],
        *,
        observe: Callable[[Outcome], None] = lambda outcome: None,
    ) -> Resolution:
        """What references mean right now, by a fresh read of every target.

        `observe` sees what each target answered, which is all there is when the read is cut off.

        Raises:
            NoSuchJob: one matches nothing, and every host answered.
            AmbiguousReference: a plain one matches several jobs on one host.
            BadReference: a row that the last listing does not have.
        """
        wanted_ids = [reference.job_id for reference in references if reference.job_id]
        rows = self._rows(references)
        wanted_ids += [job_id for _, job_id in rows]
        jobs: dict[str, tuple[Job, ...]] = {}
        failed: list[Outcome] = []
        for outcome in self.look(targets, ids=wanted_ids):
            observe(outcome)
            if isinstance(outcome.value, JobList):
                jobs[outcome.host] = outcome.value.jobs
            else:
                failed.append(outcome)
        by_name = {target.name: target for target in targets}
        found: dict[tuple[str, str], tuple[Target, Job]] = {}
        for reference in references:
            matches = list(self._matches(reference, jobs, rows))
            if not matches and not failed:
                raise self._no_such_job(reference, jobs)
            for job in matches:
                found[job.host, job.id] = (by_name[job.host], job)
        return Resolution(tuple(found.values()), tuple(failed))

    def _rows(self, references: Sequence[Reference]) -> list[tuple[str, str]]:
        """The (host, job id) pairs that rows of the last listing stand for."""
        pairs = []
        for reference in references:
            for row in reference.rows:
                if row > len(self.listing):
                    raise BadReference(
                        reference.typed,
                        f"is not in the last listing, which has {len(self.listing)} rows",
                        hint="list the jobs first: jobs",
                    )
                pairs.append(self.listing[row - 1])
        return pairs

    def _matches(
        self,
        reference: Reference,
        jobs: dict[str, tuple[Job, ...]],
        rows: Sequence[tuple[str, str]],
    ) -> Iterator[Job]:
        wanted = {self.listing[row - 1] for row in reference.rows}
        for host, here in jobs.items():
            if reference.kind is Kind.ROWS:
                yield from (job for job in here if (host, job.id) in wanted)
            elif reference.kind is Kind.ERRORS:
                listed = set(self.listing)
                yield from (
                    job for job in here if (host, job.id) in listed and job.state.has_error
                )
            else:
                yield from match(reference, here, host=host)

    def _no_such_job(
        self, reference: Reference, jobs: dict[str, tuple[Job, ...]]
    ) -> NoSuchJob:
        names = {job.name for here in jobs.values() for job in here}
        near = difflib.get_close_matches(reference.typed, names, n=3)
        return NoSuchJob(reference.typed, hosts=tuple(jobs), near=near)

    def carry_out(self, plan: Plan) -> Iterator[Outcome]:
        """Send what a plan holds. The dispatcher calls this, after it asked and wrote it down."""
        return self.send((self.known[step.host], step.operation) for step in plan.steps)

    def close(self) -> None:
        """Close every channel."""
        self.pool.close()
        self.executor.shutdown(wait=False)

    def _learn(self, outcome: Outcome) -> None:
        """Keep what an outcome tells of its host."""
        now = self.clock.now()
        if isinstance(outcome.value, JobList):
            self.snapshot = self.snapshot.with_host(outcome.host, outcome.value.jobs, at=now)
        else:
            for job in outcome.jobs:
                self.snapshot = self.snapshot.with_job(job, at=now)


def _merge(known: LogonOptions, said: LogonOptions) -> LogonOptions:
    """What is said now, on top of what is known."""
    unsaid = LogonOptions()
    changes = {
        option.name: getattr(said, option.name)
        for option in fields(LogonOptions)
        if getattr(said, option.name) != getattr(unsaid, option.name)
    }
    return replace(known, **changes)


def _split(typed: Iterable[str]) -> Iterator[str]:
    """Hosts may be several options, or one with commas."""
    for text in typed:
        yield from (part for part in text.split(",") if part.strip())
