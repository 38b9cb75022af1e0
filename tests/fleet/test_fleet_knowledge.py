"""What completion knows, kept in a file for the OS shells."""

from __future__ import annotations

import stat
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.bits import Job, JobFile, JobState
from bitsshell.fleet.knowledge import MAX_AGE, WRITE_EVERY_S, Knowledge, SnapshotFile
from bitsshell.fleet.places import Places
from bitsshell.fleet.snapshot import Snapshot

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 8, tzinfo=UTC)
JOB = Job(
    host="web01",
    id="9D5C4B47-36E2-4D5E-9A4F-1C2B3A495867",
    name="nightly",
    state=JobState.TRANSFERRING,
    bytes_total=10,
    bytes_transferred=5,
    created_filetime=133_500_000_000_000_000,
)


def knowledge(*jobs: Job, at: datetime = NOW, hosts: dict[str, str] | None = None) -> Knowledge:
    snapshot = Snapshot()
    for host in dict.fromkeys(job.host for job in jobs):
        snapshot = snapshot.with_host(host, [job for job in jobs if job.host == host], at=at)
    return Knowledge(hosts or {"web01": "http://web01:5985/wsman"}, snapshot, ("D:\\in\\",))


def test_what_is_written_is_read_again() -> None:
    found = Knowledge.from_json(knowledge(JOB).to_json(), NOW)
    assert found.hosts == {"web01": "http://web01:5985/wsman"}
    assert found.snapshot.jobs == {"web01": (JOB,)}
    assert found.snapshot.read_at == {"web01": NOW}
    assert found.folders == ("D:\\in\\",)


def test_jobs_that_are_too_old_are_left_out_and_their_host_stays() -> None:
    found = Knowledge.from_json(knowledge(JOB, at=NOW - MAX_AGE * 2).to_json(), NOW)
    assert found.snapshot.jobs == {}
    assert "web01" in found.hosts


@given(text=st.one_of(st.text(), st.sampled_from(["{}", "[]", '{"form":1}', '{"form":2}', "1"])))
def test_a_file_that_is_something_else_gives_nothing_or_says_so(text: str) -> None:
    try:
        found = Knowledge.from_json(text, NOW)
    except ValueError:
        return
    assert found.hosts == {}


def test_the_file_is_for_the_user_alone(tmp_path: Path) -> None:
    file = SnapshotFile(tmp_path / "state" / "completion.json")
    file.note(lambda: knowledge(JOB))
    file.flush(lambda: knowledge(JOB))
    assert file.read(NOW + timedelta(days=1)).snapshot.jobs == {"web01": (JOB,)}
    if sys.platform != "win32":
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.path.parent.iterdir()] == ["completion.json"]


def test_nothing_is_written_where_nothing_was_learned(tmp_path: Path) -> None:
    file = SnapshotFile(tmp_path / "completion.json")
    file.flush(lambda: knowledge(JOB))
    assert not file.path.exists()


def test_what_another_session_knows_is_not_lost(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    other = Job(host="db01", id="X", name="dump")
    for known in (
        knowledge(JOB, at=now),
        knowledge(other, at=now, hosts={"db01": "http://db01:5985/wsman"}),
    ):
        file = SnapshotFile(tmp_path / "completion.json")
        file.note(lambda: Knowledge())
        file.flush(lambda known=known: known)  # type: ignore[misc]  # bound now
    found = file.read(now)
    assert set(found.hosts) == {"web01", "db01"}
    assert set(found.snapshot.jobs) == {"web01", "db01"}


def test_while_a_session_learns_the_file_is_written_now_and_then(tmp_path: Path) -> None:
    time_s = 100.0
    written = threading.Event()

    def learned() -> Knowledge:
        written.set()
        return knowledge(JOB)

    file = SnapshotFile(tmp_path / "completion.json", clock=lambda: time_s)
    file.note(learned)
    assert not written.is_set()
    time_s += WRITE_EVERY_S
    file.note(learned)
    assert written.wait(10)


@pytest.mark.skipif(sys.platform == "win32", reason="a folder cannot be made read-only there")
def test_a_folder_that_cannot_be_written_is_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = SnapshotFile(tmp_path / "file" / "completion.json")
    file.note(lambda: knowledge(JOB))
    file.flush(lambda: knowledge(JOB))
    assert file.read(NOW) == Knowledge()


def test_folders_and_urls_are_seen_in_jobs() -> None:
    places = Places()
    places.learn([Job(host="h", id="1", files=(JobFile("http://s/d/a.iso", "D:\\in\\a.iso"),))])
    assert places.folders == ["D:\\in\\"]
    assert places.urls == ["http://s/d/", "http://s/d/a.iso"]


@pytest.mark.parametrize(
    "url", ["http://me:pw@s/a", "https://s/a?sig=abc", "http://s/a#frag", "\\\\server\\share\\a"]
)
def test_a_url_that_may_hold_a_secret_is_not_kept(url: str) -> None:
    places = Places()
    places.learn([Job(host="h", id="1", files=(JobFile(url, "C:\\a"),))])
    assert places.urls == []
