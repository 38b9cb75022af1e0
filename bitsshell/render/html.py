"""HTML for notebooks that survives the sanitiser of an untrusted one.

Only elements and attributes that JupyterLab keeps: tables, `<progress>`, inline styles. No scripts,
style blocks, ids, classes or links. Every text is neutralised, then escaped.
"""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bitsshell.bits import Explanation, Job, JobDetail
from bitsshell.render import units
from bitsshell.render.bars import sparkline_image
from bitsshell.render.cells import (
    count_or_unknown,
    file_percent,
    files_done,
    host_state,
    listed_files,
    state_counts,
)
from bitsshell.render.checks import checks_lines
from bitsshell.render.entries import entry_lines
from bitsshell.render.errors import explanation_pairs, folded_error_lines, job_error_lines
from bitsshell.render.fields import (
    FIELDS,
    HISTORY_COLUMNS,
    STARTED_COLUMNS,
    file_rows,
    host_rows,
    job_rows,
    rows_of,
    usual_url_columns,
)
from bitsshell.render.listings import jobs_footer, outcome_errors
from bitsshell.render.messages import counts_line, ending_line
from bitsshell.render.outcomes import changed_id, changed_priority, changed_what
from bitsshell.render.paint import STATE_HTML
from bitsshell.render.plans import planned_lines
from bitsshell.render.runs import condition_columns, run_lines
from bitsshell.render.text import NOTHING, clip, clip_middle, counted, folded_names, neutral, prose
from bitsshell.results import Check, ConditionResult, Entry, HostStatus, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitsshell.render.cells import ListedFile
    from bitsshell.results import Frame, Outcome, Report, WatchRow

ROW_LIMIT = 50
"""Rows that a notebook shows; the rest is counted (measured: more makes browsers slow)."""

_NAME_CELLS, _PATH_CELLS = 60, 80
_CELL = "padding:2px 8px;text-align:left;border:none"
_NUMBER = "padding:2px 8px;text-align:right;border:none"
_ERROR = "color:#c62828;margin:2px 0"
_NOT_MET = f"{_CELL};color:#c62828;font-weight:bold"
_CHECKS = "font-family:monospace;white-space:pre"
_CHECKS_CELLS = 100
_FAINT = "opacity:0.7;margin:2px 0"


def report_html(
    report: Report,
    *,
    limit: int = ROW_LIMIT,
    rates: Sequence[float | None] = (),
    as_of: datetime | None = None,
) -> str:
    """A whole report: plan or last frame or rows, then errors, notices and counts.

    `rates` are those of a watch over time, in bytes per second; `as_of` is said where it is given.
    """
    parts = [_report_body(report, limit, rates)]
    if report.planned is not None:
        parts.insert(0, _lines(planned_lines(report.planned), _FAINT))
    if report.conclusion is not None:
        parts.append(_lines(report.conclusion.lines, _FAINT))
    parts.append(_lines(folded_error_lines(outcome_errors(report.outcomes)), _ERROR))
    parts.append(_lines([prose(notice) for notice in report.notices], _FAINT))
    ending = ending_line(report.summary)
    is_counted = report.view in {View.CHANGES, View.WATCH} and report.planned is None
    if ending is None and is_counted:
        ending = counts_line(report.summary)
    if ending is not None:
        parts.append(_lines([ending], _FAINT))
    if as_of is not None:
        parts.append(_lines([f"as of {units.timestamp(as_of)}"], _FAINT))
    return f"<div>{''.join(parts)}</div>"


def _sparkline(rates: Sequence[float | None]) -> str:
    top = max(rate for rate in rates if rate is not None)
    said = f"up to {units.rate(top)}"
    image = f'<img src="{sparkline_image(rates)}" alt="rate over time, {_safe(said)}">'
    return f'<div style="{_FAINT}">{image} {_safe(said)}</div>'


def frame_html(frame: Frame, *, limit: int = ROW_LIMIT, rates: Sequence[float | None] = ()) -> str:
    """One frame of a watch, which says as of when it is and whether it is the last one.

    `rates` are those of all its jobs together over time, drawn where there are any.
    """
    rows = [_watch_row(row) for row in frame.rows[:limit]]
    head = f"{frame.phase}, as of {units.time_of_day(frame.as_of)}"
    parts = [
        f'<div style="font-weight:bold">{_safe(head)}, {counted(len(frame.rows), "job")}</div>',
        _sparkline(rates) if any(rates) else "",
        _table(["host", "name", "state", "", "done", "size", "rate", "left"], rows),
    ]
    rest = frame.rows[limit:]
    if rest:
        more = f"… {counted(len(rest), 'more job')}: {state_counts(row.job for row in rest)}"
        parts.append(_lines([more], _FAINT))
    if frame.unreachable:
        parts.append(_lines([f"not answering: {folded_names(frame.unreachable)}"], _ERROR))
    return f"<div>{''.join(parts)}</div>"


def _report_body(report: Report, limit: int, rates: Sequence[float | None]) -> str:
    if report.shape.columns:
        return _shaped(report, limit)
    match report.view:
        case View.JOBS:
            return _jobs(report, limit)
        case View.FILES:
            return _file_table(file_rows(report.jobs, report.shape, datetime.now(UTC)), limit)
        case View.HOSTS:
            hosts = host_rows(report.outcomes, report.shape, datetime.now(UTC))
            return _hosts(hosts, limit)
        case View.JOB | View.EXPLAIN:
            return _details(report, limit)
        case View.CHANGES:
            return _outcomes(report.outcomes, limit)
        case View.WATCH:
            frame = (
                ""
                if report.last_frame is None
                else frame_html(report.last_frame, limit=limit, rates=rates)
            )
            return frame + (_outcomes(report.outcomes, limit) if not frame else "")
        case View.CONDITIONS:
            return _conditions(report, limit)
        case View.HISTORY | View.STARTED:
            usual = HISTORY_COLUMNS if report.view is View.HISTORY else STARTED_COLUMNS
            return _shaped(replace(report, shape=replace(report.shape, columns=usual)), limit)
        case View.URL_GROUPS:
            rows = rows_of(report.view, report.outcomes, report.shape, datetime.now(UTC))
            shape = replace(report.shape, columns=usual_url_columns(rows))
            return _shaped(replace(report, shape=shape), limit)
        case View.RUN | View.DIFFERENCES | View.CHECKS | View.ENTRY | View.TEXT:
            return _lines(_text_lines(report, limit), _CHECKS)


def _text_lines(report: Report, limit: int) -> list[str]:
    """What is laid out as text in a notebook, too."""
    values = [outcome.value for outcome in report.outcomes]
    match report.view:
        case View.RUN | View.DIFFERENCES:
            return run_lines(report.outcomes, width=_CHECKS_CELLS)
        case View.CHECKS:
            checks = [value for value in values if isinstance(value, Check)]
            return checks_lines(checks, width=_CHECKS_CELLS)
        case View.ENTRY:
            entries = [value for value in values if isinstance(value, Entry)]
            return entry_lines(entries[:limit], width=_CHECKS_CELLS)
        case _:
            return []


def _conditions(report: Report, limit: int) -> str:
    every = [one.value for one in report.outcomes if isinstance(one.value, ConditionResult)]
    columns = condition_columns(every)
    rows = [
        [
            _td(column.cell(row), _CELL if row.is_met or column.title != "met" else _NOT_MET)
            for column in columns
        ]
        for row in every[:limit]
    ]
    return _limited([column.title for column in columns], rows, len(every))


def _shaped(report: Report, limit: int) -> str:
    """The columns that were asked for, of every row."""
    now = datetime.now(UTC)
    fields = [FIELDS[report.view][name] for name in report.shape.columns]
    every = rows_of(report.view, report.outcomes, report.shape, now)
    rows = [
        [
            _td(
                clip_middle(field.cell(row, now), _PATH_CELLS),
                _NUMBER if field.align == "right" else _CELL,
            )
            for field in fields
        ]
        for row in every[:limit]
    ]
    return _limited([field.name for field in fields], rows, len(every))


def _jobs(report: Report, limit: int) -> str:
    every = job_rows(report.jobs, report.shape, datetime.now(UTC))
    has_numbers = report.shape.is_numbered
    rows = [
        [
            *([_td(str(row.number), _NUMBER)] if has_numbers else []),
            _td(neutral(row.job.host)),
            _td(neutral(row.job.id), title=row.job.id),
            _name(row.job),
            _state(row.job),
            _progress(row.job),
            _td(units.size(row.job.bytes_total), _NUMBER),
            _td(files_done(row.job), _NUMBER),
            _td(row.job.priority.name.lower()),
            _td(units.timestamp(row.job.created_at)),
        ]
        for row in every[:limit]
    ]
    titles = ["host", "id", "name", "state", "done", "size", "files", "priority", "created"]
    if has_numbers:
        titles.insert(0, "#")
    return _limited(titles, rows, len(every)) + _lines([jobs_footer(report.outcomes)], _FAINT)


def _file_table(every: Sequence[ListedFile], limit: int) -> str:
    rows = [
        [
            _td(neutral(row.job.host)),
            _name(row.job),
            _td(clip_middle(neutral(row.file.url), _PATH_CELLS), title=row.file.url),
            _td(clip_middle(neutral(row.file.path), _PATH_CELLS), title=row.file.path),
            _td(file_percent(row.file), _NUMBER),
            _td(units.size(row.file.bytes_total), _NUMBER),
            _td("yes" if row.file.is_completed else "no"),
        ]
        for row in every[:limit]
    ]
    titles = ["host", "job", "url", "path", "done", "size", "completed"]
    return _limited(titles, rows, len(every))


def _hosts(hosts: Sequence[HostStatus], limit: int) -> str:
    rows = [
        [
            _td("*" if host.is_target else ""),
            _td(neutral(host.name)),
            _td(host_state(host)),
            _td(count_or_unknown(host.jobs), _NUMBER),
            _td(neutral(host.auth)),
            _td(neutral(host.user or NOTHING)),
            _td(neutral(host.endpoint)),
            _td(prose(host.product or NOTHING)),
        ]
        for host in hosts[:limit]
    ]
    titles = ["", "host", "state", "jobs", "auth", "user", "endpoint", "product"]
    return _limited(titles, rows, len(hosts))


def _details(report: Report, limit: int) -> str:
    parts: list[str] = []
    for item in report.items[:limit]:
        if isinstance(item, Explanation):
            rows = [[_td(name), _td(value)] for name, value in explanation_pairs(item)]
            parts.append(_table([], rows))
        elif isinstance(item, JobDetail):
            parts.append(_detail(item, in_full=report.view is View.JOB))
    return "".join(parts)


def _detail(detail: JobDetail, *, in_full: bool) -> str:
    job = detail.job
    name = _safe(clip(neutral(job.name), _NAME_CELLS)) or NOTHING
    head = f"<div><b>{name}</b> on {_safe(neutral(job.host))}</div>"
    pairs = [[_td("state"), _state(job)]]
    if in_full:
        pairs += [
            [_td("id"), _td(neutral(job.id))],
            [_td("progress"), _progress(job)],
            [_td("size"), _td(units.size(job.bytes_total))],
            [_td("files"), _td(files_done(job))],
            [_td("priority"), _td(job.priority.name.lower())],
            [_td("description"), _td(clip(neutral(job.description), 400) or NOTHING)],
            [_td("owner"), _td(neutral(job.owner or NOTHING))],
            [_td("created"), _td(units.timestamp(job.created_at))],
            [_td("modified"), _td(units.timestamp(job.modified_at))],
            [_td("transferred"), _td(units.timestamp(job.completed_at))],
        ]
    error = "" if detail.error is None else _lines(job_error_lines(detail.error), _ERROR)
    files = _file_table(listed_files([job]), ROW_LIMIT) if in_full and job.files else ""
    return head + _table([], pairs) + error + files


def _outcomes(outcomes: Sequence[Outcome], limit: int) -> str:
    rows = [
        [
            _td(neutral(outcome.host)),
            _td(changed_id(outcome), title=outcome.job_id),
            _name(outcome.jobs[0]) if outcome.jobs else _td(NOTHING),
            _td(outcome.status.value),
            _state(outcome.jobs[0]) if outcome.jobs else _td(NOTHING),
            _td(changed_priority(outcome)),
            _td(changed_what(outcome)),
            _td(_warning(outcome)),
        ]
        for outcome in outcomes[:limit]
    ]
    titles = ["host", "job", "name", "result", "state", "priority", "what", "warning"]
    return _limited(*_with_something(titles, rows), len(outcomes))


def _with_something(
    titles: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[list[str], list[list[str]]]:
    """The titles and rows without the columns in which no row has anything."""
    empty = {_td(""), _td(NOTHING)}
    kept = [at for at in range(len(titles)) if any(row[at] not in empty for row in rows)]
    return [titles[at] for at in kept], [[row[at] for at in kept] for row in rows]


def _warning(outcome: Outcome) -> str:
    known = outcome.warning_explained
    return "" if known is None else f"{known.title}. {prose(known.meaning)}"


def _watch_row(row: WatchRow) -> list[str]:
    job = row.job
    error = "" if row.error is None else f" {row.error.explanation.title}"
    return [
        _td(neutral(job.host)),
        _name(job),
        _state(job, error),
        _progress(job),
        _td(units.percent(job.fraction), _NUMBER),
        _td(units.size(job.bytes_total), _NUMBER),
        _td(units.rate(row.rate_bytes_s), _NUMBER),
        _td(units.time_left(row.time_left_s), _NUMBER),
    ]


def _name(job: Job) -> str:
    return _td(clip(neutral(job.name), _NAME_CELLS), title=job.name)


def _state(job: Job, more: str = "") -> str:
    colour = STATE_HTML.get(job.state)
    style = f"{_CELL};color:{colour};font-weight:bold" if colour else _CELL
    return _td(job.state.name + more, style)


def _progress(job: Job) -> str:
    if job.fraction is None:
        return _td(units.percent(None))
    value = f"{job.fraction * 100:.1f}"
    bar = f'<progress max="100" value="{value}" style="width:120px"></progress>'
    return f'<td style="{_CELL}" title="{units.percent(job.fraction)}">{bar}</td>'


def _limited(titles: Sequence[str], rows: Sequence[Sequence[str]], total: int) -> str:
    more = _lines([f"… {total - len(rows):,} more"], _FAINT) if total > len(rows) else ""
    return (_table(titles, rows) if rows else "") + more


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    heads = "".join(f'<th style="{_CELL}">{_safe(title)}</th>' for title in titles)
    head = f"<tr>{heads}</tr>" if heads else ""
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return f'<table style="border-collapse:collapse">{head}{body}</table>'


def _td(text: str, style: str = _CELL, *, title: str | None = None) -> str:
    """A cell of neutral text; a title has the whole of what was clipped."""
    whole = "" if title is None else neutral(title)
    hover = f' title="{_safe(clip(whole, 2400))}"' if title is not None and whole != text else ""
    return f'<td style="{style}"{hover}>{_safe(text)}</td>'


def _lines(lines: Sequence[str], style: str) -> str:
    return "".join(f'<div style="{style}">{_safe(line)}</div>' for line in lines)


def _safe(text: str) -> str:
    return html.escape(text, quote=True)
