"""Many tasks side by side, on scripted pools: order, width, endings, and executors that break."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Executor, Future
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

import pytest
from at_hand import taken

from bitsshell.bits import ChangeState, CreateJob, FileSpec, GetJob, JobAction, ListJobs
from bitsshell.errors import BitsShellError
from bitsshell.fleet import fanout
from bitsshell.fleet.channels import ChannelPool, InternalError, Task
from bitsshell.fleet.credentials import Credential
from bitsshell.fleet.fanout import CutOff, Interrupted, OutOfTime, TimeLimit, fan_out, outcomes_of
from bitsshell.fleet.targets import Auth, Target
from bitsshell.fleet.threads import DaemonExecutor
from bitsshell.results import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bitsshell.bits import Operation

ANN = Credential(Auth.NTLM, "ann", "x")
BOB = Credential(Auth.NTLM, "bob", "x")
ID = "9D5C4B47-E79E-4090-BC3B-552578D0EC8C"
CANCEL = ChangeState(ID, JobAction.CANCEL)
CREATE = CreateJob(name="n", files=(FileSpec("http://f/a", r"C:\in\a"),), reference="0123456789")
WAIT_S = 20.0


def task(host: str, operation: Operation | None = None, credential: Credential = ANN) -> Task:
    return Task(Target(name=host, url=f"http://{host}/wsman"), credential, operation or ListJobs())


class ScriptedPool(ChannelPool):
    """Performs tasks by a function, and notes the order."""

    def __init__(self, act: Callable[[Task], Outcome] | None = None) -> None:
        super().__init__()
        self.act = act or (lambda task: Outcome(host=task.target.name))
        self.began: list[str] = []
        self.at_work = 0
        self.widest = 0
        self.aborted = threading.Event()
        self._lock = threading.Lock()

    def perform(self, task: Task) -> Outcome:
        with self._lock:
            self.began.append(task.target.name)
            self.at_work += 1
            self.widest = max(self.widest, self.at_work)
        try:
            return self.act(task)
        finally:
            with self._lock:
                self.at_work -= 1

    def abort(self) -> None:
        self.aborted.set()


def perform(tasks: Iterable[Task], **options: Any) -> Iterator[Outcome]:
    """The outcomes alone."""
    return outcomes_of(fan_out(tasks, **options))


@pytest.fixture
def executor() -> Iterator[DaemonExecutor]:
    made = DaemonExecutor(8)
    yield made
    made.shutdown()


def test_every_task_gets_its_outcome(executor: DaemonExecutor) -> None:
    pool = ScriptedPool()
    hosts = [f"h{number}" for number in range(100)]
    outcomes = list(perform([task(host) for host in hosts], executor=executor, pool=pool))
    assert sorted(outcome.host for outcome in outcomes) == sorted(hosts)


def test_no_tasks_are_no_outcomes(executor: DaemonExecutor) -> None:
    assert list(perform([], executor=executor, pool=ScriptedPool())) == []


def test_outcomes_come_as_they_are_ready_not_as_they_were_asked_for(
    executor: DaemonExecutor,
) -> None:
    released = threading.Event()

    def act(task: Task) -> Outcome:
        if task.target.name == "slow":
            assert released.wait(WAIT_S)
        return Outcome(host=task.target.name)

    outcomes = perform([task("slow"), task("quick")], executor=executor, pool=ScriptedPool(act))
    assert next(outcomes).host == "quick"
    released.set()
    assert next(outcomes).host == "slow"


def test_the_tasks_of_one_host_run_one_after_the_other_in_their_order(
    executor: DaemonExecutor,
) -> None:
    seen: list[tuple[str, str]] = []
    busy: set[str] = set()
    lock = threading.Lock()

    def act(task: Task) -> Outcome:
        assert isinstance(task.operation, GetJob)
        with lock:
            assert task.target.name not in busy
            busy.add(task.target.name)
            seen.append((task.target.name, task.operation.job_id))
        with lock:
            busy.discard(task.target.name)
        return Outcome(host=task.target.name)

    tasks = [task(host, GetJob(str(number))) for number in range(20) for host in "abc"]
    list(perform(tasks, executor=executor, pool=ScriptedPool(act)))
    for host in "abc":
        assert [job for name, job in seen if name == host] == [str(number) for number in range(20)]


def test_no_more_hosts_than_the_width_are_at_work(executor: DaemonExecutor) -> None:
    pool = ScriptedPool()
    list(perform([task(f"h{n}") for n in range(30)], executor=executor, pool=pool, width=3))
    assert 1 <= pool.widest <= 3


def test_as_many_hosts_as_the_width_are_at_work_at_once(executor: DaemonExecutor) -> None:
    together = threading.Barrier(4, timeout=WAIT_S)

    def act(task: Task) -> Outcome:
        together.wait()
        return Outcome(host=task.target.name)

    outcomes = perform(
        [task(f"h{n}") for n in range(4)], executor=executor, pool=ScriptedPool(act), width=4
    )
    assert len(list(outcomes)) == 4


# Endings


@pytest.mark.parametrize(
    ("why", "cut_off"), [(KeyboardInterrupt, Interrupted), (TimeLimit, OutOfTime)]
)
def test_who_is_stopped_before_the_first_task_sends_nothing(
    executor: DaemonExecutor, why: type[BaseException], cut_off: type[CutOff]
) -> None:
    pool = ScriptedPool()
    tasks = [task("a"), task("a", CANCEL), task("b", CREATE)]
    outcomes, ending = taken(perform(tasks, executor=executor, pool=pool, stop=lambda: why))
    assert ending is why
    assert pool.began == []
    assert [outcome.status for outcome in outcomes] == [Status.NOT_SENT] * 3
    assert {type(outcome.error) for outcome in outcomes} == {cut_off}
    assert outcomes[1].job_id == ID
    assert str(outcomes[0].error).splitlines()[0].endswith("before its turn")
    assert outcomes[1].error is not None
    assert outcomes[1].error.lines()[0].startswith(f"a, job {ID}: ")


def test_what_hangs_is_aborted_and_every_task_gets_an_outcome_all_the_same(
    executor: DaemonExecutor,
) -> None:
    stop_now = threading.Event()
    hanging: list[Task] = []
    pool = ScriptedPool()

    def act(task: Task) -> Outcome:
        if task.target.name == "quick":
            return Outcome(host="quick")
        hanging.append(task)
        if len(hanging) == 3:  # a call that has not begun would not be sent at all
            stop_now.set()
        assert pool.aborted.wait(WAIT_S)
        assert ended.wait(WAIT_S), "only after the fan-out has gone"
        return Outcome(host=task.target.name)

    ended = threading.Event()
    pool.act = act
    tasks = [task("quick"), task("read"), task("change", CANCEL), task("make", CREATE)]
    tasks.append(task("read", CANCEL))
    outcomes: list[Outcome] = []

    def stop() -> type[BaseException] | None:
        return KeyboardInterrupt if stop_now.is_set() and outcomes else None

    _, ending = taken(perform(tasks, executor=executor, pool=pool, stop=stop), outcomes)
    ended.set()
    assert ending is KeyboardInterrupt
    found = {(outcome.host, outcome.job_id): outcome for outcome in outcomes}
    assert {key: outcome.status for key, outcome in found.items()} == {
        ("quick", None): Status.DONE,
        ("read", None): Status.FAILED,
        ("change", ID): Status.UNKNOWN,
        ("make", None): Status.UNKNOWN,
        ("read", ID): Status.NOT_SENT,
    }
    assert "before the host answered" in str(found["read", None].error)
    assert "UNKNOWN" in str(found["change", ID].error)
    assert "show ref:0123456789" in str(found["make", None].error)
    assert found["change", ID].planned == CANCEL.describe()


def test_what_is_done_within_the_grace_counts(
    executor: DaemonExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "GRACE_S", WAIT_S)  # a busy machine may take longer than ours
    stopping = threading.Event()

    def act(task: Task) -> Outcome:
        assert stopping.wait(WAIT_S)
        return Outcome(host=task.target.name)

    def stop() -> type[BaseException] | None:
        if not pool.began:
            return None
        stopping.set()
        return TimeLimit

    pool = ScriptedPool(act)
    outcomes, ending = taken(perform([task("a", CANCEL)], executor=executor, pool=pool, stop=stop))
    assert ending is TimeLimit
    assert [outcome.status for outcome in outcomes] == [Status.DONE]
    assert not pool.aborted.is_set()


def test_tasks_that_wait_for_a_thread_are_taken_back() -> None:
    executor = DaemonExecutor(1)
    busy = threading.Event()
    pool = ScriptedPool()

    def act(task: Task) -> Outcome:
        busy.set()
        assert pool.aborted.wait(WAIT_S)
        return Outcome(host=task.target.name)

    pool.act = act
    outcomes, ending = taken(
        perform(
            [task("a", CANCEL), task("b", CANCEL), task("c", CANCEL)],
            executor=executor,
            pool=pool,
            stop=lambda: KeyboardInterrupt if busy.is_set() else None,
        )
    )
    assert ending is KeyboardInterrupt
    not_sent = sorted(outcome.host for outcome in outcomes if outcome.status is Status.NOT_SENT)
    assert not_sent == ["b", "c"]
    assert pool.began == ["a"]
    executor.shutdown()


# Gates


class Rejected(BitsShellError):
    """What a gate says."""


class ClosingGate:
    """One task with a credential at a time, and none after an outcome that failed."""

    def __init__(self) -> None:
        self.closed: set[Credential] = set()

    def admits(self, credential: Credential, running: int) -> bool:
        return running == 0

    def refuses(self, credential: Credential) -> type[BitsShellError] | None:
        return Rejected if credential in self.closed else None

    def observe(self, task: Task, outcome: Outcome) -> None:
        if outcome.status is Status.FAILED:
            self.closed.add(task.credential)


def test_a_gate_stops_its_own_tasks_and_no_others(executor: DaemonExecutor) -> None:
    def act(task: Task) -> Outcome:
        is_ann = task.credential == ANN
        return Outcome(host=task.target.name, status=Status.FAILED if is_ann else Status.DONE)

    tasks = [task(f"a{n}", CANCEL) for n in range(3)] + [task("a0", CANCEL)]
    tasks += [task(f"b{n}", credential=BOB) for n in range(3)]
    pool = ScriptedPool(act)
    outcomes = list(perform(tasks, executor=executor, pool=pool, gate=ClosingGate()))
    assert len(outcomes) == 7
    assert [outcome.host for outcome in outcomes if outcome.status is Status.FAILED] == ["a0"]
    refused = [outcome for outcome in outcomes if outcome.status is Status.NOT_SENT]
    assert sorted(outcome.host for outcome in refused) == ["a0", "a1", "a2"]
    assert all(isinstance(outcome.error, Rejected) for outcome in refused)
    assert all(outcome.error is not None and outcome.error.host for outcome in refused)
    assert sorted(name for name in pool.began if name[0] == "b") == ["b0", "b1", "b2"]


# Executors from elsewhere


class BreakingExecutor(Executor):
    """Breaks at the submit or in the future."""

    def __init__(self, *, at_submit: bool, error: BaseException) -> None:
        self.at_submit = at_submit
        self.error = error

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.at_submit:
            raise self.error
        future: Future[Any] = Future()
        future.set_exception(self.error)
        return future


@pytest.mark.parametrize("at_submit", [True, False])
@pytest.mark.parametrize("error", [BrokenProcessPool("it died"), CancelledError(), TypeError("?")])
def test_an_executor_that_breaks_is_an_outcome_for_each_task(
    at_submit: bool, error: BaseException
) -> None:
    broken = BreakingExecutor(at_submit=at_submit, error=error)
    outcomes = list(perform([task("a"), task("b", CANCEL)], executor=broken, pool=ScriptedPool()))
    assert {outcome.host: outcome.status for outcome in outcomes} == {
        "a": Status.FAILED,
        "b": Status.UNKNOWN,
    }
    for outcome in outcomes:
        assert isinstance(outcome.error, InternalError)
        assert outcome.error.kind == type(error).__name__


# The threads


def test_threads_are_daemons_and_as_many_as_needed() -> None:
    executor = DaemonExecutor(3)
    together = threading.Barrier(4, timeout=WAIT_S)
    names: set[str] = set()

    def work() -> bool:
        names.add(threading.current_thread().name)
        together.wait()
        return threading.current_thread().daemon

    futures = [executor.submit(work) for _ in range(3)]
    together.wait()
    assert [future.result(WAIT_S) for future in futures] == [True] * 3
    assert len(names) == 3
    executor.shutdown()


def test_an_idle_thread_is_used_again() -> None:
    executor = DaemonExecutor(8)
    names = {
        executor.submit(lambda: threading.current_thread().name).result(WAIT_S) for _ in range(3)
    }
    assert len(names) <= 2, "it may not be back in time for the second"
    executor.shutdown()


def test_what_is_raised_in_a_thread_belongs_to_its_future() -> None:
    executor = DaemonExecutor(1)
    with pytest.raises(ZeroDivisionError):
        executor.submit(lambda: 1 // 0).result(WAIT_S)
    with pytest.raises(SystemExit):
        executor.submit(lambda: (_ for _ in ()).throw(SystemExit)).result(WAIT_S)
    assert executor.submit(lambda: "and it goes on").result(WAIT_S) == "and it goes on"
    executor.shutdown()


def test_a_shut_executor_finishes_what_it_has_and_takes_no_more() -> None:
    executor = DaemonExecutor(1)
    go = threading.Event()
    first = executor.submit(go.wait, WAIT_S)
    second = executor.submit(lambda: "second")
    executor.shutdown()
    go.set()
    assert first.result(WAIT_S)
    assert second.result(WAIT_S) == "second"
    with pytest.raises(RuntimeError):
        executor.submit(lambda: None)


def test_a_shut_executor_can_cancel_what_it_has_not_begun() -> None:
    executor = DaemonExecutor(1)
    go, began = threading.Event(), threading.Event()

    def work() -> bool:
        began.set()
        return go.wait(WAIT_S)

    first = executor.submit(work)
    second = executor.submit(lambda: "second")
    assert began.wait(WAIT_S)
    executor.shutdown(cancel_futures=True)
    go.set()
    assert first.result(WAIT_S)
    assert second.cancelled()
