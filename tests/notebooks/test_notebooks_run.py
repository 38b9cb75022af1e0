"""The notebooks that ship, under every runner, against a practice fleet."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

from bitsshell.practice import PracticeFleet

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
FOUR_STEPS = FOLDER / "01-four-steps.ipynb"
JUPYTER = shutil.which("jupyter", path=sysconfig.get_path("scripts")) or "jupyter"
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def fleet() -> Iterator[PracticeFleet]:
    with PracticeFleet(hosts=2) as running:
        yield running


@pytest.fixture
def environment(
    fleet: PracticeFleet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> dict[str, str]:
    """The environment that names the fleet's hosts; this process has it too, for nbclient."""
    host, file = fleet.hosts[0], fleet.files[-2]
    settings = {
        "BITSSHELL_HOST": ",".join(one.endpoint for one in fleet.hosts),
        "BITSSHELL_USER": host.username,
        "BITSSHELL_PASSWORD": host.password,
        "BITSSHELL_URL": file.url,
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return dict(os.environ)


@pytest.fixture
def no_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """An environment that names no host."""
    for name in [name for name in os.environ if name.startswith("BITSSHELL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return dict(os.environ)


def execute(
    notebook: Path, *more: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run it as `jupyter execute` does."""
    return subprocess.run(
        [JUPYTER, "execute", str(notebook), *more],
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def failing(folder: Path) -> Path:
    """A notebook whose second cell fails, and whose third would leave a file."""
    cells = [
        "%load_ext bitsshell",
        "%bits_jobs -H localhost:1 --user nobody --auth basic",
        f"open({str(folder / 'went-on')!r}, 'w').close()",
    ]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    path = folder / "failing.ipynb"
    nbformat.write(made, path)
    return path


def code_cells(path: Path) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def assert_arrived(fleet: PracticeFleet) -> None:
    """The file stands on every host, as the server has it."""
    for host in fleet.hosts:
        arrived = host.path(r"C:\in\package.zip")
        assert hashlib.sha256(arrived.read_bytes()).hexdigest() == fleet.files[-2].sha256
        arrived.unlink()
        assert host.jobs() == ()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_valid_and_clean(path: Path) -> None:
    raw = json.loads(path.read_text(encoding="utf-8"))
    assert (raw["nbformat"], raw["nbformat_minor"]) == (4, 5)
    nbformat.validate(nbformat.from_dict(raw))
    ids = [cell["id"] for cell in raw["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", one) for one in ids)
    for cell in code_cells(path):
        assert cell.outputs == []
        assert cell.execution_count is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_has_one_cell_of_parameters(path: Path) -> None:
    tagged = [cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    names = [line.split(" = ")[0] for line in tagged[0].source.splitlines()]
    assert all(name.isidentifier() for name in names)
    assert not {"password", "secret", "token"} & set(names)


def test_the_four_steps_bring_the_file_to_the_hosts_of_the_environment(
    environment: dict[str, str], fleet: PracticeFleet
) -> None:
    notebook = nbformat.read(FOUR_STEPS, as_version=4)
    NotebookClient(notebook, timeout=TIMEOUT_S, kernel_name="python3").execute()
    assert_arrived(fleet)
    saved = nbformat.writes(notebook)
    assert fleet.hosts[0].password not in saved
    manage = next(cell for cell in notebook.cells if cell.id == "manage")
    (shown,) = manage.outputs
    assert shown.data["text/plain"].startswith("final, as of")
    assert shown.data["application/vnd.bitsshell.report.v1+json"]["ok"] is True


def test_injected_parameters_go_before_the_environment(
    environment: dict[str, str], fleet: PracticeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITSSHELL_HOST", "localhost:1")
    notebook = nbformat.read(FOUR_STEPS, as_version=4)
    place = next(
        number
        for number, cell in enumerate(notebook.cells)
        if "parameters" in cell.metadata.get("tags", [])
    )
    # As papermill does it: a cell of its own after the tagged one.
    given = f"hosts = {environment['BITSSHELL_HOST']!r}\nauth = 'basic'"
    cell = nbformat.v4.new_code_cell(given, metadata={"tags": ["injected-parameters"]})
    notebook.cells.insert(place + 1, cell)
    NotebookClient(notebook, timeout=TIMEOUT_S, kernel_name="python3").execute()
    assert_arrived(fleet)


def test_without_any_setting_the_four_steps_run_on_a_practice_host(
    no_host: dict[str, str], tmp_path: Path
) -> None:
    done = execute(FOUR_STEPS, f"--output={tmp_path / 'done.ipynb'}", environment=no_host)
    assert done.returncode == 0, done.stderr
    arrived = next(cell for cell in code_cells(tmp_path / "done.ipynb") if cell.id == "arrived")
    assert "1,048,576 bytes, SHA-256 3f1c190a" in arrived.outputs[0].text


def test_the_four_steps_run_without_jupyter(no_host: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "IPython", str(FOUR_STEPS)],
        env=no_host,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "1,048,576 bytes, SHA-256 3f1c190a" in done.stdout


def test_a_notebook_that_fails_stops_and_fails_jupyter_execute(
    no_host: dict[str, str], tmp_path: Path
) -> None:
    done = execute(failing(tmp_path), environment=no_host)
    assert done.returncode != 0
    assert "NeedsPerson" in done.stderr
    assert not (tmp_path / "went-on").exists()


def test_a_notebook_that_fails_stops_and_fails_ipython(
    no_host: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "IPython", str(failing(tmp_path))],
        env={**no_host, "BITSSHELL_PASSWORD": "x"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode != 0
    assert "AllFailed: localhost:1" in done.stdout
    assert not (tmp_path / "went-on").exists()
