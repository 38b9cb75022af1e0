"""The live view as a person sees and uses it, on practice hosts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from live_screen import Seen, look_at

from bitsshell.fleet.credentials import Credentials
from bitsshell.fleet.references import NoSuchJob
from bitsshell.practice import JobState
from bitsshell.results import Ending, Notice
from bitsshell.shell.live import LiveView

if TYPE_CHECKING:
    from consoles import Console, Site

FAST = "--interval 0.05"


def console_with(site: Site, *names: str, hosts: int = 1) -> Console:
    """A console whose hosts have suspended jobs of these names."""
    console = site.console(hosts)
    for name in names:
        made = console(rf"create {site.url} C:\in\{name} --name {name} --suspended --yes")
        assert made.code == 0, made.err
    return console


def test_q_leaves_and_the_last_table_stays(site: Site) -> None:
    session = console_with(site, "alpha", "beta").session
    seen = look_at(session, f"watch {FAST}", ("beta", "q"))
    assert any("> alpha" in screen and "SUSPENDED" in screen for screen in seen.screens)
    assert (seen.summary.ending, seen.last_frame.phase) == (Ending.COMPLETE, "stopped")
    assert [row.job.name for row in seen.last_frame.rows] == ["alpha", "beta"]


def test_ctrl_c_leaves_and_is_an_interruption(site: Site) -> None:
    session = console_with(site, "alpha").session
    seen = look_at(session, f"watch {FAST}", ("alpha", "\x03"))
    assert (seen.summary.ending, seen.last_frame.phase) == (Ending.INTERRUPTED, "stopped")


def test_before_the_first_answer_the_hosts_that_are_waited_for_are_named(site: Site) -> None:
    session = console_with(site, "alpha").session
    site.host.faults.arm("hang", times=1)
    look_at(session, f"watch alpha {FAST}", ("waiting for practice01, ", "\x03"))


def test_ctrl_c_before_the_first_answer_leaves(site: Site) -> None:
    session = console_with(site, "alpha").session
    site.host.faults.arm("hang", times=1)
    seen = look_at(session, f"watch {FAST}", ("asking the hosts", "\x03"))
    assert seen.summary.ending is Ending.INTERRUPTED


def test_a_watch_of_named_jobs_ends_by_itself_when_they_do(site: Site) -> None:
    console = console_with(site, "alpha")
    seen = look_at(console.session, f"watch alpha {FAST}", ("SUSPENDED", "r"))
    assert (seen.summary.ending, seen.summary.well) == (Ending.COMPLETE, 1)
    assert seen.last_frame.phase == "final"
    assert site.only_job().state is JobState.TRANSFERRED


def test_resume_goes_through_the_dispatcher_and_is_written_down(site: Site) -> None:
    session = console_with(site, "alpha").session
    seen = look_at(session, f"watch {FAST}", ("SUSPENDED", "r"), ("TRANSFERRED", "q"))
    assert site.only_job().state is JobState.TRANSFERRED
    (entry,) = [entry for entry in session.journal.entries() if entry.verb == "resume"]
    assert site.only_job().id.strip("{}") in entry.typed
    assert any("done" in screen and "alpha" in screen for screen in seen.screens)


def test_cancel_asks_and_a_no_leaves_everything_as_it_is(site: Site) -> None:
    session = console_with(site, "alpha").session
    look_at(
        session, f"watch {FAST}", ("SUSPENDED", "x"), ("[y/N]", "n\r"), ("nothing was sent", "q")
    )
    assert site.only_job().state is JobState.SUSPENDED


def test_cancel_of_marked_jobs_asks_once_and_a_yes_takes_them_away(site: Site) -> None:
    session = console_with(site, "alpha", "beta", "gamma").session
    seen = look_at(
        session,
        f"watch {FAST}",
        ("gamma", "  x"),
        ("[y/N]", "y\r"),
        (lambda text: "1 job on 1 host" in text, "q"),
    )
    assert site.only_job().name == "gamma"
    assert [row.job.name for row in seen.last_frame.rows] == ["gamma"]


def test_cancel_of_more_than_ten_wants_the_number(site: Site) -> None:
    session = console_with(site, *(f"job{number:02}" for number in range(11))).session
    look_at(
        session,
        f"watch {FAST}",
        ("job10", "ax"),
        ("type 11 to go on:", "yes\r"),
        ("nothing was sent: only 11 goes on", "x"),
        ("type 11 to go on:", "11\r"),
        ("no jobs", "q"),
    )
    assert site.host.jobs() == ()


def test_a_read_only_session_refuses_and_the_view_goes_on(site: Site) -> None:
    session = console_with(site, "alpha").session
    session.read_only = True
    look_at(session, f"watch {FAST}", ("SUSPENDED", "r"), ("read-only", "q"))
    assert site.only_job().state is JobState.SUSPENDED


def test_keys_only_plan_in_a_session_that_is_a_what_if(site: Site) -> None:
    session = console_with(site, "alpha").session
    session.what_if = True
    look_at(session, f"watch {FAST}", ("SUSPENDED", "r"), ("nothing was sent", "q"))
    assert site.only_job().state is JobState.SUSPENDED


def test_ctrl_c_at_a_question_leaves_and_sends_nothing(site: Site) -> None:
    session = console_with(site, "alpha").session
    seen = look_at(session, f"watch {FAST}", ("SUSPENDED", "x"), ("[y/N]", "\x03"))
    assert seen.summary.ending is Ending.INTERRUPTED
    assert site.only_job().state is JobState.SUSPENDED


def test_a_verb_that_the_host_refuses_is_said_and_the_view_goes_on(site: Site) -> None:
    session = console_with(site, "alpha").session
    site.host.faults.arm("access-denied", operation="SetJobState", times=1)
    look_at(session, f"watch {FAST}", ("SUSPENDED", "r"), ("failed: ", "q"))


def test_two_hosts_and_one_that_is_down(site: Site) -> None:
    console = console_with(site, "alpha", hosts=2)
    console.add_host("down", "http://127.0.0.1:9/wsman")
    seen = look_at(
        console.session,
        f"watch {FAST}",
        (lambda text: "2 jobs on 2 hosts" in text and "not answering: down" in text, "q"),
    )
    assert "nothing listens" in seen.screens[-1]
    assert [str(outcome.host) for outcome in seen.outcomes] == ["down"]


def test_details_of_a_job_in_error_explain_it(site: Site) -> None:
    console = site.console()
    console(rf"create {site.missing} C:\in\a --name broken")
    site.host.wait_for(lambda jobs: jobs[0].state is JobState.ERROR)
    look_at(
        console.session,
        f"watch {FAST}",
        ("ERROR", "\r"),
        (lambda text: "BG_E_HTTP_ERROR_404" in text and "next:" in text, "q"),
    )


def test_filter_and_help_and_back(site: Site) -> None:
    session = console_with(site, "alpha", "beta").session
    look_at(
        session,
        f"watch {FAST}",
        ("beta", "/bet"),
        (lambda text: "filter: bet_" in text and "alpha" not in text, "\r"),
        ("1 shown", "?"),
        ("any key goes back", "z"),
        ("1 shown", "\x1b"),
        (lambda text: "alpha" in text and "shown" not in text, "q"),
    )


def test_a_job_that_is_not_there_is_an_error_as_anywhere(site: Site) -> None:
    session = console_with(site, "alpha").session
    with pytest.raises(NoSuchJob):
        look_at(session, f"watch nobody {FAST}")


def test_what_keys_did_stays_in_sight_when_the_watch_ends_by_an_error(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, seen = console_with(site, "alpha").session, Seen()

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("boom")

    def is_resumed(text: str) -> bool:
        if "TRANSFERRED" in text:
            monkeypatch.setattr(session, "pause", broken)
        return "TRANSFERRED" in text

    steps = [("SUSPENDED", "r"), (is_resumed, "")]
    with pytest.raises(ZeroDivisionError):
        look_at(session, f"watch {FAST}", *steps, seen=seen)
    said = [event.text for event in seen.events if isinstance(event, Notice)]
    assert any("alpha" in text for text in said), said
    assert [row.job.name for row in seen.last_frame.rows] == ["alpha"]


def test_a_password_is_asked_for_in_the_view_and_shows_nowhere(site: Site) -> None:
    console = console_with(site, "alpha")
    console.session.credentials = Credentials(environment={}, ask=lambda _: "")
    fresh = type(console.session)(credentials=console.session.credentials)
    fresh.targets = tuple(fresh.remember(target) for target in console.session.targets)
    seen = look_at(
        fresh, f"watch {FAST}", ("Password for", f"{site.host.password}\r"), ("alpha", "q")
    )
    assert site.host.password not in seen.written
    fresh.close()


def test_who_types_no_password_for_a_host_goes_on_without_it(site: Site) -> None:
    console = console_with(site, "alpha", hosts=2)
    session, other = console.session, console.session.known["practice02"]
    session.credentials.ask = lambda _: ""
    session.remember(replace(other, logon=replace(other.logon, user="ann")))
    session.credentials.environment = {}
    seen = look_at(
        session,
        f"watch {FAST}",
        ("Password for ann on practice02: _", "\x1b"),
        (lambda text: "1 job on 1 host" in text and "not answering: practice02" in text, "q"),
    )
    assert seen.summary.ending is Ending.COMPLETE
    assert [str(outcome.host) for outcome in seen.outcomes] == ["practice02"]


def test_a_password_that_a_host_stops_taking_is_asked_for_by_the_others_name(site: Site) -> None:
    console = console_with(site, "alpha", hosts=2)
    console.session.credentials.ask = lambda _: ""
    assert console("jobs").code == 0
    site.hosts[1].faults.arm("expired-password")
    look_at(
        console.session,
        f"watch {FAST}",
        (f"Password for {site.host.username} on practice01: _", f"{site.host.password}\r"),
        (lambda text: "alpha" in text and "not answering: practice02" in text, "q"),
    )


def test_keys_before_a_question_is_drawn_are_no_answer_to_it(site: Site) -> None:
    view = LiveView(console_with(site, "alpha").session)
    view.put_question("cancel 1 job? [y/N] ", is_secret=False)
    view.press("y")
    assert view.model.typed == ""
    view.application.after_render.fire()
    view.press("y")
    assert view.model.typed == "y"


def test_without_colour_none_is_written(site: Site) -> None:
    session = console_with(site, "alpha").session
    seen = look_at(session, f"watch {FAST}", ("SUSPENDED", "q"), colour=False)
    styles = re.findall(r"\x1b\[([0-9;]*)m", seen.written)
    colours = {part for style in styles for part in style.split(";")} - {"", "0", "1", "7"}
    assert not colours


@pytest.mark.parametrize("name", ["a\u202egnp.exe", "z\u200bero", "日本語", "x" * 200])
def test_a_hostile_name_moves_nothing_on_the_screen(site: Site, name: str) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name '{name}' --suspended")
    console(rf"create {site.url} C:\in\b --name zz --suspended")
    seen = look_at(console.session, f"watch {FAST}", ("zz", "q"))
    (screen, *_) = [text for text in seen.screens if "zz" in text]
    lines = [line for line in screen.splitlines() if "SUSPENDED" in line]
    assert len(lines) == 2
    assert "\u202e" not in seen.written
    assert "\u200b" not in seen.written


KEYS_WITHOUT_A_MEANING = {
    "left": "\x1b[D",
    "delete": "\x1b[3~",
    "F1": "\x1bOP",
    "F5": "\x1b[15~",
    "shift-right, urxvt": "\x1b[c",
    "ctrl-right, urxvt": "\x1bOc",
    "alt-c": "\x1bc",
    "keypad 2": "\x1bOr",
    "a terminal's answer": "\x1b[?1;2c",
}


@pytest.mark.parametrize("sent", KEYS_WITHOUT_A_MEANING.values(), ids=KEYS_WITHOUT_A_MEANING)
def test_a_key_without_a_meaning_acts_on_nothing_and_types_nothing(site: Site, sent: str) -> None:
    session = console_with(site, "alpha", "beta").session
    changes = site.host.stats.calls.get("SetJobState", 0)
    seen = look_at(
        session,
        f"watch {FAST}",
        ("beta", f"{sent}?"),
        ("any key goes back", " /"),
        ("filter: _", f"a{sent}l"),
        ("filter: al_", "\r"),
        ("1 shown", "x"),
        ("[y/N]", f"y{sent}"),
        ("[y/N] y_", "\x7f\r"),
        ("nothing was sent", "q"),
    )
    assert site.host.stats.calls.get("SetJobState", 0) == changes
    assert {job.state for job in site.host.jobs()} == {JobState.SUSPENDED}
    both = [text for text in seen.screens if "> alpha" in text and "  beta" in text]
    assert both
    assert all(text.index("alpha") < text.index("beta") for text in both), "the order is turned"


@pytest.mark.parametrize("sent", ["\x1b\x03", "\x1b[\x03"])
def test_ctrl_c_leaves_right_behind_escape_too(site: Site, sent: str) -> None:
    session = console_with(site, "alpha").session
    assert look_at(session, f"watch {FAST}", ("alpha", sent)).summary.ending is Ending.INTERRUPTED


def test_a_password_can_be_pasted(site: Site) -> None:
    console = console_with(site, "alpha")
    credentials = Credentials(environment={}, ask=lambda _: "")
    fresh = type(console.session)(credentials=credentials)
    fresh.targets = tuple(fresh.remember(target) for target in console.session.targets)
    pasted = f"\x1b[200~{site.host.password}\n\x1b[201~\r"
    seen = look_at(fresh, f"watch {FAST}", ("Password for", pasted), ("alpha", "q"))
    assert site.host.password not in seen.written
    fresh.close()


def test_a_pasted_block_acts_on_nothing(site: Site) -> None:
    session = console_with(site, "alpha").session
    look_at(session, f"watch {FAST}", ("alpha", "\x1b[200~rrr\x1b[201~?"), ("any key", " q"))
    assert site.only_job().state is JobState.SUSPENDED
