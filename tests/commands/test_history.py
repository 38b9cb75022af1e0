"""`history` and `journal`: what was done is found again, in every form, and no host is asked."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bitsshell.commands.completion import complete
from bitsshell.journal import Draft, EntryKind, MemoryJournal, Wanted
from bitsshell.journal.database import DatabaseJournal
from bitsshell.render import report_html
from bitsshell.results import Report

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Console, Ran, Site


@pytest.fixture
def console(site: Site) -> Console:
    """Somebody who did this and that on two hosts."""
    console = site.console(2)
    for line in (
        rf"create {site.url} C:\in\a --name nightly --suspended --yes",
        "jobs",
        "set nightly --priority high -H practice02",
        "show nosuch",
        "cancel nightly -H practice01 --what-if",
        "cancel nightly -H practice01 --yes",
    ):
        console(line)
    return console


def commands(ran: Ran) -> list[str]:
    assert ran.code == 0, ran.err
    return [record["typed"].split()[0] for record in ran.records]


def test_history_lists_what_was_done_the_newest_last(console: Console, site: Site) -> None:
    calls = dict(site.host.stats.calls)
    ran = console("history")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].split() == ["entry", "at", "status", "hosts", "command"]
    assert [line.split()[0] for line in lines[2:-1]] == ["1", "2", "3", "4", "5", "6"]
    assert "show nosuch" in lines[5]
    assert "failed" in lines[5]
    assert "practice[01-02]" in lines[3]
    assert lines[-1] == "6 entries of 1 session: 1 failed or cut off"
    assert dict(site.host.stats.calls) == calls, "nothing was asked of the hosts"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", ["create", "jobs", "set", "show", "cancel", "cancel"]),
        ("--changes", ["create", "set", "cancel"]),
        ("--failed", ["show"]),
        ("--limit 2", ["cancel", "cancel"]),
        ("-H practice02 --changes", ["create", "set"]),
        ("-x practice01 --changes", ["create", "set"]),
        ("--job nightly", ["create", "set", "cancel", "cancel"]),
        ("--session this --changes", ["create", "set", "cancel"]),
        ("--session 00000000-nobody", []),
        ("--since 1h --limit 1", ["cancel"]),
        ("--since 2999-01-01", []),
        ("--run nothing", []),
        ("--where 'verb = set or status = failed'", ["set", "show"]),
        ("--where 'age < 1h' --limit 1", ["cancel"]),
        ("--where 'effect = destroy'", ["cancel"]),
    ],
)
def test_history_is_filtered(console: Console, options: str, expected: list[str]) -> None:
    assert commands(console(f"history {options} -o json")) == expected


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("history --since soon", "'soon' is no moment"),
        ("history --limit 0", "limit"),
        ("journal show", "the number of an entry is missing"),
        ("journal show x", "'x' is no entry's number"),
        ("journal show 99", "there is no entry 99"),
        ("journal verify 00000000", "is no session of the journal"),
        ("journal verify --check", "--check belongs to unfinished"),
        ("journal unfinished web01", "unfinished takes no 'web01'"),
        ("journal nonsense", "nonsense"),
    ],
)
def test_what_is_not_there_is_said(console: Console, line: str, said: str) -> None:
    ran = console(line)
    assert ran.code == 2
    assert said in ran.err
    assert len(ran.err.splitlines()) <= 3


def test_nothing_found_is_said(site: Site) -> None:
    console = site.console()
    assert "the journal has nothing of that" in console("history --changes").err
    assert "nothing is unfinished" in console("journal unfinished").err


def test_history_has_every_form(console: Console) -> None:
    rows = list(csv.DictReader(io.StringIO(console("history -o csv").out)))
    assert [row["effect"] for row in rows] == [
        "change",
        "read",
        "change",
        "read",
        "read",
        "destroy",
    ]
    assert rows[0]["summary_well"] == "2"
    (line,) = console("history --limit 1 --changes -o ndjson").out.splitlines()
    assert json.loads(line)["typed"].startswith("cancel")
    assert console("history --limit 1 -o vertical").out.startswith("entry")
    wanted = console("history --cols entry,user,front,effect --limit 1 --changes")
    assert wanted.out.splitlines()[2].split() == ["6", "tester", "api", "destroy"]
    report = Report.of(
        console.terminal.dispatcher.events(console.terminal.dispatcher.parse(["history"]))
    )
    html = report_html(report)
    assert "show nosuch" in html
    assert "<table" in html


def test_an_entry_in_full_has_plan_and_outcomes(console: Console, site: Site) -> None:
    text = console("journal show 1").out
    for part in (
        "typed", "create", "--host practice[01-02]", "meant (change):", "came of it:",
        "practice01: create job 'nightly'", "practice02: done, nightly", "SUSPENDED", "2 well",
    ):  # fmt: skip
        assert part in text
    first, second = console("journal show 1 6 -o json").records
    assert [step["host"] for step in first["plan"]["steps"]] == ["practice01", "practice02"]
    reference = first["plan"]["steps"][1]["reference"]
    assert reference in site.only_job(site.hosts[1]).description
    assert second["outcomes"][0]["state"] == "CANCELLED"
    assert "what-if" in console("journal show 5").out
    assert console("journal show 5 -o json").records[0]["is_what_if"] is True


def test_a_job_that_fails_after_it_was_made_has_its_failure_in_the_journal(site: Site) -> None:
    site.hosts[1].faults.arm("disk-full")
    console = site.console(2)
    ran = console(rf"transfer {site.url} C:\in\a --name nightly --interval 0.05 --yes")
    assert ran.code == 1, ran.out
    (entry,) = console("journal show 1 -o json").records
    assert entry["summary"]["failed"] == 1
    (made, failed) = [one for one in entry["outcomes"] if one["host"] == "practice02"]
    assert (made["status"], failed["status"]) == ("done", "failed")
    assert (failed["job_name"], failed["state"]) == ("nightly", "ERROR")
    assert failed["job_id"] == made["job_id"]
    assert "ERROR_DISK_FULL" in failed["error"]["message"]
    assert [one["host"] for one in console("journal unfinished -o json").records] == ["practice02"]


def test_a_change_that_fails_is_one_failure_in_the_journal(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly --yes")
    site.host.faults.arm("html", status=404, times=9)
    assert console("cancel nightly --yes").code != 0
    site.host.faults.disarm()
    assert len(console("journal show 2 -o json").records[0]["outcomes"]) == 1


def test_the_journal_says_where_it_is(console: Console, tmp_path: Path) -> None:
    assert "kept in memory" in console("journal").out
    with closing(DatabaseJournal(str(tmp_path / "j.sqlite"))) as journal:
        console.session.journal = journal
        assert "not there yet" in console("journal").out
        ran = console("journal")
        assert f"journal {tmp_path / 'j.sqlite'}" in ran.out
        assert "WAL" in ran.out
        checks = {record["check"]: record["text"] for record in console("journal -o json").records}
        assert checks["sessions"] == "1"
        assert checks["this one"] == journal.session
        assert str(tmp_path / "j.sqlite") in console("doctor").out


def test_verify_computes_the_chain_and_says_its_root(console: Console) -> None:
    ran = console("journal verify")
    assert ran.code == 0
    assert "1 session with" in ran.out
    journal = console.session.journal
    assert f"root {journal.root()}" in console("journal verify this").out
    assert isinstance(journal, MemoryJournal)
    del journal._events[2]
    ran = console(f"journal verify {journal.session[:8]}")
    assert ran.code == 3
    assert "event 3 of session" in ran.out
    assert console("journal verify").code != 0


def test_unfinished_jobs_are_those_that_nobody_completed_or_cancelled(
    console: Console, site: Site
) -> None:
    ran = console("journal unfinished")
    assert ran.code == 0
    assert "1 open end on 1 host" in ran.out
    assert "practice02" in ran.out
    (row,) = console("journal unfinished -o json").records
    assert (row["host"], row["what"], row["entry"]) == ("practice02", "created", 1)
    assert console("journal unfinished -H practice01 -o json").records == []
    (row,) = console("journal unfinished --check -o json").records
    assert row["state"] == "SUSPENDED"
    site.hosts[1].faults.arm("html", status=404, times=9)
    ran = console("journal unfinished --check")
    site.hosts[1].faults.disarm()
    assert ran.code == 1
    assert "practice02" in ran.out
    assert "404" in ran.err
    console("cancel nightly --yes")
    assert console("journal unfinished -o json").records == []


def test_sessions_and_entries_are_completed(console: Console) -> None:
    def texts(line: str) -> list[str]:
        return [one.text for one in complete(line, len(line), console.session).candidates]

    session = console.session.journal.session
    assert texts("history --session ") == ["this", session]
    assert texts(f"journal verify {session[:3]}") == [session]
    assert texts("journal s") == ["show"]
    assert texts("journal show ")[0] == "6"
    assert texts("journal unfinished ") == []


def test_completion_survives_a_journal_that_cannot_be_read(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no journal\n" * 100)
    console = site.console()
    console.session.journal = DatabaseJournal(str(path))
    line = "journal show "
    assert complete(line, len(line), console.session).candidates == ()
    ran = console("history")
    assert ran.code == 3
    assert "it is no database" in ran.err
    assert "Traceback" not in ran.err
    assert "journal" in console("doctor").out


def test_notes_and_approvals_have_their_place(site: Site) -> None:
    console = site.console()
    journal = console.session.journal
    now = datetime.now(UTC)
    for kind, data in (
        (EntryKind.NOTE, {"text": "the disk \x1b[31mwas full"}),
        (EntryKind.APPROVAL, {"name": "deploy", "claimed_by": "Ann", "is_given": True}),
    ):
        journal.write(Draft(at=now, user="u", front="shell", kind=kind, data=data), now)
    out = console("history").out
    assert "note: the disk" in out
    assert "\x1b" not in out
    assert "approval deploy: Ann" in out
    assert "claimed_by" in console("journal show 2").out


# What is written of commands


class LockedAfterwards(DatabaseJournal):
    """A journal whose file another process holds from the moment the intent is written."""

    def begin(self, draft: Draft) -> int:
        number = super().begin(draft)
        self.other = sqlite3.connect(self.place.path, isolation_level=None)
        self.other.execute("BEGIN IMMEDIATE")
        return number


def test_an_outcome_that_cannot_be_written_is_said_and_the_change_stands(
    site: Site, tmp_path: Path
) -> None:
    console = site.console()
    with closing(LockedAfterwards(str(tmp_path / "j.sqlite"), lock_wait_s=0.05)) as journal:
        console.session.journal = journal
        ran = console(rf"create {site.url} C:\in\a --name nightly --suspended")
        assert ran.code == 0
        assert len(site.host.jobs()) == 1
        (notice,) = [line for line in ran.err.splitlines() if "not written down" in line]
        assert "another process has held it" in notice
        journal.other.close()
        (row,) = console("journal unfinished -o json").records
        assert (row["is_sure"], row["job_name"]) == (False, "nightly")


def test_of_a_declined_change_nothing_was_done(site: Site) -> None:
    console = site.console(answers=["n"])
    console(rf"create {site.url} C:\in\a --name nightly --suspended")
    console("cancel nightly")
    declined = console.session.journal.entries()[-1]
    assert (declined.ended, declined.effect) == ("declined", "read")
    assert declined.plan is not None
    assert declined.plan["effect"] == "destroy"


def test_a_command_without_a_person_says_so_in_its_entry(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly --suspended")
    assert console("cancel nightly").code == 5
    refused = console.session.journal.entries()[-1]
    assert refused.error is not None
    assert refused.error["type"] == "NeedsConfirmation"
    assert console.session.journal.entries(Wanted(changes=True)) == (
        console.session.journal.entry(1),
    )


def test_help_and_unknown_verbs_are_no_entries(site: Site) -> None:
    console = site.console()
    for line in ("help", "help jobs", "jobs --help", "frobnicate", ""):
        console(line)
    assert console.session.journal.entries() == ()


def test_a_watch_is_one_entry_however_often_it_asks(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly")
    assert console("wait nightly --interval 0.05").code == 0
    made, waited = console.session.journal.entries()
    assert (made.verb, waited.verb, waited.effect) == ("create", "wait", "read")


def test_a_run_stamps_its_entries(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"run": "r1", "what_if": False, "approvals": {}, "step": "s07", "journal": None}
    path = tmp_path / "run.json"
    path.write_text(json.dumps(said))
    monkeypatch.setenv("BITSSHELL_RUN", str(path))
    console = site.console()
    console("jobs")
    (entry,) = console.session.journal.entries(Wanted(run="r1"))
    assert (entry.run, entry.step) == ("r1", "s07")
    assert console("history --run r1 -o json").records[0]["step"] == "s07"


IMPORTED = "print('sqlite3' in sys.modules, 'IPython' in sys.modules)"


@pytest.mark.parametrize(
    "what",
    [
        "import bitsshell.cli; bitsshell.cli.run(['--version'])",
        (
            "import bitsshell.shell, bitsshell.commands; from bitsshell.session import Session;"
            "from bitsshell.journal import open_journal; Session(journal=open_journal())"
        ),
    ],
)
def test_nothing_of_sqlite_is_imported_before_the_first_command(what: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; {what}; {IMPORTED}"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert ran.stdout.splitlines()[-1] == "False False"
