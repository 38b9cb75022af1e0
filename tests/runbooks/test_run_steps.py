"""A notebook as the runner sees it: bad files, parameters, steps, setup cells, approvals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from run_things import cell, text, write_notebook

from bitsshell.bits import Effect
from bitsshell.errors import UsageError
from bitsshell.runbooks.steps import (
    Approval,
    BadNotebook,
    described,
    parameter_values,
    read_notebook,
    steps_of,
)

if TYPE_CHECKING:
    from pathlib import Path

PARAMETERS = cell(
    "parameters",
    'hosts: list[str]  # where to\nmode = "fast"  # one of: fast, careful. How to go about it',
    tags=("parameters",),
)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadNotebook, match=r"none\.ipynb.*No such file"):
        read_notebook(tmp_path / "none.ipynb")


@pytest.mark.parametrize("content", ["", "no json", "[]", "{}", "3", "[" * 100_000])
def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(content)
    with pytest.raises(BadNotebook, match="is no notebook"):
        read_notebook(path)


def test_an_old_notebook_says_how_to_convert_it(tmp_path: Path) -> None:
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({"nbformat": 3, "worksheets": []}))
    with pytest.raises(BadNotebook) as caught:
        read_notebook(path)
    assert "format 3" in caught.value.what()
    assert "nbconvert" in (caught.value.hint or "")


@pytest.mark.parametrize("cells", [3, ["x"], [{"cell_type": "code", "source": 3, "metadata": {}}]])
def test_a_damaged_notebook_is_refused(tmp_path: Path, cells: Any) -> None:
    path = write_notebook(tmp_path / "a.ipynb", cells=cells)
    with pytest.raises(BadNotebook, match="damaged"):
        read_notebook(path)


def test_a_notebook_in_another_language_is_refused(tmp_path: Path) -> None:
    path = write_notebook(
        tmp_path / "a.ipynb", metadata={"kernelspec": {"language": "R", "name": "ir"}}
    )
    with pytest.raises(BadNotebook, match="a notebook in R"):
        read_notebook(path)


def test_two_cells_of_one_id_are_refused(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "a.ipynb", cell("a", "1"), cell("a", "2"))
    with pytest.raises(BadNotebook, match="cells 1 and 2 have one id"):
        read_notebook(path)


def test_cells_without_ids_get_the_same_ones_every_time(tmp_path: Path) -> None:
    bare = [cell("x", "1"), cell("y", "2")]
    for one in bare:
        del one["id"]
    path = write_notebook(tmp_path / "a.ipynb", *bare, nbformat_minor=4)
    assert [step.id for step in steps_of(read_notebook(path).cells)] == ["cell-1", "cell-2"]


def test_two_cells_of_parameters_are_refused(tmp_path: Path) -> None:
    path = write_notebook(
        tmp_path / "a.ipynb", PARAMETERS, cell("more", "x = 1", tags=("parameters",))
    )
    with pytest.raises(BadNotebook, match="2 cells are tagged parameters"):
        parameter_values(read_notebook(path), (), None)


def test_a_notebook_without_parameters_takes_none(tmp_path: Path) -> None:
    book = read_notebook(write_notebook(tmp_path / "a.ipynb", cell("a", "1")))
    assert parameter_values(book, (), None) == ({}, ())
    with pytest.raises(BadNotebook, match="no cell is tagged parameters"):
        parameter_values(book, (("hosts", "web01"),), None)


def test_a_malformed_parameters_cell_names_its_line(tmp_path: Path) -> None:
    path = write_notebook(
        tmp_path / "a.ipynb", cell("p", "x = 1\ny = open('z')", tags=("parameters",))
    )
    with pytest.raises(UsageError, match="line 2"):
        parameter_values(read_notebook(path), (), None)


def test_texts_go_before_the_file_and_the_file_before_defaults(tmp_path: Path) -> None:
    book = read_notebook(write_notebook(tmp_path / "a.ipynb", PARAMETERS))
    toml = tmp_path / "p.toml"
    toml.write_text('hosts = ["a", "b"]\nmode = "careful"')
    values, given = parameter_values(book, (("mode", "fast"),), toml)
    assert values == {"hosts": ["a", "b"], "mode": "fast"}
    assert given == ("hosts", "mode")


def test_what_an_executed_notebook_was_given_holds_when_it_is_run_again(tmp_path: Path) -> None:
    injected = cell(
        "given", "# Parameters\nhosts = ['a']\nother = 1", tags=("injected-parameters",)
    )
    book = read_notebook(write_notebook(tmp_path / "a.ipynb", PARAMETERS, injected))
    assert parameter_values(book, (), None) == ({"hosts": ["a"], "mode": "fast"}, ("hosts",))
    values, _ = parameter_values(book, (("hosts", "b"),), None)
    assert values["hosts"] == ["b"]


@pytest.mark.parametrize("name", ["password", "db_passwd", "API_KEY", "token", "client_secret"])
def test_a_secret_is_no_parameter_neither_given_nor_declared(tmp_path: Path, name: str) -> None:
    book = read_notebook(write_notebook(tmp_path / "a.ipynb", PARAMETERS))
    with pytest.raises(UsageError) as caught:
        parameter_values(book, ((name, "hunter2hunter2"),), None)
    assert "hunter2" not in str(caught.value)
    assert "BITSSHELL_PASSWORD" in str(caught.value)
    declaring = read_notebook(
        write_notebook(tmp_path / "b.ipynb", cell("p", f"{name} = 'x'", tags=("parameters",)))
    )
    with pytest.raises(UsageError, match="looks like a secret"):
        parameter_values(declaring, (), None)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), ("x = [", "is no TOML"), (b"\xff", "is no TOML")],
)
def test_a_bad_file_of_parameters_is_named(tmp_path: Path, content: Any, said: str) -> None:
    book = read_notebook(write_notebook(tmp_path / "a.ipynb", PARAMETERS))
    toml = tmp_path / "p.toml"
    if content is not None:
        toml.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match=said):
        parameter_values(book, (), toml)


def test_the_help_lists_kinds_defaults_choices_and_what_is_required(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "a.ipynb", text("t", "# Deploy it"), PARAMETERS)
    lines = described(path).splitlines()
    assert lines[0] == "Parameters of a.ipynb (Deploy it), each -p NAME=VALUE:"
    assert lines[1].split() == ["hosts", "list[str]", "where", "to;", "required"]
    assert "one of fast, careful; default fast" in lines[2]


# Steps


def steps(tmp_path: Path, *cells: dict[str, Any]) -> dict[str, Any]:
    return {s.id: s for s in steps_of(read_notebook(write_notebook(tmp_path / "s", *cells)).cells)}


def test_a_step_is_called_as_it_says_or_as_its_heading_or_by_its_first_line(tmp_path: Path) -> None:
    found = steps(
        tmp_path,
        cell("a", "%bits_jobs", step="Look"),
        text("h", "some words\n\n## Resume *it*\n\nmore"),
        cell("b", "%bits_resume x"),
        cell("c", "# a comment\nprint(1)"),
        cell("d", "   \n"),
    )
    assert {name: step.title for name, step in found.items()} == {
        "a": "Look",
        "b": "Resume *it*",
        "c": "print(1)",
    }


def test_the_effect_of_a_step_is_that_of_its_strongest_verb(tmp_path: Path) -> None:
    found = steps(
        tmp_path,
        cell("look", "%bits_jobs"),
        cell("change", "%bits_jobs\n%bits_resume x"),
        cell("said", "print(1)", effect="destroy"),
    )
    assert [found[name].effect for name in ("look", "change", "said")] == [
        Effect.READ,
        Effect.CHANGE,
        Effect.DESTROY,
    ]


@pytest.mark.parametrize(
    ("made", "is_setup"),
    [
        (cell("x", "a = 1", tags=("setup",)), True),
        (cell("x", "a = 1", tags=("parameters",)), True),
        (cell("x", "%load_ext bitsshell"), True),
        (cell("x", "import os\n%bits_use {hosts} --user {user}"), True),
        (cell("x", "%bits_resume y"), False),
        (cell("x", "%bits_use a\n%bits_resume y"), False),
        (cell("x", "a = 1"), False),
    ],
)
def test_setup_is_what_is_tagged_so_or_only_connects(
    tmp_path: Path, made: dict[str, Any], is_setup: bool
) -> None:
    assert steps(tmp_path, made)["x"].is_setup is is_setup


def test_cells_before_the_first_named_step_are_setup(tmp_path: Path) -> None:
    found = steps(tmp_path, cell("a", "x = 1"), cell("b", "x", step="First"), cell("c", "x"))
    assert [step.is_setup for step in found.values()] == [True, False, False]


def test_approvals_are_found_in_the_source(tmp_path: Path) -> None:
    source = "%bits_approve go \"Really?\"\n%bits_approve {name} what\nx = '%bits_approve no'"
    found = steps(tmp_path, cell("a", source))
    assert found["a"].approvals == (Approval("go", "Really?"),)
