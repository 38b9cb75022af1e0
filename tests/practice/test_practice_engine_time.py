"""Timers, scheduling and conditions of the engine. Numbers are statements of the BITS facts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from engine_rig import Rig, on_rig

from bitsshell.practice import EngineSettings
from bitsshell.practice.engine.codes import Hr, JobState, Priority

if TYPE_CHECKING:
    from pathlib import Path

    from bitsshell.practice.engine.model import Job

DAY = 86_400


def broken(b: Rig, name: str = "x", **properties: object) -> Job:
    """A job whose server refuses the connection."""
    job = b.job(**properties)
    b.engine.add_file(job, "http://127.0.0.1:9/x", rf"C:\in\{name}")
    b.engine.resume(job)
    return job


# --- G: retry and limits ---


def test_78_66_a_transient_error_is_tried_again_after_the_retry_delay(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = broken(b, minimum_retry_delay=100)
        await b.until(job, JobState.TRANSIENT_ERROR)
        assert job.error_count == 0
        for count in (1, 2):
            b.clock.advance(99.9)
            await asyncio.sleep(0)
            assert job.state is JobState.TRANSIENT_ERROR
            b.clock.advance(0.2)
            await b.when(lambda count=count: job.error_count == count)
            assert job.state is JobState.TRANSIENT_ERROR

    on_rig(scenario, tmp_path)


def test_79_resume_tries_again_at_once(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = await b.failed("late.bin")
        assert job.state is JobState.ERROR
        transient = broken(b)
        await b.until(transient, JobState.TRANSIENT_ERROR)
        assert b.engine.resume(transient) == 0
        assert transient.state is JobState.QUEUED
        await b.until(transient, JobState.TRANSIENT_ERROR)
        assert transient.error_count == 0

    on_rig(scenario, tmp_path)


def test_78_a_delay_beyond_the_no_progress_time_means_no_retry(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = broken(b, minimum_retry_delay=100, no_progress_timeout=99)
        await b.until(job, JobState.ERROR)
        assert b.engine.failure(job).code == 0x80072EFD

    on_rig(scenario, tmp_path)


def test_81_no_progress_time_zero_makes_every_error_fatal(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        await b.until(broken(b, minimum_retry_delay=5, no_progress_timeout=0), JobState.ERROR)

    on_rig(scenario, tmp_path)


def test_81_after_the_no_progress_time_the_job_fails_with_its_last_error(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = broken(b, minimum_retry_delay=100, no_progress_timeout=250)
        await b.until(job, JobState.TRANSIENT_ERROR)
        for count in (1, 2):
            b.clock.advance(100)
            await b.when(lambda count=count: job.error_count == count)
        assert job.state is JobState.TRANSIENT_ERROR
        b.clock.advance(50)
        await b.until(job, JobState.ERROR)
        assert b.engine.failure(job).code == 0x80072EFD
        b.clock.advance(DAY)
        await asyncio.sleep(0)
        assert job.state is JobState.ERROR

    on_rig(scenario, tmp_path)


def test_81_the_last_error_may_give_way_to_no_progress(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = broken(b, minimum_retry_delay=100, no_progress_timeout=150)
        await b.until(job, JobState.TRANSIENT_ERROR)
        b.clock.advance(100)
        await b.when(lambda: job.error_count == 1)
        b.clock.advance(50)
        await b.until(job, JobState.ERROR)
        assert b.engine.failure(job).code == 0x80200024

    on_rig(scenario, tmp_path, EngineSettings(connect_attempts=1, no_progress_keeps_error=False))


def test_81_progress_starts_the_no_progress_time_anew(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = broken(b, minimum_retry_delay=100, no_progress_timeout=150)
        await b.until(job, JobState.TRANSIENT_ERROR)
        b.engine._progressed(job)
        b.clock.advance(100)
        await b.when(lambda: job.stalled_since_s == 100 and job.state is JobState.TRANSIENT_ERROR)
        b.clock.advance(100)
        await asyncio.sleep(0)
        assert job.state is not JobState.ERROR

    on_rig(scenario, tmp_path)


def test_83_the_download_time_counts_active_time_and_resume_starts_it_anew(
    tmp_path: Path,
) -> None:
    async def scenario(b: Rig) -> None:
        b.origin.hold("a.bin")
        job = b.job("a.bin", start=True)
        await b.until(job, JobState.TRANSFERRING)
        b.clock.advance(60)
        b.engine.suspend(job)
        b.clock.advance(1000)
        b.engine.resume(job)
        await b.until(job, JobState.TRANSFERRING)
        b.clock.advance(99)
        await asyncio.sleep(0)
        assert job.state is JobState.TRANSFERRING
        b.clock.advance(2)
        await b.until(job, JobState.ERROR)
        assert b.engine.failure(job).code == 0x80200054

    on_rig(scenario, tmp_path, EngineSettings(max_download_time_s=100))


def test_83_84_the_defaults_are_ninety_days() -> None:
    settings = EngineSettings()
    assert settings.max_download_time_s == settings.job_inactivity_timeout_s == 90 * DAY


def test_84_a_job_that_nobody_touches_is_cancelled(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        idle = b.job("a.bin")
        done = await b.finished("b.bin")
        b.clock.advance(89 * DAY)
        b.engine.set_name(idle, "touched")
        b.clock.advance(2 * DAY)
        await b.until(done, JobState.CANCELLED)
        assert (idle.state, b.temps()) == (JobState.SUSPENDED, [])
        b.clock.advance(88 * DAY)
        await b.until(idle, JobState.CANCELLED)
        assert b.engine.jobs() == []

    on_rig(scenario, tmp_path)


# --- C, G: conditions that end by themselves ---


def test_38_39_82_jobs_wait_for_a_condition_and_not_for_a_timer(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        gate = b.origin.hold("a.bin")
        running = b.job("a.bin", start=True)
        waiting = b.job("b.bin", start=True)
        asleep = b.job("d.bin")
        other = broken(b, priority=Priority.FOREGROUND)
        await b.until(other, JobState.TRANSIENT_ERROR)
        await b.until(running, JobState.TRANSFERRING)
        b.engine.set_condition(Hr.NETWORK_DISCONNECTED)
        for job in (running, waiting):
            assert job.state is JobState.TRANSIENT_ERROR
            assert (b.engine.failure(job).code, job.error_count) == (0x80200010, 0)
        assert asleep.state is JobState.SUSPENDED
        b.clock.advance(DAY)
        await asyncio.sleep(0)
        assert running.state is JobState.TRANSIENT_ERROR
        b.engine.resume(asleep)
        assert asleep.state is JobState.TRANSIENT_ERROR
        gate.set()
        b.engine.set_condition(None)
        assert other.state is JobState.QUEUED
        for job in (running, waiting, asleep):
            await b.until(job, JobState.TRANSFERRED)

    on_rig(scenario, tmp_path)


def test_38_a_retry_that_falls_due_without_network_waits_for_it(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = broken(b, minimum_retry_delay=10)
        await b.until(job, JobState.TRANSIENT_ERROR)
        b.engine.set_condition(Hr.NETWORK_DISCONNECTED)
        b.clock.advance(10)
        await b.when(lambda: b.engine.failure(job).code == 0x80200010)
        assert job.state is JobState.TRANSIENT_ERROR

    on_rig(scenario, tmp_path)


@pytest.mark.parametrize("code", [0x80200059, 0x80200065, 0x80200067, 0x8020006F, 0x80200070])
def test_39_91_blocking_conditions_stop_every_priority(tmp_path: Path, code: int) -> None:
    async def scenario(b: Rig) -> None:
        b.engine.set_condition(code)
        for priority in (Priority.FOREGROUND, Priority.LOW):
            job = b.job("a.bin", start=True, priority=priority)
            assert (job.state, b.engine.failure(job).code) == (JobState.TRANSIENT_ERROR, code)
        b.engine.set_condition(None)
        for job in b.engine.jobs():
            await b.until(job, JobState.TRANSFERRED)

    on_rig(scenario, tmp_path)


def test_89_90_a_bandwidth_limit_of_zero_stops_the_background_only(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        b.engine.set_condition(Hr.BLOCKED_BY_POLICY)
        background = b.job("a.bin", start=True)
        assert b.engine.failure(background).code == 0x8020003E
        await b.finished("b.bin", priority=Priority.FOREGROUND)
        b.engine.set_priority(background, Priority.FOREGROUND)
        await b.until(background, JobState.TRANSFERRED)

    on_rig(scenario, tmp_path)


# --- H: scheduling ---


def states(*jobs: Job) -> list[str]:
    return [job.state.name for job in jobs]


def test_86_all_foreground_jobs_run_and_one_background_job(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        b.origin.hold("a.bin")
        front = [b.job("a.bin", start=True, priority=Priority.FOREGROUND) for _ in range(3)]
        back = [b.job("a.bin", start=True) for _ in range(3)]
        for job in (*front, back[0]):
            await b.until(job, JobState.TRANSFERRING)
        assert states(*back) == ["TRANSFERRING", "QUEUED", "QUEUED"]
        b.origin.gates["a.bin"].set()
        for job in back:
            await b.until(job, JobState.TRANSFERRED)
        assert [job.completed for job in back] == sorted(job.completed for job in back)

    on_rig(scenario, tmp_path)


def test_87_a_higher_priority_goes_first_and_pre_empts(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        b.origin.hold("a.bin")
        low = b.job("a.bin", start=True, priority=Priority.LOW)
        await b.until(low, JobState.TRANSFERRING)
        normal = b.job("a.bin", start=True)
        await b.until(normal, JobState.TRANSFERRING)
        assert low.state is JobState.QUEUED
        high = b.job("a.bin", start=True, priority=Priority.HIGH)
        await b.until(high, JobState.TRANSFERRING)
        assert states(low, normal) == ["QUEUED", "QUEUED"]
        b.engine.suspend(high)
        await b.until(normal, JobState.TRANSFERRING)
        b.engine.set_priority(low, Priority.HIGH)
        await b.until(low, JobState.TRANSFERRING)
        assert normal.state is JobState.QUEUED
        b.engine.cancel(low)
        await b.until(normal, JobState.TRANSFERRING)

    on_rig(scenario, tmp_path)


def test_87_a_job_that_leaves_the_foreground_takes_its_place_in_the_background(
    tmp_path: Path,
) -> None:
    async def scenario(b: Rig) -> None:
        b.origin.hold("a.bin")
        front = b.job("a.bin", start=True, priority=Priority.FOREGROUND)
        back = b.job("a.bin", start=True)
        await b.until(front, JobState.TRANSFERRING)
        await b.until(back, JobState.TRANSFERRING)
        b.engine.set_priority(front, Priority.LOW)
        assert states(front, back) == ["QUEUED", "TRANSFERRING"]
        b.engine.set_priority(back, Priority.FOREGROUND)
        await b.until(front, JobState.TRANSFERRING)
        assert back.state is JobState.TRANSFERRING

    on_rig(scenario, tmp_path)


def test_88_equal_jobs_share_by_time_slices(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        b.origin.hold("a.bin")
        first = b.job("a.bin", start=True)
        second = b.job("a.bin", start=True)
        await b.until(first, JobState.TRANSFERRING)
        for running, waiting in ((second, first), (first, second)):
            b.clock.advance(300)
            await b.until(running, JobState.TRANSFERRING)
            assert waiting.state is JobState.QUEUED

    on_rig(scenario, tmp_path)


def test_88_a_job_alone_keeps_its_slot(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        gate = b.origin.hold("a.bin")
        job = b.job("a.bin", start=True)
        await b.until(job, JobState.TRANSFERRING)
        b.clock.advance(1000)
        await asyncio.sleep(0)
        assert job.state is JobState.TRANSFERRING
        gate.set()
        await b.until(job, JobState.TRANSFERRED)
        assert len(b.origin.asked("GET")) == 1

    on_rig(scenario, tmp_path)


def test_a_failed_job_gives_its_slot_to_the_next(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        bad = b.job("missing.bin", start=True)
        good = b.job("a.bin", start=True)
        await b.until(good, JobState.TRANSFERRED)
        assert bad.state is JobState.ERROR

    on_rig(scenario, tmp_path)


def test_a_condition_that_raises_is_told_to_who_waits_and_to_nobody_else(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        b.job("a.bin")
        first: list[bool] = []

        def fails_later() -> bool:
            first.append(True)
            return len(first) > 1 and b.engine.jobs()[5].final

        second = asyncio.ensure_future(b.when(fails_later))
        third = asyncio.ensure_future(b.when(lambda: b.engine.jobs()[0].display_name == "now"))
        while len(first) < 1 or not b.engine._waiters:
            await asyncio.sleep(0)
        b.engine.set_name(b.engine.jobs()[0], "now")
        await third
        with pytest.raises(IndexError):
            await second

    on_rig(scenario, tmp_path)
