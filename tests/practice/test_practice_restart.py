"""The queue outlives the service (statements 143 and 145), a fleet its process."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import pytest
from engine_rig import Rig, on_rig, rig
from practice_clients import COMPLETE, RESUME, BitsOverPypsrp, connect

from bitsshell.practice import EngineSettings, JobState, PracticeFleet, PracticeHost
from bitsshell.practice.engine.store import FileStore, MemoryStore

if TYPE_CHECKING:
    from pathlib import Path


def test_143_a_job_comes_back_as_it_was_but_without_its_secrets(tmp_path: Path) -> None:
    async def run() -> None:
        store = FileStore(tmp_path / "queue.json")
        async with rig(tmp_path / "host", store=store) as b:
            job = await b.failed("missing.bin", priority=1, minimum_retry_delay=60)
            b.engine.set_description(job, "ünï")
            b.engine.set_proxy(job, 2, "proxy:80", "<local>")
            b.engine.set_credentials(job, 0, 0, "user", "very secret")
            b.engine.set_certificate(job, {"StoreName": "MY", "CertHash": (1, 2)})
        assert "very secret" not in (tmp_path / "queue.json").read_text(encoding="utf-8")
        async with rig(tmp_path / "host", store=store) as b:
            (again,) = b.engine.jobs()
            assert again is not job
            assert b.engine.failure(again) == job.failure
            for name in ("job_id", "description", "priority", "state", "created", "proxy_list"):
                assert getattr(again, name) == getattr(job, name)
            assert again.files == job.files
            assert again.credentials == {}

    asyncio.run(run())


def test_143_an_interrupted_transfer_goes_on_from_its_offset(tmp_path: Path) -> None:
    async def run() -> None:
        store = MemoryStore()
        settings = EngineSettings(first_range_bytes=500, background_range_bytes=5000)
        async with rig(tmp_path, settings, store) as b:
            job = b.job("b.bin", start=True)
            await b.when(lambda: job.bytes_transferred == 500)
            url = b.origin.url
        async with rig(tmp_path, settings, store) as b:
            (again,) = b.engine.jobs()
            assert again.bytes_transferred >= 500
            again.files[0].remote_url = again.files[0].remote_url.replace(url, b.origin.url)
            await b.until(again, JobState.TRANSFERRED)
            assert [r.headers["Range"] for r in b.origin.asked("GET")][:1] != ["bytes=0-499"]
            assert b.engine.complete(again) == 0
            assert b.local("b.bin").read_bytes() == b"B" * 2000

    asyncio.run(run())


def test_a_temporary_file_that_vanished_is_fetched_again(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = await b.failed("b.bin", "missing.bin")
        assert job.files[0].fetched
        half = b.job("d.bin")
        half.files[0].bytes_transferred, half.files[0].temp_name = 5, "BIT1.tmp"
        b.engine.resume(half)
        await b.until(half, JobState.TRANSFERRED)
        assert b.engine.complete(half) == 0
        assert b.local("d.bin").read_bytes() == b"D" * 10

    on_rig(scenario, tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2, "jobs": []}', '{"format": 1}'])
def test_145_a_damaged_queue_is_put_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "queue.json"
    path.write_text(text)
    assert FileStore(path).load() == []
    assert path.with_suffix(".damaged").read_text() == text


def test_a_restart_of_the_service_keeps_the_queue_of_a_host(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    job_id = bits.create(fleet.file_url("image.iso", "slow,rate=4000000"), r"C:\in\i.iso")
    bits.set_state(job_id, RESUME)
    host.wait_for(lambda jobs: 0 < jobs[0].bytes_transferred < 8_388_608)
    host.restart_bits()
    (job,) = host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    assert job.id == job_id
    assert bits.set_state(job_id, COMPLETE) == 0
    arrived = host.path(r"C:\in\i.iso").read_bytes()
    assert hashlib.sha256(arrived).hexdigest() == fleet.files[-1].sha256


def test_a_fleet_with_state_goes_on_where_it_ended(tmp_path: Path) -> None:
    with PracticeFleet(hosts=2, state=tmp_path) as fleet:
        bits = BitsOverPypsrp(connect(fleet.hosts[1]))
        job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt", name="kept")
        bits.set_state(job_id, RESUME)
        fleet.hosts[1].wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
        bits.wsman.close()
    with PracticeFleet(hosts=2, state=tmp_path) as fleet:
        assert fleet.hosts[0].jobs() == ()
        assert [job.name for job in fleet.hosts[1].jobs()] == ["kept"]
        bits = BitsOverPypsrp(connect(fleet.hosts[1]))
        assert bits.set_state(job_id, COMPLETE) == 0
        bits.wsman.close()
        assert fleet.hosts[1].path(r"C:\in\a.txt").stat().st_size == fleet.files[1].size_bytes


def test_38_a_job_that_waits_for_the_network_does_so_after_a_restart_too(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\net.txt")
    host.faults.arm("network-down")
    bits.set_state(job_id, RESUME)
    host.restart_bits()
    (job,) = host.jobs()
    assert (job.state, job.error_code) == (JobState.TRANSIENT_ERROR, 0x80200010)
    host.faults.disarm("network-down")
    host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)


def test_38_a_job_that_waited_when_its_fleet_ended_goes_on_when_there_is_a_network(
    tmp_path: Path,
) -> None:
    with PracticeFleet(hosts=1, state=tmp_path) as fleet:
        host = fleet.hosts[0]
        bits = BitsOverPypsrp(connect(host))
        share = host.path(r"\\server\share\s.bin")
        share.parent.mkdir(parents=True)
        share.write_bytes(b"s")
        job_id = bits.create(r"\\server\share\s.bin", r"C:\in\s.bin")
        host.faults.arm("network-down")
        bits.set_state(job_id, RESUME)
        bits.wsman.close()
    with PracticeFleet(hosts=1, state=tmp_path) as fleet:
        fleet.hosts[0].wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
