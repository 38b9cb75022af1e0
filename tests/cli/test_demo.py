"""`bitsshell demo`, run as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

DEMO = [sys.executable, "-m", "bitsshell", "demo"]


def test_the_demo_shows_that_the_file_arrived_and_ends_without_a_terminal() -> None:
    ran = subprocess.run(
        DEMO, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    for said in (
        "Step 1 of 4",
        "Step 4 of 4",
        "ACKNOWLEDGED",
        "8,388,608 bytes, SHA-256",
        "the same as on the file server",
        "1 connection and 1 logon",
    ):
        assert said in ran.stdout


def test_a_rehearsed_failure_ends_the_demo_as_it_would_end_the_work() -> None:
    ran = subprocess.run(
        [*DEMO, "--fault", "practice01:provider-missing"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 3
    assert "BITS-Compact-Server" in ran.stderr


def test_a_fault_that_does_not_exist_is_named_with_those_that_do() -> None:
    ran = subprocess.run(
        [*DEMO, "--fault", "earthquake"], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 2
    assert "no fault is called 'earthquake'" in ran.stderr
    assert "provider-missing" in ran.stderr


def test_an_unknown_option_says_where_help_is() -> None:
    ran = subprocess.run([*DEMO, "--fast"], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 2
    assert "next: bitsshell demo --help" in ran.stderr


@pytest.mark.skipif(os.name == "nt", reason="the test ends it by a POSIX signal")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_demo_that_is_ended_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        DEMO, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environment
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "Step 4 of 4" in line:
                break
        assert list(tmp_path.iterdir())
        demo.send_signal(getattr(signal, name))
        demo.stdout.read()
    assert demo.returncode == 128 + getattr(signal, name)
    assert list(tmp_path.iterdir()) == []
