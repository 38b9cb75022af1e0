"""The magics with a configuration: its hosts, groups and aliases, and how its verbs show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from bitsshell.practice import PracticeHost


@pytest.fixture
def file(tmp_path: Path, host: PracticeHost, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration; taken before `shell`, so that it is there when the extension loads."""
    path = tmp_path / "c.toml"
    path.write_text(
        f"[defaults]\nuser = '{host.username}'\nauth = 'basic'\n"
        f"[hosts]\nfirst = '{host.endpoint}'\n"
        "[groups]\nall = 'first'\n[aliases]\nbad = 'jobs --state error'\n"
    )
    monkeypatch.setenv("BITSSHELL_CONFIG", str(path))
    return path


def test_hosts_groups_and_aliases_of_the_file_are_known(
    file: Path, shell: InteractiveShell
) -> None:
    hosts = shell.run_line_magic("bits_use", "@all")
    assert [found.name for found in hosts] == ["first"]
    assert shell.run_line_magic("bits", "bad").ok


def test_what_config_and_doctor_say_stands_line_by_line(
    file: Path, shell: InteractiveShell
) -> None:
    shown = shell.run_line_magic("bits_config", "show")._repr_mimebundle_()["text/plain"]
    assert 'bad = "jobs --state error"' in shown.splitlines()
    checks = shell.run_line_magic("bits_doctor", "first")
    assert repr(checks) == "<Checks of doctor: 7 checks>"
    assert {check.state.value for check in checks} == {"ok"}
    assert "enumeration" in checks._repr_mimebundle_()["text/html"]


def test_a_mistake_in_the_file_is_said_in_two_lines(
    file: Path, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("auht = 1\n")
    assert not shell.run_cell("%bits_jobs").success
    first, second = capsys.readouterr().out.strip().splitlines()
    assert "'auht' is no table here" in first
    assert second.startswith("next: ")
