"""Fan-out: many tasks side by side, outcomes as they come, and an interrupt that is heard at once."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Any, TypeVar

from bitsshell.errors import BitsShellError
from bitsshell.fleet.channels import ChannelPool, Task
from bitsshell.fleet.targets import Target
from bitsshell.results import Outcome, Status

T = TypeVar("T")

WIDTH = 64
"""How many hosts are worked on at the same time. Threads that wait cost little."""
GRACE_S = 0.4
"""How long an interrupt waits for what is under way before it breaks the connections."""
_TICK_S = 0.1
"""Windows delivers Ctrl-C only between waits."""


class DaemonExecutor(Executor):
    """A thread pool whose threads never keep the process alive.

    `concurrent.futures.ThreadPoolExecutor` joins its threads when the interpreter ends, so that
    one host that never answers would hold the whole program.
    """

    def __init__(self, max_workers: int = WIDTH) -> None:
        self._max_workers = max_workers
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)
        self._guard = threading.Lock()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run a call in a thread of the pool."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001  # it belongs to whoever asks the future
                future.set_exception(error)

        self._work.put(run)
        if not self._idle.acquire(blocking=False):
            self._add_thread()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let idle threads end. Nothing is waited for: the threads are daemons."""
        del wait, cancel_futures
        with self._guard:
            for _ in self._threads:
                self._work.put(None)
            self._threads.clear()

    def _add_thread(self) -> None:
        with self._guard:
            if len(self._threads) >= self._max_workers:
                return
            name = f"bitsshell-{len(self._threads) + 1}"
            thread = threading.Thread(target=self._serve, name=name, daemon=True)
            self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while (run := self._work.get()) is not None:
            run()
            self._idle.release()


class TimeLimit(Exception):  # noqa: N818  # an ending, as KeyboardInterrupt is
    """The time limit of the command is over."""


class OutOfTime(BitsShellError):
    """The task was not finished, or not started, when the command's time limit came."""

    is_change: bool
    was_sent: bool

    def what(self) -> str:
        """Say what is known of it."""
        return _cut_off("the time limit came", is_change=self.is_change, was_sent=self.was_sent)

    @property
    def hint(self) -> str | None:
        """A change that was sent must be looked at."""
        return "look at the job: show" if self.is_change and self.was_sent else "give it more time"


class Interrupted(BitsShellError):
    """The task was not finished, or not started, when the command was interrupted."""

    is_change: bool
    was_sent: bool

    def what(self) -> str:
        """Say what is known of it."""
        return _cut_off("interrupted", is_change=self.is_change, was_sent=self.was_sent)

    @property
    def hint(self) -> str | None:
        """A change that was sent must be looked at."""
        return "look at the job: show" if self.is_change and self.was_sent else None


def _cut_off(why: str, *, is_change: bool, was_sent: bool) -> str:
    if not was_sent:
        return f"not sent: {why} before its turn"
    if is_change:
        return f"{why} under way: whether it took effect is UNKNOWN"
    return f"{why} before the host answered"


class _Backlog:
    """Tasks that wait for their turn: one at a time on each host, in the order given."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._by_host: dict[Target, deque[Task]] = {}
        for task in tasks:
            self._by_host.setdefault(task.target, deque()).append(task)
        self._free = deque(self._by_host)

    def take(self) -> Task | None:
        """The next task of a host that is not at work."""
        return self._by_host[self._free.popleft()].popleft() if self._free else None

    def done(self, task: Task) -> None:
        """A host has answered and may have its next task."""
        if self._by_host[task.target]:
            self._free.append(task.target)

    def rest(self) -> tuple[Task, ...]:
        """What was never taken."""
        return tuple(task for tasks in self._by_host.values() for task in tasks)


def fan_out(
    tasks: Iterable[Task],
    *,
    executor: Executor,
    pool: ChannelPool,
    width: Callable[[], int] = lambda: WIDTH,
    stop: Callable[[], type[BaseException] | None] = lambda: None,
    observe: Callable[[Outcome], None] = lambda outcome: None,
) -> Generator[Outcome, None, tuple[Task, ...]]:
    """Perform tasks side by side and yield their outcomes as they come.

    Tasks for one host run one after the other in the order given. `width` says how many hosts may
    be at work at the moment and is asked again and again; at 0 what is under way is finished, and
    the tasks that were not started are returned. `observe` sees every outcome before `width` is
    asked again.

    `stop` says whether to stop, by the exception to raise in the end (KeyboardInterrupt or
    `TimeLimit`): no task is started any more, what is under way gets `GRACE_S` seconds, then its
    connections are broken. Every task still gets its outcome (done, not sent or unknown) first.
    """
    backlog = _Backlog(tasks)
    running: dict[Future[Outcome], Task] = {}
    try:
        while True:
            if (why := stop()) is not None:
                raise why
            while len(running) < width() and (task := backlog.take()) is not None:
                running[executor.submit(pool.perform, task)] = task
            if not running:
                return backlog.rest()
            finished, _ = wait(running, timeout=_TICK_S, return_when=FIRST_COMPLETED)
            for future in finished:
                backlog.done(running.pop(future))
                observe(future.result())
                yield future.result()
    except (KeyboardInterrupt, TimeLimit) as ending:
        cut_off = OutOfTime if isinstance(ending, TimeLimit) else Interrupted
        yield from _wind_up(running, backlog, pool, cut_off)
        raise


def _wind_up(
    running: dict[Future[Outcome], Task],
    backlog: _Backlog,
    pool: ChannelPool,
    cut_off: type[OutOfTime | Interrupted],
) -> Iterator[Outcome]:
    for future in list(running):
        if future.cancel():
            yield _left(running.pop(future), Status.NOT_SENT, cut_off)
    wait(running, timeout=GRACE_S)
    if not all(future.done() for future in running):
        pool.abort()
    for future, task in running.items():
        if future.done():
            yield future.result()
        else:
            yield _left(task, Status.UNKNOWN if task.is_change else Status.FAILED, cut_off)
    for task in backlog.rest():
        yield _left(task, Status.NOT_SENT, cut_off)


def _left(task: Task, status: Status, cut_off: type[OutOfTime | Interrupted]) -> Outcome:
    return Outcome(
        host=task.target.name,
        status=status,
        error=cut_off(
            host=task.target.name,
            is_change=task.is_change,
            was_sent=status is not Status.NOT_SENT,
        ),
        job_id=getattr(task.operation, "job_id", None),
        planned=task.operation.describe() if task.is_change else None,
    )
