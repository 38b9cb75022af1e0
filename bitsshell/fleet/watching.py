"""What changed between two looks at a queue, how fast, and how much longer. No I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bitsshell.bits import Job, JobState
from bitsshell.results import JobChange, WatchRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bitsshell.bits import JobError

WATCHED_PROPERTIES = (
    "JobId",
    "DisplayName",
    "State",
    "Priority",
    "BytesTotal",
    "BytesTransferred",
    "FilesTotal",
    "FilesTransferred",
    "TransientErrorCount",
)
"""All that a watch shows, and so all that it asks for."""

RATE_WINDOW_S = 10.0
"""The rate is taken over this long, so that it neither jumps nor lags."""

Key = tuple[str, str]
"""Host label and job id."""


def key_of(job: Job) -> Key:
    """What a job is known by among many hosts."""
    return (job.host, job.id)


@dataclass(slots=True)
class RateMeter:
    """Bytes per second over the last seconds of one job."""

    samples: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, at_s: float, transferred: int) -> None:
        """Note how much there was at a moment. A count that went down starts anew."""
        if self.samples and transferred < self.samples[-1][1]:
            self.samples.clear()
        self.samples.append((at_s, transferred))
        while len(self.samples) > 2 and at_s - self.samples[1][0] >= RATE_WINDOW_S:
            self.samples.popleft()

    @property
    def bytes_per_s(self) -> float | None:
        """The rate, None before there are two moments."""
        if len(self.samples) < 2:
            return None
        (start_s, first), (end_s, last) = self.samples[0], self.samples[-1]
        return (last - first) / (end_s - start_s) if end_s > start_s else None


def time_left_s(job: Job, rate: float | None) -> float | None:
    """Seconds until everything is here at this rate, None when nobody can tell."""
    if job.state is not JobState.TRANSFERRING or job.bytes_total is None or not rate:
        return None
    return max(0.0, (job.bytes_total - job.bytes_transferred) / rate)


def compare(
    before: Mapping[Key, Job], after: Mapping[Key, Job], *, at: datetime
) -> list[JobChange]:
    """The changes between two looks, jobs that left first, in the order of the second look."""
    changes = [
        JobChange(at=at, host=host, job_id=job_id, before=job)
        for (host, job_id), job in before.items()
        if (host, job_id) not in after
    ]
    for key, job in after.items():
        old = before.get(key)
        if old is None or _differs(old, job):
            changes.append(JobChange(at=at, host=key[0], job_id=key[1], before=old, after=job))
    return changes


def _differs(old: Job, new: Job) -> bool:
    return (
        old.state != new.state
        or old.bytes_transferred != new.bytes_transferred
        or old.bytes_total != new.bytes_total
        or old.files_transferred != new.files_transferred
        or old.files_total != new.files_total
        or old.error_count != new.error_count
        or old.priority != new.priority
        or old.name != new.name
    )


class Watch:
    """The memory of a watch: the last look, a rate for each job, and the errors asked for.

    Args:
        wanted: the jobs to follow, as they were last read; None for every job of the hosts.
    """

    def __init__(self, wanted: Iterable[Job] | None = None) -> None:
        self.wanted = None if wanted is None else {key_of(job): job for job in wanted}
        self.jobs: dict[Key, Job] = {}
        self.errors: dict[Key, JobError] = {}
        self.settled: dict[Key, Job] = {}
        self._meters: dict[Key, RateMeter] = {}
        self._seen: frozenset[str] = frozenset()

    def settle(self, job: Job) -> None:
        """Keep a job as it ended: it is shown on, and looked for no more."""
        key = key_of(job)
        self.jobs.pop(key, None)
        self.settled[key] = job

    def look(
        self, jobs: Iterable[Job], *, readable: Iterable[str], at: datetime, at_s: float
    ) -> list[JobChange]:
        """Take in one look at the hosts that could be read; return what changed.

        `at` is the time of day, `at_s` the steady clock's seconds. The jobs of a host that could
        not be read stay as they were.
        """
        readable = frozenset(readable)
        after = {
            key_of(job): job
            for job in jobs
            if (self.wanted is None or key_of(job) in self.wanted)
            and key_of(job) not in self.settled
        }
        kept = {key: job for key, job in self.jobs.items() if key[0] not in readable}
        before = {key: job for key, job in self.jobs.items() if key[0] in readable}
        changes = compare(before, after, at=at)
        unseen = readable - self._seen
        self._seen |= readable
        changes = [
            replace(change, is_first=True) if change.host in unseen else change
            for change in changes
        ]
        for key, job in after.items():
            self._meters.setdefault(key, RateMeter()).add(at_s, job.bytes_transferred)
            if not job.state.has_error:
                self.errors.pop(key, None)
        self.jobs = {**kept, **after}
        self._forget_all_but(self.jobs.keys() | self.settled.keys())
        return changes

    def _forget_all_but(self, shown: set[Key]) -> None:
        """A watch of days sees many jobs come and go."""
        for memory in (self._meters, self.errors):
            for key in memory.keys() - shown:
                del memory[key]

    def rows(self) -> tuple[WatchRow, ...]:
        """What a frame shows, by host and name; of hosts not looked at yet the jobs as given."""
        rows = []
        wanted = self.wanted or {}
        unread = {key: job for key, job in wanted.items() if key[0] not in self._seen}
        shown = {**unread, **self.jobs, **self.settled}
        for key, job in sorted(shown.items(), key=lambda item: (item[0][0], item[1].name, item[0])):
            rate = self._meters[key].bytes_per_s if key in self._meters else None
            if job.state is not JobState.TRANSFERRING:
                rate = None
            rows.append(
                WatchRow(
                    job,
                    rate_bytes_s=rate,
                    time_left_s=time_left_s(job, rate),
                    error=self.errors.get(key),
                )
            )
        return tuple(rows)
