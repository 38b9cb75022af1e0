"""What a run keeps: the executed notebook and the evidence, written after every step."""

from __future__ import annotations

import json
import os
import platform
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitsshell import known_secrets, run_context
from bitsshell.concealed import secrets_in_urls
from bitsshell.config import FILE_VARIABLE
from bitsshell.errors import UsageError, shown
from bitsshell.fleet.credentials import JOB_PASSWORD_VARIABLE, PASSWORD_VARIABLE
from bitsshell.journal import VARIABLE as JOURNAL_VARIABLE
from bitsshell.journal import JournalUnavailable
from bitsshell.run_context import RunContext
from bitsshell.runbooks.collected import (
    Journaled,
    Told,
    git_state,
    interpreter,
    jobs_in,
    now_text,
    versions,
)
from bitsshell.runbooks.evidence import (
    EXECUTED,
    PARTIAL,
    EvidenceFolder,
    NotKept,
    prepared,
    read_evidence,
    sha256_of,
)
from bitsshell.runbooks.failures import joined_streams, shown_text
from bitsshell.runbooks.junit import junit_text
from bitsshell.runbooks.kernel import Kernel, PrivateFolder, require
from bitsshell.runbooks.masking import masked_notebook
from bitsshell.runbooks.parameters import INJECTED_TAG, injected_source
from bitsshell.runbooks.preflight import check_junit
from bitsshell.runbooks.steps import Notebook, source_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bitsshell.commands.runbook import RunRequest
    from bitsshell.journal import Standing
    from bitsshell.results import StepRun, Verdict
    from bitsshell.runbooks.parameters import Value
    from bitsshell.runbooks.steps import Step
    from bitsshell.session import Session

Record = dict[str, Any]

_SHOWN_LINES = 400
"""Lines of a step's text that evidence.json repeats; the executed notebook has all of them."""


@dataclass(slots=True)
class Collected:
    """What came of one step besides its status. `problem` says why it may not be all."""

    commands: list[Record] = field(default_factory=list)
    checks: list[Record] = field(default_factory=list)
    approvals: list[Record] = field(default_factory=list)
    problem: str = ""

    @property
    def has_plan(self) -> bool:
        """Whether anything was planned and not sent."""
        return any(entry["is_what_if"] and entry["plan"] for entry in self.commands)


class Keeping:
    """The files of one run. `notebook` is the input, `executed` its copy with outputs."""

    def __init__(
        self,
        notebook: Notebook,
        executed: Any,
        folder: EvidenceFolder,
        request: RunRequest,
        begin: Record,
        journal: Standing,
        configuration: Mapping[str, str],
    ) -> None:
        """`configuration` is what the environment of the kernel says of it."""
        self.notebook = notebook
        self.executed = executed
        self.folder = folder
        self.root = ""
        self.problem = ""
        """Why commands may be missing, once the journal could not be read."""
        self._request = request
        self._configuration = configuration
        self._private = PrivateFolder()
        self._context_file = self._private.path / "run.json"
        own = str(self._private.path / "journal.sqlite")
        self._journal_address = journal.address if journal.is_kept else own
        self._journal_place = journal.place if journal.is_kept else None
        self._context = RunContext(
            run=begin["run"], what_if=request.what_if, journal=self._journal_address
        )
        before = journal.entries if journal.is_kept else 0
        self._journaled = Journaled(self._journal_address, begin["run"], before=before)
        self._told = Told(self._context_file)
        self._evidence: Record = {"begin": begin, "steps": [], "end": None}
        self._began_s = time.monotonic()

    @classmethod
    def begin(
        cls,
        session: Session,
        notebook: Notebook,
        values: Mapping[str, Value],
        given: tuple[str, ...],
        request: RunRequest,
    ) -> Keeping:
        """Prepare all of it, before anything starts. Raises UsageError where that cannot be."""
        require()
        passwords = map(os.environ.get, (PASSWORD_VARIABLE, JOB_PASSWORD_VARIABLE))
        known_secrets.learn(*passwords, *_in_urls(values))
        executed = _copy(notebook, {name: values[name] for name in given})
        place = request.evidence or _default_folder(notebook)
        check_junit(request, place)
        standing = session.journal.standing()
        folder = prepared(place, notebook.path)
        begin = _begin(session, notebook, values, given, request)
        given_file = session.config.given  # --config FILE
        said = {FILE_VARIABLE: str(Path(given_file).expanduser().resolve())} if given_file else {}
        return cls(notebook, executed, folder, request, begin, standing, said)

    @property
    def cells(self) -> list[Any]:
        """The cells that are run, the one with the given parameters among them."""
        return list(self.executed.cells)

    @property
    def parameters(self) -> Mapping[str, Value]:
        """The value of each parameter."""
        found: dict[str, Value] = self._evidence["begin"]["parameters"]
        return found

    def filled(self, text: str) -> str:
        """A text of the notebook with the parameters in it that it names in braces."""
        for name, value in self.parameters.items():
            said = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            text = text.replace(f"{{{name}}}", said)
        return text

    def kernel(self) -> Kernel:
        """The kernel for the cells, not started yet. Raises `NotKept`."""
        self._let_know()
        kernel = Kernel(
            self.executed,
            folder=self._private.path,
            cwd=self.notebook.path.resolve().parent,
            environment={
                **os.environ,
                run_context.VARIABLE: str(self._context_file),
                JOURNAL_VARIABLE: self._journal_address,
                **self._configuration,
            },
        )
        self._evidence["begin"]["kernel"]["transport"] = kernel.transport_words
        self._write()
        return kernel

    def step_begins(self, step: Step, approvals: Mapping[str, str]) -> None:
        """Let the kernel know which step comes, and who agreed to what. Raises `NotKept`."""
        self._context = replace(self._context, approvals=dict(approvals), step=step.id)
        self._let_know()

    def _let_know(self) -> None:
        try:
            run_context.write(self._context_file, self._context)
        except OSError as error:
            raise NotKept(str(self._private.path), error.strerror or str(error)) from error

    def collect(self) -> Collected:
        """What the kernel journaled and told since the last time, as far as it can be read now."""
        checks, approvals = self._told.news()
        try:
            return Collected(self._journaled.news(), checks, approvals)
        except JournalUnavailable as error:
            return Collected([], checks, approvals, self._missing(error))

    def _missing(self, error: JournalUnavailable) -> str:
        self.problem = f"commands may be missing: {error.what()}"
        return self.problem

    def step_ended(self, step: Step, done: StepRun, began: str | None, what: Collected) -> None:
        """Add a step to the evidence, and write everything."""
        cell = self.executed.cells[step.index]
        cell.metadata.setdefault("bits", {}).update(
            status=done.status.value, elapsed_s=round(done.elapsed_s, 3)
        )
        outputs = cell.outputs if done.status.has_run else []
        self._evidence["steps"].append(
            {
                "id": done.id,
                "number": done.number,
                "title": done.title,
                "effect": step.effect.value,
                "status": done.status.value,
                "began": began,
                "elapsed_s": round(done.elapsed_s, 3),
                "note": done.note,
                "error": {"type": done.error_type, "lines": list(done.error)}
                if done.error_type
                else None,
                "source": step.source,
                "commands": what.commands,
                "checks": what.checks,
                "approvals": what.approvals,
                "jobs": jobs_in(outputs),
                "shown": shown_text(outputs)[:_SHOWN_LINES],
            }
        )
        self._write()

    def finish(self, verdict: Verdict, note: str) -> None:
        """Write the end of it, once; `problem` says what it lacks. Raises `NotKept`."""
        if self._evidence["end"] is not None:
            return
        journaled = self._end_of_journal()
        self._told.news()
        self._write_notebook()
        self.folder.finish()
        statuses = [step["status"] for step in self._evidence["steps"]]
        self._evidence["end"] = {
            "when": {
                "ended": now_text(),
                "elapsed_s": round(time.monotonic() - self._began_s, 3),
            },
            "verdict": {"exit_code": int(verdict), "name": verdict.name.lower().replace("_", " ")},
            "note": note,
            "counts": {status: statuses.count(status) for status in dict.fromkeys(statuses)},
            "where": list(self._told.hosts.values()),
            "journal": journaled,
            "files": {EXECUTED: sha256_of(self.folder.path / EXECUTED)},
        }
        self.root = self.folder.write_evidence(self._evidence)
        self.folder.write_report()
        if self._request.junit is not None:
            text = junit_text(read_evidence(self.folder.path))
            EvidenceFolder(self._request.junit.parent).write(self._request.junit.name, text)

    def _end_of_journal(self) -> Record:
        """What the end says of the journal; what came last in it stands with the last step."""
        sessions: list[Record] = []
        try:
            last = self._journaled.news(is_over=True)
            if last and self._evidence["steps"]:
                self._evidence["steps"][-1]["commands"].extend(last)
            sessions = self._journaled.roots()
        except JournalUnavailable as error:
            self._missing(error)
        return {"place": self._journal_place, "sessions": sessions, "problem": self.problem}

    def release(self) -> None:
        """Take away what was private, and let others use the folder. Safe to call twice."""
        self._journaled.close()
        self._private.remove()
        self.folder.release()

    def _write(self) -> None:
        self._write_notebook()
        self.root = self.folder.write_evidence(self._evidence)

    def _write_notebook(self) -> None:
        plain = json.loads(json.dumps(self.executed))
        for cell in plain["cells"]:
            if cell["cell_type"] == "code":
                cell["outputs"] = joined_streams(cell["outputs"])
        text: str = _nbformat().writes(_nbformat().from_dict(masked_notebook(plain)))
        self.folder.write(PARTIAL, text + "\n")


def _begin(
    session: Session,
    notebook: Notebook,
    values: Mapping[str, Value],
    given: tuple[str, ...],
    request: RunRequest,
) -> Record:
    """What is known before the first step."""
    return {
        "run": str(uuid.uuid4()),
        "mode": "what-if" if request.what_if else "run",
        "notebook": {
            "name": notebook.path.name,
            "path": str(notebook.path.resolve()),
            "title": notebook.title,
            "sha256": notebook.sha256,
            "git": git_state(notebook.path),
        },
        "who": {"os_user": session.user, "machine": platform.node()},
        "when": {"began": now_text()},
        "parameters": dict(values),
        "given": list(given),
        "from_step": request.from_step,
        "timeout_s": request.timeout_s,
        "step_timeout_s": request.step_timeout_s,
        "versions": versions(),
        "kernel": {
            "python": interpreter(),
            "why": "run with the Python that bitsshell runs on, not with the kernel that the "
            "notebook names",
            "named": (notebook.metadata.get("kernelspec") or {}).get("name"),
        },
    }


def _in_urls(values: Mapping[str, Value]) -> list[str]:
    """Passwords and signatures in the URLs of parameters, which no file may hold."""
    texts = [text for value in values.values() for text in _texts(value)]
    return [found for text in texts for found in secrets_in_urls(text)]


def _texts(value: Value) -> list[str]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def _nbformat() -> Any:
    """The package, which has no types of its own."""
    import nbformat

    return nbformat


def _copy(notebook: Notebook, values: Mapping[str, Value]) -> Any:
    """The notebook that is run: without old outputs, with the parameters that were given."""
    nbformat = _nbformat()
    cells: list[Record] = []
    for index, cell in enumerate(notebook.cells):
        if INJECTED_TAG in (cell.get("metadata", {}).get("tags") or []):
            continue  # of a run before
        fresh = {
            "id": cell["id"],
            "cell_type": cell["cell_type"],
            "metadata": json.loads(json.dumps(cell.get("metadata", {}))),
            "source": source_of(cell),
        }
        if cell["cell_type"] == "code":
            fresh |= {"outputs": [], "execution_count": None}
        cells.append(fresh)
        if index == notebook.parameters_index and values:
            cells.append(_injected(values))
    made = nbformat.from_dict(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": dict(notebook.metadata), "cells": cells}
    )
    with suppress(KeyError):
        del made.metadata["widgets"]
    try:
        nbformat.validate(made)
    except nbformat.ValidationError as error:
        first = str(error).splitlines()[0]
        raise UsageError(
            f"{shown(str(notebook.path))} is damaged: {first}",
            hint="open it in JupyterLab, and save it",
        ) from error
    return made


def _injected(values: Mapping[str, Value]) -> Record:
    return {
        "id": INJECTED_TAG,
        "cell_type": "code",
        "metadata": {"tags": [INJECTED_TAG]},
        "source": injected_source(values),
        "outputs": [],
        "execution_count": None,
    }


def _default_folder(notebook: Notebook) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    wanted = Path(f"{notebook.path.stem}-{stamp}")
    number = 1
    while wanted.exists():
        number += 1
        wanted = Path(f"{notebook.path.stem}-{stamp}-{number}")
    return wanted
