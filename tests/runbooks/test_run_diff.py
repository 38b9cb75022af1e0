"""`run --diff`: what is the same although its text is not, and what is different."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from test_run_evidence import made_entry, made_evidence, made_step

from bitsshell.results import Changed, Conclusion, Difference, Verdict
from bitsshell.runbooks.diff import diff, differences
from bitsshell.runbooks.evidence import NoEvidence, seal

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
OTHER = "33333333-3333-3333-3333-333333333333"


def outcome(host: str, job: str, **more: Any) -> dict[str, Any]:
    found = {"host": host, "job_id": job, "job_name": "pkg", "status": "done", "state": "SUSPENDED",
             "error": None}  # fmt: skip
    return {**found, **more}


def evidence_of(
    hosts: list[str],
    jobs: list[str],
    *,
    url: str = "http://a/x",
    verb: str = "create",
    **change: Any,
) -> dict[str, Any]:
    words = [word for host in hosts for word in ("--host", host)]
    create = made_entry(
        verb, *words, url, r"C:\in\x", hosts=hosts,
        outcomes=[outcome(host, job) for host, job in zip(hosts, jobs, strict=True)],
    )  # fmt: skip
    wait = made_entry("wait", *words, *jobs, hosts=hosts, effect="read")
    done = [
        {"host": host, "id": job, "state": "TRANSFERRED", "files_total": 1, "bytes_total": 38}
        for host, job in zip(hosts, jobs, strict=True)
    ]
    steps = [
        made_step("create", commands=[create]),
        made_step("wait", commands=[wait], jobs=done, elapsed_s=hash(url) % 50),
    ]
    evidence = made_evidence(*steps)
    evidence["begin"]["parameters"] = {"hosts": hosts, "url": url}
    evidence["end"]["where"] = [
        {"name": host, "endpoint": f"http://{host}/wsman", "auth": "basic", "transport": "HTTP",
         "has_answered": True}
        for host in hosts
    ]  # fmt: skip
    evidence.update(change)
    return evidence


def real(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    return [found for found in differences(before, after) if found.counts]


def test_a_run_is_the_same_as_itself() -> None:
    evidence = evidence_of(["web01"], [ONE])
    assert differences(evidence, evidence) == []


def test_other_hosts_jobs_and_urls_given_by_parameters_make_no_difference() -> None:
    before = evidence_of(["web01", "web02"], [ONE, TWO])
    after = evidence_of(["db01", "db02"], [TWO, OTHER], url="http://b/y")
    assert real(before, after) == []
    listed = [found.where for found in differences(before, after)]
    assert listed == ["hosts", "url"]


def test_one_host_and_two_are_the_same_when_each_did_the_same() -> None:
    before, after = evidence_of(["web01"], [ONE]), evidence_of(["a", "b"], [TWO, OTHER])
    assert [found.kind for found in real(before, after)] == []


def test_another_state_is_an_outcome() -> None:
    before = evidence_of(["web01"], [ONE], verb="add")
    after = evidence_of(["web01"], [TWO], verb="add")
    after["steps"][0]["commands"][0]["outcomes"][0]["state"] = "ERROR"
    (found,) = real(before, after)
    assert (found.kind, found.where) == (Changed.OUTCOME, "create")
    assert "SUSPENDED" in str(found.first)
    assert "ERROR" in str(found.second)


def test_another_error_code_is_an_outcome() -> None:
    before, after = evidence_of(["web01"], [ONE]), evidence_of(["web01"], [ONE])
    for evidence, code in ((before, 1), (after, 2)):
        evidence["steps"][0]["commands"][0]["outcomes"][0] |= {
            "status": "failed", "state": None, "error": {"type": "JobFailed", "code": code},
        }  # fmt: skip
    assert [found.kind for found in real(before, after)] == [Changed.OUTCOME]


def test_a_job_that_a_step_shows_in_another_state_is_an_outcome() -> None:
    before, after = evidence_of(["web01"], [ONE]), evidence_of(["web01"], [ONE])
    after["steps"][1]["jobs"][0] |= {"state": "ERROR", "error": "0x80190194"}
    (found,) = real(before, after)
    assert (found.where, found.what) == ("wait", "another state")
    assert str(found.second).endswith("ERROR 0x80190194")


@pytest.mark.parametrize(("first", "second"), [
    ("QUEUED", "TRANSFERRING"), ("CONNECTING", "TRANSFERRED"), ("TRANSFERRED", "QUEUED"),
])  # fmt: skip
def test_how_far_a_transfer_had_got_is_no_difference(first: str, second: str) -> None:
    before = evidence_of(["web01"], [ONE], verb="add")
    after = evidence_of(["web01"], [ONE], verb="add")
    before["steps"][0]["commands"][0]["outcomes"][0]["state"] = first
    after["steps"][0]["commands"][0]["outcomes"][0]["state"] = second
    assert real(before, after) == []


@pytest.mark.parametrize("verb", ["create", "resume"])
def test_a_failure_that_the_answer_to_a_create_or_resume_saw_already_is_none(verb: str) -> None:
    before = evidence_of(["web01"], [ONE], verb=verb)
    after = evidence_of(["web01"], [TWO], verb=verb)
    for evidence, job, state in ((before, ONE, "QUEUED"), (after, TWO, "ERROR")):
        create = evidence["steps"][0]
        create["commands"][0]["outcomes"][0]["state"] = state
        create["jobs"] = [{"host": "web01", "id": job, "state": state, "error": None}]
    after["steps"][0]["jobs"][0]["error"] = "0x80190194"
    assert real(before, after) == []
    for evidence in (before, after):  # what a step saw after a look of its own counts
        evidence["steps"][0]["commands"].append(made_entry("wait", effect="read"))
    assert [found.what for found in real(before, after)] == ["another state"]


def test_the_state_before_a_later_outcome_of_the_same_job_is_no_difference() -> None:
    before = evidence_of(["web01"], [ONE], verb="manage")
    after = evidence_of(["web01"], [TWO], verb="manage")
    for evidence, job, state in ((before, ONE, "QUEUED"), (after, TWO, "ERROR")):
        outcomes = evidence["steps"][0]["commands"][0]["outcomes"]
        outcomes[0]["state"] = state
        end = {"status": "failed", "state": "ERROR", "job_name": None, "error": {"code": 5}}
        outcomes.append(outcome("web01", job, **end))
    assert real(before, after) == []
    after["steps"][0]["commands"][0]["outcomes"][1]["error"]["code"] = 6
    assert [found.what for found in real(before, after)] == ["another outcome"]


def test_the_answer_that_a_transfer_made_its_job_tells_no_state() -> None:
    before = evidence_of(["web01"], [ONE], verb="transfer")
    after = evidence_of(["web01"], [TWO], verb="transfer")
    for evidence, state in ((before, "QUEUED"), (after, "ERROR")):
        made = {"state": state, "planned": "create job 'pkg': http://a/x -> C:\\in\\x, resume it"}
        evidence["steps"][0]["commands"][0]["outcomes"][0] |= made
    assert real(before, after) == []


def test_the_order_in_which_hosts_answer_is_no_difference() -> None:
    before = evidence_of(["web01", "web02"], [ONE, TWO])
    after = evidence_of(["web01", "web02"], [TWO, OTHER])
    after["steps"][0]["commands"][0]["outcomes"].reverse()
    wait = after["steps"][1]["commands"][0]
    wait["words"] = [*wait["words"][:-2], OTHER, TWO]
    after["steps"][1]["jobs"].reverse()
    assert real(before, after) == []
    for found in after["steps"][1]["jobs"]:
        found["state"] = "ERROR" if found["host"] == "web02" else found["state"]
    (difference,) = real(before, after)
    assert str(difference.second) == "web02 job#2 ERROR"


def test_jobs_of_one_host_are_numbered_by_name_and_those_of_a_later_step_behind() -> None:
    def run(*jobs: tuple[str, str]) -> dict[str, Any]:
        made = [outcome("web01", job, job_name=name) for job, name in jobs]
        later = [outcome("web01", "44444444-4444-4444-4444-444444444444", job_name="a")]
        words = [job for job, _ in jobs]
        return made_evidence(
            made_step("make", commands=[made_entry("create", outcomes=made)]),
            made_step("set", commands=[made_entry("set", *words, outcomes=later)]),
        )

    before, after = run((ONE, "b"), (TWO, "c")), run((OTHER, "c"), (ONE, "b"))
    assert real(before, after) == []
    assert real(before, run((ONE, "b"))) != []


def test_another_port_of_the_loopback_in_a_url_is_no_difference_and_another_host_is() -> None:
    def run(*urls: str) -> dict[str, Any]:
        entries = [made_entry("create", url) for url in urls]
        return made_evidence(made_step("create", commands=entries))

    before = run("http://127.0.0.1:4001/x", "http://127.0.0.1:4002/x")
    assert real(before, run("http://127.0.0.1:5001/x", "http://127.0.0.1:5002/x")) == []
    assert real(before, run("http://127.0.0.1:5001/x", "http://127.0.0.1:5001/x")) != []
    assert real(run("http://127.0.0.1:1/x"), run("http://127.0.0.1:1/y")) != []
    assert real(run("http://10.0.0.1:1/x"), run("http://10.0.0.1:2/x")) != []


def test_another_command_is_a_difference() -> None:
    before, after = evidence_of(["web01"], [ONE]), evidence_of(["web01"], [ONE])
    after["steps"][0]["commands"][0]["words"].append("--suspended")
    (found,) = real(before, after)
    assert found.kind is Changed.COMMAND
    assert str(found.second).endswith("--suspended")


def test_another_size_of_the_runs_own_job_is_a_difference_and_of_others_none() -> None:
    before, after = evidence_of(["web01"], [ONE]), evidence_of(["web01"], [ONE])
    somebodys = {"host": "web01", "id": OTHER, "state": "TRANSFERRED", "files_total": 9}
    after["steps"][1]["jobs"].append(somebodys)
    assert real(before, after) == []
    after["steps"][1]["jobs"][0]["bytes_total"] = 39
    assert [found.what for found in real(before, after)] == ["another size"]


def test_a_step_that_failed_was_added_or_is_missing_is_a_difference() -> None:
    before, after = evidence_of(["web01"], [ONE]), evidence_of(["web01"], [ONE])
    after["steps"][1]["status"] = "failed"
    after["steps"].append(made_step("more"))
    before["steps"].append(made_step("less"))
    assert [(found.kind, found.where) for found in real(before, after)] == [
        (Changed.STATUS, "wait"),
        (Changed.MISSING, "less"),
        (Changed.ADDED, "more"),
    ]


def test_a_check_that_is_not_met_any_more_is_a_difference_and_what_it_saw_is_none() -> None:
    before, after = evidence_of(["web01"], [ONE]), evidence_of(["web01"], [ONE])
    check = {"label": "state = transferred", "is_met": True, "observed": "x", "host": "web01"}
    before["steps"][1]["checks"] = [check]
    after["steps"][1]["checks"] = [{**check, "observed": "y"}]
    assert real(before, after) == []
    after["steps"][1]["checks"] = [{**check, "is_met": False}]
    assert [found.kind for found in real(before, after)] == [Changed.CHECK]


def test_an_edited_source_with_the_same_commands_is_listed_and_makes_none() -> None:
    before, after = evidence_of(["web01"], [ONE]), evidence_of(["web01"], [ONE])
    after["steps"][0]["source"] += "  # a comment"
    (found,) = differences(before, after)
    assert not found.counts


def test_a_what_if_and_a_run_that_was_cut_off_are_not_the_same_as_a_run() -> None:
    before = evidence_of(["web01"], [ONE])
    planned = copy.deepcopy(before)
    planned["begin"]["mode"] = "what-if"
    assert [found.what for found in real(before, planned)] == ["another mode"]
    assert [found.what for found in real(before, {**before, "end": None})] == [
        "the second was cut off"
    ]


def written(path: Path, evidence: dict[str, Any]) -> Path:
    path.mkdir()
    (path / "evidence.json").write_text(json.dumps(seal(evidence)))
    return path


def test_the_verdict_says_same_plainly_or_counts(tmp_path: Path) -> None:
    first = written(tmp_path / "a", evidence_of(["web01"], [ONE]))
    second = written(tmp_path / "b", evidence_of(["db01"], [TWO]))
    *_, conclusion = diff(first, second)
    assert isinstance(conclusion, Conclusion)
    assert conclusion.verdict is Verdict.WELL
    assert conclusion.lines[0].startswith("same: 2 steps")
    worse = evidence_of(["db01"], [TWO])
    worse["steps"][0]["status"] = "failed"
    *_, conclusion = diff(first, written(tmp_path / "c", worse))
    assert isinstance(conclusion, Conclusion)
    assert conclusion.verdict is Verdict.SOME_FAILED
    assert conclusion.lines == ("different: 1 difference in 1 place",)


def test_what_is_no_evidence_is_not_compared(tmp_path: Path) -> None:
    with pytest.raises(NoEvidence):
        list(diff(tmp_path, tmp_path))
