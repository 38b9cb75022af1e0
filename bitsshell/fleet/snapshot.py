"""The last known jobs of every host, replaced whole, for completion and for known ids.

A snapshot never changes: whoever learns something makes a new one, so that a reader in another
thread sees one moment and needs no lock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING

from bitsshell.fleet.jobindex import JobIndex
from bitsshell.fuzzy import LEAST_FUZZY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from bitsshell.bits import Job, JobState

_FEW_JOBS = 500
"""So many are put into order for one look, where they are all that the wanted hosts have."""


@dataclass(frozen=True)
class Snapshot:
    """Jobs by host label, and when each host was last read."""

    jobs: Mapping[str, tuple[Job, ...]] = field(default_factory=lambda: MappingProxyType({}))
    read_at: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))

    def with_host(self, host: str, jobs: Iterable[Job], *, at: datetime) -> Snapshot:
        """A snapshot in which this host has exactly these jobs."""
        new, old = tuple(jobs), self.jobs.get(host, ())
        after = Snapshot(
            MappingProxyType({**self.jobs, host: new}),
            MappingProxyType({**self.read_at, host: at}),
        )
        known = self.__dict__  # where `cached_property` keeps what was made
        for name in _INDEXES:
            index = known[name].replacing(old, new) if name in known else None
            if index is not None:
                after.__dict__[name] = index
        return after

    def with_job(self, job: Job, *, at: datetime) -> Snapshot:
        """A snapshot in which this one job is as given; a final one is taken out."""
        others = [known for known in self.jobs.get(job.host, ()) if known.id != job.id]
        if not job.state.is_final:
            others.append(job)
        return self.with_host(job.host, others, at=at)

    def ids_on(self, host: str) -> tuple[str, ...]:
        """The ids of the jobs that this host is known to have."""
        return tuple(job.id for job in self.jobs.get(host, ()))

    def prepare(self) -> None:
        """Make now what the first completion would make. For a thread that has the time."""
        self._by_name.lines()
        _ = self._by_id

    def with_prefix(
        self,
        prefix: str,
        *,
        hosts: Iterable[str] | None = None,
        states: Collection[JobState] | None = None,
        limit: int | None = None,
        alike: int | None = None,
    ) -> list[Job]:
        """Jobs whose name or id begins with this, in any case, by bisection; names first.

        Those of these hosts and in these states, None for all; at most `limit` of all, and `alike`
        of one name, so that what every host has hides nothing.
        """
        folded = prefix.casefold().lstrip("{")
        where, wanted = self._narrowed(hosts)
        ids = where._by_id.beginning_with(folded) if folded else ()  # noqa: SLF001  # one of us
        names = where._by_name.beginning_with(  # noqa: SLF001
            folded, hosts=wanted, states=states, alike=alike
        )
        return _some(chain(names, ids), wanted, states, limit)

    def with_letters(
        self,
        typed: str,
        *,
        hosts: Iterable[str] | None = None,
        states: Collection[JobState] | None = None,
        limit: int | None = None,
    ) -> list[Job]:
        """Jobs whose name has these letters in this order, the closest first."""
        folded = typed.casefold()
        if len(folded) < LEAST_FUZZY:
            return []
        where, wanted = self._narrowed(hosts)
        return _some(where._by_name.having(folded), wanted, states, limit)  # noqa: SLF001

    def job(self, host: str, job_id: str) -> Job | None:
        """One job, None where it is not known."""
        same = self._by_id.beginning_with(job_id.casefold())
        return next((job for job in same if job.host == host and job.id == job_id), None)

    def _narrowed(self, hosts: Iterable[str] | None) -> tuple[Snapshot, set[str] | None]:
        """Where to look for the jobs of these hosts, and which hosts must be told apart there."""
        if hosts is None:
            return self, None
        wanted = set(hosts)
        if self._has_few_jobs(wanted):
            return Snapshot({host: self.jobs.get(host, ()) for host in wanted}), None
        return self, None if wanted >= self.jobs.keys() else wanted

    def _has_few_jobs(self, hosts: Iterable[str]) -> bool:
        count = 0
        for host in hosts:
            count += len(self.jobs.get(host, ()))
            if count > _FEW_JOBS:
                return False
        return True

    @cached_property
    def _by_name(self) -> JobIndex:
        return JobIndex.of(_NAME, chain.from_iterable(self.jobs.values()))

    @cached_property
    def _by_id(self) -> JobIndex:
        return JobIndex.of(_ID, chain.from_iterable(self.jobs.values()))


_INDEXES = ("_by_name", "_by_id")
_NAME, _ID = attrgetter("name"), attrgetter("id")


def _some(
    jobs: Iterable[Job],
    wanted: set[str] | None,
    states: Collection[JobState] | None,
    limit: int | None,
) -> list[Job]:
    fitting = (
        job
        for job in jobs
        if (wanted is None or job.host in wanted) and (states is None or job.state in states)
    )
    return list(islice(fitting, limit))
