"""The files of a run: none is written over another, and a folder is one run's at a time."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from run_things import Runs, cell, make_runs, write_notebook

from bitsshell.runbooks.holding import HELD, FolderInUse, Hold

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Site

ABOUT = {"notebook": "slow.ipynb", "machine": "here", "process": 1}
ONE = cell("a", "1")


@pytest.fixture
def run(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    monkeypatch.chdir(tmp_path)
    return make_runs(site, tmp_path)


# JUnit


@pytest.mark.parametrize("junit", ["book.ipynb", "./out/../book.ipynb", "hard"])
def test_the_junit_file_is_never_the_notebook(run: Runs, junit: str) -> None:
    book = write_notebook(run.folder / "book.ipynb", ONE)
    run.out.mkdir()
    (run.folder / "hard").hardlink_to(book)
    before = book.read_bytes()
    ran = run.console(f"run book.ipynb --evidence out --junit {junit}")
    assert ran.code == 2
    assert "is the notebook itself" in ran.err
    assert book.read_bytes() == before
    assert not (run.out / "evidence.json").exists()


def test_the_junit_file_is_never_the_file_with_the_parameters(run: Runs) -> None:
    (run.folder / "a.toml").write_text("x = 1\n")
    declared = cell("parameters", "x = 0", tags=("parameters",))
    ran = run(declared, options="-f a.toml --junit a.toml")
    assert ran.code == 2
    assert "is the file with the parameters" in ran.err
    assert (run.folder / "a.toml").read_text() == "x = 1\n"


@pytest.mark.parametrize("name", ["evidence.json", "report.html", "junit.xml", "earlier/a.xml"])
@pytest.mark.parametrize("is_there", [True, False])
def test_the_junit_file_is_never_in_the_folder_of_the_evidence(
    run: Runs, name: str, is_there: bool
) -> None:
    if is_there:
        run.out.mkdir()
    ran = run(ONE, options=f"--junit out/{name}")
    assert ran.code == 2
    assert "is in the folder of the evidence" in ran.err
    assert not (run.out / name).exists()


# One run at a time


def test_a_run_into_the_folder_of_one_that_goes_on_is_refused_and_spoils_nothing(
    run: Runs,
) -> None:
    other = write_notebook(run.folder / "other.ipynb", ONE)
    command = [sys.executable, "-m", "bitsshell", "run", str(other), "--evidence", str(run.out)]
    inner = (
        "import subprocess\n"
        f"ran = subprocess.run({command!r}, capture_output=True, text=True)\n"
        "print(ran.returncode, ran.stderr)"
    )
    ran = run(cell("before", "2"), cell("inner", inner))
    assert ran.code == 0, ran.out + ran.err
    said = "\n".join(run.step("inner")["shown"])
    assert said.startswith("2 "), said
    assert "the run of 'book.ipynb' (process " in said
    assert f"{os.getpid()} on " in said
    assert "--evidence DIR" in said
    assert run.statuses == {"before": "ok", "inner": "ok"}
    assert sorted(file.name for file in run.out.iterdir()) == [
        "evidence.json", "executed.ipynb", "report.html",
    ]  # fmt: skip


def test_a_run_that_was_killed_holds_its_folder_no_more(run: Runs) -> None:
    assert run(ONE).code == 0
    (run.out / HELD).write_text(json.dumps(ABOUT))
    assert run(ONE).code == 0
    assert len(list((run.out / "earlier").iterdir())) == 1
    assert not (run.out / HELD).exists()


def test_a_run_that_died_before_it_wrote_anything_leaves_its_folder_to_others(run: Runs) -> None:
    run.out.mkdir()
    (run.out / HELD).write_text("")
    assert run(ONE).code == 0


def test_a_folder_is_taken_once_and_again_after_its_release(tmp_path: Path) -> None:
    hold = Hold.of(tmp_path, ABOUT)
    with pytest.raises(FolderInUse, match=r"the run of 'slow.ipynb' \(process 1 on 'here'\)"):
        Hold.of(tmp_path, {})
    hold.release()
    hold.release()
    Hold.of(tmp_path, {}).release()
    assert list(tmp_path.iterdir()) == []


def test_who_has_a_folder_is_just_another_run_where_that_cannot_be_read(tmp_path: Path) -> None:
    hold = Hold.of(tmp_path, {})
    with pytest.raises(FolderInUse, match="another run has not ended"):
        Hold.of(tmp_path, ABOUT)
    hold.release()


def test_evidence_that_cannot_be_set_aside_is_not_held(run: Runs) -> None:
    run.out.mkdir()
    (run.out / "evidence.json").write_text("{}")
    ran = run(ONE)
    assert ran.code == 2
    assert "no evidence of a run" in ran.err
    assert [file.name for file in run.out.iterdir()] == ["evidence.json"]
