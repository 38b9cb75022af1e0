"""`run --diff` of runs on several hosts, whose commands name them by a range, and of bad ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from test_run_diff import ONE, OTHER, TWO, evidence_of, outcome, real
from test_run_evidence import made_entry, made_evidence, made_step

from bitsshell.runbooks.diff import diff
from bitsshell.runbooks.evidence import NoEvidence, seal

if TYPE_CHECKING:
    from pathlib import Path


def run_on(hosts: list[str], *words: str, choice: list[str] | None = None) -> dict[str, Any]:
    """A run whose create names its hosts by canonical words, and whose setup names each."""
    jobs = [ONE, TWO, OTHER][: len(hosts)]
    outcomes = [outcome(host, job) for host, job in zip(hosts, jobs, strict=True)]
    evidence = made_evidence(
        made_step("setup", commands=[made_entry("use", *(choice or hosts), hosts=[])]),
        made_step(
            "create", commands=[made_entry("create", *words, hosts=hosts, outcomes=outcomes)]
        ),
    )
    evidence["begin"]["parameters"] = {"hosts": hosts}
    evidence["end"]["where"] = []
    return evidence


@pytest.mark.parametrize(("hosts", "words"), [
    (["q1", "q2"], ("--host", "q[1-2]")),
    (["p2", "p3"], ("--host", "p[2-3]")),
    (["q1", "q3"], ("--host", "q[1,3]")),
    (["web01.example", "web02.example"], ("--host", "web[01-02].example")),
    (["q1", "db.example"], ("--host", "q1", "--host", "db.example")),
    (["db.example", "q1"], ("--host", "q1", "--host", "db.example")),
    (["q1"], ("--host", "q1")),
    (["q1", "q2", "q3"], ("--host", "q[1-3]")),
])  # fmt: skip
def test_a_range_of_other_hosts_is_no_difference(hosts: list[str], words: tuple[str, ...]) -> None:
    before = run_on(["p1", "p2"], "--host", "p[1-2]", "http://a/x")
    assert real(before, run_on(hosts, *words, "http://a/x")) == []


def test_a_range_of_fewer_of_the_runs_hosts_is_a_difference() -> None:
    before = run_on(["p1", "p2", "p3"], "--host", "p[1-3]", "http://a/x")
    after = run_on(["q1", "q2", "q3"], "--host", "q[1-2]", "http://a/x")
    (found,) = real(before, after)
    assert found.first == "create --host host#1 --host host#2 --host host#3 http://a/x"
    assert found.second == "create --host host#1 --host host#2 http://a/x"


def test_hosts_that_a_verb_takes_as_arguments_may_be_a_range_too() -> None:
    words = ("--host", "p[1-2]", "http://a/x")
    before = run_on(["p1", "p2"], *words, choice=["p[1-2]"])
    after = run_on(["q7", "q9"], "--host", "q[7,9]", "http://a/x", choice=["q7", "q9"])
    assert real(before, after) == []


def test_brackets_that_are_no_range_of_hosts_stay_what_they_are() -> None:
    def run(*hosts: str, name: str) -> dict[str, Any]:
        words = [word for host in hosts for word in ("--host", host)]
        return run_on(list(hosts), *words, "--name", name, "http://a/x")

    assert real(run("p1", name="n[1-2]"), run("q1", name="n[1-2]")) == []
    assert len(real(run("p1", name="n[1-2]"), run("q1", name="n[1-3]"))) == 1
    assert len(real(run("p1", name="n[x"), run("q1", name="n[]"))) == 1


@pytest.mark.parametrize(("where", "value"), [
    (("steps",), ["x"]),
    (("steps", 0, "commands"), ["x"]),
    (("steps", 0, "checks"), ["x"]),
    (("steps", 0, "commands", 0, "outcomes"), ["x"]),
    (("steps", 0, "error"), "x"),
    (("steps", 0, "commands", 0, "outcomes", 0, "error"), "x"),
    (("begin", "notebook", "git"), "x"),
    (("begin", "parameters"), ["x"]),
    (("end", "where"), "x"),
])  # fmt: skip
def test_evidence_of_another_form_is_said_to_be_damaged(
    tmp_path: Path, where: tuple[str | int, ...], value: Any
) -> None:
    good, bad = seal(evidence_of(["web01"], [ONE])), seal(evidence_of(["web01"], [ONE]))
    inner: Any = bad
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    for name, evidence in (("good", good), ("bad", bad)):
        (tmp_path / name).write_text(json.dumps(evidence))
    with pytest.raises(NoEvidence, match="damaged"):
        list(diff(tmp_path / "good", tmp_path / "bad"))


def test_anything_may_stand_where_the_form_says_nothing() -> None:
    before, after = evidence_of(["web01"], [ONE]), evidence_of(["web01"], [ONE])
    after["steps"][1]["jobs"] = [{"host": [], "id": ONE, "state": ["x"], "error": {}}]
    after["steps"][0]["commands"][0]["words"] = ["--host", "--host"]
    assert {found.where for found in real(before, after)} == {"create", "wait"}
