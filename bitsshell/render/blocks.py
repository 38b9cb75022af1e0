"""Vertical forms: one thing a block, everything in full and nothing cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.bits import Explanation, Job, JobDetail
from bitsshell.render import units
from bitsshell.render.cells import (
    ListedFile,
    Numbered,
    count_or_unknown,
    file_progress,
    files_done,
    host_state,
    progress_amount,
)
from bitsshell.render.errors import explanation_pairs, job_error_lines
from bitsshell.render.grid import block_lines
from bitsshell.render.paint import BOLD, RED, painted, state_sgr
from bitsshell.render.text import NOTHING, UNKNOWN, neutral, prose, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bitsshell.results import HostStatus


def vertical_jobs_lines(
    rows: Sequence[Numbered], *, now: datetime, colour: bool = False
) -> list[str]:
    """One job a block, everything in full."""
    blocks = [
        [_heading(row.job, row.number or None, colour), *job_block(row.job, now=now, colour=colour)]
        for row in rows
    ]
    return _parted(blocks)


def details_lines(
    details: Sequence[JobDetail], *, now: datetime, width: int, colour: bool = False
) -> list[str]:
    """Jobs in full with what their errors mean, one a block."""
    blocks: list[list[str]] = []
    for detail in details:
        block = [_heading(detail.job, None, colour)]
        block.extend(job_block(detail.job, now=now, colour=colour, with_error=detail, width=width))
        blocks.append(block)
    return _parted(blocks)


def _heading(job: Job, number: int | None, colour: bool) -> str:
    mark = "" if number is None else f"#{number} "
    return painted(
        f"{mark}{neutral(job.name) or NOTHING} on {neutral(job.host)}", BOLD, colour=colour
    )


def job_block(
    job: Job,
    *,
    now: datetime,
    colour: bool = False,
    with_error: JobDetail | None = None,
    width: int = 80,
) -> list[str]:
    """Every property of a job, its error if one is given, and its files."""
    lines = [f"  {line}" for line in block_lines(_job_pairs(job, now, colour))]
    if with_error is not None and with_error.error is not None:
        what, *rest = job_error_lines(with_error.error, width)
        first, *more = wrapped(f"  error  {what}", width, "    ")
        lines.append(first.replace("error", painted("error", RED, colour=colour), 1))
        lines.extend(more)
        lines.extend(part for line in rest for part in wrapped(f"    {line}", width, "      "))
    for number, file in enumerate(job.files, 1):
        lines.append(f"  file {number}  {neutral(file.url)}")
        lines.append(f"    to {neutral(file.path)}")
        lines.append(f"    {file_progress(file)}")
    return lines


def _job_pairs(job: Job, now: datetime, colour: bool) -> list[tuple[str, str]]:
    done = f"{units.percent(job.fraction)}, {progress_amount(job)}"
    state = painted(job.state.name, state_sgr(job.state), colour=colour)
    return [
        ("id", neutral(job.id)),
        ("state", state),
        ("progress", done),
        ("files", f"{files_done(job)} transferred"),
        ("priority", job.priority.name.lower()),
        ("description", neutral(job.description) or NOTHING),
        ("reference", job.reference or NOTHING),
        ("owner", neutral(job.owner or NOTHING)),
        ("created", _moment(job.created_at, now)),
        ("modified", _moment(job.modified_at, now)),
        ("transferred", _moment(job.completed_at, now)),
        ("errors so far", str(job.error_count)),
        ("retry delay", _seconds(job.minimum_retry_delay_s)),
        ("no progress", _seconds(job.no_progress_timeout_s)),
    ]


def _moment(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return NOTHING
    return f"{units.timestamp(moment)} ({units.age(moment, now)} ago)"


def _seconds(period_s: int | None) -> str:
    return UNKNOWN if period_s is None else f"{period_s} s ({units.duration(period_s)})"


def vertical_files_lines(rows: Sequence[ListedFile]) -> list[str]:
    """One file a block."""
    blocks = [
        block_lines(
            [
                ("file", f"{row.number} of {neutral(row.job.name)} on {neutral(row.job.host)}"),
                ("url", neutral(row.file.url)),
                ("path", neutral(row.file.path)),
                ("progress", file_progress(row.file)),
            ]
        )
        for row in rows
    ]
    return _parted(blocks)


def vertical_hosts_lines(hosts: Sequence[HostStatus]) -> list[str]:
    """One host a block."""
    return _parted(
        [
            block_lines(
                [
                    ("host", neutral(host.name)),
                    ("target", "yes" if host.is_target else "no"),
                    ("state", host_state(host)),
                    ("endpoint", neutral(host.endpoint)),
                    ("auth", neutral(host.auth)),
                    ("user", neutral(host.user or NOTHING)),
                    ("product", prose(host.product or NOTHING)),
                    ("jobs", count_or_unknown(host.jobs)),
                ]
            )
            for host in hosts
        ]
    )


def explanations_lines(
    items: Sequence[Explanation | JobDetail], *, width: int, colour: bool = False
) -> list[str]:
    """Codes, and the errors of jobs, with what they mean and what to do."""
    blocks: list[list[str]] = []
    for item in items:
        if isinstance(item, Explanation):
            pairs = block_lines(explanation_pairs(item))
            blocks.append([part for line in pairs for part in wrapped(line, width, " " * 9)])
            continue
        state = painted(item.job.state.name, state_sgr(item.job.state), colour=colour)
        heading = f"{_heading(item.job, None, colour)}: {state}"
        said = ["no error"] if item.error is None else job_error_lines(item.error, width)
        parts = [part for line in said for part in wrapped(f"  {line}", width, "    ")]
        blocks.append([heading, *parts])
    return _parted(blocks)


def _parted(blocks: Iterable[list[str]]) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        if lines:
            lines.append("")
        lines.extend(block)
    return lines
