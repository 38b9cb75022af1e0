from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.commands.magicline import escaped, pieces
from bitsshell.runbooks.cells import magics_in, read_cell


def test_each_form_of_a_call_is_found_with_its_line() -> None:
    cell = """\
import json
found = %bits_jobs -H {hosts} --state error -q
if found:
    %bits_cancel {found[0]} \\
        --yes
%bits show nightly --into detail
"""
    calls = magics_in(cell)
    assert [(call.verb, call.line) for call in calls] == [("jobs", 2), ("cancel", 4), ("show", 6)]
    assert calls[0].words == ("jobs", "-H", "{hosts}", "--state", "error")
    assert calls[0].names == ("hosts",)
    assert calls[0].is_quiet
    assert calls[1].words == ("cancel", "{found[0]}", "--yes")
    assert calls[1].names == ("found",)
    assert calls[2].into == "detail"


@pytest.mark.parametrize(
    "source",
    [
        's = """\n%bits_jobs\n"""',
        "print('%bits_jobs')",
        "x = 5 %bits_3",
        "# %bits_jobs",
        "%bits_jobs?",
        "%bitsandpieces",
        "%%timeit\npass",
        "%%html\n%bits_jobs",
    ],
)
def test_what_only_looks_like_a_call_is_none(source: str) -> None:
    assert magics_in(source) == ()


def test_a_cell_magic_has_its_body_and_the_names_in_it() -> None:
    (call,) = magics_in("\n%%bits_create --name {name}\n{url} -> {folder}\\a.iso")
    assert (call.verb, call.line, call.is_cell) == ("create", 2, True)
    assert call.names == ("name", "url", "folder")


def test_each_line_below_bits_alone_is_a_call() -> None:
    calls = magics_in("%%bits\njobs\n# look at it\n\nfiles {job}")
    assert [(call.verb, call.line) for call in calls] == [("jobs", 2), ("files", 5)]


def test_an_open_quote_is_a_problem_of_its_line() -> None:
    (call,) = magics_in("%bits_jobs 'nightly")
    assert call.words == ()
    assert call.problem is not None
    assert "never closed" in call.problem.what()


def test_what_gets_a_value_is_known_with_its_line() -> None:
    cell = read_cell(
        "import os.path as p\nfor a, b in x: c = 1\ndef f(d): pass\nwith y as e: pass\n"
        "%bits_jobs --into g\nh, i = 1, 2\nk = %bits_jobs"
    )
    assert cell.syntax_error() is None
    names = {name for name, _ in cell.assigned()}
    assert names == {"p", "a", "b", "c", "f", "d", "e", "g", "h", "i", "k"}
    assert dict(cell.assigned())["g"] == 5


def test_lines_keep_their_numbers_when_magics_are_taken_out() -> None:
    cell = read_cell("%bits_jobs \\\n  --state error\n!ls\n%config BitsMagics\nx = (1 +\n 2) )")
    error = cell.syntax_error()
    assert error is not None
    assert error.lineno == 6


@given(st.text())
def test_no_cell_whatever_is_in_it_breaks_the_cutter(source: str) -> None:
    cell = read_cell(source)
    cell.assigned()
    for call in cell.calls:
        assert call.names == tuple(dict.fromkeys(call.names))


@given(st.text())
def test_an_escaped_text_has_no_names_in_it(text: str) -> None:
    assert "".join(map(str, pieces(escaped(text)))) == text
