"""`watch`, `wait`, `manage`: verbs that stay with jobs for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bitsshell.bits import Effect, JobState
from bitsshell.commands.arguments import jobs_argument, some_jobs_argument
from bitsshell.commands.declare import Call, Change, verb
from bitsshell.commands.following import Follower, Judge
from bitsshell.commands.judges import (
    ManagePolicy,
    OnError,
    OnTransferred,
    OnTransient,
    WaitJudge,
    WatchJudge,
)
from bitsshell.commands.policy import INTERVAL, policy_options
from bitsshell.commands.types import STATES, Member
from bitsshell.render.text import counted
from bitsshell.results import Event, Frame, JobChange, Notice, Plan, View
from bitsshell.session import Resolution

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bitsshell.fleet.references import Reference


@verb(
    "watch",
    view=View.WATCH,
    examples=("watch", "watch nightly --interval 1", "watch 'nightly*' -o ndjson"),
)
@some_jobs_argument
@click.option("--interval", type=INTERVAL, default=2.0, help="between polls (2s)")
def watch(call: Call, jobs: tuple[Reference, ...], *, interval: float) -> Iterator[Event]:
    """Watch jobs: progress, rate and time left.

    On a terminal it takes the whole screen, where ? shows the keys; the last table stays. Elsewhere
    it writes one line of JSON for each change, with -o table a readable one. It ends when every
    named job is TRANSFERRED, in ERROR or gone; without a name it watches whole queues until Ctrl-C.
    """
    if not call.may_follow:
        yield Notice("what-if: nothing moves that could be watched")
    elif jobs:
        yield from _follow(call, call.resolve(jobs), WatchJudge(), interval)
    else:
        yield from Follower(call, call.targets(), None, WatchJudge(), interval_s=interval).run()


@verb(
    "wait",
    view=View.CHANGES,
    examples=("wait nightly", "wait nightly --until transferred,error --timeout 2h"),
)
@jobs_argument
@click.option(
    "--until", type=STATES, default="transferred", metavar="STATE[,STATE]", help="(transferred)"
)
@click.option("--interval", type=INTERVAL, default=5.0, help="between polls (5s)")
def wait(
    call: Call, jobs: tuple[Reference, ...], *, until: tuple[JobState, ...], interval: float
) -> Iterator[Event]:
    """Wait until jobs are in one of some states; silent until then.

    ERROR ends the wait as a failure, unless it is one of the states.
    """
    resolution = call.resolve(jobs)
    if not call.may_follow:
        yield from resolution.failed
        count = counted(len(resolution.found), "job")
        yield Notice(f"what-if: would wait until {count} is {WaitJudge(frozenset(until)).wanted}")
        return
    for event in _follow(call, resolution, WaitJudge(frozenset(until)), interval):
        if not isinstance(event, Frame | JobChange):
            yield event


@verb(
    "manage",
    view=View.WATCH,
    effect=Effect.CHANGE,
    examples=(
        "manage nightly",
        "manage nightly --on-transferred complete --interval 5 --timeout 2h",
        "manage nightly --on-error cancel --on-transient cancel --yes",
    ),
)
@jobs_argument
@click.option(
    "--on-transferred",
    type=Member(OnTransferred, "choice"),
    default="complete",
    help="at TRANSFERRED: complete (default), keep",
)
@policy_options
def manage(
    call: Call,
    jobs: tuple[Reference, ...],
    *,
    on_transferred: OnTransferred,
    on_error: OnError,
    on_transient: OnTransient,
    interval: float,
) -> Change:
    """Stay with jobs to their end and act on their state.

    TRANSIENT_ERROR is retried by BITS itself and is no failure. Microsoft's sample cancels such
    jobs: that is --on-error cancel --on-transient cancel.
    """
    policy = ManagePolicy(on_transferred, on_error, on_transient)
    resolution = call.resolve(jobs)
    plan = Plan(
        "manage",
        (),
        resolution.failed,
        policy.describe(),
        policy.effect,
        tuple((target.name, job.id) for target, job in resolution.found),
    )
    found = Resolution(resolution.found, ())
    return Change(plan, lambda: _follow(call, found, policy, interval))


def _follow(call: Call, resolution: Resolution, judge: Judge, interval_s: float) -> Iterator[Event]:
    yield from resolution.failed
    targets = [target for target, _ in resolution.found]
    jobs = [job for _, job in resolution.found]
    if jobs:
        yield from Follower(call, targets, jobs, judge, interval_s=interval_s).run()
