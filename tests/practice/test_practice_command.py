"""The command `bitsshell practice`, run as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
import pytest
from click.testing import CliRunner
from practice_clients import BitsOverPypsrp, connect
from pypsrp.exceptions import WSManFaultError

from bitsshell.practice import PracticeFleet
from bitsshell.practice.command import practice
from bitsshell.practice.control import Control, arm_as_told

if TYPE_CHECKING:
    from bitsshell.practice import PracticeHost

ENDINGS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
by_signal = pytest.mark.skipif(os.name == "nt", reason="the test ends it by a POSIX signal")


def start(
    *arguments: str, stdin: int = subprocess.DEVNULL, **options: object
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bitsshell.practice", *arguments],
        stdin=stdin,
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


@by_signal
@pytest.mark.parametrize("number", ENDINGS)
def test_it_prints_one_line_of_json_and_serves_until_it_is_told_to_end(number: int) -> None:
    process = start("--hosts", "2", "--json")
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert set(told) == {"hosts", "files", "uploads", "compact"}
    assert [host["name"] for host in told["hosts"]] == ["practice01", "practice02"]
    root = Path(told["hosts"][0]["root"])
    assert root.is_dir()
    bits = BitsOverPypsrp(connect(Told(told["hosts"][0]), "ntlm"))
    bits.create(told["files"] + "hello.txt", r"C:\in\a.txt")
    bits.wsman.close()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
    assert not root.parent.exists()


@by_signal
def test_the_password_may_be_given_and_the_page_says_what_to_paste(tmp_path: Path) -> None:
    environment = {**os.environ, "BITSSHELL_PASSWORD": "Given-1"}
    process = start("--hosts", "1", "--user", "admin", "--folder", str(tmp_path), env=environment)
    assert process.stdout is not None
    lines = []
    while not (lines and lines[-1].startswith("Ctrl-C")):
        lines.append(process.stdout.readline())
        assert lines[-1], process.communicate()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
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


@by_signal
def test_commands_come_through_a_pipe_and_its_end_ends_nothing() -> None:
    process = start("--hosts", "2", "--json", stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())

    def ask(line: str) -> dict[str, object]:
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    assert ask('{"do": "arm", "host": "practice02", "fault": "access-denied", "times": 1}') == {
        "ok": True,
        "hosts": ["practice02"],
    }
    bits = BitsOverPypsrp(connect(Told(told["hosts"][1])))
    with pytest.raises(WSManFaultError):
        bits.enumerate()
    process.stdin.close()
    assert bits.enumerate() == ([], [])
    bits.wsman.close()
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    assert process.stderr is not None
    assert (process.returncode, process.stderr.read()) == (0, "")
    process.stdout.close()
    process.stderr.close()


@by_signal
def test_it_ends_quietly_while_it_waits_for_commands() -> None:
    process = start("--hosts", "1", "--json", stdin=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.wait(20)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")


def test_commands_do_what_they_say(fleet: PracticeFleet, host: PracticeHost, bits) -> None:
    control = Control(fleet)

    def ask(**command: object) -> dict[str, object]:
        return json.loads(control.answer(json.dumps(command)))

    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
    jobs = ask(do="jobs")["jobs"]
    assert [job["id"] for job in jobs[host.name]] == [job_id]
    assert jobs[fleet.hosts[1].name] == []
    assert ask(do="stats", host=host.name)["stats"][host.name]["calls"]["CreateJob"] >= 1
    assert ask(do="drop-idle", host=host.name)["dropped"][host.name] >= 1
    assert ask(do="restart-bits", host=host.name)["ok"] is True
    assert [job.id for job in host.jobs()] == [job_id]
    assert ask(do="arm", fault="html", status=404, operation="Get")["ok"] is True
    assert ask(do="faults")["armed"] == {h.name: ["html"] for h in fleet.hosts}
    assert ask(do="disarm", fault="html")["ok"] is True
    assert host.faults.armed == ()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"do": "explode"}',
        '{"do": ["arm"]}',
        '{"do": "arm", "fault": "none"}',
        '{"do": "arm", "fault": "html", "times": 0}',
        '{"do": "arm", "fault": "html", "colour": 1}',
        '{"do": "arm", "fault": "html", "host": "nobody"}',
        '{"do": "arm", "fault": "slow", "seconds": "long"}',
        '{"do": "arm", "fault": "slow", "seconds": 1e999}',
        '{"do": "arm", "fault": "slow", "seconds": NaN}',
        '{"do": "arm", "fault": "html", "status": true}',
        '{"do": "arm", "fault": "locked-file", "path": 5}',
        '{"do": "disarm", "fault": "none"}',
        '{"do": "stats", "more": 1}',
        '{"do": "stats", "x": "' + "a" * 70_000 + '"}',
        "[" * 60_000,
    ],
)
def test_a_command_that_cannot_be_is_answered_by_its_reason(
    fleet: PracticeFleet, host: PracticeHost, line: str
) -> None:
    answer = json.loads(Control(fleet).answer(line))
    assert answer["ok"] is False
    assert answer["error"]
    assert host.faults.armed == ()


def listening(process: subprocess.Popen[str]) -> set[str]:
    """The addresses that a process listens on."""
    return {
        connection.laddr.ip
        for connection in psutil.Process(process.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }


@by_signal
@pytest.mark.parametrize(
    ("words", "addresses", "warned"),
    [([], {"127.0.0.1"}, False), (["--bind", "0.0.0.0"], {"0.0.0.0"}, True)],
)
def test_it_can_be_reached_from_elsewhere_only_when_told_and_says_what_that_means(
    words: list[str], addresses: set[str], warned: bool
) -> None:
    process = start("--hosts", "1", "--tls", "--json", *words)
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert listening(process) == addresses
    for url in (told["hosts"][0]["endpoint"], told["files"], told["uploads"], told["compact"]):
        assert urlsplit(url).hostname == "127.0.0.1", "where this machine reaches it"
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert ("can be reached from the network" in err) is warned
    assert ("Whoever knows the password" in err) is warned


@pytest.mark.parametrize(
    ("address", "is_loopback"),
    [("127.0.0.1", True), ("127.0.0.9", True), ("::1", True), ("::", False), ("10.0.0.1", False)],
)
def test_a_fleet_knows_whether_only_this_machine_reaches_it(
    address: str, is_loopback: bool
) -> None:
    assert PracticeFleet(bind=address).is_loopback is is_loopback


@pytest.mark.parametrize(
    ("told", "armed"),
    [
        (
            "provider-missing",
            {"practice01": ("provider-missing",), "practice02": ("provider-missing",)},
        ),
        ("practice02:html,status=503,times=2", {"practice01": (), "practice02": ("html",)}),
        ("practice01:hang,operation=CreateJob", {"practice01": ("hang",), "practice02": ()}),
    ],
)
def test_a_fault_is_told_in_words(told: str, armed: dict[str, tuple[str, ...]]) -> None:
    with PracticeFleet(hosts=2) as fleet:
        arm_as_told(fleet, told)
        assert {host.name: host.faults.armed for host in fleet.hosts} == armed


@pytest.mark.parametrize(
    "told", ["", "earthquake", "nobody:hang", "html,colour=red", "hang,times=0", "hang,times=soon"]
)
def test_a_fault_that_cannot_be_is_refused(told: str) -> None:
    with PracticeFleet(hosts=1) as fleet, pytest.raises(ValueError, match=r"no |takes|times"):
        arm_as_told(fleet, told)


@by_signal
def test_a_fault_on_the_command_line_is_there_from_the_start() -> None:
    process = start("--hosts", "1", "--json", "--fault", "provider-missing")
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())["hosts"][0]
    with pytest.raises(WSManFaultError):
        BitsOverPypsrp(connect(Told(told))).enumerate()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
