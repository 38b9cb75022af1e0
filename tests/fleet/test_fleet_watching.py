"""What changed between two looks, how fast, and how much longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bitsshell.bits import ErrorContext, Job, JobError, JobState
from bitsshell.fleet.watching import RateMeter, Watch, compare, key_of, time_left_s

if TYPE_CHECKING:
    from bitsshell.results import JobChange

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(host="a", id="1", name="n", state=JobState.TRANSFERRING, bytes_total=1000)
OTHER = Job(host="b", id="2", name="m", state=JobState.QUEUED)


def kinds(changes: list[JobChange]) -> list[tuple[str, str]]:
    return [(change.job_id, change.kind) for change in changes]


def look(watch: Watch, *jobs: Job, readable: str = "ab", at_s: float = 0.0) -> list[JobChange]:
    return watch.look(jobs, readable=readable, at=NOW, at_s=at_s)


# Comparing


def test_what_left_comes_first_then_what_is_new_or_different() -> None:
    before = {key_of(JOB): JOB, ("a", "9"): replace(JOB, id="9")}
    after = {key_of(OTHER): OTHER, key_of(JOB): replace(JOB, state=JobState.TRANSFERRED)}
    assert kinds(compare(before, after, at=NOW)) == [
        ("9", "left"),
        ("2", "appeared"),
        ("1", "state"),
    ]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"state": JobState.ERROR}, "state"),
        ({"state": JobState(42)}, "state"),
        ({"bytes_transferred": 1}, "progress"),
        ({"bytes_total": None}, "progress"),
        ({"files_transferred": 1}, "progress"),
        ({"files_total": 2}, "progress"),
        ({"error_count": 1}, "progress"),
        ({"priority": 0}, "progress"),
        ({"name": "other"}, "progress"),
    ],
)
def test_everything_that_a_watch_shows_is_a_change(change: dict[str, object], kind: str) -> None:
    after = replace(JOB, **change)  # type: ignore[arg-type]
    assert kinds(compare({key_of(JOB): JOB}, {key_of(JOB): after}, at=NOW)) == [("1", kind)]


def test_what_is_the_same_or_not_shown_is_no_change() -> None:
    for after in (JOB, replace(JOB, modified_filetime=5, description="x")):
        assert compare({key_of(JOB): JOB}, {key_of(JOB): after}, at=NOW) == []


def test_an_unknown_state_that_stays_is_no_change() -> None:
    odd, same = replace(JOB, state=JobState(42)), replace(JOB, state=JobState(42))
    assert compare({key_of(odd): odd}, {key_of(same): same}, at=NOW) == []
    huge = replace(JOB, state=JobState(99_999))
    assert compare({key_of(huge): huge}, {key_of(huge): replace(huge)}, at=NOW) == []


# Rates


def test_a_rate_needs_two_moments() -> None:
    meter = RateMeter()
    assert meter.bytes_per_s is None
    meter.add(0.0, 100)
    assert meter.bytes_per_s is None
    meter.add(2.0, 300)
    assert meter.bytes_per_s == 100.0


def test_two_samples_at_one_moment_are_no_rate() -> None:
    meter = RateMeter()
    meter.add(1.0, 100)
    meter.add(1.0, 200)
    assert meter.bytes_per_s is None


def test_a_rate_looks_back_ten_seconds_and_no_more() -> None:
    meter = RateMeter()
    for second in range(30):
        meter.add(float(second), 0 if second < 15 else (second - 15) * 50)
    assert meter.bytes_per_s == 50.0
    assert len(meter.samples) <= 12


def test_a_count_that_goes_down_starts_anew() -> None:
    meter = RateMeter()
    meter.add(0.0, 1000)
    meter.add(1.0, 0)
    assert meter.bytes_per_s is None
    meter.add(2.0, 10)
    assert meter.bytes_per_s == 10.0


@pytest.mark.parametrize(
    ("job", "rate", "left"),
    [
        (replace(JOB, bytes_transferred=500), 100.0, 5.0),
        (replace(JOB, bytes_transferred=2000), 100.0, 0.0),
        (JOB, None, None),
        (JOB, 0.0, None),
        (replace(JOB, bytes_total=None), 100.0, None),
        (replace(JOB, state=JobState.SUSPENDED), 100.0, None),
    ],
)
def test_time_left_is_told_only_where_it_can_be(
    job: Job, rate: float | None, left: float | None
) -> None:
    assert time_left_s(job, rate) == left


# A watch


def test_the_first_look_sees_jobs_that_are_present_and_later_ones_appear() -> None:
    watch = Watch()
    assert kinds(look(watch, JOB)) == [("1", "present")]
    assert kinds(look(watch, JOB, OTHER)) == [("2", "appeared")]
    assert kinds(look(watch, OTHER)) == [("1", "left")]


def test_the_jobs_of_a_host_that_could_not_be_read_stay_as_they_were() -> None:
    watch = Watch()
    look(watch, JOB, OTHER)
    assert look(watch, OTHER, readable="b") == []
    assert set(watch.jobs) == {key_of(JOB), key_of(OTHER)}
    assert kinds(look(watch, OTHER, readable="ab")) == [("1", "left")]


def test_the_first_look_at_a_host_that_answers_late_is_a_first_look() -> None:
    watch = Watch()
    look(watch, JOB, readable="a")
    assert kinds(look(watch, JOB, OTHER, readable="ab")) == [("2", "present")]


def test_a_watch_of_some_jobs_sees_no_others() -> None:
    watch = Watch([JOB])
    assert kinds(look(watch, JOB, OTHER)) == [("1", "present")]


def test_before_a_host_was_looked_at_its_jobs_are_shown_as_they_were_given() -> None:
    watch = Watch([JOB, OTHER])
    assert [row.job for row in watch.rows()] == [JOB, OTHER]
    look(watch, readable="b")
    assert [row.job for row in watch.rows()] == [JOB]
    look(watch, replace(JOB, bytes_transferred=7), readable="ab")
    assert [row.job.bytes_transferred for row in watch.rows()] == [7]


def test_a_settled_job_is_shown_on_and_followed_no_more() -> None:
    watch = Watch()
    look(watch, JOB, OTHER)
    watch.settle(replace(JOB, state=JobState.ACKNOWLEDGED))
    assert look(watch, OTHER) == []
    assert look(watch, JOB, OTHER) == []
    assert [row.job.state.name for row in watch.rows()] == ["ACKNOWLEDGED", "QUEUED"]


def test_rows_come_by_host_and_name_with_rate_time_left_and_error() -> None:
    watch = Watch()
    error = JobError(host="b", job_id="2", code=1, context=ErrorContext.NONE)
    failed = replace(OTHER, state=JobState.ERROR)
    look(watch, failed, JOB, replace(JOB, id="0", name="m"), at_s=0.0)
    watch.errors[key_of(failed)] = error
    look(watch, failed, replace(JOB, bytes_transferred=200), replace(JOB, id="0", name="m"), at_s=2)
    rows = watch.rows()
    assert [(row.job.host, row.job.name) for row in rows] == [("a", "m"), ("a", "n"), ("b", "m")]
    assert (rows[1].rate_bytes_s, rows[1].time_left_s) == (100.0, 8.0)
    assert (rows[2].rate_bytes_s, rows[2].error) == (None, error)


def test_an_error_is_forgotten_when_its_job_goes_on() -> None:
    watch = Watch()
    failed = replace(JOB, state=JobState.TRANSIENT_ERROR)
    look(watch, failed)
    watch.errors[key_of(JOB)] = JobError(host="a", job_id="1", code=1, context=ErrorContext.NONE)
    look(watch, failed)
    assert watch.rows()[0].error is not None
    look(watch, JOB)
    assert watch.rows()[0].error is None


def test_a_watch_of_days_forgets_the_jobs_that_left() -> None:
    watch = Watch()
    for number in range(100):
        passing = replace(JOB, id=str(number), state=JobState.ERROR)
        look(watch, passing)
        watch.errors[key_of(passing)] = JobError(
            host="a", job_id=str(number), code=1, context=ErrorContext.NONE
        )
    assert len(watch.jobs) == len(watch.errors) == len(watch._meters) == 1
