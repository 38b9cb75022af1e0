"""Completion in bash, zsh and fish themselves: a person types, presses Tab and looks."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bitsshell.bits import Job, JobState
from bitsshell.fleet.knowledge import Knowledge, SnapshotFile
from bitsshell.fleet.snapshot import Snapshot

pytest.importorskip("termios", reason="Windows has no pseudo-terminals like these")
from pty_screen import PtyShell  # it needs termios

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("nightly", "my job", "it's", "a,b", "$HOME")
JOBS = [
    Job(host="web01", id=f"9D5C4B47-36E2-4D5E-9A4F-1C2B3A49586{n}", name=name, state=JobState.ERROR)
    for n, name in enumerate(NAMES)
]
PROMPT = "typed> "
SETUP: dict[str, tuple[str, ...]] = {
    "bash": (".bashrc", f"PS1='{PROMPT}'", 'eval "$(bitsshell completion bash)"'),
    "zsh": (
        ".zshrc",
        f"PS1='{PROMPT}'",
        "autoload -Uz compinit",
        "compinit -D",
        'eval "$(bitsshell completion zsh)"',
    ),
    "fish": (
        ".config/fish/config.fish",
        f"function fish_prompt; echo -n '{PROMPT}'; end",
        "set fish_autosuggestion_enabled 0",
        "set fish_greeting",
        "bitsshell completion fish | source",
    ),
}
"""The file that each shell reads when it starts, and its lines."""

START = {
    "bash": ["bash", "--noprofile", "-i"],
    "zsh": ["zsh", "-o", "no_global_rcs", "-i"],
    "fish": ["fish", "-i"],
}


@pytest.fixture(params=sorted(START))
def typed_in(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PtyShell]:
    """A shell of the operating system that has loaded our completion, at its prompt."""
    shell: str = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    # Else fish begins to read all man pages in a process that stays behind.
    monkeypatch.setenv("FISH_UNIT_TESTS_RUNNING", "1")
    keep(Knowledge({"web01": "http://web01:5985/wsman"}, known(), ("D:\\in\\",), ("http://f/a",)))
    name, *lines = SETUP[shell]
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    program = tmp_path / "bin" / "bitsshell"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bitsshell "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:/usr/local/bin:/usr/bin:/bin"
    with PtyShell(tmp_path, program=START[shell], PATH=path, LANG="C.UTF-8") as ran:
        ran.wait_for(lambda: ran.last_line == PROMPT.strip(), "the prompt")
        yield ran


def known() -> Snapshot:
    return Snapshot().with_host("web01", JOBS, at=datetime.now(UTC))


def keep(knowledge: Knowledge) -> None:
    from bitsshell.fleet.knowledge import snapshot_file

    file = SnapshotFile(snapshot_file())
    file.note(lambda: knowledge)
    file.flush(lambda: knowledge)


TYPED = {
    "job": "jobs",
    "jobs --state=transi": "jobs --state=transient-error",
    "jobs -H web": "jobs -H web01",
    "jobs -H db01,web": "jobs -H db01,web01",
    "show night": "show nightly",
    "show my": r"show my\ job",
    "show 'my": "show 'my job'",
    'show "my': 'show "my job"',
    "show it": r"show it\'s",
    "show a": "show a,b",
    "show '$H": "show '$HOME'",
    "create http://f/a 'D:": "create http://f/a 'D:\\in\\",
}


def test_tab_completes_verbs_options_hosts_jobs_and_places(typed_in: PtyShell) -> None:
    for typed, completed in TYPED.items():
        typed_in.type(f"bitsshell {typed}\t")
        wanted = closed(f"{PROMPT}bitsshell {completed}")
        typed_in.wait_for(lambda line=wanted: closed(typed_in.last_line) == line, wanted)
        typed_in.type("\x15")
        typed_in.wait_for(lambda: typed_in.last_line == PROMPT.strip(), "an empty line")


def closed(line: str) -> str:
    """A line without its last quote, which not every shell puts in; fish doubles backslashes."""
    return line.rstrip("\"'").replace("\\\\", "\\")


def test_several_candidates_are_shown_and_zsh_and_fish_say_what_is_known_of_them(
    typed_in: PtyShell,
) -> None:
    typed_in.type("bitsshell show \t\t")
    typed_in.see("nightly", "a,b")
    if "bash" not in typed_in.process.args:
        typed_in.see("ERROR web01")
