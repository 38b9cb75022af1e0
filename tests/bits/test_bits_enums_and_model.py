"""Numbers under their documented names, and jobs as data."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell import bits
from bitsshell.bits import (
    AuthScheme,
    AuthTarget,
    ErrorContext,
    Job,
    JobAction,
    JobState,
    JobType,
    Priority,
    ProxyUsage,
    ServiceAccount,
)
from bitsshell.bits.model import datetime_from_filetime

if TYPE_CHECKING:
    import enum
    from collections.abc import Callable

DOCUMENTED: dict[type[enum.IntEnum], list[str]] = {
    JobState: [
        "QUEUED",
        "CONNECTING",
        "TRANSFERRING",
        "SUSPENDED",
        "ERROR",
        "TRANSIENT_ERROR",
        "TRANSFERRED",
        "ACKNOWLEDGED",
        "CANCELLED",
    ],
    JobAction: ["CANCEL", "COMPLETE", "RESUME", "SUSPEND"],
    Priority: ["FOREGROUND", "HIGH", "NORMAL", "LOW"],
    JobType: ["DOWNLOAD", "UPLOAD"],
    ServiceAccount: ["LOCAL_SYSTEM", "LOCAL_SERVICE", "NETWORK_SERVICE"],
    ErrorContext: [
        "NONE",
        "UNKNOWN",
        "GENERAL_QUEUE_MANAGER",
        "QUEUE_MANAGER_NOTIFICATION",
        "LOCAL_FILE",
        "REMOTE_FILE",
        "GENERAL_TRANSPORT",
        "REMOTE_APPLICATION",
        "SERVER_CERTIFICATE_CALLBACK",
    ],
    AuthTarget: ["SERVER", "PROXY"],
    AuthScheme: ["BASIC", "DIGEST", "NTLM", "NEGOTIATE", "PASSPORT"],
    ProxyUsage: ["PRECONFIG", "NO_PROXY", "OVERRIDE", "AUTODETECT"],
}


@pytest.mark.parametrize("kind", DOCUMENTED)
def test_every_enumeration_counts_from_zero_in_the_documented_order(
    kind: type[enum.IntEnum],
) -> None:
    assert [(member.name, int(member)) for member in kind] == [
        (name, number) for number, name in enumerate(DOCUMENTED[kind])
    ]


def test_actions_are_no_states() -> None:
    assert not issubclass(JobAction, JobState)
    assert (JobAction(2).name, JobState(2).name) == ("RESUME", "TRANSFERRING")


TOLERANT: list[type[JobState | Priority | ErrorContext]] = [JobState, Priority, ErrorContext]


@pytest.mark.parametrize("kind", TOLERANT)
@pytest.mark.parametrize("number", [9, 99, 65_535, 65_536, 2**32 - 1])
def test_a_number_of_a_future_windows_is_kept_under_its_number(
    kind: type[JobState | Priority | ErrorContext], number: int
) -> None:
    member = kind(number)
    assert (member.name, int(member)) == (f"UNKNOWN_{number}", number)
    assert not member.is_known
    assert pickle.loads(pickle.dumps(member)) == member
    assert type(pickle.loads(pickle.dumps(member))) is kind
    assert member == kind(number)
    assert number not in kind.__members__.values()


def test_an_unknown_state_is_one_object_so_that_it_can_be_compared_by_identity() -> None:
    assert JobState(77) is JobState(77)
    assert pickle.loads(pickle.dumps(JobState(77))) is JobState(77)


@pytest.mark.parametrize("kind", TOLERANT)
def test_what_is_no_number_is_no_member(kind: Callable[[object], object]) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        kind("nonsense")


def test_known_members_say_so() -> None:
    assert all(member.is_known for kind in TOLERANT for member in kind)


def test_groups_of_states() -> None:
    def those(name: str) -> list[str]:
        return [state.name for state in JobState if getattr(state, name)]

    assert those("is_final") == ["ACKNOWLEDGED", "CANCELLED"]
    assert those("is_active") == ["QUEUED", "CONNECTING", "TRANSFERRING"]
    assert those("has_error") == ["ERROR", "TRANSIENT_ERROR"]
    unknown = JobState(42)
    assert not any((unknown.is_final, unknown.is_active, unknown.has_error))


# Times


@pytest.mark.parametrize(
    ("ticks", "moment"),
    [
        (0, None),
        (1, datetime(1601, 1, 1, tzinfo=UTC)),
        (116_444_736_000_000_000, datetime(1970, 1, 1, tzinfo=UTC)),
        (134_000_000_723_456_789, datetime(2025, 8, 18, 14, 14, 32, 345678, tzinfo=UTC)),
        (2_650_467_743_999_999_999, datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        (2_650_467_744_000_000_000, None),
        (2**64 - 1, None),
    ],
)
def test_a_filetime_is_an_aware_moment_in_utc(ticks: int, moment: datetime | None) -> None:
    assert datetime_from_filetime(ticks) == moment


@given(st.integers(min_value=1, max_value=2_650_467_743_999_999_999))
def test_a_filetime_loses_no_more_than_its_last_digit(ticks: int) -> None:
    moment = datetime_from_filetime(ticks)
    assert moment is not None
    since = moment - datetime(1601, 1, 1, tzinfo=UTC)
    assert since // timedelta(microseconds=1) == ticks // 10


def test_a_job_reads_its_times_from_its_filetimes() -> None:
    job = Job(host="a", id="b", created_filetime=10_000_000, modified_filetime=20_000_000)
    assert job.created_at == datetime(1601, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert job.modified_at == datetime(1601, 1, 1, 0, 0, 2, tzinfo=UTC)
    assert job.completed_at is None


# Progress


@pytest.mark.parametrize(
    ("transferred", "total", "fraction"),
    [(0, 10, 0.0), (5, 10, 0.5), (10, 10, 1.0), (11, 10, 1.0), (5, None, None), (0, 0, None)],
)
def test_progress_is_unknown_while_the_size_is(
    transferred: int, total: int | None, fraction: float | None
) -> None:
    job = Job(host="a", id="b", bytes_total=total, bytes_transferred=transferred)
    assert job.fraction == fraction


def test_a_job_is_finished_when_completing_it_loses_nothing() -> None:
    finished = [state.name for state in JobState if Job(host="a", id="b", state=state).is_finished]
    assert finished == ["TRANSFERRED", "ACKNOWLEDGED"]


def test_the_public_names_are_those_that_are_exported() -> None:
    public = {name for name, value in vars(bits).items() if hasattr(value, "__module__")}
    assert {name for name in public if name[0].isupper()} <= set(bits.__all__)
    assert all(hasattr(bits, name) for name in bits.__all__)
