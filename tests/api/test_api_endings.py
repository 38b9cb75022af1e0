from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bitsshell.api import errors
from bitsshell.api.sets import answer_of
from bitsshell.bits import Job, JobList, JobState
from bitsshell.commands import NeedsConfirmation as NobodyConfirms
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.fleet.fanout import Interrupted as CutOffByPerson
from bitsshell.known_secrets import learn
from bitsshell.render import REPORT_MIME_TYPE
from bitsshell.results import Begin, Ending, Event, Notice, Outcome, Report, Status, Summary, View

if TYPE_CHECKING:
    from bitsshell.api import Answer

JOB = Job(
    host="web01",
    id="9D5C4B47-0000-0000-0000-000000000000",
    name="<script>alert(1)</script>",
    state=JobState.TRANSFERRED,
)
WELL = Outcome(host="web01", value=JobList((JOB,)))
BAD = Outcome(
    host="web02", status=Status.FAILED, error=BitsShellError("it is \x1b[31mdown", host="web02")
)


NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def result(*events: Event, verb: str = "jobs", view: View = View.JOBS) -> Answer[Any]:
    return answer_of(Report.of([Begin(verb, view), *events]), NOW, row_limit=50)


def ended(*outcomes: Outcome, **counts: int | Ending) -> errors.CommandError | None:
    return errors.from_result(result(*outcomes, Summary(verb="jobs", **counts)))  # type: ignore[arg-type]


def test_a_command_that_went_well_raises_nothing() -> None:
    assert ended(WELL, well=1) is None


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"well": 1, "failed": 1}, errors.PartialFailure),
        ({"unmet": 1, "failed": 1}, errors.PartialFailure),
        ({"failed": 1}, errors.AllFailed),
        ({"unknown": 1}, errors.AllFailed),
        ({"well": 1, "not_sent": 1}, errors.PartialFailure),
        ({"unmet": 1}, errors.TimeLimitReached),
        ({"well": 1, "unmet": 1}, errors.TimeLimitReached),
        ({"well": 1, "ending": Ending.TIME_LIMIT}, errors.TimeLimitReached),
        ({"failed": 1, "ending": Ending.NEEDS_PERSON}, errors.NeedsPerson),
        ({"ending": Ending.DECLINED}, errors.Declined),
    ],
)
def test_each_ending_has_its_exception(
    counts: dict[str, int | Ending], expected: type[errors.CommandError]
) -> None:
    assert type(ended(BAD, **counts)) is expected


def test_what_comes_before_anything_is_sent_has_its_exception() -> None:
    assert type(errors.from_error(UsageError("no"))) is errors.BitsUsageError
    assert type(errors.from_error(NobodyConfirms(question="cancel"))) is errors.NeedsConfirmation
    assert type(errors.from_error(BitsShellError("no"))) is errors.AllFailed


def test_an_error_is_one_to_three_lines_that_begin_with_its_class() -> None:
    many = [
        Outcome(host=f"h{n}", status=Status.FAILED, error=BitsShellError(f"e{n}", host=f"h{n}"))
        for n in range(9)
    ]
    error = ended(WELL, *many, well=1, failed=9)
    assert error is not None
    lines = error._render_traceback_()
    assert lines[0] == "PartialFailure: jobs: 1 done, 9 failed"
    assert len(lines) == 3
    assert len(error.errors) == 9


def test_what_a_host_says_cannot_act_on_the_terminal_of_whoever_reads_the_error() -> None:
    error = ended(BAD, failed=1)
    assert error is not None
    assert "\x1b" not in str(error)
    assert "web02: it is \\x1b[31mdown" in str(error)


def test_an_error_carries_all_that_arrived() -> None:
    error = ended(WELL, BAD, well=1, failed=1)
    assert error is not None
    assert error.result is not None
    assert [job.name for job in error.result.jobs] == [JOB.name]
    assert error.errors == (BAD.error,)


def test_an_error_survives_pickling() -> None:
    error = ended(WELL, BAD, well=1, failed=1)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is errors.PartialFailure
    assert again.lines() == error.lines()  # type: ignore[union-attr]
    assert list(again.result.jobs) == [JOB]


def test_an_interrupt_is_a_keyboard_interrupt_that_says_what_became_of_it() -> None:
    interrupted = errors.interrupted(
        result(BAD, Summary(verb="jobs", ending=Ending.INTERRUPTED, well=2, not_sent=1))
    )
    assert isinstance(interrupted, KeyboardInterrupt)
    assert interrupted._render_traceback_() == ["Interrupted: jobs: 2 done, 1 not sent"]
    watching = errors.interrupted(
        result(
            Notice("stopped; 1 job goes on"),
            Summary(verb="watch", ending=Ending.INTERRUPTED),
            verb="watch",
            view=View.WATCH,
        )
    )
    assert watching._render_traceback_() == ["Interrupted: watch: stopped; 1 job goes on"]


def cut_off(host: str, reference: str | None, job_id: str | None = None) -> Outcome:
    error = CutOffByPerson(host=host, is_change=True, was_sent=True, reference=reference)
    return Outcome(host=host, status=Status.UNKNOWN, error=error, job_id=job_id)


def stopped(*outcomes: Outcome, **counts: int) -> errors.Interrupted:
    ending = Summary(verb="create", ending=Ending.INTERRUPTED, **counts)
    return errors.interrupted(result(*outcomes, ending, verb="create", view=View.CHANGES))


def test_an_interrupt_says_what_is_not_known_and_how_to_look_for_it() -> None:
    one = cut_off("web01", "AB12")
    assert stopped(one, unknown=1).said == (
        "web01: interrupted under way: whether it took effect is UNKNOWN",
        "next: look for it: show ref:AB12",
    )
    assert stopped(WELL, one, BAD, well=1, failed=1, unknown=1).said == (
        "create: 1 done, 1 failed, 1 unknown",
        "web01: interrupted under way: whether it took effect is UNKNOWN",
        "next: look for it: show ref:AB12",
    )
    assert stopped(one, BAD, failed=1, unknown=1).errors == (one.error, BAD.error)


def test_an_interrupt_on_many_hosts_names_each_mark_in_three_lines() -> None:
    marks = [f"AB{number}" for number in range(3)]
    error = stopped(*(cut_off(f"web{mark}", mark) for mark in marks), unknown=3)
    assert len(error.said) == 3
    assert error.said[-1] == "next: look for them: show ref:AB0 ref:AB1 ref:AB2"
    most = stopped(*(cut_off(f"web{n}", f"AB{n}") for n in range(12)), unknown=12)
    assert most.said[-1].startswith("next: look for the first 8 of 12: show ref:AB0 ")
    assert most.said[-1].endswith(" ref:AB7")


def test_a_change_that_was_cut_off_names_its_job() -> None:
    assert stopped(cut_off("web01", None, JOB.id), unknown=1).said[-1] == (
        f"next: look for it: show {JOB.id}"
    )


def test_in_a_program_the_next_step_is_a_call() -> None:
    error = stopped(cut_off("a", "AB12"), cut_off("b", "CD34"), unknown=2)
    assert str(errors.in_calls(error)).splitlines()[-1] == (
        "next: look for them: show('ref:AB12', 'ref:CD34')"
    )
    twice = errors.in_calls(errors.interrupted(result(WELL), twice=True))
    assert str(twice).splitlines()[-1] == "next: look: jobs()"


def test_after_a_second_interrupt_nothing_is_claimed() -> None:
    interrupted = errors.interrupted(result(WELL), twice=True)
    assert "UNKNOWN" in interrupted._render_traceback_()[0]


def test_a_result_is_a_sequence_of_what_the_hosts_gave() -> None:
    found = result(WELL, BAD, Summary(verb="jobs", well=1, failed=1))
    assert list(found) == [JOB]
    assert found[0] == JOB
    assert list(found[:1]) == [JOB]
    assert type(found[:1]) is type(found)
    assert len(found) == 1
    assert found.errors == (BAD.error,)
    assert not found.ok


def test_a_result_never_changes() -> None:
    with pytest.raises(AttributeError):
        result(WELL).report = Report.of([])  # type: ignore[misc]


def test_a_result_shows_as_text_html_and_json() -> None:
    bundle = result(WELL, Summary(verb="jobs", well=1))._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", REPORT_MIME_TYPE}
    assert max(map(len, bundle["text/plain"].splitlines())) <= 80
    assert "<script>" not in bundle["text/html"]
    assert bundle[REPORT_MIME_TYPE]["items"][0]["name"] == JOB.name


def test_a_known_secret_is_masked_where_it_is_shown_and_data_are_data() -> None:
    learn("Vq7-in-a-name")
    job = replace(JOB, name="with Vq7-in-a-name")
    found = result(replace(WELL, value=JobList((job,))), Summary(verb="jobs", well=1))
    assert "Vq7-in-a-name" not in str(found._repr_mimebundle_())
    assert found.records()[0]["name"] == job.name
    assert job.name in str(found.to_csv())


def test_a_result_gives_only_the_forms_that_are_asked_for() -> None:
    found = result(WELL)
    assert set(found._repr_mimebundle_(include={"text/html"})) == {"text/html"}
    assert "text/html" not in found._repr_mimebundle_(exclude={"text/html"})


def test_a_result_has_a_one_line_repr() -> None:
    assert repr(result(WELL, BAD)) == "<JobSet of jobs: 1 job on 1 host; 1 host failed>"
    changed = result(Summary(verb="resume", well=2, failed=1), verb="resume", view=View.CHANGES)
    assert repr(changed) == "<Outcomes of resume: 2 done, 1 failed>"
