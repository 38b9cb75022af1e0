"""A whole report as text, and as JSON of a MIME type of our own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bitsshell.render import records
from bitsshell.render.errors import folded_error_lines
from bitsshell.render.frames import frame_lines
from bitsshell.render.listings import listing_lines, outcome_errors
from bitsshell.render.messages import counts_line, ending_line
from bitsshell.render.outcomes import changes_lines
from bitsshell.render.plans import planned_lines
from bitsshell.render.text import prose
from bitsshell.results import View

if TYPE_CHECKING:
    from bitsshell.results import Frame, Report

REPORT_MIME_TYPE = "application/vnd.bitsshell.report.v1+json"

ROW_LIMIT = 50
JSON_LIMIT_BYTES = 256 * 1024
"""A notebook file keeps what is displayed for ever, so its size is capped."""


def report_text(
    report: Report, width: int = 80, *, now: datetime | None = None, limit: int | None = ROW_LIMIT
) -> str:
    """What a report shows where only text can be shown. `now` is the present, for ages."""
    lines: list[str] = []
    if report.planned is not None:
        lines.extend(planned_lines(report.planned, width))
    if report.view is View.WATCH and report.last_frame is not None:
        lines.extend(frame_lines(report.last_frame, width=width, height=limit))
    elif report.view in {View.CHANGES, View.WATCH}:
        lines.extend(_changes(report, width, limit))
    elif any(outcome.error is None for outcome in report.outcomes):
        lines.extend(
            listing_lines(
                report.view,
                report.outcomes,
                width=width,
                now=now or datetime.now(UTC),
                limit=limit,
                shape=report.shape,
            )
        )
    if report.conclusion is not None:
        lines.extend(report.conclusion.lines)
    lines.extend(folded_error_lines(outcome_errors(report.outcomes), width))
    lines.extend(prose(notice) for notice in report.notices)
    ending = ending_line(report.summary)
    if ending is None and report.view is View.CHANGES and report.planned is None:
        ending = counts_line(report.summary)
    if ending is not None:
        lines.append(ending)
    return "\n".join(lines)


def frame_text(frame: Frame, width: int = 80, *, limit: int = ROW_LIMIT) -> str:
    """One frame of a watch as text."""
    return "\n".join(frame_lines(frame, width=width, height=limit))


def report_json(report: Report, *, limit_bytes: int = JSON_LIMIT_BYTES) -> dict[str, Any]:
    """A report for `REPORT_MIME_TYPE`. What does not fit is left out and counted in `left_out`.

    `items` are the records of the verb's view, `outcomes` how each (host, job) went.
    """
    found: list[records.Record] = []
    for outcome in report.outcomes:
        found.extend(records.outcome_records(outcome, report.view))
    items, items_left = _fitting(found, limit_bytes // 2)
    outcomes, outcomes_left = _fitting(
        [records.outcome_record(outcome) for outcome in report.outcomes], limit_bytes // 4
    )
    plan = None if report.plan is None else records.plan_records(report.plan)
    steps, steps_left = _fitting(plan or [], limit_bytes // 4)
    return {
        "verb": report.verb,
        "view": report.view.value,
        "ok": report.ok,
        "summary": records.summary_record(report.summary),
        "items": items,
        "outcomes": outcomes,
        "plan": None if plan is None else steps,
        "left_out": {"items": items_left, "outcomes": outcomes_left, "plan": steps_left},
    }


def _fitting(found: list[records.Record], limit_bytes: int) -> tuple[list[records.Record], int]:
    taken = 0
    for number, record in enumerate(found):
        taken += len(json.dumps(record)) + 2
        if taken > limit_bytes:
            return found[:number], len(found) - number
    return found, 0


def _changes(report: Report, width: int, limit: int | None) -> list[str]:
    well = [outcome for outcome in report.outcomes if outcome.error is None]
    if not well:
        return []
    shown = well[:limit]
    more = [f"… {len(well) - len(shown):,} more"] if len(well) > len(shown) else []
    return [*changes_lines(shown, width=width), *more]
