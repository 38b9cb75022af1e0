"""What a watch saw over time, within bounds: a watch may last for days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from bitsshell.api.tabular import Tabular
from bitsshell.render.text import counted
from bitsshell.render.units import iso

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bitsshell.results import Frame

MOST_SAMPLES = 50_000
"""When there are more, every second poll is forgotten; changes of state are kept elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One job at one poll. `rate_bytes_s` is taken over the last seconds; None while unknown."""

    at: datetime
    host: str
    job_id: str
    name: str
    state: str
    bytes_total: int | None
    bytes_transferred: int
    rate_bytes_s: float | None

    def record(self) -> dict[str, Any]:
        """Ready for JSON."""
        rate = None if self.rate_bytes_s is None else round(self.rate_bytes_s)
        return {
            "at": iso(self.at),
            "host": self.host,
            "job_id": self.job_id,
            "name": self.name,
            "state": self.state,
            "bytes_total": self.bytes_total,
            "bytes_transferred": self.bytes_transferred,
            "rate_bytes_s": rate,
        }


@dataclass(frozen=True, slots=True)
class Samples(Tabular, Sequence[Sample]):
    """The samples of a watch, oldest first: a sequence with `records()` and `dataframe()`."""

    samples: tuple[Sample, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Samples: ...
    def __getitem__(self, index: int | slice) -> Sample | Samples:
        """One by position, or a part."""
        if isinstance(index, slice):
            return Samples(self.samples[index])
        return self.samples[index]

    def __len__(self) -> int:
        """How many."""
        return len(self.samples)

    def __repr__(self) -> str:
        """One line."""
        jobs = {(sample.host, sample.job_id) for sample in self.samples}
        return f"<Samples: {counted(len(self.samples), 'sample')} of {counted(len(jobs), 'job')}>"

    def of(self, keys: Iterable[tuple[str, str]]) -> Samples:
        """Those of some jobs, by host and id."""
        wanted = frozenset(keys)
        return Samples(tuple(s for s in self.samples if (s.host, s.job_id) in wanted))

    def records(self) -> list[dict[str, Any]]:
        """One dict a sample, ready for JSON."""
        return [sample.record() for sample in self.samples]

    @property
    def rates(self) -> tuple[float | None, ...]:
        """Bytes per second of all jobs together, one value a poll; None where none is known."""
        totals: dict[datetime, float | None] = {}
        for sample in self.samples:
            before = totals.setdefault(sample.at, None)
            if sample.rate_bytes_s is not None:
                totals[sample.at] = (before or 0.0) + sample.rate_bytes_s
        return tuple(totals.values())


class Timeline:
    """Collects the samples of one watch, poll by poll."""

    def __init__(self, before: Samples | None = None, *, most: int = MOST_SAMPLES) -> None:
        """`before` is what an earlier watch of the same jobs saw."""
        self._most = most
        before = before or Samples()
        self._polls = _polls_of(before)
        self._size = len(before)
        self._rates = list(before.rates)

    def add(self, frame: Frame) -> None:
        """Note what a frame shows."""
        poll = tuple(
            Sample(
                at=frame.as_of,
                host=row.job.host,
                job_id=row.job.id,
                name=row.job.name,
                state=row.job.state.name,
                bytes_total=row.job.bytes_total,
                bytes_transferred=row.job.bytes_transferred,
                rate_bytes_s=row.rate_bytes_s,
            )
            for row in frame.rows
        )
        self._polls.append(poll)
        self._size += len(poll)
        known = [one.rate_bytes_s for one in poll if one.rate_bytes_s is not None]
        self._rates.append(sum(known) if known else None)
        if self._size > self._most:
            self._thin_out()

    @property
    def samples(self) -> Samples:
        """All that is kept."""
        return Samples(tuple(sample for poll in self._polls for sample in poll))

    @property
    def rates(self) -> Sequence[float | None]:
        """Bytes per second of all jobs together, one value a poll."""
        return self._rates

    def _thin_out(self) -> None:
        last = len(self._polls) - 1
        stays = [number for number in range(last + 1) if number % 2 == 0 or number == last]
        self._polls = [self._polls[number] for number in stays]
        self._rates = [self._rates[number] for number in stays]
        self._size = sum(map(len, self._polls))


def _polls_of(samples: Samples) -> list[tuple[Sample, ...]]:
    polls: dict[datetime, list[Sample]] = {}
    for sample in samples:
        polls.setdefault(sample.at, []).append(sample)
    return [tuple(poll) for poll in polls.values()]
