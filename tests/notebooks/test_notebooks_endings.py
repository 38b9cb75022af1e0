"""Runs that do not end well: every runner stops, and says so with its exit code."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import nbformat
import pytest
from notebook_runs import (
    FOLDER,
    Ran,
    bitsshell_run,
    ipython,
    jupyter_execute,
    papermill,
    written,
)

from bitsshell.practice import JobState

if TYPE_CHECKING:
    from pathlib import Path

    from notebook_runs import Runner

    from bitsshell.practice import PracticeFleet

DEAD = "http://127.0.0.1:9/wsman"
FOUR_STEPS = FOLDER / "01-four-steps.ipynb"
DEPLOY = FOLDER / "02-deploy-to-a-group.ipynb"

INTERRUPTED_WATCH = """
import os, signal, threading
threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
%bits_watch --interval 0.2 --timeout 1m
"""
BAD_CELLS = {
    "a failed transfer": (
        r"%bits_transfer {url}-not C:\in\a --interval 0.2 --yes",
        "AllFailed",
        3,
    ),
    "a typo": ("%bits_jobs --stat error", "BitsUsageError", 2),
    "an undefined name": ("%bits_show {nightly}", "BitsUsageError", 2),
    "an interrupt": (
        INTERRUPTED_WATCH,
        "Interrupted",
        130,
    ),
}


POSIX = pytest.mark.skipif(os.name != "posix", reason="elsewhere this signal ends the kernel")


@pytest.mark.parametrize("runner", [papermill, jupyter_execute, bitsshell_run])
@pytest.mark.parametrize(
    "bad",
    [pytest.param(bad, marks=[POSIX] if bad == "an interrupt" else []) for bad in BAD_CELLS],
)
def test_a_cell_that_fails_ends_the_run_with_a_code(
    bad: str, runner: Runner, hosts: list[str], fleet: PracticeFleet, tmp_path: Path
) -> None:
    cell, ename, code = BAD_CELLS[bad]
    notebook = written(
        tmp_path,
        f"%load_ext bitsshell\nurl = {fleet.files[0].url!r}",
        f"%bits_use {hosts[0]} -q",
        cell,
        f"open({str(tmp_path / 'went-on')!r}, 'w').close()",
    )
    ran = runner(notebook, tmp_path)
    assert ran.exit_code == (code if runner is bitsshell_run else 1), ran.said
    assert ename in ran.said
    assert not (tmp_path / "went-on").exists()


def test_a_cell_that_fails_ends_terminal_ipython(hosts: list[str], tmp_path: Path) -> None:
    notebook = written(tmp_path, "%load_ext bitsshell", f"%bits_jobs -H {DEAD}", "print('went on')")
    ran = ipython(notebook)
    assert ran.exit_code == 1
    assert "AllFailed: 127.0.0.1:9" in ran.said
    assert "went on" not in ran.said


@pytest.mark.parametrize("notebook", [FOUR_STEPS, DEPLOY], ids=lambda path: path.stem)
@pytest.mark.parametrize("runner", [papermill, bitsshell_run])
def test_a_dead_host_ends_the_run_before_anything_is_made(
    notebook: Path, runner: Runner, hosts: list[str], fleet: PracticeFleet, tmp_path: Path
) -> None:
    ran = runner(notebook, tmp_path, hosts=[hosts[0], DEAD], url=fleet.files[0].url)
    assert ran.exit_code == 1, ran.said
    assert ran.errors() == [("connect", "PartialFailure")]
    assert "127.0.0.1:9" in ran.text("connect")
    assert fleet.hosts[0].jobs() == ()


def test_a_notebook_that_is_run_again_takes_up_the_job_that_it_left(
    hosts: list[str], fleet: PracticeFleet, tmp_path: Path
) -> None:
    whole = nbformat.read(FOUR_STEPS, as_version=4)
    names = [cell.id for cell in whole.cells]
    begun = tmp_path / "begun.ipynb"
    whole.cells = whole.cells[: names.index("show") + 1]
    nbformat.write(whole, begun)
    given = {"hosts": hosts[:2], "url": fleet.file_url("package.zip")}
    assert papermill(begun, tmp_path, **given).exit_code == 0
    assert papermill(begun, tmp_path, **given).exit_code == 0
    assert [len(host.jobs()) for host in fleet.hosts] == [1, 1, 0]
    made = [host.stats.calls["CreateJob"] for host in fleet.hosts[:2]]
    ran = papermill(FOUR_STEPS, tmp_path, **given)
    assert ran.exit_code == 0, ran.said
    assert [host.stats.calls["CreateJob"] for host in fleet.hosts[:2]] == made
    assert [host.jobs() for host in fleet.hosts] == [(), (), ()]
    assert fleet.hosts[1].path(r"C:\in\package.zip").stat().st_size == 1_048_576


def deployed(tmp_path: Path, hosts: list[str], fleet: PracticeFleet, **more: object) -> Ran:
    url = fleet.file_url("package.zip")
    return bitsshell_run(DEPLOY, tmp_path, hosts=hosts, url=url, batch_size=1, **more)


def test_a_deployment_stops_when_too_many_hosts_failed(
    hosts: list[str], fleet: PracticeFleet, tmp_path: Path
) -> None:
    fleet.hosts[1].faults.arm("disk-full")
    before = fleet.hosts[2].stats.calls.get("CreateJob", 0)
    ran = deployed(tmp_path, hosts, fleet, max_failures=0)
    assert ran.exit_code == 4, ran.said
    assert [cell for cell, _ in ran.errors()] == ["outcome-check"]
    assert "not started" in ran.text("outcome")
    assert [job.state for job in fleet.hosts[1].jobs()] == [JobState.ERROR]
    assert fleet.hosts[2].stats.calls.get("CreateJob", 0) == before


def test_a_deployment_is_finished_by_running_it_again(
    hosts: list[str], fleet: PracticeFleet, tmp_path: Path
) -> None:
    fleet.hosts[1].faults.arm("disk-full")
    (tmp_path / "first").mkdir()
    assert deployed(tmp_path / "first", hosts, fleet).exit_code == 0
    assert [len(host.jobs()) for host in fleet.hosts] == [0, 1, 0]
    fleet.hosts[1].faults.disarm()
    made = fleet.hosts[1].stats.calls["CreateJob"]
    ran = deployed(tmp_path, hosts, fleet)
    assert ran.text("outcome").count("has it") == 3
    assert [host.jobs() for host in fleet.hosts] == [(), (), ()]
    assert fleet.hosts[1].stats.calls["CreateJob"] == made


def test_a_canary_that_fails_leaves_the_others_alone(
    hosts: list[str], fleet: PracticeFleet, tmp_path: Path
) -> None:
    fleet.hosts[0].faults.arm("disk-full")
    ran = deployed(tmp_path, hosts, fleet)
    assert ran.exit_code == 3, ran.said
    assert [cell for cell, _ in ran.errors()] == ["canary"]
    assert [len(host.jobs()) for host in fleet.hosts] == [1, 0, 0]
