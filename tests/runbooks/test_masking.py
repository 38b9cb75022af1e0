"""Notebooks without secrets: whatever a password is, the notebook can be opened."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from run_things import Runs, cell, make_runs, text

from bitsshell.known_secrets import learn
from bitsshell.render import REPORT_MIME_TYPE
from bitsshell.runbooks.masking import masked_notebook
from bitsshell.runbooks.steps import read_notebook, steps_of

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Site

KEYS = ["cells", "output_type", "source", "metadata", "outputs", "nbformat", "items", "language"]
VALUES = ["code", "stream", "stdout", "markdown", "python", "setup", "change", "failed", "cell"]


def notebook(secret: str) -> dict[str, Any]:
    """One that says a secret wherever a notebook can say something."""
    said = f"it is {secret}!"
    shown = {
        "text/plain": said,
        "text/html": f"<b>{said}</b><script>f(';key=1');</script>",
        "application/json": {secret: [said]},
        REPORT_MIME_TYPE: {"items": [{"state": "ERROR", "status": "failed", "job_name": secret}]},
    }
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": said},
        {"output_type": "display_data", "data": shown, "metadata": {}},
        {"output_type": "error", "ename": "E", "evalue": said, "traceback": [said]},
    ]
    code = cell("a-cell", said, tags=("setup",), step=said, effect="change") | {"outputs": outputs}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "bits": {"title": said}, "other": {"of": said}}
    cells = [text("b", said), code]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


@pytest.mark.parametrize("secret", [*KEYS, *VALUES])
def test_a_secret_that_is_a_word_of_notebooks_is_masked_where_a_notebook_says_it(
    secret: str, tmp_path: Path
) -> None:
    before = notebook(secret)
    learn(secret)
    masked = masked_notebook(before)
    nbformat.validate(nbformat.from_dict(masked))
    assert f"it is {secret}" not in json.dumps(masked)
    assert masked["metadata"]["kernelspec"] == before["metadata"]["kernelspec"]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(masked))
    (step,) = steps_of(read_notebook(path).cells)
    assert (step.id, step.is_setup, step.effect.value) == ("a-cell", True, "change")
    shown = masked["cells"][1]["outputs"][1]["data"]
    assert shown[REPORT_MIME_TYPE] == {
        "items": [{"state": "ERROR", "status": "failed", "job_name": "***"}]
    }
    assert shown["application/json"] == {"***": ["it is ***!"]}


def test_what_looks_like_a_secret_in_a_url_is_masked_but_in_no_program() -> None:
    masked = json.dumps(masked_notebook(notebook("http://ann:pass@files/a?sig=abcdef")))
    assert '"it is http://***@files/a?sig=***"' in masked
    assert masked.count("abcdef") == 1, "a page with a program is left as it is"
    assert "f(';key=1')" in masked


def test_a_run_with_a_password_that_is_a_word_of_notebooks_keeps_all_of_it(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITSSHELL_PASSWORD", "cells")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    run: Runs = make_runs(site, tmp_path)
    ran = run(cell("a", "print('all the cells of it')"))
    assert ran.code == 0, ran.err
    assert run.statuses == {"a": "ok"}
    assert run.executed["cells"][0]["outputs"][0]["text"] == ["all the *** of it\n"]
    nbformat.validate(nbformat.from_dict(run.executed))
