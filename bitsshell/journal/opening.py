"""Which journal to use: that of the user's state folder, another one, or none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bitsshell import run_context
from bitsshell.journal.memory import MemoryJournal
from bitsshell.state_files import state_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bitsshell.journal.protocol import Journal

VARIABLE = "BITSSHELL_JOURNAL"
OFF = "off"


def default_path() -> Path:
    """The journal of this user."""
    return state_file("journal.sqlite")


def open_journal(
    configured: str | None = None, environment: Mapping[str, str] = os.environ
) -> Journal:
    """The journal to write to. Nothing is opened before the first entry.

    `BITSSHELL_JOURNAL` counts most, then the run that this process is part of, then what is
    `configured`; each is a path, a `file:` URI of SQLite, or `off`.
    """
    run = run_context.current(environment)
    said = environment.get(VARIABLE) or (run.journal if run else None) or configured
    if said is not None and said.strip().lower() == OFF:
        return MemoryJournal(f"{OFF}: kept in memory until this process ends")
    from bitsshell.journal.database import DatabaseJournal

    return DatabaseJournal(said or str(default_path()))
