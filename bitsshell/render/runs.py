"""Steps of a run as they end, conditions of jobs, differences between pieces of evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.render.columns import Column, fitted_table
from bitsshell.render.paint import BOLD, CYAN, DIM, GREEN, RED, YELLOW, painted
from bitsshell.render.text import NOTHING, clip, clip_middle, counted, neutral, pad, prose, wrapped
from bitsshell.render.units import elapsed
from bitsshell.results import Difference, StepRun, StepStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitsshell.results import ConditionResult, Outcome, Running

_SGR = {
    StepStatus.RUNNING: CYAN,
    StepStatus.OK: GREEN,
    StepStatus.FAILED: f"{BOLD};{RED}",
    StepStatus.TIMED_OUT: f"{BOLD};{RED}",
    StepStatus.INTERRUPTED: f"{BOLD};{YELLOW}",
    StepStatus.SKIPPED: DIM,
    StepStatus.NOT_RUN: DIM,
    StepStatus.WHAT_IF: CYAN,
}
_STATUS_CELLS = max(len(status) for status in StepStatus)
_TIME_CELLS = 7


def step_line(step: StepRun, width: int, *, colour: bool) -> str:
    """` 3/9  ok           0.8 s  Create the job`, with its note behind it."""
    digits = len(str(step.total))
    place = f"{step.number:>{digits}}/{step.total}" if step.number else " " * (2 * digits + 1)
    took = elapsed(step.elapsed_s) if step.status.has_run else ""
    front = f"{place}  {pad(step.status.value, _STATUS_CELLS)}  {pad(took, _TIME_CELLS, 'right')}"
    note = f"  ({prose(step.note)})" if step.note else ""
    room = max(20, width - len(front) - 2)
    text = clip(f"{neutral(step.title)}{note}", room)
    status = painted(pad(step.status.value, _STATUS_CELLS), _SGR[step.status], colour=colour)
    return f"{place}  {status}  {pad(took, _TIME_CELLS, 'right')}  {text}".rstrip()


def step_error_lines(step: StepRun, width: int, *, colour: bool) -> list[str]:
    """What a step showed last and what it raised, under its line; nothing of one that went well."""
    if not step.error:
        return []
    indent = " " * 6
    room = max(20, width - len(indent))
    lines = [f"{indent}{clip(neutral(line), room)}" for line in step.shown]
    sgr = DIM if step.status is StepStatus.WHAT_IF else RED
    parts = [part for line in step.error for part in wrapped(neutral(line), room, "  ")]
    return [*lines, *(f"{indent}{painted(part, sgr, colour=colour)}" for part in parts)]


def running_line(running: Running, width: int, *, colour: bool) -> str:
    """The step that is under way, narrower than the terminal, so that it can be redrawn."""
    return step_line(running.step, width - 1, colour=colour)


_CONDITION_COLUMNS: tuple[Column[ConditionResult], ...] = (
    Column("host", lambda row: neutral(row.host) or NOTHING, least=8, cut=clip_middle),
    Column("job", lambda row: neutral(row.job_name or "") or NOTHING, least=8),
    Column("condition", lambda row: neutral(row.condition), least=16, comfort=50),
    Column(
        "met",
        lambda row: "yes" if row.is_met else "NO",
        sgr=lambda row: GREEN if row.is_met else f"{BOLD};{RED}",
    ),
    Column("observed", lambda row: prose(row.observed) or NOTHING, least=12, comfort=40),
)


def condition_columns(
    results: Sequence[ConditionResult],
) -> tuple[Column[ConditionResult], ...]:
    """The columns that say anything of these."""
    return tuple(
        column
        for column in _CONDITION_COLUMNS
        if column.title not in {"host", "job"}
        or any(column.cell(result) != NOTHING for result in results)
    )


def conditions_lines(
    results: Sequence[ConditionResult], *, width: int, colour: bool = False
) -> list[str]:
    """A table of conditions, and how many are met below it."""
    if not results:
        return []
    unmet = sum(not result.is_met for result in results)
    count = counted(len(results), "check")
    footer = f"{count}: {unmet} not met" if unmet else f"{count}, all met"
    table = fitted_table(condition_columns(results), results, width, colour=colour)
    if table is None:  # no table is that narrow
        table = [f"{'yes' if r.is_met else 'NO'}  {neutral(r.condition)}" for r in results]
    return [*table, painted(footer, DIM, colour=colour)]


def difference_lines(found: Difference, width: int, *, colour: bool) -> list[str]:
    """One difference: where and what, then both sides."""
    sgr = f"{BOLD};{YELLOW}" if found.counts else DIM
    kind = painted(found.kind.value, sgr, colour=colour)
    lines = [f"{kind}  {neutral(found.where)}: {prose(found.what)}"]
    for sign, text in (("-", found.first), ("+", found.second)):
        if text is not None:
            lines.append(clip(f"  {sign} {neutral(text)}", width))
    return lines


def run_lines(outcomes: Sequence[Outcome], *, width: int, colour: bool = False) -> list[str]:
    """The steps of a whole run, or all differences."""
    lines: list[str] = []
    for outcome in outcomes:
        match outcome.value:
            case StepRun() as step:
                lines.append(step_line(step, width, colour=colour))
                lines.extend(step_error_lines(step, width, colour=colour))
            case Difference() as found:
                lines.extend(difference_lines(found, width, colour=colour))
            case _:
                pass
    return lines
