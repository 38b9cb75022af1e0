"""Fleets that the tests of this folder share. Nothing here uses the client of this project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from practice_clients import BitsOverPypsrp, connect

from bitsshell.practice import PracticeFleet, PracticeHost

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def fleet() -> Iterator[PracticeFleet]:
    """A fleet that every test of a module uses in turn; see `host`."""
    with PracticeFleet(hosts=2) as running:
        yield running


@pytest.fixture
def host(fleet: PracticeFleet) -> Iterator[PracticeHost]:
    """The first host, with an empty queue and no faults, before and after."""
    yield fleet.hosts[0]
    fleet.hosts[0].faults.disarm()
    client = BitsOverPypsrp(connect(fleet.hosts[0]))
    for job in fleet.hosts[0].jobs():
        client.set_state(job.id, 0)
    client.wsman.close()


@pytest.fixture
def bits(host: PracticeHost) -> Iterator[BitsOverPypsrp]:
    """pypsrp on that host, by basic authentication."""
    client = BitsOverPypsrp(connect(host))
    yield client
    client.wsman.close()
