from __future__ import annotations

from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.bits import Priority
from bitsshell.commands import quote
from bitsshell.errors import UsageError
from magics.words import read_words

GUID = "{12345678-1234-1234-1234-123456789012}"


def words(line: str, verb: str | None = "jobs", **names: Any) -> list[str]:
    return list(read_words(line, names, verb=verb).words)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{name}", ["nightly run"]),
        ("'{name}'", ["nightly run"]),
        ("x{number}y", ["x7y"]),
        ("{number:03}", ["007"]),
        ("{hosts}", ["web01", "web02"]),
        ("{hosts[1]}", ["web02"]),
        ("{hosts[-1]}", ["web02"]),
        ("{by_name['a b']}", ["C"]),
        ("{folder.name}", ["in"]),
        ("{folder}", ["/srv/in"]),
        ("{priority}", ["foreground"]),
        ("{pause}", ["90s"]),
        ("{{name}}", ["{name}"]),
        ("a{{b}}c", ["a{b}c"]),
        (GUID, [GUID]),
        (r"\\server\c$\x $name", [r"\\server\c$\x", "$name"]),
        ("%1-4 %errors", ["%1-4", "%errors"]),
        ("a # {nope}", ["a"]),
    ],
)
def test_a_name_in_braces_stands_for_its_value(line: str, expected: list[str]) -> None:
    names = {
        "name": "nightly run",
        "number": 7,
        "hosts": ["web01", "web02"],
        "by_name": {"a b": "C"},
        "folder": PurePosixPath("/srv/in"),
        "priority": Priority.FOREGROUND,
        "pause": timedelta(minutes=1, seconds=30),
    }
    assert words(line, **names) == ["jobs", *expected]


@given(st.text())
def test_a_value_is_one_argument_whatever_is_in_it(value: str) -> None:
    if value.startswith("-"):
        assert words("-- {value}", value=value) == ["jobs", "--", value]
    else:
        assert words("{value}", value=value) == ["jobs", value]
    assert words("--state {value}", value=value) == ["jobs", "--state", value]
    assert words("x={value}", value=value) == ["jobs", f"x={value}"]


@given(st.text(min_size=1))
def test_a_literal_with_doubled_braces_comes_out_as_it_was(text: str) -> None:
    typed = quote(text.replace("{", "{{").replace("}", "}}"))
    if not text.startswith("-"):
        assert words(f"{typed} last") == ["jobs", text, "last"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{nope}", "'nope' is not defined"),
        ("{hosts[9]}", r"no item \[9\]"),
        ("{hosts.size}", "no attribute 'size'"),
        ("{number[0]}", r"no item \[0\]"),
        ("{nothing}", "nothing} is empty"),
        ("{none}", "is a NoneType"),
        ("{flag}", "is a bool"),
        ("{nested}", "is a list"),
        ("x{hosts}", "is a list"),
        ("{a-b}", "names no variable"),
        ("{}", "names no variable"),
        ("{number:q}", "Unknown format code"),
        ("a{b", "'{' stands alone"),
        ("a}b", "'}' stands alone"),
        ("'open", "never closed"),
        ("{option}", "begins with '-'"),
    ],
)
def test_what_is_no_argument_is_refused_with_a_reason(line: str, says: str) -> None:
    names = {
        "hosts": ["web01"],
        "number": 7,
        "nothing": [],
        "none": None,
        "flag": True,
        "nested": [["a"]],
        "option": "--yes",
    }
    with pytest.raises(UsageError, match=says) as caught:
        words(line, **names)
    assert 1 <= len(caught.value.lines()) <= 3


def test_a_list_after_a_repeatable_option_repeats_it() -> None:
    assert words("-H {hosts} x", hosts=["a", "b"]) == ["jobs", "-H", "a", "-H", "b", "x"]


def test_a_list_after_an_option_that_takes_one_value_is_refused() -> None:
    with pytest.raises(UsageError, match="--user takes one value"):
        words("--user {names}", names=["a", "b"])


def test_an_empty_list_never_means_every_host() -> None:
    with pytest.raises(UsageError, match="is empty"):
        words("-H {hosts}", hosts=[])


def test_the_options_of_magics_are_taken_out_wherever_they_stand() -> None:
    found = read_words("-q web01 --into jobs --state error", {}, verb="jobs")
    assert (found.words, found.is_quiet, found.into) == (
        ("jobs", "web01", "--state", "error"),
        True,
        "jobs",
    )
    assert read_words("--into=jobs", {}, verb="jobs").into == "jobs"


def test_a_value_of_an_option_is_no_option_of_magics() -> None:
    found = read_words("--name -q --description --into a", {}, verb="set")
    assert found.words == ("set", "--name", "-q", "--description", "--into", "a")
    assert not found.is_quiet
    assert found.into is None


@pytest.mark.parametrize("name", ["", "1a", "for", "a.b", "a b"])
def test_into_needs_the_name_of_a_variable(name: str) -> None:
    with pytest.raises(UsageError, match="--into needs the name of a variable"):
        read_words(f"--into '{name}'", {}, verb="jobs")


@pytest.mark.parametrize(
    ("line", "expected", "is_quiet"),
    [
        ("a;", ["a"], True),
        ("a ; ", ["a"], True),
        (";", [], True),
        ("'a;'", ["a;"], False),
        ("'a' # ;", ["a"], False),
        ("a;b", ["a;b"], False),
    ],
)
def test_a_last_semicolon_outside_quotes_silences(
    line: str, expected: list[str], is_quiet: bool
) -> None:
    found = read_words(line, {}, verb="jobs")
    assert list(found.words) == ["jobs", *expected]
    assert found.is_quiet is is_quiet


def test_without_a_verb_the_first_word_is_it() -> None:
    assert words("watch {job} --interval 1", verb=None, job="a") == [
        "watch",
        "a",
        "--interval",
        "1",
    ]
    assert words("   ", verb=None) == []
