"""Notebooks made for a test, a console that runs them, and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bitsshell.runbooks import runbooks

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Console, Ran, Site


def cell(name: str, source: str, *, tags: tuple[str, ...] = (), **bits: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"tags": list(tags)} if tags else {}
    if bits:
        metadata["bits"] = bits
    return {
        "id": name,
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def text(name: str, source: str) -> dict[str, Any]:
    return {"id": name, "cell_type": "markdown", "metadata": {}, "source": source}


def write_notebook(path: Path, *cells: dict[str, Any], **changes: Any) -> Path:
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "no-such-kernel", "display_name": "x"}},
        "cells": list(cells),
        **changes,
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@dataclass
class Runs:
    """Runs notebooks of a folder by the verb, and reads the evidence in `out` of that folder."""

    console: Console
    folder: Path

    def __call__(self, *cells: dict[str, Any], options: str = "") -> Ran:
        book = write_notebook(self.folder / "book.ipynb", *cells)
        return self.console(f"run '{book}' --evidence '{self.out}' {options}")

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def evidence(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / "evidence.json").read_text("utf-8"))
        return found

    @property
    def statuses(self) -> dict[str, str]:
        return {step["id"]: step["status"] for step in self.evidence["steps"]}

    def step(self, name: str) -> dict[str, Any]:
        return next(step for step in self.evidence["steps"] if step["id"] == name)

    @property
    def executed(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / "executed.ipynb").read_text("utf-8"))
        return found


def make_runs(site: Site, folder: Path, *, hosts: int = 1, answers: Any = None) -> Runs:
    console = site.console(hosts, answers=answers)
    console.session.runbooks = runbooks
    return Runs(console, folder)
