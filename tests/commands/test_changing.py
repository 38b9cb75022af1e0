"""`set`, `resume`, `suspend`, `complete`, `cancel`: what they send, ask, and write down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from consoles import cancel_job

from bitsshell.journal import Draft, MemoryJournal, Wanted
from bitsshell.practice import JobState, Priority

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from consoles import Console, Site

    from bitsshell.journal import Entry

CHANGES = ("CreateJob", "AddFile", "SetJobState", "Put")


def make(console: Console, site: Site, *names: str, url: str | None = None, more: str = "") -> None:
    for name in names:
        made = console(rf"create {url or site.url} C:\in\{name} --name {name} --yes {more}")
        assert made.code == 0, made.err


def changes_sent(site: Site) -> int:
    return sum(host.stats.calls.get(call, 0) for host in site.hosts for call in CHANGES)


def changes_written(console: Console) -> Sequence[Entry]:
    return console.session.journal.entries(Wanted(changes=True))


# set


def test_set_changes_every_property_and_keeps_the_reference(site: Site) -> None:
    console = site.console()
    make(console, site, "nightly", more="--suspended --description old")
    reference = console("show nightly -o json").records[0]["reference"]
    ran = console(
        "set nightly --priority low --name weekly --description 'the new one' "
        "--retry-delay 2m --no-progress-timeout 3d"
    )
    assert ran.code == 0
    job = site.only_job()
    assert (job.name, job.priority) == ("weekly", Priority.LOW)
    assert (job.minimum_retry_delay_s, job.no_progress_timeout_s) == (120, 3 * 86400)
    assert job.description == f"the new one [ref:{reference}]"
    (record,) = console("show weekly -o json").records
    assert (record["description"], record["reference"]) == ("the new one", reference)


def test_set_can_empty_a_description(site: Site) -> None:
    console = site.console()
    make(console, site, "nightly", more="--suspended --description old")
    assert console("set nightly --description ''").code == 0
    assert console("show nightly -o json").records[0]["description"] == ""


def test_set_without_anything_to_set_is_not_understood(site: Site) -> None:
    ran = site.console()("set nightly")
    assert ran.code == 2
    assert "nothing to set" in ran.err
    assert "--priority" in ran.err


def test_set_goes_on_when_the_answer_to_one_was_lost(site: Site) -> None:
    console = site.console()
    make(console, site, "nightly", more="--suspended")
    site.host.faults.arm("lost-answer", operation="Put", times=1)
    assert console("set nightly --priority high").code == 0
    assert site.only_job().priority is Priority.HIGH


# resume, suspend, complete, cancel


def test_a_job_goes_through_its_life_by_hand(site: Site) -> None:
    console = site.console()
    make(console, site, "nightly", more="--suspended")
    assert console("resume nightly").code == 0
    site.host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    ran = console("complete nightly -o json")
    assert ran.code == 0
    assert ran.records[0]["state"] == "ACKNOWLEDGED"
    assert site.arrived("nightly").is_file()


def test_what_is_so_already_is_not_sent_again(site: Site) -> None:
    console = site.console()
    make(console, site, "nightly", more="--suspended")
    before = changes_sent(site)
    ran = console("suspend nightly")
    assert ran.code == 0
    assert ran.out.startswith("already so")
    assert changes_sent(site) == before
    assert len(changes_written(console)) == 1


def test_a_job_that_is_cancelled_already_counts_as_done(site: Site) -> None:
    console = site.console(answers=Meanwhile(site))
    make(console, site, "nightly", more="--suspended")
    ran = console("cancel nightly")
    assert ran.code == 0
    assert "already so" in ran.out


class Meanwhile:
    """Says yes, and by then the first job is gone."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def __iter__(self) -> Iterator[str]:
        cancel_job(self.site.host, self.site.host.jobs()[0].id)
        yield "y"


def test_a_job_that_is_gone_meanwhile_is_named_and_the_others_go_on(site: Site) -> None:
    console = site.console(answers=Meanwhile(site))
    make(console, site, "one", "two", more="--suspended")
    ran = console("set * --priority high")
    assert ran.code == 1
    assert "the job is not there (any more)" in ran.err
    assert "next: " in ran.err
    assert site.only_job().priority is Priority.HIGH


def test_a_refusal_of_bits_is_explained(site: Site) -> None:
    console = site.console()
    make(console, site, "nightly")
    site.host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    site.host.faults.arm("locked-file", path=r"C:\in\nightly")
    ran = console("complete nightly")
    assert ran.code == 3
    assert "0x80070020 ERROR_SHARING_VIOLATION" in ran.err
    assert "next: " in ran.err


# Asking


@pytest.mark.parametrize(
    "line",
    [
        "cancel one",
        "complete one",
        "cancel *",
        "resume *",
        "set * --priority high",
        "set one two --priority high",
        r"create http://s/x C:\in\one --name one --if-exists replace",
        "manage one --on-error cancel",
        "manage one --on-transient cancel",
        "manage *",
    ],
)
def test_what_destroys_or_touches_several_needs_a_yes(site: Site, line: str) -> None:
    console = site.console()
    make(console, site, "one", "two", more="--suspended")
    before, made = changes_sent(site), len(changes_written(console))
    ran = console(line)
    assert ran.code == 5
    assert ran.err.startswith("nothing was sent, for nobody can be asked: ")
    assert "--yes" in ran.err
    assert len(ran.err.splitlines()) == 2
    assert changes_sent(site) == before
    assert len(changes_written(console)) == made
    assert len(site.host.jobs()) == 2


@pytest.mark.parametrize(
    "line", ["resume one", "suspend two", "set one --priority high", "manage one --timeout 0.1"]
)
def test_a_change_to_one_job_asks_nothing(site: Site, line: str) -> None:
    console = site.console(answers=[])
    make(console, site, "one", "two", more="--suspended")
    assert console(line).code in {0, 4}
    assert console.asked == []


def test_one_job_on_each_of_several_hosts_is_several_jobs(site: Site) -> None:
    console = site.console(3)
    make(console, site, "one", more="--suspended")
    ran = console("resume one")
    assert ran.code == 5
    assert "resume 3 jobs on 3 hosts (practice01, practice02, practice03)?" in ran.err


NOT_YES = "nothing was sent: only y goes on, and something else was typed\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        *((no, "nothing was sent\n") for no in ("n", "", "NO")),
        *((other, NOT_YES) for other in ("yess", "x", "1")),
    ],
)
def test_anything_but_yes_sends_nothing_and_says_why(site: Site, answer: str, said: str) -> None:
    console = site.console(answers=[answer])
    make(console, site, "one", more="--suspended")
    ran = console("cancel one")
    assert (ran.code, ran.out, ran.err) == (5, "", said)
    (asked,) = console.asked
    assert asked == (
        "cancel 'one' on practice01? its temporary files are deleted (0 B so far, 1 file) [y/N] "
    )
    assert len(site.host.jobs()) == 1


@pytest.mark.parametrize("answer", ["y", "Y", "yes", " YES "])
def test_yes_sends_it(site: Site, answer: str) -> None:
    console = site.console(answers=[answer])
    make(console, site, "one", more="--suspended")
    assert console("cancel one").code == 0
    assert not site.host.jobs()


def test_a_finished_job_is_completed_without_a_question(site: Site) -> None:
    console = site.console(answers=[])
    make(console, site, "one")
    site.host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    assert console("complete one").code == 0
    assert console.asked == []


# What if


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (r"create {url} C:\in\x --name new", "create job 'new': {url} -> C:\\in\\x, resume it"),
        (r"create {url} C:\in\x --name one --if-exists replace", "that it replaces"),
        (r"add one {url} C:\in\x", r"add {url} -> C:\in\x to 'one'"),
        ("set one --priority high", "set the priority of 'one'"),
        ("resume one", "resume 'one'"),
        ("complete one", "unfinished files are deleted"),
        ("cancel *", "cancel 'two'"),
        ("manage one --on-error cancel", "cancel at ERROR"),
        (r"transfer {url} C:\in\x --name new", "complete at TRANSFERRED"),
    ],
)
def test_what_if_says_it_and_sends_nothing(site: Site, line: str, said: str) -> None:
    console = site.console()
    make(console, site, "one", "two", more="--suspended")
    before, written = changes_sent(site), len(changes_written(console))
    ran = console(line.format(url=site.url) + " --what-if")
    assert ran.code == 0
    assert said.format(url=site.url) in ran.out
    assert "nothing was sent" in ran.out
    assert changes_sent(site) == before
    assert len(changes_written(console)) == written


def test_what_if_says_each_thing_once(site: Site) -> None:
    console = site.console(2)
    make(console, site, "one", more="--suspended")
    console.add_host("down", "http://127.0.0.1:9/wsman")
    ran = console("suspend one --what-if")
    assert ran.code == 1
    assert (ran.out + ran.err).count("nothing listens") == 1
    assert (ran.out + ran.err).count("practice01: already so") == 1


def test_what_if_as_json_is_a_list_of_operations(site: Site) -> None:
    console = site.console()
    make(console, site, "one", more="--suspended")
    ran = console("cancel one --what-if -o json")
    (record,) = ran.records
    assert record["operation"] == "ChangeState"
    assert (record["effect"], record["status"], record["verb"]) == ("destroy", "planned", "cancel")


# The journal


class Ledger(MemoryJournal):
    """A journal that notes how much had been sent when it was written."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site = site
        self.before: list[int] = []
        self.after: list[int] = []

    def begin(self, draft: Draft) -> int:
        self.before.append(changes_sent(self.site))
        return super().begin(draft)

    def end(self, number: int, at: datetime, **ending: Mapping[str, Any] | None) -> None:
        self.after.append(changes_sent(self.site))
        super().end(number, at, **ending)


@pytest.mark.parametrize(
    ("line", "steps"),
    [
        (r"create {url} C:\in\x --name new", 1),
        (r"add one {url} C:\in\x", 1),
        ("set one --priority high", 1),
        ("resume one", 1),
        ("suspend run", 1),
        ("complete run --yes", 1),
        ("cancel one --yes", 1),
        ("manage run --interval 0.05", 1),
        (r"transfer {url} C:\in\x --name new --interval 0.05", 2),
    ],
)
def test_every_change_is_written_down_before_and_after(site: Site, line: str, steps: int) -> None:
    console = site.console()
    make(console, site, "one", more="--suspended")
    make(console, site, "run")
    site.host.wait_for(lambda jobs: jobs[1].state is JobState.TRANSFERRED)
    ledger = console.session.journal = Ledger(site)
    start = changes_sent(site)
    command = line.format(url=site.url)
    assert console(command).code == 0
    (entry,) = ledger.entries()
    assert (ledger.before, ledger.after) == ([start], [changes_sent(site)])
    assert ledger.after > ledger.before
    assert (entry.typed, entry.user) == (command, "tester")
    assert entry.verb == command.split()[0]
    assert entry.is_change
    assert entry.plan is not None
    assert len(entry.plan["steps"]) == len(entry.outcomes) == steps
    assert entry.summary is not None
    assert (entry.summary["well"], entry.summary["failed"]) == (1, 0)


def test_a_failure_is_written_down_too(site: Site) -> None:
    console = site.console()
    make(console, site, "one", more="--suspended")
    site.host.faults.arm("fault", operation="SetJobState", code=2147942405)
    assert console("resume one").code == 3
    entry = console.session.journal.entries()[-1]
    assert entry.summary is not None
    assert entry.summary["failed"] == 1
    assert entry.outcomes[0]["error"]["message"]


def test_a_look_is_one_entry_when_it_is_over(site: Site) -> None:
    console = site.console()
    make(console, site, "one", more="--suspended")
    ledger = console.session.journal = Ledger(site)
    lines = ("jobs", "show one", "files one", "explain one", "hosts", "hosts --check")
    for line in lines:
        assert console(line).code == 0
    assert [entry.typed for entry in ledger.entries()] == list(lines)
    assert {entry.effect for entry in ledger.entries()} == {"read"}
    assert not ledger.before, "nothing of a look is written beforehand"
    assert len(list(ledger.events())) == len(lines)


def test_no_password_gets_into_the_journal(site: Site) -> None:
    console = site.console()
    make(console, site, "one", more=f"--suspended --user {site.host.username}")
    assert site.host.password not in repr(console.session.journal.entries())


def test_the_files_of_a_completed_job_are_completed(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly")
    site.host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    (record,) = console("complete nightly -o json").records
    assert record["state"] == "ACKNOWLEDGED"
    assert [file["completed"] for file in record["files"]] == [True]
