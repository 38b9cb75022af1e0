"""Outcomes, plans, events and reports: plain data that travels."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bitsshell.bits import (
    AddFile,
    ChangeState,
    CodeError,
    CreateJob,
    Effect,
    ErrorContext,
    Explanation,
    FileSpec,
    GetJob,
    HostIdentity,
    Job,
    JobAction,
    JobDetail,
    JobError,
    JobFile,
    JobList,
    JobProperty,
    JobState,
    Operation,
    SetProperty,
)
from bitsshell.results import (
    Begin,
    Ending,
    Event,
    Frame,
    HostStatus,
    JobChange,
    Notice,
    Outcome,
    Plan,
    Planned,
    Report,
    Status,
    Step,
    Summary,
    Text,
    View,
    WatchRow,
)

ID = "9D5C4B47-E79E-4090-BC3B-552578D0EC8C"
OLD = "11111111-1111-4111-8111-111111111111"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(host="a", id=ID, name="n", files=(JobFile("http://f/a", r"C:\a", 1),))
ODD = Job(host="a", id=OLD, state=JobState(42))
ERROR = JobError(host="a", job_id=ID, code=5, context=ErrorContext(77))
CREATE = CreateJob(name="n", files=(FileSpec("http://f/a", r"C:\a"),), reference="0123456789")
CANCEL = ChangeState(ID, JobAction.CANCEL, JobState.ERROR, "n")
RESUME = ChangeState(ID, JobAction.RESUME)
VALUES: list[Any] = [
    None,
    JOB,
    ODD,
    JobList((JOB, ODD), partial=True),
    JobDetail(JOB, ERROR),
    ERROR,
    HostIdentity("OS: 10"),
    HostStatus(name="a", endpoint="http://a", auth="ntlm"),
    Explanation(5, "A", "b", "c"),
]
FAILED = Outcome(host="b", status=Status.FAILED, error=CodeError("resume", 5, host="b", job=ID))


def plan(*operations: Operation, host: str = "a", **options: Any) -> Plan:
    return Plan("verb", tuple(Step(host, operation) for operation in operations), **options)


# Outcomes


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("status", list(Status))
def test_every_outcome_survives_pickling(value: Any, status: Status) -> None:
    outcome = Outcome(host="a", status=status, value=value, job_id=ID, warning=1, planned="x")
    assert pickle.loads(pickle.dumps(outcome)) == outcome
    assert hash(pickle.loads(pickle.dumps(outcome))) == hash(outcome)


def test_an_outcome_with_an_error_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(FAILED)) == FAILED


@pytest.mark.parametrize(
    ("value", "jobs"),
    [
        (JOB, (JOB,)),
        (JobList((JOB, ODD)), (JOB, ODD)),
        (JobDetail(JOB), (JOB,)),
        (ERROR, ()),
        (None, ()),
    ],
)
def test_the_jobs_of_an_outcome_whatever_its_form(value: Any, jobs: tuple[Job, ...]) -> None:
    assert Outcome(host="a", value=value).jobs == jobs


def test_what_nobody_needs_to_look_at_again() -> None:
    assert [status.name for status in Status if status.is_well] == ["DONE", "ALREADY", "PLANNED"]


def test_a_warning_is_explained() -> None:
    explained = Outcome(host="a", warning=0x00200017).warning_explained
    assert explained is not None
    assert explained.symbol == "BG_S_PARTIAL_COMPLETE"
    assert Outcome(host="a").warning_explained is None


# Plans


@pytest.mark.parametrize(
    ("made", "effect", "size", "asks"),
    [
        (plan(), Effect.READ, 0, False),
        (plan(GetJob(ID)), Effect.READ, 1, False),
        (plan(GetJob(ID), GetJob(OLD)), Effect.READ, 2, False),
        (plan(RESUME), Effect.CHANGE, 1, False),
        (plan(RESUME, ChangeState(OLD, JobAction.RESUME)), Effect.CHANGE, 2, True),
        (plan(CANCEL), Effect.DESTROY, 1, True),
        (plan(CREATE), Effect.CHANGE, 1, False),
        (plan(CREATE, CREATE), Effect.CHANGE, 2, True),
        (plan(replace(CREATE, replaces=(ID, OLD))), Effect.DESTROY, 3, True),
        (plan(RESUME, CANCEL), Effect.DESTROY, 1, True),
        (
            plan(
                SetProperty(ID, JobProperty.PRIORITY, 0),
                SetProperty(ID, JobProperty.NAME, "x"),
                AddFile(ID, CREATE.files[0]),
            ),
            Effect.CHANGE,
            1,
            False,
        ),
        (plan(policy="wait", policy_effect=Effect.DESTROY), Effect.DESTROY, 0, True),
        (plan(policy="wait", follows=(("a", ID),)), Effect.CHANGE, 1, False),
        (plan(policy="wait", follows=(("a", ID), ("b", ID))), Effect.CHANGE, 2, True),
        (plan(RESUME, policy="wait", follows=(("a", ID),)), Effect.CHANGE, 1, False),
    ],
)
def test_a_plan_knows_what_it_takes_away_how_much_it_touches_and_whether_to_ask(
    made: Plan, effect: Effect, size: int, asks: bool
) -> None:
    assert (made.effect, made.size, made.needs_confirmation) == (effect, size, asks)
    assert pickle.loads(pickle.dumps(made)) == made


def test_the_same_job_on_two_hosts_is_two_pairs() -> None:
    both = Plan("resume", (Step("b", RESUME), Step("a", RESUME), Step("b", RESUME)))
    assert both.hosts == ("b", "a")
    assert both.size == 2
    assert both.needs_confirmation


def test_a_plan_names_the_hosts_that_it_follows_after_those_it_acts_on() -> None:
    made = Plan("transfer", (Step("b", CREATE),), policy="wait", follows=(("a", ID), ("b", OLD)))
    assert made.hosts == ("b", "a")
    assert made.size == 3


def test_a_step_knows_its_job_unless_it_makes_one() -> None:
    assert Step("a", RESUME).job_id == ID
    assert Step("a", CREATE).job_id is None


# Changes


@pytest.mark.parametrize(
    ("before", "after", "is_first", "kind"),
    [
        (None, JOB, True, "present"),
        (None, JOB, False, "appeared"),
        (JOB, None, False, "left"),
        (JOB, ODD, False, "state"),
        (JOB, JOB, False, "progress"),
        (ODD, ODD, False, "progress"),
    ],
)
def test_a_change_is_of_one_kind(
    before: Job | None, after: Job | None, is_first: bool, kind: str
) -> None:
    change = JobChange(at=NOW, host="a", job_id=ID, before=before, after=after, is_first=is_first)
    assert change.kind == kind
    assert change.state_changed is (kind != "progress")
    assert pickle.loads(pickle.dumps(change)).kind == kind


# Summaries


def test_a_summary_counts_outcomes() -> None:
    summary = Summary(verb="x")
    for status in Status:
        summary = summary.counting(Outcome(host="a", status=status))
    assert (summary.well, summary.failed, summary.not_sent, summary.unknown) == (3, 1, 1, 1)


# Reports


EVENTS: list[Event] = [
    Begin("jobs", View.JOBS),
    Outcome(host="a", value=JobList((JOB, ODD))),
    Notice("mind the gap"),
    Text("help"),
    FAILED,
    Planned(plan(CANCEL)),
    JobChange(at=NOW, host="a", job_id=ID, after=JOB),
    Frame((WatchRow(JOB),), NOW),
    Frame((WatchRow(ODD),), NOW, is_final=True),
    Outcome(host="c", value=JobDetail(JOB, ERROR)),
    Outcome(host="d", value=HostIdentity("1")),
    Summary(verb="jobs", well=3, failed=1),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_survives_pickling(event: Any) -> None:
    assert pickle.loads(pickle.dumps(event)) == event


def test_a_report_folds_a_stream() -> None:
    report = Report.of(iter(EVENTS))
    assert (report.verb, report.view) == ("jobs", View.JOBS)
    assert report.jobs == (JOB, ODD, JOB)
    assert report.items == (JOB, ODD, JobDetail(JOB, ERROR))
    assert report.errors == (FAILED.error,)
    assert report.notices == ("mind the gap", "help")
    assert report.plan == plan(CANCEL)
    assert len(report.changes) == 1
    assert report.last_frame == EVENTS[8]
    assert len(report.outcomes) == 4
    assert not report.ok


def test_a_report_is_a_sequence_of_its_items() -> None:
    report = Report.of(EVENTS)
    assert len(report) == 3
    assert report[0] == JOB
    assert report[-1] == JobDetail(JOB, ERROR)
    assert report[:2] == (JOB, ODD)
    assert list(report) == list(report.items)
    assert JOB in report
    with pytest.raises(IndexError):
        report[3]


def test_a_report_gathers_its_items_once() -> None:
    report = Report.of(EVENTS)
    assert report.items is report.items
    again = pickle.loads(pickle.dumps(report))
    assert again.items == report.items
    assert again.summary == report.summary


def test_a_stream_without_anything_is_an_empty_report() -> None:
    report = Report.of([])
    assert (len(report), report.ok, report.view) == (0, True, View.TEXT)
    assert not report


@pytest.mark.parametrize(
    ("summary", "ok"),
    [
        (Summary(verb="x", well=1), True),
        (Summary(verb="x"), True),
        (Summary(verb="x", failed=1), False),
        (Summary(verb="x", not_sent=1), False),
        (Summary(verb="x", unknown=1), False),
        (Summary(verb="x", unmet=1), False),
        *((Summary(verb="x", ending=end), end is Ending.COMPLETE) for end in Ending),
    ],
)
def test_a_report_is_ok_when_everything_went_well_to_the_end(summary: Summary, ok: bool) -> None:
    assert Report.of([summary]).ok is ok
