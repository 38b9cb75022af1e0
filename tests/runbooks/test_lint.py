from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.cell_forms import OWN, VERBS, Body
from bitsshell.known_secrets import learn
from bitsshell.runbooks import runbooks
from bitsshell.runbooks.findings import Finding, Severity
from bitsshell.runbooks.lint import lint, lint_cells

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Site

PARAMETERS = (
    'hosts: list[str] = ["web01"]\nlimit: str = "5m"\nurl: str\nlevel: str = "bogus"\n'
    'folder: str = r"D:\\in"\nboth: list[str] = ["error", "suspended"]'
)
LOAD = "%load_ext bitsshell"


def code(cell_id: str, source: str, *tags: str, **more: Any) -> dict[str, Any]:
    metadata = {"tags": list(tags)}
    return {"cell_type": "code", "id": cell_id, "source": source, "metadata": metadata, **more}


def findings(*sources: str, parameters: str | None = PARAMETERS) -> list[Finding]:
    """What is wrong with cells a, b, c ... behind a parameters cell and one that loads."""
    cells = [code("load", LOAD)]
    if parameters is not None:
        cells.insert(0, code("parameters", parameters, "parameters"))
    cells += [code(chr(97 + n), source) for n, source in enumerate(sources)]
    return list(lint_cells(cells))


def said(*sources: str, parameters: str | None = PARAMETERS) -> list[str]:
    return [str(finding) for finding in findings(*sources, parameters=parameters)]


def test_a_good_runbook_has_no_findings() -> None:
    assert not said(
        "%bits_use {hosts}",
        "%bits_create {url} {folder}\\a.iso --name nightly --into job --yes",
        "%bits_wait {job} --until transferred --timeout {limit}",
        "%%bits_check\nall there: len(job) == len(hosts)",
        "%bits_complete {job} --yes",
        "%bits_watch {job} --bg follow\nold = %bits_jobs --state error",
        "%bits_wait follow",
        "%bits_approve tidy 'Cancel the old ones?'\n%bits_cancel {old} --yes",
        "%%bits_create --name other --yes\n{url} -> {folder}\\b.iso",
        "%bits_plot\n%bits_tasks\n%bits\n%bits_help jobs",
    )


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("\n%bits_jbos", 2, "there is no verb 'jbos'"),
        ("%bits jbos", 1, "there is no verb 'jbos'"),
        ("%bits_jobs --bogus", 1, "there is no option --bogus"),
        ("%bits_jobs --hos web01", 1, "there is no option --hos"),
        ("%bits_create", 1, "missing"),
        ("%bits_jobs 'nightly", 1, "never closed"),
        ("%bits_wait n --until {level}", 1, "'bogus' is no state"),
        ("%bits_jobs --timeout soon", 1, "'soon' is no length of time"),
        ("%bits_jobs --where 'size >'", 1, ""),
        ("%bits_jobs {nope}", 1, "'nope' is given no value before this"),
        ("%bits_jobs {later}\nlater = 1", 1, "'later' is given no value before this"),
        ("%bits_jobs {x", 1, "stands alone"),
        ("%bits_approve go 'On {hosts}?'", 1, "is a list, and stands inside a word"),
        ("%bits_wait n --until {hosts}", 1, "is no state"),
        ("names = 1\n%bits_wait n --until {both}", 2, "takes one value, and {both} has 2"),
        ("%%bits_create --name n\nhttp://a/b", 1, "is no file"),
        ("%%bits_check\nlen(x) ==", 1, "is no expression"),
        ("%%bits\njobs\nfiles", 3, "missing"),
        ("x = (", 1, "no Python"),
        ("if True:\n%bits_jobs", 2, "no Python"),
        ("%time %bits_jobs --bogus", 1, "there is no option --bogus"),
        ("x = %time %bits_jobs --bogus", 1, "there is no option --bogus"),
        ("%timeit -n 3 -r1 %bits_jobs --bogus", 1, "there is no option --bogus"),
        ("a = [z for z in (1, 2)]\n%bits_show {z}", 2, "'z' is given no value before this"),
        ("a = {k: v for k, (v, z) in {}}\n%bits_show {z}", 2, "'z' is given no value before"),
    ],
)
def test_what_would_fail_is_an_error_of_its_line(source: str, line: int, says: str) -> None:
    (finding,) = findings(source)
    assert finding.severity is Severity.ERROR
    assert (finding.cell, finding.line) == ("a", line)
    assert says in finding.what
    assert finding.next


@pytest.mark.parametrize(
    "source",
    [
        "job = 1\n%bits_show {job}",
        "%bits_create {url} D:\\a --into job\n%bits_show {job}",
        "for host in hosts:\n    %bits_jobs -H {host}",
        "a = [(host := h) for h in hosts]\n%bits_jobs -H {host}",
        "a = [h for h in hosts]\nfor h in a:\n    %bits_jobs -H {h}",
        "%time job = 1\n%time %bits_jobs",
        "from names import *\n%bits_show {job}",
        "%run names.py\n%bits_show {job}",
        "%bits_set n --description {{job}}",
        "%bits_show {12345678-1234-1234-1234-123456789012}",
        "%bits_set n --priority {url}",  # only a run can tell
        "level = 'transferred'\n%bits_wait n --until {level}",
    ],
)
def test_what_only_a_run_can_tell_is_no_finding(source: str) -> None:
    assert not said(source, "%bits_show {job}" if "{job}" in source and "{{" not in source else "")


def test_the_magics_must_be_loaded_before_the_first_of_them() -> None:
    cells = [code("p", "", "parameters"), code("a", "%bits_jobs"), code("b", "%bits_jobs")]
    assert [str(f) for f in lint_cells(cells)] == [
        "error: a, line 1: the magics are not loaded yet"
    ]


@pytest.mark.parametrize(
    ("source", "is_warned"),
    [
        ("%bits_cancel old --yes", True),
        ("%bits_cancel old --what-if", False),
        ("%bits_approve old 'Go on?'\n%bits_cancel old --yes", False),
        ("%bits_check old --that 'state = error'\n%bits_cancel old --yes", False),
        ("%%bits_check\n1 == 1", False),
        ("%bits_complete nightly", True),
        ("%bits_wait nightly\n%bits_complete nightly", False),
        ("%bits_wait nightly\n%bits_cancel nightly --yes", True),
        ("%bits_create {url} D:\\a --if-exists replace --yes", True),
        ("%bits_manage nightly --on-error=cancel --yes", True),
        ("%bits_manage nightly", False),
    ],
)
def test_what_destroys_should_be_checked_or_approved_before(source: str, is_warned: bool) -> None:
    found = [finding for finding in findings(source) if "destroys something" in finding.what]
    assert bool(found) is is_warned
    assert all(finding.severity is Severity.WARNING for finding in found)


def test_what_asks_a_person_would_stop_a_run_without_one() -> None:
    (warned,) = said("%bits_approve a 'b?'\n%bits_cancel old")
    assert warned.startswith("warning: a, line 2: cancel asks a person")


@pytest.mark.parametrize(("source", "warned"), [
    ("%bits_use {hosts}\n%bits_create {url} D:\\a", "create asks a person where"),
    ("%bits_use {hosts}\n%bits_create {url} D:\\a\n%bits_resume n\n%bits_set n --proxy none",
     "create asks a person (2 commands after it too) where"),
    ("%bits_use web01\n%bits_suspend n -H {hosts}", "suspend asks a person where"),
    ("%bits_use {hosts}\n%bits_wait n\n%bits_complete n", "complete asks a person where"),
    ("%bits_use {hosts}\n%bits_create {url} D:\\a --yes", None),
    ("%bits_use {hosts}\n%bits_create {url} D:\\a --what-if", None),
    ("%bits_use {hosts}\n%bits_create {url} D:\\a -H {hosts[0]}", None),
    ("%bits_use {hosts[0]}\n%bits_create {url} D:\\a", None),
    ("%bits_use {hosts}\n%bits_use web01\n%bits_create {url} D:\\a", None),
    ("hosts = hosts[:1]\n%bits_use {hosts}\n%bits_create {url} D:\\a", None),
    ("%bits_use {url}\n%bits_create {url} D:\\a", None),
    ("%bits_use {hosts}\n%bits_jobs\n%bits_manage n", None),
])  # fmt: skip
def test_what_asks_a_person_on_several_hosts_is_said_once(source: str, warned: str | None) -> None:
    found = findings(source)
    assert [f.severity for f in found] == ([] if warned is None else [Severity.WARNING])
    assert (warned or "") in "".join(f.what for f in found)


@pytest.mark.parametrize(
    ("join", "is_warned"),
    [
        ("", True),
        ("%bits_wait other", True),
        ("%bits_wait follow", False),
        ("%bits_wait", False),
        ("%bits_wait --timeout 5m", False),
        ("%bits_tasks --stop follow", False),
    ],
)
def test_a_background_watch_must_be_waited_for(join: str, is_warned: bool) -> None:
    warned = ["warning: a, line 1: the background watch follow is never waited for"]
    assert said("%bits_watch nightly --bg follow", join) == (warned if is_warned else [])


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        (None, "warning: the notebook: no cell is tagged parameters"),
        ("hosts = 1 +", "error: parameters, line 1: this is no Python (invalid syntax)"),
        ("a = 1\nb: set = 2", "error: parameters, line 2: b has the kind 'set'"),
    ],
)  # fmt: skip
def test_a_parameters_cell_that_is_missing_or_malformed(parameters: str | None, says: str) -> None:
    (found,) = said("%bits_jobs", parameters=parameters)
    assert found.startswith(says)


def test_only_one_cell_may_be_tagged_parameters() -> None:
    cells = [code("p", "a = 1", "parameters"), code("q", "b = 1", "parameters")]
    assert [str(f) for f in lint_cells(cells)] == ["error: q: a second cell is tagged parameters"]


SECRET = "staple-battery-correct-7!"


@pytest.mark.parametrize(
    "source",
    [
        "password = 'hunter22'",
        'password: str = "hunter22"',
        "os.environ['BITSSHELL_PASSWORD'] = 'hunter22'",
        "connect(password='hunter22')",
        "{'api_key': 'hunter22'}",
        "%env BITSSHELL_PASSWORD=hunter22",
        "!export BITSSHELL_PASSWORD=hunter22",
        "# curl http://ann:hunter22@files/a.iso",
        "url = 'http://files/a?sig=hunter22'",
        f"x = {SECRET!r}",
        "key = '''-----BEGIN RSA PRIVATE KEY-----'''",
        "t = 'ghp_0123456789abcdefghijABCDEFGHIJ'",
        "pwd = 'hunter22'",
        "db_pwd: str = 'hunter22'",
        "x = 1  # the password is hunter22-x!",
        "# Password: hunter22!",
    ],
)
def test_a_literal_that_looks_like_a_secret_is_an_error_and_not_repeated(source: str) -> None:
    learn(SECRET)
    found = findings(source)
    assert [(f.severity, f.line) for f in found] == [(Severity.ERROR, 1)]
    assert "hunter22" not in str(found)
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    "source",
    [
        "password = os.environ['BITSSHELL_PASSWORD']",
        "password = getpass('Password: ')",
        "password = ''",
        "token = '***'",
        "# no password is in here",
        "tokens = {'password': None}",
        "pwd = '/var/lib/files'",
        "pwd = r'D:\\in'",
        "pwd = os.getcwd()",
        "x = 1  # the password is in the keyring, see BITSSHELL_PASSWORD",
        "# token = make_token(x1, y2)",
        "# the token is {token1}, the secret is <s3cret>, password: $PASS1",
        "# url = 'http://***@files/a?sig=***'",
    ],
)
def test_what_only_speaks_of_secrets_is_no_finding(source: str) -> None:
    assert not said(source)


@pytest.mark.parametrize(
    "source",
    [
        r"%bits_create http://files/a?sig=*** C:\in\a",
        r"%bits_create http://***@files/a C:\in\a",
        "other = 'http://files/a?sig=***'",
        "%%bits_create --name n\nhttp://files/a?sig=*** -> C:\\in\\a",
    ],
)
def test_a_url_of_which_something_was_masked_is_no_url_to_run_with(source: str) -> None:
    (found,) = findings(source)
    assert found.severity is Severity.ERROR
    assert "*** stands in a URL" in found.what
    assert "parameter without a default" in found.next


@pytest.mark.parametrize(("prose", "is_found"), [
    ("The password is hunter2-xyz!", True),
    ("Password: hunter2-xyz!", True),
    ("**Password:** `hunter2-xyz!`", True),
    ("the API key is AbCd1234Ef", True),
    ("Set the password: it is asked for at 12:30", False),
    ("The password is taken from the keyring (since version 3).", False),
    ("No password is in it: that comes from `BITSSHELL_PASSWORD`.", False),
    ("A token: `ref:01ABCDEFGH`", False),
    ("Password: ***", False),
])  # fmt: skip
def test_a_secret_in_prose_is_an_error(prose: str, is_found: bool) -> None:
    cell = {"cell_type": "markdown", "id": "m", "source": f"# A\n{prose}", "metadata": {}}
    found = list(lint_cells([code("p", "", "parameters"), cell]))
    assert [(f.severity, f.line) for f in found] == ([(Severity.ERROR, 2)] if is_found else [])
    assert "hunter2" not in str(found)


def test_a_parameter_that_a_run_refuses_as_a_secret_is_an_error() -> None:
    (found,) = findings("%bits_jobs", parameters="a = 1\npassword: str")
    assert (found.severity, found.cell, found.line) == (Severity.ERROR, "parameters", 2)
    assert found.what.startswith("password looks like a secret")
    assert found.next


def test_what_a_cell_showed_is_looked_at_too() -> None:
    output = {"output_type": "stream", "name": "stdout", "text": ["a\n", "ftp://u:p@files/a\n"]}
    cells = [code("p", "", "parameters"), code("a", "1", outputs=[output])]
    assert [str(f) for f in lint_cells(cells)] == [
        "error: a: a URL holds an account or a signature, in what the cell showed"
    ]


def test_a_file_that_is_no_notebook_is_one_finding(tmp_path: Path) -> None:
    file = tmp_path / "a.ipynb"
    file.write_text("{}")
    (finding,) = lint(file)
    assert finding.severity is Severity.ERROR
    assert "is no notebook" in finding.what


def test_two_cells_of_one_id_are_a_finding(tmp_path: Path) -> None:
    file = tmp_path / "a.ipynb"
    cells = [code("a", "1", outputs=[], execution_count=None) for _ in range(2)]
    file.write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    )
    (finding,) = lint(file)
    assert "have one id" in finding.what


def test_the_verb_says_each_finding_with_what_to_do_and_exits_by_the_worst(
    site: Site, tmp_path: Path
) -> None:
    console = site.console()
    console.session.runbooks = runbooks
    sources = {
        "good": ("%bits_jobs", 0, "good.ipynb: no findings"),
        "warned": ("%bits_approve a 'b?'\n%bits_cancel old", 0, "warned.ipynb: 1 warning"),
        "bad": ("%bits_jbos", 2, "bad.ipynb: 1 error"),
    }
    for name, (source, exit_code, says) in sources.items():
        file = tmp_path / f"{name}.ipynb"
        cells = [code("p", "", "parameters"), code("a", f"{LOAD}\n{source}")]
        cells = [cell | {"outputs": [], "execution_count": None} for cell in cells]
        file.write_text(
            json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
        )
        ran = console(f"run '{file}' --check")
        assert ran.code == exit_code
        assert says in ran.out + ran.err
    assert "line 2" in ran.out
    assert "next: did you mean jobs?" in ran.out


@pytest.mark.parametrize("name", OWN)
def test_a_magic_that_is_no_verb_is_known(name: str) -> None:
    assert not said(f"%bits_{name}")


@pytest.mark.parametrize("verb", [verb for verb, body in VERBS.items() if body is Body.PAIRS])
def test_the_lines_of_a_cell_are_files_where_its_verb_takes_them(verb: str) -> None:
    words = "a-job" if verb == "add" else ""
    assert not said(f"%%bits_{verb} {words}\n{{url}} -> {{folder}}\\b.iso\nhttp://a/c -> C:\\c")
    (finding,) = findings(f"%%bits_{verb} {words}\n{{url}} {{folder}}\\b.iso")
    assert "is no file" in finding.what


def test_a_cell_that_is_left_out_is_said_and_gives_no_name_a_value() -> None:
    left_out = code("left", "job = undefined(\n%bits_jbos", "skip-execution")
    cells = [code("load", LOAD), left_out, code("after", "%bits_show {job}")]
    found = [(one.cell, one.severity, one.what) for one in lint_cells(cells) if one.cell]
    assert found == [
        ("left", Severity.WARNING, "the cell is tagged skip-execution: a run leaves it out"),
        ("after", Severity.ERROR, "'job' is given no value before this"),
    ]


def test_a_secret_in_a_cell_that_is_left_out_is_an_error_all_the_same() -> None:
    (_, finding) = lint_cells([code("left", "password = 'hunter2xyz'", "skip-execution")])[1:]
    assert finding.severity is Severity.ERROR


def test_a_tag_that_lets_a_cell_raise_is_said_to_keep_no_run_going() -> None:
    (finding,) = [one for one in lint_cells([code("a", "1/0", "raises-exception")]) if one.cell]
    assert finding.severity is Severity.WARNING
    assert "what the cell raises ends it" in finding.what


@given(st.lists(st.text(), max_size=4))
def test_no_notebook_whatever_is_in_it_breaks_the_check(sources: list[str]) -> None:
    for finding in findings(*sources, *(f"%bits_{source}" for source in sources)):
        assert finding.what
