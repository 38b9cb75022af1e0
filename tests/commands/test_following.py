"""`watch`, `wait` and `manage` on practice hosts: every policy, every way that following ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from consoles import cancel_job, complete_job

from bitsshell.commands import Dispatcher, Nobody, tokenize
from bitsshell.fleet.clock import SystemClock
from bitsshell.practice import JobState
from bitsshell.results import Event, Frame, JobChange, Notice, Outcome, Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consoles import Console, Site

FAST = "--interval 0.05"
SAMPLE = "--on-transferred complete --on-error cancel --on-transient cancel --yes"


def start(site: Site, url: str | None = None, name: str = "nightly", *, hosts: int = 1) -> Console:
    """A console with a job of that name on its hosts."""
    console = site.console(hosts)
    made = console(rf"create {url or site.url} C:\in\{name} --name {name} --yes")
    assert made.code == 0, made.err
    return console


def settle(site: Site, state: JobState, *, hosts: int = 1) -> None:
    for host in site.hosts[:hosts]:
        host.wait_for(lambda jobs: all(job.state is state for job in jobs))


def transient(site: Site) -> Console:
    """A job in TRANSIENT_ERROR, where it stays: its host has no network."""
    site.host.faults.arm("network-down")
    console = start(site)
    settle(site, JobState.TRANSIENT_ERROR)
    return console


class Meanwhile(SystemClock):
    """A clock on which something happens as soon as somebody waits."""

    def __init__(self, happening: Callable[[], None]) -> None:
        self.happenings = [happening]

    def wait(self, seconds: float) -> None:
        while self.happenings:
            self.happenings.pop()()


def running(console: Console, line: str) -> Iterator[Event]:
    """The events of a line, one by one, so that something can happen in between."""
    dispatcher = Dispatcher(console.session, Nobody())
    return dispatcher.events(dispatcher.parse(tokenize(line)))


# watch


def test_watch_writes_a_line_of_json_for_each_change_and_ends(site: Site) -> None:
    console = start(site)
    ran = console(f"watch nightly {FAST}")
    assert ran.code == 0
    assert ran.states[-1] == "TRANSFERRED"
    assert ran.events[0]["event"] == "present"
    assert ran.events[-1]["event"] == "outcome"


def test_watch_of_a_failed_job_fails_with_its_code_explained(site: Site) -> None:
    console = start(site, site.missing)
    ran = console(f"watch nightly {FAST}")
    assert ran.code == 3
    assert "'nightly' is in ERROR: 0x80190194 BG_E_HTTP_ERROR_404" in ran.err
    errors = [event["error"] for event in ran.events if event["state"] == "ERROR"]
    assert errors[0]["code"] == 0x80190194


def test_watch_of_a_whole_queue_goes_on_until_its_time_is_over(site: Site) -> None:
    console = start(site)
    ran = console(f"watch {FAST} --timeout 0.3")
    assert ran.code == 0
    assert ran.states[-1] == "TRANSFERRED"


def test_watch_of_a_whole_queue_shows_what_comes_and_goes(site: Site) -> None:
    console = site.console()
    kinds = []
    for event in running(console, f"watch {FAST}"):
        if isinstance(event, JobChange):
            kinds.append(event.kind)
            if event.kind == "appeared":
                cancel_job(site.host, site.only_job().id)
            elif event.kind == "left":
                console.session.interrupts.set()
        elif isinstance(event, Frame) and not kinds:
            site.console()(rf"create {site.url} C:\in\new --suspended")
    assert (kinds[0], kinds[-1]) == ("appeared", "left")


def test_the_last_frame_of_a_stopped_watch_says_that_it_was_stopped(site: Site) -> None:
    console = site.console()
    phases = []
    for event in running(console, f"watch {FAST}"):
        if isinstance(event, Frame):
            phases.append(event.phase)
            console.session.interrupts.set()
    assert phases == ["live", "stopped"]


def test_a_watch_stopped_in_its_first_poll_shows_the_jobs_as_they_were_found(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly --suspended")
    call = console.session.look_patiently

    def interrupted(*args: Any, **options: Any) -> Any:
        console.session.interrupts.set()
        return call(*args, **options)

    console.session.look_patiently = interrupted  # type: ignore[method-assign]
    frames = [
        event for event in running(console, f"watch nightly {FAST}") if isinstance(event, Frame)
    ]
    assert [frame.phase for frame in frames] == ["stopped"]
    assert [row.job.name for row in frames[0].rows] == ["nightly"]


def test_watch_goes_on_with_the_hosts_that_answer(site: Site) -> None:
    console = start(site)
    console.add_host("down", "http://127.0.0.1:9/wsman")
    ran = console(f"watch {FAST} --timeout 0.3")
    assert ran.code == 3
    assert "down: nothing listens" in ran.err
    assert ran.states[-1] == "TRANSFERRED"


def test_a_host_that_takes_long_holds_up_no_other_and_is_named(site: Site) -> None:
    console = start(site, hosts=2)
    settle(site, JobState.TRANSFERRED, hosts=2)
    quick, slow = (host.name for host in site.hosts[:2])
    notices: list[str] = []
    frames: list[Frame] = []
    for event in running(console, f"watch {FAST}"):
        if isinstance(event, Notice):
            notices.append(event.text)
        elif isinstance(event, Frame):
            frames.append(event)
            if len(frames) == 1:
                site.hosts[1].faults.arm("hang", times=1)
            elif len(frames) == 2:
                console(rf"create {site.url} C:\in\b --name later --suspended --yes -H {quick}")
            elif len(frames) == 5:
                console.session.interrupts.set()
    assert [frame.unreachable for frame in frames[:5]] == [(), *[(slow,)] * 4]
    assert [len(frame.rows) for frame in frames[:5]] == [2, 2, 3, 3, 3]
    assert notices == [f"{slow}: no answer yet; the other hosts go on"]


def test_a_late_answer_is_taken_when_it_comes(site: Site) -> None:
    console = start(site, hosts=2)
    settle(site, JobState.TRANSFERRED, hosts=2)
    site.hosts[1].faults.arm("slow", operation="Enumerate", seconds=4, times=1)
    notices: list[str] = []
    rows: list[int] = []
    for event in running(console, f"watch {FAST}"):
        if isinstance(event, Frame):
            rows.append(len(event.rows))
        elif isinstance(event, Notice):
            notices.append(event.text)
            if len(notices) == 2:
                console.session.interrupts.set()
    assert notices == [
        "practice02: no answer yet; the other hosts go on",
        "practice02: answers again",
    ]
    assert (rows[0], rows[-1]) == (1, 2)


def test_a_suspended_job_is_pointed_out(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly --suspended")
    ran = console(f"watch nightly {FAST} --timeout 0.3")
    assert ran.code == 4
    assert ran.err.count("'nightly' is suspended, nothing moves until it is resumed") == 1


def test_watch_as_json_gives_how_the_jobs_ended(site: Site) -> None:
    ran = start(site)(f"watch nightly {FAST} -o json")
    assert [record["state"] for record in ran.records] == ["TRANSFERRED"]


# wait


def test_wait_is_silent_until_the_job_is_there(site: Site) -> None:
    ran = start(site)(f"wait nightly {FAST}")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("\n") == 1
    assert "TRANSFERRED" in ran.out


@pytest.mark.parametrize(
    ("until", "url", "code"),
    [
        ("transferred", "hello", 0),
        ("error", "missing", 0),
        ("transferred,error", "missing", 0),
        ("transferred", "missing", 3),
        ("suspended", "missing", 3),
    ],
)
def test_wait_ends_at_one_of_these_states(site: Site, until: str, url: str, code: int) -> None:
    console = start(site, site.missing if url == "missing" else site.url)
    assert console(f"wait nightly --until {until} {FAST} --timeout 20").code == code


def test_wait_for_acknowledged_ends_when_somebody_completes_the_job(site: Site) -> None:
    console = start(site)
    (job,) = site.host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    console.session.clock = Meanwhile(lambda: complete_job(site.host, job.id))
    ran = console(f"wait nightly --until acknowledged,cancelled {FAST}")
    assert ran.code == 0
    assert site.arrived("nightly").is_file()


def test_wait_that_takes_too_long_says_where_the_job_is(site: Site) -> None:
    ran = transient(site)(f"wait nightly {FAST} --timeout 0.3")
    assert ran.code == 4
    assert "'nightly' is TRANSIENT_ERROR after 0.3 s, not yet TRANSFERRED" in ran.err
    assert "next: " in ran.err
    assert len(site.host.jobs()) == 1


def test_a_host_that_hangs_cannot_hold_up_the_time_limit(site: Site) -> None:
    console = transient(site)
    site.host.faults.arm("hang", operation="Enumerate")
    began = console.session.clock.monotonic()
    ran = console(f"wait nightly {FAST} --timeout 0.5")
    assert console.session.clock.monotonic() - began < 5
    assert ran.code == 4
    assert "practice01" in ran.err


def test_a_host_that_begins_to_hang_cannot_hold_up_the_time_limit(site: Site) -> None:
    console = transient(site)
    ended: list[Event] = []
    for event in running(console, f"manage nightly {FAST} --timeout 0.5"):
        ended.append(event)
        if isinstance(event, Frame) and not site.host.faults.armed.count("hang"):
            site.host.faults.arm("hang", operation="Enumerate")
    (outcome,) = [event for event in ended if isinstance(event, Outcome)]
    assert "the host does not answer" in str(outcome.error)


# manage


def test_manage_completes_what_is_transferred(site: Site) -> None:
    ran = start(site)(f"manage nightly {FAST}")
    assert ran.code == 0
    assert site.arrived("nightly").is_file()
    assert not site.host.jobs()
    assert ran.states[-1] == "ACKNOWLEDGED"


def test_manage_keeps_what_is_transferred_when_it_was_told_to(site: Site) -> None:
    ran = start(site)(f"manage nightly --on-transferred keep {FAST}")
    assert ran.code == 0
    assert site.only_job().state is JobState.TRANSFERRED


def test_manage_keeps_a_failed_job_and_fails(site: Site) -> None:
    ran = start(site, site.missing)(f"manage nightly {FAST}")
    assert ran.code == 3
    assert "kept as it is" in ran.err
    assert site.only_job().state is JobState.ERROR


def test_manage_resumes_a_failed_job_when_it_was_told_to(site: Site) -> None:
    console = start(site, site.missing)
    settle(site, JobState.ERROR)
    before = site.host.stats.calls["SetJobState"]
    ran = console(f"manage nightly --on-error resume {FAST} --timeout 0.4")
    assert ran.code == 4
    assert site.host.stats.calls["SetJobState"] > before + 1


def test_manage_waits_at_a_transient_error_which_is_no_failure(site: Site) -> None:
    console = transient(site)
    for event in running(console, f"manage nightly {FAST}"):
        if isinstance(event, JobChange) and event.after is not None and event.after.state == 5:
            site.host.faults.disarm("network-down")
        last = event
    assert isinstance(last, Summary)
    assert (last.well, last.failed, last.unmet) == (1, 0, 0)
    assert site.arrived("nightly").is_file()


def test_manage_resumes_at_a_transient_error_when_it_was_told_to(site: Site) -> None:
    console = transient(site)
    before = site.host.stats.calls.get("SetJobState", 0)
    ran = console(f"manage nightly --on-transient resume {FAST} --timeout 0.4")
    assert ran.code == 4
    assert site.host.stats.calls["SetJobState"] > before


@pytest.mark.parametrize(
    ("trouble", "code", "said"),
    [
        ("none", 0, ""),
        ("missing", 3, "cancelled, as asked for at ERROR"),
        ("network", 3, "cancelled, as asked for at TRANSIENT_ERROR"),
    ],
)
def test_microsofts_own_policy_completes_or_cancels(
    site: Site, trouble: str, code: int, said: str
) -> None:
    if trouble == "network":
        console = transient(site)
    else:
        console = start(site, site.missing if trouble == "missing" else site.url)
    ran = console(f"manage nightly {SAMPLE} {FAST}")
    assert ran.code == code
    assert said in ran.err
    assert not site.host.jobs()
    assert site.arrived("nightly").is_file() == (code == 0)


def test_manage_acts_on_all_hosts_and_counts_each(site: Site) -> None:
    console = start(site, hosts=3)
    cancel_job(site.hosts[2], site.only_job(site.hosts[2]).id)
    site.console(3)(rf"create {site.missing} C:\in\x --name nightly -H practice03")
    ran = console(f"manage nightly {FAST} --yes")
    assert ran.code == 1
    assert ran.err.count("failed: practice03") == 1
    assert all(site.arrived("nightly", host).is_file() for host in site.hosts[:2])


def test_manage_of_a_job_that_somebody_else_takes_away_says_so(site: Site) -> None:
    console = transient(site)
    outcomes: list[Outcome] = []
    for event in running(console, f"manage nightly {FAST}"):
        if isinstance(event, Frame) and site.host.jobs():
            cancel_job(site.host, site.only_job().id)
        elif isinstance(event, Outcome):
            outcomes.append(event)
    assert "left the queue" in str(outcomes[0].error)


def test_a_host_that_does_not_answer_is_said_once_and_asked_again(site: Site) -> None:
    console = transient(site)
    notices: list[str] = []
    frames = 0
    for event in running(console, f"manage nightly {FAST}"):
        if isinstance(event, Notice):
            notices.append(event.text)
        elif isinstance(event, Frame):
            frames += 1
            if frames == 1:
                site.host.faults.arm("garbage", operation="Enumerate", times=3)
            elif frames == 5:
                site.host.faults.disarm("network-down")
        last = event
    assert len(notices) == 2
    assert notices[0].startswith("practice01: ")
    assert notices[0].endswith("; asking again every 0.05 s")
    assert notices[1] == "practice01: answers again"
    assert isinstance(last, Summary)
    assert (last.well, last.failed) == (1, 0)


def test_a_password_that_is_refused_meanwhile_ends_the_following(site: Site) -> None:
    console = transient(site)
    outcomes: list[Outcome] = []
    for event in running(console, f"manage nightly {FAST}"):
        if isinstance(event, Frame) and not outcomes:
            site.host.faults.arm("expired-password")
            site.host.drop_idle_connections()
        elif isinstance(event, Outcome):
            outcomes.append(event)
    assert "refused the sign-in" in str(outcomes[0].error)


# Actions whose answer does not come


def test_a_complete_whose_answer_was_lost_is_done(site: Site) -> None:
    console = start(site)
    settle(site, JobState.TRANSFERRED)
    site.host.faults.arm("lost-answer", operation="SetJobState", times=1)
    ran = console(f"manage nightly {FAST}")
    assert ran.code == 0
    assert site.arrived("nightly").is_file()


def test_a_complete_of_which_nothing_is_known_is_found_done_at_the_next_look(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = start(site)
    settle(site, JobState.TRANSFERRED)
    faults, take = site.host.faults, site.host.faults.take

    def take_and_fall_silent(when: Any, operation: str | None, **options: Any) -> Any:
        struck = take(when, operation, **options)
        if struck is not None and operation == "SetJobState":
            faults.arm("garbage", operation="Get", times=1)  # what became of it cannot be asked
        return struck

    monkeypatch.setattr(faults, "take", take_and_fall_silent)
    faults.arm("lost-answer", operation="SetJobState", times=1)
    ran = console(f"manage nightly {FAST} -o json")
    assert ran.code == 0
    assert "whether it took effect is UNKNOWN; asking again every" in ran.err
    assert [(record["status"], record["state"]) for record in ran.records] == [
        ("done", "ACKNOWLEDGED")
    ]
    assert not site.host.jobs()


def test_a_complete_that_did_not_arrive_is_sent_again(site: Site) -> None:
    console = start(site)
    settle(site, JobState.TRANSFERRED)
    site.host.faults.arm("no-answer", operation="SetJobState", times=1)
    ran = console(f"manage nightly {FAST}")
    assert ran.code == 0
    assert site.arrived("nightly").is_file()


def test_a_complete_that_never_arrives_is_given_up(site: Site) -> None:
    console = start(site)
    settle(site, JobState.TRANSFERRED)
    site.host.faults.arm("garbage", operation="SetJobState")
    ran = console(f"manage nightly {FAST}")
    assert ran.code == 3
    assert "UNKNOWN" in ran.err or "cannot be used" in ran.err
    assert site.only_job().state is JobState.TRANSFERRED


def test_a_complete_that_bits_refuses_fails_and_keeps_the_job(site: Site) -> None:
    console = start(site)
    settle(site, JobState.TRANSFERRED)
    site.host.faults.arm("locked-file", path=r"C:\in\nightly")
    ran = console(f"manage nightly {FAST}")
    assert ran.code == 3
    assert "0x80070020" in ran.err
    assert len(site.host.jobs()) == 1


# What-if


def test_what_only_looks_does_so_also_in_a_session_that_is_a_what_if(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly")
    console("whatif on")
    assert console(f"wait nightly {FAST}").code == 0
    assert site.only_job().state.name == "TRANSFERRED"
    assert console(f"watch nightly {FAST}").states[-1] == "TRANSFERRED"
    assert "what if" in console("complete nightly").out
    assert site.only_job().state.name == "TRANSFERRED"
    console("whatif off")
    assert "nothing moves" in console("watch nightly --what-if").err


# Interrupted


def test_an_interrupt_leaves_the_jobs_alone_and_says_so(site: Site) -> None:
    console = transient(site)
    events: list[Event] = []
    for event in running(console, f"manage nightly {FAST}"):
        events.append(event)
        if isinstance(event, Frame):
            console.session.interrupts.set()
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert notices == ["stopped; 1 job goes on without being watched"]
    summary = events[-1]
    assert isinstance(summary, Summary)
    assert summary.ending.value == "interrupted"
    assert len(site.host.jobs()) == 1


# Forms


def test_a_table_that_was_asked_for_is_a_line_a_change_also_off_a_terminal(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly")
    ran = console(f"manage nightly {FAST} -o table")
    assert ran.code == 0
    *changes, end = ran.out.splitlines()
    assert changes[-1].startswith("ACKNOWLEDGED   100%")
    assert end.startswith("done  ")
    assert "{" not in ran.out


def test_a_record_of_a_watched_job_has_only_what_was_read(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly --description mine")
    (outcome,) = [
        event for event in console(f"watch nightly {FAST}").events if event["event"] == "outcome"
    ]
    assert (outcome["name"], outcome["state"]) == ("nightly", "TRANSFERRED")
    assert outcome.keys().isdisjoint({"description", "reference", "owner", "created", "files"})
