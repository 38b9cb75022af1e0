"""Tables and blocks of each view, as lines that fit a width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.render import units
from bitsshell.render.blocks import (
    vertical_files_lines,
    vertical_hosts_lines,
    vertical_jobs_lines,
)
from bitsshell.render.cells import (
    count_or_unknown,
    file_percent,
    files_done,
    host_state,
)
from bitsshell.render.columns import Column, fitted_table
from bitsshell.render.paint import DIM, GREEN, RED, state_sgr
from bitsshell.render.text import NOTHING, clip_middle, neutral, prose

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bitsshell.bits import Job
    from bitsshell.render.cells import ListedFile, Numbered
    from bitsshell.results import HostStatus

_SHORT_IDS = (8, 13, 18)
"""Lengths at which a GUID may be cut: behind its first, second and third group."""


def short_id_length(jobs: Sequence[Job]) -> int:
    """How many characters of an id tell these jobs apart: 8 if they can, all 36 if they must."""
    ids = {job.id for job in jobs}
    for length in _SHORT_IDS:
        if len({job_id[:length] for job_id in ids}) == len(ids):
            return length
    return max(map(len, ids), default=_SHORT_IDS[0])


def jobs_lines(
    rows: Sequence[Numbered], *, width: int, now: datetime, colour: bool = False
) -> list[str]:
    """One job a row, as many columns as fit; vertical blocks when not even the least do."""
    jobs = [row.job for row in rows]
    columns = _job_columns(jobs, now)
    table = fitted_table(columns if _is_numbered(rows) else columns[1:], rows, width, colour=colour)
    return table if table is not None else vertical_jobs_lines(rows, now=now, colour=colour)


def _is_numbered(rows: Sequence[Numbered]) -> bool:
    return all(row.number for row in rows)


def _job_columns(jobs: Sequence[Job], now: datetime) -> list[Column[Numbered]]:
    length = short_id_length(jobs)
    columns: list[Column[Numbered]] = [Column("#", lambda row: str(row.number), align="right")]
    if len({job.host for job in jobs}) > 1:
        columns.append(
            Column("host", lambda row: neutral(row.job.host), least=8, comfort=12, cut=clip_middle)
        )
    return [
        *columns,
        Column(
            "id",
            lambda row: neutral(row.job.id[:length]),
            rank=1,
            wide=lambda row: neutral(row.job.id),
        ),
        Column("name", lambda row: neutral(row.job.name), least=8, comfort=20),
        Column("state", lambda row: row.job.state.name, sgr=lambda row: state_sgr(row.job.state)),
        Column("done", lambda row: units.percent(row.job.fraction), rank=2, align="right"),
        Column("size", lambda row: units.size(row.job.bytes_total), rank=3, align="right"),
        Column("files", lambda row: files_done(row.job), rank=5, align="right"),
        Column("priority", lambda row: row.job.priority.name.lower(), rank=6),
        Column("age", lambda row: units.age(row.job.created_at, now), rank=4, align="right"),
        Column("changed", lambda row: units.age(row.job.modified_at, now), rank=7, align="right"),
        Column("owner", lambda row: neutral(row.job.owner or NOTHING), rank=8, least=8, comfort=20),
    ]


def files_lines(rows: Sequence[ListedFile], *, width: int, colour: bool = False) -> list[str]:
    """One file a row, with its job where there are several."""
    columns: list[Column[ListedFile]] = []
    if len({row.job.host for row in rows}) > 1:
        columns.append(Column("host", lambda row: neutral(row.job.host), least=8, comfort=12))
    if len({(row.job.host, row.job.id) for row in rows}) > 1:
        columns.append(Column("job", lambda row: neutral(row.job.name), least=8, comfort=20))
    columns += [
        Column("#", lambda row: str(row.number), align="right"),
        Column("url", lambda row: neutral(row.file.url), rank=3, least=12, cut=clip_middle),
        Column("path", lambda row: neutral(row.file.path), least=12, cut=clip_middle),
        Column("done", lambda row: file_percent(row.file), align="right"),
        Column("size", lambda row: units.size(row.file.bytes_total), rank=1, align="right"),
        Column("completed", lambda row: "yes" if row.file.is_completed else "no", rank=2),
    ]
    table = fitted_table(columns, rows, width, colour=colour)
    return table if table is not None else vertical_files_lines(rows)


_HOST_COLUMNS: list[Column[HostStatus]] = [
    Column("", lambda host: "*" if host.is_target else "", sgr=lambda _: GREEN),
    Column("host", lambda host: neutral(host.name), least=8, comfort=20, cut=clip_middle),
    Column("state", lambda host: host_state(host), sgr=lambda host: _host_sgr(host)),
    Column("jobs", lambda host: count_or_unknown(host.jobs), rank=1, align="right"),
    Column("auth", lambda host: neutral(host.auth), rank=3),
    Column("user", lambda host: neutral(host.user or NOTHING), rank=2, least=8, comfort=20),
    Column(
        "endpoint",
        lambda host: neutral(host.endpoint),
        rank=4,
        least=16,
        comfort=36,
        cut=clip_middle,
    ),
]
_PRODUCT: Column[HostStatus] = Column(
    "product", lambda host: prose(host.product or NOTHING), rank=2, least=10, comfort=34
)


def hosts_lines(hosts: Sequence[HostStatus], *, width: int, colour: bool = False) -> list[str]:
    """One host a row; `*` marks the target set. The product is shown where a host was asked."""
    asked = any(host.product for host in hosts)
    columns = [*_HOST_COLUMNS, _PRODUCT] if asked else _HOST_COLUMNS
    table = fitted_table(columns, hosts, width, colour=colour)
    return table if table is not None else vertical_hosts_lines(hosts)


def _host_sgr(host: HostStatus) -> str:
    if host.error is not None:
        return RED
    return GREEN if host.is_connected else DIM
