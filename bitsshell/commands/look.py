"""`jobs`, `show`, `files`, `explain`: verbs that only read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import click

from bitsshell.bits import (
    GetDetail,
    GetJob,
    JobList,
    JobState,
    canonical_job_id,
    explain,
    parse_code,
)
from bitsshell.bits import Job as BitsJob
from bitsshell.commands.declare import Call, verb
from bitsshell.commands.types import STATES, Job
from bitsshell.errors import UsageError
from bitsshell.fleet.references import Kind, Reference, parse_reference
from bitsshell.fleet.targets import Target
from bitsshell.render.order import listing_order
from bitsshell.results import Event, Notice, Outcome, View

PARTIAL = (
    "{host}: its queue cannot be enumerated (one job's owner no longer exists); "
    "these are the jobs known by id, there may be more"
)


@verb(
    "jobs",
    view=View.JOBS,
    examples=(
        "jobs",
        "jobs 'nightly*' --state error,transient-error",
        "jobs -H web01,web02 -o json",
    ),
)
@click.argument("jobs", nargs=-1, type=Job(), metavar="[JOB]...")
@click.option("--state", "states", type=STATES, metavar="STATE[,STATE]", help="only in these states")
def jobs(
    call: Call, jobs: tuple[Reference, ...], *, states: tuple[JobState, ...] | None
) -> Iterator[Event]:
    """List the jobs of the hosts, of all owners.

    The rows are numbered; until the next listing %3 or %1-4 stand for them.
    """
    targets = call.targets()
    if jobs:
        resolution = call.session.resolve(jobs, targets)
        answers = [
            *resolution.failed,
            *_by_host(targets, [job for _, job in resolution.found]),
        ]
    else:
        answers = []
        for outcome in call.session.look(targets):
            answers.append(outcome)
            if isinstance(outcome.value, JobList) and outcome.value.partial:
                yield Notice(PARTIAL.format(host=outcome.host))
    shown: list[BitsJob] = []
    for outcome in answers:
        if isinstance(outcome.value, JobList):
            kept = [job for job in outcome.value.jobs if states is None or job.state in states]
            shown.extend(kept)
            outcome = replace(outcome, value=replace(outcome.value, jobs=tuple(kept)))  # noqa: PLW2901
        yield outcome
    call.session.listing = tuple((job.host, job.id) for job in listing_order(shown))


def _by_host(targets: Sequence[Target], found: list[BitsJob]) -> Iterator[Outcome]:
    for target in targets:
        here = tuple(job for job in found if job.host == target.name)
        if here:
            yield Outcome(host=target.name, value=JobList(here))


@verb(
    "show",
    view=View.JOB,
    examples=("show nightly", "show 9D5C4B47 -o json", "show %2"),
)
@click.argument("jobs", nargs=-1, required=True, type=Job(), metavar="JOB...")
def show(call: Call, jobs: tuple[Reference, ...]) -> Iterator[Event]:
    """Show everything about jobs, with their files and what went wrong."""
    yield from _details(call, jobs)


@verb("files", view=View.FILES, examples=("files nightly", "files %1-3 -o csv"))
@click.argument("jobs", nargs=-1, required=True, type=Job(), metavar="JOB...")
def files(call: Call, jobs: tuple[Reference, ...]) -> Iterator[Event]:
    """List the files of jobs with their progress."""
    resolution = call.session.resolve(jobs, call.targets())
    yield from resolution.failed
    yield from call.session.send((target, GetJob(job.id)) for target, job in resolution.found)


@verb(
    "explain",
    view=View.EXPLAIN,
    examples=("explain nightly", "explain 0x80190194", "explain BG_E_MISSING_FILE_SIZE"),
)
@click.argument("what", nargs=-1, required=True, metavar="JOB|CODE...")
def explain_verb(call: Call, what: tuple[str, ...]) -> Iterator[Event]:
    """Explain a job's error, or an error code: symbol, meaning, what to do.

    Codes are accepted in hex, in decimal (also signed) and by symbol.
    """
    references: list[Reference] = []
    for text in what:
        code = None if canonical_job_id(text) else parse_code(text)
        if code is not None:
            yield Outcome(host="", value=explain(code))
        elif text.lower().startswith("0x"):
            raise UsageError(f"{text!r} is no code", hint="a code is 0x and eight hex digits")
        else:
            references.append(parse_reference(text))
    if references:
        yield from _details(call, tuple(references))


def _details(call: Call, references: tuple[Reference, ...]) -> Iterator[Event]:
    targets = call.targets()
    ids = [reference.job_id for reference in references if reference.kind is Kind.ID]
    if len(targets) == 1 and len(ids) == len(references):  # no listing is needed to find them
        details = [(targets[0], GetDetail(job_id)) for job_id in dict.fromkeys(ids) if job_id]
    else:
        resolution = call.session.resolve(references, targets)
        yield from resolution.failed
        details = [(target, GetDetail(job.id)) for target, job in resolution.found]
    yield from call.session.send(details)
