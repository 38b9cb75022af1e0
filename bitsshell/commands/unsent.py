"""What is said of a change that ended before anything of it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.commands.outcomes import NotAgreed
from bitsshell.fleet.fanout import Interrupted, OutOfTime, TimeLimit
from bitsshell.results import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bitsshell.commands.declare import Call
    from bitsshell.results import Plan


def never_planned(call: Call, ending: BaseException) -> list[Outcome]:
    """For each host that had answered, or was never asked, when its change was still being planned.

    The others say themselves, in `call.unread`, why they were not read.
    """
    cut_off = OutOfTime if isinstance(ending, TimeLimit) else Interrupted
    said = {outcome.host for outcome in call.unread}
    return [
        Outcome(
            host=target.name,
            status=Status.NOT_SENT,
            error=cut_off(host=target.name, is_change=True, was_sent=False),
        )
        for target in call.chosen
        if target.name not in said
    ]


def not_agreed(plan: Plan) -> Iterator[Outcome]:
    """For each job of a plan that nobody agreed to."""
    for host, job_id in plan.pairs:
        error = NotAgreed(host=host, job=job_id)
        yield Outcome(host=host, status=Status.NOT_SENT, error=error, job_id=job_id)
