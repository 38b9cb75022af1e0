"""Frames, and how they are redrawn on a screen (through a terminal emulator)."""

from __future__ import annotations

import io

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render_things import (
    HOSTILE,
    NOW,
    any_text,
    assert_harmless,
    cells,
    hostile_job,
    make_job,
    make_job_error,
    without_colour,
)

from bitsshell.bits import JobGone, JobState
from bitsshell.render import Output, Renderer, make_renderer
from bitsshell.render.frames import frame_lines
from bitsshell.render.screen import InPlace
from bitsshell.results import (
    Begin,
    Ending,
    Frame,
    Notice,
    Outcome,
    Status,
    Summary,
    View,
    WatchRow,
)


class Terminal(io.StringIO):
    """A stream that is a terminal: what is written shows on a screen with a scrollback."""

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        super().__init__()
        self.screen = pyte.HistoryScreen(columns, lines, history=1000, ratio=0.5)
        self.screen.set_mode(pyte.modes.LNM)  # as the kernel's line discipline does
        self._stream = pyte.Stream(self.screen)

    def write(self, text: str) -> int:
        self._stream.feed(text)
        return super().write(text)

    def size(self) -> tuple[int, int]:
        return self.screen.columns, self.screen.lines

    def resize(self, columns: int, lines: int) -> None:
        self.screen.resize(lines, columns)

    @property
    def shown(self) -> list[str]:
        """The lines on the screen without the empty ones at its end."""
        lines = [line.rstrip() for line in self.screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def everything(self) -> list[str]:
        """The scrollback and the screen."""
        above = [
            "".join(row[column].data for column in range(self.screen.columns)).rstrip()
            for row in self.screen.history.top
        ]
        return above + self.shown


def live_renderer(terminal: Terminal, *, colour: bool = False) -> Renderer:
    renderer = make_renderer(
        Output.TABLE,
        out=terminal,
        err=terminal,
        width=80,
        colour=colour,
        live=True,
        clock=lambda: NOW,
        size=terminal.size,
    )
    renderer.feed(Begin("watch", View.WATCH))
    return renderer


def frame_of(*done: int, is_final: bool = False, host: str = "srv01") -> Frame:
    """A frame with one job for each percentage."""
    rows = tuple(
        WatchRow(
            make_job(
                number,
                host=host,
                bytes_total=100 * 2**20,
                bytes_transferred=percent * 2**20,
                state=JobState.TRANSFERRED if percent == 100 else JobState.TRANSFERRING,
            ),
            rate_bytes_s=2.0 * 2**20,
            time_left_s=(100 - percent) / 2,
        )
        for number, percent in enumerate(done, 1)
    )
    return Frame(rows, NOW, is_final=is_final)


def test_a_row_has_name_state_bar_percentage_amount_rate_and_time_left() -> None:
    heading, row = frame_lines(frame_of(50), width=100)
    assert heading == "live, as of 12:30:04Z  1 job on 1 host  2.0 MiB/s"
    assert row.startswith("nightly 1  TRANSFERRING  ███")
    assert row.endswith("   50%   50.0 MiB/100 MiB   2.0 MiB/s      25s")


def test_a_poor_terminal_gets_an_ascii_bar() -> None:
    lines = frame_lines(frame_of(50), width=79, blocks=False)
    assert "[###---]" in lines[1]
    assert "\n".join(lines).isascii()


def test_narrow_frames_lose_numbers_before_state_and_percentage() -> None:
    shown = {width: frame_lines(frame_of(50), width=width)[1] for width in (100, 70, 50, 32)}
    assert "50.0 MiB" in shown[100]
    assert "50.0 MiB" not in shown[70]
    assert "2.0 MiB/s" in shown[70]
    assert "█" in shown[50]
    assert "2.0 MiB/s" not in shown[50]
    assert shown[32].split() == ["nightly", "1", "TRANSFERRING", "50%"]


def test_the_host_is_shown_when_there_are_several() -> None:
    rows = (*frame_of(10).rows, *frame_of(20, host="srv02").rows)
    lines = frame_lines(Frame(rows, NOW), width=100)
    assert lines[1].startswith("srv01  nightly 1")
    assert lines[2].startswith("srv02  nightly 1")


def test_an_error_is_explained_under_its_job() -> None:
    row = WatchRow(make_job(state=JobState.ERROR), error=make_job_error())
    lines = frame_lines(Frame((row,), NOW), width=100)
    assert lines[2].startswith("  0x80190194 BG_E_HTTP_ERROR_404: ")


def test_jobs_that_need_somebody_stay_when_not_all_fit() -> None:
    rows = [WatchRow(make_job(number, state=JobState.SUSPENDED)) for number in range(1, 100)]
    rows[70] = WatchRow(make_job(71, state=JobState.ERROR), error=make_job_error())
    rows[80] = WatchRow(make_job(81, state=JobState.TRANSFERRING))
    lines = frame_lines(Frame(tuple(rows), NOW), width=100, height=8)
    assert len(lines) == 8
    text = "\n".join(lines)
    assert "nightly 71" in text
    assert "nightly 81" in text
    assert "0x80190194" in text
    assert lines[-1] == "… 94 more jobs: 94 SUSPENDED"


def test_hosts_that_do_not_answer_are_named() -> None:
    frame = Frame(frame_of(1).rows, NOW, unreachable=("srv05", "srv06", "srv07", "srv08"))
    assert frame_lines(frame, width=79)[-1] == "not answering: srv[05-08] (4)"


def test_an_empty_frame_still_says_as_of_when() -> None:
    assert frame_lines(Frame((), NOW, is_final=True), width=79) == [
        "final, as of 12:30:04Z  no jobs"
    ]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(any_text, max_size=6), st.integers(1, 200), st.integers(1, 12), st.booleans(), any_text
)
def test_no_frame_is_wider_or_taller_than_asked(
    texts: list[str], width: int, height: int, colour: bool, host: str
) -> None:
    rows = tuple(
        WatchRow(hostile_job(text, number, host), 10.0**number, None, make_job_error(text))
        for number, text in enumerate(texts)
    )
    frame = Frame(rows, NOW, unreachable=(host,))
    lines = frame_lines(frame, width=width, height=height, colour=colour)
    plain = [without_colour(line) for line in lines]
    assert_harmless("\n".join(plain))
    assert 1 <= len(lines) <= height
    assert all(cells(line) <= width for line in plain)


def test_a_redrawn_frame_replaces_the_one_before() -> None:
    terminal = Terminal()
    renderer = live_renderer(terminal)
    for percent in range(0, 100, 7):
        renderer.feed(frame_of(percent, percent // 2))
        assert len(terminal.shown) == 3
        assert f" {percent}%" in terminal.shown[1]
        assert f" {percent // 2}%" in terminal.shown[2]
    renderer.close()
    assert len(terminal.everything) == 3


def test_a_frame_that_became_shorter_leaves_nothing_behind() -> None:
    terminal = Terminal()
    renderer = live_renderer(terminal)
    renderer.feed(frame_of(1, 2, 3, 4))
    renderer.feed(frame_of(5))
    assert len(terminal.shown) == 2
    assert " 5%" in terminal.shown[1]


def test_the_last_frame_stays_and_says_what_became_of_the_job() -> None:
    terminal = Terminal()
    terminal.write("$ watch nightly\n")
    renderer = live_renderer(terminal)
    renderer.feed(frame_of(50))
    renderer.feed(frame_of(100, is_final=True))
    renderer.feed(Outcome(host="srv01", value=make_job(), planned="complete 'nightly 1'"))
    renderer.feed(Summary(verb="watch", well=1))
    renderer.close()
    assert terminal.shown[0] == "$ watch nightly"
    assert terminal.shown[1].startswith("final, as of")
    assert "100%" in terminal.shown[2]
    terminal.write("$ \n")
    assert terminal.shown[3] == "$"


def test_notices_and_errors_go_above_the_frame() -> None:
    terminal = Terminal()
    renderer = live_renderer(terminal)
    renderer.feed(frame_of(10))
    renderer.feed(Notice("the channel to srv01 was made anew"))
    renderer.feed(frame_of(20))
    renderer.feed(Outcome(host="srv02", status=Status.FAILED, error=JobGone(host="srv02")))
    renderer.feed(frame_of(30))
    assert terminal.shown[0] == "the channel to srv01 was made anew"
    assert terminal.shown[1] == "failed: srv02: the job is not there (any more)"
    assert terminal.shown[2].startswith("next: list what is there")
    live = [line for line in terminal.shown if line.startswith("live")]
    assert len(live) == 1
    assert " 30%" in terminal.shown[-1]


def test_frames_follow_a_terminal_that_grows() -> None:
    terminal = Terminal(60, 10)
    renderer = live_renderer(terminal)
    renderer.feed(frame_of(10))
    terminal.resize(120, 30)
    renderer.feed(frame_of(20))
    renderer.feed(frame_of(30))
    assert len(terminal.shown) == 2
    assert "30.0 MiB/100 MiB" in terminal.shown[1]


def test_a_terminal_that_shrinks_never_loses_what_stood_above_the_frame() -> None:
    terminal = Terminal(120, 30)
    terminal.write("important\n")
    renderer = live_renderer(terminal)
    renderer.feed(frame_of(10))
    terminal.resize(50, 30)
    for percent in (20, 30, 40):
        renderer.feed(frame_of(percent))
    assert terminal.shown[0] == "important"
    assert all(cells(line) <= 50 for line in terminal.shown)
    assert sum(line.startswith("live") for line in terminal.shown) == 2
    assert " 40%" in terminal.shown[-1]
    assert not any(" 20%" in line or " 30%" in line for line in terminal.shown)


def test_a_terminal_with_fewer_lines_than_jobs_is_never_overrun() -> None:
    terminal = Terminal(80, 6)
    renderer = live_renderer(terminal)
    for percent in range(10):
        renderer.feed(frame_of(*[percent] * 20))
    renderer.close()
    assert len(terminal.everything) == 5
    assert terminal.shown[-1].startswith("… 17 more jobs: 17 TRANSFERRING")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_breaks_a_redrawn_frame(text: str) -> None:
    terminal = Terminal(70, 12)
    terminal.write("above\n")
    renderer = live_renderer(terminal, colour=True)
    row = WatchRow(hostile_job(text), 1.0, 2.0, make_job_error(text))
    for _ in range(5):
        renderer.feed(Frame((row, *frame_of(42).rows), NOW, unreachable=(text,)))
    renderer.close()
    assert terminal.everything[0] == "above"
    assert len(terminal.everything) == 6
    assert " 42%" in terminal.everything[4]


def test_interrupted_in_the_middle_the_frame_stays_and_the_terminal_wraps_again() -> None:
    terminal = Terminal(40, 10)
    renderer = live_renderer(terminal)
    renderer.feed(frame_of(33))
    renderer.feed(Summary(verb="watch", ending=Ending.INTERRUPTED))
    renderer.close()
    renderer.close()
    assert "33%" in terminal.shown[1]
    assert terminal.shown[2] == "interrupted"
    assert pyte.modes.DECAWM in terminal.screen.mode


def test_a_block_is_erased_without_a_trace() -> None:
    terminal = Terminal()
    terminal.write("above\n")
    block = InPlace()
    terminal.write(block.draw(["one", "two"], 80))
    terminal.write(block.erase())
    terminal.write("below\n")
    assert terminal.shown == ["above", "below"]
    assert block.erase() == ""


def test_a_frame_says_whether_it_is_live_final_or_stopped() -> None:
    for changes, phase in (
        ({}, "live"),
        ({"is_final": True}, "final"),
        ({"is_final": True, "is_stopped": True}, "stopped"),
    ):
        (heading, *_) = frame_lines(Frame((), NOW, **changes), width=79)
        assert heading.startswith(f"{phase}, as of 12:30:04Z")
