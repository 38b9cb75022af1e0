"""A listing as a whole: the rows of all hosts in one table, and a line that counts them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bitsshell.bits import Explanation, JobDetail, JobList
from bitsshell.render.blocks import (
    details_lines,
    explanations_lines,
    vertical_files_lines,
    vertical_hosts_lines,
    vertical_jobs_lines,
)
from bitsshell.render.cells import state_counts
from bitsshell.render.checks import checks_lines
from bitsshell.render.entries import entries_footer, entry_lines, started_footer
from bitsshell.render.fields import (
    HISTORY_COLUMNS,
    STARTED_COLUMNS,
    file_rows,
    host_rows,
    job_rows,
    rows_of,
    shaped_lines,
    usual_url_columns,
)
from bitsshell.render.messages import partial_line
from bitsshell.render.paint import DIM, painted
from bitsshell.render.runs import conditions_lines, run_lines
from bitsshell.render.tables import files_lines, hosts_lines, jobs_lines
from bitsshell.render.text import counted
from bitsshell.results import (
    USUAL,
    Check,
    ConditionResult,
    Entry,
    HostStatus,
    Outcome,
    Shape,
    View,
    listing_order,
)

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
    shape: Shape = USUAL,
) -> list[str]:
    """Everything the hosts gave under a view, errors aside, and the counts below it.

    With `limit`, only that many rows are shown and the rest is counted.
    """
    jobs = [job for outcome in outcomes for job in outcome.jobs]
    settings = _Settings(width, now, colour, vertical, limit, shape)
    match view:
        case View.JOBS:
            return _jobs(jobs, outcomes, settings)
        case View.FILES:
            return _files(jobs, outcomes, settings)
        case View.HOSTS:
            return _hosts(outcomes, settings)
        case View.JOB:
            return details_lines(_details(outcomes)[:limit], now=now, width=width, colour=colour)
        case View.EXPLAIN:
            items = [
                one.value for one in outcomes if isinstance(one.value, Explanation | JobDetail)
            ]
            return explanations_lines(items, width=width, colour=colour)
        case View.CONDITIONS:
            results = [one.value for one in outcomes if isinstance(one.value, ConditionResult)]
            return conditions_lines(results, width=width, colour=colour)
        case View.RUN | View.DIFFERENCES:
            return run_lines(outcomes, width=width, colour=colour)
        case View.CHECKS:
            checks = [one.value for one in outcomes if isinstance(one.value, Check)]
            return checks_lines(checks, width=width, colour=colour)
        case View.ENTRY:
            entries = [one.value for one in outcomes if isinstance(one.value, Entry)]
            return entry_lines(entries[:limit], width=width, colour=colour)
        case View.HISTORY | View.STARTED:
            return _journal_rows(view, outcomes, settings)
        case View.URL_GROUPS:
            return _url_groups(outcomes, settings)
        case _:
            return []


@dataclass(frozen=True, slots=True)
class _Settings:
    width: int
    now: datetime
    colour: bool
    vertical: bool
    limit: int | None
    shape: Shape

    def shaped(self, view: View, rows: Sequence[Any]) -> list[str]:
        return shaped_lines(
            view,
            rows,
            self.shape.columns,
            width=self.width,
            now=self.now,
            colour=self.colour,
            vertical=self.vertical,
        )


def _jobs(jobs: Sequence[Job], outcomes: Sequence[Outcome], how: _Settings) -> list[str]:
    rows = job_rows(jobs, how.shape, how.now)
    shown = rows[: how.limit]
    if not rows:
        lines: list[str] = []
    elif how.shape.columns:
        lines = how.shaped(View.JOBS, shown)
    elif how.vertical:
        lines = vertical_jobs_lines(shown, now=how.now, colour=how.colour)
    else:
        lines = jobs_lines(shown, width=how.width, now=how.now, colour=how.colour)
    return _whole(lines, len(rows) - len(shown), jobs_footer(outcomes), how.colour)


def _files(jobs: Sequence[Job], outcomes: Sequence[Outcome], how: _Settings) -> list[str]:
    rows = file_rows(jobs, how.shape, how.now)
    shown = rows[: how.limit]
    if not rows:
        lines: list[str] = []
    elif how.shape.columns:
        lines = how.shaped(View.FILES, shown)
    elif how.vertical:
        lines = vertical_files_lines(shown)
    else:
        lines = files_lines(shown, width=how.width, colour=how.colour)
    footer = f"{counted(len(rows), 'file')} of {counted(len(jobs), 'job')}"
    return _whole(lines, len(rows) - len(shown), footer + _failed_words(outcomes), how.colour)


def _hosts(outcomes: Sequence[Outcome], how: _Settings) -> list[str]:
    rows = host_rows(outcomes, how.shape, how.now)
    shown = rows[: how.limit]
    if not rows:
        lines: list[str] = []
    elif how.shape.columns:
        lines = how.shaped(View.HOSTS, shown)
    elif how.vertical:
        lines = vertical_hosts_lines(shown)
    else:
        lines = hosts_lines(shown, width=how.width, colour=how.colour)
    failed = _failed_words(outcomes, sum(host.error is not None for host in rows))
    return _whole(lines, len(rows) - len(shown), counted(len(rows), "host") + failed, how.colour)


def _url_groups(outcomes: Sequence[Outcome], how: _Settings) -> list[str]:
    rows = rows_of(View.URL_GROUPS, outcomes, how.shape, how.now)
    shown = rows[: how.limit]
    usual = usual_url_columns(rows)
    how = replace(how, shape=replace(how.shape, columns=how.shape.columns or usual))
    lines = how.shaped(View.URL_GROUPS, shown) if rows else []
    answered = len({outcome.host for outcome in outcomes if outcome.error is None})
    what = "URL" if any(row.url_suffix is not None for row in rows) else "URL group"
    footer = f"{counted(len(rows), what)} on {counted(answered, 'host')}"
    return _whole(lines, len(rows) - len(shown), footer + _failed_words(outcomes), how.colour)


def _journal_rows(view: View, outcomes: Sequence[Outcome], how: _Settings) -> list[str]:
    """Rows of the journal. The newest stand last, so that of too many the first are left out."""
    rows = rows_of(view, outcomes, how.shape, how.now)
    is_history = view is View.HISTORY
    footer = entries_footer(rows) if is_history else started_footer(rows)
    if not rows:
        return [painted(footer, DIM, colour=how.colour)]
    shown = rows if how.limit is None else rows[-how.limit :]
    usual = HISTORY_COLUMNS if is_history else STARTED_COLUMNS
    how = replace(how, shape=replace(how.shape, columns=how.shape.columns or usual))
    hidden = [f"… {len(rows) - len(shown):,} before"] if len(rows) > len(shown) else []
    return [*hidden, *how.shaped(view, shown), painted(footer, DIM, colour=how.colour)]


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
