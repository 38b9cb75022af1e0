from __future__ import annotations

import re
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_entries import ID, OTHER_ID, Entries, cell_of

from bitsshell.runbooks.export import literal
from bitsshell.runbooks.lint import Severity, lint_cells
from bitsshell.runbooks.parameters import declared
from bitsshell.runbooks.roles import parts_of
from magics.words import read_words

URL, PATH = "http://files/a.iso", r"D:\in\a.iso"


def defaults(entries: Entries) -> dict[str, Any]:
    """What the parameters are when nobody says anything."""
    return {parameter.name: parameter.default for parameter in declared(entries.parameters)}


def words_run(source: str, namespace: dict[str, Any]) -> list[str]:
    """The words that the last magic of a cell would hand to the dispatcher."""
    *before, line = source.splitlines()
    for statement in before:
        if not statement.startswith("%"):
            exec(statement, namespace)
    name, _, rest = line.partition(" ")
    return list(read_words(rest, namespace, verb=name.removeprefix("%bits_")).words)


def test_a_recorded_session_is_a_valid_notebook_with_stable_ids() -> None:
    entries = Entries(title="Deploy the agent")
    entries.command("jobs")
    entries.command("create", "--name", "agent", URL, PATH, made=[ID])
    entries.command("cancel", ID)
    entries.note("That was it.")
    notebook = entries.notebook()
    nbformat.validate(nbformat.from_dict(notebook))
    assert [cell["id"] for cell in notebook["cells"]] == [
        "title", "about-parameters", "parameters", "about-setup", "setup",
        "about-steps", "s01-jobs-about", "s01-jobs", "s02-create-about", "s02-create",
        "s03-cancel-about", "s03-cancel", "end",
    ]  # fmt: skip
    assert notebook["cells"][0]["source"].startswith("# Deploy the agent\n")
    assert cell_of(notebook, "parameters")["metadata"]["tags"] == ["parameters"]
    assert cell_of(notebook, "s02-create")["metadata"]["bits"] == {
        "seq": 2,
        "step": "Create the job agent",
        "effect": "change",
        "recorded": "2026-11-22 12:00:03Z",
    }
    assert notebook == entries.notebook()


def test_hosts_urls_paths_and_names_are_parameters_with_the_recorded_values() -> None:
    entries = Entries()
    entries.command("create", "--name", "nightly", "--priority", "high", URL, PATH, made=[ID])
    assert defaults(entries) == {
        "hosts": ["web01"],
        "url": URL,
        "path": PATH,
        "job_name": "nightly",
    }
    assert r'path: str = r"D:\in\a.iso"' in entries.parameters
    assert entries.code() == ["%bits_create {url} {path} --name {job_name} --priority high"]


def test_of_several_files_the_folders_are_parameters() -> None:
    entries = Entries()
    pairs = [URL, PATH, "http://files/b {1}.iso", r"D:\in\b {1}.iso"]
    entries.command("create", *pairs, made=[ID])
    values = defaults(entries)
    assert values == {"hosts": ["web01"], "source": "http://files", "folder": r"D:\in"}
    assert words_run(entries.code()[0], values)[1:] == pairs


def test_a_masked_url_is_a_parameter_to_be_given_also_beside_others_of_its_folder() -> None:
    entries = Entries()
    signed, places = "http://files/a?sig=***", (r"D:\in\a", r"D:\in\b", r"D:\in\c")
    urls = ("http://files/a", "http://files/b", signed)
    for number, (url, place) in enumerate(zip(urls, places, strict=True)):
        entries.command("create", url, place, made=[f"{ID[:-1]}{number}"])
    found = {parameter.name: parameter for parameter in declared(entries.parameters)}
    assert found["source"].default == "http://files"
    assert found["url"].is_required
    assert "was not recorded" in found["url"].help
    assert entries.code() == [
        r"%bits_create {source}/a {folder}\a",
        r"%bits_create {source}/b {folder}\b",
        r"%bits_create {url} {folder}\c",
    ]
    assert not [f for f in lint_cells(entries.notebook()["cells"]) if "***" in f.what]


def test_of_urls_behind_a_masked_account_the_folder_is_to_be_given() -> None:
    entries = Entries()
    for name in ("a", "b"):
        entries.command("create", f"http://***@files/x/{name}", rf"D:\{name}", made=[ID])
    found = {parameter.name: parameter for parameter in declared(entries.parameters)}
    assert found["source"].is_required
    assert "***" not in "".join(entries.code())


def test_a_job_that_was_made_here_is_never_a_literal() -> None:
    entries = Entries()
    entries.command("create", "--name", "nightly", URL, PATH, made=[ID])
    entries.command("wait", ID)
    entries.command("show", f"{{{ID.lower()}}}")
    entries.command("files", "nightly")
    entries.command("explain", ID)
    entries.command("complete", ID[:8])
    first, *later = entries.code()
    assert first.endswith(" --into job")
    assert [line.split(" ", 1)[1] for line in later] == ["{job}"] * 5
    assert ID not in "".join(entries.code())


def test_of_jobs_on_several_hosts_one_is_spoken_of_by_name_on_its_host() -> None:
    entries = Entries("web01", "web02")
    entries.command("create", "--name", "nightly", URL, PATH, made=[ID, OTHER_ID])
    entries.command("show", ID, OTHER_ID)
    entries.command("cancel", OTHER_ID)
    entries.command("files", "nightly", hosts=["web01"])
    _, show, cancel, files = entries.code()
    assert show == "%bits_show {job}"
    assert cancel.splitlines()[-1] == ("%bits_cancel {job_name} --host {hosts[1]} --yes")
    assert files == "%bits_files {job_name} --host {hosts[0]}"


def test_what_changed_just_what_was_made_here_says_so_on_however_many_hosts() -> None:
    entries = Entries("web01", "web02")
    entries.command("create", "--name", "nightly", URL, PATH, hosts=["web02"], made=[ID])
    done = {"host": "web02", "job_id": ID, "status": "done"}
    entries.command("complete", "nightly", outcomes=(done,))
    entries.command("complete", "nightly", outcomes=(done, {**done, "job_id": OTHER_ID}))
    assert entries.code()[1:] == ["%bits_complete {job}", "%bits_complete {job_name}"]


def test_a_name_that_the_url_gave_is_asked_of_the_job() -> None:
    entries = Entries("web01", "web02")
    made = [{"host": "web01", "job_id": ID, "job_name": "a.iso", "status": "done"}]
    entries.command("create", URL, PATH, outcomes=tuple(made))
    entries.command("show", "a.iso")
    assert entries.code()[1] == "%bits_show {job.jobs[0].name}"


def test_many_hosts_stand_one_a_line() -> None:
    hosts = [f"https://web{number:02}.corp.example:5986/wsman" for number in range(3)]
    entries = Entries(*hosts)
    entries.command("create", URL, PATH)
    assert defaults(entries)["hosts"] == hosts
    assert entries.parameters.splitlines()[0] == "hosts: list[str] = ["
    assert "]" in entries.parameters.splitlines()[4]


def test_two_jobs_are_two_variables() -> None:
    entries = Entries()
    entries.command("create", "--name", "a", URL, PATH, made=[ID])
    entries.command("create", "--name", "b", URL, PATH, made=[OTHER_ID])
    entries.command("cancel", "a")
    entries.command("cancel", OTHER_ID)
    first, second, *cancels = entries.code()
    assert (first.split()[-1], second.split()[-1]) == ("job", "job_2")
    assert [line.splitlines()[-1] for line in cancels] == [
        "%bits_cancel {job} --yes",
        "%bits_cancel {job_2} --yes",
    ]


def test_a_job_that_was_there_before_is_a_parameter() -> None:
    entries = Entries()
    entries.command("show", "nightly")
    entries.command("files", "nightly")
    assert defaults(entries)["existing_job"] == "nightly"
    assert entries.code() == ["%bits_show {existing_job}", "%bits_files {existing_job}"]


def test_a_name_that_happens_to_be_a_priority_changes_no_option() -> None:
    entries = Entries()
    entries.command("create", "--name", "high", "--priority", "high", URL, PATH, made=[ID])
    assert "--priority high" in entries.code()[0]


def test_other_hosts_than_the_usual_ones_are_said_with_the_command() -> None:
    entries = Entries("web01", "web02")
    entries.command("jobs")
    entries.command("jobs", "--state", "error")
    entries.command("create", URL, PATH, hosts=["web02"], made=[ID])
    entries.command("show", "x", hosts=["db01"])
    code = entries.code()
    assert code[2] == "%bits_create {url} {path} --host {hosts[1]}"
    assert code[3] == "%bits_show {existing_job} --host {other_host}"
    assert defaults(entries)["other_host"] == "db01"


def test_hosts_are_reached_and_logged_on_to_as_they_were() -> None:
    entries = Entries("web01", "web02")
    entries.mark(
        "hosts",
        hosts={
            "known": {
                "web01": {"as": "https://web01:5986/wsman", "options": ["--auth", "ntlm"]},
                "web02": {"as": "web02", "options": ["--user", "OPS\\ann"]},
                "db01": {"as": "db01:5986", "options": ["--auth", "basic"]},
            },
            "chosen": ["web01", "web02"],
        },
    )
    entries.command("jobs")
    entries.command("jobs", hosts=["db01"])
    assert defaults(entries)["other_host"] == "db01:5986"
    assert defaults(entries)["hosts"] == ["https://web01:5986/wsman", "web02"]
    assert cell_of(entries.notebook(), "setup")["source"].splitlines() == [
        "%load_ext bitsshell",
        "%bits_login {hosts[0]} --auth ntlm",
        r"%bits_login {hosts[1]} --user OPS\ann",
        "%bits_login {other_host} --auth basic",
        "%bits_use {hosts}",
    ]


def test_as_it_is_the_notebook_chooses_hosts_where_the_session_did() -> None:
    entries = Entries("web01", "web02")
    entries.command("use", "web01", "web02")
    entries.command("jobs")
    entries.command("use", "web02", hosts=["web02"])
    entries.command("doctor", "db01", hosts=["db01"])
    assert entries.code(is_clean=False) == [
        "%bits_use {hosts}",
        "%bits_jobs",
        "%bits_use {hosts[1]}",
        "%bits_doctor {other_host}",
    ]


def test_what_destroys_is_approved_first_and_asks_nobody_then() -> None:
    entries = Entries()
    entries.command("cancel", "nightly")
    notebook = entries.notebook()
    assert cell_of(notebook, "s01-cancel")["source"].splitlines() == [
        "%bits_approve s01-cancel 'Cancel the job {existing_job}?'",
        "%bits_cancel {existing_job} --yes",
    ]


def test_what_asked_a_person_is_approved_and_what_did_not_is_not() -> None:
    steps = [{"host": "web01", "job_id": ID}, {"host": "web02", "job_id": OTHER_ID}]
    entries = Entries("web01", "web02")
    entries.command("suspend", "night*", plan={"steps": steps})
    entries.command("resume", "night*", "--yes", plan={"steps": steps})
    entries.command("suspend", "nightly", hosts=["web01"], plan={"steps": steps[:1]})
    asked, agreed, single = entries.code()
    assert asked.splitlines() == [
        "%bits_approve s01-suspend 'Suspend the job {existing_job}?'",
        "%bits_suspend {existing_job} --yes",
    ]
    assert agreed == "%bits_resume {existing_job} --yes"
    assert single == "%bits_suspend {existing_job_2} --host {hosts[0]}"


def test_what_was_approved_in_the_recording_is_not_asked_for_twice() -> None:
    entries = Entries()
    entries.command("approve", "tidy", "Go on?")
    entries.command("cancel", "nightly", "--yes")
    assert entries.code() == [
        "%bits_approve tidy 'Go on?'",
        "%bits_cancel {existing_job} --yes",
    ]


def test_what_was_only_planned_stays_so() -> None:
    entries = Entries()
    entries.command("cancel", "nightly", is_what_if=True)
    assert entries.code() == ["%bits_cancel {existing_job} --what-if"]


def test_notes_are_prose_of_the_step_that_follows() -> None:
    entries = Entries()
    entries.note("The queue should be *empty*.")
    entries.command("jobs")
    entries.note("## Clean up")
    entries.command("jobs", "--state", "error")
    notebook = entries.notebook()
    first = cell_of(notebook, "s01-jobs-about")["source"]
    assert first.startswith("### 1. List the jobs\n\nThe queue should be *empty*.\n\n*Recorded at ")
    second = cell_of(notebook, "s02-jobs-about")["source"]
    assert second.startswith("## Clean up\n\n### 2. List the jobs\n\n*Recorded at ")


def test_outputs_are_those_of_the_recording() -> None:
    shown = {"text/plain": "0 jobs", "text/html": "<b>0</b>", "application/x.v1+json": {"a": 1}}
    entries = Entries()
    entries.command("jobs", output=shown)
    entries.command("doctor", output={"text/plain": "well"})
    notebook = entries.notebook()
    nbformat.validate(nbformat.from_dict(notebook))
    assert cell_of(notebook, "s01-jobs")["outputs"] == [
        {"output_type": "display_data", "metadata": {}, "data": shown}
    ]
    assert cell_of(notebook, "s02-doctor")["outputs"] == [
        {"output_type": "stream", "name": "stdout", "text": "well\n"}
    ]


def test_as_it_is_the_notebook_keeps_what_was_not_understood_with_its_error() -> None:
    entries = Entries()
    entries.refused("jobs --bogus {x}")
    entries.command("jobs")
    notebook = entries.notebook(is_clean=False)
    nbformat.validate(nbformat.from_dict(notebook))
    cell = cell_of(notebook, "s01-jobs")
    assert cell["source"] == "%bits jobs --bogus {{x}}"
    assert cell["outputs"][0]["output_type"] == "error"


def test_a_title_and_a_host_from_anywhere_are_text_and_no_markup() -> None:
    entries = Entries("web`01", title="<script>alert(1)</script> *x*")
    entries.command("jobs")
    title = cell_of(entries.notebook(), "title")["source"]
    assert "<script>" not in title
    assert r"\*x\*" in title
    assert "`` web`01 ``" in title.replace("``web`01``", "`` web`01 ``")


def test_what_was_masked_has_to_be_given_for_a_run() -> None:
    entries = Entries()
    entries.command("create", "http://***@files/a.iso", PATH, made=[ID])
    assert "url: str " in entries.parameters
    assert "***" not in entries.parameters
    assert [p.name for p in declared(entries.parameters) if p.is_required] == ["url"]


def test_an_option_of_which_something_was_masked_has_to_be_given_too() -> None:
    entries = Entries()
    entries.command("set", "nightly", "--description", "see http://***@wiki/")
    assert entries.code() == ["%bits_set {existing_job} --description {description}"]
    assert [p.name for p in declared(entries.parameters) if p.is_required] == ["description"]


def test_the_order_in_which_hosts_were_named_makes_no_other_hosts_of_them() -> None:
    entries = Entries("web01", "web02")
    entries.command("jobs")
    entries.command("doctor", hosts=["web02", "web01"])
    assert entries.code() == ["%bits_jobs", "%bits_doctor"]


def test_the_introduction_says_what_a_run_on_several_hosts_needs() -> None:
    def introduction(*words: str, **fields: Any) -> str:
        entries = Entries()
        entries.command(*words, made=[ID], **fields)
        return str(entries.notebook()["cells"][0]["source"])

    said = "On several hosts a change asks a person"
    assert said in introduction("create", URL, PATH)
    assert said not in introduction("create", URL, PATH, "--yes")
    assert said not in introduction("cancel", "old")  # which has an approval
    assert said not in introduction("create", URL, PATH, is_what_if=True)
    assert said not in introduction("jobs")


def test_the_own_check_finds_nothing_wrong_with_a_recorded_notebook() -> None:
    entries = Entries("web01", "web02")
    entries.command("jobs")
    entries.command("create", "--name", "it's x", URL, PATH, made=[ID, OTHER_ID])
    entries.command("wait", ID, OTHER_ID, "--timeout", "5m")
    entries.command("complete", "it's x")
    entries.command("cancel", "old", hosts=["web02"])
    (found,) = lint_cells(entries.notebook()["cells"])
    assert found.what.startswith("create asks a person (1 command after it too) where it is about")
    assert found.severity is Severity.WARNING


def test_the_own_check_finds_the_typo_that_was_kept() -> None:
    entries = Entries()
    entries.refused("jobs --bogus")
    findings = lint_cells(entries.notebook(is_clean=False)["cells"])
    assert [finding.severity for finding in findings] == [Severity.ERROR]


texts = st.text(min_size=1).filter(lambda text: not text.startswith("-") and "***" not in text)


@given(name=texts, description=st.text(), url=texts, path=texts)
def test_whatever_is_in_a_word_it_comes_back_through_the_magics_tokenizer(
    name: str, description: str, url: str, path: str
) -> None:
    entries = Entries()
    given_words = ["create", "--name", name, f"--description={description}", url, path]
    entries.command(*given_words, made=[ID])
    run = words_run(entries.code()[0], defaults(entries))
    assert sorted(parts_of(run), key=repr) == sorted(parts_of(given_words), key=repr)


@given(texts, texts)
def test_folders_that_are_shared_come_back_whole(first: str, second: str) -> None:
    pairs = [f"http://files/x/{first}", f"D:\\in\\{first}", f"http://files/x/{second}", second]
    entries = Entries()
    entries.command("create", *pairs, made=[ID])
    assert words_run(entries.code()[0], defaults(entries))[1:] == pairs


@given(st.text())
def test_a_literal_is_its_text_for_python(text: str) -> None:
    source = literal(text)
    assert "\n" not in source
    assert eval(source) == text


@pytest.mark.parametrize("word", ["D:\\in\\", "really?", "a;"])
def test_a_last_word_that_ipython_would_take_for_its_own_is_quoted(word: str) -> None:
    entries = Entries()
    entries.command("jobs", "--cols", word)
    source = entries.code()[0]
    assert source == f"%bits_jobs --cols '{word}'"
    assert not re.search(r"[\\;?]$", source)
