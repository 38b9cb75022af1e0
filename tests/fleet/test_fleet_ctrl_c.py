"""Ctrl-C with hosts that never answer: real processes, real sockets, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from silent_hosts import SilentHosts

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console, the tests' own too"
)

HOSTS = 32
LIMIT_S = 3.0
"""The promise is one second; a machine that is busy with other tests may take longer."""

FAN_OUT = """
import sys
from bitsshell.bits import ListJobs
from bitsshell.fleet.channels import ChannelPool, Task
from bitsshell.fleet.credentials import Credential
from bitsshell.fleet.fanout import fan_out
from bitsshell.fleet.interrupts import Interrupts
from bitsshell.fleet.targets import Auth, parse_target
from bitsshell.fleet.threads import DaemonExecutor

ann = Credential(Auth.BASIC, "ann", "x")
tasks = [Task(parse_target(url), ann, ListJobs()) for url in sys.argv[1:]]
interrupts = Interrupts()
with interrupts.deferred():
    try:
        for outcome in fan_out(
            tasks,
            executor=DaemonExecutor(),
            pool=ChannelPool(),
            stop=lambda: KeyboardInterrupt if interrupts() else None,
        ):
            print(type(outcome.error).__name__)
    except KeyboardInterrupt:
        print("ended")
"""


def interrupted(arguments: list[str], silent: SilentHosts, asked: int) -> tuple[str, int, float]:
    """Run Python until that many hosts were asked, press Ctrl-C; output, code, seconds taken."""
    environment = {**os.environ, "BITSSHELL_PASSWORD": "x"}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert silent.wait_asked(asked), f"only {silent.asked} hosts were asked"
        began_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        return out, process.returncode, time.monotonic() - began_s
    finally:
        process.kill()


def test_thirty_two_hosts_that_never_answer_do_not_hold_ctrl_c() -> None:
    with SilentHosts(HOSTS) as silent:
        out, code, took_s = interrupted(["-c", FAN_OUT, *silent.urls], silent, HOSTS)
    assert out.splitlines() == ["Interrupted"] * HOSTS + ["ended"]
    assert code == 0
    assert took_s < LIMIT_S


def test_the_command_line_says_of_every_host_what_became_of_it_and_ends() -> None:
    with SilentHosts(HOSTS) as silent:
        hosts = [part for url in silent.urls for part in ("-H", url)]
        words = ["-m", "bitsshell", "jobs", *hosts, "--user", "ann", "--auth", "basic"]
        out, code, took_s = interrupted([*words, "-o", "ndjson"], silent, 1)
    assert code == 130
    assert took_s < LIMIT_S
    records = [json.loads(line) for line in out.splitlines()]
    hosts_told = {record["host"] for record in records if record.get("host")}
    assert hosts_told == {url.removeprefix("http://").removesuffix("/wsman") for url in silent.urls}
