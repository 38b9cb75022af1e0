"""End to end: the program in a terminal, as a person sees it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from shell_things import use, wait_until

pytest.importorskip("termios", reason="Windows has no pseudo-terminals like these")
from pty_screen import LINES, PtyShell  # it needs termios

if TYPE_CHECKING:
    from pathlib import Path

    from bitsshell.practice import PracticeFleet, PracticeHost


def test_the_four_steps_then_ctrl_c_in_a_watch_and_exit(
    tmp_path: Path, fresh_fleet: PracticeFleet, fresh_host: PracticeHost
) -> None:
    host, file = fresh_host, fresh_fleet.files[2]
    with PtyShell(tmp_path, BITSSHELL_REFRESH="off") as shell:
        shell.see("help lists the verbs")
        shell.see_prompt()
        shell.type(f"{use(host)}\r")
        shell.see(f"Password for {host.username} on ")
        shell.type(f"{host.password}\r")
        shell.see("connected")
        shell.run(rf"create {file.url} C:\in\r.csv --name 'my report' --suspended")
        shell.see("SUSPENDED, normal")
        shell.type("set my")
        shell.see("'my report'  SUSPENDED")
        shell.type("\t")
        shell.wait_for(lambda: shell.last_line.endswith("set 'my report'"), "the name by Tab")
        shell.type(" --priority foreground\r")
        shell.see("SUSPENDED, foreground")
        shell.run("resume 'my report'")
        shell.run("manage 'my report' --on-transferred complete --interval 0.1 --timeout 30")
        assert host.path(r"C:\in\r.csv").stat().st_size == file.size_bytes

        shell.type("watch --interval 0.1\r")
        shell.see("live, as of")
        shell.type("\x03")
        shell.see_prompt()
        shell.see("interrupted")
        shell.run("jobs")
        shell.type("exit\r")
        assert shell.wait_for_end() == 0
    assert host.password.encode() not in shell.raw
    assert host.password not in (tmp_path / "state" / "bitsshell" / "history").read_text()
    assert (host.stats.connections, host.stats.logons) == (1, 1)


def test_ctrl_c_and_ctrl_c_again_during_a_command_that_hangs(
    tmp_path: Path, host: PracticeHost
) -> None:
    with PtyShell(tmp_path, BITSSHELL_PASSWORD=host.password) as shell:
        shell.run(use(host))
        host.faults.arm("hang", times=1)
        requests = host.stats.requests
        shell.type("jobs\r")
        shell.wait_for(lambda: shell.last_line == "", "the command to begin")
        wait_until(lambda: host.stats.requests > requests, "the host to be asked")
        shell.type("\x03\x03")
        shell.see_prompt()
        shell.see("interrupted")
        shell.run("jobs --timeout 10")
        shell.see("0 jobs on 1 host")
        shell.type("\x04")
        assert shell.wait_for_end() == 0


def test_ctrl_c_at_every_prompt_leaves_it_there(tmp_path: Path, host: PracticeHost) -> None:
    before = host.stats.requests
    with PtyShell(tmp_path) as shell:
        shell.see_prompt()
        shell.type("half a line\x03")
        shell.see_prompt()
        shell.type(f"{use(host)}\r")
        shell.see("Password for")
        shell.type("half\x03")
        shell.see_prompt()
        os.kill(shell.process.pid, signal.SIGINT)
        shell.run("help use")
        shell.type("\x03\x03\x03exit\r")
        assert shell.wait_for_end() == 0
    assert host.stats.requests == before


def test_a_password_shows_neither_its_letters_nor_its_length(
    tmp_path: Path, host: PracticeHost
) -> None:
    with PtyShell(tmp_path) as shell:
        shell.see_prompt()
        shell.type(f"{use(host)}\r")
        shell.see("Password for")
        shell.type("secret-secret")
        shell.type("\x03")
        shell.see_prompt()
        line = next(line for line in shell.screen.display if "Password for" in line)
        asked = f"Password for {host.username} on {host.endpoint.split('/')[2]}:"
        assert line.rstrip().endswith(asked)
    assert b"secret" not in shell.raw
    assert b"***" not in shell.raw


def test_in_a_dumb_terminal_the_shell_is_plain(tmp_path: Path, host: PracticeHost) -> None:
    with PtyShell(tmp_path, TERM="dumb", BITSSHELL_PASSWORD=host.password) as shell:
        shell.run(use(host))
        shell.type("half a line\x03")
        shell.see_prompt()
        shell.run("jobs")
        shell.type("\x04")
        assert shell.wait_for_end() == 0
    assert b"\x1b" not in shell.raw
    assert shell.raw.endswith(b"\n")


def test_without_colours_none_are_written(tmp_path: Path, host: PracticeHost) -> None:
    with PtyShell(tmp_path, NO_COLOR="1", BITSSHELL_PASSWORD=host.password) as shell:
        shell.run(use(host))
        shell.run("jobs")
        shell.type("exit\r")
        assert shell.wait_for_end() == 0
    assert b"\x1b[31m" not in shell.raw
    assert b"\x1b[1m" not in shell.raw


def test_a_terminal_that_is_closed_ends_the_program(tmp_path: Path, host: PracticeHost) -> None:
    shell = PtyShell(tmp_path, BITSSHELL_PASSWORD=host.password)
    shell.run(use(host))
    shell.type("watch --interval 0.1\r")
    shell.see("live, as of")
    os.close(shell.master)
    assert shell.process.wait(30) != 0


def test_the_toolbar_stands_at_the_bottom_until_f2(tmp_path: Path) -> None:
    with PtyShell(tmp_path) as shell:
        shell.see_prompt()
        shell.see("no host chosen  |  F2 hides this")
        shell.type("\x1bOQ")
        shell.wait_for(lambda: "F2 hides" not in shell.text, "the toolbar to go")
        shell.type("\x04")
        assert shell.wait_for_end() == 0


@pytest.mark.parametrize(("environment", "expected"), [({}, "red"), ({"NO_COLOR": "1"}, "default")])
def test_a_verb_that_is_none_is_red_while_it_is_typed_unless_colours_are_not_wanted(
    tmp_path: Path, environment: dict[str, str], expected: str
) -> None:
    with PtyShell(tmp_path, **environment) as shell:
        shell.see_prompt()
        shell.type("frobnicate x")
        shell.see("frobnicate x")

        def colour() -> str:
            line = shell.screen.buffer[shell.screen.cursor.y]
            return str(line[len("bits> ")].fg)

        shell.wait_for(lambda: colour() == expected, f"{expected}, not {colour()}")
        shell.type("\x03\x04")
        assert shell.wait_for_end() == 0


def test_an_empty_prompt_takes_no_place_for_a_menu_from_the_last_answer(tmp_path: Path) -> None:
    with PtyShell(tmp_path) as shell:
        shell.see("F2 hides this")
        shell.type("help\r")
        shell.wait_for(lambda: shell.screen.cursor.y == LINES - 2, "the prompt at the bottom")
        shell.see_prompt()
        assert "F2 hides this" in shell.screen.display[LINES - 1]
        shell.type("re")
        shell.see("resume", "readonly", "bits> re")
        shell.type("\x03\x04")
        assert shell.wait_for_end() == 0


@pytest.mark.parametrize(("editing", "keys"), [("emacs", "\x18\x05"), ("vi", "\x1bv")])
def test_a_line_is_opened_in_the_editor_and_waits_for_enter(
    tmp_path: Path, editing: str, keys: str
) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed "s/explane/explain/" "$1" > "$1.new" && mv "$1.new" "$1"\n')
    editor.chmod(0o755)
    with PtyShell(tmp_path, EDITOR=str(editor), BITSSHELL_EDITING=editing) as shell:
        shell.see("F2 hides this")
        shell.type("explane 0x80190194")
        shell.see("explane 0x80190194")
        shell.type(keys)
        shell.wait_for(lambda: "explain 0x80190194" in shell.last_line, "what the editor wrote")
        shell.type("\r")
        shell.see("BG_E_HTTP_ERROR_404")
        shell.see_prompt()
        shell.type("\x04")
        assert shell.wait_for_end() == 0


def test_a_host_that_does_not_answer_is_named_while_it_is_waited_for(
    tmp_path: Path, host: PracticeHost
) -> None:
    with PtyShell(tmp_path, BITSSHELL_PASSWORD=host.password, BITSSHELL_REFRESH="off") as shell:
        shell.run(use(host))
        host.faults.arm("hang", times=1)
        shell.type("jobs\r")
        shell.see("waiting for 127.0.0.1", "s so far; Ctrl-C ends it")
        shell.type("\x03")
        shell.see_prompt()
        shell.see("interrupted")
        assert "waiting for" not in shell.text
        shell.type("\x04")
        assert shell.wait_for_end() == 0


@pytest.mark.parametrize("term", ["xterm-256color", "dumb"])
def test_what_was_typed_before_a_question_is_no_answer_to_it(
    tmp_path: Path, fresh_fleet: PracticeFleet, fresh_host: PracticeHost, term: str
) -> None:
    host, file = fresh_host, fresh_fleet.files[0]
    with PtyShell(tmp_path, TERM=term, BITSSHELL_PASSWORD=host.password) as shell:
        shell.run(use(host))
        shell.run(rf"create {file.url} C:\in\a --name alpha --suspended")
        shell.type("cancel alpha\ry\rjobs\r")
        shell.see("[y/N]")
        shell.type("n\r")
        shell.see("nothing was sent")
        shell.see_prompt()
        assert [job.name for job in host.jobs()] == ["alpha"]
        shell.type("\x04")
        assert shell.wait_for_end() == 0


def test_on_the_command_line_what_was_typed_before_a_question_is_no_answer_either(
    tmp_path: Path, fresh_fleet: PracticeFleet, fresh_host: PracticeHost
) -> None:
    host, file = fresh_host, fresh_fleet.files[0]
    options = ["-H", host.endpoint, "--user", host.username, "--auth", "basic"]
    create = rf"create {file.url} C:\in\a --name alpha --suspended"
    lines = ["-c", create, "-c", "cancel alpha"]
    with PtyShell(tmp_path, [*options, *lines], BITSSHELL_PASSWORD=host.password) as ran:
        ran.type("y\r")
        ran.see("[y/N]")
        ran.type("n\r")
        ran.see("nothing was sent")
        assert ran.wait_for_end() == 5
    assert [job.name for job in host.jobs()] == ["alpha"]
