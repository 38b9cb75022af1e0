"""Fan-out: many tasks side by side, outcomes as they come, an interrupt that is heard at once."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from bitsshell.bits import CreateJob, Effect
from bitsshell.errors import BitsShellError
from bitsshell.fleet.channels import ChannelPool, InternalError, Task
from bitsshell.fleet.threads import MAX_THREADS
from bitsshell.results import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from bitsshell.bits import Operation
    from bitsshell.fleet.credentials import Credential
    from bitsshell.fleet.targets import Target

WIDTH = MAX_THREADS
"""How many hosts are worked on at the same time."""
GRACE_S = 0.4
"""How long an interrupt waits for what is under way before it breaks the connections."""
_TICK_S = 0.1
"""Windows delivers Ctrl-C only between waits."""


class TimeLimit(Exception):
    """The time limit of the command is over. An ending, as KeyboardInterrupt is."""


class CutOff(BitsShellError):
    """Base: a task was not finished, or not started, when its command was ended.

    `reference` is the mark of a create, by which its job can be found later.
    """

    why: ClassVar[str] = "stopped"
    is_change: bool
    was_sent: bool
    reference: str | None

    def __init__(
        self,
        *,
        is_change: bool,
        was_sent: bool,
        reference: str | None = None,
        host: str | None = None,
        job: str | None = None,
    ) -> None:
        super().__init__(
            host=host, job=job, is_change=is_change, was_sent=was_sent, reference=reference
        )

    def what(self) -> str:
        """Say what is known of it."""
        if not self.was_sent:
            return f"{self.why} before its turn"
        if self.is_change:
            return f"{self.why} under way: whether it took effect is UNKNOWN"
        return f"{self.why} before the host answered"

    @property
    def hint(self) -> str | None:
        """A change that was sent must be looked at."""
        if not (self.is_change and self.was_sent):
            return super().hint
        if self.reference:
            return f"look for it: show ref:{self.reference}"
        return "look at the job: show JOB"


class OutOfTime(CutOff):
    """The task was not finished, or not started, when the command's time limit came."""

    why = "the time limit came"
    default_hint = "give it more time"


class Interrupted(CutOff):
    """The task was not finished, or not started, when the command was interrupted."""

    why = "interrupted"


class Gate(Protocol):
    """Says which tasks may start; `fleet.logons` has the one that spares accounts."""

    def admits(self, credential: Credential, running: int) -> bool:
        """Whether one more may start while `running` with this credential are at work.

        It must admit the first: a fan-out waits for nothing but what it started.
        """

    def refuses(self, credential: Credential) -> type[BitsShellError] | None:
        """Why nothing may start with this credential any more, None while it may."""

    def observe(self, task: Task, outcome: Outcome) -> None:
        """Learn from an outcome, before anything else is asked."""


class OpenGate:
    """Lets everything start at once."""

    def admits(self, credential: Credential, running: int) -> bool:
        """Always."""
        del credential, running
        return True

    def refuses(self, credential: Credential) -> type[BitsShellError] | None:
        """Never."""
        del credential
        return None

    def observe(self, task: Task, outcome: Outcome) -> None:
        """Nothing to learn."""


class _Backlog:
    """Tasks that wait for their turn: one at a time on each host, in the order given."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._by_host: dict[Target, deque[Task]] = {}
        self._free: dict[Credential, deque[Target]] = {}
        for task in tasks:
            waiting = self._by_host.setdefault(task.target, deque())
            if not waiting:
                self._free.setdefault(task.credential, deque()).append(task.target)
            waiting.append(task)

    def take(self, may_start: Callable[[Credential], bool]) -> Task | None:
        """The next task of a host that is not at work."""
        for credential, free in self._free.items():
            if free and may_start(credential):
                return self._by_host[free.popleft()].popleft()
        return None

    def done(self, task: Task) -> None:
        """A host has answered and may have its next task."""
        if waiting := self._by_host[task.target]:
            self._free[waiting[0].credential].append(task.target)

    def refused(
        self, why: Callable[[Credential], type[BitsShellError] | None]
    ) -> Iterator[tuple[Task, type[BitsShellError]]]:
        """Take out every task that is not to be started, each with the reason."""
        for credential, free in self._free.items():
            reason = why(credential) if free else None
            while reason is not None and free:
                waiting = self._by_host[free.popleft()]
                while waiting:
                    yield waiting.popleft(), reason

    def hosts(self) -> Iterator[str]:
        """Labels of those that have tasks waiting."""
        return (target.name for target, tasks in self._by_host.items() if tasks)

    def rest(self) -> Iterator[Task]:
        """What was never taken."""
        for tasks in self._by_host.values():
            yield from tasks


def nobody_looks(hosts: Collection[str] | None) -> None:
    """Show nobody which hosts are waited for."""
    del hosts


@dataclass(frozen=True, slots=True)
class Pending:
    """Nothing came for a moment; these hosts still have something to do."""

    hosts: frozenset[str]


Steps = Generator[Outcome | Pending, None, None]
"""A fan-out that can be left whenever nothing comes, and gone on with."""


def fan_out(
    tasks: Iterable[Task],
    *,
    executor: Executor,
    pool: ChannelPool,
    gate: Gate | None = None,
    width: int = WIDTH,
    stop: Callable[[], type[BaseException] | None] = lambda: None,
    waiting: Callable[[Collection[str] | None], None] = nobody_looks,
) -> Steps:
    """Perform tasks side by side and yield their outcomes as they come; every task gets one.

    Whenever nothing came for a tenth of a second it yields `Pending`, so that it can be left for
    something else, and gone on with.

    Tasks for one host run one after the other in the order given, on at most `width` hosts at the
    same time and as `gate` allows.

    `stop` says whether to stop, by the exception to raise in the end (KeyboardInterrupt or
    `TimeLimit`): no task is started any more, what is under way gets `GRACE_S` seconds, then its
    connections are broken. Every task still gets its outcome (done, not sent or unknown) first.

    `waiting` is told the hosts that are at work, whenever some of them answered and ten times a
    second, no hosts before anything is yielded, and None when all is over.
    """
    gate = gate or OpenGate()
    backlog = _Backlog(tasks)
    running: dict[Future[Outcome], Task] = {}
    at_work: Counter[Credential] = Counter()

    def may_start(credential: Credential) -> bool:
        return len(running) < width and gate.admits(credential, at_work[credential])

    try:
        while True:
            if (why := stop()) is not None:
                raise why
            for task, reason in backlog.refused(gate.refuses):
                error = reason(host=task.target.name)
                yield unfinished(task.target, task.operation, Status.NOT_SENT, error)
            while (task_ := backlog.take(may_start)) is not None:
                running[_submit(executor, pool, task_)] = task_
                at_work[task_.credential] += 1
            if not running:
                return
            waiting({task.target.name for task in running.values()})
            finished, _ = wait(running, timeout=_TICK_S, return_when=FIRST_COMPLETED)
            if finished:
                waiting(())
            else:
                at_it = {task.target.name for task in running.values()}
                yield Pending(frozenset(at_it.union(backlog.hosts())))
            for future in finished:
                outcome, task = _outcome_of(future, running[future]), running.pop(future)
                at_work[task.credential] -= 1
                gate.observe(task, outcome)
                backlog.done(task)
                yield outcome
    except (KeyboardInterrupt, TimeLimit) as ending:
        cut_off = OutOfTime if isinstance(ending, TimeLimit) else Interrupted
        waiting(())
        yield from _wind_up(running, pool, cut_off)
        for task in backlog.rest():
            yield cut(task.target, task.operation, Status.NOT_SENT, cut_off)
        raise
    finally:
        waiting(None)
        if not all(future.done() for future in running):
            # Left in the midst of it, as by a second Ctrl-C: a call that hangs would keep its
            # channel from the next command.
            pool.abort()


def outcomes_of(steps: Steps) -> Iterator[Outcome]:
    """The outcomes of a fan-out that is waited for to its end."""
    with closing(steps):
        yield from (step for step in steps if isinstance(step, Outcome))


def _submit(executor: Executor, pool: ChannelPool, task: Task) -> Future[Outcome]:
    try:
        return executor.submit(pool.perform, task)
    except Exception as error:  # noqa: BLE001  # an executor from elsewhere may be broken
        failed: Future[Outcome] = Future()
        failed.set_exception(error)
        return failed


def _outcome_of(future: Future[Outcome], task: Task) -> Outcome:
    """What a future gives. `perform` raises nothing, but an executor from elsewhere may break."""
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001  # whatever broke, the other hosts go on
        status = Status.UNKNOWN if task.is_change else Status.FAILED
        internal = InternalError(
            host=task.target.name, kind=type(error).__name__, detail=str(error)
        )
        return unfinished(task.target, task.operation, status, internal)


def _wind_up(
    running: dict[Future[Outcome], Task], pool: ChannelPool, cut_off: type[CutOff]
) -> Iterator[Outcome]:
    for future in list(running):
        if future.cancel():
            task = running.pop(future)
            yield cut(task.target, task.operation, Status.NOT_SENT, cut_off)
    finished, broken_off = wait(running, timeout=GRACE_S)
    if broken_off:
        pool.abort()
    for future, task in running.items():
        # What a call says of its own breaking off is no news, and comes sooner or later.
        if future in finished:
            yield _outcome_of(future, task)
        else:
            status = Status.UNKNOWN if task.is_change else Status.FAILED
            yield cut(task.target, task.operation, status, cut_off)


def cut(target: Target, operation: Operation, status: Status, cut_off: type[CutOff]) -> Outcome:
    """The outcome of an operation that its command does not wait for any longer."""
    error = cut_off(
        host=target.name,
        is_change=operation.effect is not Effect.READ,
        was_sent=status is not Status.NOT_SENT,
        reference=operation.reference if isinstance(operation, CreateJob) else None,
        job=getattr(operation, "job_name", None) or getattr(operation, "job_id", None),
    )
    return unfinished(target, operation, status, error)


def unfinished(
    target: Target, operation: Operation, status: Status, error: BitsShellError
) -> Outcome:
    """The outcome of an operation that never came to its end."""
    return Outcome(
        host=target.name,
        status=status,
        error=error,
        job_id=getattr(operation, "job_id", None),
        planned=operation.describe() if operation.effect is not Effect.READ else None,
    )
