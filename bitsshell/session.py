"""The core that shell, command line and magics share: targets, logon, snapshot, resolving, sending.

A session never prints and never asks, except for a password through `Credentials.ask`.
"""

from __future__ import annotations

import getpass
import threading
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

from bitsshell import wsman
from bitsshell.bits import Job, JobList, ListJobs, Operation
from bitsshell.config import NO_CONFIG, Config
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.fleet.channels import ChannelPool, Purpose, Task
from bitsshell.fleet.clock import Clock, SystemClock
from bitsshell.fleet.credentials import Credentials
from bitsshell.fleet.fanout import (
    Interrupted,
    TimeLimit,
    cut,
    fan_out,
    nobody_looks,
    outcomes_of,
    unfinished,
)
from bitsshell.fleet.followed import Followed, News
from bitsshell.fleet.hostsets import HostSets
from bitsshell.fleet.interrupts import Interrupts
from bitsshell.fleet.inventory import merge
from bitsshell.fleet.knowledge import Knowledge
from bitsshell.fleet.logons import Logons
from bitsshell.fleet.places import Places
from bitsshell.fleet.resolving import Resolver, rows_of
from bitsshell.fleet.snapshot import Snapshot
from bitsshell.fleet.targets import NO_OPTIONS, Auth, LogonOptions, Target, parse_target
from bitsshell.fleet.threads import DaemonExecutor
from bitsshell.journal import Journal, MemoryJournal
from bitsshell.results import HostStatus, Outcome, Plan, Status
from bitsshell.run_context import is_in_run, is_what_if_run, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from concurrent.futures import Executor
    from datetime import datetime

    from bitsshell.fleet.fanout import Steps
    from bitsshell.fleet.knowledge import SnapshotFile
    from bitsshell.fleet.references import Reference
    from bitsshell.recorder import Recorder
    from bitsshell.transcript import Transcript

_TICK_S = 0.1

FAILED_HOSTS = "%failed-hosts"
"""The host reference for those on which the last command failed."""


class NoTarget(UsageError):
    """A verb that acts on hosts was typed and there are none."""

    default_hint = "name them: -H HOST, or once for the session: use HOST"

    def what(self) -> str:
        """Say so."""
        return self.message or "no host to act on"


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
    front: str = "api"
    """Which front end it serves, for the journal."""
    clock: Clock = field(default_factory=SystemClock)
    interrupts: Interrupts = field(default_factory=Interrupts)
    user: str = field(default_factory=lambda: _user())
    config: Config = NO_CONFIG
    kept: SnapshotFile | None = None
    """Where what was learned is written for the OS shells; None keeps nothing."""
    runbooks: Callable[[], object] | None = None
    """Gives what the verbs `run` and `record` need (`commands.runbook.Runbooks`)."""

    def __post_init__(self) -> None:
        """Nothing is known yet."""
        self.known: dict[str, Target] = {}
        self._targets: tuple[Target, ...] = ()
        self.snapshot = Snapshot()
        self.places = Places()
        self.followed = Followed()
        self.said_of_journal = ""
        """Why the journal could not be written, as it was last said."""
        self.down: frozenset[str] = frozenset()
        """Labels of hosts that could not be reached when they were last asked."""
        self.waiting: Callable[[Collection[str] | None], None] = nobody_looks
        """Told which hosts a command waits for, as `fan_out` says it."""
        self.what_if = is_what_if_run()
        self.transcript: Transcript | None = None
        self.recorder: Recorder | None = None
        self.last_words: tuple[str, ...] = ()
        """The last command that acted on hosts, for `retry`."""
        self.failed_hosts: tuple[str, ...] = ()
        """Labels of the hosts on which it failed: `%failed-hosts`."""
        self.read_only = self.config.is_read_only
        self._learning = threading.Lock()
        self._told: dict[str, HostStatus] = {}
        self.logon = NO_OPTIONS
        self._deadline: float | None = None
        self.listing: tuple[tuple[str, str], ...] = ()
        self.logons = Logons(self.credentials, self.pool, self.clock)

    # Hosts

    @property
    def targets(self) -> tuple[Target, ...]:
        """The hosts that commands act on, with all that was said of them since they were chosen."""
        return tuple(self.known.get(target.name, target) for target in self._targets)

    @targets.setter
    def targets(self, targets: tuple[Target, ...]) -> None:
        self._targets = targets

    def remember(self, target: Target) -> Target:
        """Know a host by its label from now on."""
        self.known[target.name] = target
        return target

    def target(self, typed: str, logon: LogonOptions = NO_OPTIONS) -> Target:
        """The target for a host as typed: a known one with what is said now on top of it."""
        known = self.known.get(typed.strip().lower())
        if known is None:
            fresh = self.config.inventory.target(typed, merge(self.logon, logon))
            known = self.known.get(fresh.name)
            if known is None or known.url != fresh.url:
                return self.remember(fresh)
        merged = merge(known.logon, logon)
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
        many: bool = False,
    ) -> tuple[Target, ...]:
        """The targets of one command: those typed, else the session's, less those excluded.

        Of several names for one endpoint the first counts. `many` lets long ranges pass.

        Raises:
            NoTarget: nothing is left.
            UsageError: something typed is no host, no group, or too many.
        """
        sets = self._host_sets(logon)
        typed, exclude = self._with_failed(typed), self._with_failed(exclude)
        names = sets.expand(typed, many=many) if typed else [t.name for t in self.targets]
        chosen: dict[str, Target] = {}
        for name in names:
            target = self.target(name, logon)
            chosen.setdefault(target.url, target)
        for name in sets.expand(exclude, many=True) if exclude else ():
            chosen.pop(sets.key(name), None)
        if not chosen:
            raise NoTarget()
        return tuple(chosen.values())

    def all_hosts(self) -> tuple[Target, ...]:
        """Every host that is known or configured."""
        for name in self.config.inventory.hosts:
            self.target(name)
        return tuple(self.known.values())

    def addresses(self) -> dict[str, str]:
        """Where each host is by its name, those of the configuration included, for completion."""
        configured = {name: host.typed for name, host in self.config.inventory.hosts.items()}
        return configured | {name: target.url for name, target in self.known.items()}

    def _with_failed(self, typed: Sequence[str]) -> tuple[str, ...]:
        """Host references with `%failed-hosts` written out. Raises `NoTarget` for none."""
        found: list[str] = []
        for text in typed:
            if text.strip().lower() != FAILED_HOSTS:
                found.append(text)
            elif self.failed_hosts:
                found.extend(self.failed_hosts)
            else:
                raise NoTarget(f"{FAILED_HOSTS} are none: no host failed in the last command")
        return tuple(found)

    def _host_sets(self, logon: LogonOptions) -> HostSets:
        def endpoint(typed: str) -> str:
            """What is only compared, or not to be acted on, need not be remembered."""
            known = self.known.get(typed.strip().lower())
            return (known or self.config.inventory.target(typed, merge(self.logon, logon))).url

        return HostSets(self.config.inventory.members, key=endpoint)

    def ask_again(self, targets: Sequence[Target]) -> None:
        """Ask for the passwords of hosts that rejected what there is for them (`login`).

        What is typed for these hosts, now or next, is sent there, the same as before or another
        one.
        """
        for target in targets:
            with suppress(BitsShellError), self.interrupts.immediate():  # sending says it
                known = self.credentials.at_hand(target)
                self.logons.begin_anew(target, known)
                if self.credentials.ask and self.logons.is_rejected(target, known):
                    typed = self.credentials.ask_again(target, known)
                    self.logons.note_typed(target, typed)

    def log_out(self, targets: Sequence[Target], *, keyring: bool = False) -> None:
        """Close the channels to hosts and forget what was used to log on to them.

        With `keyring`, out of the system's keyring, too.
        """
        for target in targets:
            for credential in self.credentials.forget_logon(target, keyring=keyring):
                self.logons.proven.discard(credential)
            self.pool.drop(target)

    def save_passwords(self, targets: Sequence[Target]) -> list[str]:
        """Keep the passwords that hosts accepted in the system's keyring; return the users."""
        found = {self.credentials.find(target) for target in targets}
        accepted = [credential for credential in found if credential in self.logons.proven]
        saved = [self.credentials.save(credential) for credential in accepted]
        return sorted({user for user in saved if user is not None})

    def configure(self, config: Config) -> None:
        """Take what a configuration says."""
        self.config = config
        self.read_only = config.is_read_only

    def why_read_only(self, target: Target) -> str | None:
        """What keeps a host from being changed, None where nothing does."""
        if self.read_only:
            return "this session"
        return self.config.inventory.why_read_only(target)

    def host_status(self, target: Target) -> HostStatus:
        """What the session knows of a host, without asking it."""
        accepted = self.logons.accepted(target)
        read = target.name in self.snapshot.read_at
        return HostStatus(
            name=target.name,
            endpoint=target.url,
            auth=str(accepted.auth if accepted else target.logon.auth or Auth.AUTO),
            user=(accepted.username if accepted else None) or target.logon.user,
            is_target=target.name in {chosen.name for chosen in self._targets},
            is_connected=accepted is not None,
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
        """Carry out operations; learn from the outcomes, which come as they come."""
        return outcomes_of(self.steps(work, purpose=purpose))

    def steps(
        self, work: Iterable[tuple[Target, Operation]], *, purpose: Purpose = Purpose.COMMAND
    ) -> Steps:
        """As `send`, and `Pending` whenever nothing came for a moment.

        Credentials are found first, in this thread, so that a prompt comes before anything is
        sent. A password that no host has accepted yet goes to one host first.
        """
        tasks: list[Task] = []
        waiting = deque(work)
        while waiting:
            target, operation = waiting[0]
            try:
                with self.interrupts.immediate():
                    credential = self.credentials.find(
                        target, partial(self.logons.note_typed, target)
                    )
                self.logons.check(target, credential)
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
        for step in fan_out(
            tasks,
            executor=self.executor,
            pool=self.pool,
            gate=self.logons.gate(),
            stop=self._why_stop,
            waiting=self.waiting,
        ):
            if isinstance(step, Outcome):
                self.learn(step)
                self._suggest(step)
            yield step

    def _suggest(self, outcome: Outcome) -> None:
        """Name hosts that may be meant where nobody knows a name."""
        error = outcome.error
        if isinstance(error, wsman.ConnectFailed) and error.kind == "name":
            known = {*self.config.inventory.hosts, *self.snapshot.read_at} - {outcome.host}
            error.near = tuple(get_close_matches(outcome.host, known, n=2))

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
        return self.send(self._listings(targets, properties, ids), purpose=purpose)

    def look_patiently(
        self,
        targets: Sequence[Target],
        *,
        properties: tuple[str, ...] | None = None,
        ids: Iterable[str] = (),
    ) -> Steps:
        """As `look`, and `Pending` whenever nothing came for a moment."""
        return self.steps(self._listings(targets, properties, ids))

    def _listings(
        self, targets: Sequence[Target], properties: tuple[str, ...] | None, ids: Iterable[str]
    ) -> list[tuple[Target, Operation]]:
        extra = tuple(ids)
        return [
            (
                target,
                ListJobs(
                    properties,
                    tuple(dict.fromkeys((*extra, *self.snapshot.ids_on(target.name)))),
                ),
            )
            for target in targets
        ]

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
        """Close every channel and the journal, and keep what was learned."""
        self.pool.close()
        self.journal.close()
        self.executor.shutdown(wait=False)
        if self.kept is not None:
            self.kept.flush(self.knowledge)

    def learn(self, outcome: Outcome, *, asked_at: datetime | None = None) -> tuple[News, ...]:
        """Keep what an outcome tells of its host; what of it is news.

        For whoever asks hosts by other ways than `send`. An answer to what was `asked_at` a moment
        after which the host was read again is too late, and says nothing. Any thread may call it.
        """
        with self._learning:
            known = self.snapshot.read_at.get(outcome.host)
            if asked_at is not None and known is not None and known > asked_at:
                return ()
            return self._learned(outcome)

    def _learned(self, outcome: Outcome) -> tuple[News, ...]:
        now = self.clock.now()
        self._note_standing(outcome)
        self._tell_run(outcome.host)
        value = outcome.value
        if isinstance(value, JobList):
            self.snapshot = self.snapshot.with_host(outcome.host, value.jobs, at=now)
            self.places.learn(value.jobs)
            news = self.followed.seen(outcome.host, value.jobs, is_whole=not value.partial)
        else:
            news = ()
            for job in outcome.jobs:
                self.snapshot = self.snapshot.with_job(job, at=now)
                self.places.learn([job])
                if outcome.planned is not None:
                    self.followed.changed(job)
                else:
                    self.followed.seen(job.host, [job], is_whole=False)
        if self.kept is not None:
            self.kept.note(self.knowledge)
        return news

    def _note_standing(self, outcome: Outcome) -> None:
        if isinstance(outcome.error, _DOWN):
            self.down |= {outcome.host}
        elif outcome.error is None and outcome.host in self.down:
            self.down -= {outcome.host}

    def _tell_run(self, host: str) -> None:
        """Let the run that this is part of know where its commands went, and as whom."""
        target = self.known.get(host)
        if target is None or not is_in_run():
            return
        known = replace(self.host_status(target), jobs=None, is_target=False)
        if self._told.get(host) != known:
            self._told[host] = known
            tell(
                "host",
                name=known.name,
                endpoint=known.endpoint,
                auth=known.auth,
                user=known.user,
                is_tls=target.is_encrypted,
                has_answered=known.is_connected,
            )

    def knowledge(self) -> Knowledge:
        """What completion knows, at this moment."""
        hosts = {name: target.url for name, target in list(self.known.items())}
        return Knowledge(hosts, self.snapshot, tuple(self.places.folders), tuple(self.places.urls))


_DOWN = (wsman.ConnectFailed, wsman.AnswerTimeout)


def _user() -> str:
    """Who is at work here; in a container the account may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"
