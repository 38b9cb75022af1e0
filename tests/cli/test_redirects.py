"""`| command`, `> file`, `>> file`, and the pager."""

from __future__ import annotations

import errno
import io
import os
import shlex
import signal
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from bitsshell.cli import run_lines
from bitsshell.commands.redirect import Into, Redirect, split_redirect
from bitsshell.errors import UsageError
from bitsshell.outlets import (
    CommandOutlet,
    FileOutlet,
    Outlet,
    Paged,
    open_outlet,
    page_with,
    pager_words,
)
from bitsshell.practice import JobState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consoles import Console, Site


@pytest.fixture
def console(site: Site) -> Console:
    console = site.console(2)
    made = console(rf"create {site.url} C:\in\one --name one --suspended --yes")
    assert made.code == 0, made.err
    return console


def python(code: str) -> str:
    """A command line that runs Python, for any operating system's shell."""
    if sys.platform == "win32":
        return f'"{sys.executable}" -c "{code}"'
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


UPPER = python("import sys; print(sys.stdin.read().upper())")


# Cutting


@pytest.mark.parametrize(
    ("line", "words", "redirect"),
    [
        ("jobs", ["jobs"], None),
        ("jobs | sort -k2 | head", ["jobs"], Redirect(Into.COMMAND, "sort -k2 | head")),
        ("jobs |sort", ["jobs"], Redirect(Into.COMMAND, "sort")),
        ("jobs | awk '{print $1}'", ["jobs"], Redirect(Into.COMMAND, "awk '{print $1}'")),
        ("jobs > 'my jobs.tsv'", ["jobs"], Redirect(Into.FILE, "my jobs.tsv")),
        ("jobs >>all.tsv # so", ["jobs"], Redirect(Into.END_OF_FILE, "all.tsv")),
        ("show 'a | b'", ["show", "a | b"], None),
        ("add one http://f/?a|b C:\\in\\x>y", ["add", "one", "http://f/?a|b", "C:\\in\\x>y"], None),
        ("jobs --where 'size > 1G'", ["jobs", "--where", "size > 1G"], None),
        ("jobs # | sort", ["jobs"], None),
    ],
)
def test_an_operator_is_a_word_of_its_own_outside_quotes(
    line: str, words: list[str], redirect: Redirect | None
) -> None:
    assert split_redirect(line) == (words, redirect)


@pytest.mark.parametrize(
    "line", ["jobs |", "jobs || x", "jobs >", "jobs > a b", "jobs > > b", "jobs >>"]
)
def test_an_operator_with_nothing_behind_it_is_not_understood(line: str) -> None:
    with pytest.raises(UsageError):
        split_redirect(line)


# Commands


def test_data_goes_through_a_command_and_errors_stay(site: Site, console: Console) -> None:
    site.hosts[1].faults.arm("access-denied")
    ran = console(f"jobs --cols host,name | {UPPER}")
    assert ran.code == 1
    assert ran.out.split() == ["HOST", "NAME", "PRACTICE01", "ONE"]
    assert "practice02" in ran.err


def test_the_form_that_was_asked_for_goes_through(console: Console) -> None:
    ran = console(f"jobs -H practice01 --cols name -o json | {UPPER}")
    assert ran.out.split() == ["[", "{", '"NAME":', '"ONE"', "}", "]"]


def test_the_exit_code_is_that_of_the_line(console: Console) -> None:
    assert console(f"jobs | {python('raise SystemExit(7)')}").code == 0
    assert console(f"show nothere | {UPPER}").code == 2


def test_a_command_that_stops_reading_takes_nothing_from_a_change(
    site: Site, console: Console
) -> None:
    ran = console(f"cancel '*' --yes | {python('import sys; sys.stdin.close()')}")
    assert ran.code == 0
    assert not site.hosts[0].jobs()
    assert not site.hosts[1].jobs()


def test_help_goes_through_as_text(console: Console) -> None:
    assert "HELP VERB SAYS MORE" in console(f"help | {UPPER}").out


def test_arguments_that_an_os_shell_gives_are_never_operators(console: Console) -> None:
    ran = console.words("jobs", "|", "sort")
    assert (ran.code, ran.out) == (2, "")


# Files


def test_a_file_is_replaced_and_appended_to(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "my jobs.tsv"
    file.write_text("old\n", "utf-8")
    ran = console(f"jobs -H practice01 --cols name > '{file}'")
    assert (ran.code, ran.out) == (0, "")
    assert file.read_text("utf-8") == "name\none\n"
    assert console(f"jobs -H practice01 --cols name -o csv >> '{file}'").code == 0
    assert file.read_text("utf-8") == "name\none\none\n"
    assert console(f"jobs -H practice01 --cols state >> '{file}'").code == 0
    assert file.read_text("utf-8") == "name\none\none\nstate\nSUSPENDED\n"


@pytest.mark.parametrize("line", ["nonsense", "show nothere", "jobs -H ''", "jobs --cols x"])
def test_a_line_that_is_not_understood_keeps_the_old_text(
    console: Console, tmp_path: Path, line: str
) -> None:
    file = tmp_path / "kept.tsv"
    file.write_text("old\n", "utf-8")
    assert console(f"{line} > '{file}'").code == 2
    assert file.read_text("utf-8") == "old\n"


def test_a_change_is_not_sent_when_the_file_cannot_be_written(
    site: Site, console: Console, tmp_path: Path
) -> None:
    ran = console(f"cancel '*' --yes > '{tmp_path}'")
    assert (ran.code, "cannot be written" in ran.err) == (2, True)
    assert len(site.host.jobs()) == 1


def test_a_plan_as_powershell_becomes_a_script_file(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "cancel.ps1"
    assert console(f"cancel one --as powershell > '{file}'").code == 0
    lines = file.read_text("utf-8").splitlines()
    assert all(line.startswith(("#", "$", "Invoke-")) or not line for line in lines)


def test_a_full_disk_is_said_after_everything_was_done(site: Site, console: Console) -> None:
    if sys.platform != "linux":
        pytest.skip("/dev/full is a device of Linux")
    ran = console("cancel '*' --yes > /dev/full")
    assert ran.code == 3
    assert "not everything was written" in ran.err
    assert not site.host.jobs()


def test_what_a_host_says_is_one_cell_of_one_line(site: Site, tmp_path: Path) -> None:
    console = site.console()
    name = "a\tb\u202e"
    made = console.words("create", site.url, r"C:\in\a", "--name", name, "--suspended")
    assert made.code == 0, made.err
    file = tmp_path / "jobs.tsv"
    console(f"jobs --cols name,state > '{file}'")
    assert file.read_text("utf-8") == "name\tstate\na\\tb\\u202e\tSUSPENDED\n"


def test_an_outlet_keeps_the_old_text_until_something_is_written(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text("old", "utf-8")
    FileOutlet(file, appends=False).finish(is_well=False)
    assert file.read_text("utf-8") == "old"
    FileOutlet(file, appends=False).finish(is_well=True)
    assert file.read_text("utf-8") == ""


def test_a_device_has_no_old_text_to_be_taken_away(console: Console) -> None:
    assert console(f"jobs > {os.devnull}").code == 0
    assert console(f"jobs -H practice01 --state error > {os.devnull}").code == 0


def test_what_fails_when_a_file_is_closed_is_said(tmp_path: Path) -> None:
    outlet = FileOutlet(tmp_path / "x", appends=False)
    os.close(outlet._file.fileno())
    outlet.finish(is_well=True)
    assert outlet.problem == os.strerror(errno.EBADF)


# Readers that quit, and Ctrl-C


class Refusing(Outlet):
    """An outlet that the system refuses to write to."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code

    def put(self, text: str) -> None:
        raise OSError(self.code, "refused")


@pytest.mark.parametrize(
    ("code", "is_windows", "problem"),
    [
        (errno.EPIPE, False, None),
        (errno.EPIPE, True, None),
        (errno.EINVAL, True, None),  # so it says there that the reader has quit
        (errno.EINVAL, False, "refused"),
        (errno.ENOSPC, True, "refused"),
    ],
)
def test_a_reader_that_quits_is_no_problem_a_full_disk_is_one(
    monkeypatch: pytest.MonkeyPatch, code: int, is_windows: bool, problem: str | None
) -> None:
    monkeypatch.setattr("bitsshell.readers_gone.IS_WINDOWS", is_windows)
    outlet = Refusing(code)
    assert outlet.write("text") == 4
    assert (outlet.is_gone, outlet.problem) == (True, problem)


@pytest.fixture
def ctrl_c_when_it_is_heard() -> Iterator[None]:
    """As in the shell between two commands: Ctrl-C does nothing, and is pressed once it would."""

    def press() -> None:
        while signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            if is_over.wait(0.01):
                return
        os.kill(os.getpid(), signal.SIGINT)

    if sys.platform == "win32":
        pytest.skip("a process there cannot send itself a Ctrl-C")
    is_over = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: None)
    presser = threading.Thread(target=press)
    presser.start()
    yield
    is_over.set()
    presser.join()
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_when_it_is_heard")
def test_ctrl_c_ends_a_command_that_goes_on_without_input() -> None:
    outlet = CommandOutlet("exec sleep 60", io.StringIO())
    with pytest.raises(KeyboardInterrupt):
        outlet.finish(is_well=True)


@pytest.mark.usefixtures("ctrl_c_when_it_is_heard")
def test_ctrl_c_ends_the_wait_for_a_reader_of_a_named_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(KeyboardInterrupt):
        open_outlet(Redirect(Into.FILE, str(pipe)), io.StringIO())


# Pager


def test_only_what_is_too_tall_is_paged() -> None:
    out, paged = io.StringIO(), []

    def page(text: str) -> bool:
        paged.append(text)
        return True

    stream = Paged(out, height=lambda: 5, page=page)
    stream.write("1\n2\n3\n4\n")
    assert (out.getvalue(), paged) == ("1\n2\n3\n4\n", [])
    stream.write("1\n2\n3\n4\n5\n")
    assert len(paged) == 1
    assert out.getvalue() == "1\n2\n3\n4\n"


def test_without_a_pager_everything_is_written() -> None:
    out = io.StringIO()
    Paged(out, height=lambda: 1, page=page_with({"PAGER": ""})).write("1\n2\n")
    Paged(out, height=lambda: 1, page=page_with({"PAGER": "no-such-pager"})).write("3\n4\n")
    Paged(out, height=lambda: 1, page=page_with({"PAGER": 'less "'})).write("5\n6\n")
    assert out.getvalue() == "1\n2\n3\n4\n5\n6\n"


def test_a_pager_that_the_system_cannot_start_is_none(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("what is a program there is said by its name")
    broken = tmp_path / "pager"
    broken.write_text("#!/no/such/interpreter\n", "utf-8")
    broken.chmod(0o755)
    assert not page_with({"PAGER": str(broken)})("tall\n")


def test_the_usual_pager_keeps_colours_and_the_screen_and_is_left_by_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform == "win32":
        pytest.skip("what is a program there is said by its name")
    less = tmp_path / "less"
    less.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/options\ncat > {tmp_path}/text\n', "utf-8")
    less.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert page_with({})("tall\n")
    assert (tmp_path / "options").read_text("utf-8") == "-RXK\n"
    assert (tmp_path / "text").read_text("utf-8") == "tall\n"


def test_a_pager_of_windows_may_stand_in_quotes() -> None:
    said = r'"C:\Program Files\less\less.exe" -R'
    words = [r"C:\Program Files\less\less.exe", "-R"]
    assert pager_words(said, is_posix=False) == words


def test_a_pager_gets_the_text(tmp_path: Path) -> None:
    file = tmp_path / "seen"
    code = f"import sys; open(r'{file}', 'w', encoding='utf-8').write(sys.stdin.read())"
    command = f'"{sys.executable}" -c "{code}"' if sys.platform != "win32" else ""
    if not command:
        pytest.skip("quoting of $PAGER is of POSIX")
    assert page_with({"PAGER": command})("tall\n")
    assert file.read_text("utf-8") == "tall\n"


# Scripts


def test_the_first_line_that_fails_ends_a_script_unless_told_to_go_on(
    site: Site, console: Console
) -> None:
    made = console(rf"create {site.missing} C:\in\gone --name gone --yes")
    assert made.code == 0
    site.host.wait_for(lambda jobs: jobs[-1].state is JobState.ERROR)
    lines = ["nonsense", "show nothere", "suspend one --yes"]
    out, err = io.StringIO(), io.StringIO()
    console.terminal.out, console.terminal.err = out, err
    assert run_lines(lines, console.terminal, "script") == 2
    assert "stopped at line 1 of script: nonsense" in err.getvalue()
    assert out.getvalue() == ""
    assert run_lines(lines, console.terminal, "script", keeps_going=True) == 2
    assert "failed at line 2 of script: show nothere" in err.getvalue()
    assert "already so" in out.getvalue()
    assert run_lines(["jobs", "exit", "nonsense"], console.terminal, keeps_going=True) == 0
