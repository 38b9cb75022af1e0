"""`jobs`, `show`, `files`, `explain`: verbs that only read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

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
from bitsshell.commands.arguments import jobs_argument, some_jobs_argument
from bitsshell.commands.declare import Call, verb
from bitsshell.commands.shape import Wanted, shaped
from bitsshell.commands.types import STATES, complete_job_or_code
from bitsshell.errors import UsageError, shown
from bitsshell.fleet.references import Kind, NoSuchJob, Reference, parse_reference
from bitsshell.render.cells import listed_files
from bitsshell.render.fields import ordered_jobs
from bitsshell.results import Event, Outcome, Shape, View
from bitsshell.session import NoTarget

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bitsshell.fleet.targets import Target


@verb(
    "jobs",
    view=View.JOBS,
    examples=(
        "jobs",
        "jobs 'nightly*' --state error,transient-error",
        "jobs --where 'size > 1G and not state = suspended' --sort -age",
        "jobs -H web01,web02 --cols host,name,done,size -o json",
    ),
)
@some_jobs_argument
@click.option(
    "--state", "states", type=STATES, metavar="STATE[,STATE]", help="only in these states"
)
@shaped(View.JOBS)
def jobs(
    call: Call,
    jobs: tuple[Reference, ...],
    *,
    states: tuple[JobState, ...] | None,
    where: Wanted,
    shape: Shape,
) -> Iterator[Event]:
    """List the jobs of the hosts, of all owners.

    The rows are numbered; until the next listing %3 or %1-4 stand for them.
    """
    now = call.session.clock.now()

    def is_wanted(job: BitsJob) -> bool:
        return (states is None or job.state in states) and where(job, now)

    targets = call.targets()
    answers = _matching(call, targets, jobs) if jobs else call.session.look(targets)
    listed: list[BitsJob] = []
    try:
        for outcome in answers:
            value = outcome.value
            if isinstance(value, JobList):
                value = replace(value, jobs=tuple(filter(is_wanted, value.jobs)))
            listed.extend(value.jobs if isinstance(value, JobList) else ())
            yield replace(outcome, value=value)
    finally:  # rows that were shown before Ctrl-C have numbers too
        call.session.listing = tuple((job.host, job.id) for job in ordered_jobs(listed, shape, now))


def _matching(
    call: Call, targets: Sequence[Target], references: Sequence[Reference]
) -> Iterable[Outcome]:
    resolution = call.resolve(references)
    by_host: dict[str, list[BitsJob]] = {target.name: [] for target in targets}
    for target, job in resolution.found:
        by_host[target.name].append(job)
    found = (Outcome(host=h, value=JobList(tuple(here))) for h, here in by_host.items() if here)
    return [*resolution.failed, *found]


@verb(
    "show",
    view=View.JOB,
    examples=("show nightly", "show 9D5C4B47 -o json", "show %2"),
)
@jobs_argument
def show(call: Call, jobs: tuple[Reference, ...]) -> Iterator[Event]:
    """Show everything about jobs, with their files and what went wrong."""
    yield from _details(call, jobs)


@verb(
    "files",
    view=View.FILES,
    examples=("files nightly", "files %1-3 -o csv", "files '*' --where 'done < 100%' --sort path"),
)
@jobs_argument
@shaped(View.FILES)
def files(
    call: Call, jobs: tuple[Reference, ...], *, where: Wanted, shape: Shape
) -> Iterator[Event]:
    """List the files of jobs with their progress."""
    del shape  # the renderer's matter
    now = call.session.clock.now()
    resolution = call.resolve(jobs)
    yield from resolution.failed
    work = ((target, GetJob(job.id)) for target, job in resolution.found)
    for outcome in call.session.send(work):
        value = outcome.value
        if where and isinstance(value, BitsJob):
            rows = listed_files((value,))
            value = replace(value, files=tuple(row.file for row in rows if where(row, now)))
        yield replace(outcome, value=value)


@verb(
    "explain",
    view=View.EXPLAIN,
    examples=("explain nightly", "explain 0x80190194", "explain BG_E_MISSING_FILE_SIZE"),
    takes_codes=True,
)
@click.argument(
    "what", nargs=-1, required=True, metavar="JOB|CODE...", shell_complete=complete_job_or_code
)
def explain_verb(call: Call, what: tuple[str, ...]) -> Iterator[Event]:
    """Explain a job's error, or an error code, and say what to do.

    Codes are accepted in hex, in decimal (also signed) and by symbol.
    """
    references: list[Reference] = []
    for text in what:
        code = None if canonical_job_id(text) else parse_code(text)
        if code is not None:
            yield Outcome(host="", value=explain(code))
        elif text.lower().startswith("0x"):
            raise UsageError(f"{shown(text)} is no code", hint="a code is 0x and eight hex digits")
        else:
            references.append(parse_reference(text))
    if not references:
        return
    try:
        yield from _details(call, tuple(references))
    except NoTarget as error:
        raise UsageError(
            f"no host to act on, and {shown(references[0].typed)} is no known code", hint=error.hint
        ) from error
    except NoSuchJob as error:
        if parse_reference(error.typed).kind is not Kind.NAME:
            raise
        raise UsageError(
            f"{shown(error.typed)} is neither a job on {error.where} nor a known code",
            hint=error.hint,
        ) from error


def _details(call: Call, references: tuple[Reference, ...]) -> Iterator[Event]:
    resolution = call.resolve(references)
    yield from resolution.failed
    yield from call.session.send((target, GetDetail(job.id)) for target, job in resolution.found)
