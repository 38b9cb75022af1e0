"""What `run --check` finds in a notebook: where, what, and what to do about it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.StrEnum):
    """Whether a notebook can be run all the same."""

    ERROR = "error"
    """It would fail on the way, or holds what it must not."""
    WARNING = "warning"
    """It runs, and somebody may regret it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `cell` is the cell's id, empty where it is about the whole.

    `line` counts from 1 in the cell; 0 is the cell as a whole.
    """

    severity: Severity
    cell: str
    line: int
    what: str
    next: str

    def __str__(self) -> str:
        place = f"{self.cell}, line {self.line}" if self.line else self.cell or "the notebook"
        return f"{self.severity}: {place}: {self.what}"


def error(cell: str, line: int, what: str, next_: str) -> Finding:
    """What makes a run fail."""
    return Finding(Severity.ERROR, cell, line, what, next_)


def warning(cell: str, line: int, what: str, next_: str) -> Finding:
    """What a careful person would mend."""
    return Finding(Severity.WARNING, cell, line, what, next_)
