"""The core that shell, command line and magics share: targets, logon, snapshot, resolving, sending.

A session never prints and never asks, except for a password through `Credentials.ask`.
"""

from __future__ import annotations

import getpass
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from bitsshell.bits import Job, JobList, ListJobs, Operation
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.fleet.channels import ChannelPool, Purpose, Task
from bitsshell.fleet.clock import Clock, SystemClock
from bitsshell.fleet.credentials import Credentials
from bitsshell.fleet.fanout import Interrupted, TimeLimit, cut, fan_out, unfinished
from bitsshell.fleet.interrupts import Interrupts
from bitsshell.fleet.logons import Logons
from bitsshell.fleet.resolving import Resolver, rows_of
from bitsshell.fleet.snapshot import Snapshot
from bitsshell.fleet.targets import NO_OPTIONS, Auth, BadHost, LogonOptions, Target, parse_target
from bitsshell.fleet.threads import DaemonExecutor
from bitsshell.journal import Journal, MemoryJournal
from bitsshell.results import HostStatus, Outcome, Plan, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Executor

    from bitsshell.fleet.references import Reference

_TICK_S = 0.1


class NoTarget(UsageError):
    """A verb that acts on hosts was typed and there are none."""

    default_hint = "name them: -H HOST, or once for the session: use HOST"

    def what(self) -> str:
        """Say so."""
        return "no host to act on"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What references mean: pairs of target and job, and what could not be found out.

    `failed` has the hosts that could not be read, or only in part, and listed jobs that are gone.
    """

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
    user: str = field(default_factory=lambda: _user())

    def __post_init__(self) -> None:
        """Nothing is known yet."""
        self.known: dict[str, Target] = {}
        self.targets: tuple[Target, ...] = ()
        self.snapshot = Snapshot()
        self.logon = NO_OPTIONS
        self._deadline: float | None = None
        self.listing: tuple[tuple[str, str], ...] = ()
        self._logons = Logons(self.credentials, self.pool, self.clock)

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
        if merged == known.logon:
            return known
        if not known.typed:
            return self.remember(replace(known, logon=merged))
        # Made anew, for a port or TLS said now changes the endpoint.
        return self.remember(replace(parse_target(known.typed, merged), name=known.name))

    def select(
        self,
        typed: Sequence[str],
        *,
        exclude: Sequence[str] = (),
        logon: LogonOptions = NO_OPTIONS,
    ) -> tuple[Target, ...]:
        """The targets of one command: those typed, else the session's, less those excluded.

        Of several names for one endpoint the first counts.

        Raises:
            NoTarget: nothing is left.
            BadHost: something typed is no host.
        """
        names = list(_split(typed)) if typed else [target.name for target in self.targets]
        chosen: dict[str, Target] = {}
        for name in names:
            target = self.target(name, logon)
            chosen.setdefault(target.url, target)
        for name in _split(exclude):
            chosen.pop(self._excluded(name, logon).url, None)
        if not chosen:
            raise NoTarget()
        return tuple(chosen.values())

    def _excluded(self, typed: str, logon: LogonOptions) -> Target:
        """What is not to be acted on need not be remembered."""
        known = self.known.get(typed.strip().lower())
        return known or parse_target(typed, _merge(self.logon, logon))

    def host_status(self, target: Target) -> HostStatus:
        """What the session knows of a host, without asking it."""
        proven = [known for known in self._logons.proven if self.pool.has_answered(target, known)]
        read = target.name in self.snapshot.read_at
        return HostStatus(
            name=target.name,
            endpoint=target.url,
            auth=str(proven[-1].auth if proven else target.logon.auth or Auth.AUTO),
            user=target.logon.user,
            is_target=target.name in {chosen.name for chosen in self.targets},
            is_connected=bool(proven),
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
            [
                (target, operation(target) if callable(operation) else operation)
                for target in targets
            ],
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
        waiting = deque(work)
        while waiting:
            target, operation = waiting[0]
            try:
                with self.interrupts.immediate():
                    credential = self.credentials.find(target)
                self._logons.check(target, credential)
            except BitsShellError as error:
                error.located(host=target.name)
                yield unfinished(target, operation, Status.FAILED, error)
            except KeyboardInterrupt:
                pairs = [*((task.target, task.operation) for task in tasks), *waiting]
                for pair in pairs:
                    yield cut(*pair, Status.NOT_SENT, Interrupted)
                raise
            else:
                tasks.append(Task(target, credential, operation, purpose))
            waiting.popleft()
        for outcome in fan_out(
            tasks,
            executor=self.executor,
            pool=self.pool,
            gate=self._logons.gate(),
            stop=self._why_stop,
        ):
            self._learn(outcome)
            yield outcome

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
        """Let time pass between two polls.

        Raises KeyboardInterrupt when Ctrl-C was typed, and `TimeLimit`.
        """
        end = self.clock.monotonic() + seconds
        while (why := self._why_stop()) is None:
            left = end - self.clock.monotonic()
            if left <= 0:
                return
            self.clock.wait(min(left, _TICK_S))
        raise why

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
        observe: Callable[[Outcome], object] = lambda _: None,
    ) -> Resolution:
        """What references mean right now, by a fresh read of every target.

        `observe` sees what each target answered, which is all there is when the read is cut off.

        Raises:
            NoSuchJob: one matches nothing, and every host answered.
            AmbiguousReference: a plain one matches several jobs on one host.
            BadReference: a row that the last listing does not have.
        """
        ids = [reference.job_id for reference in references if reference.job_id]
        ids += [job_id for _, job_id in rows_of(references, self.listing)]
        queues: dict[str, JobList] = {}
        failed: list[Outcome] = []
        for outcome in self.look(targets, ids=ids):
            observe(outcome)
            if isinstance(outcome.value, JobList):
                queues[outcome.host] = outcome.value
            else:
                failed.append(outcome)
        resolver = Resolver(queues, self.listing, is_complete=not failed)
        by_name = {target.name: target for target in targets}
        found = tuple((by_name[job.host], job) for job in resolver.jobs(references))
        return Resolution(found, (*failed, *resolver.unsure.values()))

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


def _user() -> str:
    """Who is at work here; in a container the account may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


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
    """Hosts may be several options, or one with commas. An empty one is an error, not no host."""
    for text in typed:
        names = [part for part in text.split(",") if part.strip()]
        if not names:
            raise BadHost(text, "it is empty")
        yield from names
