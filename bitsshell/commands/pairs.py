"""One outcome a job, where a plan takes several steps on it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from bitsshell.fleet.fanout import TimeLimit
from bitsshell.results import Outcome, Plan, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bitsshell.results import Pair


def folded(plan: Plan, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """The outcomes of a plan, those of one (host, job) that went well as one.

    It comes when the last step on the job has ended, with the job as it was read last. A step that
    failed is an outcome of its own and comes at once, so that what went wrong half-way is seen.
    """
    left = Counter((step.host, step.job_id) for step in plan.steps)
    held: dict[Pair, Outcome] = {}
    try:
        for outcome in outcomes:
            pair = (outcome.host, outcome.job_id)
            left[pair] -= 1
            if not outcome.status.is_well:
                yield outcome
            else:
                held[pair] = _joined(held[pair], outcome) if pair in held else outcome
            if left[pair] <= 0 and pair in held:
                yield held.pop(pair)
    except (KeyboardInterrupt, TimeLimit):
        yield from held.values()
        raise


def _joined(first: Outcome, then: Outcome) -> Outcome:
    is_already = first.status is then.status is Status.ALREADY
    return replace(
        then,
        status=Status.ALREADY if is_already else Status.DONE,
        value=then.value or first.value,
        warning=first.warning or then.warning,
        planned="; ".join(words for words in (first.planned, then.planned) if words) or None,
    )
