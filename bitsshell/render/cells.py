"""What tables and blocks share: rows, and small texts about jobs, files and hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bitsshell.render import units
from bitsshell.render.text import UNKNOWN
from bitsshell.results import listing_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bitsshell.bits import Job, JobFile
    from bitsshell.results import HostStatus


class Numbered(NamedTuple):
    """A job and its row number, which `%n` refers to."""

    number: int
    job: Job


class ListedFile(NamedTuple):
    """A file in a listing, with its job."""

    job: Job
    number: int
    file: JobFile


def numbered(jobs: Iterable[Job]) -> list[Numbered]:
    """The jobs in the order of a listing, numbered from 1."""
    return [Numbered(number, job) for number, job in enumerate(listing_order(jobs), 1)]


def listed_files(jobs: Iterable[Job]) -> list[ListedFile]:
    """The files of jobs in the order of a listing; within a job as the host gave them."""
    return [
        ListedFile(job, number, file)
        for job in listing_order(jobs)
        for number, file in enumerate(job.files, 1)
    ]


def files_done(job: Job) -> str:
    """`2/3`: transferred files of all files."""
    return f"{job.files_transferred}/{job.files_total}"


def progress_amount(job: Job | JobFile) -> str:
    """`1.5 MiB of 3.0 GiB`, `?` while the total is unknown."""
    return f"{units.size(job.bytes_transferred)} of {units.size(job.bytes_total)}"


def amount_done(job: Job) -> str:
    """`1.5 MiB/3.0 GiB`, with `?` while the total is unknown: for a narrow column."""
    total = UNKNOWN if job.bytes_total is None else units.size(job.bytes_total)
    return f"{units.size(job.bytes_transferred)}/{total}"


def bar_fraction(job: Job) -> float | None:
    """How much of its bar a job fills: all of it when it is finished, also without a size."""
    return 1.0 if job.fraction is None and job.is_finished else job.fraction


def file_progress(file: JobFile) -> str:
    """The amount, and whether the file stands under its own name."""
    return progress_amount(file) + (", completed" if file.is_completed else "")


def file_percent(file: JobFile) -> str:
    """Progress of one file; `?` while its size is unknown, and for an empty one until completed."""
    if not file.bytes_total:
        return "100%" if file.is_completed else UNKNOWN
    return units.percent(file.bytes_transferred / file.bytes_total)


def host_state(host: HostStatus) -> str:
    """`connected`, `not connected` or `failed`."""
    if host.error is not None:
        return "failed"
    return "connected" if host.is_connected else "not connected"


def count_or_unknown(value: int | None) -> str:
    """A number, `?` for None."""
    return UNKNOWN if value is None else f"{value:,}"


def state_counts(jobs: Iterable[Job]) -> str:
    """`4 ERROR, 8 TRANSFERRED`, in the order of the states' numbers."""
    tally: dict[int, int] = {}
    names: dict[int, str] = {}
    for job in jobs:
        tally[job.state] = tally.get(job.state, 0) + 1
        names[job.state] = job.state.name
    return ", ".join(f"{tally[state]:,} {names[state]}" for state in sorted(tally))
