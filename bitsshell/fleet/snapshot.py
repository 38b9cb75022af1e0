"""The last known jobs of every host, replaced whole, for completion and for known ids.

A snapshot never changes: whoever learns something makes a new one, so that a reader in another
thread sees one moment and needs no lock.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from bitsshell.bits import Job


@dataclass(frozen=True)
class Snapshot:
    """Jobs by host label, and when each host was last read."""

    jobs: Mapping[str, tuple[Job, ...]] = field(default_factory=lambda: MappingProxyType({}))
    read_at: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))

    def with_host(self, host: str, jobs: Iterable[Job], *, at: datetime) -> Snapshot:
        """A snapshot in which this host has exactly these jobs."""
        return Snapshot(
            MappingProxyType({**self.jobs, host: tuple(jobs)}),
            MappingProxyType({**self.read_at, host: at}),
        )

    def with_job(self, job: Job, *, at: datetime) -> Snapshot:
        """A snapshot in which this one job is as given; a final one is taken out."""
        others = [known for known in self.jobs.get(job.host, ()) if known.id != job.id]
        if not job.state.is_final:
            others.append(job)
        return self.with_host(job.host, others, at=at)

    def ids_on(self, host: str) -> tuple[str, ...]:
        """The ids of the jobs that this host is known to have."""
        return tuple(job.id for job in self.jobs.get(host, ()))

    def with_prefix(
        self, prefix: str, *, hosts: Iterable[str] | None = None, limit: int | None = None
    ) -> list[Job]:
        """Jobs whose name or id begins with this, in any case, by bisection; names first."""
        folded = prefix.casefold().lstrip("{")
        wanted = None if hosts is None else set(hosts)
        found = chain(_slice(self._by_name, folded), _slice(self._by_id, folded) if folded else ())
        here = (job for job in found if wanted is None or job.host in wanted)
        return list(islice(here, limit))

    @cached_property
    def _by_name(self) -> list[tuple[str, str, Job]]:
        return sorted(
            ((job.name.casefold(), job.id, job) for jobs in self.jobs.values() for job in jobs),
            key=lambda entry: entry[:2],
        )

    @cached_property
    def _by_id(self) -> list[tuple[str, str, Job]]:
        return sorted(
            ((job.id.casefold(), job.host, job) for jobs in self.jobs.values() for job in jobs),
            key=lambda entry: entry[:2],
        )


def _slice(index: list[tuple[str, str, Job]], prefix: str) -> Iterator[Job]:
    first = bisect_left(index, prefix, key=lambda entry: entry[0])
    for place in range(first, len(index)):
        name, _, job = index[place]
        if not name.startswith(prefix):
            break
        yield job
