"""Ctrl-C with hosts that never answer: real processes, real sockets, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from silent_hosts import SilentHosts

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console, the tests' own too"
)

HOSTS = 32
LIMIT_S = 20.0
"""The promise is about a second, of which a busy machine makes more. A call that nobody broke off
would last a minute."""

FAN_OUT = """
import sys
from bitsshell.bits import ListJobs
from bitsshell.fleet.channels import ChannelPool, Task
from bitsshell.fleet.credentials import Credential
from bitsshell.fleet.fanout import fan_out, outcomes_of
from bitsshell.fleet.interrupts import Interrupts
from bitsshell.fleet.targets import Auth, parse_target
from bitsshell.fleet.threads import DaemonExecutor

ann = Credential(Auth.BASIC, "ann", "x")
tasks = [Task(parse_target(url), ann, ListJobs()) for url in sys.argv[1:]]
interrupts = Interrupts()
with interrupts.deferred():
    try:
        steps = fan_out(
            tasks,
            executor=DaemonExecutor(),
            pool=ChannelPool(),
            stop=lambda: KeyboardInterrupt if interrupts() else None,
        )
        for outcome in outcomes_of(steps):
            print(type(outcome.error).__name__)
    except KeyboardInterrupt:
        print("ended")
"""


def interrupted(arguments: list[str], silent: SilentHosts) -> tuple[str, str, int]:
    """Run Python until the hosts were asked, and press Ctrl-C; what it wrote, and its exit code."""
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
        # One host is asked first, for nobody has accepted the password yet.
        asked = HOSTS if arguments[0] == "-c" else 1
        assert silent.wait_asked(asked), f"only {silent.asked} hosts were asked"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_S)
        return out, err, process.returncode
    finally:
        process.kill()
        process.wait()


def test_thirty_two_hosts_that_never_answer_do_not_hold_ctrl_c() -> None:
    with SilentHosts(HOSTS) as silent:
        out, _, code = interrupted(["-c", FAN_OUT, *silent.urls], silent)
    assert out.splitlines() == ["Interrupted"] * HOSTS + ["ended"]
    assert code == 0


@pytest.mark.parametrize("verb", [["jobs"], ["resume", "nightly", "--yes"], ["watch", "nightly"]])
def test_the_command_line_says_of_every_host_what_became_of_it_and_ends(verb: list[str]) -> None:
    with SilentHosts(HOSTS) as silent:
        hosts = [part for url in silent.urls for part in ("-H", url)]
        words = ["-m", "bitsshell", *verb, *hosts, "--user", "ann", "--auth", "basic"]
        out, err, code = interrupted([*words, "-o", "ndjson"], silent)
    assert code == 130
    assert "Traceback" not in err
    told = [json.loads(line).get("host") for line in out.splitlines()]
    hosts_told = sorted(host for host in told if host)
    assert hosts_told == sorted(
        url.removeprefix("http://").removesuffix("/wsman") for url in silent.urls
    )
