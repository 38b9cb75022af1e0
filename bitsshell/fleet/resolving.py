"""What references mean on hosts whose queues were just read. No I/O.

A full id acts where it is found and fails only when it is found nowhere; a plain name or the
beginning of an id means at most one job on each host; rows mean the jobs of the last listing.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from bitsshell.bits import JobGone, QueueUnreadable
from bitsshell.fleet.references import BadReference, Kind, NoSuchJob, Reference, match
from bitsshell.results import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bitsshell.bits import Job, JobList

_ALONE = frozenset({Kind.NAME, Kind.MARK})
"""What means one job at most on each host."""

Row = tuple[str, str]
"""Host label and job id of a row of the last listing."""

_MAX_NEAR = 3
_MAX_SLIPS = 3
"""In so many characters an id may be wrong to be taken for another one."""


class Resolver:
    """Resolves references against one reading.

    Args:
        queues: what each host that answered has.
        listing: the rows of the last listing.
        is_complete: whether every host answered.
    """

    def __init__(
        self, queues: Mapping[str, JobList], listing: Sequence[Row], *, is_complete: bool
    ) -> None:
        self.queues = queues
        self.listing = listing
        self.is_complete = is_complete
        self.unsure: dict[Row | str, Outcome] = {}

    def jobs(self, references: Sequence[Reference]) -> list[Job]:
        """The jobs meant, in the order of the references, once each.

        What cannot be known is in `unsure` afterwards: hosts of which only some jobs could be read,
        and jobs that left the queue since they were listed.

        Raises:
            NoSuchJob: one matches nothing, and every host answered.
            AmbiguousReference: a plain one matches several jobs on one host.
            BadReference: a row that the last listing does not have.
        """
        found: dict[Row, Job] = {}
        for reference in references:
            matches = {(job.host, job.id): job for job in self._matches(reference)}
            if not matches and not self._may_be_hidden(reference):
                raise self._no_such_job(reference)
            if reference.kind is Kind.ROWS:
                for row in rows_of((reference,), self.listing):
                    if row not in matches and row[0] in self.queues:
                        self.unsure[row] = _gone(row)
            found |= matches
        return list(found.values())

    def _matches(self, reference: Reference) -> Iterator[Job]:
        rows = set(rows_of((reference,), self.listing))
        for host, queue in self.queues.items():
            if reference.kind in {Kind.ROWS, Kind.ERRORS}:
                wants_errors = reference.kind is Kind.ERRORS
                here = [
                    job
                    for job in queue.jobs
                    if (host, job.id) in rows and (job.state.has_error or not wants_errors)
                ]
            else:
                here = list(match(reference, queue.jobs, host=host))
            yield from here
            # Of a queue that was read in part, one job of a name or mark is taken for the only one.
            is_certain = _was_read_alone(reference) or (reference.kind in _ALONE and here)
            if queue.partial and not is_certain:
                self.unsure[host] = Outcome(
                    host=host, status=Status.FAILED, error=QueueUnreadable(host=host)
                )

    def _may_be_hidden(self, reference: Reference) -> bool:
        """Whether what was not found may be there all the same."""
        if not self.is_complete:
            return True
        is_partial = any(queue.partial for queue in self.queues.values())
        return is_partial and not _was_read_alone(reference)

    def _no_such_job(self, reference: Reference) -> NoSuchJob:
        jobs = [job for queue in self.queues.values() for job in queue.jobs]
        typed = reference.typed.strip("{}").upper()
        near = [job.id for job in jobs if _is_slip_of(typed, job.id)][:_MAX_NEAR]
        if not near:
            names = {job.name for job in jobs}
            near = difflib.get_close_matches(reference.typed, names, n=_MAX_NEAR)
        return NoSuchJob(reference.typed, hosts=tuple(self.queues), near=near)


def _is_slip_of(typed: str, job_id: str) -> bool:
    """Whether a full id was meant that differs in a few characters."""
    if len(typed) != len(job_id):
        return False
    return sum(a != b for a, b in zip(typed, job_id, strict=True)) <= _MAX_SLIPS


def rows_of(references: Sequence[Reference], listing: Sequence[Row]) -> list[Row]:
    """The rows of the last listing that references name; `%errors` looks at all of them.

    Raises:
        BadReference: a row that the listing does not have, or there was no listing.
    """
    rows: list[Row] = []
    for reference in references:
        if reference.kind is Kind.ERRORS:
            if not listing:
                raise BadReference(
                    reference.typed, "means jobs of the last listing", "list them first: jobs"
                )
            rows.extend(listing)
        for row in reference.rows:
            if row > len(listing):
                raise BadReference(
                    reference.typed,
                    f"is not in the last listing, which has {len(listing)} rows",
                    "list the jobs first: jobs",
                )
            rows.append(listing[row - 1])
    return rows


def _was_read_alone(reference: Reference) -> bool:
    """Whether its jobs were asked for by id, which works on a queue that cannot be enumerated."""
    return reference.kind in {Kind.ID, Kind.ROWS}


def _gone(row: Row) -> Outcome:
    host, job_id = row
    error = JobGone(host=host, job=job_id)
    return Outcome(host=host, status=Status.FAILED, error=error, job_id=job_id)
