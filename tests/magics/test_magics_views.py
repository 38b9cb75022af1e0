"""How often a watch is shown in a notebook, and what is kept of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from IPython.utils.capture import capture_output

from bitsshell.api.sets import answer_of
from bitsshell.api.timeline import Timeline
from bitsshell.bits import Job, JobState
from bitsshell.render import REPORT_MIME_TYPE
from bitsshell.results import Begin, Event, Frame, Notice, Outcome, Report, Summary, View, WatchRow
from magics.views import InPlace

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


TIMELINE = Timeline()


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


def job(transferred: int) -> Job:
    return Job(
        host="web01",
        id="9D5C4B47-0000-0000-0000-000000000000",
        name="<b>x</b>",
        state=JobState.TRANSFERRING,
        bytes_total=100,
        bytes_transferred=transferred,
    )


def frame(clock: HandClock, transferred: int, *, is_final: bool = False) -> Frame:
    return Frame((WatchRow(job(transferred)),), as_of=clock.now(), is_final=is_final)


def test_frames_are_shown_once_a_second_in_one_place(shell: InteractiveShell) -> None:
    clock = HandClock()
    view = InPlace(clock)
    with capture_output() as captured:
        for tenth in range(26):
            clock.seconds = tenth / 10
            view.feed(frame(clock, tenth), TIMELINE)
        view.feed(frame(clock, 26, is_final=True), TIMELINE)
    shown = [output.data["text/plain"].splitlines()[0] for output in captured.outputs]
    assert [line.split("  ")[0] for line in shown] == [
        "live, as of 12:00:00Z",
        "live, as of 12:00:01Z",
        "live, as of 12:00:02Z",
        "final, as of 12:00:02Z",
    ]
    assert [output.update for output in captured.outputs] == [False, True, True, True]
    assert len({output.transient["display_id"] for output in captured.outputs}) == 1


def test_the_last_state_of_the_display_is_the_whole_result(shell: InteractiveShell) -> None:
    clock = HandClock()
    view = InPlace(clock)
    final = frame(clock, 100, is_final=True)
    events: list[Event] = [
        Begin("watch", View.WATCH),
        Outcome(host="web01", value=job(100)),
        Summary(verb="watch", well=1),
        final,
    ]
    with capture_output() as captured:
        for event in events:
            view.feed(event, TIMELINE)
        assert view.finish(answer_of(Report.of(events), START, row_limit=50))
    last = captured.outputs[-1]
    assert last.update
    assert set(last.data) == {"text/plain", "text/html", REPORT_MIME_TYPE}
    assert last.data["text/plain"].startswith("final, as of")


def test_what_is_said_meanwhile_stands_under_the_frame_and_is_harmless(
    shell: InteractiveShell,
) -> None:
    clock = HandClock()
    view = InPlace(clock)
    with capture_output() as captured:
        view.feed(Notice("web01: <img src=x> is \x1b[31mgone"), TIMELINE)
        view.feed(frame(clock, 1), TIMELINE)
    assert captured.outputs[0].data["text/plain"] == "web01: <img src=x> is \\x1b[31mgone"
    data = captured.outputs[-1].data
    assert data["text/plain"].endswith("web01: <img src=x> is \\x1b[31mgone")
    assert "<img" not in data["text/html"]
    assert "<b>x</b>" not in data["text/html"]


def test_without_a_frame_nothing_is_in_sight(shell: InteractiveShell) -> None:
    view = InPlace(HandClock())
    with capture_output() as captured:
        assert not view.finish(
            answer_of(Report.of([Begin("watch", View.WATCH)]), START, row_limit=50)
        )
    assert captured.outputs == []
