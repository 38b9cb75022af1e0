"""The last known jobs, for completion."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bitsshell.bits import Job, JobState
from bitsshell.fleet.snapshot import Snapshot

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)


def job(number: int, name: str = "nightly", host: str = "a", **options: object) -> Job:
    return Job(host=host, id=f"{number:08X}-0000-4000-8000-000000000000", name=name, **options)  # type: ignore[arg-type]


def names(jobs: list[Job]) -> list[str]:
    return [f"{job.host}/{job.name}" for job in jobs]


def test_a_snapshot_never_changes() -> None:
    empty = Snapshot()
    first = empty.with_host("a", [job(1)], at=NOW)
    second = first.with_host("a", [job(2), job(3)], at=LATER)
    assert empty.jobs == {}
    assert len(first.jobs["a"]) == 1
    assert len(second.jobs["a"]) == 2
    assert (first.read_at["a"], second.read_at["a"]) == (NOW, LATER)


def test_other_hosts_stay_as_they_were() -> None:
    both = (
        Snapshot()
        .with_host("a", [job(1)], at=NOW)
        .with_host("b", [job(2, host="b")], at=NOW)
        .with_host("a", [], at=LATER)
    )
    assert both.ids_on("a") == ()
    assert both.ids_on("b") == (job(2).id,)
    assert both.ids_on("nowhere") == ()


def test_one_job_is_put_in_changed_and_taken_out() -> None:
    snapshot = Snapshot().with_host("a", [job(1), job(2)], at=NOW)
    snapshot = snapshot.with_job(job(1, state=JobState.ERROR), at=LATER)
    snapshot = snapshot.with_job(job(3), at=LATER)
    assert {known.id: known.state.name for known in snapshot.jobs["a"]} == {
        job(1).id: "ERROR",
        job(2).id: "SUSPENDED",
        job(3).id: "SUSPENDED",
    }
    for final in (JobState.CANCELLED, JobState.ACKNOWLEDGED):
        assert job(2).id not in snapshot.with_job(job(2, state=final), at=LATER).ids_on("a")


def test_a_prefix_finds_names_first_then_ids_in_any_case() -> None:
    snapshot = Snapshot().with_host(
        "a", [job(0xAB000001, "Zeta"), job(1, "abacus"), job(2, "ABBEY"), job(3, "b")], at=NOW
    )
    assert names(snapshot.with_prefix("ab")) == ["a/abacus", "a/ABBEY", "a/Zeta"]
    assert names(snapshot.with_prefix("{AB0")) == ["a/Zeta"]
    assert names(snapshot.with_prefix("abb")) == ["a/ABBEY"]
    assert snapshot.with_prefix("nothing") == []


def test_nothing_typed_finds_every_job_once() -> None:
    snapshot = Snapshot().with_host("a", [job(1, "b"), job(2, "a")], at=NOW)
    assert names(snapshot.with_prefix("")) == ["a/a", "a/b"]


def test_a_prefix_may_be_limited_to_hosts_and_to_a_number() -> None:
    snapshot = Snapshot()
    for host in ("a", "b", "c"):
        snapshot = snapshot.with_host(host, [job(1, "nightly", host)], at=NOW)
    here = snapshot.with_prefix("night", hosts=["c", "a"])
    assert sorted(names(here)) == ["a/nightly", "c/nightly"]
    assert len(snapshot.with_prefix("night", limit=2)) == 2


@given(st.lists(st.text(max_size=6), max_size=30), st.text(max_size=3))
def test_bisection_finds_what_a_search_through_everything_finds(
    given_names: list[str], prefix: str
) -> None:
    jobs = [job(number + 0xF0000000, name) for number, name in enumerate(given_names)]
    folded = prefix.casefold().lstrip("{")
    wanted = {known.id for known in jobs if known.name.casefold().startswith(folded)}
    if folded:
        wanted |= {known.id for known in jobs if known.id.casefold().startswith(folded)}
    found = Snapshot().with_host("a", jobs, at=NOW).with_prefix(prefix)
    assert {known.id for known in found} == wanted


def test_fifty_thousand_jobs_are_found_by_their_beginning() -> None:
    shuffled = list(range(50_000))
    random.Random(1).shuffle(shuffled)
    snapshot = Snapshot()
    for start in range(0, 50_000, 5_000):
        host = f"host{start:05}"
        jobs = [job(number, f"job-{number:05}", host) for number in shuffled[start : start + 5_000]]
        snapshot = snapshot.with_host(host, jobs, at=NOW)
    found = snapshot.with_prefix("JOB-1234")
    assert [known.name for known in found] == [f"job-1234{digit}" for digit in range(10)]
    assert len(snapshot.with_prefix("0000000")) == 16
