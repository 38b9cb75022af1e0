"""What this tool did: an entry before every change and its outcome afterwards.

The interface stands; for now the entries live in memory, for as long as the session does. Entries
hold the command as it was typed and the plan as data, never a secret: credentials are in neither.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

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
        self._entries: list[Entry] = []
        self._outcomes: list[list[Outcome]] = []
        self._guard = threading.Lock()

    def intend(self, *, at: datetime, user: str, command: str, plan: Plan) -> int:
        """Write down what is about to be sent; return the entry's number."""
        with self._guard:
            number = len(self._entries) + 1
            self._entries.append(Entry(number=number, at=at, user=user, command=command, plan=plan))
            self._outcomes.append([])
            return number

    def record(self, number: int, outcome: Outcome) -> None:
        """Add one outcome to an entry, as it comes."""
        with self._guard:
            self._outcomes[number - 1].append(outcome)

    def close(self, number: int, summary: Summary) -> None:
        """Say how the command ended."""
        with self._guard:
            self._entries[number - 1] = replace(self._entries[number - 1], summary=summary)

    def entries(self) -> Sequence[Entry]:
        """All entries, oldest first."""
        with self._guard:
            return tuple(
                replace(entry, outcomes=tuple(outcomes))
                for entry, outcomes in zip(self._entries, self._outcomes, strict=True)
            )
