"""What a terminal changes: colour, frames in place, questions, and Ctrl-C at a question."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from bitsshell.commands import Nobody
from bitsshell.errors import UsageError
from bitsshell.fleet.targets import Auth
from bitsshell.results import Plan
from bitsshell.session import Session
from bitsshell.terminal import DEFAULT_WIDTH, Asking, Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consoles import Site

ESCAPE = "\x1b"


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def on_screen(environment: Mapping[str, str]) -> Terminal:
    return Terminal(Session(user="tester"), Nobody(), out=Screen(), environment=environment)


@pytest.mark.parametrize(
    ("environment", "is_live", "has_colour"),
    [
        ({}, True, True),
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_a_terminal_is_drawn_on_as_its_environment_says(
    environment: dict[str, str], is_live: bool, has_colour: bool
) -> None:
    terminal = on_screen(environment)
    assert (terminal.is_live, terminal.has_colour) == (is_live, has_colour)


def test_a_pipe_gets_no_escapes_and_a_fixed_width() -> None:
    terminal = Terminal(Session(user="tester"), Nobody(), out=io.StringIO(), environment={})
    assert (terminal.is_live, terminal.has_colour) == (False, False)
    assert terminal.width == DEFAULT_WIDTH


def test_a_closed_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    stream.close()
    assert not Terminal(Session(user="tester"), Nobody(), out=stream, environment={}).is_live


def test_no_color_leaves_the_colours_out(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --suspended")
    for has_colour in (True, False):
        screen = Screen()
        console.terminal.out, console.terminal.has_colour = screen, has_colour
        console.terminal.run_line("jobs")
        assert (ESCAPE in screen.getvalue()) == has_colour


def test_watch_draws_in_place_on_a_terminal_and_writes_no_json(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly")
    screen = Screen()
    console.terminal.out, console.terminal.is_live = screen, True
    ended = console.terminal.run_line("watch nightly --interval 0.05")
    assert ended.summary is not None
    assert ended.summary.well == 1
    drawn = screen.getvalue()
    assert "nightly" in drawn
    assert ESCAPE in drawn
    assert '{"event"' not in drawn


def test_watch_is_one_readable_line_a_change_on_a_dumb_terminal(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly")
    screen = Screen()
    console.terminal.out, console.terminal.is_live = screen, False
    console.terminal.run_line("watch nightly --interval 0.05")
    shown = screen.getvalue()
    assert "nightly" in shown
    assert "{" not in shown
    assert ESCAPE not in shown


def test_ctrl_c_at_a_question_sends_nothing_and_is_an_interrupt(site: Site) -> None:
    console = site.console(answers=[])
    console(rf"create {site.url} C:\in\a --name nightly --suspended")

    def interrupt(question: str) -> str:
        raise KeyboardInterrupt

    console.terminal.dispatcher.interaction = Asking(interrupt)
    ran = console("cancel nightly")
    assert ran.code == 130
    assert "interrupted" in ran.err
    assert len(site.host.jobs()) == 1


def test_the_end_of_the_input_at_a_question_is_a_no(site: Site) -> None:
    console = site.console(answers=[])
    console(rf"create {site.url} C:\in\a --name nightly --suspended")
    assert console("cancel nightly").code == 5
    assert len(site.host.jobs()) == 1


def test_nobody_there_is_no_answer() -> None:
    assert Asking(None).confirm(Plan("cancel", ())) is None


def test_an_error_is_wrapped_between_words_where_a_terminal_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sentence = "a sentence that is far too long to stand on one line of such a narrow terminal"
    monkeypatch.setattr("bitsshell.render.printer.columns_of", lambda _: 40)
    terminal = on_screen({})
    terminal.err = io.StringIO()
    terminal.fail(UsageError(sentence))
    lines = terminal.err.getvalue().splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert " ".join(line.strip() for line in lines) == sentence


def test_a_table_in_a_pipe_is_not_cut(site: Site) -> None:
    console = site.console()
    name = "n" * 200
    console(rf"create {site.url} C:\in\a --suspended --name {name}")
    assert name in console("jobs").out


def test_auto_says_what_it_settled_on_once_the_host_has_answered(site: Site) -> None:
    console = site.console(auth=Auth.AUTO)
    assert console("hosts -o json").records[0]["auth"] == "auto"
    assert console("use practice01 -o json").records[0]["auth"] == "ntlm"
