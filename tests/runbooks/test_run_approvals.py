"""Approvals of a run: whose name a parameter holds, or only the kernel knows, and who gave none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from run_things import Runs, cell, make_runs, write_notebook

from bitsshell.commands.runbook import Named
from bitsshell.runbooks.steps import Approval, named, read_notebook, steps_of

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Site

LOAD = cell("load", "%load_ext bitsshell")
GATE = cell("parameters", 'gate: str = "stage"', tags=("parameters",))
DONE = cell("done", "open('done', 'w').close()")
ASK = cell("ask", '%bits_approve {gate} "Go on?"')
BY_CALL = cell("ask", "get_ipython().run_line_magic('bits_approve', 'computed Really?')")


@pytest.fixture
def run(site: Site, tmp_path: Path) -> Runs:
    return make_runs(site, tmp_path)


@pytest.mark.parametrize("who", ["", "' '"])
@pytest.mark.parametrize("name", ["stage", "ask"])
def test_an_approval_without_a_name_of_a_person_is_refused_before_anything(
    run: Runs, name: str, who: str
) -> None:
    ran = run(GATE, LOAD, DONE, ASK, options=f"--approve {name}={who}")
    assert ran.code == 2
    assert f"--approve '{name}' does not say who agrees" in ran.err
    assert not run.out.exists()


def test_an_approval_that_a_parameter_names_is_missed_before_anything_runs(run: Runs) -> None:
    ran = run(GATE, LOAD, DONE, ASK)
    assert ran.code == 5
    assert "--approve stage=WHO" in ran.err
    assert not (run.folder / "done").exists()


@pytest.mark.parametrize(
    ("cells", "options"),
    [
        ((ASK,), "--approve stage=Bo"),
        ((ASK,), "--approve ask=Bo"),
        ((ASK,), "-p gate=other --approve other=Bo"),
        ((BY_CALL,), "--approve ask=Bo"),
        ((cell("ask", "gate = 'x'\n%bits_approve {gate}"),), "--approve ask=Bo"),
    ],
)
def test_an_approval_is_given_by_its_value_or_by_the_id_of_its_step(
    run: Runs, cells: tuple[dict[str, Any], ...], options: str
) -> None:
    ran = run(GATE, LOAD, *cells, DONE, options=options)
    assert ran.code == 0, ran.out + ran.err
    (approval,) = run.step("ask")["approvals"]
    assert approval["claimed_by"] == "Bo"
    assert (run.folder / "done").exists()


def test_a_name_that_only_the_kernel_knows_is_asked_for_by_the_steps_id(run: Runs) -> None:
    ran = run(GATE, LOAD, BY_CALL, DONE, options="--approve load=Bo")
    assert ran.code == 5
    assert "--approve ask=WHO" in ran.out + ran.err
    assert run.statuses["done"] == "not run"


def test_who_answers_for_one_approval_of_a_cell_answers_for_no_other(
    site: Site, tmp_path: Path
) -> None:
    run = make_runs(site, tmp_path, answers=["Bo"])
    ran = run(LOAD, cell("ask", f"%bits_approve ask\n{BY_CALL['source']}"), DONE)
    assert ran.code == 5
    assert run.statuses == {"load": "ok", "ask": "failed", "done": "not run"}


def test_a_change_of_several_hosts_that_lacks_its_yes_says_to_edit_the_cell(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITSSHELL_PASSWORD", site.host.password)
    run = make_runs(site, tmp_path, hosts=2)
    one, two, *_ = (host.endpoint for host in site.hosts)
    use = f"%bits_use {one} {two} --user {site.host.username} --auth basic"
    ran = run(LOAD, cell("use", use), cell("make", rf"%bits_create {site.url} C:\in\a.txt"))
    assert ran.code == 5
    said = "\n".join(run.step("make")["error"]["lines"])
    assert "next: edit the cell: --yes in its command" in said
    assert not any(host.jobs() for host in site.hosts)


def test_a_person_is_asked_by_the_value_of_a_parameter(site: Site, tmp_path: Path) -> None:
    run = make_runs(site, tmp_path, answers=["Bo"])
    ran = run(GATE, LOAD, ASK, DONE)
    assert ran.code == 0, ran.out + ran.err
    (question,) = run.console.asked
    assert "approval stage: Go on?" in question


@pytest.mark.parametrize(("source", "name"), [
    ("%bits_approve {gate}", "stage"),
    ("%bits_approve to-{gate}-{number}", "to-stage-3"),
    ("%bits_approve {{gate}}", "{gate}"),
    ("%bits_approve {gate.upper}", None),
    ("%bits_approve {hosts}", None),
    ("%bits_approve {gate", None),
    ("gate = 'x'\n%bits_approve {gate}", None),
])  # fmt: skip
def test_what_an_approval_is_called_is_told_from_the_parameters(
    tmp_path: Path, source: str, name: str | None
) -> None:
    book = read_notebook(write_notebook(tmp_path / "a.ipynb", GATE, cell("ask", source)))
    values = {"gate": "stage", "number": 3, "hosts": ["a"]}
    approvals = steps_of(book.cells, values)[1].approvals
    assert approvals == (() if name is None else (Approval(name, ""),))


def test_completion_knows_what_a_default_calls_an_approval(tmp_path: Path) -> None:
    book = write_notebook(tmp_path / "a.ipynb", GATE, ASK)
    assert named(book, Named.APPROVAL) == (("stage", "Go on?"),)
