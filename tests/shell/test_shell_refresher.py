"""Hosts that are read again while the shell waits at its prompt."""

from __future__ import annotations

import io
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from consoles import cancel_job
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output
from shell_things import run_lines, session_for, use

from bitsshell.bits import JobState
from bitsshell.fleet.credentials import PASSWORD_VARIABLE, Credentials
from bitsshell.fleet.followed import News
from bitsshell.session import Session
from bitsshell.shell.bare import BarePrompt
from bitsshell.shell.readers import PromptReader
from bitsshell.shell.refresher import (
    FOLLOWED_INTERVAL_S,
    INTERVAL_S,
    MAX_BACKOFF_S,
    Refresher,
    news_lines,
)
from bitsshell.terminal import Asking, Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from bitsshell.practice import PracticeFleet, PracticeHost


@dataclass
class HandClock:
    """A clock that a test moves."""

    at_s: float = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.at_s)

    def monotonic(self) -> float:
        return self.at_s

    def wait(self, seconds: float) -> None:
        self.at_s += seconds


@dataclass
class Shell:
    """A session on a practice host, its clock, its refresher, and what that said."""

    session: Session
    terminal: Terminal
    clock: HandClock
    refresher: Refresher
    news: list[str] = field(default_factory=list)

    def run(self, line: str) -> None:
        self.terminal.run_line(line)

    def after(self, seconds: float) -> float:
        """Let time pass and give the refresher its turn."""
        self.clock.at_s += seconds
        return self.refresher.step()


def shell_on(*lines: str, host: PracticeHost, password: str | None = None) -> Shell:
    clock, news = HandClock(), list[str]()
    credentials = Credentials(environment={PASSWORD_VARIABLE: password or host.password})
    session = Session(credentials=credentials, clock=clock)
    terminal = Terminal(session, Asking(None), out=io.StringIO(), err=io.StringIO())
    refresher = Refresher(session, news=news.append)
    refresher._may_run.set()
    shell = Shell(session, terminal, clock, refresher, news)
    for line in (use(host), *lines):
        shell.run(line)
    return shell


def test_a_host_is_read_again_when_its_answer_is_old(fresh_host: PracticeHost) -> None:
    shell = shell_on("jobs", host=fresh_host)
    requests = fresh_host.stats.requests
    left_s = shell.after(0)
    assert left_s == pytest.approx(INTERVAL_S)
    assert fresh_host.stats.requests == requests
    assert shell.after(INTERVAL_S) == 0
    assert fresh_host.stats.requests > requests
    assert set(shell.session.snapshot.read_at.values()) == {shell.clock.now()}


def test_the_background_has_a_channel_and_one_logon_of_its_own(fresh_host: PracticeHost) -> None:
    shell = shell_on("jobs", host=fresh_host)
    for _ in range(4):
        shell.after(INTERVAL_S)
    assert (fresh_host.stats.connections, fresh_host.stats.logons) == (2, 2)


def test_a_host_that_never_answered_a_command_is_not_asked(fresh_host: PracticeHost) -> None:
    shell = shell_on(host=fresh_host, password="wrong")
    requests = fresh_host.stats.requests
    shell.after(INTERVAL_S * 100)
    assert fresh_host.stats.requests == requests


def test_a_password_that_is_rejected_in_the_background_is_not_sent_again(
    fresh_host: PracticeHost,
) -> None:
    shell = shell_on("jobs", host=fresh_host)
    fresh_host.faults.arm("expired-password")
    shell.after(INTERVAL_S)
    requests = fresh_host.stats.requests
    shell.after(MAX_BACKOFF_S * 10)
    assert fresh_host.stats.requests == requests


def test_a_password_that_a_command_got_rejected_is_not_sent_by_the_background(
    fresh_host: PracticeHost,
) -> None:
    shell = shell_on("jobs", host=fresh_host)
    fresh_host.faults.arm("expired-password")
    shell.run("jobs")
    requests = fresh_host.stats.requests
    shell.after(MAX_BACKOFF_S * 10)
    assert fresh_host.stats.requests == requests


def test_a_password_that_is_rejected_in_the_background_is_sent_by_no_command_and_to_no_other_host(
    fresh_fleet: PracticeFleet,
) -> None:
    first, second = fresh_fleet.hosts[:2]
    shell = shell_on("jobs", host=first)
    shell.run(use(second).replace("use ", f"use {first.endpoint} "))
    first.faults.arm("expired-password")
    shell.after(INTERVAL_S)  # the first one is due, the second was read a moment ago
    requests = second.stats.requests
    shell.run(f"jobs -H {second.endpoint}")
    shell.after(MAX_BACKOFF_S * 10)
    assert second.stats.requests == requests


def test_after_a_new_logon_a_host_is_read_again(
    fresh_host: PracticeHost,
) -> None:
    shell = shell_on("jobs", host=fresh_host)
    fresh_host.faults.arm("expired-password", times=1)
    shell.after(INTERVAL_S)
    shell.session.credentials.ask = lambda _: fresh_host.password
    shell.run("logout")
    label = shell.session.targets[0].name
    shell.run(f"jobs -H {label} --auth ntlm")
    assert shell.session.host_status(shell.session.targets[0]).is_connected
    requests = fresh_host.stats.requests
    shell.after(MAX_BACKOFF_S)
    assert fresh_host.stats.requests > requests


def test_nothing_is_sent_after_a_logout_whatever_was_said_of_the_host_before(
    fresh_host: PracticeHost,
) -> None:
    shell = shell_on("jobs", f"jobs -H {fresh_host.endpoint} --auth ntlm", host=fresh_host)
    shell.run("logout")
    requests = fresh_host.stats.requests
    shell.after(MAX_BACKOFF_S)
    assert fresh_host.stats.requests == requests


def test_a_host_that_is_down_is_marked_and_asked_less_and_less(
    fresh_fleet: PracticeFleet, fresh_host: PracticeHost
) -> None:
    shell = shell_on("jobs", host=fresh_host)
    (target,) = shell.session.targets
    fresh_fleet.close()
    shell.after(INTERVAL_S)
    assert shell.session.down == {target.name}
    waits = []
    for _ in range(8):
        waits.append(left_s := shell.after(0))
        shell.after(left_s)
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(INTERVAL_S * 2)
    assert waits[-1] == pytest.approx(MAX_BACKOFF_S)


def test_a_job_that_was_set_going_here_is_looked_at_often_and_its_end_is_said(
    fresh_fleet: PracticeFleet, fresh_host: PracticeHost
) -> None:
    url = fresh_fleet.file_url(fresh_fleet.files[1].name, "busy")
    shell = shell_on(f"create {url} C:\\in\\a.bin --name nightly --suspended", host=fresh_host)
    (job,) = shell.session.snapshot.with_prefix("nightly")
    assert len(shell.session.followed) == 0
    shell.run(f"set {job.id} --retry-delay 1s")
    shell.run("resume nightly")
    assert len(shell.session.followed) == 1
    end = time.monotonic() + 30
    while len(shell.session.followed) and time.monotonic() < end:
        shell.after(FOLLOWED_INTERVAL_S)
    assert [line.partition(": ")[2] for line in shell.news] == [
        "'nightly' is TRANSFERRED; complete puts its files into place"
    ]


def test_a_job_that_somebody_else_cancels_is_said_to_be_gone(
    fresh_fleet: PracticeFleet, fresh_host: PracticeHost
) -> None:
    shell = shell_on(
        f"create {fresh_fleet.files[1].url} C:\\in\\a.bin --name nightly --suspended",
        host=fresh_host,
    )
    (job,) = shell.session.snapshot.with_prefix("nightly")
    shell.session.followed.changed(replace(job, state=JobState.QUEUED))
    cancel_job(fresh_host, job.id)
    shell.after(FOLLOWED_INTERVAL_S)
    assert [line.partition(": ")[2] for line in shell.news] == ["'nightly' left the queue"]


def test_what_many_hosts_say_is_one_line_and_two_jobs_of_a_host_are_two() -> None:
    hosts = [f"srv{number:02}" for number in range(1, 19)]
    news = [News(host, "'nightly' is TRANSFERRED") for host in (*hosts, "srv03")]
    assert news_lines([*news, News("db1", "'nightly' failed")]) == [
        "srv[01-18] (18): 'nightly' is TRANSFERRED",
        "srv03: 'nightly' is TRANSFERRED",
        "db1: 'nightly' failed",
    ]


def test_news_of_hosts_that_are_read_one_after_the_other_are_said_together(
    fresh_fleet: PracticeFleet,
) -> None:
    first, second = fresh_fleet.hosts[:2]
    shell = shell_on(host=first)
    shell.run(use(second).replace("use ", f"use {first.endpoint} "))
    names = [target.name for target in shell.session.targets]
    url = fresh_fleet.files[1].url
    shell.run(f"create {url} C:\\in\\a.bin --name nightly --suspended --yes")
    for job in shell.session.snapshot.with_prefix("nightly"):
        shell.session.followed.changed(replace(job, state=JobState.QUEUED))
        cancel_job((first, second)[names.index(job.host)], job.id)
    assert shell.after(FOLLOWED_INTERVAL_S) == 0
    assert shell.news == []
    shell.after(1)
    (line,) = shell.news
    assert line.endswith(": 'nightly' left the queue")
    assert all(name in line for name in names)


def test_an_answer_that_a_command_overtook_is_not_taken(fresh_host: PracticeHost) -> None:
    shell = shell_on("jobs", host=fresh_host)
    (target,) = shell.session.targets
    before = shell.session.snapshot
    asked_at = shell.clock.now() - timedelta(seconds=1)
    (outcome,) = shell.session.look([target])
    known = shell.session.snapshot
    assert shell.session.learn(outcome, asked_at=asked_at) == ()
    assert shell.session.snapshot is known
    assert before is not known


def test_nobody_is_asked_for_a_password_by_the_background(host: PracticeHost) -> None:
    asked = []
    session = Session(credentials=Credentials(environment={}, ask=lambda p: asked.append(p) or ""))
    session.targets = (session.target(host.endpoint),)
    refresher = Refresher(session)
    refresher._may_run.set()
    refresher.step()
    assert asked == []


def test_the_thread_ends_with_the_shell_and_never_keeps_the_process(host: PracticeHost) -> None:
    refresher = Refresher(session_for(host))
    refresher.resume()
    thread = refresher._thread
    assert thread is not None
    assert thread.daemon
    refresher.pause()
    refresher.close()
    thread.join(10)
    assert not thread.is_alive()


def test_a_shell_without_prompt_toolkit_has_no_background() -> None:
    before = set(threading.enumerate())
    run_lines("help")
    begun = {thread.name for thread in set(threading.enumerate()) - before}
    assert "bitsshell-refresher" not in begun


def test_news_stand_above_the_prompt_and_what_is_typed_stays(tmp_path: Path) -> None:
    screen = io.StringIO()
    session = Session(credentials=Credentials(environment={}))
    output = Vt100_Output(screen, lambda: Size(rows=24, columns=80), enable_cpr=False)
    with create_pipe_input() as pipe:
        reader = PromptReader(session, BarePrompt(tmp_path / "history", input=pipe, output=output))
        steps = iter(["said", "ended"])

        def act(_: object) -> None:
            buffer = reader._lines.default_buffer
            if buffer.text == "jo":
                match next(steps, None):
                    case "said":
                        reader.say_above("web01: 'x\x1b[2J' is TRANSFERRED")
                    case "ended":
                        pipe.send_text("bs\r")

        reader._lines.app.after_render += act
        pipe.send_text("jo")
        assert reader.read("") == "jobs"
        reader.close()
    assert "web01: 'x\\x1b[2J' is TRANSFERRED\r\n" in screen.getvalue()
