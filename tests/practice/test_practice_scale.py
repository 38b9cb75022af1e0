"""Many hosts in one process, and all of them in use for a while."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from practice_clients import BitsOverPypsrp, connect
from pypsrp.exceptions import WinRMError

from bitsshell.practice import (
    EngineSettings,
    JobState,
    PracticeFleet,
    PracticeHost,
    PracticeJob,
    PracticeSettings,
)

if TYPE_CHECKING:
    from bitsshell.practice.engine.engine import BitsEngine


def descriptors() -> int:
    return psutil.Process().num_fds() if sys.platform != "win32" else 0


def test_a_thousand_hosts_with_fifty_jobs_each_fit_on_one_port() -> None:
    process = psutil.Process()
    before, files_before = process.memory_info().rss, descriptors()
    with PracticeFleet(hosts=1000, by_path=True) as fleet:
        for host in fleet.hosts:

            def fill(engine: BitsEngine = host._machine.engine) -> None:
                for number in range(50):
                    job = engine.create(f"job {number}", owner_sid="S-1-5-20")
                    engine.add_file(job, fleet.files[1].url, rf"C:\in\{number}.txt")

            host._on_loop(fill)
        assert process.memory_info().rss - before < 1 << 30
        assert descriptors() - files_before < 64
        for host in fleet.hosts[::199]:
            bits = BitsOverPypsrp(connect(host))
            items, _ = bits.enumerate()
            assert len(items) == 50
            bits.wsman.close()


SOAK_S = float(os.environ.get("BITSSHELL_SOAK_S") or ("30" if os.environ.get("CI") else "5"))
MODES = [None, "404", "busy", "reset,at=20000", "norange", "nolength", "changes", "hang"]
FAULTS = ["quota", "lost-answer", "no-answer", "garbage", "half-answer", "timed-out"]


POOLED_S = 15.0
"""The hosts' own HTTP client looks this often for downloads' connections idle for this long
(aiohttp's default). One that became idle right after a look stays for two of these times."""


def use(fleet: PracticeFleet, worker: int, until_s: float) -> int:
    """Do what comes to mind on one host after the other; how many calls that were."""
    chance, calls = random.Random(worker), 0
    while time.monotonic() < until_s:
        host = chance.choice(fleet.hosts)
        bits = BitsOverPypsrp(connect(host, chance.choice(["basic", "ntlm"])))
        with contextlib.suppress(WinRMError, OSError, SyntaxError):
            for step in range(6):
                if chance.random() < 0.2:
                    host.faults.arm(chance.choice(FAULTS), times=1, operation="SetJobState")
                if chance.random() < 0.1:
                    disturb(host, chance)
                url = fleet.file_url("report.csv", chance.choice(MODES))
                path = rf"C:\in\{worker}-{step}.csv"
                jobs = host.jobs()
                if not jobs or chance.random() < 0.4:
                    bits.create(url, path, Suspend=chance.choice([True, False]))
                else:
                    change(bits, chance.choice(jobs).id, url, path, chance)
                bits.enumerate()
                calls += 1
        bits.wsman.close()
    return calls


def disturb(host: PracticeHost, chance: random.Random) -> None:
    """Something that happens to a machine."""
    match chance.randrange(3):
        case 0:
            host.restart_bits()
        case 1:
            host.drop_idle_connections()
        case 2:
            host.faults.arm("network-down")
            host.faults.disarm("network-down")


def change(bits: BitsOverPypsrp, job_id: str, url: str, path: str, chance: random.Random) -> None:
    """Something that somebody does to a job."""
    match chance.randrange(6):
        case 0:
            bits.put(job_id, {"Priority": chance.randrange(4)})
        case 1:
            bits.invoke("AddFile", {"remoteUrl": url, "localFile": path}, job_id)
        case 2:
            bits.invoke("GetError", {"LanguageId": 1033}, job_id)
        case _:
            bits.set_state(job_id, chance.randrange(4))


def check(job: PracticeJob) -> None:
    """No job may be in a state that BITS does not know, or that its files belie."""
    assert job.state not in {JobState.ACKNOWLEDGED, JobState.CANCELLED}
    failed = job.state in {JobState.ERROR, JobState.TRANSIENT_ERROR}
    assert not failed or job.error_code is not None
    # Files that were added afterwards wait for a resume (33).
    assert job.state is not JobState.TRANSFERRED or job.files[0].fetched
    for file in job.files:
        assert not file.completed, "a job with a published file has left the queue"
        assert file.bytes_total is None or file.bytes_transferred <= file.bytes_total
        assert not file.fetched or file.bytes_transferred == file.bytes_total


def tasks(fleet: PracticeFleet) -> list[str]:
    """What still runs on the fleet's loop beside the fleet itself and this question."""

    def look() -> list[str]:
        own = {"PracticeFleet._serve", "PracticeHost._on_loop.<locals>.run"}
        running = [str(task.get_coro()).split()[2] for task in asyncio.all_tasks()]
        return [name for name in running if name not in own]

    return fleet.hosts[0]._on_loop(look)


def sweep(host: PracticeHost) -> None:
    """Cancel what is left on a host and look what that leaves behind."""
    host.faults.disarm()
    bits = BitsOverPypsrp(connect(host))
    for job in host.jobs():
        check(job)
        assert bits.set_state(job.id, 0) == 0
    bits.wsman.close()
    assert host.jobs() == ()
    assert [p for p in Path(host.root).rglob("*") if p.name.startswith("BIT")] == []


def test_random_use_and_random_failures_leave_no_trace() -> None:
    """A soak of 200 hosts: no impossible job, no orphaned file, nothing leaked.

    5 seconds, 30 on CI, and any number by `BITSSHELL_SOAK_S`.
    """
    engine = EngineSettings(connect_attempts=1, transfer_bytes_per_s=2_000_000)
    choices = PracticeSettings(engine=engine)
    threads_before, files_before = threading.active_count(), descriptors()
    with PracticeFleet(hosts=200, by_path=True, time_scale=200, settings=choices) as fleet:
        until_s = time.monotonic() + SOAK_S
        with ThreadPoolExecutor(8) as pool:
            calls = list(pool.map(lambda worker: use(fleet, worker, until_s), range(8)))
        assert min(calls) > 0
        for host in fleet.hosts:
            sweep(host)
        until_s = time.monotonic() + 2 * POOLED_S + 10
        while (left := tasks(fleet)) and time.monotonic() < until_s:
            pass
        assert left == []
    assert threading.active_count() == threads_before
    assert descriptors() <= files_before + 4
