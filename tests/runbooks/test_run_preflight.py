"""What `run` refuses before anything starts, and which verdict a failed cell has."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

import pytest
from run_things import Runs, cell, make_runs, write_notebook

from bitsshell.api import errors as api_errors
from bitsshell.commands.completion import complete
from bitsshell.runbooks import kernel
from bitsshell.runbooks.verdicts import VERDICTS, is_not_told_yet, verdict_of

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Site


@pytest.fixture
def run(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    def must_not_start(*_: Any, **__: Any) -> None:
        raise AssertionError("a kernel was started")

    monkeypatch.setattr(kernel.Kernel, "start", must_not_start)
    return make_runs(site, tmp_path)


PARAMETERS = cell("parameters", "hosts: str\nmode = 'a'  # one of: a, b", tags=("parameters",))
ASK = cell("ask", "%bits_approve go 'Really?'", step="Ask")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "a value is missing for hosts"),
        ("-p hosts=a -p nonsense=1", "no parameter 'nonsense'"),
        ("-p hosts=a -p mode=c", "mode"),
        ("-p hosts=a -p hosts=b", "-p hosts is given twice"),
        ("-p hosts", "'hosts' is not NAME=VALUE"),
        ("-p hosts=a -p password=x", "looks like a secret"),
        ("-p hosts=a --from-step nowhere", "there is no step 'nowhere'"),
        ("-p hosts=a --approve nothing=Maria", "no step asks for an approval 'nothing'"),
        ("-p hosts=a --step-timeout never", "is no length of time"),
        ("-p hosts=a --junit /nowhere/at/all.xml", "cannot be written"),
        ("-p hosts=a -f none.toml", "cannot be read"),
        ("-p hosts=a -H web01", "a notebook chooses its hosts"),
        ("-p hosts=a --user somebody", "a notebook chooses its hosts"),
        ("-p hosts=a --yes", "--yes answers for one command"),
    ],
)
def test_what_cannot_be_run_as_asked_for_is_refused_before_a_kernel_starts(
    run: Runs, options: str, said: str
) -> None:
    ran = run(PARAMETERS, cell("a", "1"), options=options)
    assert ran.code == 2, ran.out + ran.err
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert not (run.out / "evidence.json").exists()


def test_evidence_that_cannot_be_kept_stops_it_before_a_kernel_starts(run: Runs) -> None:
    run.out.write_text("a file")
    ran = run(cell("a", "1"))
    assert ran.code == 2
    assert "cannot be written" in ran.err
    assert "--evidence DIR" in ran.err


def test_an_approval_that_nobody_can_give_stops_it_before_a_kernel_starts(run: Runs) -> None:
    ran = run(cell("a", "1"), ASK)
    assert ran.code == 5
    assert "the approval 'go' is missing" in ran.err
    assert not run.out.exists()


def test_a_variable_of_a_skipped_step_is_named_with_the_step_that_sets_it(run: Runs) -> None:
    ran = run(
        cell("make", r"%bits_create {url} C:\in\x --into job", step="Make"),
        cell("go", "%bits_resume {job}", step="Go"),
        options="--from-step go",
    )
    assert ran.code == 2
    assert "go needs job, which make sets" in ran.err
    assert "--from-step make" in ran.err


@pytest.mark.parametrize("words", ["run", "run a.ipynb --verify x", "run --diff a"])
def test_run_wants_one_thing_at_a_time(run: Runs, words: str) -> None:
    assert run.console(words).code == 2


def test_the_help_of_a_notebook_lists_its_parameters(run: Runs) -> None:
    book = write_notebook(run.folder / "b.ipynb", PARAMETERS)
    ran = run.console(f"run '{book}' --help")
    assert ran.code == 0
    assert "Parameters of b.ipynb" in ran.out
    assert "one of a, b; default a" in ran.out
    assert run.console("run none.ipynb --help").code == 2


def test_without_what_runs_notebooks_the_pip_line_is_said(
    run: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nbclient", None)
    ran = run(cell("a", "1"))
    assert ran.code == 2
    assert "pip install 'bitsshell[notebook]'" in ran.err


def test_a_session_that_only_looks_runs_nothing(run: Runs) -> None:
    run.console("readonly on")
    ran = run(cell("a", "1"))
    assert ran.code == 2
    assert "read-only" in ran.err


def test_every_exception_of_ours_has_a_verdict() -> None:
    abstract = {"CommandError", "CommandFailed"}
    named = {
        name
        for name, one in inspect.getmembers(api_errors, inspect.isclass)
        if one.__module__ == api_errors.__name__ and issubclass(one, BaseException)
    }
    assert named - abstract - VERDICTS.keys() == set()


def test_any_other_exception_is_a_failure_among_others() -> None:
    assert verdict_of("ZeroDivisionError").value == 1
    assert verdict_of(None).value == 1


def test_a_host_that_failed_is_told_in_a_what_if_too() -> None:
    assert is_not_told_yet("BitsUsageError")
    assert is_not_told_yet("NameError")
    assert is_not_told_yet("CheckFailed")
    assert not is_not_told_yet("AllFailed")
    assert not is_not_told_yet("PartialFailure")
    assert not is_not_told_yet("NeedsApproval")


@pytest.mark.parametrize(
    ("typed", "candidates"),
    [
        ("-p ", ["hosts=", "mode="]),
        ("-p m", ["mode="]),
        ("-p mode=", []),
        ("--from-step a", ["ask"]),
        ("--approve ", ["go="]),
    ],
)
def test_names_of_the_notebook_are_completed(run: Runs, typed: str, candidates: list[str]) -> None:
    book = write_notebook(run.folder / "b.ipynb", PARAMETERS, ASK)
    line = f"run {book} {typed}"
    found = complete(line, len(line), run.console.session).candidates
    assert [one.text for one in found] == candidates


def test_a_kernel_in_a_folder_too_deep_for_sockets_is_reached_by_tcp(tmp_path: Path) -> None:
    import nbformat

    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)")])
    made = kernel.Kernel(book, folder=deep, cwd=tmp_path, environment=dict(os.environ))
    try:
        assert made.transport == "tcp"
        assert "not encrypted" in made.transport_words
        made.start().result(60)
        made.execute(book.cells[0], 0).result(60)
    finally:
        made.close(now=True)
    assert book.cells[0].outputs[0].text == "42\n"
