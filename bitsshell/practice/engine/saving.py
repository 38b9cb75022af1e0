"""Saving the queue, a moment after it changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .model import Job
    from .store import JobStore

_DELAY_S = 0.2
"""Real seconds in which changes are gathered."""


class QueueSaver:
    """Saves the jobs into their store once for many changes."""

    def __init__(self, store: JobStore, jobs: Callable[[], Iterable[Job]]) -> None:
        self._store = store
        self._jobs = jobs
        self._timer: asyncio.TimerHandle | None = None

    def soon(self) -> None:
        """The queue changed."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_DELAY_S, self.now)

    def now(self) -> None:
        """Save at once."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._store.save(self._jobs())
