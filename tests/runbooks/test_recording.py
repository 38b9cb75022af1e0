from __future__ import annotations

import json
import stat
import sys
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from recorded_entries import ID, NOON, Entries, cell_of

from bitsshell.commands.completion import complete
from bitsshell.errors import UsageError
from bitsshell.journal import JournalUnavailable, MemoryJournal, open_journal
from bitsshell.known_secrets import learn
from bitsshell.runbooks import runbooks
from bitsshell.runbooks.masking import masked_notebook
from bitsshell.runbooks.recordings import Dropped, NoRecording, cleaned, recorded
from bitsshell.runbooks.saving import NotSaved, write_notebook
from bitsshell.shell.prompt import toolbar_fragments

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from consoles import Console, Site

    from bitsshell.runbooks.recordings import Recording


def verbs(recording: Recording) -> list[str]:
    return [step.entry.verb for step in recording.steps]


# Out of the journal


def test_only_what_is_between_start_and_stop_is_recorded() -> None:
    entries = Entries()
    before = entries.found
    entries.found = []
    entries.command("doctor")
    entries.found += before
    entries.command("jobs")
    entries.mark("pause")
    entries.command("show", "secret")
    entries.note("not this")
    entries.mark("resume")
    entries.command("files", "nightly")
    entries.mark("stop")
    entries.command("cancel", "nightly")
    assert verbs(entries.recording) == ["jobs", "files"]
    assert entries.recording.last_notes == ()


def test_the_last_of_several_recordings_counts() -> None:
    entries = Entries(title="first")
    entries.command("jobs")
    entries.mark("start", title="second", hosts={"known": {}, "chosen": []})
    entries.command("doctor")
    assert entries.recording.title == "second"
    assert verbs(entries.recording) == ["doctor"]


def test_without_a_start_there_is_no_recording() -> None:
    entries = Entries()
    entries.command("jobs")
    with pytest.raises(NoRecording):
        recorded(entries.found[1:])


def test_verbs_about_the_session_are_no_steps() -> None:
    entries = Entries()
    for words in (["record"], ["history"], ["whatif", "on"], ["config", "show"], ["help"]):
        entries.command(*words)
    assert entries.recording.steps == ()


def test_clean_leaves_out_what_is_of_no_use_to_repeat_and_says_so() -> None:
    entries = Entries()
    entries.refused("jobs --bogus")
    entries.command("use", "web01")
    entries.command("jobs")
    entries.note("Nothing there yet.")
    entries.command("create", "http://files/a", "D:\\a", well=0, failed=1)
    entries.command("cancel", "nightly", summary={"ending": "declined"})
    entries.command("watch", summary={"ending": "interrupted"})
    entries.command("jobs")
    entries.command("create", "http://files/a", "D:\\a", made=[ID])
    entries.command("jobs")
    found = cleaned(entries.recording)
    assert verbs(found) == ["jobs", "create", "jobs"]
    assert found.steps[0].notes == ("Nothing there yet.",)
    assert found.dropped == {
        Dropped.REFUSED: 1,
        Dropped.REPEATED: 1,
        Dropped.FAILED: 1,
        Dropped.DECLINED: 1,
        Dropped.INTERRUPTED: 1,
    }


def test_a_change_that_worked_on_some_hosts_stays() -> None:
    entries = Entries("web01", "web02")
    entries.command("resume", "nightly", well=1, failed=1)
    assert verbs(cleaned(entries.recording)) == ["resume"]


def test_a_look_that_differs_in_its_hosts_is_no_repetition() -> None:
    entries = Entries("web01", "web02")
    entries.command("jobs")
    entries.command("jobs", hosts=["web02"])
    assert len(cleaned(entries.recording).steps) == 2


# The verb


@pytest.fixture
def console(site: Site) -> Console:
    made = site.console(answers=["y"])
    made.session.runbooks = runbooks
    made.session.front = "shell"
    return made


def test_a_session_is_recorded_and_saved_for_its_user_alone(
    site: Site, console: Console, tmp_path: Path
) -> None:
    url = site.file().url
    for line in (
        "record start Deploy hello",
        "# The queue should be empty.",
        "jobs",
        "jobs --bogus",
        rf"create {url} C:\hello.txt --name hello --suspended",
        "cancel hello",
        "record stop",
    ):
        console(line)
    file = tmp_path / "deploy.ipynb"
    ran = console(f"record save '{file}'")
    assert ran.code == 0
    assert ran.out == f"{file}\n"
    assert "3 steps; left out: 1 line not understood" in ran.err
    assert "parameters: hosts, url, path, job_name" in ran.err
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    create, cancel = (cell_of(notebook, name) for name in ("s02-create", "s03-cancel"))
    assert create["source"] == "%bits_create {url} {path} --name {job_name} --suspended --into job"
    assert cancel["source"].endswith("\n%bits_cancel {job} --yes")
    assert "SUSPENDED" in create["outputs"][0]["data"]["text/plain"]
    assert "The queue should be empty." in cell_of(notebook, "s01-jobs-about")["source"]


def test_what_is_recorded_is_said(console: Console) -> None:
    assert "nothing is being recorded" in console("record").err
    console("record start My title")
    console("jobs")
    assert "'My title' is going on: 1 command so far" in console("record").err
    console("record pause")
    console("jobs")
    assert "is paused: 1 command so far" in console("record").err
    assert "recorded: 1 command" in console("record stop").err


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["record stop"], "nothing is being recorded"),
        (["record note x"], "nothing is being recorded"),
        (["record start", "record start"], "is going on"),
        (["record start", "record resume"], "not paused"),
        (["record start", "record pause", "record pause"], "paused already"),
        (["record start", "record note ''"], "TEXT is missing"),
        (["record start", "record save"], "FILE is missing"),
        (["record start", "record save a.ipynb b.ipynb"], "2 files are named"),
        (["record start", "record save a.txt"], "record save a.ipynb"),
        (["record stop now"], "takes no"),
        (["record start --force"], "belong to save"),
        (["record save a.ipynb"], "nothing was recorded"),
        (["record save a.ipynb --session 1234"], "recorded in the session '1234'"),
    ],
)
def test_what_cannot_be_done_is_said_and_is_a_usage_error(
    console: Console, lines: list[str], says: str
) -> None:
    *before, last = lines
    for line in before:
        console(line)
    ran = console(last)
    assert ran.code == 2
    assert says in ran.err


def test_a_file_that_is_there_stays_unless_forced(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "a.ipynb"
    file.write_text("mine")
    console("record start")
    console("jobs")
    refused = console(f"record save '{file}'")
    assert refused.code == 2
    assert "is there already, and stays as it is" in refused.err
    assert file.read_text() == "mine"
    assert console(f"record save '{file}' --force").code == 0
    assert json.loads(file.read_text())["nbformat"] == 4
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotSaved, match=r"there is no folder .*missing"):
        write_notebook(tmp_path / "missing" / "a.ipynb", {})


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotSaved, match=r"file.a\.ipynb' cannot be written"):
        write_notebook(tmp_path / "file" / "a.ipynb", {})


def test_a_folder_of_that_name_stays_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is there already"):
        write_notebook(tmp_path, {}, is_forced=True)


def test_the_recording_of_a_session_that_died_is_saved_from_the_journal(
    site: Site, console: Console, tmp_path: Path
) -> None:
    place = {"BITSSHELL_JOURNAL": str(tmp_path / "journal.sqlite")}
    console.session.journal = open_journal(environment=place)
    console("record start Before the crash")
    console("jobs")
    other = site.console()
    other.session.runbooks, other.session.journal = runbooks, open_journal(environment=place)
    file = tmp_path / "a.ipynb"
    hint = other(f"record save '{file}'").err
    assert "(Before the crash): record save FILE --session " in hint
    assert console.session.journal.session[:8] in hint
    ran = other(f"record save '{file}' --session {console.session.journal.session[:8]}")
    assert ran.code == 0, ran.err
    assert "Before the crash" in file.read_text()


SECRET = "correct-horse-battery-9!"


def test_no_secret_comes_into_a_notebook(site: Site, console: Console, tmp_path: Path) -> None:
    learn(SECRET)
    quoted = SECRET.replace("!", "%21")
    create = (
        f"create http://ann:{quoted}@files/x?sig={SECRET} 'C:\\{SECRET}' --name '{SECRET}'"
        f" --description '{SECRET}' --suspended"
    )
    for line in (
        f"record start {SECRET}",
        f"# it is {SECRET}",
        f"record note {SECRET}",
        f"jobs --where \"name = '{SECRET}'\"",
        f"show '{SECRET}'",
        f"jobs --{SECRET}",
        create,
        "jobs",
        f"cancel '{SECRET}'",
    ):
        console(line)
    for options in ("--clean", "--as-is"):
        file = tmp_path / f"{options}.ipynb"
        assert console(f"record save '{file}' {options}").code == 0
        text = file.read_text()
        assert '"s02-' in text
        assert SECRET not in text
        assert quoted not in text
        assert "correct-horse" not in text


class FullDisk(MemoryJournal):
    """A journal that has no room for what commands show."""

    def attach(self, number: int, output: Mapping[str, Any]) -> None:
        raise JournalUnavailable("journal.sqlite", "the disk is full", "make room")


def test_what_a_recording_could_not_keep_ends_no_command_and_is_said(console: Console) -> None:
    console.session.journal = FullDisk()
    console("record start")
    assert console("jobs").code == 0
    assert "not all of it is kept" in console("record").err
    toolbar = "".join(text for _, text, *_ in toolbar_fragments(console.session, NOON))
    assert "recording: 0 commands, not all of it is kept" in toolbar


def test_actions_and_behind_save_files_are_offered(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offered(line: str) -> list[str]:
        return [one.text for one in complete(line, len(line), console.session).candidates]

    monkeypatch.chdir(tmp_path)
    (tmp_path / "rollout.ipynb").touch()
    assert offered("record st") == ["start", "stop"]
    assert offered("record save ro") == ["rollout.ipynb"]
    assert offered("record note ro") == []


def test_a_secret_that_is_learned_late_is_masked_and_breaks_no_notebook() -> None:
    late = "outputs-and-cells"
    entries = Entries(title=late)
    entries.note(late)
    shown = {"text/plain": late, "application/x.v1+json": {late: [late]}}
    entries.command("show", late, output=shown)
    entries.command("show", "x", error={"type": "E", "message": late, "hint": late})
    learn(late)
    notebook = masked_notebook(entries.notebook(is_clean=False))
    nbformat.validate(nbformat.from_dict(notebook))
    assert late not in json.dumps(notebook)


# Notes in the shell


def test_a_comment_is_a_note_only_while_it_is_recorded(console: Console, tmp_path: Path) -> None:
    console("# before")
    console("record start")
    console("#first")
    console("record pause")
    console("# in between")
    console("record resume")
    console("## A section")
    console("jobs # not this one")
    console("record stop")
    console("# after")
    file = tmp_path / "a.ipynb"
    console(f"record save '{file}'")
    about = cell_of(json.loads(file.read_text()), "s01-jobs-about")["source"]
    assert about.startswith("first\n\n## A section\n\n### 1. List the jobs")
    for text in ("before", "in between", "after", "not this one"):
        assert text not in file.read_text()
