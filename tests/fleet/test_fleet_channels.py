"""Channels on practice hosts: made once, kept, made anew, and performed on from elsewhere."""

from __future__ import annotations

import multiprocessing
import pickle
import threading
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from at_hand import creation, credential_of, target_of, task_for
from silent_hosts import SilentHosts

from bitsshell import wsman
from bitsshell.bits import (
    ChangeState,
    CreateJob,
    GetJob,
    IdentifyHost,
    Job,
    JobAction,
    JobGone,
    JobList,
    JobProperty,
    ListJobs,
    SetProperty,
)
from bitsshell.fleet.channels import ChannelPool, InternalError, Purpose, Task, process_pool
from bitsshell.fleet.credentials import Credential
from bitsshell.fleet.fanout import fan_out, outcomes_of
from bitsshell.fleet.targets import Auth, LogonOptions, Target
from bitsshell.fleet.threads import DaemonExecutor
from bitsshell.practice import PracticeFleet, PracticeHost
from bitsshell.results import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

ID = "9D5C4B47-E79E-4090-BC3B-552578D0EC8C"
WAIT_S = 20.0


@pytest.fixture
def fleet() -> Iterator[PracticeFleet]:
    """New hosts for each test, which counts what they saw."""
    with PracticeFleet(hosts=2) as running:
        yield running


@pytest.fixture
def host(fleet: PracticeFleet) -> PracticeHost:
    return fleet.hosts[0]


@pytest.fixture
def pool() -> Iterator[ChannelPool]:
    made = ChannelPool()
    yield made
    made.close()


BOTH = pytest.mark.parametrize("auth", [Auth.BASIC, Auth.NTLM])


def job_in(outcome: Outcome) -> Job:
    assert isinstance(outcome.value, Job), outcome
    return outcome.value


@BOTH
def test_twenty_operations_take_one_connection_and_one_logon(
    pool: ChannelPool, host: PracticeHost, fleet: PracticeFleet, auth: Auth
) -> None:
    job = job_in(pool.perform(task_for(host, creation(fleet.files[0].url), auth)))
    for number in range(19):
        operation = (
            ListJobs(),
            GetJob(job.id),
            SetProperty(job.id, JobProperty.PRIORITY, number % 4),
        )[number % 3]
        assert pool.perform(task_for(host, operation, auth)).status is Status.DONE
    assert (host.stats.connections, host.stats.logons) == (1, 1)


@BOTH
@pytest.mark.parametrize("times", [1, 3])
def test_a_channel_that_died_while_idle_is_made_anew(
    pool: ChannelPool, host: PracticeHost, auth: Auth, times: int
) -> None:
    pool.perform(task_for(host, ListJobs(), auth))
    for _ in range(times):
        assert host.drop_idle_connections() == 1
        assert pool.perform(task_for(host, ListJobs(), auth)).status is Status.DONE
    assert host.stats.logons == 1 + times


@BOTH
def test_a_create_on_a_channel_that_died_while_idle_makes_exactly_one_job(
    pool: ChannelPool, host: PracticeHost, fleet: PracticeFleet, auth: Auth
) -> None:
    pool.perform(task_for(host, ListJobs(), auth))
    assert host.drop_idle_connections() == 1
    job = job_in(pool.perform(task_for(host, creation(fleet.files[0].url), auth)))
    assert [held.id.strip("{}") for held in host.jobs()] == [job.id]
    assert host.stats.calls["CreateJob"] == 1


@BOTH
def test_a_change_on_a_channel_that_died_while_idle_is_made(
    pool: ChannelPool, host: PracticeHost, fleet: PracticeFleet, auth: Auth
) -> None:
    job = job_in(pool.perform(task_for(host, creation(fleet.files[0].url), auth)))
    host.drop_idle_connections()
    operation = SetProperty(job.id, JobProperty.NAME, "other")
    assert job_in(pool.perform(task_for(host, operation, auth))).name == "other"


def test_the_background_has_a_channel_of_its_own(pool: ChannelPool, host: PracticeHost) -> None:
    for purpose in (Purpose.COMMAND, Purpose.BACKGROUND, Purpose.COMMAND):
        pool.perform(Task(target_of(host), credential_of(host), ListJobs(), purpose))
    assert host.stats.connections == 2


def test_one_channel_has_one_call_at_a_time(pool: ChannelPool, host: PracticeHost) -> None:
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(pool.perform(task_for(host, ListJobs()))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert [outcome.status for outcome in outcomes] == [Status.DONE] * 8
    assert host.stats.connections == 1


# Outcomes


def test_an_outcome_names_the_job_that_was_made(
    pool: ChannelPool, host: PracticeHost, fleet: PracticeFleet
) -> None:
    operation = creation(fleet.files[0].url)
    outcome = pool.perform(task_for(host, operation))
    assert outcome.job_id == job_in(outcome).id
    assert outcome.planned == operation.describe()
    assert pickle.loads(pickle.dumps(outcome)) == outcome


def test_an_outcome_tells_what_was_so_already(
    pool: ChannelPool, host: PracticeHost, fleet: PracticeFleet
) -> None:
    job = job_in(pool.perform(task_for(host, creation(fleet.files[0].url))))
    outcome = pool.perform(task_for(host, ChangeState(job.id, JobAction.SUSPEND)))
    assert outcome.status is Status.ALREADY
    assert outcome.job_id == job.id


def test_an_outcome_carries_a_warning_with_its_meaning(
    pool: ChannelPool, host: PracticeHost, fleet: PracticeFleet
) -> None:
    job = job_in(pool.perform(task_for(host, creation(fleet.files[0].url))))
    outcome = pool.perform(task_for(host, ChangeState(job.id, JobAction.COMPLETE)))
    assert outcome.status is Status.DONE
    assert outcome.warning_explained is not None
    assert outcome.warning_explained.symbol == "BG_S_PARTIAL_COMPLETE"


def test_an_error_in_an_outcome_is_data_and_carries_nothing_that_led_to_it(
    pool: ChannelPool, host: PracticeHost
) -> None:
    host.faults.arm("garbage")
    error = pool.perform(task_for(host, ListJobs())).error
    assert error is not None
    assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)


def test_an_error_comes_back_as_an_outcome_that_says_where(
    pool: ChannelPool, host: PracticeHost
) -> None:
    outcome = pool.perform(task_for(host, GetJob(ID)))
    assert outcome.error == JobGone(host=host.name, job=ID)
    assert (outcome.status, outcome.job_id, outcome.value) == (Status.FAILED, ID, None)


@pytest.mark.parametrize(
    ("fault", "status"), [("half-answer", Status.UNKNOWN), ("access-denied", Status.FAILED)]
)
def test_a_change_that_may_have_happened_is_unknown(
    pool: ChannelPool, host: PracticeHost, fleet: PracticeFleet, fault: str, status: Status
) -> None:
    job = job_in(pool.perform(task_for(host, creation(fleet.files[0].url))))
    host.faults.arm(fault, operation="Put")
    outcome = pool.perform(task_for(host, SetProperty(job.id, JobProperty.PRIORITY, 0)))
    assert outcome.status is status


def test_a_read_that_fails_is_never_unknown(pool: ChannelPool, host: PracticeHost) -> None:
    host.faults.arm("garbage")
    assert pool.perform(task_for(host, ListJobs())).status is Status.FAILED


def test_an_endpoint_that_cannot_be_is_an_outcome(pool: ChannelPool, host: PracticeHost) -> None:
    target = Target(name="x", url=host.endpoint, logon=LogonOptions(tls_fingerprint="no"))
    outcome = pool.perform(Task(target, credential_of(host), ListJobs()))
    assert isinstance(outcome.error, wsman.RequestRefused)
    assert outcome.error.host == "x"


def test_a_defect_is_an_outcome_that_asks_to_be_reported(host: PracticeHost) -> None:
    def broken(_: wsman.Endpoint) -> wsman.Wire:
        raise ZeroDivisionError("of course")

    pool = ChannelPool(broken)
    job = ChangeState(ID, JobAction.CANCEL)
    for operation, status in ((ListJobs(), Status.FAILED), (job, Status.UNKNOWN)):
        outcome = pool.perform(task_for(host, operation))
        assert outcome.status is status
        assert isinstance(outcome.error, InternalError)
        assert "ZeroDivisionError: of course" in str(outcome.error)
        assert "report" in str(outcome.error)


# What is known of a channel


def test_a_channel_has_answered_when_its_host_did(pool: ChannelPool, host: PracticeHost) -> None:
    target, credential = target_of(host), credential_of(host)
    assert not pool.has_answered(target, credential)
    host.faults.arm("garbage", times=1)
    pool.perform(task_for(host, IdentifyHost()))
    assert not pool.has_answered(target, credential)
    pool.perform(task_for(host, GetJob(ID)))
    assert pool.has_answered(target, credential), "a refusal is an answer"
    pool.drop(target)
    assert not pool.has_answered(target, credential)


def test_a_dropped_channel_is_made_anew(pool: ChannelPool, fleet: PracticeFleet) -> None:
    first, second = fleet.hosts
    for host in fleet.hosts:
        pool.perform(task_for(host, ListJobs()))
    pool.drop(target_of(first))
    for host in fleet.hosts:
        pool.perform(task_for(host, ListJobs()))
    assert (first.stats.connections, second.stats.connections) == (2, 1)


def test_all_channels_to_a_host_are_dropped_whatever_options_made_them(
    pool: ChannelPool, host: PracticeHost
) -> None:
    before, now = target_of(host), target_of(host, Auth.NTLM)
    for auth in (Auth.BASIC, Auth.NTLM):
        pool.perform(task_for(host, ListJobs(), auth))
    moved = replace(before, url="http://127.0.0.1:9/wsman")
    pool.drop(moved)
    assert (pool.proven(before), pool.proven(now)) == (None, None)


def test_a_host_that_rejects_a_credential_has_accepted_it_no_more(
    pool: ChannelPool, fleet: PracticeFleet
) -> None:
    first, second = fleet.hosts
    for host in fleet.hosts:
        pool.perform(task_for(host, ListJobs()))
    pool.distrust(target_of(first, Auth.NTLM), credential_of(first))
    assert pool.proven(target_of(first)) is None
    assert pool.proven(target_of(second)) == credential_of(second)
    pool.perform(task_for(first, ListJobs()))
    assert pool.proven(target_of(first)) == credential_of(first)


@pytest.mark.parametrize("end", [ChannelPool.close, ChannelPool.abort])
def test_a_call_that_hangs_is_broken_from_another_thread(
    end: Callable[[ChannelPool], None],
) -> None:
    pool = ChannelPool()
    outcomes: list[Outcome] = []
    with SilentHosts(1) as silent:
        target = Target(name="silent", url=silent.urls[0])
        task = Task(target, Credential(Auth.BASIC, "ann", "x"), ListJobs())
        thread = threading.Thread(target=lambda: outcomes.append(pool.perform(task)))
        thread.start()
        assert silent.wait_asked(1)
        end(pool)
        thread.join(WAIT_S)
    assert isinstance(outcomes[0].error, wsman.CallAborted)


# Elsewhere


def test_a_pool_that_arrives_in_another_process_is_that_processes_own() -> None:
    assert pickle.loads(pickle.dumps(ChannelPool())) is process_pool()


def elsewhere(fleet: PracticeFleet, executor: Executor) -> list[Outcome]:
    """Creates on every host and lists them, twice the same creates, carried out by an executor."""
    pool = ChannelPool()
    creates: list[CreateJob] = [creation(fleet.files[0].url) for _ in fleet.hosts]
    outcomes: list[Outcome] = []
    for _ in range(2):
        tasks = [
            task_for(host, operation)
            for host, create in zip(fleet.hosts, creates, strict=True)
            for operation in (create, ListJobs())
        ]
        outcomes += outcomes_of(fan_out(tasks, executor=executor, pool=pool))
    return outcomes


def check_elsewhere(fleet: PracticeFleet, outcomes: list[Outcome]) -> None:
    assert {outcome.status for outcome in outcomes} == {Status.DONE}
    assert len(outcomes) == 8
    assert [len(host.jobs()) for host in fleet.hosts] == [1, 1], "the same create makes one job"
    listed = [len(o.value.jobs) for o in outcomes if isinstance(o.value, JobList)]
    assert listed == [1] * 4


def test_a_process_pool_carries_tasks(fleet: PracticeFleet) -> None:
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawned) as executor:
        check_elsewhere(fleet, elsewhere(fleet, executor))
    assert [host.stats.logons for host in fleet.hosts] == [1, 1], "its channels are kept there"


def test_dask_carries_tasks(fleet: PracticeFleet) -> None:
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
    )
    with cluster, distributed.Client(cluster) as client:
        check_elsewhere(fleet, elsewhere(fleet, client.get_executor(pure=False)))


def test_the_threads_carry_tasks(fleet: PracticeFleet) -> None:
    executor = DaemonExecutor(4)
    check_elsewhere(fleet, elsewhere(fleet, executor))
    executor.shutdown()
