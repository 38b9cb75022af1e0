"""A session is recorded in a terminal, and what was done is done again on another host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient
from shell_things import use

from bitsshell.practice import PracticeFleet

pytest.importorskip("termios", reason="Windows has no pseudo-terminals like these")
from pty_screen import PtyShell  # it needs termios

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bitsshell.practice import PracticeHost

TIMEOUT_S = 120


@pytest.fixture(scope="module")
def fleet() -> Iterator[PracticeFleet]:
    """One host to record on, and three to do it again on."""
    with PracticeFleet(hosts=4) as running:
        yield running


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, fleet: PracticeFleet) -> Path:
    """A notebook that was recorded in the shell, on the first host."""
    home = tmp_path_factory.mktemp("home")
    host, file = fleet.hosts[0], fleet.files[2]
    notebook = home / "deploy.ipynb"
    with PtyShell(home, BITSSHELL_PASSWORD=host.password, BITSSHELL_REFRESH="off") as shell:
        shell.run("record start Deploy the report")
        shell.see("recording: 0 commands")
        shell.run(use(host))
        shell.run("# The queue should be empty.")
        shell.run("jobs")
        shell.run("jobs --bogus")
        shell.run(rf"create {file.url} C:\in\r.csv --name 'my report' --suspended")
        shell.run("resume 'my report'")
        shell.run("wait 'my report' --interval 0.1")
        shell.run("complete 'my report'")
        shell.run(rf"create {file.url} C:\in\old.csv --name old --suspended")
        shell.type("cancel old\r")
        shell.see("[y/N]")
        shell.type("y\r")
        shell.see("CANCELLED")
        shell.see_prompt()
        shell.see("recording: 8 commands")
        shell.run("record save ~/deploy.ipynb")
        shell.run("record stop")
        shell.type("exit\r")
        assert shell.wait_for_end() == 0
    assert host.password not in notebook.read_text()
    return notebook


def bitsshell(folder: Path, host: PracticeHost, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line, where nobody can be asked."""
    return subprocess.run(
        [sys.executable, "-m", "bitsshell", *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env={
            **os.environ,
            "BITSSHELL_PASSWORD": host.password,
            "BITSSHELL_JOURNAL": str(folder / "runs.sqlite"),
        },
    )


def outcome(host: PracticeHost) -> dict[str, Any]:
    """What is left on a host: its queue, and the files that arrived."""
    folder = host.path("C:\\in\\r.csv").parent
    return {
        "jobs": [job.name for job in host.jobs()],
        "files": {path.name: path.read_bytes() for path in folder.iterdir()},
    }


def test_what_was_recorded_reads_as_a_runbook(recorded: Path, fleet: PracticeFleet) -> None:
    notebook = nbformat.read(recorded, as_version=4)
    nbformat.validate(notebook)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"][2:]
    assert code == [
        "%bits_jobs",
        "%bits_create {url} {folder}\\r.csv --name {job_name} --suspended --into job",
        "%bits_resume {job}",
        "%bits_wait {job} --interval 0.1",
        "%bits_complete {job}",
        "%bits_create {url} {folder}\\old.csv --name {job_name_2} --suspended --into job_2",
        "%bits_approve s07-cancel 'Cancel the job {job_name_2}?'\n%bits_cancel {job_2} --yes",
    ]
    headings = [
        cell.source.splitlines()[0] for cell in notebook.cells if cell.cell_type == "markdown"
    ]
    assert headings[0] == "# Deploy the report"
    assert headings[3:6] == [
        "## Steps",
        "### 1. List the jobs",
        "### 2. Create the job `my report`",
    ]
    assert fleet.hosts[0].endpoint in notebook.cells[2].source


def test_nbclient_does_it_again_on_another_host(
    recorded: Path, fleet: PracticeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = fleet.hosts
    notebook = nbformat.read(recorded, as_version=4)
    place = next(n for n, cell in enumerate(notebook.cells) if cell.id == "parameters")
    given = nbformat.v4.new_code_cell(f"hosts = [{second.endpoint!r}]")
    notebook.cells.insert(place + 1, given)
    # An approval needs a person, or a runner that was told of one.
    last = notebook.cells[-1]
    last.source = last.source.splitlines()[-1]
    monkeypatch.setenv("BITSSHELL_PASSWORD", second.password)
    NotebookClient(notebook, timeout=TIMEOUT_S).execute()
    assert outcome(second) == outcome(first)
    assert outcome(second)["files"].keys() == {"r.csv"}


def test_a_run_does_it_again_on_other_hosts_and_the_diff_says_same(
    recorded: Path, fleet: PracticeFleet
) -> None:
    folder = recorded.parent
    first, _, *others = fleet.hosts
    checked = bitsshell(folder, first, "run", recorded.name, "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    unapproved = bitsshell(folder, first, "run", recorded.name, "-p", f"hosts={others[0].endpoint}")
    assert unapproved.returncode == 5
    assert "--approve s07-cancel=WHO" in unapproved.stderr
    assert outcome(others[0])["jobs"] == []
    for name, host in (("one", others[0]), ("two", others[1])):
        ran = bitsshell(
            folder, host, "run", recorded.name, "-p", f"hosts={host.endpoint}",
            "--evidence", name, "--approve", "s07-cancel=Ann",
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert outcome(host) == outcome(first)
        evidence = json.loads((folder / name / "evidence.json").read_text())
        assert host.password not in json.dumps(evidence)
    compared = bitsshell(folder, first, "run", "--diff", "one", "two")
    assert compared.returncode == 0, compared.stdout + compared.stderr
