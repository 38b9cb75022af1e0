"""The journal's file: whose it is, what it refuses, and that nothing ever overwrites one."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import stat
import subprocess
import sys
import textwrap
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from journal_things import MADE, NOW, WELL, draft, finished, look, python

from bitsshell.journal import (
    JournalDamaged,
    JournalUnavailable,
    MemoryJournal,
    Wanted,
    default_path,
    open_journal,
)
from bitsshell.journal.database import SCHEMA_VERSION, DatabaseJournal
from bitsshell.journal.place import Place, _kind_of_mount

if TYPE_CHECKING:
    from collections.abc import Iterator

LATER = NOW + timedelta(seconds=1)
IS_WINDOWS = sys.platform == "win32"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite"


def opened(path: Path | str, **settings: float) -> closing[DatabaseJournal]:
    return closing(DatabaseJournal(str(path), **settings))


def written(path: Path, entries: int = 3) -> str:
    """A journal with some entries; the session that wrote them."""
    with opened(path) as journal:
        for number in range(entries):
            journal.write(look(f"jobs {number}"), LATER, summary=WELL)
        return journal.session


def tampered(path: Path, *changes: str) -> None:
    """Change what was written, by the means of whoever owns the file."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TRIGGER no_change")
        for change in changes:
            other.execute(f"UPDATE events SET {change}")
        other.commit()


def whole(path: Path) -> bytes:
    """The file and what is beside it."""
    return b"".join(part.read_bytes() for part in sorted(path.parent.iterdir()))


# Where it is


def test_it_stands_in_the_users_folder_unless_something_else_is_said(tmp_path: Path) -> None:
    usual = open_journal(None, {})
    assert isinstance(usual, DatabaseJournal)
    assert usual.place.path == default_path()
    assert default_path().name == "journal.sqlite"
    configured = open_journal(str(tmp_path / "a"), {})
    assert configured.standing().place == str(tmp_path / "a")
    said = open_journal(str(tmp_path / "a"), {"BITSSHELL_JOURNAL": str(tmp_path / "b")})
    assert said.standing().place == str(tmp_path / "b")


@pytest.mark.parametrize(
    "said", ["a b.sqlite", "file:a%20b.sqlite?vfs=NAME&psow=1", "file:a%20b.sqlite"]
)
def test_its_address_names_it_from_elsewhere_with_all_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    layer = "win32-longpath" if IS_WINDOWS else "unix-dotfile"
    monkeypatch.chdir(tmp_path)
    with opened(said.replace("NAME", layer)) as journal:
        assert journal.standing().address == journal.place.address, "also before there is a file"
        journal.write(look(), LATER)
        standing = journal.standing()
    assert standing.place == str(tmp_path / "a b.sqlite")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with opened(standing.address) as again:
        assert again.place == journal.place
        assert ("vfs=" in again.place.uri) is ("vfs=" in said)
        assert (again.standing().address, again.standing().mode) == (
            standing.address,
            standing.mode,
        )
        assert len(again.entries()) == 1


@pytest.mark.parametrize("configured", [None, "off", "OFF"])
def test_without_one_there_is_a_journal_for_the_session(configured: str | None) -> None:
    environment = {} if configured else {"BITSSHELL_JOURNAL": "off"}
    journal = open_journal(configured, environment)
    assert isinstance(journal, MemoryJournal)
    standing = journal.standing()
    assert standing.mode == "off: kept in memory until this process ends"
    assert (standing.address, standing.is_kept) == ("", False)


def test_looking_makes_no_file_and_writing_one_for_its_user_alone(path: Path) -> None:
    with opened(path) as journal:
        assert journal.entries() == ()
        assert journal.standing().mode == "not there yet"
        assert not path.parent.exists()
        journal.write(look(), LATER)
        if not IS_WINDOWS:
            modes = {stat.S_IMODE(part.stat().st_mode) for part in path.parent.iterdir()}
            assert modes == {0o600}
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(IS_WINDOWS, reason="Windows has other permissions")
def test_a_file_that_others_could_read_is_taken_back(path: Path) -> None:
    written(path)
    path.chmod(0o644)
    written(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_written_is_there_for_the_next_process(path: Path) -> None:
    first, second = written(path), written(path, 2)
    with opened(path) as journal:
        assert [entry.number for entry in journal.entries()] == [1, 2, 3, 4, 5]
        assert journal.sessions() == [first, second]
        assert [chain.problem for chain in journal.verify()] == [None, None]
        standing = journal.standing()
        assert (standing.entries, standing.sessions, standing.mode) == (5, 2, "WAL")
        assert standing.size_bytes > 0


def test_a_closed_journal_opens_again(path: Path) -> None:
    with opened(path) as journal:
        journal.write(look(), LATER)
        journal.close()
        journal.write(look(), LATER)
        assert len(journal.entries()) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_a_child_of_a_fork_writes_to_the_same_chain(path: Path) -> None:
    process = python(
        """
        import os, sys
        from journal_things import *
        from bitsshell.journal.database import DatabaseJournal
        journal = DatabaseJournal(sys.argv[1])
        journal.write(look("parent"), NOW)
        child = os.fork()
        journal.write(look("after"), NOW)
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        (chain,) = journal.verify()
        print(chain.events, chain.problem, len(journal.entries()))
        """,
        path,
        cwd=Path(__file__).parent,
    )
    assert finished(process) == ("3 None 3\n", "")


# WAL, and where there is none


def test_a_file_system_without_shared_memory_gets_a_rollback_journal(path: Path) -> None:
    """`unix-dotfile` is SQLite's own way for file systems with neither locks nor shared memory."""
    if IS_WINDOWS:
        pytest.skip("SQLite for Windows has no such file system layer")
    with opened(f"file:{path}?vfs=unix-dotfile") as journal:
        number = journal.begin(draft())
        journal.record(number, MADE)
        assert journal.standing().mode == (
            "rollback journal (delete), for the file system takes no WAL"
        )
        assert not path.with_name("journal.sqlite-wal").exists()
        assert journal.verify()[0].problem is None


def test_on_a_network_home_no_wal_is_tried(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "is_shared", True)
    with opened(path) as journal:
        journal.begin(draft())
        assert journal.standing().mode == "rollback journal (delete), for it lies on a network"
        assert not path.with_name("journal.sqlite-wal").exists()


@pytest.mark.skipif(not Path("/proc/self/mounts").exists(), reason="only Linux tells its mounts")
def test_the_kind_of_a_file_system_is_that_of_the_innermost_mount() -> None:
    assert _kind_of_mount(Path("/proc/self/mounts")) == "proc"
    assert _kind_of_mount(Path("/sys/kernel")) == "sysfs"
    assert _kind_of_mount(Path(__file__)) not in {"", "proc", "sysfs"}


# What it refuses


def test_a_file_that_is_no_journal_stays_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    for text in (b"my shopping list\n" * 100, b"SQLite format 3\0" + b"junk" * 2000):
        path.write_bytes(text)
        with opened(path) as journal:
            for use in (lambda: journal.begin(draft()), journal.entries, journal.standing):
                with pytest.raises(JournalDamaged) as caught:
                    use()
                assert str(path) in caught.value.what()
                assert "left as it is" in caught.value.what()
                assert "BITSSHELL_JOURNAL=" in (caught.value.hint or "")
        assert path.read_bytes() == text


def test_a_database_of_something_else_stays_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmarks(url TEXT)")
    before = path.read_bytes()
    with opened(path) as journal, pytest.raises(JournalDamaged, match="something else"):
        journal.begin(draft())
    assert path.read_bytes() == before


def test_a_damaged_journal_says_so_and_stays_as_it_is(path: Path) -> None:
    written(path, 50)
    raw = bytearray(path.read_bytes())
    raw[4096:-100] = os.urandom(len(raw) - 4196)
    path.write_bytes(raw)
    with opened(path) as journal:
        with pytest.raises(JournalDamaged):
            journal.entries()
        with pytest.raises(JournalDamaged):
            journal.begin(draft())
    assert path.read_bytes() == raw


def test_an_entry_that_makes_no_sense_is_damage(path: Path) -> None:
    written(path, 1)
    tampered(path, "body='{'")
    with opened(path) as journal, pytest.raises(JournalDamaged):
        journal.entries()


@pytest.mark.parametrize(
    "change",
    [
        "at='2026-01-01T12:30:00'",
        "at=x'41'",
        "entry='first'",
        "sequence='first'",
        "body='[]'",
        """body='{"kind":"dream"}'""",
    ],
)
def test_a_row_of_another_form_is_damage(path: Path, change: str) -> None:
    session = written(path, 1)
    tampered(path, change)
    with opened(path) as journal:
        with pytest.raises(JournalDamaged, match="an entry cannot be read"):
            journal.entries(Wanted(since=NOW))
        with suppress(JournalDamaged):  # whether its chain holds is another matter
            journal.verify(session)


def test_what_we_were_given_is_no_damage_of_the_file(path: Path) -> None:
    written(path)
    with opened(path) as journal:
        with pytest.raises(TypeError, match="JSON"):
            journal.write(look(data={"text": object()}), LATER)
        assert journal.entries(Wanted(session="\ud800")) == ()
        assert len(journal.entries()) == 3


def test_a_later_version_is_not_touched(path: Path) -> None:
    written(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    with (
        opened(path) as journal,
        pytest.raises(JournalUnavailable, match="later version") as caught,
    ):
        journal.begin(draft())
    assert (caught.value.hint or "").startswith("update bitsshell")


def test_events_are_only_ever_added(path: Path) -> None:
    session = written(path)
    with closing(sqlite3.connect(path)) as other:
        for statement in ("DELETE FROM events", "UPDATE events SET body='{}'"):
            with pytest.raises(sqlite3.IntegrityError, match="only ever added to"):
                other.execute(statement)
        other.execute("DROP TRIGGER no_removal")
        other.execute("DELETE FROM events WHERE sequence=2")
        other.commit()
    with opened(path) as journal:
        problems = [chain.problem for chain in journal.verify() if chain.problem]
        assert f"of session {session}" in problems[0]
        assert "1 before it are missing" in problems[0]
        assert problems[1] == "1 events were taken away"


def test_no_chain_hides_behind_another_beginning(path: Path) -> None:
    sessions = [written(path), written(path, 2)]
    tampered(path, "sequence=sequence - 1 WHERE sequence=1", "body=replace(body, 'ann', 'bob')")
    with opened(path) as journal:
        assert journal.sessions() == sessions
        for chain, session in zip(journal.verify(), sessions, strict=True):
            assert f"event 1 of session {session}" in (chain.problem or "")
            assert "it is numbered 0" in (chain.problem or "")


@pytest.mark.parametrize("body", ["'{'", "x'ff00'"])
def test_an_event_that_cannot_be_read_is_named(path: Path, body: str) -> None:
    sessions = [written(path), written(path, 2)]
    tampered(path, f"body={body} WHERE session='{sessions[1]}' AND sequence=2")
    with opened(path) as journal:
        first, second = journal.verify()
    assert first.problem is None
    assert f"event 2 of session {sessions[1]}" in (second.problem or "")
    assert "cannot be read" in (second.problem or "")


# A disk that takes nothing


@contextmanager
def nobody() -> Iterator[None]:
    """Be somebody whom permissions bind; the superuser may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(IS_WINDOWS, reason="Windows has other permissions")
@pytest.mark.parametrize("is_there", [False, True], ids=["new", "there"])
def test_a_read_only_folder_is_said(tmp_path: Path, is_there: bool) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    path = folder / "journal.sqlite"
    if is_there:
        written(path)
        path.chmod(0o444)
    for part in (tmp_path, *tmp_path.parents):
        if part.stat().st_uid == os.getuid() and part != Path("/"):
            part.chmod(stat.S_IMODE(part.stat().st_mode) | 0o555)
    folder.chmod(0o555)
    try:
        with nobody(), opened(path) as journal:
            with pytest.raises(JournalUnavailable) as caught:
                journal.begin(draft())
            assert not isinstance(caught.value, JournalDamaged)
            assert str(path) in str(caught.value)
            assert "permissions" in str(caught.value)
    finally:
        folder.chmod(0o755)


FULL = """
    import resource, signal, sys
    from journal_things import *
    from bitsshell.journal import JournalUnavailable
    from bitsshell.journal.database import DatabaseJournal
    limit = int(sys.argv[2])
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    journal = DatabaseJournal(sys.argv[1])
    begun = 0
    try:
        for _ in range(1000):
            journal.begin(draft("x" * 2000))
            begun += 1
    except JournalUnavailable as error:
        print(type(error).__name__, error.what())
    chains = journal.verify()
    print(begun, len(journal.entries()), [chain.problem for chain in chains])
"""


@pytest.mark.skipif(IS_WINDOWS, reason="Windows has no limit on the size of files")
def test_a_disk_that_fills_up_refuses_the_intent_and_keeps_what_was_written(path: Path) -> None:
    """The system itself refuses to let the file grow (RLIMIT_FSIZE), as a quota would."""
    process = python(FULL, path, 200_000, cwd=Path(__file__).parent)
    out, err = finished(process)
    assert err == ""
    said, counts = out.splitlines()
    begun = int(counts.split()[0])
    assert said.startswith("JournalUnavailable the journal")
    assert 3 < begun < 1000
    assert counts == f"{begun} {begun} [None]"
    with opened(path) as journal:
        journal.write(look("with room again"), LATER)
        assert len(journal.entries()) == begun + 1
        assert all(chain.problem is None for chain in journal.verify())


def fill(journal: DatabaseJournal) -> None:
    for _ in range(100):
        journal.begin(draft("x" * 2000))


def can_mount() -> bool:
    if platform.system() != "Linux" or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-rm", "true"], check=False).returncode == 0


def test_a_full_disk_says_so(path: Path) -> None:
    """On a small disk of its own, where we may mount one; else by SQLite's own limit."""
    path.parent.mkdir()
    if not can_mount():
        with opened(path) as journal:
            journal.write(look(), LATER)
            assert journal._connection is not None
            journal._connection.execute("PRAGMA max_page_count=12")
            with pytest.raises(JournalUnavailable, match="the disk is full"):
                fill(journal)
        return
    script = f'mount -t tmpfs -o size=300k none "{path.parent}" && exec "$@"'
    words = ["unshare", "-rm", "sh", "-c", script, "sh"]
    ran = subprocess.run(
        [*words, sys.executable, "-c", textwrap.dedent(FULL), str(path), "0"],
        cwd=Path(__file__).parent, capture_output=True, encoding="utf-8", check=False, timeout=60,
    )  # fmt: skip
    assert ran.stderr == ""
    said, counts = ran.stdout.splitlines()
    assert "the disk is full" in said
    begun = int(counts.split()[0])
    assert counts == f"{begun} {begun} [None]"


def test_a_lock_that_another_holds_is_waited_for_and_then_said(path: Path) -> None:
    written(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with opened(path, lock_wait_s=0.05) as journal:
            with pytest.raises(JournalUnavailable, match="another process has held it") as caught:
                journal.begin(draft())
            assert "BITSSHELL_JOURNAL=off" in (caught.value.hint or "")
            other.execute("ROLLBACK")
            assert journal.begin(draft()) == 4


def test_reading_does_not_wait_for_a_writer(path: Path) -> None:
    written(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with opened(path) as journal:
            assert len(journal.entries(Wanted(limit=2))) == 2
        other.execute("ROLLBACK")
