"""A practice fleet, and an environment in which nothing names a host or a logon."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from notebook_runs import LOGON, nothing_is_set

from bitsshell.practice import EngineSettings, PracticeFleet, PracticeSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nothing_is_set(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def fleet() -> Iterator[PracticeFleet]:
    engine = replace(EngineSettings(), transfer_bytes_per_s=4_000_000)
    with PracticeFleet(hosts=3, settings=replace(PracticeSettings(), engine=engine)) as running:
        yield running


@pytest.fixture
def hosts(fleet: PracticeFleet, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The endpoints of a fleet whose logon the environment has; their queues are empty."""
    first = fleet.hosts[0]
    for name, value in zip(LOGON, (first.username, "basic", first.password), strict=True):
        monkeypatch.setenv(name, value)
    yield [host.endpoint for host in fleet.hosts]
    from consoles import cancel_job

    for host in fleet.hosts:
        host.faults.disarm()
        for job in host.jobs():
            cancel_job(host, job.id)
