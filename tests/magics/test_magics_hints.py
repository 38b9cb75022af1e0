"""What to do next is said in magics, and nothing else is taken for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from magics.hints import bundle_for_notebook, for_notebook, said_for_notebook

if TYPE_CHECKING:
    from pathlib import Path

Run = Callable[[str], Any]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("next: name them: -H HOST, or: use HOST", "next: name them: -H HOST, or: %bits_use HOST"),
        ("next: look for it: show ref:AB12", "next: look for it: %bits_show ref:AB12"),
        ("next: look: jobs", "next: look: %bits_jobs"),
        ("next: see how: help record", "next: see how: %bits_record?"),
        ("next: record stop ends it", "next: %bits_record stop ends it"),
        ("next: -p hosts=a; run NOTEBOOK --help", "next: -p hosts=a; %bits_run NOTEBOOK --help"),
        (
            "next: Check it in 'show JOB', then run 'resume JOB'; see 'jobs'",
            "next: Check it in '%bits_show JOB', then run '%bits_resume JOB'; see '%bits_jobs'",
        ),
    ],
)
def test_a_command_is_a_magic_in_a_notebook(line: str, expected: str) -> None:
    assert for_notebook([line]) == [expected]


@pytest.mark.parametrize(
    "line",
    [
        "next: a password is never an argument: set BITSSHELL_PASSWORD, or wait to be asked",
        "next: set BITSSHELL_PASSWORD to the right one, or run it in a terminal",
        "next: it is off by default: run 'Install-WindowsFeature BITS-Compact-Server' on that host",
        "next: run the same command again; nothing was left behind",
        "next: did you mean 'jobs' or 'show'?",
    ],
)
def test_a_hint_that_names_no_command_stays_as_it_is(line: str) -> None:
    assert for_notebook([line]) == [line]


@pytest.mark.parametrize(
    "notice", ["parameters: hosts", "parameters: hosts, existing_job", "web01: 'jobs' is there"]
)
def test_a_name_in_a_notice_is_no_command(notice: str) -> None:
    assert said_for_notebook(notice) == notice


def test_a_bundle_says_what_to_do_next_in_magics_and_keeps_its_data() -> None:
    shown = {
        "text/plain": "web01: gone\nnext: see 'show JOB'",
        "text/html": '<td>next: show JOB</td><div style="x">next: see &#x27;show JOB&#x27;</div>',
        "application/json": {"hint": "see 'show JOB'"},
    }
    words = bundle_for_notebook(shown)
    assert words["text/plain"] == "web01: gone\nnext: see '%bits_show JOB'"
    assert words["text/html"] == (
        '<td>next: show JOB</td><div style="x">next: see &#x27;%bits_show JOB&#x27;</div>'
    )
    assert words["application/json"] == shown["application/json"]


def test_nobody_is_sent_to_type_a_password_into_a_magic(run: Run) -> None:
    said = str(run("%bits_create --password X"))
    assert "set BITSSHELL_PASSWORD" in said
    assert "%bits_set" not in said


def test_the_parameters_of_a_recording_are_no_magics(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run("%bits_record start")
    run("%bits_create {url} {path} --suspended --name nightly -q")
    saved = run("%bits_record save nb.ipynb")
    (parameters,) = [notice for notice in saved.notices if notice.startswith("parameters: ")]
    assert "hosts" in parameters
    assert "%" not in parameters
    run("%bits_record stop")
