"""`%%bits_check`: what a line may be, what is evaluated, what is observed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bitsshell.runbooks.checks import BadCheck, check_cell, evaluate, parse

if TYPE_CHECKING:
    from bitsshell.results import ConditionResult


def checked(body: str, **names: Any) -> list[ConditionResult]:
    return list(evaluate(parse(body), names))


def test_a_line_that_holds_is_met_and_says_what_was_seen() -> None:
    (result,) = checked("len(jobs) == 2", jobs=["a", "b"])
    assert result.is_met
    assert result.observed == "len(jobs) is 2"


def test_both_sides_are_observed_when_neither_is_a_constant() -> None:
    (result,) = checked("done < total", done=3, total=2)
    assert not result.is_met
    assert result.observed == "done is 3, total is 2"


def test_all_lines_are_evaluated_after_one_that_fails_and_one_that_raises() -> None:
    results = checked("x == 2\ny\nx == 1", x=1)
    assert [result.is_met for result in results] == [False, False, True]
    assert results[1].observed == "raises NameError: name 'y' is not defined"


@pytest.mark.parametrize(
    ("line", "condition"),
    [
        ("all here: x == 1", "all here: x == 1"),
        ("x == 1  # all here", "all here: x == 1"),
        ("x == 1", "x == 1"),
        ("{'a': 1}['a'] == x", "{'a': 1}['a'] == x"),
        ("(lambda v: v)(x) == 1", "(lambda v: v)(x) == 1"),
        ("x == len('#')", "x == len('#')"),
    ],
)
def test_a_label_stands_in_front_or_behind(line: str, condition: str) -> None:
    (result,) = checked(line, x=1)
    assert result.is_met, result
    assert result.condition == condition


@pytest.mark.parametrize("line", ["x =", "x = 1", "import os", "for x in y: pass", "a: b: c d"])
def test_a_line_that_is_no_expression_is_refused_before_anything_is_evaluated(line: str) -> None:
    seen: list[int] = []
    with pytest.raises(BadCheck, match="line 2"):
        check_cell(f"seen.append(1) is None\n{line}", {"seen": seen})
    assert seen == []


@pytest.mark.parametrize("body", ["", "\n\n", "# only words"])
def test_nothing_to_check_is_no_check(body: str) -> None:
    with pytest.raises(BadCheck, match="nothing to check"):
        parse(body)


def test_each_part_is_evaluated_once() -> None:
    calls: list[int] = []

    def count() -> int:
        calls.append(1)
        return len(calls)

    (result,) = checked("0 < count() < 5", count=count)
    assert result.is_met
    assert calls == [1]


@pytest.mark.parametrize(
    ("line", "is_met", "observed"),
    [
        ("x == 1 and y == 2", True, "x is 1, y is 2"),
        ("x == 2 and y == 2", False, "x is 1"),
        ("x == 2 or y == 2", True, "x is 1, y is 2"),
        ("not x == 2", True, "x is 1"),
        ("x in (3, 4)", False, "x is 1, (3, 4) is (3, 4)"),
        ("x is not None", True, "x is 1"),
        ("y", True, "y is 2"),
        ("0 < x < y < 2", False, "x is 1, y is 2"),
    ],
)
def test_what_decided_it_is_observed(line: str, is_met: bool, observed: str) -> None:
    (result,) = checked(line, x=1, y=2)
    assert (result.is_met, result.observed) == (is_met, observed)


def test_a_value_that_cannot_show_itself_ends_nothing() -> None:
    class Shy:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    (result,) = checked("shy is None", shy=Shy())
    assert result.observed == "shy is <Shy, whose repr raises RuntimeError>"


def test_what_is_observed_is_clipped_and_neutral() -> None:
    (result,) = checked("text == ''", text="\x1b[31m" + "x" * 1000)
    assert "\x1b" not in result.observed
    assert len(result.observed) < 200


def test_the_report_counts_what_is_not_met() -> None:
    report = check_cell("x == 1\nx == 2\nx == 3", {"x": 1})
    assert (report.summary.well, report.summary.unmet) == (1, 2)
    assert not report.ok
    assert len(report.items) == 3
