"""The line that says which hosts a command waits for."""

from __future__ import annotations

import io

from bitsshell.render.waiting import AFTER_S, WaitingLine


class Clock:
    """Stands still until it is told."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_it_comes_when_nothing_came_for_a_while_counts_and_goes_away_again() -> None:
    stream, clock = io.StringIO(), Clock()
    line = WaitingLine(stream, clock)
    line({"srv13"})
    assert stream.getvalue() == ""
    clock.now_s += AFTER_S
    line({"srv13"})
    assert stream.getvalue() == "\rwaiting for srv13, 2 s so far; Ctrl-C ends it\x1b[K"
    line({"srv13"})
    assert stream.getvalue().count("srv13") == 1
    line(())
    assert stream.getvalue().endswith("\r\x1b[K")


def test_answers_take_it_away_for_a_moment_and_the_count_goes_on() -> None:
    stream, clock = io.StringIO(), Clock()
    line = WaitingLine(stream, clock)
    line({"a", "b", "c"})
    for left in ({"a", "b"}, {"a"}):  # so often that there is never a moment without an answer
        clock.now_s += AFTER_S
        line(())
        line(left)
    assert "waiting for a, b, 2 s so far" in stream.getvalue()
    assert stream.getvalue().endswith("\rwaiting for a, 3 s so far; Ctrl-C ends it\x1b[K")


def test_the_end_begins_the_count_anew() -> None:
    stream, clock = io.StringIO(), Clock()
    line = WaitingLine(stream, clock)
    line({"a"})
    clock.now_s += AFTER_S - 0.1
    line(None)
    line({"a"})
    clock.now_s += AFTER_S - 0.1
    line({"a"})
    assert stream.getvalue() == ""


def test_many_hosts_are_folded_and_the_line_never_wraps() -> None:
    stream, clock = io.StringIO(), Clock()
    line = WaitingLine(stream, clock)
    hosts = {f"srv{number:02d}" for number in range(1, 41)}
    line(hosts)
    clock.now_s += AFTER_S
    line(hosts)
    assert "waiting for srv[01-40] (40), 2 s" in stream.getvalue()
    line({"x" * 500})
    assert max(map(len, stream.getvalue().split("\r"))) < 80 + len("\x1b[K")
