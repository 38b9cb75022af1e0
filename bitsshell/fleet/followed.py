"""The jobs that a session has set going, so that it can say when one of them gets to its end.

Whoever looked at a job in a listing or a watch knows of it: only what the background finds out is
news.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitsshell.bits import JobState
from bitsshell.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bitsshell.bits import Job

UNDER_WAY = frozenset(
    {JobState.QUEUED, JobState.CONNECTING, JobState.TRANSFERRING, JobState.TRANSIENT_ERROR}
)
"""TRANSIENT_ERROR is not a failure: BITS goes on by itself."""


@dataclass(frozen=True, slots=True)
class News:
    """What became of a job, in words for people. They name the host beside, for many may say it."""

    host: str
    what: str


class Followed:
    """Jobs that were changed by this session and are under way since."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str], Job] = {}
        self._guard = threading.Lock()

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def hosts(self) -> frozenset[str]:
        """The labels of the hosts that have such jobs."""
        with self._guard:
            return frozenset(host for host, _ in self._jobs)

    def changed(self, job: Job) -> None:
        """This session changed a job; here it is as it came out of that."""
        with self._guard:
            if job.state in UNDER_WAY:
                self._jobs[job.host, job.id] = job
            else:
                self._jobs.pop((job.host, job.id), None)

    def seen(self, host: str, jobs: Iterable[Job], *, is_whole: bool = True) -> tuple[News, ...]:
        """All jobs of a host, or some of them; what of it is news.

        `is_whole` says that a job that is not among them is gone.
        """
        now = {job.id: job for job in jobs}
        news: list[News] = []
        with self._guard:
            for key in [key for key in self._jobs if key[0] == host]:
                job = now.get(key[1])
                if (job is None and is_whole) or (job is not None and job.state not in UNDER_WAY):
                    before = self._jobs.pop(key)
                    news.append(News(host, _what(before, job)))
        return tuple(news)


def _what(before: Job, job: Job | None) -> str:
    name = shown(before.name or before.id)
    if job is None:
        return f"{name} left the queue"
    match job.state:
        case JobState.TRANSFERRED:
            return f"{name} is TRANSFERRED; complete puts its files into place"
        case JobState.ERROR:
            return f"{name} failed (ERROR); explain says why"
        case state:
            return f"{name} is {state.name}"
