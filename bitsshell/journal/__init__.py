"""The journal: what this tool did, written down before and after, by every front end.

Lives here: entries as events in a chain of hashes, the SQLite database that keeps them, reading
and checking it. May not live here: what a command is, and how entries look. `sqlite3` is imported
when the first entry is written or read, never at the start.
"""

from __future__ import annotations

from bitsshell.journal.chain import Event, Verified
from bitsshell.journal.errors import JournalDamaged, JournalUnavailable, NotJournaled
from bitsshell.journal.memory import MemoryJournal
from bitsshell.journal.opening import OFF, VARIABLE, default_path, open_journal
from bitsshell.journal.protocol import Draft, Journal, Standing, Wanted
from bitsshell.journal.started import started_jobs
from bitsshell.results.entries import Ended, Entry, EntryKind, StartedJob

__all__ = [
    "OFF",
    "VARIABLE",
    "Draft",
    "Ended",
    "Entry",
    "EntryKind",
    "Event",
    "Journal",
    "JournalDamaged",
    "JournalUnavailable",
    "MemoryJournal",
    "NotJournaled",
    "Standing",
    "StartedJob",
    "Verified",
    "Wanted",
    "default_path",
    "open_journal",
    "started_jobs",
]
