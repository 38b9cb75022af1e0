"""The loop: what leaves it and what does not."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shell_things import Listed, run_lines, session_for, use, wait_until

from bitsshell.fleet.credentials import Credentials
from bitsshell.session import Session
from bitsshell.shell.readers import PlainReader, make_reader

if TYPE_CHECKING:
    from pathlib import Path

    from bitsshell.practice import PracticeFleet, PracticeHost


@pytest.mark.parametrize("line", ["exit", "quit"])
def test_exit_and_quit_leave_with_0(line: str) -> None:
    ran = run_lines(line, "frobnicate")
    assert (ran.code, ran.text) == (0, "")


def test_the_end_of_the_input_leaves_with_0() -> None:
    assert run_lines().code == 0


def test_ctrl_c_at_the_prompt_only_gives_up_the_line() -> None:
    ran = run_lines(KeyboardInterrupt, KeyboardInterrupt, "frobnicate")
    assert "no verb" in ran.err


@pytest.mark.parametrize("line", ["", "   ", "# a comment", "\n\n"])
def test_an_empty_line_or_a_comment_does_nothing(line: str) -> None:
    assert run_lines(line).text == ""


def test_an_unknown_verb_is_answered_with_the_nearest() -> None:
    ran = run_lines("resme x")
    assert "resme" in ran.err
    assert "did you mean resume" in ran.err
    assert ran.err.count("\n") <= 3


def test_half_a_quote_is_said_and_nothing_is_run() -> None:
    ran = run_lines("show 'half")
    assert "never closed" in ran.err


@given(st.text(" '\"#%{}()[]<>-=,;:\\/|*?!@$&~^\n\r\t\0\x1b\u202eé☃", max_size=30))
def test_no_text_ends_the_shell_or_meets_a_defect(text: str) -> None:
    ran = run_lines(text, "help use")
    assert "internal error" not in ran.err
    assert "\x1b" not in ran.text
    assert "Choose the hosts" in ran.out


def test_help_lists_the_verbs_and_explains_one() -> None:
    assert "resume" in run_lines("help").out
    assert "--on-transferred" in run_lines("help manage").out


def test_notices_come_before_the_first_prompt() -> None:
    assert run_lines(reader=Listed([], notices=("hello",))).err == "hello\n"


def test_a_pasted_block_stops_at_the_line_that_fails() -> None:
    ran = run_lines("help use\nfrobnicate\nhelp jobs\nhelp show")
    assert "use" in ran.out
    assert "List the jobs" not in ran.out
    assert "2 more lines were not run" in ran.err


def test_exit_inside_a_pasted_block_leaves() -> None:
    ran = run_lines("help use\nexit\nfrobnicate", "frobnicate")
    assert "frobnicate" not in ran.err


def test_a_defect_does_not_take_the_session_away(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(credentials=Credentials(environment={}))

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(session, "select", broken)
    ran = run_lines("jobs", "help use", session=session)
    assert "internal error (ZeroDivisionError: boom)" in ran.err
    assert "Choose the hosts" in ran.out


def test_the_prompt_follows_the_target_set(fleet: PracticeFleet) -> None:
    first, second, *_ = fleet.hosts
    reader = Listed([use(first), f"{use(first)} {second.endpoint}", "use --none"])
    run_lines(session=session_for(first), reader=reader)
    label = first.endpoint.removeprefix("http://").removesuffix("/wsman")
    assert reader.prompts == ["bits> ", f"bits {label}> ", "bits 2 hosts> ", "bits> "]


def test_the_password_is_asked_once_and_a_wrong_one_again(host: PracticeHost) -> None:
    session = Session(credentials=Credentials(environment={}))
    reader = Listed([use(host), "jobs", "jobs"], secrets=["wrong", host.password])
    ran = run_lines(session=session, reader=reader)
    asked = [prompt for prompt in reader.prompts if "assword" in prompt]
    (name,) = session.known
    assert asked == [f"Password for {host.username} on {name}: "] * 2
    assert "wrong" not in ran.text
    assert "0 jobs" in ran.text or "no jobs" in ran.text


def test_no_password_at_the_prompt_is_an_interrupt_and_not_the_end(host: PracticeHost) -> None:
    before = host.stats.requests
    ran = run_lines(use(host), "help use")
    assert host.stats.requests == before
    assert "Choose the hosts" in ran.out


def test_a_change_that_destroys_is_asked_about(host: PracticeHost, fleet: PracticeFleet) -> None:
    url = fleet.files[1].url
    create = rf"create {url} C:\in\a.bin --name nightly --suspended"
    ran = run_lines(use(host), create, "cancel nightly", "n", session=session_for(host))
    assert "nothing was sent" in ran.text
    assert len(host.jobs()) == 1
    run_lines(use(host), "cancel nightly", "y", session=session_for(host))
    assert host.jobs() == ()


def test_the_shell_gives_back_what_it_took() -> None:
    session = Session(credentials=Credentials(environment={}))
    before = signal.getsignal(signal.SIGINT)
    run_lines("help", session=session)
    assert signal.getsignal(signal.SIGINT) is before
    assert session.credentials.ask is None


def test_ctrl_c_between_two_lines_does_nothing() -> None:
    class Pressing(Listed):
        def read(self, prompt: str) -> str:
            line = super().read(prompt)
            signal.raise_signal(signal.SIGINT)
            return line

    ran = run_lines(reader=Pressing(["help use", "help jobs"]))
    assert "List the jobs" in ran.out


class Hanging(Listed):
    """Makes the host hang on the line `jobs`, and presses Ctrl-C there."""

    def __init__(self, lines: list[str], host: PracticeHost, session: Session, times: int) -> None:
        super().__init__([*lines])
        self.host, self.session, self.times = host, session, times

    def read(self, prompt: str) -> str:
        line = super().read(prompt)
        if line == "jobs":
            self.host.faults.arm("hang", times=1)
            threading.Thread(
                target=self.press, args=[self.host.stats.requests], daemon=True
            ).start()
        return line

    def press(self, requests_before: int) -> None:
        wait_until(lambda: self.host.stats.requests > requests_before, "the host to be asked")
        for number in range(self.times):
            if number:
                wait_until(self.session.interrupts, "the first Ctrl-C to be noted")
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_winds_up_a_command_that_hangs(host: PracticeHost) -> None:
    session = session_for(host)
    reader = Hanging([use(host), "jobs", "help use", "jobs --timeout 10"], host, session, times=1)
    ran = run_lines(reader=reader, session=session)
    assert "interrupted: 1 failed" in ran.text
    assert "Choose the hosts" in ran.out
    assert "0 jobs on 1 host" in ran.out


def test_a_second_ctrl_c_breaks_off_at_once_and_does_not_leave_either(host: PracticeHost) -> None:
    session = session_for(host)
    reader = Hanging([use(host), "jobs", "help use", "jobs --timeout 10"], host, session, times=2)
    ran = run_lines(reader=reader, session=session)
    assert "Choose the hosts" in ran.out
    assert "0 jobs on 1 host" in ran.out


@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_without_a_console_lines_are_read_plainly(tmp_path: Path, term: str) -> None:
    """Under pytest neither standard stream is a terminal."""
    reader = make_reader(Session(), tmp_path / "history", {"TERM": term})
    assert isinstance(reader, PlainReader)


PLAIN = """
import sys
from bitsshell.session import Session
from bitsshell.shell.loop import run_shell
sys.exit(run_shell(Session()))
"""


def test_the_plain_reader_reads_lines_until_their_end() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PLAIN],
        input="frobnicate\nhelp use\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0
    assert "no verb" in ran.stderr
    assert "Choose the hosts" in ran.stdout


UNUSED = """
import sys
import bitsshell.shell, bitsshell.cli, bitsshell.shell.readers, bitsshell.shell.completer
names = ["winrm", "requests", "IPython", "keyring", "aiohttp", "tabulate", "spnego"]
print([name for name in names if name in sys.modules])
"""


def test_nothing_heavy_is_imported_before_a_command_needs_it() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", UNUSED], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout.strip() == "[]"
