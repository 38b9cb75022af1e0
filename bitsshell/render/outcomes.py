"""What changing verbs did, as lines that come one by one and as a table afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.render.columns import Column, fitted_table
from bitsshell.render.paint import STATUS_SGR, painted
from bitsshell.render.text import NOTHING, clip, clip_middle, neutral, prose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bitsshell.bits import Job
    from bitsshell.results import Outcome

_SHORT_ID = 8
_NAME_CELLS = 40


def changes_lines(outcomes: Sequence[Outcome], *, width: int, colour: bool = False) -> list[str]:
    """What changing verbs did, one (host, job) a row."""
    columns: list[Column[Outcome]] = [
        Column("host", lambda done: neutral(done.host), least=8, comfort=16, cut=clip_middle),
        Column("job", _changed_id),
        Column("name", _changed_name, rank=1, least=8, comfort=24),
        Column("result", lambda done: done.status.value, sgr=lambda done: STATUS_SGR[done.status]),
        Column("state", _changed_state, rank=2),
        Column("what", lambda done: prose(done.planned or NOTHING), rank=3, least=16, comfort=40),
    ]
    table = fitted_table(columns, outcomes, width, colour=colour)
    return table if table is not None else [change_line(done, colour=colour) for done in outcomes]


def change_line(outcome: Outcome, *, colour: bool = False) -> str:
    """One outcome of a change as it comes.

    The job as it is now, where the host gave it: `done  srv01  8F3C…  nightly  QUEUED, high`; else
    what was to be done: `unknown  srv01  resume 'nightly' 8F3C… (SUSPENDED)`.
    """
    status = painted(f"{outcome.status.value:<10}", STATUS_SGR[outcome.status], colour=colour)
    if outcome.status.is_well and outcome.jobs:
        (job, *_) = outcome.jobs
        now = f"{job.state.name}, {job.priority.name.lower()}"
        what = "  ".join((job.id, clip(neutral(job.name) or NOTHING, _NAME_CELLS), now))
    else:
        what = prose(outcome.planned) if outcome.planned else _outcome_name(outcome)
    return f"{status}  {neutral(outcome.host)}  {what}".rstrip()


def _outcome_name(outcome: Outcome) -> str:
    name, job_id = _changed_name(outcome), outcome.job_id or _first(outcome, lambda job: job.id)
    return " ".join(neutral(part) for part in (name, job_id) if part and part != NOTHING)


def _changed_id(outcome: Outcome) -> str:
    job_id = outcome.job_id or _first(outcome, lambda job: job.id)
    return job_id[:_SHORT_ID] if job_id else NOTHING


def _changed_name(outcome: Outcome) -> str:
    return neutral(_first(outcome, lambda job: job.name) or NOTHING)


def _changed_state(outcome: Outcome) -> str:
    return _first(outcome, lambda job: job.state.name) or NOTHING


def _first(outcome: Outcome, read: Callable[[Job], str]) -> str | None:
    return read(outcome.jobs[0]) if outcome.jobs else None
