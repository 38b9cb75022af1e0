"""What changing verbs did, as lines that come one by one and as a table afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.bits import UrlGroup
from bitsshell.errors import shown
from bitsshell.render import units
from bitsshell.render.cells import progress_amount
from bitsshell.render.columns import Column, fitted_table
from bitsshell.render.paint import STATUS_SGR, painted
from bitsshell.render.text import (
    NOTHING,
    clip,
    clip_middle,
    display_width,
    folded_names,
    neutral,
    prose,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bitsshell.bits import Job
    from bitsshell.results import JobChange, Outcome

_SHORT_ID = 8
_NAME_CELLS = 40
_STATUS_CELLS = 10


def changes_lines(outcomes: Sequence[Outcome], *, width: int, colour: bool = False) -> list[str]:
    """What changing verbs did, one (host, job) a row."""
    columns: list[Column[Outcome]] = [
        Column("host", lambda done: neutral(done.host), least=8, comfort=16, cut=clip_middle),
        Column("job", changed_id),
        Column("name", changed_name, rank=1, least=8, comfort=24),
        Column("result", lambda done: done.status.value, sgr=lambda done: STATUS_SGR[done.status]),
        Column("state", _changed_state, rank=2),
        Column("priority", changed_priority, rank=3),
        Column("what", changed_what, rank=4, least=16, comfort=40),
    ]
    table = fitted_table(columns, outcomes, width, colour=colour)
    if table is not None:
        return table
    return [change_line(done, width=width, colour=colour) for done in outcomes]


def change_line(outcome: Outcome, *, width: int | None = None, colour: bool = False) -> str:
    """One outcome of a change as it comes; where `width` is too little, with the id's beginning.

    The job as it is now, where the host gave it: `done  srv01  8F3C…  nightly  QUEUED, high`; else
    what was to be done: `unknown  srv01  resume 'nightly' 8F3C… (SUSPENDED)`.
    """
    status = f"{outcome.status.value:<{_STATUS_CELLS}}"
    if outcome.status.is_well and outcome.jobs:
        (job, *_) = outcome.jobs
        name = clip(neutral(job.name) or NOTHING, _NAME_CELLS)
        after = f"{name}  {job.state.name}, {job.priority.name.lower()}"
        rest = f"  {neutral(outcome.host)}  {job.id}  {after}"
        if width is not None and display_width(status + rest) > width:
            rest = f"  {neutral(outcome.host)}  {job.id[:_SHORT_ID]}  {after}"
    else:
        what = prose(outcome.planned) if outcome.planned else _outcome_name(outcome)
        rest = f"  {neutral(outcome.host)}  {what}"
    return painted(status, STATUS_SGR[outcome.status], colour=colour) + rest.rstrip()


def job_change_line(change: JobChange) -> str:
    """One change of a watched job: `TRANSFERRING   45%  1.5 MiB of 3.0 MiB  srv01  nightly`."""
    job = change.after or change.before
    if job is None:
        return f"{'':<13}  {neutral(change.host)}  {neutral(change.job_id)}"
    state = job.state.name if change.after is not None else "gone"
    amount = f"{units.percent(job.fraction):>5}  {progress_amount(job)}"
    error = "" if change.error is None else f"  {change.error.explanation.title}"
    name = clip(neutral(job.name) or NOTHING, _NAME_CELLS)
    return f"{state:<13} {amount}  {neutral(job.host)}  {name}{error}"


def change_words(outcome: Outcome) -> str:
    """What an outcome says but for its host and id: equal for equal outcomes of many hosts."""
    if outcome.status.is_well and outcome.jobs:
        (job, *_) = outcome.jobs
        name = clip(neutral(job.name) or NOTHING, _NAME_CELLS)
        what = f"{name}  {job.state.name}, {job.priority.name.lower()}"
    else:
        what = prose(outcome.planned or NOTHING)
        if outcome.job_id and "://" not in outcome.job_id:
            what = what.replace(f" {outcome.job_id}", "")
    return f"{outcome.status.value:<10}  {what}"


def folded_change_lines(
    outcomes: Sequence[Outcome], *, width: int | None = None, colour: bool = False
) -> list[str]:
    """Outcomes of many hosts, equal ones once: `done  srv[06-40] (35)  nightly  QUEUED, high`."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(change_words(outcome), []).append(outcome)
    lines: list[str] = []
    for words, members in groups.items():
        if len(members) == 1:
            lines.append(change_line(members[0], width=width, colour=colour))
            continue
        hosts = list(dict.fromkeys(member.host for member in members))
        status = painted(words[:_STATUS_CELLS], STATUS_SGR[members[0].status], colour=colour)
        jobs = "" if len(members) == len(hosts) else f" {len(members):,} jobs"
        lines.append(f"{status}  {folded_names(hosts)}{jobs}{words[_STATUS_CELLS:]}")
    return lines


def _outcome_name(outcome: Outcome) -> str:
    name, job_id = changed_name(outcome), outcome.job_id or _first(outcome, lambda job: job.id)
    return " ".join(neutral(part) for part in (name, job_id) if part and part != NOTHING)


def changed_what(outcome: Outcome) -> str:
    """What was to be done, without the job's id and name, which stand in columns of their own."""
    text = outcome.planned or NOTHING
    if isinstance(outcome.value, UrlGroup):
        return prose(text)
    job_id = outcome.job_id or _first(outcome, lambda job: job.id)
    name = _first(outcome, lambda job: job.name)
    if name:
        text = text.replace(f" job {shown(name)}:", ":", 1)
    if job_id:
        for known in (f"{shown(name)} {job_id}", job_id) if name else (job_id,):
            for lead in (" of ", " to ", " "):
                text = text.replace(lead + known, "")
    return prose(text)


def changed_priority(outcome: Outcome) -> str:
    """The job's priority as it is now."""
    return _first(outcome, lambda job: job.priority.name.lower()) or NOTHING


def changed_id(outcome: Outcome) -> str:
    """The beginning of the job's id."""
    job_id = outcome.job_id or _first(outcome, lambda job: job.id)
    if job_id and "://" in job_id:  # a URL that was published
        return neutral(job_id)
    return neutral(job_id[:_SHORT_ID]) if job_id else NOTHING


def changed_name(outcome: Outcome) -> str:
    """The job's name as it is now."""
    return neutral(_first(outcome, lambda job: job.name) or NOTHING)


def _changed_state(outcome: Outcome) -> str:
    return _first(outcome, lambda job: job.state.name) or NOTHING


def _first(outcome: Outcome, read: Callable[[Job], str]) -> str | None:
    return read(outcome.jobs[0]) if outcome.jobs else None
