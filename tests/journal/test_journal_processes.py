"""Several processes at once, and processes that end in the middle of a change."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from journal_things import bare_environment, draft, finished, python
from jupyter_client.manager import KernelManager

from bitsshell.fleet.credentials import PASSWORD_VARIABLE
from bitsshell.journal import Ended, Wanted
from bitsshell.journal.database import DatabaseJournal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consoles import Site

NOT_POSIX = sys.platform == "win32"
SHELL = """
    import sys
    from bitsshell.journal import open_journal
    from bitsshell.session import Session
    from bitsshell.shell.loop import run_shell
    sys.exit(run_shell(Session(journal=open_journal())))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def environment(site: Site, path: Path) -> dict[str, str]:
    return bare_environment(path, **{PASSWORD_VARIABLE: site.host.password})


def at(site: Site) -> list[str]:
    return ["-H", site.host.endpoint, "--user", site.host.username, "--auth", "basic"]


def bitsshell(site: Site, path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bitsshell", *words],
        env=environment(site, path),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def unfinished(site: Site, path: Path, *more: str) -> list[dict[str, Any]]:
    ran = bitsshell(site, path, "journal", "unfinished", *more, "-o", "json")
    assert ran.returncode == 0, ran.stderr
    rows: list[dict[str, Any]] = json.loads(ran.stdout)
    return rows


@contextmanager
def kernel(site: Site, path: Path) -> Iterator[Any]:
    """A notebook's kernel."""
    manager = KernelManager()
    manager.start_kernel(env=environment(site, path))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_two_shells_a_command_line_and_a_notebook_write_at_once(site: Site, path: Path) -> None:
    used = f"use {site.host.endpoint} --user {site.host.username} --auth basic"
    lines = "".join(
        rf"create {site.url} C:\in\NAME{number} --name NAME{number} --suspended" + "\njobs\n"
        for number in range(6)
    )
    everywhere = environment(site, path)
    shells = {name: python(SHELL, env=everywhere) for name in ("one", "two")}
    with kernel(site, path) as client:
        cell = "\n".join(
            f"%bits {line}" for line in f"{used}\n{lines.replace('NAME', 'book')}".splitlines()
        )
        request = client.execute(f"%load_ext bitsshell\n{cell}")
        for name, process in shells.items():
            assert process.stdin is not None
            process.stdin.write(f"{used}\n{lines.replace('NAME', name)}")
            process.stdin.flush()
        ran = bitsshell(site, path, "jobs", *at(site))
        assert ran.returncode == 0, ran.stderr
        for process in shells.values():
            _, err = finished(process)
            assert "journal" not in err
        while True:
            reply = client.get_shell_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == request:
                break
        assert reply["content"]["status"] == "ok", reply["content"]
    with closing(DatabaseJournal(str(path))) as journal:
        entries = journal.entries()
        assert [entry.number for entry in entries] == list(range(1, 3 * 13 + 2))
        assert {entry.ended for entry in entries} == {Ended.WELL}
        fronts = [entry.front for entry in entries]
        assert {front: fronts.count(front) for front in fronts} == {
            "shell": 26, "notebook": 13, "command line": 1,
        }  # fmt: skip
        chains = journal.verify()
        assert [chain.problem for chain in chains] == [None] * 4
        for session in journal.sessions():
            own = [entry for entry in entries if entry.session == session]
            assert len({entry.front for entry in own}) == 1
        made = [entry for entry in entries if entry.is_change]
        assert len(made) == 18
        assert all(len(entry.outcomes) == 1 for entry in made)


def test_many_processes_number_their_entries_without_gaps(path: Path) -> None:
    source = """
        import sys
        from journal_things import *
        from bitsshell.journal.database import DatabaseJournal
        journal = DatabaseJournal(sys.argv[1])
        sys.stdin.readline()
        for number in range(10):
            entry = journal.begin(draft(sys.argv[2]))
            journal.record(entry, MADE)
            journal.end(entry, NOW, summary=WELL)
    """
    processes = [python(source, path, who, cwd=Path(__file__).parent) for who in "abcd"]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [finished(process) for process in processes] == [("", "")] * 4
    with closing(DatabaseJournal(str(path))) as journal:
        assert [entry.number for entry in journal.entries()] == list(range(1, 41))
        assert [(chain.events, chain.problem) for chain in journal.verify()] == [(30, None)] * 4


@contextmanager
def creating(site: Site, path: Path) -> Iterator[subprocess.Popen[str]]:
    """A create whose host has made the job and says nothing more."""
    site.host.faults.arm("hang", operation="SetJobState")
    process = subprocess.Popen(
        [sys.executable, "-m", "bitsshell", "create", *at(site), site.url, r"C:\in\a",
         "--name", "nightly"],
        env=environment(site, path), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8",
    )  # fmt: skip
    try:
        site.host.wait_for(lambda jobs: len(jobs) == 1)
        yield process
    finally:
        process.kill()
        process.communicate()
        site.host.faults.disarm()


def test_a_process_that_is_killed_leaves_its_intent(site: Site, path: Path) -> None:
    with creating(site, path) as process:
        (row,) = unfinished(site, path)
        assert row["what"].startswith("under way: create job 'nightly'")
        process.kill()
        process.wait(timeout=20)
        (row,) = unfinished(site, path)
    assert row["what"].startswith("cut off: create job 'nightly'")
    assert (row["is_sure"], row["job_name"], row["job_id"]) == (False, "nightly", None)
    with closing(DatabaseJournal(str(path))) as journal:
        (entry,) = journal.entries(Wanted(changes=True))
        assert (entry.ended, entry.outcomes, entry.summary) == (Ended.CUT_OFF, (), None)
        assert entry.plan is not None
        assert entry.plan["steps"][0]["reference"] == row["reference"]
        assert all(chain.problem is None for chain in journal.verify())
    # The mark in the job's description tells whether it was done.
    (asked,) = unfinished(site, path, "--check", *at(site))
    assert (asked["job_id"], asked["state"]) == (site.only_job().id.strip("{}"), "SUSPENDED")


@pytest.mark.skipif(NOT_POSIX, reason="SIGINT cannot be sent to one process on Windows")
def test_ctrl_c_in_a_change_says_that_its_outcome_is_not_known(site: Site, path: Path) -> None:
    with creating(site, path) as process:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 130
        assert "UNKNOWN" in err
    with closing(DatabaseJournal(str(path))) as journal:
        (entry,) = journal.entries(Wanted(changes=True))
        assert entry.ended is Ended.INTERRUPTED
        assert [outcome["status"] for outcome in entry.outcomes] == ["unknown"]
    (row,) = unfinished(site, path)
    assert (row["is_sure"], row["what"].split(":")[0]) == (False, "no answer")


def test_what_left_the_queue_elsewhere_is_over_when_the_hosts_are_asked(
    site: Site, path: Path
) -> None:
    made = bitsshell(
        site, path, "create", *at(site), site.url, r"C:\in\a", "--name", "nightly", "--suspended"
    )
    assert made.returncode == 0, made.stderr
    (row,) = unfinished(site, path)
    assert (row["what"], row["is_sure"], row["state"]) == ("created", True, None)
    (row,) = unfinished(site, path, "--check", *at(site))
    assert row["state"] == "SUSPENDED"
    job = site.only_job()
    site.console().words("cancel", job.id.strip("{}"), "--yes")  # another journal has that
    assert len(unfinished(site, path)) == 1
    assert unfinished(site, path, "--check", *at(site)) == []


def test_a_change_that_cannot_be_written_down_is_not_sent(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a journal\n" * 100)
    words = ["create", *at(site), site.url, r"C:\in\a"]
    ran = bitsshell(site, path, *words)
    assert ran.returncode == 3
    assert ran.stderr.startswith("nothing was sent, for it cannot be written down before: ")
    assert str(path) in ran.stderr
    assert "BITSSHELL_JOURNAL=off" in ran.stderr
    assert len(ran.stderr.splitlines()) <= 3
    assert not site.host.jobs()
    looked = bitsshell(site, path, "jobs", *at(site))
    assert looked.returncode == 0
    assert "not written down: the journal" in looked.stderr
    assert path.read_text() == "not a journal\n" * 100
    assert bitsshell(site, "off", *words).returncode == 0  # type: ignore[arg-type]
    assert len(site.host.jobs()) == 1


def test_why_nothing_is_written_is_said_once(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a journal\n" * 100)
    ran = bitsshell(site, path, "-c", "hosts", "-c", "hosts", "-c", "hosts")
    assert ran.stderr.count("not written down") == 1


def test_the_draft_names_its_process() -> None:
    made = draft()
    assert made.pid > 0
    assert made.machine
