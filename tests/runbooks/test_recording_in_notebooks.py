from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from recorded_entries import cell_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from consoles import Site


def test_a_notebook_is_recorded_as_a_shell_is(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "again.ipynb"
    host = site.host
    cells = [
        f"%load_ext bitsshell\nurl = {site.file().url!r}",
        f"%bits_use {host.endpoint} --user {host.username} --auth basic",
        "%bits_record start From a notebook",
        "made = %bits_create {url} C:\\in\\hello.txt --name hello --suspended",
        "%bits_record note It must not run yet.",
        "%bits_show {made}",
        f"%bits_record save '{file}'",
    ]
    monkeypatch.setenv("BITSSHELL_PASSWORD", host.password)
    NotebookClient(new_notebook(cells=[new_code_cell(c) for c in cells]), timeout=120).execute()
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].source.startswith("# From a notebook\n")
    assert "in a notebook" in notebook.cells[0].source
    create, show = cell_of(notebook, "s01-create"), cell_of(notebook, "s02-show")
    assert create.source.endswith("--into job")
    assert show.source == "%bits_show {job}"
    assert "It must not run yet." in cell_of(notebook, "s02-show-about").source
    assert set(create.outputs[0].data) >= {"text/plain", "text/html"}
    assert host.password not in file.read_text()
