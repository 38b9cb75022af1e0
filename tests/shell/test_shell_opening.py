"""The first prompt: it stands before the rest is loaded, and nothing that is typed is lost."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from shell_things import wait_until

from bitsshell.errors import UsageError
from bitsshell.fleet.credentials import Credentials
from bitsshell.session import Session
from bitsshell.shell.bare import FIRST_HINT, NO_TARGET, BarePrompt
from bitsshell.shell.opening import open_shell
from bitsshell.shell.prompt import prompt_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from prompt_toolkit.application import Application
    from prompt_toolkit.input import PipeInput

    from bitsshell.results import Output

WAIT_S = 30.0


def loaded() -> tuple[Session, Output | None]:
    return Session(credentials=Credentials(environment={})), None


class First:
    """A first prompt on a pipe. What it runs on is loaded when `may_load` is set."""

    def __init__(self, pipe: PipeInput, history: Path) -> None:
        self.pipe = pipe
        self.bare = BarePrompt(history, input=pipe, output=DummyOutput())
        self.may_load = threading.Event()

    def when(self, happens: Callable[[Application[str]], bool], do: Callable[[], object]) -> None:
        """Do something once, when a drawn prompt is as wanted."""

        def look(app: Application[str]) -> None:
            if happens(app):
                self.bare.lines.app.after_render -= look
                do()

        self.bare.lines.app.after_render += look

    def load(self) -> tuple[Session, Output | None]:
        assert self.may_load.wait(WAIT_S)
        return loaded()


@pytest.fixture
def first(tmp_path: Path) -> Iterator[First]:
    with create_pipe_input() as pipe:
        yield First(pipe, tmp_path / "history")


def test_the_bare_prompt_reads_as_that_of_a_shell_without_hosts() -> None:
    assert prompt_text(()) == NO_TARGET


@pytest.mark.parametrize(
    ("typed", "answers"),
    [
        ("help use\rhelp jobs\r", ["Choose the hosts", "List the jobs"]),
        ("help `\ruse\r", ["Choose the hosts"]),
        ("expl\t 0x80190194\r", ["BG_E_HTTP_ERROR_404"]),
        ("\t\x7fhelp use\r", ["Choose the hosts"]),
        ("nonsense\x1b\x7fhelp use\r", ["Choose the hosts"]),
        ("half a line\x03help use\r", ["Choose the hosts"]),
        ("\r\rhelp use\r", ["Choose the hosts"]),
    ],
    ids=["lines", "a line that goes on", "Tab", "Tab alone", "Escape", "Ctrl-C", "empty lines"],
)
def test_what_is_typed_too_early_waits_and_is_answered_as_ever(
    first: First, capsys: pytest.CaptureFixture[str], typed: str, answers: list[str]
) -> None:
    first.when(lambda app: app.is_done, first.may_load.set)
    first.pipe.send_text(f"{typed}exit\r")
    assert open_shell(first.bare, first.load) == 0
    said = capsys.readouterr()
    places = [said.out.index(answer) for answer in answers]
    assert places == sorted(places)
    assert said.err == f"{FIRST_HINT}\n"


def test_what_is_typed_stays_when_the_rest_arrives(
    first: First, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = first.bare.lines
    first.when(lambda _: lines.default_buffer.text == "hel", first.may_load.set)
    first.when(lambda _: lines.lexer is not None, lambda: first.pipe.send_text("p use\rexit\r"))
    first.pipe.send_text("hel")
    assert open_shell(first.bare, first.load) == 0
    assert "Choose the hosts" in capsys.readouterr().out


def test_what_was_typed_is_completed_when_the_rest_arrives(
    first: First, capsys: pytest.CaptureFixture[str]
) -> None:
    buffer = first.bare.lines.default_buffer
    first.when(lambda _: buffer.text == "hel", first.may_load.set)
    first.when(
        lambda _: buffer.complete_state is not None,
        lambda: first.pipe.send_text("p use\rexit\r"),
    )
    first.pipe.send_text("hel")
    assert open_shell(first.bare, first.load) == 0
    assert "Choose the hosts" in capsys.readouterr().out


def test_what_arrives_between_two_prompts_is_there_at_the_second(
    first: First, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = first.bare.lines

    def load_all() -> None:
        first.may_load.set()
        (thread,) = (one for one in threading.enumerate() if one.name == "bitsshell-opening")
        thread.join(WAIT_S)

    first.when(lambda _: lines.default_buffer.text == "hel", lambda: first.pipe.send_text("\x03"))
    first.when(lambda app: app.is_done, load_all)
    drawn: list[bool] = []

    def look(app: Application[str]) -> None:
        if lines.lexer is not None and True not in drawn:
            first.pipe.send_text("help use\rexit\r")
        elif len(drawn) == 9:
            first.pipe.send_text("\x04")
        drawn.append(lines.lexer is not None)

    lines.app.after_render += look
    first.pipe.send_text("hel")
    assert open_shell(first.bare, first.load) == 0
    assert "Choose the hosts" in capsys.readouterr().out


def test_the_end_of_the_input_leaves_before_anything_is_loaded(first: First) -> None:
    first.pipe.send_text("\x04")
    assert open_shell(first.bare, first.load) == 0
    first.may_load.set()


def test_a_line_that_was_typed_too_early_is_kept_in_the_history(first: First) -> None:
    first.when(lambda app: app.is_done, first.may_load.set)
    first.pipe.send_text("help use\rexit\r")
    open_shell(first.bare, first.load)
    assert list(first.bare.lines.history.load_history_strings()) == ["exit", "help use"]


@pytest.mark.parametrize("typed", ["", "jobs", "cancel x --yes\r"])
def test_what_keeps_the_rest_from_loading_ends_the_prompt_and_nothing_is_run(
    first: First, capsys: pytest.CaptureFixture[str], typed: str
) -> None:
    def fail() -> tuple[Session, Output | None]:
        assert first.may_load.wait(WAIT_S)
        raise UsageError("the configuration has a mistake")

    buffer = first.bare.lines.default_buffer
    first.when(lambda app: app.is_done or buffer.text == typed, first.may_load.set)
    first.pipe.send_text(typed)
    with pytest.raises(UsageError):
        open_shell(first.bare, fail)
    assert capsys.readouterr().out == ""


def test_ctrl_c_is_heard_while_a_line_waits(first: First) -> None:
    begun = threading.Event()

    def hang() -> tuple[Session, Output | None]:
        assert begun.wait(WAIT_S)
        wait_until(
            lambda: signal.getsignal(signal.SIGINT) is signal.default_int_handler,
            "Ctrl-C to be listened to",
        )
        signal.raise_signal(signal.SIGINT)
        assert first.may_load.wait(WAIT_S)
        return loaded()

    first.when(lambda app: app.is_done, begun.set)
    first.pipe.send_text("help use\r")
    with pytest.raises(KeyboardInterrupt):
        open_shell(first.bare, hang)
    first.may_load.set()


@pytest.mark.parametrize("is_early", [True, False])
def test_a_slip_in_the_environment_is_said_whether_a_line_waits_or_the_prompt_stands(
    first: First,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    is_early: bool,
) -> None:
    monkeypatch.setenv("BITSSHELL_TOOLBAR", "offf")
    said: list[str] = []
    monkeypatch.setattr(first.bare.lines.app.output, "write", said.append)
    first.when(lambda app: app.is_done or not is_early, first.may_load.set)
    if is_early:
        first.pipe.send_text("help use\rexit\r")
    else:
        first.when(
            lambda _: any("offf" in text for text in said),
            lambda: first.pipe.send_text("help use\rexit\r"),
        )
    open_shell(first.bare, first.load)
    err = capsys.readouterr().err + "".join(said)
    assert "BITSSHELL_TOOLBAR='offf' is not known" in err
