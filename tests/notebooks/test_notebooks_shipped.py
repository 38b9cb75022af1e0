"""The notebooks that ship, as files: valid, clean, with declared parameters and stable names."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from notebook_runs import FOLDER, NOTEBOOKS

from bitsshell.cli import run
from bitsshell.runbooks.parameters import declared

if TYPE_CHECKING:
    from pathlib import Path

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def cells_of(path: Path, kind: str = "code") -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def test_six_of_them_ship() -> None:
    assert [path.name[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05", "06"]


@each
def test_a_notebook_is_valid_and_clean(path: Path) -> None:
    raw = json.loads(path.read_text(encoding="utf-8"))
    assert (raw["nbformat"], raw["nbformat_minor"]) == (4, 5)
    nbformat.validate(nbformat.from_dict(raw))
    ids = [cell["id"] for cell in raw["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", one) for one in ids)
    for cell in cells_of(path):
        assert cell.outputs == []
        assert cell.execution_count is None


@each
def test_a_notebook_declares_its_parameters_and_none_is_a_secret(path: Path) -> None:
    (cell,) = [cell for cell in cells_of(path) if "parameters" in cell.metadata.get("tags", [])]
    parameters = declared(cell.source)
    assert parameters[0].name == "hosts"
    assert all(parameter.help for parameter in parameters)
    assert not {"password", "secret", "token"} & {parameter.name for parameter in parameters}


@each
def test_the_check_finds_nothing_in_a_notebook(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", str(path), "--check"]) == 0, capsys.readouterr().out


def test_the_example_of_the_documentation_runs() -> None:
    page = (FOLDER.parent / "docs" / "notebooks.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    subprocess.run([sys.executable, "-c", example], check=True, timeout=60)


@each
def test_what_a_notebook_refers_to_is_there(path: Path) -> None:
    prose = "\n".join(cell.source for cell in cells_of(path, "markdown"))
    for name in re.findall(r"[\w-]+\.ipynb", prose):
        assert (FOLDER / name).exists(), name
