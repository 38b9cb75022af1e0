"""The notebooks that ship, as they stand, under every runner: each starts its practice fleet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from notebook_runs import (
    FOLDER,
    NOTEBOOKS,
    RUNNERS,
    Ran,
    bitsshell_run,
    ipython,
    jupyter_execute,
    nothing_is_set,
    papermill,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from notebook_runs import Runner

AT_ONCE = 3

SHOWN = {
    "01-four-steps": ("arrived", "1,048,576 bytes, SHA-256 3f1c190a"),
    "02-deploy-to-a-group": ("outcome", "FAILED       practice04"),
    "03-why-is-this-job-stuck": ("verdict", "filtered on practice01, ERROR\n    0x80200013"),
    "05-compare-throughput": ("numbers", "practice04"),
    "06-python-api": ("samples", "practice01 TRANSFERRED -> ACKNOWLEDGED"),
}
"""What says of each that it came to its end, and in which cell."""


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], Ran]]:
    """What came of a notebook under a runner.

    All that are wanted are begun at once, a few at a time: they wait for transfers, mostly.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool, pytest.MonkeyPatch.context() as patch:
        nothing_is_set(patch, tmp_path_factory.mktemp("ipython"))
        begun = {
            (name, runner): pool.submit(
                RUNNERS[runner], FOLDER / f"{name}.ipynb", tmp_path_factory.mktemp("run")
            )
            for name, runner in _wanted(request.session.items)
        }
        yield lambda name, runner: begun[name, runner].result()


def _wanted(items: Sequence[pytest.Item]) -> list[tuple[str, str]]:
    calls = [item.callspec.params for item in items if hasattr(item, "callspec")]
    return [(call["name"], call["runner"]) for call in calls if {"name", "runner"} <= {*call}]


@pytest.mark.parametrize("runner", ["papermill", "jupyter execute", "bitsshell run"])
@pytest.mark.parametrize("name", SHOWN)
def test_a_notebook_runs_as_it_stands(
    name: str, runner: str, runs: Callable[[str, str], Ran]
) -> None:
    ran = runs(name, runner)
    assert ran.exit_code == 0, ran.said
    assert ran.errors() == []
    cell, text = SHOWN[name]
    assert text in ran.text(cell)
    assert all(cell.execution_count for cell in ran.cells.values() if cell.cell_type == "code")


def test_the_four_steps_run_in_terminal_ipython() -> None:
    ran = ipython(FOLDER / "01-four-steps.ipynb")
    assert ran.exit_code == 0, ran.said
    assert "1,048,576 bytes, SHA-256 3f1c190a" in ran.said


@pytest.mark.parametrize(("name", "runner"), [("02-deploy-to-a-group", "jupyter execute")])
def test_of_the_group_one_host_failed_and_the_others_have_the_package(
    name: str, runner: str, runs: Callable[[str, str], Ran]
) -> None:
    said = runs(name, runner).text("outcome")
    assert said.count("has it") == 5
    assert "FAILED       practice04" in said
    assert "ERROR_DISK_FULL" in said


@pytest.mark.parametrize(("name", "runner"), [("03-why-is-this-job-stuck", "jupyter execute")])
def test_each_way_to_be_stuck_is_told_apart(
    name: str, runner: str, runs: Callable[[str, str], Ran]
) -> None:
    said = runs(name, runner).text
    assert "Install-WindowsFeature BITS-Compact-Server" in said("host")
    assert "left out of what follows: practice03" in said("host")
    for state in ("QUEUED", "SUSPENDED", "ERROR", "TRANSIENT_ERROR", "TRANSFERRED", "TRANSFERRING"):
        assert f", {state}\n" in said("verdict")


STALE = FOLDER / "04-finish-stale-jobs.ipynb"


@pytest.mark.parametrize("runner", [papermill, jupyter_execute])
def test_stale_jobs_are_not_cancelled_where_nobody_can_agree(
    runner: Runner, tmp_path: Path
) -> None:
    ran = runner(STALE, tmp_path)
    assert ran.exit_code == 1, ran.said
    assert "NeedsApproval: the approval 'cancel-stale' is missing" in ran.said


def test_what_papermill_leaves_of_it_says_where_it_stopped(tmp_path: Path) -> None:
    ran = papermill(STALE, tmp_path)
    assert ran.errors() == [("approve", "NeedsApproval")]
    assert "2 done" in ran.text("complete")
    assert not ran.ran("cancel")


def test_without_the_approval_that_it_needs_a_run_does_not_begin(tmp_path: Path) -> None:
    ran = bitsshell_run(STALE, tmp_path)
    assert ran.exit_code == 5
    assert "--approve cancel-stale=WHO" in ran.said
    assert ran.cells == {}


def test_stale_jobs_are_cancelled_when_somebody_agreed_beforehand(tmp_path: Path) -> None:
    ran = bitsshell_run(STALE, tmp_path, "--approve", "cancel-stale=Ann Other")
    assert ran.exit_code == 0, ran.said
    assert "2 done" in ran.text("cancel")
    assert "fresh" in ran.text("after")
    evidence = (tmp_path / "evidence" / "evidence.json").read_text(encoding="utf-8")
    assert "Ann Other" in evidence


@pytest.mark.parametrize("runner", ["bitsshell run --what-if"])
@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS])
def test_what_if_runs_to_the_end_and_sends_nothing(
    name: str, runner: str, runs: Callable[[str, str], Ran]
) -> None:
    ran = runs(name, runner)
    assert ran.exit_code == 0, ran.said
    assert "what-if: nothing is sent" in ran.said
