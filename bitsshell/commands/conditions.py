"""`check`: what must be so of jobs, read afresh, each condition with what was seen."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from bitsshell import run_context
from bitsshell.bits import Job as BitsJob
from bitsshell.bits import JobList
from bitsshell.commands.arguments import some_jobs_argument
from bitsshell.commands.declare import Call, verb
from bitsshell.commands.where import BadExpression, Predicate, parse_where, pieces, where_candidates
from bitsshell.errors import UsageError, shown
from bitsshell.fleet.references import NoSuchJob
from bitsshell.journal import EntryKind
from bitsshell.render.fields import FIELDS
from bitsshell.render.text import counted
from bitsshell.results import ConditionResult, Event, Outcome, Status, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from bitsshell.fleet.references import Reference

_FIELDS = FIELDS[View.JOBS]
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Condition:
    """One `--that`: as typed, as a function, and the fields that it speaks of."""

    text: str
    holds: Predicate
    fields: tuple[str, ...]

    def observed(self, job: BitsJob, now: datetime) -> str:
        """The values of those fields."""
        return ", ".join(f"{name} is {_FIELDS[name].cell(job, now)}" for name in self.fields)


class That(click.ParamType[Condition]):
    """A condition in the language of `--where`."""

    name = "condition"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Condition:
        """The condition. Raises UsageError."""
        if isinstance(value, Condition):
            return value
        try:
            holds = parse_where(str(value), _FIELDS)
        except BadExpression as error:
            hint = error.hint.replace("--where", "--that") if error.hint else None
            raise UsageError(error.message.replace("--where", "--that"), hint=hint) from error
        named = [p.value.lower() for p in pieces(str(value)) if p.kind == "word"]
        fields = dict.fromkeys(name for name in named if name in _FIELDS)
        return Condition(str(value), holds, tuple(fields))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Fields, operators, states and the words between comparisons."""
        found = where_candidates(incomplete, _FIELDS)
        return [click.shell_completion.CompletionItem(text) for text in found]


@dataclass(frozen=True, slots=True)
class Amount:
    """How many jobs there must be: as typed, and as a function of a number."""

    text: str
    holds: Callable[[int], bool]


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Count(click.ParamType[Amount]):
    """A number of jobs: 3, >=1, <5."""

    name = "count"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Amount:
        """The amount. Raises UsageError."""
        if isinstance(value, Amount):
            return value
        found = re.fullmatch(r"\s*(!=|==|<=|>=|[=<>]?)\s*(\d{1,9})\s*", str(value), re.ASCII)
        if found is None:
            raise UsageError(
                f"--count {shown(str(value))} is no number of jobs", hint="write 3, '>=1' or '<5'"
            )
        compare, number = _COMPARE[found[1]], int(found[2])
        return Amount(str(value).strip(), lambda count: compare(count, number))


@verb(
    "check",
    view=View.CONDITIONS,
    examples=(
        "check nightly --that 'state = transferred'",
        "check 'pkg*' --that 'state = transferred' --that 'size > 0'",
        "check --that 'state = error' --none",
        "check 'pkg*' --count 1",
    ),
)
@some_jobs_argument
@click.option(
    "--that",
    "conditions",
    type=That(),
    multiple=True,
    metavar="EXPR",
    help="what must be so of each job (repeatable), as in --where of jobs",
)
@click.option("--none", is_flag=True, help="there must be no such job on any host")
@click.option(
    "--count", type=Count(), metavar="NUMBER", help="so many there must be on each host: 3, '>=1'"
)
def check(
    call: Call,
    jobs: tuple[Reference, ...],
    *,
    conditions: tuple[Condition, ...],
    none: bool,
    count: Amount | None,
) -> Iterator[Event]:
    """Check what must be so of jobs, with exit code 4 where it is not.

    The jobs are read afresh. Every condition is looked at on every job before anything is said of
    the first that does not hold. With --none or --count the conditions say which jobs are counted;
    without a JOB all of them are looked at.
    """
    if none and count is not None:
        raise UsageError("--none and --count exclude each other", hint="--none is --count 0")
    amount = Amount("none", lambda number: number == 0) if none else count
    if amount is None and not conditions:
        raise UsageError(
            "there is nothing to check", hint="say what must be so: --that 'state = transferred'"
        )
    if call.entry is not None:
        call.entry.kind = EntryKind.CHECK
    results = (
        _of_each(call, jobs, conditions)
        if amount is None
        else _counted(call, jobs, conditions, amount)
    )
    seen: list[ConditionResult] = []
    for outcome in results:
        if isinstance(outcome.value, ConditionResult):
            seen.append(outcome.value)
        yield outcome
    for result in seen:
        run_context.tell("check", **_fact(result))
    if call.entry is not None:
        call.entry.data = {"checks": [_fact(result) for result in seen]}


def _fact(result: ConditionResult) -> dict[str, Any]:
    return {
        "label": result.condition,
        "is_met": result.is_met,
        "observed": result.observed,
        "host": result.host,
        "job_id": result.job_id,
        "job_name": result.job_name,
    }


def _found(
    call: Call, references: Sequence[Reference]
) -> tuple[dict[str, list[BitsJob]], list[Outcome]]:
    """The jobs by host, every host that answered among them, and what failed."""
    targets = call.targets()
    by_host: dict[str, list[BitsJob]] = {target.name: [] for target in targets}
    if references:
        resolution = call.resolve(references)
        failed = list(resolution.failed)
        for target, job in resolution.found:
            by_host[target.name].append(job)
    else:
        answers = call.look(targets)
        failed = [outcome for outcome in answers if not isinstance(outcome.value, JobList)]
        for outcome in answers:
            if isinstance(outcome.value, JobList):
                by_host[outcome.host].extend(outcome.value.jobs)
    silent = {outcome.host for outcome in failed}
    return {host: jobs for host, jobs in by_host.items() if host not in silent or jobs}, failed


def _of_each(
    call: Call, references: Sequence[Reference], conditions: Sequence[Condition]
) -> Iterator[Outcome]:
    by_host, failed = _found(call, references)
    yield from failed
    now = call.session.clock.now()
    jobs = [job for here in by_host.values() for job in here]
    if not jobs and not failed:
        raise UsageError(
            "there is no job to check", hint="that none is there is checked with --none"
        )
    for job in jobs:
        for condition in conditions:
            yield _outcome(
                ConditionResult(
                    host=job.host,
                    condition=condition.text,
                    is_met=condition.holds(job, now),
                    observed=condition.observed(job, now),
                    job_id=job.id,
                    job_name=job.name,
                )
            )


def _counted(
    call: Call,
    references: Sequence[Reference],
    conditions: Sequence[Condition],
    amount: Amount,
) -> Iterator[Outcome]:
    try:
        by_host, failed = _found(call, references)
    except NoSuchJob:  # which is what is asked here
        by_host, failed = {target.name: [] for target in call.targets()}, []
    yield from failed
    now = call.session.clock.now()
    said = " and ".join(condition.text for condition in conditions)
    which = f"{amount.text} of {' '.join(one.typed for one in references) or 'all jobs'}"
    for host, jobs in by_host.items():
        these = [job for job in jobs if all(one.holds(job, now) for one in conditions)]
        yield _outcome(
            ConditionResult(
                host=host,
                condition=f"{which} with {said}" if said else which,
                is_met=amount.holds(len(these)),
                observed=_names(these),
            )
        )


def _names(jobs: Iterable[BitsJob]) -> str:
    names = [shown(job.name) for job in jobs]
    more = f", ... {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    text = counted(len(names), "job")
    return f"{text}: {', '.join(names[:_MOST_NAMES])}{more}" if names else text


def _outcome(result: ConditionResult) -> Outcome:
    status = Status.DONE if result.is_met else Status.FAILED
    return Outcome(host=result.host, value=result, status=status, job_id=result.job_id)
