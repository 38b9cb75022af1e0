"""Steps of a run, conditions and differences, as people and programs read them."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from bitsshell.render import Output, report_html, report_text
from bitsshell.render.runs import conditions_lines, step_error_lines, step_line
from bitsshell.render.stream import make_renderer
from bitsshell.render.text import display_width
from bitsshell.results import (
    Begin,
    Changed,
    Conclusion,
    ConditionResult,
    Difference,
    Outcome,
    Report,
    Running,
    Status,
    StepRun,
    StepStatus,
    Summary,
    Verdict,
    View,
)

if TYPE_CHECKING:
    from bitsshell.results import Event

STEP = StepRun(
    number=3, total=12, id="s03", title="Resume it", status=StepStatus.OK, elapsed_s=1.25
)
FAILED = StepRun(
    number=4, total=12, id="s04", title="Wait", status=StepStatus.FAILED, elapsed_s=70,
    error_type="AllFailed", error=("AllFailed: web01 is down", "next: doctor web01"),
    shown=("a row",),
)  # fmt: skip
END = Conclusion(Verdict.ALL_FAILED, ("run: 1 ok, 1 failed", "root: abc"), {"root": "abc"})
RUN: list[Event] = [
    Begin("run", View.RUN),
    Running(STEP),
    Outcome(host="", value=STEP, job_id="s03"),
    Outcome(host="", value=FAILED, job_id="s04", status=Status.FAILED),
    END,
    Summary(verb="run", well=1, failed=1, verdict=Verdict.ALL_FAILED),
]
MET = ConditionResult(
    host="web01", job_id="X", job_name="pkg", condition="size > 0", is_met=True,
    observed="size is 38 B",
)  # fmt: skip
UNMET = ConditionResult(
    host="web02", job_id="Y", job_name="<b>pkg\x1b[31m", condition="state = error", is_met=False,
    observed="state is QUEUED",
)  # fmt: skip


def rendered(events: list[Event], output: Output, *, live: bool = False) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    renderer = make_renderer(
        output, out=out, err=err, width=80, live=live, size=(lambda: (80, 24)) if live else None
    )
    for event in events:
        renderer.feed(event)
    renderer.close()
    return out.getvalue(), err.getvalue()


def test_a_step_is_a_line_with_its_place_status_time_and_title() -> None:
    assert step_line(STEP, 80, colour=False) == " 3/12  ok             1.2 s  Resume it"


def test_a_failed_step_shows_what_it_had_shown_and_then_its_error() -> None:
    assert step_error_lines(FAILED, 80, colour=False) == [
        "      a row",
        "      AllFailed: web01 is down",
        "      next: doctor web01",
    ]


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_line_of_a_step_fits(width: int) -> None:
    long = StepRun(
        number=3, total=12, id="x", title="y" * 300, status=StepStatus.OK, note="z" * 300
    )
    assert display_width(step_line(long, width, colour=False)) <= max(width, 52)


def test_for_people_steps_come_as_they_end_and_then_the_conclusion() -> None:
    out, err = rendered(RUN, Output.TABLE)
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["3/12", "4/12"]
    assert lines[-2:] == ["run: 1 ok, 1 failed", "root: abc"]
    assert "\x1b" not in out
    assert err == ""


def test_on_a_terminal_the_running_step_is_taken_away_before_its_line() -> None:
    out, _ = rendered(RUN, Output.TABLE, live=True)
    drawn = out.index("Resume it")
    assert "\x1b[1A" in out[drawn : out.index("Resume it", drawn + 1)]


def test_json_has_the_steps_and_then_what_it_comes_to() -> None:
    out, _ = rendered(RUN, Output.JSON)
    first, second, end = json.loads(out)
    assert (first["id"], first["status"], first["elapsed_s"]) == ("s03", "ok", 1.25)
    assert second["error"] == ["AllFailed: web01 is down", "next: doctor web01"]
    assert end == {"root": "abc"}


def test_csv_has_a_row_a_step_and_says_the_rest() -> None:
    out, err = rendered(RUN, Output.CSV)
    assert out.splitlines()[0] == "number,id,title,status,elapsed_s,note,error_type"
    assert len(out.splitlines()) == 3
    assert "root: abc" in err


def test_a_notebook_shows_a_run_as_text_and_html() -> None:
    report = Report.of(RUN)
    assert not report.ok
    for text in (report_text(report), report_html(report)):
        assert "AllFailed: web01 is down" in text
        assert "root: abc" in text


def conditions(*results: ConditionResult) -> Report:
    outcomes = [Outcome(host=one.host, value=one, job_id=one.job_id) for one in results]
    return Report.of([Begin("check", View.CONDITIONS), *outcomes, Summary(verb="check")])


def test_conditions_are_a_table_with_what_was_observed() -> None:
    lines = conditions_lines([MET, UNMET], width=100)
    assert lines[0].split() == ["host", "job", "condition", "met", "observed"]
    assert "NO" in lines[3]
    assert lines[-1] == "2 checks: 1 not met"
    assert conditions_lines([MET], width=100)[-1] == "1 check, all met"


def test_columns_that_say_nothing_are_left_out() -> None:
    bare = ConditionResult(host="", condition="x == 1", is_met=True, observed="x is 1")
    assert conditions_lines([bare], width=80)[0].split() == ["condition", "met", "observed"]


def test_conditions_in_html_are_escaped_and_neutral() -> None:
    html = report_html(conditions(MET, UNMET))
    assert "<b>pkg" not in html
    assert "\x1b" not in html
    assert "state is QUEUED" in html


def test_a_difference_shows_both_sides() -> None:
    found = Difference(
        kind=Changed.OUTCOME, where="s03", what="another outcome", first="done", second="failed"
    )
    events: list[Event] = [
        Begin("run", View.DIFFERENCES),
        Outcome(host="", value=found, job_id="0"),
        Conclusion(Verdict.SOME_FAILED, ("different: 1",), {"same": False}),
        Summary(verb="run"),
    ]
    out, _ = rendered(events, Output.TABLE)
    assert out.splitlines() == [
        "outcome  s03: another outcome",
        "  - done",
        "  + failed",
        "different: 1",
    ]
    assert json.loads(rendered(events, Output.JSON)[0])[0]["kind"] == "outcome"
