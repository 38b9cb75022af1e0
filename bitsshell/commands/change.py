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
from bitsshell.commands.declare import Call, Change, verb
from bitsshell.commands.types import PRIORITY, Checked, Duration, Job
from bitsshell.errors import UsageError
from bitsshell.results import Outcome, Plan, Status, Step, View

if TYPE_CHECKING:
    from bitsshell.fleet.references import Reference


_jobs_argument = click.argument("jobs", nargs=-1, required=True, type=Job(), metavar="JOB...")


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
@_jobs_argument
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


def _plan_action(call: Call, references: tuple[Reference, ...], action: JobAction) -> Change:
    """One SetJobState a job; jobs that are as wanted already are not touched."""
    resolution = call.resolve(references)
    steps: list[Step] = []
    found: list[Outcome] = list(resolution.failed)
    for target, job in resolution.found:
        if is_already(job, action):
            found.append(Outcome(host=target.name, status=Status.ALREADY, value=job, job_id=job.id))
            continue
        operation = ChangeState(job.id, action, planned_state=job.state, job_name=job.name)
        steps.append(Step(target.name, operation))
    return Change(Plan(action.name.lower(), tuple(steps), tuple(found)))


@verb(
    "resume",
    view=View.CHANGES,
    effect=Effect.CHANGE,
    examples=("resume nightly", "resume %errors --yes"),
)
@_jobs_argument
def resume(call: Call, jobs: tuple[Reference, ...]) -> Change:
    """Resume jobs: suspended, failed, or waiting for their retry.

    A job in TRANSIENT_ERROR is tried again at once.
    """
    return _plan_action(call, jobs, JobAction.RESUME)


@verb(
    "suspend",
    view=View.CHANGES,
    effect=Effect.CHANGE,
    examples=("suspend nightly", "suspend '*' -H web01 --yes"),
)
@_jobs_argument
def suspend(call: Call, jobs: tuple[Reference, ...]) -> Change:
    """Suspend jobs. Nothing of what was transferred is lost."""
    return _plan_action(call, jobs, JobAction.SUSPEND)


@verb(
    "complete",
    view=View.CHANGES,
    effect=Effect.DESTROY,
    examples=("complete nightly", "complete 'nightly*' --yes"),
)
@_jobs_argument
def complete(call: Call, jobs: tuple[Reference, ...]) -> Change:
    """Complete jobs: files get their names, jobs leave the queue.

    Completing a job that is not TRANSFERRED keeps the files that are done and deletes the rest,
    so it asks first.
    """
    return _plan_action(call, jobs, JobAction.COMPLETE)


@verb(
    "cancel",
    view=View.CHANGES,
    effect=Effect.DESTROY,
    examples=("cancel nightly", "cancel %1-4 --yes"),
)
@_jobs_argument
def cancel(call: Call, jobs: tuple[Reference, ...]) -> Change:
    """Cancel jobs: temporary files are deleted, jobs leave the queue.

    It asks first.
    """
    return _plan_action(call, jobs, JobAction.CANCEL)
