"""End to end: `watch` on a terminal, from the command line and inside the shell."""

from __future__ import annotations

import os
import signal
import struct
from typing import TYPE_CHECKING

import pytest
from shell_things import use

from bitsshell.practice import EngineSettings, JobState, PracticeFleet, PracticeSettings

pytest.importorskip("termios", reason="Windows has no pseudo-terminals like these")
import fcntl
import termios

from pty_screen import COLUMNS, PtyShell  # it needs termios

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bitsshell.practice import PracticeHost

ALTERNATE, BACK = b"\x1b[?1049h", b"\x1b[?1049l"


@pytest.fixture
def slow() -> Iterator[PracticeFleet]:
    """A fleet whose transfers can be watched."""
    settings = PracticeSettings(engine=EngineSettings(transfer_bytes_per_s=50_000))
    with PracticeFleet(hosts=1, settings=settings) as fleet:
        yield fleet


def options(host: PracticeHost) -> list[str]:
    return ["-H", host.endpoint, "--user", host.username, "--auth", "basic"]


def create(fleet: PracticeFleet, name: str = "nightly") -> str:
    largest = max(fleet.files, key=lambda file: file.size_bytes)
    return rf"create {largest.url} C:\in\{name} --name {name} --suspended"


def made(host: PracticeHost, fleet: PracticeFleet, folder: Path) -> None:
    """A suspended job on the host."""
    with PtyShell(
        folder, [*options(host), "-c", create(fleet)], BITSSHELL_PASSWORD=host.password
    ) as ran:
        assert ran.wait_for_end() == 0


def test_from_the_command_line_a_job_is_resumed_watched_and_left_on_the_screen(
    tmp_path: Path, slow: PracticeFleet
) -> None:
    host = slow.hosts[0]
    made(host, slow, tmp_path)
    with PtyShell(
        tmp_path,
        [*options(host), "watch", "--interval", "0.2"],
        BITSSHELL_PASSWORD=host.password,
    ) as shell:
        shell.see("> nightly", "SUSPENDED", "? help")
        shell.type("r")
        shell.see("TRANSFERRING", "KiB/s")
        shell.type("s")
        host.wait_for(lambda jobs: jobs[0].state is JobState.SUSPENDED)
        shell.see("SUSPENDED")
        shell.type("q")
        assert shell.wait_for_end() == 0
        assert "stopped, as of" in shell.text
        assert "nightly" in shell.text
    after = shell.raw.index(BACK)
    assert shell.raw.index(ALTERNATE) < after
    assert b"stopped, as of" in shell.raw[after:]
    assert b"? help" not in shell.raw[after:]


def test_in_the_shell_the_prompt_comes_back_with_what_was_there_before(
    tmp_path: Path, slow: PracticeFleet
) -> None:
    host = slow.hosts[0]
    with PtyShell(tmp_path, BITSSHELL_PASSWORD=host.password) as shell:
        shell.run(use(host))
        shell.run(create(slow))
        for leave, said in (("q", "stopped, as of"), ("\x03", "interrupted")):
            shell.type("watch --interval 0.1\r")
            shell.see("> nightly", "? help")
            shell.type(leave)
            shell.see_prompt()
            shell.see(said)
        shell.run("jobs")
        shell.type("exit\r")
        assert shell.wait_for_end() == 0


def test_ctrl_c_as_a_signal_leaves_the_view(tmp_path: Path, slow: PracticeFleet) -> None:
    host = slow.hosts[0]
    with PtyShell(tmp_path, [*options(host), "watch"], BITSSHELL_PASSWORD=host.password) as shell:
        shell.see("no jobs", "? help")
        os.kill(shell.process.pid, signal.SIGINT)
        assert shell.wait_for_end() == 130


def test_a_screen_that_is_resized_is_drawn_anew(tmp_path: Path, slow: PracticeFleet) -> None:
    host = slow.hosts[0]
    made(host, slow, tmp_path)
    with PtyShell(tmp_path, [*options(host), "watch"], BITSSHELL_PASSWORD=host.password) as shell:
        shell.see("> nightly", "? help")
        shell.screen.resize(12, COLUMNS)
        size = struct.pack("HHHH", 12, COLUMNS, 0, 0)
        fcntl.ioctl(shell.master, termios.TIOCSWINSZ, size)
        os.kill(shell.process.pid, signal.SIGWINCH)
        shell.wait_for(
            lambda: "? help" in shell.screen.display[11] and "live" in shell.screen.display[0],
            "the keys on the last of 12 lines",
        )
        shell.type("q")
        assert shell.wait_for_end() == 0


def test_a_terminal_that_is_closed_during_a_watch_ends_the_process(
    tmp_path: Path, slow: PracticeFleet
) -> None:
    host = slow.hosts[0]
    shell = PtyShell(tmp_path, [*options(host), "watch"], BITSSHELL_PASSWORD=host.password)
    shell.see("no jobs", "? help")
    os.close(shell.master)
    assert shell.process.wait(30) != 0


def test_on_a_dumb_terminal_a_watch_is_lines_that_a_person_reads(
    tmp_path: Path, slow: PracticeFleet
) -> None:
    host = slow.hosts[0]
    made(host, slow, tmp_path)
    with PtyShell(
        tmp_path,
        [*options(host), "watch", "--interval", "0.1"],
        TERM="dumb",
        BITSSHELL_PASSWORD=host.password,
    ) as shell:
        shell.wait_for(lambda: b"nightly" in shell.raw, "the job as a line")
        shell.type("\x03")
        assert shell.wait_for_end() == 130
    assert b"\x1b" not in shell.raw
    assert b"{" not in shell.raw


def test_without_colours_the_view_has_none(tmp_path: Path, slow: PracticeFleet) -> None:
    host = slow.hosts[0]
    made(host, slow, tmp_path)
    with PtyShell(
        tmp_path, [*options(host), "watch"], NO_COLOR="1", BITSSHELL_PASSWORD=host.password
    ) as shell:
        shell.see("SUSPENDED", "? help")
        shell.type("q")
        assert shell.wait_for_end() == 0
    assert ALTERNATE in shell.raw
    assert b"\x1b[0;90m" not in shell.raw
