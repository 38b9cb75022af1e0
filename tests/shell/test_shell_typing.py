"""What is seen while a line is typed: prompt, toolbar, colours, lines that go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from shell_things import Step, text_is, type_keys, typing

from bitsshell.bits import Job, JobState
from bitsshell.commands import VERBS
from bitsshell.config import NO_CONFIG, Config
from bitsshell.fleet.credentials import Credentials
from bitsshell.session import Session
from bitsshell.shell.bare import BarePrompt
from bitsshell.shell.lexer import OPTION, UNKNOWN, VERB, styled
from bitsshell.shell.lines import split_block, wants_more
from bitsshell.shell.prompt import prompt_fragments, prompt_text, toolbar_fragments
from bitsshell.shell.readers import PromptReader
from bitsshell.shell.settings import ShellSettings

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
ID = "9D5C4B47-36E2-4D5E-9A4F-1C2B3A495867"


def session_on(*hosts: str, jobs: tuple[str, ...] = ()) -> Session:
    session = Session(credentials=Credentials(environment={}), user="tester")
    session.targets = tuple(session.target(host) for host in hosts)
    for host in hosts:
        queue = [Job(host=host, id=ID, name=name) for name in jobs]
        session.snapshot = session.snapshot.with_host(host, queue, at=NOW - timedelta(minutes=5))
    return session


# Prompt and toolbar


def test_the_prompt_is_red_and_says_so_where_hosts_are_down() -> None:
    session = session_on("web01", "web02")
    assert prompt_fragments(session) == [("class:prompt", "bits 2 hosts> ")]
    session.down = frozenset({"web02", "elsewhere"})
    assert prompt_fragments(session) == [("class:prompt.down", "bits 2 hosts, 1 down> ")]
    assert prompt_text(session.targets[1:], session.down) == "bits web02, down> "


def toolbar(session: Session) -> str:
    return "".join(fragment[1] for fragment in toolbar_fragments(session, NOW))


def test_the_toolbar_says_how_old_the_oldest_answer_is() -> None:
    session = session_on("web01", "web02")
    session.snapshot = session.snapshot.with_host("web02", [], at=NOW)
    assert toolbar(session) == "refreshed 5m ago  |  F2 hides this"


def test_the_toolbar_says_what_was_never_read() -> None:
    session = session_on("web01")
    session.targets += (session.target("web02"),)
    assert "refreshed 5m ago, 1 not read yet" in toolbar(session)
    assert "no host chosen" in toolbar(session_on())


def test_the_toolbar_names_modes_hosts_that_are_down_and_followed_jobs() -> None:
    session = session_on("web01")
    session.what_if = session.read_only = True
    session.down = frozenset({"web01"})
    session.followed.changed(Job(host="web01", id=ID, state=JobState.QUEUED))
    assert toolbar(session).startswith(
        "what-if: nothing is sent  |  read-only  |  1 host down  |  following 1 job"
    )


def test_the_environment_chooses_keys_toolbar_refreshing_and_colours() -> None:
    assert ShellSettings.of(NO_CONFIG, {}) == ShellSettings()
    chosen = {
        "BITSSHELL_EDITING": "VI",
        "BITSSHELL_TOOLBAR": "off",
        "BITSSHELL_REFRESH": "0",
        "NO_COLOR": "1",
    }
    assert ShellSettings.of(NO_CONFIG, chosen) == ShellSettings(
        is_vi=True, has_toolbar=False, refreshes=False, has_colour=False
    )


def test_the_configuration_chooses_them_too_and_the_environment_wins() -> None:
    config = Config(shell={"editing": "vi", "toolbar": False, "refresh": False}, colour=False)
    assert ShellSettings.of(config, {}) == ShellSettings(
        is_vi=True, has_toolbar=False, refreshes=False, has_colour=False
    )
    chosen = {"BITSSHELL_EDITING": "emacs", "BITSSHELL_TOOLBAR": "on", "BITSSHELL_REFRESH": "1"}
    assert ShellSettings.of(config, chosen) == ShellSettings(has_colour=False)


def test_a_slip_in_the_environment_is_said_and_keeps_nobody_out(tmp_path: Path) -> None:
    config = Config(shell={"toolbar": False})
    found = ShellSettings.of(config, {"BITSSHELL_EDITING": "vim", "BITSSHELL_TOOLBAR": "offf"})
    assert (found.is_vi, found.has_toolbar) == (False, False)
    with create_pipe_input() as pipe:
        bare = BarePrompt(tmp_path / "h", input=pipe, output=DummyOutput())
        reader = PromptReader(empty_session(), bare, settings=found)
        reader.close()
    assert "BITSSHELL_EDITING='vim' is not known; it is one of emacs, vi" in reader.notices
    assert any(line.startswith("BITSSHELL_TOOLBAR='offf' is not known") for line in reader.notices)


# Colours


def style_of(word: str, line: str, session: Session | None = None) -> str:
    pieces = styled(line, session or session_on("web01", jobs=("nightly",)))
    assert "".join(piece[1] for piece in pieces) == line
    (style,) = [piece[0] for piece in pieces if piece[1] == word]
    return style


def test_verbs_and_options_are_told_from_what_is_none() -> None:
    assert style_of("jobs", "jobs --state error") == VERB
    assert style_of("--state", "jobs --state error") == OPTION
    assert style_of("frobnicate", "frobnicate x") == UNKNOWN
    assert style_of("--frob", "jobs --frob x") == UNKNOWN
    assert style_of("help", "help jobs") == VERB


def test_the_word_that_is_still_being_typed_is_not_called_unknown() -> None:
    assert style_of("frobn", "frobn") == ""
    assert style_of("nigh", "show nigh") == ""


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("nightly", ""),
        ("NIGHTLY", ""),
        ("weekly", UNKNOWN),
        ("9d5c", ""),
        ("%1", UNKNOWN),
        ("week*", ""),
        ("%errors", ""),
    ],
)
def test_a_job_is_unknown_where_all_jobs_are_known_and_it_is_none(word: str, expected: str) -> None:
    assert style_of(word, f"show {word} ") == expected


def test_no_job_is_unknown_while_a_host_was_not_read() -> None:
    session = session_on("web01")
    session.targets += (session.target("web02"),)
    assert style_of("weekly", "show weekly ", session) == ""


def test_hosts_that_nobody_named_before_are_coloured() -> None:
    assert style_of("web01", "jobs -H web01 ") == ""
    assert style_of("web91", "jobs -H web91 ") == UNKNOWN
    assert style_of("web[01-03]", "jobs -H web[01-03] ") == ""
    assert style_of("web91", "use web91 ") == ""


def test_the_value_of_an_option_is_no_argument() -> None:
    assert style_of("weekly", "set nightly --name weekly ") == ""


def test_what_stands_behind_an_operator_is_another_programs() -> None:
    assert style_of("weekly", "show nightly | grep weekly ") == ""
    assert style_of("jobs.tsv", "show nightly > jobs.tsv ") == ""
    assert style_of("weekly", "show weekly | sort ") == UNKNOWN


PIECES = st.sampled_from(
    [*VERBS, "--state", "-H", "web01", "--", "-", "=", "'", '"', "\n", "`\n", "#", "%1", "{", "é"]
)


@given(text=st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=8).map(" ".join))
def test_whatever_is_typed_its_pieces_are_the_text(text: str) -> None:
    pieces = styled(text, session_on("web01", jobs=("nightly",)))
    assert "".join(piece[1] for piece in pieces) == text


# Lines that go on


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jobs", False),
        ("show 'my", True),
        ("show 'my\njob'", False),
        ("create http://s/a `", True),
        ("create http://s/a `\n", False),
        ("show x`", False),
        ("jobs # it's", False),
        ("jobs # `", False),
        ("show 'my\n", False),
        ("jobs\nshow 'my", True),
    ],
)
def test_enter_begins_another_line_while_a_quote_or_a_backtick_is_open(
    text: str, expected: bool
) -> None:
    assert wants_more(text) is expected


def test_a_line_goes_on_behind_a_backtick() -> None:
    assert split_block("create http://s/a `\n  C:\\a\njobs\n") == [
        "create http://s/a    C:\\a",
        "jobs",
    ]
    assert split_block("show x`\njobs") == ["show x`", "jobs"]


# Keys


def empty_session() -> Session:
    return Session(credentials=Credentials(environment={}))


def test_an_open_quote_takes_another_line_and_then_all_is_run(tmp_path: Path) -> None:
    ran = type_keys(
        empty_session(),
        tmp_path / "history",
        "help 'use\r",
        Step(text_is("help 'use\n"), "\x7f'\r"),
        "\x04",
    )
    assert "Choose the hosts" in ran.out


def test_a_backtick_takes_another_line(tmp_path: Path) -> None:
    ran = type_keys(
        empty_session(),
        tmp_path / "history",
        "help `\r",
        Step(text_is("help `\n"), "use\r"),
        "\x04",
    )
    assert "Choose the hosts" in ran.out


def test_an_empty_line_ends_a_quote_that_was_not_meant(tmp_path: Path) -> None:
    ran = type_keys(
        empty_session(),
        tmp_path / "history",
        "show it's\r",
        Step(text_is("show it's\n"), "\r"),
        "\x04",
    )
    assert "never closed" in ran.err


def test_the_rest_of_a_line_from_the_history_is_suggested_and_taken(tmp_path: Path) -> None:
    history = tmp_path / "history"
    type_keys(empty_session(), history, "help use\r", "\x04")
    ran = type_keys(
        empty_session(),
        history,
        "help",
        Step(lambda buffer: buffer.suggestion is not None and buffer.text == "help", "\x05"),
        Step(text_is("help use"), "\r"),
        "\x04",
    )
    assert "Choose the hosts" in ran.out


def test_ctrl_r_finds_a_line_of_the_history(tmp_path: Path) -> None:
    history = tmp_path / "history"
    type_keys(empty_session(), history, "help use\r", "help jobs\r", "\x04")
    ran = type_keys(empty_session(), history, "\x12us", Step(text_is(""), "\r\r\x04"))
    assert "Choose the hosts" in ran.out


def test_f2_switches_the_toolbar(tmp_path: Path) -> None:
    with typing(empty_session(), tmp_path / "history") as (reader, pipe):
        assert reader._lines.bottom_toolbar is not None
        pipe.send_text("\x1bOQ\r")
        reader.read("")
        assert reader._lines.bottom_toolbar is None
        pipe.send_text("\x1bOQ\r")
        reader.read("")
        assert reader._lines.bottom_toolbar is not None


def test_vi_keys_are_there_for_who_wants_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITSSHELL_EDITING", "vi")
    with typing(empty_session(), tmp_path / "history") as (reader, pipe):
        pipe.send_text("xhelp\x1b0x\r")
        assert reader.read("") == "help"


def test_a_completed_job_tells_state_host_and_progress() -> None:
    from bitsshell.commands.completion import complete

    session = session_on("web01")
    job = Job(host="web01", id=ID, name="nightly", bytes_total=10, bytes_transferred=5)
    created = replace(job, state=JobState.TRANSFERRING, created_filetime=133_500_000_000_000_000)
    session.snapshot = session.snapshot.with_host("web01", [created], at=NOW)
    (found,) = complete("show nig", 8, session).candidates
    assert found.help.startswith("TRANSFERRING web01 50% ")
    assert found.help.endswith("d")
