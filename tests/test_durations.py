"""Lengths of time as they are typed."""

from __future__ import annotations

import pytest

from bitsshell.durations import MAX_DURATION_S, BadDuration, seconds_of


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("0", 0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("90s", 90),
        ("5M", 300),
        (" 2h ", 7200),
        ("1h30m", 5400),
    ],
)
def test_a_length_of_time_is_seconds_or_has_units(typed: str, seconds: float) -> None:
    assert seconds_of(typed) == seconds


@pytest.mark.parametrize("typed", ["", "5 parsecs", "-1", "inf", "nan", "1e5", "5m3", "h"])
def test_anything_else_is_none(typed: str) -> None:
    with pytest.raises(BadDuration, match="is no length of time"):
        seconds_of(typed)


def test_it_must_be_long_enough_and_what_the_provider_can_hold() -> None:
    assert seconds_of("0.1", minimum_s=0.1) == 0.1
    with pytest.raises(BadDuration, match="is too short"):
        seconds_of("0.09", minimum_s=0.1)
    assert seconds_of(str(MAX_DURATION_S)) == MAX_DURATION_S
    for typed in (str(MAX_DURATION_S + 1), "9" * 400):
        with pytest.raises(BadDuration, match="is too long"):
            seconds_of(typed)
