"""Where a host's queue outlives a restart (statement 143)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .model import Job


class JobStore(Protocol):
    """Keeps the jobs of one host."""

    def load(self) -> list[Job]:
        """The jobs as they were saved last; none if there were none."""

    def save(self, jobs: Iterable[Job]) -> None:
        """Keep these jobs and forget all others."""


class MemoryStore:
    """Keeps nothing: the queue ends with its host."""

    def load(self) -> list[Job]:
        """No jobs."""
        return []

    def save(self, jobs: Iterable[Job]) -> None:
        """Nothing to do."""
