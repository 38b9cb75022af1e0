"""A run and the journal that its kernel writes to: which one it is, and when it cannot be read."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest
from run_things import Runs, cell, make_runs

from bitsshell.journal.database import DatabaseJournal

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Site

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a way of locking that Unix has")

LOAD = cell("load", "%load_ext bitsshell\n%bits_hosts")
SHUT = "import os\nlock = os.environ['BITSSHELL_JOURNAL'].split('?')[0].removeprefix('file://')"
"""With this way of locking, a folder beside the file is somebody's lock."""


@pytest.fixture(autouse=True)
def private(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where private folders are made."""
    monkeypatch.setenv("BITSSHELL_PASSWORD", site.host.password)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    folder = tmp_path / "private"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def run(site: Site, tmp_path: Path, journal: Path) -> Runs:
    """Runs in a session whose journal is given as a URI that says how to lock it."""
    made = make_runs(site, tmp_path)
    said = f"file:{journal}?vfs=unix-dotfile"
    made.console.session.journal = DatabaseJournal(said, lock_wait_s=0.1)
    return made


def test_the_kernel_writes_to_the_journal_in_the_way_that_it_was_given(
    run: Runs, journal: Path
) -> None:
    ran = run(LOAD, cell("look", "import os\n%bits_hosts\nprint(os.environ['BITSSHELL_JOURNAL'])"))
    assert ran.code == 0, ran.out
    assert run.step("look")["shown"][-1] == f"file://{journal}?vfs=unix-dotfile"
    assert [entry["words"] for entry in run.step("look")["commands"]] == [["hosts"]]
    assert run.evidence["end"]["journal"]["place"] == str(journal)
    assert journal.read_bytes()[18:20] == b"\x01\x01", "the kernel made a WAL database of it"


def test_a_step_is_kept_where_the_journal_cannot_be_read_when_it_ends(run: Runs) -> None:
    ran = run(
        LOAD,
        cell("shut", f"%bits_hosts\n{SHUT}\nos.mkdir(lock + '.lock')"),
        cell("open", "os.rmdir(lock + '.lock')"),
    )
    assert ran.code == 0, ran.out
    assert run.statuses == {"load": "ok", "shut": "ok", "open": "ok"}
    assert run.step("shut")["commands"] == []
    assert "commands may be missing: the journal" in run.step("shut")["note"]
    (late,) = run.step("open")["commands"]
    assert (late["words"], late["step"]) == (["hosts"], "shut")
    assert "commands may be missing" in ran.out


def test_a_run_has_an_end_where_the_journal_cannot_be_read_any_more(
    run: Runs, journal: Path, private: Path
) -> None:
    ran = run(LOAD, cell("shut", f"%bits_hosts\n{SHUT}\nos.mkdir(lock + '.lock')"))
    journal.with_name(f"{journal.name}.lock").rmdir()
    assert ran.code == 0, ran.out
    assert run.statuses == {"load": "ok", "shut": "ok"}
    end = run.evidence["end"]
    assert "held it for" in end["journal"]["problem"]
    assert "held it for" in (run.out / "report.html").read_text()
    assert "commands may be missing" in ran.out
    assert run.console(f"run --verify '{run.out}'").code == 0
    assert list(private.iterdir()) == []


def test_a_run_whose_kernel_cannot_be_told_what_comes_ends_and_says_so(
    run: Runs, private: Path
) -> None:
    source = (
        "import os\nfrom pathlib import Path\nfile = Path(os.environ['BITSSHELL_RUN'])\n"
        "file.unlink()\nfile.mkdir()\n(file / 'x').mkdir()"
    )
    ran = run(cell("spoil", source), cell("after", "1"))
    assert ran.code == 3, ran.out
    assert "the run was ended: its evidence cannot be written" in ran.err
    assert run.statuses == {"spoil": "ok", "after": "not run"}
    assert run.evidence["end"]["note"] == "the run was cut off"
    assert list(private.iterdir()) == []
