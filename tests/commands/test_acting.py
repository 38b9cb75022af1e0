"""What-if in its forms, questions that want the number, `retry`, the transcript, what is lost."""

from __future__ import annotations

import json
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from bitsshell.commands.completion import complete
from bitsshell.fleet.clock import SystemClock
from bitsshell.fleet.fanout import nobody_looks
from bitsshell.practice import Priority
from bitsshell.results import Outcome, Summary
from bitsshell.terminal import Asking

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from consoles import Console, Site


class HandClock(SystemClock):
    """A clock whose seconds are moved by hand."""

    now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


def make(console: Console, site: Site, *names: str) -> None:
    for name in names:
        made = console(rf"""create {site.url} C:\in\a --name "{name}" --suspended --yes""")
        assert made.code == 0, made.err


# what-if


def test_a_plan_as_powershell_sends_nothing(site: Site) -> None:
    console = site.console(2)
    make(console, site, "it's")
    ran = console('cancel "it\'s" --as powershell')
    assert ran.code == 0
    assert ran.out.startswith("# what if: cancel would touch 2 jobs on 2 hosts")
    assert ran.out.count("Invoke-WSManAction -Action SetJobState") == 2
    assert "# practice01" in ran.out
    assert len(site.host.jobs()) == 1


def test_a_plan_as_xml_names_its_hosts_in_comments(site: Site) -> None:
    console = site.console()
    ran = console(rf"create {site.url} C:\in\a --as xml")
    assert "<!-- practice01 -->" in ran.out
    assert "CreateJob_INPUT" in ran.out
    assert not site.host.jobs()


def test_a_plan_for_programs_carries_its_scripts(site: Site) -> None:
    console = site.console()
    ran = console(rf"create {site.url} C:\in\a --as powershell -o json")
    (record,) = ran.records
    assert "Invoke-WSManAction -Action CreateJob" in record["script"]


def test_a_session_can_be_what_if_as_a_whole(site: Site) -> None:
    console = site.console()
    make(console, site, "one")
    assert "on: changes are only shown" in console("whatif on").err
    ran = console("cancel one --yes")
    assert "what if: cancel would touch 1 job" in ran.out
    assert len(site.host.jobs()) == 1
    assert "off: changes are sent" in console("whatif off").err
    assert console("cancel one --yes").code == 0
    assert not site.host.jobs()


# questions


def test_a_cancel_says_what_is_lost(site: Site) -> None:
    console = site.console(answers=["n"])
    make(console, site, "one")
    ran = console("cancel one --what-if")
    assert "its temporary files are deleted (0 B so far, 1 file)" in ran.out
    console("cancel one")
    assert "(0 B so far, 1 file) [y/N]" in console.asked[0]


@pytest.mark.parametrize(("typed", "left"), [("y", 12), ("yes", 12), ("11", 12), ("12", 0)])
def test_more_than_ten_jobs_want_their_number(site: Site, typed: str, left: int) -> None:
    console = site.console(answers=[typed])
    make(console, site, *(f"job{number}" for number in range(12)))
    console("cancel '*'")
    assert console.asked[0].endswith("type 12 to go on: ")
    assert len(site.host.jobs()) == left


# retry


def test_retry_repeats_the_last_command_where_it_failed(site: Site) -> None:
    console = site.console(3)
    make(console, site, "one")
    site.hosts[1].faults.arm("access-denied")
    ran = console("set one --priority high --yes")
    assert ran.code == 1
    site.hosts[1].faults.disarm()
    ran = console("retry -o json")
    assert ran.code == 0, ran.err
    assert [record["host"] for record in ran.records] == ["practice02"]
    assert "set one --priority high --yes: again on practice02" in ran.err
    ran = console("retry")
    assert (ran.code, "no host failed" in ran.err) == (2, True)


def test_retry_shows_what_it_would_do(site: Site) -> None:
    console = site.console(2)
    make(console, site, "one")
    site.host.faults.arm("access-denied")
    console("cancel one --yes")
    site.host.faults.disarm()
    ran = console("retry --what-if")
    assert "what if: cancel would touch 1 job on 1 host" in ran.out
    assert len(site.host.jobs()) == 1
    assert console("retry --yes").code == 0
    assert not site.host.jobs()


def test_retry_acts_on_no_host_that_it_was_told_to_leave_out(site: Site) -> None:
    console = site.console(3)
    make(console, site, "one")
    for host in site.hosts[1:3]:
        host.faults.arm("access-denied")
    console("suspend one --yes")
    for host in site.hosts[1:3]:
        host.faults.disarm()
    ran = console("retry -H practice02")
    assert (ran.code, "retry finds its hosts itself" in ran.err) == (2, True)
    ran = console("retry -x practice02 --what-if -o json")
    assert [record["host"] for record in ran.records] == ["practice03"]


def test_retry_takes_another_account(site: Site) -> None:
    console = site.console()
    make(console, site, "one")
    console("jobs --user nobody")
    ran = console(f"retry --user {site.host.username}")
    assert ran.code == 0, ran.err


def test_retry_without_a_command_is_not_understood(site: Site) -> None:
    ran = site.console()("retry")
    assert (ran.code, "there is no command to repeat" in ran.err) == (2, True)


def test_the_failed_hosts_can_be_named(site: Site) -> None:
    console = site.console(3)
    ran = console("jobs -H %failed-hosts")
    assert (ran.code, "no host failed in the last command" in ran.err) == (2, True)
    site.hosts[2].faults.arm("access-denied")
    assert console("jobs").code == 1
    site.hosts[2].faults.disarm()
    (offered,) = complete("jobs -H %", 9, console.session).candidates
    assert (offered.text.strip(), offered.help) == ("%failed-hosts", "practice03")
    ran = console("hosts -H %failed-hosts -o json")
    assert [record["name"] for record in ran.records] == ["practice03"]


@pytest.mark.parametrize("answer", ["n", "33", None])
def test_a_change_that_nobody_agreed_to_is_left_for_retry_on_every_host(
    site: Site, answer: str | None
) -> None:
    console = site.console(3, answers=[] if answer is None else [answer])
    make(site.console(2), site, "one")
    site.hosts[2].faults.arm("access-denied")
    ran = console("cancel one")
    assert "nothing was sent" in ran.err
    assert "cancel: 1 failed, 2 not sent" in ran.err
    assert set(console.session.failed_hosts) == {host.name for host in site.hosts[:3]}
    site.hosts[2].faults.disarm()
    assert console("retry --yes").code == 0
    assert not any(host.jobs() for host in site.hosts[:3])


def test_a_no_to_all_of_a_change_is_said_in_one_line(site: Site) -> None:
    console = site.console(2, answers=["n"])
    make(site.console(2), site, "one")
    assert console("cancel one").err == "nothing was sent\n"


def test_ctrl_c_at_a_question_says_that_nothing_was_sent(site: Site) -> None:
    console = site.console(2)
    make(console, site, "one")

    def interrupted(_: str) -> str:
        raise KeyboardInterrupt

    console.terminal.dispatcher.interaction = Asking(interrupted)
    ran = console("cancel one")
    assert ran.code == 130
    assert ran.err.splitlines()[-2:] == ["nothing was sent", "interrupted: 2 not sent"]
    assert set(console.session.failed_hosts) == {"practice01", "practice02"}


def test_a_change_that_is_cut_off_while_it_is_planned_says_so_of_every_host(site: Site) -> None:
    console = site.console(3)
    make(console, site, "one")
    site.hosts[1].faults.arm("hang")

    def stop(hosts: Collection[str] | None) -> None:
        if set(hosts or ()) == {"practice02"}:  # the others have answered
            console.session.interrupts.set()

    console.session.waiting = stop
    dispatcher = console.terminal.dispatcher
    events = list(dispatcher.events(dispatcher.parse(["cancel", "one", "--yes"])))
    said = {event.host: event.status.value for event in events if isinstance(event, Outcome)}
    assert said == {"practice01": "not sent", "practice02": "failed", "practice03": "not sent"}
    assert isinstance(events[-1], Summary)
    assert (events[-1].failed, events[-1].not_sent) == (1, 2)
    assert set(console.session.failed_hosts) == set(said)
    site.hosts[1].faults.disarm()
    console.session.waiting = nobody_looks
    assert console("retry").code == 0
    assert not any(host.jobs() for host in site.hosts[:3])


def test_what_is_only_looked_at_does_not_take_a_failed_change_away(site: Site) -> None:
    console = site.console(2)
    make(console, site, "one")
    site.hosts[1].faults.arm("access-denied")
    assert console("set one --priority high --yes").code == 1
    assert console("jobs -H %failed-hosts").code == 3
    site.hosts[1].faults.disarm()
    assert console("jobs").code == 0
    assert console("use practice01").code == 0
    assert console("hosts -H %failed-hosts -o json").records[0]["name"] == "practice02"
    assert "set one --priority high --yes: again on practice02" in console("retry").err
    assert "no host failed" in console("retry").err


# transcript


def test_a_transcript_has_lines_and_answers_and_no_secret(site: Site, tmp_path: Path) -> None:
    console = site.console()
    file = tmp_path / "session.txt"
    assert console(f"transcript start '{file}'").code == 0
    make(console, site, "one")
    console("jobs")
    console("jobs --password hunter2")
    secret = site.url.replace("://", "://ann:hunter2@")
    console(rf"create {secret} C:\in\two --name two --suspended --yes")
    console("files two")
    console("nonsense")
    console("transcript stop")
    console("show one")
    text = file.read_text("utf-8")
    assert "> jobs\n" in text
    assert "SUSPENDED" in text
    assert "there is no verb 'nonsense'" in text
    assert "hunter2" not in text
    assert "://***@" in text
    assert "show one" not in text
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_transcript_in_markdown_cannot_be_broken_out_of(site: Site, tmp_path: Path) -> None:
    console = site.console()
    file = tmp_path / "session.md"
    console(f"transcript start '{file}'")
    make(console, site, "```")
    console("jobs")
    text = file.read_text("utf-8")
    assert text.startswith("# bitsshell session")
    assert "\n````text\n> jobs\n" in text


def test_a_transcript_that_cannot_be_written_is_said(site: Site, tmp_path: Path) -> None:
    ran = site.console()(f"transcript start '{tmp_path}'")
    assert (ran.code, "cannot be written" in ran.err) == (2, True)


def test_a_transcript_that_can_be_written_no_more_takes_nothing_from_a_change(
    site: Site, tmp_path: Path
) -> None:
    console = site.console()
    file = tmp_path / "session.txt"
    make(console, site, "one")
    console(f"transcript start '{file}'")
    file.unlink()
    file.mkdir()
    ran = console("set one --priority high")
    assert (ran.code, site.only_job().priority) == (0, Priority.HIGH)
    assert ran.err.count("not everything is in the transcript") == 1
    assert "transcript" not in console("jobs").err  # it is said once
    ran = console("nonsense")
    assert (ran.code, "there is no verb 'nonsense'" in ran.err) == (2, True)
    assert "not everything is in the transcript" in console("transcript").err
    assert "not everything is in the transcript" in console("transcript stop").err


def test_the_time_of_one_question_is_not_forgotten_for_that_of_the_next(site: Site) -> None:
    clock = HandClock()
    console = site.console(answers=["y"])
    make(console, site, "one", "two")
    console.session.clock = clock

    def ask(_: str) -> str:
        clock.now_s += 100
        return "a-password"

    console.session.credentials.ask = ask
    invocation = console.terminal.dispatcher.parse(
        ["credentials", "one", "two", "--job-user", "reader"]
    )
    *_, summary = console.terminal.dispatcher.events(invocation)
    assert isinstance(summary, Summary)
    assert (summary.well, clock.now_s, summary.elapsed_s) == (2, 100, 0)


def test_help_of_a_topic_and_of_a_group(site: Site) -> None:
    console = site.console()
    assert "--sort takes columns" in console("help where").out
    text = console("help changing").out
    assert "cancel: " in text
    assert json.dumps(text).isascii()
