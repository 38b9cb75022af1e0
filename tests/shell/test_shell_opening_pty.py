"""End to end: what stands before the first prompt, and what can go wrong behind it."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("termios", reason="Windows has no pseudo-terminals like these")
from pty_screen import PtyShell  # it needs termios

if TYPE_CHECKING:
    from pathlib import Path

BEFORE_THE_PROMPT = {
    "bitsshell",
    "bitsshell.cli",
    "bitsshell.concealed",
    "bitsshell.errors",
    "bitsshell.known_secrets",
    "bitsshell.shell",
    "bitsshell.shell.bare",
    "bitsshell.shell.consoles",
    "bitsshell.shell.history",
    "bitsshell.shell.opening",
    "bitsshell.shell.signals",
    "bitsshell.state_files",
}
"""And prompt_toolkit: nothing else is worth the time of who waits for a prompt."""


def test_nothing_but_what_a_prompt_needs_is_imported_before_it_stands(tmp_path: Path) -> None:
    program = (sys.executable, "-X", "importtime", "-m", "bitsshell")
    with PtyShell(tmp_path, program=program) as shell:
        shell.wait_for(lambda: b"bits>" in shell.raw, "the prompt")
        early = shell.raw[: shell.raw.index(b"bits>")].decode()
        shell.wait_for(lambda: b"bitsshell.session" in shell.raw, "the rest")
    imported = set(re.findall(r"^import time:.*\| +(\S+)\r?$", early, re.MULTILINE))
    assert {name for name in imported if name.startswith("bitsshell")} == BEFORE_THE_PROMPT
    foreign = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert {"prompt_toolkit"} <= foreign
    assert not foreign & {
        "click",
        "lxml",
        "requests",
        "winrm",
        "tabulate",
        "ClusterShell",
        "IPython",
    }


def test_a_mistake_in_the_configuration_takes_the_prompt_away_and_says_where(
    tmp_path: Path,
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[defaults]\ncolour = 3\n")
    with PtyShell(tmp_path, BITSSHELL_CONFIG=str(config)) as shell:
        shell.type("help use\r")
        assert shell.wait_for_end() == 2
        assert f"{config}:2" in shell.text.replace("\n", "")
        assert "bits>" not in shell.text
        assert "Choose the hosts" not in shell.text


def test_a_mistake_in_the_options_is_said_without_a_prompt(tmp_path: Path) -> None:
    with PtyShell(tmp_path, ["-H", "web[01-"]) as shell:
        assert shell.wait_for_end() == 2
        assert "web[01-" in shell.text
    assert b"bits>" not in shell.raw


@pytest.mark.parametrize(
    ("arguments", "prompt"), [([], "bits>"), (["-H", "web[01-03]"], "bits 3 hosts>")]
)
def test_keys_that_came_before_the_prompt_stand_behind_it_and_nowhere_else(
    tmp_path: Path, arguments: list[str], prompt: str
) -> None:
    with PtyShell(tmp_path, arguments) as shell:
        shell.type("help use")  # the terminal itself shows it, for nobody reads yet
        shell.see(f"{prompt} help use", "F2 hides this")
        lines = shell.text.splitlines()
        assert [line.rstrip() for line in lines if "help use" in line] == [f"{prompt} help use"]


def test_options_hold_from_the_first_prompt_on(tmp_path: Path) -> None:
    with PtyShell(tmp_path, ["-H", "web[01-03]"]) as shell:
        shell.see("bits 3 hosts>")
        shell.see_prompt()
        shell.type("\x04")
        assert shell.wait_for_end() == 0
