"""The command `bitsshell practice`, run as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from practice_clients import BitsOverPypsrp, connect

from bitsshell.practice.command import practice

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the test ends it by a POSIX signal")


def start(*arguments: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bitsshell.practice", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


class Told:
    """A host as the line of JSON tells it."""

    def __init__(self, told: dict[str, str]) -> None:
        self.endpoint = told["endpoint"]
        self.username = told["username"]
        self.password = told["password"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_one_line_of_json_and_serves_until_it_is_told_to_end(number: int) -> None:
    process = start("--hosts", "2", "--json")
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert set(told) == {"hosts", "files"}
    assert [host["name"] for host in told["hosts"]] == ["practice01", "practice02"]
    root = Path(told["hosts"][0]["root"])
    assert root.is_dir()
    bits = BitsOverPypsrp(connect(Told(told["hosts"][0]), "ntlm"))
    bits.create(told["files"] + "hello.txt", r"C:\in\a.txt")
    bits.wsman.close()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert not root.parent.exists()


def test_the_password_may_be_given_and_the_page_says_what_to_paste(tmp_path: Path) -> None:
    environment = {**os.environ, "BITSSHELL_PASSWORD": "Given-1"}
    process = start("--hosts", "1", "--user", "admin", "--folder", str(tmp_path), env=environment)
    assert process.stdout is not None
    lines = []
    while not (lines and lines[-1].startswith("Ctrl-C")):
        lines.append(process.stdout.readline())
        assert lines[-1], process.communicate()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    page = "".join(lines)
    assert "user admin, password Given-1" in page
    assert "--user admin --auth basic" in page
    assert (tmp_path / "practice01" / "C" / "in").is_dir()


@pytest.mark.parametrize(
    "arguments",
    [["--hosts", "0"], ["--hosts", "x"], ["--locale", "xx"], ["--time-scale", "0"], ["--nothing"]],
)
def test_wrong_options_are_usage_errors(arguments: list[str]) -> None:
    assert CliRunner().invoke(practice, arguments).exit_code == 2


def test_what_cannot_start_is_said_in_one_line() -> None:
    result = CliRunner().invoke(practice, ["--bind", "elsewhere"])
    assert result.exit_code == 1
    assert "cannot start" in result.output
    assert "Traceback" not in result.output
