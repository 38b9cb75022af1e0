"""Sizes, rates, durations, ages, times and percentages."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_things import NOW

from bitsshell.render import units


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (None, "?"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1024 * 1023, "1.0 MiB"),
        (int(1.5 * 2**20), "1.5 MiB"),
        (120 * 2**30, "120 GiB"),
        (2**64 - 2, "16.0 EiB"),
    ],
)
def test_sizes_are_short(size_bytes: int | None, shown: str) -> None:
    assert units.size(size_bytes) == shown


@given(st.integers(0, 2**64))
def test_no_size_takes_more_than_eight_cells(size_bytes: int) -> None:
    assert len(units.size(size_bytes)) <= 8


def test_a_rate_that_nobody_knows_or_that_makes_no_sense_is_a_dash() -> None:
    assert units.rate(1.5 * 2**20) == "1.5 MiB/s"
    assert [units.rate(value) for value in (None, math.nan, math.inf, -1.0)] == ["-"] * 4


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "?"),
        (math.inf, "?"),
        (-3, "0s"),
        (0.4, "0s"),
        (59.6, "1m 00s"),
        (125, "2m 05s"),
        (3720, "1h 02m"),
        (3 * 86400 + 4 * 3600, "3d 04h"),
        (10**9, ">999d"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float | None, shown: str) -> None:
    assert units.duration(seconds) == shown


def test_time_left_is_a_dash_when_nobody_can_tell() -> None:
    assert [units.time_left(value) for value in (None, math.inf, 61)] == ["-", "-", "1m 01s"]


def test_elapsed_time_has_tenths_while_it_is_short() -> None:
    assert [units.elapsed(value) for value in (0.04, 9.94, 61)] == ["0.0 s", "9.9 s", "1m 01s"]


def test_an_age_has_one_unit_and_is_never_negative() -> None:
    def ago(**amount: int) -> str:
        return units.age(NOW - timedelta(**amount), NOW)

    assert [ago(seconds=5), ago(minutes=12), ago(hours=3), ago(days=8)] == ["5s", "12m", "3h", "8d"]
    assert ago(minutes=-5) == "0s"
    assert units.age(None, NOW) == "-"


def test_times_are_utc_with_a_z() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=2)))
    assert units.timestamp(there) == "2026-11-22 12:30:04Z"
    assert units.time_of_day(there) == "12:30:04Z"
    assert units.timestamp(None) == "-"


def test_local_times_carry_no_z() -> None:
    shown = units.timestamp(NOW, local=True)
    assert datetime.strptime(shown, "%Y-%m-%d %H:%M:%S").astimezone() == NOW


def test_machine_times_are_iso_8601_with_a_z_and_keep_microseconds() -> None:
    assert units.iso(NOW) == "2026-11-22T12:30:04Z"
    exact = NOW.replace(microsecond=120)
    text = units.iso(exact)
    assert text == "2026-11-22T12:30:04.000120Z"
    assert datetime.fromisoformat(text).astimezone(UTC) == exact
    assert units.iso(None) is None


def test_a_percentage_is_100_only_when_all_of_it_is_there() -> None:
    values = (None, 0.0, 0.999999, 1.0, 1.2, -1.0)
    assert [units.percent(value) for value in values] == ["?", "0%", "99%", "100%", "100%", "0%"]
