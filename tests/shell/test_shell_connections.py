"""One connection and one logon for as long as the shell is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from shell_things import Listed, run_lines, session_for, use

if TYPE_CHECKING:
    from bitsshell.practice import PracticeFleet, PracticeHost


def twenty_lines(host: PracticeHost, fleet: PracticeFleet, auth: str) -> list[str]:
    """What somebody types who has some jobs to see to."""
    url = fleet.files[1].url
    return [
        use(host, auth),
        "jobs",
        rf"create {url} C:\in\a.bin --name a --suspended",
        rf"create {url} C:\in\b.bin --name b --suspended",
        "jobs",
        "show a",
        "files b",
        "set a --priority foreground",
        "set b --description 'for later'",
        rf"add b {url} C:\in\c.bin",
        "jobs %1",
        "hosts --check",
        "explain 0x80190194",
        "show nobody",
        "resume a",
        "wait a --interval 0.05 --timeout 20",
        "complete a",
        "resume b",
        "manage b --on-transferred complete --interval 0.05 --timeout 20",
        "jobs -o json",
    ]


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_twenty_commands_use_one_connection_and_one_logon(
    auth: str, fresh_fleet: PracticeFleet, fresh_host: PracticeHost
) -> None:
    fleet, host = fresh_fleet, fresh_host
    lines = twenty_lines(host, fleet, auth)
    assert len(lines) == 20
    ran = run_lines(*lines, session=session_for(host))
    assert "no job 'nobody'" in ran.err
    assert host.path(r"C:\in\a.bin").exists()
    assert host.jobs() == ()
    assert (host.stats.connections, host.stats.logons) == (1, 1)


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_after_the_host_dropped_an_idle_connection_the_next_command_works(
    auth: str, fresh_fleet: PracticeFleet, fresh_host: PracticeHost
) -> None:
    fleet, host = fresh_fleet, fresh_host

    class Idle(Listed):
        def read(self, prompt: str) -> str:
            line = super().read(prompt)
            if line.startswith("create"):
                assert host.drop_idle_connections() == 1
            return line

    create = rf"create {fleet.files[1].url} C:\in\a.bin --name a --suspended"
    ran = run_lines(reader=Idle([use(host, auth), create, "jobs"]), session=session_for(host))
    assert ran.err == ""
    assert [job.name for job in host.jobs()] == ["a"]
    assert (host.stats.connections, host.stats.logons) == (2, 2)


def test_two_hosts_have_one_connection_each(fresh_fleet: PracticeFleet) -> None:
    first, second = fresh_fleet.hosts
    both = f"{use(first, 'ntlm')} {second.endpoint}"
    run_lines(both, *["jobs"] * 5, session=session_for(first))
    assert [(host.stats.connections, host.stats.logons) for host in fresh_fleet.hosts] == [
        (1, 1)
    ] * 2
