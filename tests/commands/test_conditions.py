"""`check` and `approve` as they are typed, on practice hosts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bitsshell import run_context
from bitsshell.journal import EntryKind
from bitsshell.run_context import RunContext

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Console, Site


@pytest.fixture
def console(site: Site) -> Console:
    console = site.console(2)
    for host in site.hosts[:2]:
        made = console(rf"create {site.url} C:\in\a.txt --name pkg --suspended -H {host.name}")
        assert made.code == 0, made.err
    return console


def test_conditions_that_hold_on_every_host_give_zero(console: Console) -> None:
    ran = console("check pkg --that 'state = suspended' --that 'files = 1'")
    assert ran.code == 0, ran.err
    assert "4 checks, all met" in ran.out


def test_every_condition_is_looked_at_before_it_fails_with_four(console: Console) -> None:
    ran = console("check pkg --that 'state = transferred' --that 'files = 1' -o json")
    assert ran.code == 4
    assert [(row["condition"], row["met"]) for row in ran.records] == [
        ("state = transferred", False),
        ("files = 1", True),
    ] * 2
    assert ran.records[0]["observed"] == "state is SUSPENDED"
    assert {row["job_name"] for row in ran.records} == {"pkg"}


def test_a_table_shows_what_is_not_met(console: Console) -> None:
    ran = console("check pkg --that 'state = transferred'")
    assert ran.code == 4
    assert "NO" in ran.out
    assert "state is SUSPENDED" in ran.out
    assert "2 checks: 2 not met" in ran.out


def test_none_holds_where_there_is_no_such_job(console: Console) -> None:
    assert console("check --that 'state = error' --none").code == 0
    assert console("check nothing-of-that-name --none").code == 0
    ran = console("check pkg --none -o json")
    assert ran.code == 4
    assert ran.records[0]["observed"] == "1 job: 'pkg'"


@pytest.mark.parametrize(
    ("count", "code"), [("1", 0), (">=1", 0), ("<5", 0), ("0", 4), ("!=1", 4), (">1", 4)]
)
def test_jobs_are_counted_on_each_host(console: Console, count: str, code: int) -> None:
    assert console(f"check 'pk*' --count '{count}'").code == code


def test_a_job_that_is_not_there_is_no_unmet_condition(console: Console) -> None:
    assert console("check nothing --that 'state = error'").code == 2


def test_a_host_that_does_not_answer_is_a_failure_beside_the_checks(console: Console) -> None:
    console.add_host("gone", "http://127.0.0.1:1/wsman")
    ran = console("check pkg --that 'state = suspended'")
    assert ran.code == 1
    assert "2 checks, all met" in ran.out
    assert "gone: nothing listens" in ran.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("check pkg", "there is nothing to check"),
        ("check pkg --that 'stat = x'", "--that: 'stat' is no field"),
        ("check pkg --that 'size >'", "--that: a value is missing"),
        ("check pkg --none --count 1", "exclude each other"),
        ("check pkg --count many", "is no number of jobs"),
    ],
)
def test_what_is_not_understood_says_so_in_the_words_of_the_option(
    console: Console, line: str, said: str
) -> None:
    ran = console(line)
    assert ran.code == 2
    assert said in ran.err
    assert "--where" not in ran.err


def test_a_check_is_in_the_journal_with_what_it_saw(console: Console) -> None:
    console("check pkg --that 'state = error'")
    entry = console.session.journal.entries()[-1]
    assert entry.kind is EntryKind.CHECK
    assert entry.data is not None
    assert entry.data["checks"][0]["observed"] == "state is SUSPENDED"


def test_a_person_who_types_a_name_approves(site: Site) -> None:
    console = site.console(answers=["Maria"])
    ran = console('approve go "Replace it on all hosts?"')
    assert ran.code == 0
    assert ran.out == "approved: go, claimed by Maria, run by tester\n"
    (question,) = console.asked
    assert "approval go: Replace it on all hosts?" in question
    entry = console.session.journal.entries()[-1]
    assert entry.kind is EntryKind.APPROVAL
    assert entry.data is not None
    assert (entry.data["claimed_by"], entry.data["is_given"]) == ("Maria", True)


@pytest.mark.parametrize("answers", [[""], ["   "], []])
def test_nothing_typed_is_a_no(site: Site, answers: list[str]) -> None:
    ran = site.console(answers=answers)("approve go")
    assert ran.code == 5
    assert "nothing was sent" in ran.err


def test_where_nobody_can_be_asked_it_stops_with_five(site: Site) -> None:
    ran = site.console()("approve go 'Really?'")
    assert ran.code == 5
    assert "the approval 'go' is missing, and nobody can be asked (Really?)" in ran.err
    assert "--approve go=WHO" in ran.err


def in_run(monkeypatch: pytest.MonkeyPatch, folder: Path, context: RunContext) -> Path:
    path = folder / "run.json"
    run_context.write(path, context)
    monkeypatch.setenv(run_context.VARIABLE, str(path))
    return path


def test_in_a_run_the_runners_approval_counts_and_no_other(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = in_run(monkeypatch, tmp_path, RunContext("r", approvals={"go": "Maria"}, step="s1"))
    console = site.console(answers=["Mallory"])
    assert "claimed by Maria" in console("approve go").out
    assert console("approve other").code == 5
    assert console.asked == []
    (fact,) = run_context.facts(path)
    assert (fact["kind"], fact["name"], fact["claimed_by"]) == ("approval", "go", "Maria")


def test_a_what_if_run_holds_for_every_session_in_it_and_cannot_be_lifted(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_run(monkeypatch, tmp_path, RunContext("r", what_if=True))
    console = site.console()
    assert console("whatif off").code == 2
    assert console(rf"create {site.url} C:\in\a.txt").code == 0
    assert "would be asked for" in console("approve go").err
    assert site.host.jobs() == ()


def test_what_is_left_of_a_run_that_is_over_may_only_plan(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(run_context.VARIABLE, str(tmp_path / "gone.json"))
    console = site.console()
    assert console(rf"create {site.url} C:\in\a.txt").code == 0
    assert site.host.jobs() == ()


def test_facts_survive_a_line_that_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = in_run(monkeypatch, tmp_path, RunContext("r"))
    run_context.tell("check", label="a")
    facts = path.with_name(run_context.FACTS_NAME)
    facts.write_text(facts.read_text() + '{"kind": "che')
    assert [fact["label"] for fact in run_context.facts(path)] == ["a"]
    assert json.loads(path.read_text())["run"] == "r"
