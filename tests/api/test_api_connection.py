"""`bitsshell.connect` on practice hosts."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import bitsshell
from bitsshell.api import (
    AllFailed,
    BitsUsageError,
    Checks,
    Diagnosis,
    FileSet,
    HostSet,
    JobSet,
    NeedsConfirmation,
    Outcomes,
    PartialFailure,
    TimeLimitReached,
    WatchResult,
)
from bitsshell.practice import JobState

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Site

    from bitsshell.api import Connection

PATH = r"C:\in\a.bin"


def test_nothing_is_sent_before_the_first_method(bits: Connection, site: Site) -> None:
    assert all(host.stats.connections == 0 or not host.jobs() for host in site.hosts)
    assert len(bits.hosts) == 3
    assert repr(bits).startswith("<Connection to 127.0.0.1:")


def test_every_method_gives_the_object_that_fits(bits: Connection, site: Site) -> None:
    made = bits.create(site.url, PATH, suspended=True, name="nightly")
    assert isinstance(made, Outcomes)
    assert len(made) == 3
    jobs = bits.jobs(state="suspended")
    assert isinstance(jobs, JobSet)
    assert jobs.names == ("nightly",) * 3
    assert isinstance(bits.files(jobs), FileSet)
    assert isinstance(bits.status(check=True), HostSet)
    assert isinstance(bits.doctor(site.host.endpoint), Checks)
    assert isinstance(bits.explain(-2145386480), Diagnosis)
    assert bits.explain(0x80190194)["BG_E_HTTP_ERROR_404"].hex == "0x80190194"
    one = bits.job(jobs[0])
    assert one.files[0].path == PATH
    bits.add(one, site.url, r"C:\in\b.bin")
    assert bits.job(one.id).files_total == 2
    assert bits.set(jobs, priority="high").ok
    assert bits.resume(jobs).ok
    watched = bits.manage(jobs)
    assert isinstance(watched, WatchResult)
    assert watched.is_final
    assert not bits.jobs()


def test_a_transfer_brings_the_file_to_every_host(bits: Connection, site: Site) -> None:
    watched = bits.transfer(site.url, PATH)
    assert watched.ok
    assert len(watched.samples) >= 3
    for host in site.hosts:
        assert host.path(PATH).stat().st_size == site.file().size_bytes


def test_states_are_changed_and_waited_for(bits: Connection, site: Site) -> None:
    bits.create(site.url, PATH, suspended=True, name="n", host=site.host.endpoint)
    on_first = {"host": site.host.endpoint}
    assert bits.suspend("n", **on_first).outcomes[0].status.value == "already so"
    with pytest.raises(TimeLimitReached) as caught:
        bits.wait("n", timeout=timedelta(seconds=0.2), **on_first)
    assert caught.value.result is not None
    bits.resume("n", **on_first)
    assert bits.wait("n", **on_first).ok
    assert bits.watch("n", **on_first)["n"].state.name == "TRANSFERRED"
    bits.complete("n", **on_first)
    bits.create(site.url, r"C:\in\c.bin", suspended=True, name="c", **on_first)
    bits.cancel("c", **on_first)
    assert site.host.jobs() == ()


def test_a_host_that_fails_does_not_hide_the_others(site: Site, password: None) -> None:
    with bitsshell.connect(
        site.host.endpoint, "localhost:1", user=site.host.username, auth="basic"
    ) as bits:
        with pytest.raises(PartialFailure) as caught:
            bits.jobs()
        assert isinstance(caught.value.result, JobSet)
        assert [error.host for error in caught.value.errors] == ["localhost:1"]
        with pytest.raises(AllFailed):
            bits.jobs(host="localhost:1")


def test_without_a_yes_nothing_is_destroyed(site: Site, password: None) -> None:
    asked: list[str] = []

    def refuse(question: str) -> bool:
        asked.append(question)
        return len(asked) > 1

    logon = {"user": site.host.username, "auth": "basic"}
    with bitsshell.connect(site.host.endpoint, **logon) as bits:  # type: ignore[arg-type]
        bits.create(site.url, PATH, suspended=True, name="n")
        with pytest.raises(NeedsConfirmation):
            bits.cancel("n")
    with bitsshell.connect(site.host.endpoint, confirm=refuse, **logon) as bits:  # type: ignore[arg-type]
        with pytest.raises(bitsshell.api.Declined):
            bits.cancel("n")
        assert [job.state for job in site.host.jobs()] == [JobState.SUSPENDED]
        bits.cancel("n")
    assert site.host.jobs() == ()
    assert "cancel 'n'" in asked[0]


def test_what_if_sends_nothing(site: Site, password: None) -> None:
    with bitsshell.connect(
        site.host.endpoint, user=site.host.username, auth="basic", what_if=True
    ) as bits:
        planned = bits.create(site.url, PATH)
        watched = bits.transfer(site.url, PATH)
    assert repr(planned) == "<Outcomes of create: 1 step planned, nothing sent>"
    assert repr(watched) == "<WatchResult of transfer: 1 step planned, nothing sent>"
    assert planned.plan is not None
    assert len(planned.plan.steps) == 1
    assert planned.records()[0]["status"] == "planned"
    assert site.host.jobs() == ()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"auth": "magic"}, "magic"),
        ({"port": 99999}, "is no port"),
        ({"timeout": "soon"}, "timeout: 'soon' is no length of time"),
        ({"timeout": -1}, "timeout: '-1' is no length of time"),
        ({"timeout": timedelta(seconds=-1)}, "timeout: '-1s' is no length of time"),
        ({"timeout": 0}, "timeout: '0' is too short"),
        ({"timeout": float("nan")}, "timeout: 'nan' is no length of time"),
        ({"timeout": True}, "timeout: a bool is no argument"),
        ({"interval": 0}, "interval: '0' is too short"),
        ({"config_file": "/nowhere/at/all.toml"}, "there is no such file"),
    ],
)
def test_what_connect_cannot_take_is_told_at_once(settings: dict[str, object], says: str) -> None:
    with pytest.raises(BitsUsageError, match=says):
        bitsshell.connect("web01", **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("span", "seconds"),
    [
        (0.1, 0.1),
        (90, 90.0),
        ("1h30m", 5400.0),
        (timedelta(milliseconds=250), 0.25),
        (timedelta(days=100, microseconds=1), 8_640_000.000001),
    ],
)
def test_a_length_of_time_is_seconds_a_text_or_a_timedelta(span: Any, seconds: float) -> None:
    with bitsshell.connect("web01", timeout=span, interval=span) as bits:
        settings = bits._engine.settings
    assert (settings.timeout_s, settings.interval_s) == (seconds, seconds)


def test_a_host_that_is_none_and_an_option_that_is_none_are_told(bits: Connection) -> None:
    with pytest.raises(BitsUsageError, match="is no host"):
        bitsshell.connect("web 01")
    with pytest.raises(BitsUsageError, match="no option --colour"):
        bits.jobs(colour="red")
    with pytest.raises(BitsUsageError, match="a dict is no argument"):
        bits.show([{}])  # type: ignore[list-item]
    with pytest.raises(BitsUsageError, match="a NoneType is no argument"):
        bits.show(None)  # type: ignore[arg-type]
    with pytest.raises(BitsUsageError, match="no verb 'jobz'"):
        bits.run("jobz")


def test_no_value_becomes_an_option(bits: Connection, site: Site) -> None:
    with pytest.raises(BitsUsageError, match="no job '--yes'"):
        bits.show("--yes")
    bits.create(site.url, PATH, suspended=True, name="--name", host=site.host.endpoint)
    assert bits.jobs("--name").one().name == "--name"


def test_a_program_sees_progress_as_it_comes(bits: Connection, site: Site) -> None:
    class Seen:
        def __init__(self) -> None:
            self.polls = 0

        def feed(self, event: object, timeline: object) -> None:
            self.polls += hasattr(event, "rows")

        def finish(self, answer: object) -> bool:
            return True

    seen = Seen()
    bits.transfer(site.url, PATH, host=site.host.endpoint, view=seen)
    assert seen.polls >= 1


def test_calls_are_in_the_journal_as_those_of_the_api(
    site: Site, password: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITSSHELL_JOURNAL", str(tmp_path / "journal.sqlite"))
    with bitsshell.connect(site.host.endpoint, user=site.host.username, auth="basic") as bits:
        bits.create(site.url, PATH, suspended=True, name="n")
        entries = bits.session.journal.entries()
    assert [(entry.front, entry.verb, entry.effect) for entry in entries] == [
        ("api", "create", "change")
    ]


def test_importing_the_api_imports_neither_ipython_nor_pandas_nor_matplotlib() -> None:
    code = (
        "import sys, bitsshell; bitsshell.connect; "
        "sys.exit(bool({'IPython', 'traitlets', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
