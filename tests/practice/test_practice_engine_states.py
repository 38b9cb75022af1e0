"""The engine's state machine and refusals. Numbers are statements of the BITS facts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from engine_rig import Rig, on_rig

from bitsshell.practice import EngineSettings, MissingFolder
from bitsshell.practice.engine import codes
from bitsshell.practice.engine.codes import BitsCallError, Hr, JobState, Priority

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bitsshell.practice.engine.model import Job

INVALID = 0x80200002
PARTIAL = 0x00200017


def refused(call: Callable[[], object]) -> int:
    """The HRESULT by which the engine refuses a call."""
    with pytest.raises(BitsCallError) as caught:
        call()
    return caught.value.hresult


# --- A: numbers ---


def test_1_to_5_and_9_the_numbers_are_those_of_the_headers() -> None:
    assert [state.name for state in codes.JobState] == [
        "QUEUED",
        "CONNECTING",
        "TRANSFERRING",
        "SUSPENDED",
        "ERROR",
        "TRANSIENT_ERROR",
        "TRANSFERRED",
        "ACKNOWLEDGED",
        "CANCELLED",
    ]
    assert [int(state) for state in codes.JobState] == list(range(9))
    assert [p.name for p in sorted(codes.Priority)] == ["FOREGROUND", "HIGH", "NORMAL", "LOW"]
    assert (codes.JobType.DOWNLOAD, codes.JobType.UPLOAD) == (0, 1)
    assert [p.name for p in sorted(codes.ProxyUsage)] == [
        "PRECONFIG",
        "NO_PROXY",
        "OVERRIDE",
        "AUTODETECT",
    ]
    assert (codes.ErrorContext.LOCAL_FILE, codes.ErrorContext.REMOTE_FILE) == (4, 5)
    assert codes.SIZE_UNKNOWN == 2**64 - 1


def test_12_an_http_status_is_an_hresult() -> None:
    assert codes.http_status(404) == 0x80190194


# --- B: a new job ---


def test_10_13_to_15_a_new_job_is_suspended_and_has_its_defaults(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = b.engine.create("x", owner_sid="S-1-5-20")
        assert job.state is JobState.SUSPENDED
        assert (job.bytes_total, job.bytes_transferred) == (0, 0)
        assert (len(job.files), job.files_transferred) == (0, 0)
        assert job.priority is Priority.NORMAL
        assert (job.minimum_retry_delay_s, job.no_progress_timeout_s) == (600, 1_209_600)
        assert (job.description, job.error_count, job.completed) == ("", 0, 0)
        assert re.fullmatch(r"\{[0-9A-F-]{36}\}", job.job_id)
        assert b.engine.create("x", owner_sid="S-1-5-20").job_id != job.job_id
        for spelling in (job.job_id.lower(), job.job_id.strip("{}")):
            assert b.engine.find(spelling) is job

    on_rig(scenario, tmp_path)


def test_16_17_names_and_descriptions_have_limits(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = b.engine.create("n" * 256, owner_sid="S-1-5-20", description="d" * 1024)
        for name in ("n" * 257, "😀" * 129, None):
            assert refused(lambda name=name: b.engine.set_name(job, name)) == Hr.INVALID_ARGUMENT
            assert (
                refused(lambda name=name: b.engine.create(name, owner_sid="S"))
                == Hr.INVALID_ARGUMENT
            )
        assert refused(lambda: b.engine.set_description(job, "d" * 1025)) == 0x80200021
        assert refused(lambda: b.engine.set_description(job, None)) == Hr.INVALID_ARGUMENT

    on_rig(scenario, tmp_path)


def test_18_49_service_accounts_have_no_quota(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        for _ in range(310):
            b.job()
        many = b.job(*["a.bin"] * 210)
        assert (len(b.engine.jobs()), len(many.files)) == (311, 210)

    on_rig(scenario, tmp_path)


def test_20_22_numbers_that_bits_does_not_know(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job()
        assert refused(lambda: b.engine.set_priority(job, 4)) == 0x80004001
        assert refused(lambda: b.engine.set_proxy(job, 4, None, None)) == 0x80004001
        b.engine.set_minimum_retry_delay(job, 0)
        assert job.minimum_retry_delay_s == 5

    on_rig(scenario, tmp_path)


def test_21_proxy_settings(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job()
        b.engine.set_proxy(job, 2, "p" * 4000, "<local>")
        too_long = "p" * 4001, "p" * 20_000
        for usage, servers, bypass, code in (
            (2, None, None, Hr.INVALID_ARGUMENT),
            (2, too_long[0], None, Hr.INVALID_ARGUMENT),
            (2, too_long[1], None, 0x80200018),
            (2, "p:80", too_long[1], 0x80200019),
            (0, "p:80", None, Hr.INVALID_ARGUMENT),
            (1, None, "<local>", Hr.INVALID_ARGUMENT),
        ):
            assert (
                refused(lambda u=usage, s=servers, y=bypass: b.engine.set_proxy(job, u, s, y))
                == code
            )

    on_rig(scenario, tmp_path)


def test_137_credentials_are_checked_and_can_be_removed(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job()
        for target, scheme, user, password, code in (
            (2, 0, "u", "p", 0x80200027),
            (0, 5, "u", "p", 0x80200028),
            (0, 0, "u" * 301, "p", 0x80200025),
            (0, 0, "u", "p" * 65_536, 0x80200026),
            (0, 0, None, None, Hr.INVALID_ARGUMENT),
            (0, 1, "u", None, Hr.INVALID_ARGUMENT),
            (0, 3, None, "p", Hr.INVALID_ARGUMENT),
        ):
            assert (
                refused(
                    lambda t=target, s=scheme, u=user, p=password: b.engine.set_credentials(
                        job, t, s, u, p
                    )
                )
                == code
            )
        b.engine.set_credentials(job, 0, 3, None, None)
        b.engine.set_credentials(job, 1, 0, "u", "secret")
        assert "secret" not in repr(job)
        b.engine.remove_credentials(job, 1, 0)
        b.engine.remove_credentials(job, 1, 0)
        assert len(job.credentials) == 1

    on_rig(scenario, tmp_path)


# --- C: state × call ---


async def brought_to(b: Rig, state: JobState) -> Job:
    """A job of one file in that state, by the calls that lead there."""
    if state is JobState.SUSPENDED:
        return b.job("a.bin")
    if state is JobState.TRANSFERRED:
        return await b.finished("a.bin")
    if state is JobState.ERROR:
        return await b.failed("missing.bin")
    if state is JobState.TRANSIENT_ERROR:
        job = b.job(start=False)
        b.engine.add_file(job, "http://127.0.0.1:9/x", r"C:\in\x")
        b.engine.resume(job)
        return await b.until(job, JobState.TRANSIENT_ERROR)
    if state in {JobState.ACKNOWLEDGED, JobState.CANCELLED}:
        job = b.job("a.bin")
        (b.engine.complete if state is JobState.ACKNOWLEDGED else b.engine.cancel)(job)
        return job
    b.origin.hold("a.bin")
    running = b.job("a.bin", start=True)
    await b.until(running, JobState.TRANSFERRING)
    if state is JobState.TRANSFERRING:
        return running
    waiting = b.job("b.bin", start=True)
    assert waiting.state is JobState.QUEUED
    return waiting


S = JobState
TABLE: list[tuple[JobState, str, int, JobState]] = [
    (S.SUSPENDED, "resume", 0, S.QUEUED),
    (S.SUSPENDED, "suspend", 0, S.SUSPENDED),
    (S.SUSPENDED, "complete", PARTIAL, S.ACKNOWLEDGED),
    (S.SUSPENDED, "cancel", 0, S.CANCELLED),
    (S.QUEUED, "resume", 0, S.QUEUED),
    (S.QUEUED, "suspend", 0, S.SUSPENDED),
    (S.QUEUED, "complete", PARTIAL, S.ACKNOWLEDGED),
    (S.QUEUED, "cancel", 0, S.CANCELLED),
    (S.TRANSFERRING, "resume", 0, S.TRANSFERRING),
    (S.TRANSFERRING, "suspend", 0, S.SUSPENDED),
    (S.TRANSFERRING, "complete", PARTIAL, S.ACKNOWLEDGED),
    (S.TRANSFERRING, "cancel", 0, S.CANCELLED),
    (S.TRANSIENT_ERROR, "resume", 0, S.QUEUED),
    (S.TRANSIENT_ERROR, "suspend", 0, S.SUSPENDED),
    (S.TRANSIENT_ERROR, "complete", PARTIAL, S.ACKNOWLEDGED),
    (S.TRANSIENT_ERROR, "cancel", 0, S.CANCELLED),
    (S.ERROR, "resume", 0, S.QUEUED),
    (S.ERROR, "suspend", 0, S.SUSPENDED),
    (S.ERROR, "complete", PARTIAL, S.ACKNOWLEDGED),
    (S.ERROR, "cancel", 0, S.CANCELLED),
    (S.TRANSFERRED, "resume", 0, S.TRANSFERRED),
    (S.TRANSFERRED, "suspend", 0, S.SUSPENDED),
    (S.TRANSFERRED, "complete", 0, S.ACKNOWLEDGED),
    (S.TRANSFERRED, "cancel", 0, S.CANCELLED),
]


@pytest.mark.parametrize(("state", "call", "result", "after"), TABLE)
def test_27_28_33_69_73_the_table_of_states_and_calls(
    tmp_path: Path, state: JobState, call: str, result: int, after: JobState
) -> None:
    async def scenario(b: Rig) -> None:
        job = await brought_to(b, state)
        assert job.state is state
        assert getattr(b.engine, call)(job) == result
        assert job.state is after
        assert (job in b.engine.jobs()) is not job.final
        if job.final:
            kept = {entry.temp_name for other in b.engine.jobs() for entry in other.files}
            assert set(b.temps()) <= kept

    on_rig(scenario, tmp_path)


@pytest.mark.parametrize("state", [s for s in JobState if s not in codes.FINAL | {S.CONNECTING}])
def test_33_53_files_may_be_added_in_every_live_state(tmp_path: Path, state: JobState) -> None:
    async def scenario(b: Rig) -> None:
        job = await brought_to(b, state)
        b.engine.add_file(job, b.origin.url + "d.bin", r"C:\in\d.bin")
        assert len(job.files) == 2
        if state is JobState.TRANSFERRED:
            b.engine.resume(job)
            assert job.state is not JobState.TRANSFERRED
            await b.until(job, JobState.TRANSFERRED)
            assert b.engine.complete(job) == 0

    on_rig(scenario, tmp_path)


@pytest.mark.parametrize("state", sorted(codes.FINAL))
def test_31_32_142_final_jobs_refuse_everything_and_are_gone(
    tmp_path: Path, state: JobState
) -> None:
    async def scenario(b: Rig) -> None:
        job = await brought_to(b, state)
        calls: list[Callable[[], object]] = [
            lambda: b.engine.resume(job),
            lambda: b.engine.suspend(job),
            lambda: b.engine.complete(job),
            lambda: b.engine.cancel(job),
            lambda: b.engine.add_file(job, b.origin.url, r"C:\in\x"),
            lambda: b.engine.set_priority(job, 1),
            lambda: b.engine.set_name(job, "x"),
            lambda: b.engine.set_description(job, "x"),
            lambda: b.engine.set_minimum_retry_delay(job, 60),
            lambda: b.engine.set_no_progress_timeout(job, 60),
            lambda: b.engine.set_proxy(job, 0, None, None),
            lambda: b.engine.set_credentials(job, 0, 0, "u", "p"),
            lambda: b.engine.remove_credentials(job, 0, 0),
            lambda: b.engine.set_certificate(job, None),
        ]
        assert {refused(call) for call in calls} == {INVALID}
        assert job.state is state
        assert refused(lambda: b.engine.find(job.job_id)) == Hr.NOT_FOUND

    on_rig(scenario, tmp_path)


def test_26_a_job_without_files_cannot_be_resumed(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job()
        assert refused(lambda: b.engine.resume(job)) == Hr.EMPTY
        assert job.state is JobState.SUSPENDED

    on_rig(scenario, tmp_path)


@pytest.mark.parametrize(("succeeds", "result"), [(True, 0), (False, PARTIAL)])
def test_s_complete_of_an_empty_job_is_a_setting(
    tmp_path: Path, succeeds: bool, result: int
) -> None:
    async def scenario(b: Rig) -> None:
        assert b.engine.complete(b.job()) == result

    on_rig(scenario, tmp_path, EngineSettings(empty_complete_succeeds=succeeds))


def test_28_suspend_of_a_finished_job_may_leave_its_state(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = await b.finished("a.bin")
        b.engine.suspend(job)
        assert job.state is JobState.TRANSFERRED

    on_rig(scenario, tmp_path, EngineSettings(suspend_hides_error_state=False))


def test_28_a_suspended_finished_job_comes_back_by_resume(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = await b.finished("a.bin")
        b.engine.suspend(job)
        assert job.state is JobState.SUSPENDED
        b.engine.resume(job)
        assert job.state is JobState.TRANSFERRED

    on_rig(scenario, tmp_path)


def test_33_resume_of_a_finished_job_may_be_refused(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = await b.finished("a.bin")
        assert refused(lambda: b.engine.resume(job)) == Hr.EMPTY
        assert job.state is JobState.TRANSFERRED

    on_rig(scenario, tmp_path, EngineSettings(resume_of_transferred_fails=True))


# --- D: AddFile ---


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.bin",
        "ftp://h/a",
        "file:///",
        "http://",
        "http:///a",
        "http://h:port/a",
        "http://h:99999/a",
        "http://bücher.example/a",
        "http://h/" + "a" * 261,
        "http://h/" + "/a" * 1096,
        "mailto:x@y",
        "http://h/a\x07",
    ],
)
def test_40_43_44_a_remote_name_that_bits_refuses(tmp_path: Path, url: str) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job()
        assert refused(lambda: b.engine.add_file(job, url, r"C:\in\a")) == Hr.INVALID_ARGUMENT
        assert job.files == []

    on_rig(scenario, tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "http://h/" + "/".join(["a" * 100] * 21) + "/" + "b" * 70,
        "HTTPS://h:8443/a?b=c#d",
        r"\\server\share\a",
        "file://server/share/a",
        r"D:\in\a",
    ],
)
def test_43_44_a_remote_name_that_bits_takes(tmp_path: Path, url: str) -> None:
    async def scenario(b: Rig) -> None:
        assert len(url) <= 2200
        b.engine.add_file(b.job(), url, r"C:\in\a")

    on_rig(scenario, tmp_path)


def test_43_2200_characters_are_taken_and_2201_are_not(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        url = "http://h/" + "/".join(["a" * 218] * 10)
        url += "b" * (2200 - len(url))
        b.engine.add_file(b.job(), url, r"C:\in\a")
        assert refused(lambda: b.engine.add_file(b.job(), url + "b", r"C:\in\a")) == (
            Hr.INVALID_ARGUMENT
        )

    on_rig(scenario, tmp_path)


def test_43_a_long_url_may_be_refused_otherwise(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        url = "http://h/" + "a/" * 1100
        assert refused(lambda: b.engine.add_file(b.job(), url, r"C:\in\a")) == 0x80200021

    on_rig(scenario, tmp_path, EngineSettings(long_url_hresult=0x80200021))


@pytest.mark.parametrize("path", ["a.bin", r"in\a", r"C:\in\a?", r"C:\in\a:s", r"\\?\C:\in\a"])
def test_41_42_a_local_name_that_bits_refuses(tmp_path: Path, path: str) -> None:
    async def scenario(b: Rig) -> None:
        call = lambda: b.engine.add_file(b.job(), b.origin.url + "a.bin", path)  # noqa: E731
        assert refused(call) == Hr.INVALID_ARGUMENT

    on_rig(scenario, tmp_path)


@pytest.mark.parametrize("choice", list(MissingFolder))
def test_45_bits_makes_no_folders(tmp_path: Path, choice: MissingFolder) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job()
        target = r"C:\new\folder\a.bin"
        if choice is MissingFolder.ADD_FAILS:
            call = lambda: b.engine.add_file(job, b.origin.url + "a.bin", target)  # noqa: E731
            assert refused(call) == 0x80070003
            return
        b.engine.add_file(job, b.origin.url + "a.bin", target)
        b.engine.resume(job)
        await b.until(job, JobState.ERROR, JobState.TRANSFERRED)
        if choice is MissingFolder.JOB_FAILS:
            assert (b.engine.failure(job).code, b.engine.failure(job).context) == (0x80070003, 4)
        else:
            b.engine.complete(job)
            assert b.paths.resolve(target).read_bytes() == b"A" * 1000

    on_rig(scenario, tmp_path, EngineSettings(missing_folder=choice))


def test_46_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        b.engine.files.conditions.read_only.add(r"c:\in")
        call = lambda: b.engine.add_file(b.job(), b.origin.url + "a.bin", r"C:\in\a")  # noqa: E731
        assert refused(call) == 0x80070005

    on_rig(scenario, tmp_path)


def test_50_the_same_file_twice_is_fetched_twice(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job("a.bin", "a.bin", start=True)
        await b.until(job, JobState.TRANSFERRED)
        assert (job.files_transferred, len(b.origin.asked("HEAD"))) == (2, 2)

    on_rig(scenario, tmp_path)


def test_54_to_56_the_size_of_a_job_is_unknown_until_all_sizes_are_known(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job("a.bin", "b.bin")
        assert job.bytes_total == codes.SIZE_UNKNOWN
        b.origin.hold("b.bin")
        b.engine.resume(job)
        await b.when(lambda: job.files[0].fetched)
        assert (job.files[0].bytes_total, job.bytes_total) == (1000, codes.SIZE_UNKNOWN)
        await b.when(lambda: job.files[1].bytes_total == 2000)
        assert (job.bytes_total, job.bytes_transferred, job.files_transferred) == (3000, 1000, 1)

    on_rig(scenario, tmp_path)
