"""`record save`: a recording out of the journal, written as a notebook."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bitsshell.commands.tokens import quote
from bitsshell.errors import BitsShellError, UsageError, shown
from bitsshell.journal import Wanted
from bitsshell.recorder import Mark
from bitsshell.render.text import counted, prose
from bitsshell.render.units import timestamp
from bitsshell.results import Event, Notice, Text
from bitsshell.results.entries import EntryKind
from bitsshell.runbooks.export import notebook_of
from bitsshell.runbooks.masking import masked_notebook
from bitsshell.runbooks.parameters import PARAMETERS_TAG, declared
from bitsshell.runbooks.recordings import (
    NoRecording,
    Recording,
    cleaned,
    left_out,
    mark_of,
    recorded,
)
from bitsshell.whole_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bitsshell.commands.recording import SaveRequest
    from bitsshell.results.entries import Entry
    from bitsshell.session import Session


_MOST_NOTES = 1000
"""So many notes of the journal are looked through for the last recording."""


class NotSaved(BitsShellError):
    """A notebook could not be written; nothing that was there before is changed."""

    path: str
    problem: str

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(path=str(path), problem=problem)

    def what(self) -> str:
        """Which file, and why."""
        return f"{shown(self.path)} cannot be written: {self.problem}"

    default_hint = "name another file: record save FILE.ipynb"


def save(session: Session, request: SaveRequest) -> Iterator[Event]:
    """Save the last recording of a session. Raises UsageError and `NotSaved`."""
    recording = _found(session, request.session)
    if request.is_clean:
        recording = cleaned(recording)
    notebook = masked_notebook(notebook_of(recording, request.file.name))
    write_notebook(request.file, notebook, is_forced=request.is_forced)
    yield Text(str(request.file))
    yield from map(Notice, _said(recording, notebook, request.file))


def _found(session: Session, wanted: str | None) -> Recording:
    journal = session.journal
    try:
        return recorded(journal.entries(Wanted(session=wanted or journal.session)))
    except NoRecording as error:
        last = _last_start(session)
        hint = (
            None
            if last is None
            else f"{_when(last)}: record save FILE --session {last.session[:8]}"
        )
        what = "in this session" if wanted is None else f"in the session {shown(wanted)}"
        raise NoRecording(f"nothing was recorded {what}", hint=hint) from error


def _last_start(session: Session) -> Entry | None:
    """Where the newest recording in the journal begins, whoever made it."""
    notes = session.journal.entries(Wanted(kinds=(EntryKind.NOTE,), limit=_MOST_NOTES))
    return next((one for one in reversed(notes) if mark_of(one) == Mark.START), None)


def _when(start: Entry) -> str:
    title = str((start.data or {}).get("title", ""))
    return f"the last recording began {timestamp(start.at)}{f' ({prose(title)})' if title else ''}"


def _said(recording: Recording, notebook: dict[str, Any], file: Path) -> Iterator[str]:
    without = left_out(recording)
    yield counted(len(recording.steps), "step") + (
        f"; left out: {without} (--as-is keeps them)" if without else ""
    )
    cells = [cell for cell in notebook["cells"] if cell["id"] == PARAMETERS_TAG]
    names = [parameter.name for cell in cells for parameter in declared(cell["source"])]
    if names:
        yield f"parameters: {', '.join(names)}"
    if recording.steps:
        yield f"next: run {quote(str(file))} --check"


def write_notebook(path: Path, notebook: dict[str, Any], *, is_forced: bool = False) -> None:
    """Write a notebook that only its user can read, whole or not at all.

    Raises:
        UsageError: there is a file of this name, and it is not to be written over.
        NotSaved: the folder is missing or nothing can be written there.
    """
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    try:
        is_new = _reserve(path, is_forced=is_forced)
    except FileExistsError as error:
        raise UsageError(
            f"{shown(str(path))} is there already, and stays as it is",
            hint="--force writes over it",
        ) from error
    except OSError as error:
        raise NotSaved(path, _problem(path, error)) from error
    try:
        write_whole(path, text, is_synced=True)
    except OSError as error:
        if is_new:
            with suppress(OSError):
                path.unlink()
        raise NotSaved(path, _problem(path, error)) from error


def _reserve(path: Path, *, is_forced: bool) -> bool:
    """Take the name; whether it was free. Raises FileExistsError where it was not."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if not is_forced or path.is_dir():
            raise
        return False
    return True


def _problem(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no folder {shown(str(path.parent))}"
    return error.strerror or str(error)
