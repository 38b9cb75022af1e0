"""Cell magics: commands, files and arguments a line, and what completes in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import pytest
from IPython.utils.capture import capture_output
from test_magics_shell import completions

from bitsshell.api import JobSet, Outcomes, errors
from bitsshell.commands import VERBS
from bitsshell.errors import UsageError
from bitsshell.practice import JobState, PracticeFleet, PracticeHost
from magics import verbs
from magics.bodies import pair
from magics.verbs import Body

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

Run = Callable[[str], Any]

HTTP, UNC = "http://f/a.bin", r"\\srv\share\a.bin"


def test_the_table_of_names_is_that_of_the_verbs() -> None:
    assert set(verbs.VERBS) == set(VERBS)
    assert not set(verbs.OWN) & set(VERBS)


@pytest.mark.parametrize(
    "verb", [verb for verb, body in verbs.VERBS.items() if body is Body.VALUES]
)
def test_a_verb_whose_lines_are_arguments_takes_many_of_them(verb: str) -> None:
    arguments = [param for param in VERBS[verb].params if isinstance(param, click.Argument)]
    assert arguments[-1].nargs == -1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (rf"{HTTP} -> C:\in\a.bin", [HTTP, r"C:\in\a.bin"]),
        (rf"{HTTP}   ->   C:\in\a b.bin", [HTTP, r"C:\in\a b.bin"]),
        (rf"'{HTTP}' -> 'C:\in\a b.bin'  # why", [HTTP, r"C:\in\a b.bin"]),
        (r"{url} -> {folder}\a.bin", [HTTP, r"C:\in\a.bin"]),
        (rf"{UNC} -> C:\in\$x.bin", [UNC, r"C:\in\$x.bin"]),
        (r"http://f/a?b=1->2 -> C:\in\a.bin", ["http://f/a?b=1->2", r"C:\in\a.bin"]),
    ],
)
def test_a_line_is_a_url_and_a_path(line: str, expected: list[str]) -> None:
    assert pair(line, {"url": HTTP, "folder": r"C:\in"}) == expected


@pytest.mark.parametrize("line", [HTTP, f"{HTTP} ->", r"-> C:\a", f"{HTTP} => C:\\a", "{two} -> x"])
def test_a_line_that_is_no_file_is_refused(line: str) -> None:
    with pytest.raises(UsageError):
        pair(line, {"two": ["a", "b"]})


def test_a_job_is_created_with_a_file_a_line(run: Run, host: PracticeHost) -> None:
    made = run(
        "%%bits_create --suspended --name two --into made\n"
        "# the first\n"
        "{url} -> {path}\n"
        "\n"
        "{url} -> C:\\in\\c.bin  # the second\n"
    )
    assert isinstance(made, Outcomes)
    (job,) = host.jobs()
    assert (job.name, job.state) == ("two", JobState.SUSPENDED)
    assert [file.path for file in run("%bits_files two")] == [r"C:\in\a b.bin", r"C:\in\c.bin"]
    assert run("made").jobs.names == ("two",)


def test_arguments_stand_a_line_each(run: Run) -> None:
    for name in ("a", "b c"):
        run(f"%bits_create {{url}} 'C:\\in\\{name}.bin' --suspended --name '{name}' -q")
    assert run("%%bits_show\na\n'b c'\n").names == ("a", "b c")


def test_lines_run_until_one_fails(run: Run, host: PracticeHost) -> None:
    with capture_output() as captured:
        error = run(
            "%%bits\n"
            "create {url} {path} --suspended --name n\n"
            "# a note\n"
            "%bits_jobs\n"
            "\n"
            "resum n\n"
            "cancel n --yes\n"
        )
    assert type(error) is errors.BitsUsageError
    assert str(error) == "line 6: there is no verb 'resum'\nnext: did you mean resume?"
    assert len(captured.outputs) == 2
    assert [job.state for job in host.jobs()] == [JobState.SUSPENDED]


def test_the_last_line_is_the_value_of_the_cell(run: Run) -> None:
    found = run("%%bits --into kept\nhosts\njobs --state error\n")
    assert isinstance(found, JobSet)
    assert run("kept") is found


def test_a_quiet_cell_shows_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    with capture_output() as captured:
        run("%%bits -q\nhosts\njobs\n")
    assert captured.outputs == []
    assert "1 host\n" not in captured.stdout


@pytest.mark.parametrize("cell", ["%%bits", "%%bits_create", "%%bits_show\n\n", "%%bits_check T"])
def test_an_empty_body_is_one_clear_error_of_ours(run: Run, cell: str) -> None:
    error = run(cell)
    assert type(error) is errors.BitsUsageError
    assert "nothing below the first line" in str(error)


def test_what_stands_beside_bits_alone_is_refused(run: Run) -> None:
    assert "takes no commands on its own line" in str(run("%%bits jobs\nhosts\n"))


def test_a_mistake_in_a_body_names_its_line(run: Run, host: PracticeHost) -> None:
    for body, says in [
        ("{url} -> {path}\n{nope} -> C:\\b", "line 3: name 'nope' is not defined"),
        ("\n{url} C:\\in\\a", "line 3: this is no file"),
    ]:
        error = run(f"%%bits_create --suspended\n{body}\n")
        assert type(error) is errors.BitsUsageError
        assert says in str(error)
    assert host.jobs() == ()


def test_a_check_evaluates_every_line_and_raises_once(run: Run) -> None:
    run("%bits_jobs -q --into found")
    assert len(run("%%bits_check before\nnone: len(found) == 0\nfound.ok")) == 2
    with capture_output() as captured:
        error = run("%%bits_check\nlen(found) == 2\nnope\nfound.ok\n")
    assert type(error) is errors.CheckFailed
    lines = error._render_traceback_()
    assert lines[0] == "CheckFailed: 2 of 3 conditions not met"
    assert "len(found) is 0" in lines[1]
    assert len(captured.outputs) == 1


def test_bodies_are_completed_line_by_line(
    run: Run, shell: InteractiveShell, fleet: PracticeFleet
) -> None:
    run("%bits_create {url} 'C:\\in\\a b.bin' --suspended --name 'patch tuesday' -q")
    run("%bits_create {url} C:\\in\\a.bin --suspended -q --into job")
    run("%bits_jobs -q")
    assert completions(shell, "%%bits\njobs\nwa") == ["%%bits\njobs\nwatch", "%%bits\njobs\nwait"]
    assert completions(shell, "%%bits\nset a --pri") == ["%%bits\nset a --priority"]
    assert completions(shell, "%%bits_show\npat") == ["%%bits_show\n'patch tuesday'"]
    first = "%%bits_create --suspended\n"
    assert rf"{first}{fleet.files_url}x -> C:\in" in "".join(
        completions(shell, rf"{first}{fleet.files_url}x -> C:\i")
    )
    assert completions(shell, f"{first}# pri") != []
