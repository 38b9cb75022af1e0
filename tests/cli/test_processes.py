"""`python -m bitsshell` as a program of its own: the four steps, standard input, Ctrl-C, start."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bitsshell.fleet.credentials import PASSWORD_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consoles import Site

PROGRAM = [sys.executable, "-m", "bitsshell"]
NOT_POSIX = sys.platform == "win32"


def environment(site: Site) -> dict[str, str]:
    return {**os.environ, PASSWORD_VARIABLE: site.host.password, "PYTHONUTF8": "1"}


def bitsshell(site: Site, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        input=stdin,
        env=environment(site),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_the_four_steps_bring_the_file(site: Site, auth: str) -> None:
    file = site.file("package.zip")
    at = ["-H", site.host.endpoint, "--user", site.host.username, "--auth", auth]

    def step(verb: str, *more: str) -> str:
        ran = bitsshell(site, verb, *at, *more)
        assert ran.returncode == 0, ran.stderr
        assert ran.stderr == ""
        return ran.stdout

    (job,) = json.loads(step("create", file.url, r"C:\in\a.bin", "--suspended", "-o", "json"))
    assert job["state"] == "SUSPENDED"
    assert job["id"][:8] in step("jobs")
    step("set", job["id"], "--priority", "foreground")
    step("resume", job["id"])
    step("watch", job["id"], "--interval", "0.2")
    manage = ("--on-transferred", "complete", "--interval", "0.2", "--timeout", "30")
    assert "ACKNOWLEDGED" in step("manage", job["id"], *manage)
    assert hashlib.sha256(site.arrived("a.bin").read_bytes()).hexdigest() == file.sha256
    assert step("jobs", "-o", "json") == "[]\n"


@pytest.mark.parametrize("how", ["-c", "-", "nothing"])
def test_the_four_steps_as_lines(site: Site, how: str) -> None:
    lines = [
        f"use {site.host.endpoint} --user {site.host.username} --auth ntlm",
        rf"create {site.url} 'C:\in\a.bin' --name nightly --suspended",
        "set nightly --priority foreground",
        "resume nightly",
        "manage nightly --interval 0.2 --timeout 30",
    ]
    if how == "-c":
        ran = bitsshell(site, *(word for line in lines for word in ("-c", line)))
    else:
        ran = bitsshell(site, *(["-"] if how == "-" else []), stdin="\n".join(lines))
    assert ran.returncode == 0, ran.stderr
    assert site.arrived("a.bin").read_bytes().startswith(b"Hello")


def test_version_starts_without_what_it_does_not_need() -> None:
    heavy = [
        "winrm", "requests", "lxml", "click", "IPython", "tabulate", "keyring", "prompt_toolkit",
        "aiohttp", "asyncio", "bitsshell.session", "bitsshell.wsman",
    ]  # fmt: skip
    code = (
        "import sys\nfrom bitsshell.cli import run\ncode = run(['--version'])\n"
        f"print([name for name in {heavy!r} if name in sys.modules], code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    version, loaded = ran.stdout.splitlines()
    assert version.startswith("bitsshell ")
    assert loaded == "[] 0"


def test_a_verb_starts_without_shell_notebook_keyring_and_practice(site: Site) -> None:
    heavy = ["IPython", "keyring", "prompt_toolkit", "aiohttp", "bitsshell.practice"]
    code = (
        "import sys\nfrom bitsshell.cli import run\n"
        f"code = run(['jobs', '-H', {site.host.endpoint!r}, '--user', {site.host.username!r}, "
        "'--auth', 'basic', '-o', 'json'])\n"
        f"print([name for name in {heavy!r} if name in sys.modules], code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=60, check=True, env=environment(site),
    )  # fmt: skip
    assert ran.stdout.splitlines() == ["[]", "[] 0"]


@contextmanager
def started(site: Site, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        env=environment(site),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(NOT_POSIX, reason="SIGINT cannot be sent to one process on Windows")
def test_ctrl_c_during_manage_leaves_the_job_and_says_so(site: Site) -> None:
    made = bitsshell(
        site, "create", "-H", site.host.endpoint, "--user", site.host.username, "--auth", "basic",
        site.url, r"C:\in\a", "--name", "nightly", "--suspended",
    )  # fmt: skip
    assert made.returncode == 0
    at = ["-H", site.host.endpoint, "--user", site.host.username, "--auth", "basic"]
    with started(site, "manage", "nightly", "--interval", "0.1", *at) as process:
        assert process.stdout is not None
        assert "present" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "1 job goes on without being watched" in err
    assert len(site.host.jobs()) == 1


@pytest.mark.skipif(NOT_POSIX, reason="there is no such pipe on Windows")
def test_a_pipe_that_closes_early_ends_it_quietly(site: Site) -> None:
    # More than a pipe holds: nothing can have been written before it was closed.
    with started(site, "help", *["jobs"] * 200) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
        code = process.wait(timeout=20)
    assert "Traceback" not in err
    assert code == 141


@pytest.mark.parametrize(
    ("options", "said"), [([], "stopped at line 1"), (["--keep-going"], "failed at line 1")]
)
def test_lines_end_at_the_first_that_fails_unless_told_to_go_on(
    site: Site, options: list[str], said: str
) -> None:
    ran = bitsshell(site, *options, "-c", "nonsense", "-c", "help exit-codes")
    assert ran.returncode == 2
    assert said in ran.stderr
    assert ("what the numbers mean" in ran.stdout) is bool(options)
