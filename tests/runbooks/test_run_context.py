"""The run that a process is part of: what it remembers of it, and what it does when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bitsshell import run_context
from bitsshell.run_context import RunContext

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consoles import Console, Site


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runner's file, which this process knows."""
    path = tmp_path / "run.json"
    run_context.write(path, RunContext("r", step="s1"))
    monkeypatch.setenv(run_context.VARIABLE, str(path))
    return path


def unreadable(path: Path) -> None:
    """Let a read of a file fail by something else than that it is gone."""
    path.unlink()
    path.mkdir()


def create(console: Console, site: Site) -> int:
    return console(rf"create {site.url} C:\in\a.txt --name pkg --suspended").code


def test_a_file_that_cannot_be_read_now_says_what_it_said_last(file: Path, site: Site) -> None:
    console = site.console()
    unreadable(file)
    assert create(console, site) == 0
    assert [job.name for job in site.host.jobs()] == ["pkg"]
    (entry,) = console.session.journal.entries()
    assert (entry.run, entry.step) == ("r", "s1")


def test_a_file_that_could_never_be_read_lets_nothing_be_sent(file: Path, site: Site) -> None:
    unreadable(file)
    assert create(site.console(), site) == 0
    assert site.host.jobs() == ()


def test_the_run_and_its_what_if_are_what_the_first_read_said(file: Path, site: Site) -> None:
    console = site.console()
    run_context.write(file, RunContext("other", what_if=True, step="s2"))
    assert create(console, site) == 0
    (entry,) = console.session.journal.entries()
    assert (entry.run, entry.step, entry.is_what_if) == ("r", "s2", False)


def test_a_session_that_outlives_its_run_only_plans_from_then_on(file: Path, site: Site) -> None:
    console = site.console()
    assert create(console, site) == 0
    file.unlink()
    assert console("cancel pkg --yes").code == 0
    assert len(site.host.jobs()) == 1
    entry = console.session.journal.entries()[-1]
    assert (entry.run, entry.is_what_if) == ("r", True)


def test_a_change_that_was_agreed_to_when_the_run_was_over_is_not_sent(
    file: Path, site: Site
) -> None:
    def answers() -> Iterator[str]:
        file.unlink()
        yield "yes"

    console = site.console(answers=answers())
    assert create(console, site) == 0
    ran = console("cancel pkg")
    assert ran.code == 3
    assert "nothing was sent, for the run that this is part of is over" in ran.err
    assert len(site.host.jobs()) == 1
