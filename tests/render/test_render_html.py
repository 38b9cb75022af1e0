"""HTML for notebooks: escaped, inline, small; and reports as text and JSON."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from render_things import (
    HOSTILE,
    NOW,
    any_text,
    assert_harmless,
    cells,
    hostile_streams,
    make_job,
    make_job_error,
)

from bitsshell.bits import ChangeState, JobAction, JobList, JobState
from bitsshell.render import frame_html, frame_text, report_html, report_json, report_text
from bitsshell.results import (
    Begin,
    Frame,
    Outcome,
    Plan,
    Planned,
    Report,
    Step,
    Summary,
    View,
    WatchRow,
)

_KEPT = {"div", "span", "table", "tr", "th", "td", "progress", "b"}
_KEPT_ATTRIBUTES = {"style", "title", "max", "value"}


class Inspector(HTMLParser):
    """Collects elements, attributes and text, and fails on what does not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.titles: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        self.elements.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.titles.extend(value or "" for name, value in attrs if name == "title")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def report(*jobs: object, view: View = View.JOBS) -> Report:
    return Report.of(
        [
            Begin("jobs", view),
            Outcome(host="srv01", value=JobList(tuple(jobs))),  # type: ignore[arg-type]
            Summary(verb="jobs", well=1),
        ]
    )


@settings(max_examples=60, deadline=None)
@given(any_text)
def test_whatever_a_host_says_stays_text_in_html(text: str) -> None:
    for events in hostile_streams(text):
        made = report_html(Report.of(events))
        seen = Inspector(made)
        assert seen.elements <= _KEPT
        assert seen.attributes <= _KEPT_ATTRIBUTES
        assert_harmless("".join([*seen.words, *seen.titles]))


def test_a_script_in_a_name_is_shown_and_not_run() -> None:
    made = report_html(report(make_job(name="<script>alert(1)</script>")))
    assert "<script" not in made
    assert "<script>alert(1)</script>" in Inspector(made).words


def test_no_more_rows_are_shown_than_a_browser_likes_and_the_rest_is_counted() -> None:
    made = report_html(report(*(make_job(number) for number in range(60))))
    assert made.count("<tr>") == 51
    assert "… 10 more" in made
    assert "60 jobs on 1 host" in made


def test_outcomes_have_the_columns_in_which_any_of_them_has_something() -> None:
    done = Outcome(host="srv01", value=make_job(), planned="complete")
    gone = Outcome(host="srv02", planned="complete")
    warned = Outcome(host="srv03", value=make_job(), warning=0x00200016)

    def titles(*outcomes: Outcome) -> list[str]:
        events = [Begin("complete", View.CHANGES), *outcomes, Summary(verb="complete", well=1)]
        words = Inspector(report_html(Report.of(events))).words
        return words[: words.index(outcomes[0].host)]

    usual = ["host", "job", "name", "result", "state", "priority", "what"]
    assert titles(done) == usual
    assert titles(done, gone) == usual
    assert titles(gone) == ["host", "result", "what"]
    assert titles(done, warned) == [*usual, "warning"]


def test_a_what_if_counts_nothing_as_done() -> None:
    steps = tuple(Step(host, ChangeState("A", JobAction.CANCEL)) for host in ("srv01", "srv02"))
    events = [
        Begin("cancel", View.CHANGES),
        Planned(Plan("cancel", steps)),
        Summary(verb="cancel", well=2),
    ]
    for made in (report_html(Report.of(events)), report_text(Report.of(events), now=NOW)):
        assert "what if: cancel would touch 2 jobs" in made
        assert "done" not in made


def test_progress_is_a_progress_element() -> None:
    made = report_html(report(make_job()))
    assert '<progress max="100" value="25.0"' in made
    assert "<progress" not in report_html(report(make_job(bytes_total=None)))


def test_a_frame_says_as_of_when_and_whether_it_is_the_last() -> None:
    rows = (WatchRow(make_job(), 2048.0, 65.0, make_job_error()),)
    live = frame_html(Frame(rows, NOW, unreachable=("srv07",)))
    assert "live, as of 12:30:04Z, 1 job" in live
    assert "2.0 KiB/s" in live
    assert "1m 05s" in live
    assert "0x80190194" in live
    assert "not answering: srv07" in live
    assert "final, as of 12:30:04Z" in frame_html(Frame(rows, NOW, is_final=True))


def test_a_frame_counts_the_rows_beyond_its_limit() -> None:
    rows = tuple(WatchRow(make_job(number, state=JobState.QUEUED)) for number in range(60))
    made = frame_html(Frame(rows, NOW))
    assert made.count("<tr>") == 51
    assert "… 10 more jobs: 10 QUEUED" in made


@pytest.mark.parametrize("text", HOSTILE)
def test_a_report_as_text_is_harmless_in_every_view(text: str) -> None:
    for events in hostile_streams(text):
        shown = report_text(Report.of(events), now=NOW)
        assert shown
        assert_harmless(shown)


def test_a_report_as_text_keeps_rows_errors_and_notices_together() -> None:
    shown = report_text(Report.of(hostile_streams("plain")[0]), now=NOW)
    assert "nightly" not in shown
    assert "2 jobs on 1 host" in shown
    assert "plain, job plain: the host says: plain" in shown
    assert shown.splitlines()[-1] == "plain"


def test_a_frame_as_text_fits_its_width() -> None:
    rows = tuple(WatchRow(make_job(number)) for number in range(100))
    lines = frame_text(Frame(rows, NOW), 60).splitlines()
    assert len(lines) == 50
    assert all(cells(line) <= 60 for line in lines)


@settings(max_examples=30, deadline=None)
@given(any_text.filter(lambda text: len(text) < 1000))
def test_a_report_as_json_carries_the_text_unchanged(text: str) -> None:
    made = report_json(Report.of(hostile_streams(text)[0]))
    again = json.loads(json.dumps(made))
    assert text in [item["name"] for item in again["items"]]
    assert text in again["outcomes"][-1]["error"]["message"]
    assert again["summary"]["well"] == 2


def test_a_report_as_json_is_capped_and_says_what_it_left_out() -> None:
    made = report_json(report(*(make_job(number) for number in range(2000))))
    assert len(json.dumps(made)) < 256 * 1024
    assert len(made["items"]) + made["left_out"]["items"] == 2000
    assert made["left_out"]["items"] > 0
