"""A practice fleet inside a notebook that was given no hosts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bitsshell.api import connect
from bitsshell.practice import PracticeFleet, rehearse

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLD = ("BITSSHELL_CONFIG", "BITSSHELL_USER", "BITSSHELL_AUTH", "BITSSHELL_PASSWORD")


@pytest.fixture
def rehearsed(monkeypatch: pytest.MonkeyPatch) -> Iterator[PracticeFleet]:
    """A fleet that this process was told of, and forgets again."""
    for name in TOLD:
        monkeypatch.setenv(name, "something else")
    fleet = rehearse(hosts=2)
    yield fleet
    fleet.close()


def test_the_client_knows_the_hosts_by_name_and_logs_on(rehearsed: PracticeFleet) -> None:
    with connect("practice01", "practice02") as bits:
        assert bits.jobs().hosts == ("practice01", "practice02")


def test_a_second_call_gives_the_same_fleet(rehearsed: PracticeFleet) -> None:
    assert rehearse(hosts=1) is rehearsed


def test_more_hosts_than_run_are_refused_with_a_way_on(rehearsed: PracticeFleet) -> None:
    with pytest.raises(ValueError, match="restart the kernel"):
        rehearse(hosts=3)


def test_after_its_end_a_new_one_is_made(rehearsed: PracticeFleet) -> None:
    root = rehearsed.hosts[0].root
    rehearsed.close()
    assert not root.exists()
    assert not rehearsed.is_running
    again = rehearse(hosts=1)
    assert again is not rehearsed
    assert str(again.hosts[0].root.parent) in os.environ["BITSSHELL_CONFIG"]
    again.close()
