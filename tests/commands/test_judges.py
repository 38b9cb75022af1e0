"""What the live verbs decide about a job in each state, without a host or a clock."""

from __future__ import annotations

import itertools

import pytest

from bitsshell.bits import BG_S_PARTIAL_COMPLETE, Effect, Job, JobAction, JobState
from bitsshell.commands.judges import (
    ManagePolicy,
    OnError,
    OnTransferred,
    OnTransient,
    WaitJudge,
    WatchJudge,
    verified,
)
from bitsshell.results import Outcome, Status

SAMPLE = ManagePolicy(OnTransferred.COMPLETE, OnError.CANCEL, OnTransient.CANCEL)
"""What Microsoft's own sample does."""


def job(state: JobState, **more: object) -> Job:
    return Job(host="web01", id="J", name="nightly", state=state, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("policy", "state", "action", "ends", "failed"),
    [
        (ManagePolicy(), JobState.TRANSFERRED, JobAction.COMPLETE, True, False),
        (ManagePolicy(), JobState.ERROR, None, True, True),
        (ManagePolicy(), JobState.TRANSIENT_ERROR, None, False, False),
        (ManagePolicy(), JobState.SUSPENDED, None, False, False),
        (ManagePolicy(OnTransferred.KEEP), JobState.TRANSFERRED, None, True, False),
        (SAMPLE, JobState.TRANSFERRED, JobAction.COMPLETE, True, False),
        (SAMPLE, JobState.ERROR, JobAction.CANCEL, True, True),
        (SAMPLE, JobState.TRANSIENT_ERROR, JobAction.CANCEL, True, True),
        (ManagePolicy(on_error=OnError.RESUME), JobState.ERROR, JobAction.RESUME, False, False),
        (
            ManagePolicy(on_transient=OnTransient.RESUME),
            JobState.TRANSIENT_ERROR, JobAction.RESUME, False, False,
        ),
    ],
)  # fmt: skip
def test_a_policy_decides_this(
    policy: ManagePolicy, state: JobState, action: JobAction | None, ends: bool, failed: bool
) -> None:
    decision = policy.judge(job(state))
    assert (decision.action, decision.ends, decision.failed) == (action, ends, failed)


@pytest.mark.parametrize(
    "policy",
    [ManagePolicy(*each) for each in itertools.product(OnTransferred, OnError, OnTransient)],
)
def test_every_policy_leaves_a_job_alone_that_bits_works_on(policy: ManagePolicy) -> None:
    for state in (JobState.QUEUED, JobState.CONNECTING, JobState.TRANSFERRING, JobState.SUSPENDED):
        decision = policy.judge(job(state))
        assert (decision.action, decision.ends) == (None, False)


@pytest.mark.parametrize(
    ("policy", "effect"),
    [
        (ManagePolicy(), Effect.CHANGE),
        (SAMPLE, Effect.DESTROY),
        (ManagePolicy(on_error=OnError.CANCEL), Effect.DESTROY),
        (ManagePolicy(on_transient=OnTransient.CANCEL), Effect.DESTROY),
        (ManagePolicy(OnTransferred.KEEP), Effect.READ),
        (ManagePolicy(OnTransferred.KEEP, on_error=OnError.RESUME), Effect.CHANGE),
        (ManagePolicy(OnTransferred.KEEP, on_transient=OnTransient.RESUME), Effect.CHANGE),
    ],
)
def test_the_effect_of_a_policy_is_that_of_its_strongest_part(
    policy: ManagePolicy, effect: Effect
) -> None:
    assert policy.effect is effect


def test_a_watch_ends_a_job_that_bits_does_no_more_for() -> None:
    judge = WatchJudge()
    assert judge.judge(job(JobState.TRANSFERRED)).ends
    assert judge.judge(job(JobState.ERROR)).failed
    assert not judge.judge(job(JobState.TRANSIENT_ERROR)).ends
    assert judge.left(job(JobState.TRANSFERRED)).status is Status.DONE
    assert judge.left(job(JobState.TRANSFERRING)).status is Status.FAILED


def test_a_wait_ends_where_it_was_told_to() -> None:
    judge = WaitJudge(frozenset({JobState.TRANSFERRING, JobState.ACKNOWLEDGED}))
    assert judge.judge(job(JobState.TRANSFERRING)).ends
    assert not judge.judge(job(JobState.QUEUED)).ends
    assert judge.judge(job(JobState.ERROR)).failed
    assert judge.left(job(JobState.TRANSFERRED)).status is Status.DONE


def test_a_wait_for_error_is_well_at_error() -> None:
    decision = WaitJudge(frozenset({JobState.ERROR})).judge(job(JobState.ERROR))
    assert decision.ends
    assert not decision.failed


def test_a_wait_for_transferred_fails_when_the_job_leaves() -> None:
    outcome = WaitJudge(frozenset({JobState.TRANSFERRED})).left(job(JobState.TRANSFERRING))
    assert outcome.status is Status.FAILED


GOOD = {"bytes_total": 5, "bytes_transferred": 5, "files_total": 1, "files_transferred": 1}


def completed(
    warning: int | None = None, state: JobState = JobState.ACKNOWLEDGED, **changes: int
) -> Outcome:
    value = job(state, **{**GOOD, **changes})
    return Outcome(host="web01", value=value, job_id="J", warning=warning)


def test_a_whole_transfer_is_verified() -> None:
    outcome = completed()
    assert verified(outcome) is outcome


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (completed(BG_S_PARTIAL_COMPLETE), "only in part"),
        (completed(files_total=2), "1 of 2 files"),
        (completed(bytes_transferred=4), "4 of 5 bytes"),
        (completed(state=JobState.TRANSFERRED), "it is TRANSFERRED"),
    ],
)
def test_what_the_host_says_otherwise_fails_the_transfer(outcome: Outcome, said: str) -> None:
    checked = verified(outcome)
    assert checked.status is Status.FAILED
    assert said in str(checked.error)
