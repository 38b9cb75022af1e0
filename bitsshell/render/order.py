"""The one order in which jobs are listed, which `%3` and the index column rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bitsshell.bits import Job


def listing_order(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """The jobs as a listing shows them: by host, then oldest first, then by name and id.

    The row numbered n (`%n`) is element n - 1.
    """
    return tuple(sorted(jobs, key=_key))


def _key(job: Job) -> tuple[str, int, str, str]:
    return (job.host, job.created_filetime, job.name, job.id)
