"""What this tool did: an entry before every change and its outcome afterwards.

The interface stands; for now the entries live in memory, for as long as the session does. Entries
hold the canonical command and the plan as data, never a secret: credentials are not in either.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bitsshell.results import Outcome, Plan, Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command that changes something: who, when, what was meant, and what came of it.

    `summary` is None until the command ended; an entry that stays so was cut off.
    """

    number: int
    at: datetime
    user: str
    command: str
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    summary: Summary | None = None


class Journal(Protocol):
    """Where changes are written down, before and after."""

    def intend(self, *, at: datetime, user: str, command: str, plan: Plan) -> int:
        """Write down what is about to be sent; return the entry's number."""

    def record(self, number: int, outcome: Outcome) -> None:
        """Add one outcome to an entry, as it comes."""

    def close(self, number: int, summary: Summary) -> None:
        """Say how the command ended."""

    def entries(self) -> Sequence[Entry]:
        """All entries, oldest first."""


class MemoryJournal:
    """A journal for the life of one session. Safe to use from several threads."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._entries: dict[int, Entry] = {}
        self._guard = threading.Lock()

    def intend(self, *, at: datetime, user: str, command: str, plan: Plan) -> int:
        """Write down what is about to be sent; return the entry's number."""
        with self._guard:
            number = next(self._numbers)
            self._entries[number] = Entry(
                number=number, at=at, user=user, command=command, plan=plan
            )
            return number

    def record(self, number: int, outcome: Outcome) -> None:
        """Add one outcome to an entry, as it comes."""
        with self._guard:
            entry = self._entries[number]
            self._entries[number] = replace(entry, outcomes=(*entry.outcomes, outcome))

    def close(self, number: int, summary: Summary) -> None:
        """Say how the command ended."""
        with self._guard:
            self._entries[number] = replace(self._entries[number], summary=summary)

    def entries(self) -> Sequence[Entry]:
        """All entries, oldest first."""
        with self._guard:
            return tuple(self._entries.values())
