"""Practice hosts for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bitsshell.practice import PracticeFleet, PracticeHost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consoles import Site


@pytest.fixture
def fleet(site: Site) -> PracticeFleet:
    """The fleet of the whole run, with empty queues and no faults."""
    return site.fleet


@pytest.fixture
def host(site: Site) -> PracticeHost:
    """Its first host."""
    return site.host


@pytest.fixture
def fresh_fleet() -> Iterator[PracticeFleet]:
    """Two hosts that nobody has talked to, so that what they count is this test's alone."""
    with PracticeFleet(hosts=2) as running:
        yield running


@pytest.fixture
def fresh_host(fresh_fleet: PracticeFleet) -> PracticeHost:
    """The first of them."""
    return fresh_fleet.hosts[0]
