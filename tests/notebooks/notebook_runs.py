"""Notebooks under the runners that people have: what they exit with, and what they leave."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LOGON = ("BITSSHELL_USER", "BITSSHELL_AUTH", "BITSSHELL_PASSWORD")
TIMEOUT_S = 120
_JUPYTER = shutil.which("jupyter", path=sysconfig.get_path("scripts")) or "jupyter"


def nothing_is_set(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Runners start from this process' environment: in it nothing names a logon."""
    for name in LOGON:
        patch.delenv(name, raising=False)
    patch.setenv("IPYTHONDIR", str(folder / "ipython"))
    patch.setenv("XDG_STATE_HOME", str(folder / "state"))


@dataclass(frozen=True)
class Ran:
    """One run: its exit code, what was said, and the cells as they were left, by id."""

    exit_code: int
    said: str
    cells: Mapping[str, Any]

    def text(self, cell: str) -> str:
        """All text that stands below a cell."""
        return "\n".join(_texts(self.cells[cell].outputs))

    def errors(self) -> list[tuple[str, str]]:
        """The cells that failed, each with the name of its error."""
        return [
            (name, output.ename)
            for name, cell in self.cells.items()
            for output in cell.get("outputs", [])
            if output.output_type == "error"
        ]

    def ran(self, cell: str) -> bool:
        """Whether a cell was begun."""
        return self.cells[cell].execution_count is not None


def _texts(outputs: Sequence[Any]) -> list[str]:
    return [
        "\n".join(output.get("traceback", []))
        + output.get("text", "")
        + output.get("data", {}).get("text/plain", "")
        for output in outputs
    ]


Runner = Callable[..., Ran]


def papermill(notebook: Path, folder: Path, **parameters: Any) -> Ran:
    """As papermill's command runs it."""
    out = folder / "papermill.ipynb"
    given = [word for name, value in parameters.items() for word in ("-y", f"{name}: {value!r}")]
    words = ["-m", "papermill", str(notebook), str(out), "-k", "python3", "--no-progress-bar"]
    return _ran([sys.executable, *words, *given], out)


def jupyter_execute(notebook: Path, folder: Path) -> Ran:
    """As `jupyter execute` runs it, which is nbclient's command and takes no parameters."""
    out = folder / "executed.ipynb"
    shutil.copy(notebook, out)
    words = ["execute", "--kernel_name=python3", "--inplace", str(out)]
    return _ran([_JUPYTER, *words], out)


def bitsshell_run(notebook: Path, folder: Path, *more: str, **parameters: Any) -> Ran:
    """As `bitsshell run` runs it, with its evidence."""
    evidence = folder / "evidence"
    given = [
        word
        for name, value in parameters.items()
        for word in ("-p", f"{name}={','.join(value) if isinstance(value, list) else value}")
    ]
    words = ["-m", "bitsshell", "run", str(notebook), "--evidence", str(evidence), *given, *more]
    return _ran([sys.executable, *words], evidence / "executed.ipynb")


RUNNERS: Mapping[str, Runner] = {
    "papermill": papermill,
    "jupyter execute": jupyter_execute,
    "bitsshell run": bitsshell_run,
    "bitsshell run --what-if": lambda notebook, folder: bitsshell_run(
        notebook, folder, "--what-if"
    ),
}


def ipython(notebook: Path) -> Ran:
    """As terminal IPython runs it; nothing is left."""
    return _ran([sys.executable, "-m", "IPython", str(notebook)], notebook)


def _ran(command: Sequence[str], out: Path) -> Ran:
    done = subprocess.run(
        command,
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    cells = nbformat.read(out, as_version=4).cells if out.exists() else []
    return Ran(done.returncode, done.stdout + done.stderr, {cell.id: cell for cell in cells})


def written(folder: Path, *cells: str) -> Path:
    """A notebook of these cells, called c1, c2 and so on."""
    made = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(cell, id=f"c{number}") for number, cell in enumerate(cells, 1)
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    path = folder / "written.ipynb"
    nbformat.write(made, path)
    return path
