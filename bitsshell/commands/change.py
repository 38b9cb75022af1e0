"""`set`, `resume`, `suspend`, `complete`, `cancel`: verbs that change jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bitsshell.bits import (
    ChangeState,
    Effect,
    JobAction,
    JobProperty,
    Priority,
    SetProperty,
    is_already,
)
from bitsshell.bits.limits import MAX_DESCRIPTION, check_description, check_name
from bitsshell.commands.arguments import jobs_argument, some_jobs_argument
from bitsshell.commands.declare import Call, Change, verb
from bitsshell.commands.types import PRIORITY, STATES, Checked, Duration
from bitsshell.errors import UsageError
from bitsshell.fleet.references import parse_reference
from bitsshell.results import Outcome, Plan, Status, Step, View

if TYPE_CHECKING:
    from bitsshell.bits import Job as BitsJob
    from bitsshell.bits import JobState
    from bitsshell.fleet.references import Reference


@verb(
    "set",
    view=View.CHANGES,
    effect=Effect.CHANGE,
    examples=(
        "set nightly --priority foreground",
        "set 9D5C4B47 --name weekly --description 'moved to Sunday'",
        "set 'nightly*' --retry-delay 5m --yes",
    ),
)
@jobs_argument
@click.option("--priority", type=PRIORITY, help="foreground, high, normal, low")
@click.option("--name", type=Checked("name", check_name), help="another display name")
@click.option(
    "--description",
    type=Checked("description", lambda text: check_description(text, limit=MAX_DESCRIPTION)),
    help="another description",
)
@click.option("--retry-delay", type=Duration(), help="minimum time before BITS tries again")
@click.option("--no-progress-timeout", type=Duration(), help="time without progress until ERROR")
def set_verb(
    call: Call,
    jobs: tuple[Reference, ...],
    *,
    priority: Priority | None,
    name: str | None,
    description: str | None,
    retry_delay: float | None,
    no_progress_timeout: float | None,
) -> Change:
    """Change properties of jobs.

    A description that carries our reference keeps it.
    """
    wanted: list[tuple[JobProperty, str | int]] = []
    if priority is not None:
        wanted.append((JobProperty.PRIORITY, int(priority)))
    if name is not None:
        wanted.append((JobProperty.NAME, name))
    if description is not None:
        wanted.append((JobProperty.DESCRIPTION, description))
    if retry_delay is not None:
        wanted.append((JobProperty.RETRY_DELAY, round(retry_delay)))
    if no_progress_timeout is not None:
        wanted.append((JobProperty.NO_PROGRESS_TIMEOUT, round(no_progress_timeout)))
    if not wanted:
        raise UsageError(
            "nothing to set",
            hint="--priority, --name, --description, --retry-delay, --no-progress-timeout",
        )
    resolution = call.resolve(jobs)
    steps = tuple(
        Step(target.name, SetProperty(job.id, prop, value, job.reference, job.name))
        for target, job in resolution.found
        for prop, value in wanted
    )
    return Change(Plan("set", steps, resolution.failed))


_states_option = click.option(
    "--state",
    "states",
    type=STATES,
    metavar="STATE[,STATE]",
    help="only jobs in these states; without JOB all of them",
)


def _plan_action(
    call: Call,
    references: tuple[Reference, ...],
    states: tuple[JobState, ...] | None,
    action: JobAction,
) -> Change:
    """One SetJobState a job; jobs that are as wanted already are not touched.

    Raises UsageError when neither jobs nor states are named, or none is in such a state.
    """
    if not references and states is None:
        raise UsageError("JOB is missing", hint=f"{call.verb} JOB..., or all of a --state")
    resolution = call.resolve(references or (parse_reference("*"),))
    pairs = [
        (target, job) for target, job in resolution.found if states is None or job.state in states
    ]
    if states is not None and not pairs and not resolution.failed:
        names = " or ".join(state.name for state in states)
        raise UsageError(f"no such job is in {names}", hint="see what there is: jobs")
    steps: list[Step] = []
    found: list[Outcome] = list(resolution.failed)
    for target, job in pairs:
        if is_already(job, action):
            found.append(Outcome(host=target.name, status=Status.ALREADY, value=job, job_id=job.id))
            continue
        lost_bytes, lost_files = _loss(job, action)
        operation = ChangeState(
            job.id,
            action,
            planned_state=job.state,
            job_name=job.name,
            lost_bytes=lost_bytes,
            lost_files=lost_files,
        )
        steps.append(Step(target.name, operation))
    return Change(Plan(action.name.lower(), tuple(steps), tuple(found)))


def _loss(job: BitsJob, action: JobAction) -> tuple[int | None, int | None]:
    """Bytes and files that the action throws away.

    A cancelled job loses all that it fetched; a completed one what belongs to unfinished files.
    """
    if action is JobAction.CANCEL:
        return job.bytes_transferred, job.files_total
    if action is JobAction.COMPLETE and not job.is_finished:
        unfinished = [
            file
            for file in job.files
            if file.bytes_total is None or file.bytes_transferred < file.bytes_total
        ]
        is_known = len(job.files) == job.files_total
        lost = sum(file.bytes_transferred for file in unfinished) if is_known else None
        return lost, job.files_total - job.files_transferred
    return None, None


@verb(
    "resume",
    view=View.CHANGES,
    effect=Effect.CHANGE,
    examples=("resume nightly", "resume %errors --yes", "resume --state transient-error"),
)
@some_jobs_argument
@_states_option
def resume(
    call: Call, jobs: tuple[Reference, ...], *, states: tuple[JobState, ...] | None
) -> Change:
    """Resume jobs: suspended, failed, or waiting for their retry.

    A job in TRANSIENT_ERROR is tried again at once.
    """
    return _plan_action(call, jobs, states, JobAction.RESUME)


@verb(
    "suspend",
    view=View.CHANGES,
    effect=Effect.CHANGE,
    examples=("suspend nightly", "suspend '*' -H web01 --yes"),
)
@some_jobs_argument
@_states_option
def suspend(
    call: Call, jobs: tuple[Reference, ...], *, states: tuple[JobState, ...] | None
) -> Change:
    """Suspend jobs. Nothing of what was transferred is lost."""
    return _plan_action(call, jobs, states, JobAction.SUSPEND)


@verb(
    "complete",
    view=View.CHANGES,
    effect=Effect.DESTROY,
    examples=("complete nightly", "complete 'nightly*' --yes"),
)
@some_jobs_argument
@_states_option
def complete(
    call: Call, jobs: tuple[Reference, ...], *, states: tuple[JobState, ...] | None
) -> Change:
    """Complete jobs: files get their names, jobs leave the queue.

    Completing a job that is not TRANSFERRED keeps the files that are done and deletes the rest,
    so it asks first.
    """
    return _plan_action(call, jobs, states, JobAction.COMPLETE)


@verb(
    "cancel",
    view=View.CHANGES,
    effect=Effect.DESTROY,
    examples=("cancel nightly", "cancel %1-4 --yes", "cancel 'old*' --state error --what-if"),
)
@some_jobs_argument
@_states_option
def cancel(
    call: Call, jobs: tuple[Reference, ...], *, states: tuple[JobState, ...] | None
) -> Change:
    """Cancel jobs: temporary files are deleted, jobs leave the queue.

    It asks first, and says how much is lost.
    """
    return _plan_action(call, jobs, states, JobAction.CANCEL)
