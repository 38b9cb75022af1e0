"""References to jobs as they are typed: what they could mean, and which jobs they match.

Parsing is syntax only, so that completion may do it at every key; matching needs the jobs of a
host. Uniqueness is per host: a plain name matches at most one job there.
"""

from __future__ import annotations

import enum
import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitsshell.bits import canonical_job_id, parse_mark
from bitsshell.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bitsshell.bits import Job

MIN_PREFIX = 4
"""The shortest beginning of an id that is taken for one."""

ERRORS = "%errors"
"""Stands for the jobs of the last listing that are in an error state."""

_GLOB = re.compile(r"[*?\[]")
_ID_LIKE = re.compile(r"\{.*|[0-9a-fA-F]{8}-[0-9a-fA-F-]*|.*\}")
_PREFIX = re.compile(rf"\{{?([0-9a-fA-F][0-9a-fA-F-]{{{MIN_PREFIX - 1},35}})")
_MAX_CANDIDATES = 5


class Kind(enum.Enum):
    """What a reference is by its form."""

    ID = "id"
    MARK = "mark"
    NAME = "name"
    GLOB = "glob"
    ROWS = "rows"
    ERRORS = "errors"


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference.

    `job_id` is set for an ID, `mark` for the reference that a create left in the job's description,
    `rows` (from 1) for rows of the last listing.
    """

    typed: str
    kind: Kind
    job_id: str | None = None
    mark: str | None = None
    rows: tuple[int, ...] = ()


class BadReference(UsageError):
    """What was typed can be no reference to a job."""

    def __init__(self, typed: str, problem: str, hint: str | None = None) -> None:
        super().__init__(f"{typed!r} {problem}", hint=hint, typed=typed)


class AmbiguousReference(UsageError):
    """A plain name or the beginning of an id matches several jobs on one host."""

    typed: str
    candidates: tuple[Job, ...]

    def __init__(self, typed: str, candidates: Sequence[Job], *, host: str) -> None:
        super().__init__(host=host, typed=typed, candidates=tuple(candidates))

    def what(self) -> str:
        """Name the candidates."""
        shown = ", ".join(
            f"{job.id} {job.name!r} ({job.state.name})" for job in self.candidates[:_MAX_CANDIDATES]
        )
        more = len(self.candidates) - _MAX_CANDIDATES
        return f"{self.typed!r} matches {len(self.candidates)} jobs: {shown}" + (
            f" and {more} more" if more > 0 else ""
        )

    @property
    def hint(self) -> str | None:
        """How to be clear."""
        if any(job.name.casefold() == self.typed.casefold() for job in self.candidates):
            return "give the id of one, or the ids of several"
        return "give more of the id"


class NoSuchJob(UsageError):
    """A reference matches nothing on any host that answered."""

    typed: str
    hosts: tuple[str, ...]
    near: tuple[str, ...]

    def __init__(self, typed: str, *, hosts: Sequence[str], near: Sequence[str] = ()) -> None:
        super().__init__(typed=typed, hosts=tuple(hosts), near=tuple(near))

    def what(self) -> str:
        """Say where it was looked for."""
        if self.typed.lower() == ERRORS:
            return "no job of the last listing is in an error state (any more)"
        return f"no job {self.typed!r} on {self.where}"

    @property
    def where(self) -> str:
        """The host, or how many there are."""
        return self.hosts[0] if len(self.hosts) == 1 else f"{len(self.hosts)} hosts"

    @property
    def hint(self) -> str | None:
        """The nearest names."""
        if self.near:
            return "did you mean " + " or ".join(repr(name) for name in self.near) + "?"
        if self.typed.lower() == ERRORS:
            return "list them anew: jobs"
        return "see what is there: jobs; completed and cancelled jobs leave the queue"


def parse_reference(typed: str) -> Reference:
    """Tell what a reference is by its form. Raises `BadReference`."""
    text = typed.strip()
    if not text:
        raise BadReference(typed, "is no job: it is empty")
    if text.startswith("%"):
        return _parse_rows(text)
    job_id = canonical_job_id(text)
    if job_id is not None:
        return Reference(text, Kind.ID, job_id=job_id)
    mark = parse_mark(text)
    if mark is not None:
        return Reference(text, Kind.MARK, mark=mark)
    if _GLOB.search(text):
        return Reference(text, Kind.GLOB)
    if _ID_LIKE.fullmatch(text) and not _PREFIX.fullmatch(text):
        raise BadReference(
            typed,
            "looks like a job id and is none",
            hint="an id is 8-4-4-4-12 hex digits, with or without braces; its beginning will do",
        )
    return Reference(text, Kind.NAME)


def _parse_rows(text: str) -> Reference:
    if text.lower() == ERRORS:
        return Reference(text, Kind.ERRORS)
    found = re.fullmatch(r"%(\d{1,6})(?:-(\d{1,6}))?", text)
    if not found:
        raise BadReference(text, "is no row of the last listing", hint="write %3, %1-4 or %errors")
    first = int(found[1])
    last = int(found[2]) if found[2] else first
    if not 1 <= first <= last:
        raise BadReference(text, "is no row of the last listing", hint="rows count from 1 upwards")
    return Reference(text, Kind.ROWS, rows=tuple(range(first, last + 1)))


def match(reference: Reference, jobs: Iterable[Job], *, host: str) -> tuple[Job, ...]:
    """The jobs of one host that a reference means (not for rows of a listing).

    A name that is exactly right wins over one that differs in case, and both over the beginning of
    an id. A pattern also means the job whose name is just that text. Raises `AmbiguousReference`.
    """
    jobs = tuple(jobs)
    folded = reference.typed.casefold()
    if reference.kind is Kind.ID:
        return tuple(job for job in jobs if job.id == reference.job_id)
    if reference.kind is Kind.MARK:
        return tuple(job for job in jobs if job.reference == reference.mark)
    if reference.kind is Kind.GLOB:
        pattern = re.compile(fnmatch.translate(folded))
        return tuple(
            job
            for job in jobs
            if pattern.match(job.name.casefold()) or job.name.casefold() == folded
        )
    for found in (
        [job for job in jobs if job.name == reference.typed],
        [job for job in jobs if job.name.casefold() == folded],
        [job for job in jobs if _begins(job, reference.typed)],
    ):
        if len(found) > 1:
            raise AmbiguousReference(reference.typed, found, host=host)
        if found:
            return tuple(found)
    return ()


def _begins(job: Job, typed: str) -> bool:
    beginning = _PREFIX.fullmatch(typed)
    return beginning is not None and job.id.startswith(beginning[1].upper())
