"""What is offered while a line is typed."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.bits import Job, JobFile, JobState
from bitsshell.commands import VERBS, Dispatcher, tokenize
from bitsshell.commands.completion import Candidate, CandidateKind, complete
from bitsshell.commands.dispatch import help_text
from bitsshell.config import Config, SavedCommand
from bitsshell.fleet.references import Kind, match, parse_reference
from bitsshell.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FIRST = "9D5C4B47-36E2-4D5E-9A4F-1C2B3A495867"
SECOND = "9D5C0000-36E2-4D5E-9A4F-1C2B3A495867"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def job(name: str, job_id: str = FIRST, host: str = "web01", **more: object) -> Job:
    return Job(host=host, id=job_id, name=name, **more)  # type: ignore[arg-type]


def session_with(*jobs: Job, hosts: Iterable[str] = ("web01", "web02")) -> Session:
    session = Session(user="tester")
    for host in hosts:
        session.targets = (*session.targets, session.target(host))
    for host in dict.fromkeys(job.host for job in jobs):
        session.snapshot = session.snapshot.with_host(
            host, [job for job in jobs if job.host == host], at=AT
        )
    return session


def offered(line: str, session: Session | None = None) -> list[Candidate]:
    """What is offered at the place of `|`, or at the end."""
    position = line.index("|") if "|" in line else len(line)
    return list(complete(line.replace("|", "", 1), position, session or session_with()).candidates)


def texts(line: str, session: Session | None = None) -> list[str]:
    return [candidate.text for candidate in offered(line, session)]


def at_the_end_of(line: str, session: Session) -> list[str]:
    """What is offered there, also in a line with a `|` of its own."""
    return [candidate.text for candidate in complete(line, len(line), session).candidates]


def accepted(line: str, session: Session | None = None) -> str:
    """The line after its first candidate was taken."""
    found = complete(line, len(line), session or session_with())
    return line[: found.start] + found.candidates[0].text


# The first word


def test_an_empty_line_offers_every_verb_and_help_and_exit() -> None:
    assert texts("") == [*VERBS, "help", "exit"]


def test_a_verb_is_completed_with_its_help() -> None:
    (candidate,) = offered("resu")
    assert candidate.text == "resume"
    assert candidate.help.startswith("Resume jobs")
    assert candidate.kind is CandidateKind.VERB


def test_a_verb_in_capitals_is_completed_as_it_is_written() -> None:
    assert texts("RESU") == ["resume"]


def test_help_offers_verbs_and_after_one_nothing_more() -> None:
    assert texts("help res") == ["resume"]
    assert texts("help ")[: len(VERBS)] == list(VERBS)
    assert texts("help resume ") == []


def test_help_offers_topics_and_what_is_configured_too() -> None:
    assert texts("help exi") == ["exit-codes"]
    assert texts("help fol") == ["following"]
    assert all(help_text([topic]) for topic in texts("help "))
    session = session_with()
    session.configure(Config(commands={"fetch": SavedCommand("create <url>", "get a file")}))
    (found,) = offered("help fet", session)
    assert (found.text, found.help) == ("fetch", "get a file")


def test_after_a_word_that_is_no_verb_nothing_is_offered() -> None:
    assert texts("frobnicate ") == []


def test_blanks_before_the_verb_do_not_matter() -> None:
    assert accepted("   resu") == "   resume"


# Options and their values


def test_options_come_with_their_help() -> None:
    by_text = {candidate.text: candidate for candidate in offered("jobs --")}
    assert by_text["--state"].help == "only in these states"
    assert by_text["--state"].kind is CandidateKind.OPTION
    assert {"--host", "--user", "--auth", "--output", "--help"} <= set(by_text)


def test_an_option_that_was_given_is_not_offered_again_unless_it_may_be_repeated() -> None:
    found = texts("jobs --state error -H web01 --")
    assert "--state" not in found
    assert "--host" in found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("set x --priority fore", ["foreground"]),
        ("jobs --auth k", ["kerberos"]),
        ("jobs -o nd", ["ndjson"]),
        ("manage x --on-error ", ["keep", "cancel", "resume"]),
        ("jobs --state susp", ["suspended"]),
        ("jobs --state error,susp", ["error,suspended"]),
        ("jobs --state=susp", ["--state=suspended"]),
        ("jobs --state=error,susp", ["--state=error,suspended"]),
        ("wait x --until TRANSFERRED,transfe", ["TRANSFERRED,transferring"]),
        ("wait x --until error,transfe", ["error,transferring", "error,transferred"]),
    ],
)
def test_choices_are_completed(line: str, expected: list[str]) -> None:
    assert texts(line) == expected


def test_after_equals_a_short_option_offers_nothing_for_it_would_be_part_of_the_value() -> None:
    assert texts("jobs -o=js") == []


def test_an_option_that_does_not_exist_offers_nothing_after_equals() -> None:
    assert texts("show --frob=n", session_with(job("nightly"))) == []


def test_after_two_dashes_an_option_is_no_option() -> None:
    assert texts("show -- --hos") == []


def test_the_value_of_a_free_option_offers_nothing() -> None:
    assert texts("set nightly --name ", session_with(job("nightly"))) == []


# Hosts


def test_known_hosts_are_completed_with_their_endpoint() -> None:
    found = offered("jobs -H web")
    assert [candidate.text for candidate in found] == ["web01", "web02"]
    assert found[0].help == "http://web01:5985/wsman"
    assert found[0].kind is CandidateKind.HOST


def test_the_last_host_of_a_list_is_completed() -> None:
    assert texts("jobs --host=web01,web0") == ["--host=web01,web01", "--host=web01,web02"]


def test_a_host_is_completed_by_its_url_too() -> None:
    assert texts("use http://web02") == ["http://web02:5985/wsman"]


# Jobs


def test_a_job_is_completed_by_name_with_state_and_host() -> None:
    session = session_with(job("nightly", state=JobState.TRANSFERRING))
    (candidate,) = offered("resume nig", session)
    assert candidate == Candidate("nightly", "TRANSFERRING web01", CandidateKind.JOB)


def test_every_job_is_offered_before_anything_is_typed() -> None:
    session = session_with(job("nightly"), job("weekly", SECOND))
    assert texts("show ", session) == ["nightly", "weekly"]
    assert texts("show nightly ", session) == ["nightly", "weekly"]


def test_the_case_of_a_name_does_not_matter() -> None:
    assert texts("show NIG", session_with(job("Nightly"))) == ["Nightly"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("show my", "show 'my job'"),
        ("show 'my", "show 'my job'"),
        ('show "my j', 'show "my job"'),
        ("show m'y j", "show 'my job'"),
        ("show -H web01 'my job", "show -H web01 'my job'"),
    ],
)
def test_a_name_with_blanks_is_quoted_as_it_was_begun(line: str, expected: str) -> None:
    assert accepted(line, session_with(job("my job"))) == expected


def test_a_name_with_quotes_survives() -> None:
    session = session_with(job('it\'s "so"'))
    for line in ("show it", "show 'it", 'show "it'):
        assert tokenize(accepted(line, session)) == ["show", 'it\'s "so"']


@pytest.mark.parametrize("typed", ["9d5c4", "9D5C4", "9D5C4B47-36E2"])
def test_an_id_is_completed_from_its_beginning(typed: str) -> None:
    session = session_with(job("nightly"), job("weekly", SECOND))
    (candidate,) = offered(f"show {typed}", session)
    assert candidate.text == FIRST
    assert candidate.help == "SUSPENDED web01 nightly"


def test_an_id_in_braces_stays_in_braces() -> None:
    assert texts("show {9d5c4", session_with(job("nightly"))) == [f"{{{FIRST}}}"]
    assert texts("show '{9d5c4", session_with(job("nightly"))) == [f"'{{{FIRST}}}'"]


def test_two_jobs_of_one_name_on_one_host_are_offered_by_id() -> None:
    session = session_with(job("nightly"), job("nightly", SECOND))
    assert sorted(texts("show nig", session)) == sorted([FIRST, SECOND])


def test_one_name_on_two_hosts_is_one_candidate() -> None:
    session = session_with(job("nightly"), job("nightly", SECOND, "web02"))
    (found,) = offered("show nig", session)
    assert found.text == "nightly"
    assert found.help.endswith(", and on 1 more")


def test_a_name_that_every_host_has_leaves_room_for_the_others() -> None:
    names = ("archive", "backup", "nightly", "weekly", "patches", "drivers", "image", "reports")
    hosts = [f"web{number:03}" for number in range(60)]
    jobs = [job(name, str(uuid.uuid4()).upper(), host) for host in hosts for name in names]
    session = session_with(*jobs, hosts=hosts)
    assert texts("show ", session) == sorted(names)
    assert all(found.help.endswith(", and on many more") for found in offered("show ", session))


@pytest.mark.parametrize(
    "name",
    ["--yes", "a*b", "%1", "%errors", "{x}", "tab\there", "\x1b[2J", "rtl\u202e", " edge", ""],
)
def test_a_name_that_would_be_read_as_something_else_is_offered_by_id(name: str) -> None:
    assert texts("show ", session_with(job(name))) == [FIRST]


@pytest.mark.parametrize("typed", ["", "n", "ngt"])
def test_behind_state_only_jobs_in_those_states_are_offered(typed: str) -> None:
    hosts = [f"web{number:02}" for number in range(30)]
    others = [
        job("nightly", str(uuid.uuid4()).upper(), host, state=JobState.TRANSFERRED)
        for host in hosts
    ]
    session = session_with(*others, job("nightly-x", state=JobState.SUSPENDED), hosts=hosts)
    assert texts(f"complete --state suspended {typed}", session) == ["nightly-x"]
    assert texts(f"jobs --state error {typed}", session) == []
    assert "nightly" in texts(f"complete --state nonsense {typed}", session)


def test_only_jobs_of_the_chosen_hosts_are_offered() -> None:
    session = session_with(job("here"), job("there", SECOND, "other"))
    assert texts("show ", session) == ["here"]


def test_rows_of_the_last_listing_are_offered_with_their_jobs() -> None:
    session = session_with(job("nightly"))
    session.listing = (("web01", FIRST), ("web01", SECOND))
    assert [(c.text, c.help) for c in offered("show %", session)] == [
        ("%1", "SUSPENDED web01 nightly"),
        ("%2", "web01"),
        ("%errors", "those of the last listing that are in an error state"),
    ]
    assert texts("show %e", session) == ["%errors"]


def test_a_row_is_completed_from_its_first_digits() -> None:
    session = session_with(job("nightly"))
    session.listing = (("web01", FIRST),) * 120
    assert texts("show %1", session)[:4] == ["%1", "%10", "%11", "%12"]
    assert texts("show %12", session) == ["%12", "%120"]
    assert texts("show %0", session) == texts("show %121", session) == []


def test_without_a_listing_no_row_is_offered() -> None:
    assert texts("show %") == []


def test_explain_offers_jobs_and_codes() -> None:
    session = session_with(job("nightly"))
    assert texts("explain nig", session) == ["nightly"]
    assert texts("explain bg_e_missing_file_s", session) == ["BG_E_MISSING_FILE_SIZE"]
    assert "0x80190194" in texts("explain 0x801901", session)


# Fuzzy, files of this machine, and places on the hosts


def test_where_nothing_begins_so_the_letters_are_enough() -> None:
    session = session_with(job("sql-nightly"), job("weekly", SECOND))
    assert texts("rsm") == ["resume"]
    assert texts("show ngtly", session) == ["sql-nightly"]
    assert texts("jobs --fngr") == ["--tls-fingerprint"]
    assert texts("jobs --state trsnt") == ["transient-error"]
    assert texts("jobs -H wb02") == ["web02"]


def test_jobs_come_with_progress_and_age_where_they_are_known() -> None:
    half = job("nightly", bytes_total=10, bytes_transferred=5, created_filetime=1)
    (candidate,) = offered("show nig", session_with(half))
    assert candidate.help.startswith("SUSPENDED web01 50% ")
    assert candidate.help.endswith("d")


def test_an_option_that_takes_a_file_offers_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "site ca.pem").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / ".hidden").write_text("")
    folder = f"{tmp_path}{os.sep}"
    assert texts(f"jobs --ca {folder}") == [f"{folder}folder{os.sep}", f"'{folder}site ca.pem'"]
    assert texts(f"jobs --ca {folder}.h") == [f"{folder}.hidden"]
    assert texts(f"jobs --ca {folder}nowhere{os.sep}") == []


def test_behind_an_operator_files_are_offered_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "jobs.tsv").write_text("")
    folder = f"{tmp_path}{os.sep}"
    assert texts(f"jobs > {folder}j") == [f"{folder}jobs.tsv"]
    for line in ("jobs |", "jobs | ", "jobs | so", "jobs |so", "jobs | sort > "):
        assert at_the_end_of(line, session_with(job("so"))) == []
    assert at_the_end_of("jobs 's", session_with(job("so"))) == ["'so'"]


def test_behind_the_file_of_an_operator_nothing_is_offered(tmp_path: Path) -> None:
    (tmp_path / "jobs.tsv").write_text("")
    assert texts(f"jobs > {tmp_path / 'jobs.tsv'} ") == []
    assert texts("jobs >jobs.tsv ") == []
    assert texts("jobs >") == texts("jobs >>") == []


def test_an_operator_in_quotes_is_a_word_like_others() -> None:
    session = session_with(job("a > b"), job("> c"))
    assert texts("show '> ", session) == ["'> c'"]


def test_urls_and_remote_folders_that_were_seen_in_jobs_are_offered_in_turn() -> None:
    session = session_with()
    session.places.learn([job("n", files=(JobFile("http://s/d/a.iso", "D:\\in\\a.iso"),))])
    assert texts("create http://s", session) == ["http://s/d/", "http://s/d/a.iso"]
    assert texts("create http://s/d/a.iso D:", session) == ["D:\\in\\"]
    assert texts("add nightly http://s/d/a", session) == ["http://s/d/a.iso"]


# The line


def test_only_what_stands_before_the_cursor_counts() -> None:
    assert texts("resu| nightly") == ["resume"]
    assert complete("resume nig xyz", 10, session_with(job("nightly"))).start == 7


def test_nothing_is_offered_in_a_comment() -> None:
    assert texts("jobs # --") == []


def test_completing_changes_nothing_of_the_session() -> None:
    session = session_with(job("nightly"))
    before = (session.known.copy(), session.targets, session.snapshot, session.listing)
    for line in ("jobs -H nowhere ", "use newhost ", "jobs -H 'a b' --user x ", "show x -H q,"):
        complete(line, len(line), session)
    assert before == (session.known, session.targets, session.snapshot, session.listing)


RICH = session_with(
    job("nightly"), job("my job", SECOND), job("it's", str(uuid.UUID(int=3)).upper(), "web02")
)
RICH.listing = (("web01", FIRST), ("web02", "gone"))

WORDS = st.sampled_from(
    [
        *VERBS,
        *sorted({name for verb in VERBS.values() for param in verb.params for name in param.opts}),
        *("--", "-", "--=", "=", "--state=", "--host=,", "a=b", "{", "}", "%", "%1-", "'", '"'),
        *("#", ",", "help", "nightly", "my", "web01,", "9D5C", "error,", "\n", "\0", "0x80", "~"),
    ]
)
LINES = st.lists(st.one_of(WORDS, st.text(max_size=6)), max_size=8).flatmap(
    lambda words: st.sampled_from([" ", "", "=", "  "]).map(lambda blank: blank.join(words))
)


@given(line=LINES, position=st.integers(-2, 60))
def test_whatever_is_typed_completion_answers_in_place(line: str, position: int) -> None:
    found = complete(line, position, RICH)
    assert 0 <= found.start <= max(0, min(position, len(line)))
    for candidate in found.candidates:
        assert candidate.text


@given(line=LINES)
def test_a_candidate_that_is_taken_is_one_word_where_the_last_one_stood(line: str) -> None:
    found = complete(line, len(line), RICH)
    before = tokenize(line[: found.start])
    for candidate in found.candidates:
        words = tokenize(line[: found.start] + candidate.text)
        assert words[:-1] == before


@given(name=st.text(min_size=1, max_size=12))
def test_whatever_a_job_is_called_its_candidate_means_it(name: str) -> None:
    wanted, other = job(name), job("another", SECOND)
    session = session_with(wanted, other)
    words = [tokenize(f"show {text}") for text in texts("show ", session)]
    invocations = [Dispatcher(session).parse(found) for found in words]
    references = [parse_reference(found[1]) for found in words]
    assert all(invocation.verb == "show" for invocation in invocations)
    assert all(reference.kind in {Kind.NAME, Kind.ID} for reference in references)
    meant = {match(reference, (wanted, other), host="web01") for reference in references}
    assert (wanted,) in meant
