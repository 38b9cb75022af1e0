"""`%config BitsMagics`: what holds where a command says nothing, and what wins over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from bitsshell.api import JobSet, errors
from bitsshell.practice import JobState, PracticeFleet, PracticeHost

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from magics.extension import BitsMagics

Run = Callable[[str], Any]


def test_the_settings_are_listed_with_what_they_mean(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("%config BitsMagics")
    shown = capsys.readouterr().out
    for name in ("host", "user", "auth", "timeout", "interval", "max_rows", "what_if", "batch"):
        assert f"BitsMagics.{name}=" in shown


def test_a_host_and_a_user_that_are_set_need_no_use(
    shell: InteractiveShell, host: PracticeHost
) -> None:
    shell.user_ns["host"] = host
    shell.run_cell("%config BitsMagics.user = host.username")
    shell.run_cell("%config BitsMagics.auth = 'basic'")
    shell.run_cell("%config BitsMagics.host = host.endpoint")
    found = shell.run_cell("%bits_jobs").result
    assert isinstance(found, JobSet)
    assert found.ok


def test_a_setting_of_the_start_holds_too(host: PracticeHost) -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = config.HistoryAccessor.enabled = False
    config.BitsMagics.max_rows = 3
    shell = InteractiveShell.instance(config=config)
    try:
        shell.run_cell("%load_ext magics").raise_error()
        assert shell.magics_manager.registry["BitsMagics"].max_rows == 3
    finally:
        shell.run_cell("%unload_ext magics")
        InteractiveShell.clear_instance()


def test_what_is_typed_wins_over_what_is_set(run: Run, fleet: PracticeFleet) -> None:
    run("%config BitsMagics.timeout = 0.2")
    run("%config BitsMagics.interval = 0.05")
    run("%bits_create {url} {path} --suspended --into job -q")
    late = run("%bits_wait {job}")
    assert type(late) is errors.TimeLimitReached
    later = run("%bits_wait {job} --timeout 0.6")
    assert later.result.summary.elapsed_s >= 0.6
    run("%config BitsMagics.timeout = None")
    assert run("%bits_jobs").ok


def test_rows_are_limited_as_set(run: Run) -> None:
    for number in range(3):
        run(f"%bits_create {{url}} C:\\in\\{number} --suspended --name n{number} -q")
    run("%config BitsMagics.max_rows = 2")
    shown = run("%bits_jobs")._repr_mimebundle_()
    assert "… 1 more" in shown["text/plain"]
    assert "… 1 more" in shown["text/html"]


def test_a_what_if_that_is_set_sends_nothing_until_it_is_lifted(
    run: Run, host: PracticeHost
) -> None:
    run("%config BitsMagics.what_if = True")
    assert run("%bits_create {url} {path}").plan is not None
    assert host.jobs() == ()
    run("%config BitsMagics.what_if = False")
    run("%bits_create {url} {path} --suspended")
    assert [job.state for job in host.jobs()] == [JobState.SUSPENDED]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("what_if = 'ture'", "neither True nor False"),
        ("batch = 1", "neither True nor False"),
        ("timeout = 'soon'", "no length of time"),
        ("interval = -1", "no length of time"),
        ("max_rows = 0", "no number of rows"),
        ("auth = 'magic'", "auto, kerberos"),
        ("host = ''", "no host"),
        ("user = 3", "no name"),
    ],
)
def test_a_wrong_value_is_told_and_stops_every_command_until_it_is_mended(
    run: Run, host: PracticeHost, setting: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    run(f"%config BitsMagics.{setting}")
    assert says in caplog.text
    error = run("%bits_create {url} {path}")
    assert type(error) is errors.BitsUsageError
    assert f"BitsMagics.{setting.split()[0]}" in str(error)
    assert says in str(error)
    assert len(error._render_traceback_()) <= 2
    assert host.jobs() == ()
    name = setting.split()[0]
    good = {"max_rows": 50}.get(name)
    run(f"%config BitsMagics.{name} = {good}")
    assert run("%bits_jobs").ok


def test_whole_tracebacks_come_when_they_are_wanted(run: Run, magics: BitsMagics) -> None:
    short = run("%bits_show nothing")._render_traceback_()
    assert len(short) == 2
    run("%config BitsMagics.tracebacks = True")
    whole = run("%bits_show nothing")._render_traceback_()
    assert whole[0].startswith("Traceback") or any("Traceback" in line for line in whole)
    assert any("NoSuchJob" in line for line in whole)


def test_hints_name_magics(run: Run) -> None:
    assert "%bits_show [OPTIONS] JOB...; see %bits_show?" in str(run("%bits_show"))
    assert "next: see what is there: %bits_jobs;" in str(run("%bits_show nothing"))


def test_notices_name_magics(shell: InteractiveShell) -> None:
    found = shell.run_cell("%bits_hosts").result
    assert found.notices == ("no host is known yet: %bits_use HOST",)


def test_magics_that_are_no_verbs_have_help(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    for line, says in [
        ("%bits_tasks --help", "--stop NAME"),
        ("%bits_plot -h", "--by job|host"),
        ("%bits help plot", "--by job|host"),
    ]:
        capsys.readouterr()
        assert shell.run_cell(line).result is None
        assert says in capsys.readouterr().out


def test_a_magic_before_any_host_says_what_to_do(shell: InteractiveShell) -> None:
    error = shell.run_cell("%bits_jobs").error_in_exec
    assert type(error) is errors.BitsUsageError
    assert error._render_traceback_() == [
        "BitsUsageError: no host to act on",
        "next: name them: -H HOST, or once for the session: %bits_use HOST",
    ]
