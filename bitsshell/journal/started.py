"""Which jobs were started and not finished, and which changes have no end, as entries tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.results.entries import Ended, Entry, Record, StartedJob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GONE = {"ACKNOWLEDGED", "CANCELLED"}
_NOTHING_DONE = {"failed", "not_sent"}
_DONE = {"done", "already"}

_Key = tuple[str, str]


def started_jobs(entries: Iterable[Entry]) -> tuple[StartedJob, ...]:
    """What is open after entries, which are taken and given oldest first.

    Jobs that were created and have neither been completed nor cancelled since, and changes of which
    no outcome was written: those of a process that is still at work, of one that was cut off, and
    those of which the host's answer was lost.
    """
    open_jobs: dict[_Key, StartedJob] = {}
    for entry in entries:
        if entry.is_what_if or entry.plan is None or not entry.is_change:
            continue
        outcomes = list(entry.outcomes)
        for step in entry.plan.get("steps", ()):
            outcome = _taken(outcomes, step)
            status = None if outcome is None else outcome["status"]
            if status in _NOTHING_DONE or (status is None and entry.ended is Ended.DECLINED):
                continue
            is_made = step.get("operation") == "CreateJob"
            if is_made:
                for job_id in step.get("replaces", ()):
                    open_jobs.pop((step["host"], job_id), None)
            if is_made or status not in _DONE:
                job = _job(entry, step, outcome, is_made=is_made)
                open_jobs.setdefault((job.host, job.job_id or job.reference or ""), job)
        for key in _left(entry):
            open_jobs.pop(key, None)
    return tuple(open_jobs.values())


def _taken(outcomes: list[Record], step: Record) -> Record | None:
    """The outcome of a step, which no other step gets: by reference or job, else by host."""
    here = [outcome for outcome in outcomes if outcome["host"] == step["host"]]
    reference, job_id = step.get("reference"), step.get("job_id")
    for outcome in here:
        if (reference and outcome.get("reference") == reference) or (
            job_id and outcome.get("job_id") == job_id
        ):
            return outcome
    if reference:
        for outcome in here:
            if not outcome.get("reference") and not outcome.get("job_id"):
                outcomes.remove(outcome)
                return outcome
    return None


def _job(entry: Entry, step: Record, outcome: Record | None, *, is_made: bool) -> StartedJob:
    is_sure = outcome is not None and outcome["status"] in _DONE
    if is_sure:
        what = "created"
    elif entry.ended is Ended.RUNNING:
        what = f"under way: {step['description']}"
    else:
        why = "cut off" if outcome is None else "no answer"
        what = f"{why}: {step['description']}"
    found = outcome or {}
    return StartedJob(
        entry=entry.number,
        at=entry.at,
        host=step["host"],
        job_id=found.get("job_id") or (None if is_made else step.get("job_id")),
        name=found.get("job_name") or step.get("job_name") or "",
        reference=step.get("reference") or found.get("reference"),
        what=what,
        is_sure=is_sure,
    )


def _left(entry: Entry) -> Iterator[_Key]:
    """The jobs that an entry says have left the queue, by id and by reference."""
    for outcome in entry.outcomes:
        if outcome.get("state") in _GONE and outcome["status"] in _DONE:
            for name in (outcome.get("job_id"), outcome.get("reference")):
                if name:
                    yield outcome["host"], name
