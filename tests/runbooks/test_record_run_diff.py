"""The whole way: a session is recorded, run again on two hosts, and the two runs are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bitsshell.runbooks import runbooks

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Console, Site


@pytest.fixture
def console(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setenv("BITSSHELL_PASSWORD", site.host.password)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    console = site.console()
    console.session.runbooks = runbooks
    return console


def test_what_was_recorded_on_one_host_runs_on_another_and_the_diff_says_same(
    console: Console, site: Site, tmp_path: Path
) -> None:
    book = tmp_path / "rollout.ipynb"
    user = f"--user {site.host.username} --auth basic"
    for line in (
        "record start Roll the file out",
        f"use {site.host.endpoint} {user}",
        rf"create {site.url} C:\in\agent.txt --name agent --suspended",
        "resume agent",
        "wait agent --interval 0.1 --timeout 30s",
        "complete agent",
        f"record save '{book}'",
    ):
        ran = console(line)
        assert ran.code == 0, (line, ran.err)
    assert console(f"run '{book}' --check").code == 0
    for number, host in enumerate(site.hosts[1:3]):
        out = tmp_path / str(number)
        ran = console(f"run '{book}' -p hosts={host.endpoint} --evidence '{out}'")
        assert ran.code == 0, ran.out + ran.err
        assert site.arrived("agent.txt", host).exists()
    ran = console(f"run --diff '{tmp_path / '0'}' '{tmp_path / '1'}'")
    assert ran.code == 0, ran.out
    assert "parameter  hosts: another value" in ran.out
    assert "\nsame: " in ran.out


def test_a_run_that_ended_otherwise_is_different(
    console: Console, site: Site, tmp_path: Path
) -> None:
    book = tmp_path / "one.ipynb"
    for line in (
        "record start Fetch it",
        f"use {site.host.endpoint} --user {site.host.username} --auth basic",
        rf"create {site.url} C:\in\agent.txt --name agent --suspended",
        "resume agent",
        "wait agent --interval 0.1 --timeout 30s --until transferred,error",
        f"record save '{book}'",
        "cancel agent --yes",
    ):
        ran = console(line)
        assert ran.code == 0, (line, ran.err)
    for name, url in (("good", site.url), ("bad", site.missing)):
        given = f"-p hosts={site.hosts[1].endpoint} -p url={url}"
        ran = console(f"run '{book}' {given} --evidence '{tmp_path / name}'")
        assert ran.code == 0, ran.out + ran.err
        on = f"-H {site.hosts[1].endpoint} --user {site.host.username} --auth basic"
        assert console(f"cancel agent --yes {on}").code == 0
    ran = console(f"run --diff '{tmp_path / 'good'}' '{tmp_path / 'bad'}'")
    assert ran.code == 1, ran.out
    assert "different: " in ran.out
    assert "ERROR" in ran.out
