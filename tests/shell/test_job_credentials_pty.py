"""The password of jobs, typed in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from shell_things import use

pytest.importorskip("termios", reason="Windows has no pseudo-terminals like these")
from pty_screen import PtyShell  # it needs termios

from bitsshell.practice.file_modes import PASSWORD, USERNAME

if TYPE_CHECKING:
    from pathlib import Path

    from bitsshell.practice import PracticeFleet, PracticeHost


def test_it_is_asked_for_without_an_echo_and_kept_nowhere(
    tmp_path: Path, fresh_fleet: PracticeFleet, fresh_host: PracticeHost
) -> None:
    host, url = fresh_host, fresh_fleet.file_url("hello.txt", "basic")
    with PtyShell(tmp_path, BITSSHELL_PASSWORD=host.password, BITSSHELL_REFRESH="off") as shell:
        shell.see_prompt()
        shell.run(use(host))
        shell.run(rf"create {url} C:\in\g.txt --name g --suspended")
        shell.type(f"credentials g --job-user {USERNAME} --scheme basic\r")
        shell.see(f"Password of {USERNAME} for jobs:")
        shell.type(f"{PASSWORD}\r")
        shell.see_prompt()
        shell.run("resume g")
        shell.run("manage g --on-transferred complete --interval 0.1 --timeout 30")
        assert host.path(r"C:\in\g.txt").exists()
        shell.type("exit\r")
        assert shell.wait_for_end() == 0
    assert PASSWORD.encode() not in shell.raw
    for kept in (tmp_path / "state").rglob("*"):
        assert kept.is_dir() or PASSWORD.encode() not in kept.read_bytes()
