"""One job as a value that a notebook shows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from bitsshell import bits
from bitsshell.errors import shown
from bitsshell.render import units
from bitsshell.render.records import detail_record
from bitsshell.render.text import neutral

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Job(bits.Job):
    """One job on one host, as it was read: all that `bitsshell.bits.Job` has, and its error.

    `error` is None where it has none, and in a listing, which asks for none: `show` and `explain`
    do. Two are equal when the host said the same of both.
    """

    error: bits.JobError | None = None

    @classmethod
    def of(cls, job: bits.Job, error: bits.JobError | None = None) -> Job:
        """The same job in this form."""
        if isinstance(job, cls) and error is None:
            return job
        return cls(**{name: getattr(job, name) for name in _NAMES}, error=error)

    @property
    def detail(self) -> bits.JobDetail:
        """The job with its error, as `show` gives it."""
        return bits.JobDetail(self, self.error)

    def record(self) -> dict[str, Any]:
        """Everything in it, ready for JSON."""
        return detail_record(self.detail)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, bits.Job):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _COMPARED)

    def __hash__(self) -> int:
        return hash((self.host, self.id))

    def __repr__(self) -> str:
        """One line."""
        done = f" {units.percent(self.fraction)}" if self.fraction is not None else ""
        name = neutral(shown(self.name or self.id))
        return f"<Job {name} {self.state.name}{done} on {neutral(self.host)}>"

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, Any]:
        from bitsshell.api.sets import alone  # a set shows its jobs, and knows this class

        return alone(self)._repr_mimebundle_(include, exclude)


_NAMES = tuple(one.name for one in fields(bits.Job))
_COMPARED = tuple(one.name for one in fields(bits.Job) if one.compare)
