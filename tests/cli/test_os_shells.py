"""Completion in the shells of the operating system; bash for real."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bitsshell.bits import Job, JobState
from bitsshell.fleet.knowledge import Knowledge, SnapshotFile
from bitsshell.fleet.snapshot import Snapshot
from bitsshell.os_shells import PowerShell, candidates, cut_posix, run, script, session_with

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMES = ("nightly", "my job", "it's")
JOBS = [
    Job(host="web01", id=f"9D5C4B47-36E2-4D5E-9A4F-1C2B3A49586{n}", name=name, state=JobState.ERROR)
    for n, name in enumerate(NAMES)
]


def knowledge() -> Knowledge:
    return Knowledge(
        {"web01": "http://web01:5985/wsman", "web02": "http://web02:5985/wsman"},
        Snapshot().with_host("web01", JOBS, at=datetime.now(UTC)),
        ("D:\\in\\",),
        ("http://files/a.iso",),
    )


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))


def texts(*done: str, typed: str = "") -> list[str]:
    return [found.text for found in candidates(list(done), typed, session_with(knowledge()))]


def test_verbs_and_what_only_the_command_line_has_come_first() -> None:
    assert texts(typed="comple") == ["complete", "completion"]
    assert texts(typed="dem") == ["demo"]


def test_options_before_the_verb_are_completed_and_skipped() -> None:
    assert "--host" in texts(typed="--ho")
    assert texts("-H", typed="web0") == ["web01", "web02"]
    assert texts("-H", "web01", "--tls", typed="resu") == ["resume"]


def test_jobs_hosts_options_and_places_come_from_what_is_kept() -> None:
    assert sorted(texts("show")) == sorted(NAMES)
    assert texts("show", "-H", "web01", typed="night") == ["nightly"]
    assert texts("show", "-H", "web02", typed="night") == []
    assert texts("jobs", "-H", typed="web01,web0") == ["web01,web01", "web01,web02"]
    assert texts("jobs", "--state", typed="err") == ["error"]
    assert texts("create", typed="http://f") == ["http://files/a.iso"]
    assert texts("create", "http://files/a.iso", typed="D:") == ["D:\\in\\"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bitsshell jobs --st", (["bitsshell", "jobs"], "--st", "")),
        ("bitsshell jobs ", (["bitsshell", "jobs"], "", "")),
        ("bitsshell show my\\ j", (["bitsshell", "show"], "my j", "")),
        ("bitsshell show 'my j", (["bitsshell", "show"], "my j", "'")),
        ('bitsshell show "my j', (["bitsshell", "show"], "my j", '"')),
        ("bitsshell show 'my job' ", (["bitsshell", "show", "my job"], "", "")),
        ("bitsshell jobs \\", (["bitsshell", "jobs"], "", "")),
        ("bitsshell show my\\", (["bitsshell", "show"], "my", "")),
        ("bitsshell show C:\\\\ ", (["bitsshell", "show", "C:\\"], "", "")),
        ('bitsshell show "abc\\', (["bitsshell", "show"], "abc", '"')),
        ("bitsshell show 'C:\\", (["bitsshell", "show"], "C:\\", "'")),
    ],
)
def test_a_line_is_cut_as_a_posix_shell_cuts_it(
    line: str, expected: tuple[list[str], str, str]
) -> None:
    assert cut_posix(line) == expected


_TAB = """
eval "$(bitsshell completion bash)"
complete -p bitsshell >&2
COMP_LINE=$1; COMP_POINT=${#1}; COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
_bitsshell_completion bitsshell
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def in_bash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """What bash itself makes of a Tab at the end of a line."""
    if sys.platform == "win32":
        pytest.skip("bash there is another system's")
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    from bitsshell.fleet.knowledge import snapshot_file

    file = SnapshotFile(snapshot_file())
    file.note(knowledge)
    file.flush(knowledge)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "bitsshell"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bitsshell "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}

    def complete(line: str) -> list[str]:
        ran = subprocess.run(
            [
                bash,
                "--norc",
                "-c",
                _TAB,
                "bash",
                line,
            ],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "_bitsshell_completion" in ran.stderr
        return ran.stdout.splitlines()

    return complete


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bitsshell resu", ["resume"]),
        ("bitsshell show my", ["my\\ job"]),
        ("bitsshell show 'my", ["'my job"]),
        ("bitsshell show it", ["it\\'s"]),
        ("bitsshell jobs --state=err", ["error"]),
        ("bitsshell create http://f", ["//files/a.iso"]),
        ("bitsshell create http://files/a.iso 'D:", ["'D:\\in\\"]),
        ("bitsshell jobs -H web02", ["web02"]),
    ],
)
def test_bash_completes(
    in_bash: Callable[[str], list[str]], line: str, expected: list[str]
) -> None:
    assert in_bash(line) == expected


def test_what_completes_does_not_import_what_connects_or_draws(tmp_path: Path) -> None:
    code = (
        "import sys; from bitsshell.cli import run; run([]);"
        "print(sorted({'winrm', 'requests', 'IPython', 'prompt_toolkit', 'tabulate'} "
        "& set(sys.modules)))"
    )
    line = "bitsshell show "
    environment = {
        **os.environ,
        "_BITSSHELL_COMPLETE": "bash_complete",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[-1] == "[]"


def test_powershell_gets_text_kind_and_tooltip_of_each() -> None:
    words = {"BITSSHELL_COMPLETE_WORDS": "bitsshell\nshow\nmy"}
    found = PowerShell(knowledge(), words).complete()
    assert found == "'my job'\tParameterValue\tERROR web01"


def test_powershell_doubles_quotes_and_tells_options() -> None:
    words = {"BITSSHELL_COMPLETE_WORDS": "bitsshell\nshow\nit"}
    assert PowerShell(knowledge(), words).complete().startswith("'it''s'\t")
    words = {"BITSSHELL_COMPLETE_WORDS": "bitsshell\njobs\n--stat"}
    assert PowerShell(knowledge(), words).complete().startswith("--state\tParameterName\t")


@pytest.mark.parametrize(
    ("shell", "registers"),
    [
        ("bash", "complete -o nosort -F _bitsshell_completion bitsshell"),
        ("zsh", "compdef _bitsshell_completion bitsshell"),
        ("fish", "complete --no-files --command bitsshell"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName bitsshell"),
    ],
)
def test_every_shell_has_a_script_that_registers_the_completion(shell: str, registers: str) -> None:
    text = script(shell)
    assert registers in text
    assert f"{shell}_complete" in text
    assert "%(" not in text


def test_another_shell_is_answered_with_how_to_use_it() -> None:
    out, err = io.StringIO(), io.StringIO()
    assert run(["tcsh"], out, err) == 2
    assert out.getvalue() == ""
    assert "bash|zsh|fish|powershell" in err.getvalue()
