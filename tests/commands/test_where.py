"""`--where`: what is understood, what is refused, and what is offered while it is typed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.bits import Job, JobState, Priority
from bitsshell.commands.where import BadExpression, parse_where, where_candidates
from bitsshell.errors import BitsShellError
from bitsshell.render.fields import FIELDS
from bitsshell.results import View

FIELDS_OF_JOBS = FIELDS[View.JOBS]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def job(**values: object) -> Job:
    made = NOW - timedelta(hours=3)
    usual = {
        "host": "srv01",
        "id": "9D5C4B47-0000-0000-0000-000000000001",
        "name": "Nightly",
        "state": JobState.ERROR,
        "priority": Priority.HIGH,
        "bytes_total": 2 * 1024**3,
        "bytes_transferred": 1024**3,
        "files_total": 3,
        "created_filetime": int((made - _EPOCH).total_seconds()) * 10**7,
    }
    return Job(**{**usual, **values})  # type: ignore[arg-type]


def holds(text: str, **values: object) -> bool:
    return parse_where(text, FIELDS_OF_JOBS)(job(**values), NOW)


@pytest.mark.parametrize(
    "text",
    [
        "state = error",
        "state == ERROR",
        "state != transient-error",
        "STATE = Error AND size > 1G",
        "size>1G",
        "size = 2 GiB",
        "size >= 2048M and size <= 2097152k",
        "done = 50%",
        "done < 51",
        "bytes = 1073741824",
        "age > 2h and age < 3h30m",
        "name = nightly",
        "name ~ 'night*'",
        "name != 'not this'",
        "not name = weekly",
        "not (state = queued or state = suspended)",
        "state = queued or state = error and files = 3",
        "priority = high",
        "owner = unknown",
        "size != unknown",
        "owner = ''",
    ],
)
def test_what_is_so_of_the_job(text: str) -> None:
    assert holds(text)
    assert not holds(f"not ({text})")


@pytest.mark.parametrize("text", ["size > 0", "size < 1T", "size = 0", "size != 0", "done >= 0"])
def test_what_is_not_known_is_in_no_comparison(text: str) -> None:
    assert not holds(text, bytes_total=None)
    assert holds("size = unknown", bytes_total=None)


def test_a_quoted_unknown_is_a_text() -> None:
    assert holds("name = 'unknown'", name="unknown")
    assert not holds("name = unknown", name="unknown")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a field is missing"),
        ("colour = red", "'colour' is no field"),
        ("state", "nothing compares state"),
        ("state >", "'>' does not compare state, which is a choice"),
        ("state = ", "a value is missing after state ="),
        ("state = broken", "'broken' is no choice for state"),
        ("size > big", "'big' is no size for size"),
        ("age > soon", "'soon' is no duration for age"),
        ("done < half", "'half' is no percentage for done"),
        ("files = 1.5", "'1.5' is no number for files"),
        ("size ~ 1*", "'~' does not compare size"),
        ("name = two words", "and or or is missing before 'words'"),
        ("(state = error", "a bracket is never closed"),
        ("state = error)", "and or or is missing before ')'"),
        ("name = 'open", "a quote is never closed"),
        ("state = error and", "a field is missing at the end"),
        ("(" * 50 + "state = error", "too many brackets"),
        ("not " * 5000, "longer than 2,000 characters"),
        ("__import__('os').system('x')", "is no field"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_may_stand_there(text: str, said: str) -> None:
    with pytest.raises(BadExpression) as refused:
        parse_where(text, FIELDS_OF_JOBS)
    assert said in refused.value.what()
    assert refused.value.hint


@given(st.text(alphabet="statesizename =!<>~()'\"10Gandor not\x1b\u202e", max_size=60))
def test_any_text_is_an_expression_or_a_usage_error(text: str) -> None:
    try:
        wanted = parse_where(text, FIELDS_OF_JOBS)
    except BitsShellError:
        return
    assert wanted(job(), NOW) in {True, False}


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("st", ["state"]),
        ("state ", ["state =", "state !="]),
        (
            "state = trans",
            ["state = transferring", "state = transient-error", "state = transferred"],
        ),
        ("state = error a", ["state = error and"]),
        ("state = error and si", ["state = error and size"]),
        ("size>", []),
        ("name = 'x", []),
    ],
)
def test_what_may_come_next_is_offered(typed: str, offered: list[str]) -> None:
    assert where_candidates(typed, FIELDS_OF_JOBS) == offered
