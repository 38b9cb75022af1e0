"""A listing as a whole: the rows of all hosts in one table, and a line that counts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.bits import Explanation, JobDetail, JobList
from bitsshell.render.blocks import (
    details_lines,
    explanations_lines,
    vertical_files_lines,
    vertical_hosts_lines,
    vertical_jobs_lines,
)
from bitsshell.render.cells import listed_files, numbered, state_counts
from bitsshell.render.messages import partial_line
from bitsshell.render.paint import DIM, painted
from bitsshell.render.tables import files_lines, hosts_lines, jobs_lines
from bitsshell.render.text import counted
from bitsshell.results import HostStatus, Outcome, View, listing_order

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bitsshell.bits import Job
    from bitsshell.errors import BitsShellError


def listing_lines(
    view: View,
    outcomes: Sequence[Outcome],
    *,
    width: int,
    now: datetime,
    colour: bool = False,
    vertical: bool = False,
    limit: int | None = None,
) -> list[str]:
    """Everything the hosts gave under a view, errors aside, and the counts below it.

    With `limit`, only that many rows are shown and the rest is counted.
    """
    jobs = [job for outcome in outcomes for job in outcome.jobs]
    match view:
        case View.JOBS:
            rows = numbered(jobs)
            shown = rows[:limit]
            lines = (
                vertical_jobs_lines(shown, now=now, colour=colour)
                if vertical
                else jobs_lines(shown, width=width, now=now, colour=colour)
            )
            return _whole(
                lines if rows else [], len(rows) - len(shown), jobs_footer(outcomes), colour
            )
        case View.FILES:
            return _files(
                jobs, outcomes, width=width, colour=colour, vertical=vertical, limit=limit
            )
        case View.HOSTS:
            hosts = sorted(
                (one.value for one in outcomes if isinstance(one.value, HostStatus)),
                key=lambda host: host.name,
            )
            lines = (
                vertical_hosts_lines(hosts[:limit])
                if vertical
                else hosts_lines(hosts[:limit], width=width, colour=colour)
            )
            failed = _failed_words(outcomes, sum(host.error is not None for host in hosts))
            footer = counted(len(hosts), "host") + failed
            return _whole(
                lines if hosts else [], len(hosts[limit:]) if limit else 0, footer, colour
            )
        case View.JOB:
            return details_lines(_details(outcomes)[:limit], now=now, width=width, colour=colour)
        case View.EXPLAIN:
            items = [
                one.value for one in outcomes if isinstance(one.value, Explanation | JobDetail)
            ]
            return explanations_lines(items, width=width, colour=colour)
        case _:
            return []


def _files(
    jobs: Sequence[Job],
    outcomes: Sequence[Outcome],
    *,
    width: int,
    colour: bool,
    vertical: bool,
    limit: int | None,
) -> list[str]:
    rows = listed_files(jobs)
    shown = rows[:limit]
    if not rows:
        lines: list[str] = []
    elif vertical:
        lines = vertical_files_lines(shown)
    else:
        lines = files_lines(shown, width=width, colour=colour)
    footer = f"{counted(len(rows), 'file')} of {counted(len(jobs), 'job')}"
    return _whole(lines, len(rows) - len(shown), footer + _failed_words(outcomes), colour)


def _details(outcomes: Sequence[Outcome]) -> list[JobDetail]:
    details = {
        (one.value.job.host, one.value.job.id): one.value
        for one in outcomes
        if isinstance(one.value, JobDetail)
    }
    ordered = listing_order(detail.job for detail in details.values())
    return [details[job.host, job.id] for job in ordered]


def jobs_footer(outcomes: Sequence[Outcome]) -> str:
    """`12 jobs on 3 hosts: 4 ERROR, 8 TRANSFERRED; 1 host failed`."""
    jobs = [job for outcome in outcomes for job in outcome.jobs]
    answered = {outcome.host for outcome in outcomes if outcome.error is None}
    text = f"{counted(len(jobs), 'job')} on {counted(len(answered), 'host')}"
    if len(jobs) > 1:
        text += f": {state_counts(jobs)}"
    partial = [one.host for one in outcomes if isinstance(one.value, JobList) and one.value.partial]
    if partial:
        text += f"; {partial_line(partial)}"
    return text + _failed_words(outcomes)


def outcome_errors(outcomes: Sequence[Outcome]) -> list[BitsShellError]:
    """Every error in outcomes, those that hosts carry in their status included."""
    errors: list[BitsShellError] = []
    for outcome in outcomes:
        if outcome.error is not None:
            errors.append(outcome.error)
        elif isinstance(outcome.value, HostStatus) and outcome.value.error is not None:
            errors.append(outcome.value.error)
    return errors


def _failed_words(outcomes: Sequence[Outcome], more: int = 0) -> str:
    failed = len({outcome.host for outcome in outcomes if outcome.error is not None}) + more
    return f"; {counted(failed, 'host')} failed" if failed else ""


def _whole(lines: list[str], hidden: int, footer: str, colour: bool) -> list[str]:
    more = [f"… {hidden:,} more"] if hidden > 0 else []
    return [*lines, *more, painted(footer, DIM, colour=colour)]
