"""Finding jobs of a snapshot that is replaced host by host."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bitsshell.bits import Job
from bitsshell.fleet.snapshot import Snapshot

AT = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = st.text(alphabet="abB-", max_size=3)
QUEUES = st.lists(NAMES, max_size=4)
LARGE = [f"other-{number}" for number in range(300)]


def queue(host: str, names: list[str]) -> list[Job]:
    return [Job(host=host, id=f"{host}-{place}", name=name) for place, name in enumerate(names)]


def filled(*, is_prepared: bool) -> Snapshot:
    """A snapshot that is large enough for its index to be carried along."""
    snapshot = Snapshot().with_host("large", queue("large", LARGE), at=AT)
    if is_prepared:
        snapshot.prepare()
    return snapshot


@given(changes=st.lists(st.tuples(st.sampled_from(["h1", "h2"]), QUEUES), max_size=4), typed=NAMES)
def test_an_index_that_was_carried_along_finds_what_a_new_one_finds(
    changes: list[tuple[str, list[str]]], typed: str
) -> None:
    carried, fresh = filled(is_prepared=True), filled(is_prepared=False)
    for host, names in changes:
        carried = carried.with_host(host, queue(host, names), at=AT)
        fresh = fresh.with_host(host, queue(host, names), at=AT)
    assert carried.with_prefix(typed) == fresh.with_prefix(typed)
    assert carried.with_letters(typed) == fresh.with_letters(typed)


def test_a_host_that_is_read_again_replaces_its_jobs_in_the_index() -> None:
    snapshot = filled(is_prepared=True).with_host("h1", queue("h1", ["nightly"]), at=AT)
    assert [job.host for job in snapshot.with_prefix("night")] == ["h1"]
    assert snapshot.with_host("h1", [], at=AT).with_prefix("night") == []


def test_a_host_that_is_read_again_and_again_has_only_its_last_jobs_in_the_index() -> None:
    snapshot = filled(is_prepared=True)
    for number in range(40):
        snapshot = snapshot.with_host("h1", queue("h1", [f"sql-{number}"]), at=AT)
        assert [job.name for job in snapshot.with_letters("sq")] == [f"sql-{number}"]


def test_jobs_are_found_by_letters_on_the_wanted_hosts_alone() -> None:
    snapshot = filled(is_prepared=True)
    for host in ("h1", "h2"):
        snapshot = snapshot.with_host(host, queue(host, ["sql-nightly"]), at=AT)
    assert [job.host for job in snapshot.with_letters("nghtly", hosts=["h2"])] == ["h2"]
    assert len(snapshot.with_letters("nghtly", limit=1)) == 1


def test_a_job_is_found_by_host_and_id() -> None:
    snapshot = filled(is_prepared=False)
    found = snapshot.job("large", "large-7")
    assert found is not None
    assert found.name == "other-7"
    assert snapshot.job("elsewhere", "large-7") is None


def test_many_hosts_and_jobs_are_narrowed_to_those_that_are_wanted() -> None:
    snapshot = Snapshot()
    for host in ("h1", "h2", "h3"):
        snapshot = snapshot.with_host(host, queue(host, LARGE), at=AT)
    found = snapshot.with_prefix("other-1", hosts=["h1", "h3"])
    assert {job.host for job in found} == {"h1", "h3"}
    assert len(found) == 2 * sum(name.startswith("other-1") for name in LARGE)
