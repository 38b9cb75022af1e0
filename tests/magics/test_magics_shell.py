"""The magics in an IPython shell of this process, against a practice host."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.utils.capture import capture_output

from bitsshell.api import JobSet, errors
from bitsshell.commands import VERBS
from bitsshell.practice import JobState, PracticeFleet, PracticeHost

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from magics.extension import BitsMagics

Run = Callable[[str], Any]


def completions(shell: InteractiveShell, line: str) -> list[str]:
    """What a Tab offers, each as the whole line that it makes."""
    with provisionalcompleter():
        return [
            line[: found.start] + found.text + line[found.end :]
            for found in shell.Completer.completions(line, len(line))
        ]


def test_both_names_load_the_same_extension_once(
    shell: InteractiveShell, magics: BitsMagics
) -> None:
    shell.run_cell("%load_ext bitsshell").raise_error()
    assert shell.magics_manager.registry["BitsMagics"] is magics
    assert shell.Completer.custom_matchers.count(magics.matcher) == 1


def test_every_verb_is_a_magic(shell: InteractiveShell) -> None:
    for verb in VERBS:
        assert shell.find_line_magic(f"bits_{verb}") is not None, verb


def test_unloading_leaves_nothing_behind(shell: InteractiveShell) -> None:
    shell.run_cell("%unload_ext magics").raise_error()
    assert [name for name in shell.magics_manager.magics["line"] if name.startswith("bits")] == []
    assert "BitsMagics" not in shell.magics_manager.registry
    assert shell.Completer.custom_matchers == []
    shell.run_cell("%load_ext magics").raise_error()
    assert shell.find_line_magic("bits_jobs") is not None


def test_bits_alone_shows_the_hosts_and_the_verbs(
    run: Run, capsys: pytest.CaptureFixture[str], host: PracticeHost
) -> None:
    found = run("%bits")
    shown = capsys.readouterr().out
    assert [status.is_connected for status in found] == [True]
    for verb in VERBS:
        assert f"%bits_{verb}" in shown


def test_bits_runs_a_verb_as_its_magic_does(run: Run) -> None:
    assert (
        repr(run("%bits jobs")) == repr(run("%bits_jobs")) == "<JobSet of jobs: 0 jobs on 1 host>"
    )


def test_help_is_text_and_the_docstring(
    run: Run, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run("%bits_create --help") is None
    shown = capsys.readouterr().out
    assert "--if-exists" in shown
    assert "--into NAME" in shown
    assert shown.strip() == shell.find_line_magic("bits_create").__doc__.strip()
    assert run("%bits help create") is None
    assert capsys.readouterr().out == shown


def test_the_four_steps_bring_the_file(
    run: Run, host: PracticeHost, fleet: PracticeFleet, shell: InteractiveShell
) -> None:
    run("%bits_create {url} {path} --suspended --into job")
    job = shell.user_ns["job"]
    assert [one.state.name for one in job.jobs] == ["SUSPENDED"]
    run("%bits_set {job} --priority foreground")
    run("%bits_resume {job[0].job_id}")
    managed = run("%bits_manage {job} --interval 0.05 --timeout 30")
    assert managed.ok
    assert managed.report.last_frame.is_final
    assert host.path(r"C:\in\a b.bin").stat().st_size == fleet.files[-2].size_bytes
    assert host.jobs() == ()


def test_an_assignment_shows_nothing_and_keeps_the_value(
    run: Run, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    run("x = %bits_jobs")
    assert capsys.readouterr().out == ""
    assert isinstance(shell.user_ns["x"], JobSet)


def test_a_quiet_result_shows_itself_in_a_later_cell(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("%bits_jobs -q --into x")
    assert "0 jobs on 1 host\n" not in capsys.readouterr().out
    run("x")
    assert "0 jobs on 1 host\n" in capsys.readouterr().out


def test_another_output_form_is_written_as_on_the_command_line(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    run("x = %bits_jobs -o json")
    assert capsys.readouterr().out == "[]\n"
    run("x = %bits_jobs -o csv")
    assert capsys.readouterr().out.startswith("host,id,name,")
    run("x = %bits_jobs -o json -q")
    assert capsys.readouterr().out == ""


def test_what_arrived_is_shown_before_a_partial_failure_is_raised(
    run: Run, shell: InteractiveShell, host: PracticeHost
) -> None:
    line = (
        "%bits_jobs -H {host.endpoint} -H localhost:1 --user {host.username} --auth basic --into y"
    )
    with capture_output() as captured:
        error = run(line)
    assert type(error) is errors.PartialFailure
    assert "0 jobs on 1 host; 1 host failed" in captured.outputs[0].data["text/plain"]
    assert error.result is shell.user_ns["y"]
    assert [one.host for one in error.errors] == ["localhost:1"]
    assert captured.stdout.startswith("PartialFailure: jobs: 1 done, 1 failed\n")


def test_when_nothing_arrived_there_is_only_the_error(run: Run) -> None:
    with capture_output() as captured:
        error = run("%bits_jobs -H localhost:1 --user a --auth basic")
    assert type(error) is errors.AllFailed
    assert captured.outputs == []
    assert len(captured.stdout.splitlines()) <= 3


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("%bits_jobs --stat error", "there is no option --stat"),
        ("%bits crate", "there is no verb 'crate'"),
        ("%bits_show nothing", "no job 'nothing'"),
        ("%bits_show", "is missing"),
        ("%bits_show {undefined}", "'undefined' is not defined"),
        ("%bits_create {url} 'in\\a.bin'", "a.bin"),
        ("%bits_jobs 'open", "never closed"),
        ("%bits_jobs --into 1", "the name of a variable"),
    ],
)
def test_a_mistake_is_our_own_usage_error(run: Run, cell: str, says: str) -> None:
    error = run(cell)
    assert type(error) is errors.BitsUsageError
    assert says in str(error)
    assert 1 <= len(error._render_traceback_()) <= 3


def test_without_a_person_a_destructive_plan_is_never_sent(run: Run, host: PracticeHost) -> None:
    run("%bits_create {url} {path} --suspended -q")
    error = run("%bits_cancel *")
    assert type(error) is errors.NeedsConfirmation
    assert [job.state for job in host.jobs()] == [JobState.SUSPENDED]
    assert run("%bits_cancel * --yes").ok
    assert host.jobs() == ()


def test_what_if_sends_nothing_and_returns_the_plan(run: Run, host: PracticeHost) -> None:
    planned = run("%bits_create {url} {path} --what-if")
    assert len(planned.report.plan.steps) == 1
    assert repr(planned) == "<Outcomes of create: 1 step planned, nothing sent>"
    assert host.jobs() == ()


def test_a_job_that_was_only_planned_stands_for_nothing_and_says_so(run: Run) -> None:
    run("job = %bits_create {url} {path} --what-if")
    error = run("%bits_resume {job}")
    assert type(error) is errors.BitsUsageError
    assert "{job} was only planned" in str(error)


def test_a_watch_that_never_began_shows_nothing_but_its_error(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert type(run("%bits_watch nosuch")) is errors.BitsUsageError
    shown = capsys.readouterr()
    assert "no job 'nosuch'" in shown.out + shown.err
    assert "WatchResult" not in shown.out + shown.err


def test_a_time_limit_is_an_error_of_its_own(run: Run) -> None:
    run("%bits_create {url} {path} --suspended --into job -q")
    error = run("%bits_wait {job} --interval 0.05 --timeout 0.2")
    assert type(error) is errors.TimeLimitReached
    assert error.result.report.summary.unmet == 1


def test_a_missing_password_is_told_and_nothing_is_sent(
    run: Run, host: PracticeHost, monkeypatch: pytest.MonkeyPatch, magics: BitsMagics
) -> None:
    monkeypatch.delenv("BITSSHELL_PASSWORD")
    before = host.stats
    error = run("%bits_jobs -H {host.endpoint} --user somebody --auth basic")
    assert type(error) is errors.NeedsPerson
    assert "BITSSHELL_PASSWORD" in str(error)
    assert host.stats == before


def test_one_session_and_one_logon_serve_all_cells(run: Run, host: PracticeHost) -> None:
    before = host.stats
    for _ in range(5):
        run("%bits_jobs")
    assert host.stats.connections == before.connections
    assert host.stats.logons == before.logons


def test_options_and_hosts_and_jobs_are_completed(
    run: Run, shell: InteractiveShell, host: PracticeHost
) -> None:
    run("%bits_create {url} {path} --suspended --name 'patch tuesday' -q")
    run("%bits_jobs -q")
    assert "%bits_wait" in completions(shell, "%bits_wa")
    assert completions(shell, "%bits wa") == ["%bits watch", "%bits wait"]
    assert completions(shell, "%bits_create --pri") == ["%bits_create --priority"]
    assert completions(shell, "x = %bits_create --pri") == ["x = %bits_create --priority"]
    assert completions(shell, "1\nx = %bits_set a --priority=f") == [
        "1\nx = %bits_set a --priority=foreground"
    ]
    assert completions(shell, "%bits_show pat") == ["%bits_show 'patch tuesday'"]
    assert completions(shell, "%bits_show 'pat") == ["%bits_show 'patch tuesday'"]
    assert f"%bits_jobs -H {run('%bits_hosts')[0].name}" in completions(shell, "%bits_jobs -H 127")
    assert completions(shell, "%bits_jobs --in") == ["%bits_jobs --into"]


def test_where_nothing_is_known_python_words_are_not_offered(shell: InteractiveShell) -> None:
    assert completions(shell, "%bits_create pri") == ["%bits_create pri"]
    assert all(line.startswith("%bits_create -") for line in completions(shell, "%bits_create "))
    assert "print" in completions(shell, "pri")


def test_completion_never_asks_a_host(
    run: Run, shell: InteractiveShell, host: PracticeHost
) -> None:
    before = host.stats
    completions(shell, "%bits_show ")
    completions(shell, "%bits_jobs -H ")
    assert host.stats == before


def test_a_terminal_watch_is_drawn_in_place(host: PracticeHost, fleet: PracticeFleet) -> None:
    lines = [
        "%load_ext bitsshell",
        f"%bits_use {host.endpoint} --user {host.username} --auth basic -q",
        rf"%bits_transfer {fleet.files[-1].url} C:\in\image.iso --interval 0.05 --timeout 30",
    ]
    command = [
        sys.executable,
        "-m",
        "IPython",
        "--no-banner",
        "--colors=nocolor",
        "-c",
        "\n".join(lines),
    ]
    shown = _in_terminal(command)
    assert "\x1b[2K" in shown
    assert "final, as of" in shown
    assert "ACKNOWLEDGED" in shown
    assert '"kind"' not in shown


def _in_terminal(command: list[str]) -> str:
    """Run a command on a terminal of its own; all that it wrote."""
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = bytearray()
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux: the other side is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait(timeout=30) == 0, shown.decode()
    return shown.decode()


def test_nothing_but_the_extension_imports_ipython() -> None:
    code = (
        "import sys, bitsshell, bitsshell.cli, bitsshell.terminal, bitsshell.commands, magics; "
        "sys.exit('IPython' in sys.modules or 'traitlets' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_importing_the_package_alone_loads_nothing_of_it() -> None:
    code = (
        "import sys, bitsshell; "
        "sys.exit(str([m for m in sys.modules if m.startswith(('bitsshell.', 'magics', 'click'))]))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert found.stderr.strip() == "[]"
