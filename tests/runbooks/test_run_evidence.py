"""Evidence on disk: the chain, verifying, folders that will not do, the report, JUnit, secrets."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bitsshell import __version__, known_secrets
from bitsshell.known_secrets import KnownSecrets
from bitsshell.results import CheckState, Conclusion, Outcome, Verdict
from bitsshell.runbooks.diff import diff
from bitsshell.runbooks.evidence import (
    EvidenceFolder,
    NoEvidence,
    NotKept,
    prepared,
    read_evidence,
    sha256_of,
    verify,
)
from bitsshell.runbooks.junit import junit_text
from bitsshell.runbooks.report import report_page


def made_step(name: str, status: str = "ok", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "number": 1,
        "title": f"Step {name}",
        "effect": "change",
        "status": status,
        "began": "2026-11-22T15:56:40.205Z",
        "elapsed_s": 1.5,
        "note": "",
        "error": None,
        "source": "%bits_resume pkg",
        "commands": [],
        "checks": [],
        "approvals": [],
        "jobs": [],
        "shown": [],
        **more,
    }


def made_entry(*words: str, **more: Any) -> dict[str, Any]:
    return {
        "number": 3,
        "session": "s",
        "at": "2026-11-22T15:56:40Z",
        "kind": "command",
        "ended": "well",
        "words": list(words),
        "hosts": ["web01"],
        "effect": "change",
        "is_what_if": False,
        "plan": None,
        "outcomes": [],
        "summary": None,
        "error": None,
        "data": None,
        **more,
    }


def made_evidence(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "begin": {
            "run": "r",
            "mode": "run",
            "notebook": {"name": "a.ipynb", "title": "Deploy", "sha256": "0" * 64, "git": None},
            "who": {"os_user": "maria", "machine": "desk"},
            "when": {"began": "2026-11-22T15:56:40.205Z"},
            "parameters": {"hosts": ["web01"]},
            "given": ["hosts"],
            "versions": {"bitsshell": __version__},
            "kernel": {"python": "python", "transport": "IPC"},
        },
        "steps": list(steps),
        "end": {
            "when": {"ended": "2026-11-22T15:57:40Z", "elapsed_s": 60.0},
            "verdict": {"exit_code": 0, "name": "well"},
            "note": "",
            "where": [],
            "journal": {"sessions": []},
            "files": {},
        },
        **more,
    }


@pytest.fixture
def folder(tmp_path: Path) -> EvidenceFolder:
    """Evidence as a run leaves it, with an executed notebook."""
    made = EvidenceFolder(tmp_path)
    made.write("executed.ipynb", "{}")
    evidence = made_evidence(made_step("a", commands=[made_entry("resume", "pkg")]), made_step("b"))
    evidence["end"]["files"] = {"executed.ipynb": sha256_of(tmp_path / "executed.ipynb")}
    made.write_evidence(evidence)
    made.write_report()
    return made


def verified(folder: EvidenceFolder) -> tuple[Verdict, dict[str, CheckState]]:
    events = list(verify(folder.path))
    (conclusion,) = [event for event in events if isinstance(event, Conclusion)]
    checks = [event.value for event in events if isinstance(event, Outcome)]
    return conclusion.verdict, {check.name: check.state for check in checks}


def test_evidence_that_nobody_touched_is_as_it_was_written(folder: EvidenceFolder) -> None:
    verdict, checks = verified(folder)
    assert verdict is Verdict.WELL
    assert set(checks) == {"chain", "executed.ipynb", "report.html"}
    assert set(checks.values()) == {CheckState.OK}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("begin", "who", "os_user"), "somebody"),
        (("steps", 0, "status"), "failed"),
        (("steps", 0, "commands", 0, "words"), ["cancel"]),
        (("steps", 1, "title"), "Another"),
        (("end", "verdict", "exit_code"), 1),
        (("chain", "root"), "0" * 64),
        (("chain", "links"), []),
        (("chain", "links", 0, "more"), "x"),
        (("chain", "algorithm"), "MD5"),
        (("chain", "more"), "x"),
        (("approved_by",), "somebody"),
    ],
)
def test_every_change_to_the_evidence_breaks_the_chain(
    folder: EvidenceFolder, path: tuple[Any, ...], value: Any
) -> None:
    evidence = read_evidence(folder.path)
    place: Any = evidence
    for key in path[:-1]:
        place = place[key]
    assert path[-1] not in place or place[path[-1]] != value
    place[path[-1]] = value
    folder.write("evidence.json", json.dumps(evidence))
    verdict, checks = verified(folder)
    assert verdict is Verdict.SOME_FAILED
    assert checks["chain"] is CheckState.FAILED


def test_a_step_that_was_taken_out_breaks_the_chain(folder: EvidenceFolder) -> None:
    evidence = read_evidence(folder.path)
    del evidence["steps"][0]
    folder.write("evidence.json", json.dumps(evidence))
    assert verified(folder)[0] is Verdict.SOME_FAILED


@pytest.mark.parametrize("name", ["executed.ipynb", "report.html"])
def test_a_file_that_was_changed_is_named(folder: EvidenceFolder, name: str) -> None:
    with (folder.path / name).open("a") as opened:
        opened.write(" ")
    verdict, checks = verified(folder)
    assert verdict is Verdict.SOME_FAILED
    assert [other for other, state in checks.items() if state is CheckState.FAILED] == [name]


@pytest.mark.parametrize("name", ["executed.ipynb", "report.html"])
def test_a_file_that_is_gone_is_a_failure(folder: EvidenceFolder, name: str) -> None:
    (folder.path / name).unlink()
    verdict, checks = verified(folder)
    assert verdict is Verdict.SOME_FAILED
    assert [other for other, state in checks.items() if state is CheckState.FAILED] == [name]


def test_a_run_that_was_cut_off_has_no_report_to_miss(tmp_path: Path) -> None:
    cut_off = EvidenceFolder(tmp_path)
    cut_off.write_evidence(made_evidence(made_step("a"), end=None))
    assert verified(cut_off) == (Verdict.WELL, {"chain": CheckState.OK})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("begin",), {}),
        (("begin", "versions"), None),
        (("begin", "notebook", "title"), 3),
        (("begin", "parameters"), ["url"]),
        (("steps",), ["x"]),
        (("steps",), {}),
        (("steps", 0, "commands"), [None]),
        (("steps", 0, "commands", 0, "outcomes"), [{"error": "x"}]),
        (("steps", 0, "elapsed_s"), "soon"),
        (("steps", 0, "elapsed_s"), float("inf")),
        (("steps", 0, "elapsed_s"), 10**400),
        (("steps", 0, "checks"), [{"label": "a"}]),
        (("steps", 1, "shown"), 3),
        (("end",), "x"),
        (("end", "files"), []),
        (("end", "where"), [{"name": "web01"}]),
        (("chain",), None),
        (("chain", "links"), "abc"),
        (("chain", "links"), [None]),
        (("chain", "links", 0, "hash"), 3),
        (("chain", "root"), None),
    ],
)
def test_evidence_of_another_form_is_damaged_and_says_so(
    folder: EvidenceFolder, path: tuple[Any, ...], value: Any
) -> None:
    evidence = read_evidence(folder.path)
    place: Any = evidence
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    folder.write("evidence.json", json.dumps(evidence))
    with pytest.raises(NoEvidence, match="is damaged"):
        list(verify(folder.path))
    with pytest.raises(NoEvidence, match="is damaged"):
        list(diff(folder.path, folder.path))


def test_a_name_of_a_file_that_cannot_be_one_is_a_failure(folder: EvidenceFolder) -> None:
    evidence = read_evidence(folder.path)
    evidence["end"]["files"]["a\0b"] = "0" * 64
    folder.write("evidence.json", json.dumps(evidence))
    assert verified(folder)[1]["a\0b"] is CheckState.FAILED


@pytest.mark.parametrize("content", [None, "x", "[]", '{"format": "other"}', "[" * 100_000])
def test_a_folder_without_evidence_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "evidence.json").write_text(content)
    with pytest.raises(NoEvidence):
        list(verify(tmp_path))


# Folders


def test_a_folder_with_other_things_in_it_is_refused_and_stays(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("x")
    with pytest.raises(NoEvidence, match="not empty"):
        prepared(tmp_path, Path("a.ipynb"))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_the_folder_of_the_notebook_itself_is_refused(folder: EvidenceFolder) -> None:
    with pytest.raises(NoEvidence, match="where the notebook itself is"):
        prepared(folder.path, folder.path / "executed.ipynb")


def test_a_file_is_no_folder_for_evidence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NoEvidence, match="cannot be written"):
        prepared(tmp_path / "file", Path("a.ipynb"))


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a folder nobody may write to")
def test_a_folder_that_cannot_be_written_to_is_named_before_anything_starts() -> None:
    with pytest.raises(NoEvidence, match="nothing was run"):
        prepared(Path("/proc/evidence"), Path("a.ipynb"))


def test_evidence_that_cannot_be_written_any_more_says_so(tmp_path: Path) -> None:
    gone = EvidenceFolder(tmp_path / "gone")
    with pytest.raises(NotKept, match="cannot be written"):
        gone.write("evidence.json", "{}")


# The report and JUnit


NASTY = "<script>alert(1)</script>&\"'\x1b[31m\u202egpj.exe\x00\ud800"


class _Parsed(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.extend((name, value or "") for name, value in attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def nasty_evidence() -> dict[str, Any]:
    error = {"type": NASTY, "lines": [NASTY]}
    outcome = {"host": NASTY, "job_name": NASTY, "status": "failed", "state": NASTY,
               "error": {"message": NASTY}}  # fmt: skip
    entry = made_entry(NASTY, outcomes=[outcome])
    check = {"label": NASTY, "is_met": False, "observed": NASTY, "host": NASTY, "job_name": NASTY}
    approval = {"name": NASTY, "question": NASTY, "claimed_by": NASTY, "os_user": NASTY}
    step = made_step(
        NASTY, "failed", title=NASTY, error=error, commands=[entry], checks=[check],
        approvals=[approval], shown=[NASTY], source=NASTY, note=NASTY,
    )  # fmt: skip
    evidence = made_evidence(step)
    evidence["begin"]["notebook"]["title"] = NASTY
    evidence["begin"]["parameters"] = {"x": NASTY}
    evidence["end"]["where"] = [
        {"name": NASTY, "endpoint": NASTY, "user": NASTY, "auth": NASTY, "transport": NASTY,
         "has_answered": False}
    ]  # fmt: skip
    return evidence


def test_the_report_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    page = report_page(nasty_evidence())
    parsed = _Parsed(page)
    assert not parsed.tags & {"script", "style", "link", "img", "iframe", "object", "form", "svg"}
    assert not [name for name, _ in parsed.attributes if name.startswith("on") or name == "src"]
    assert not re.search(r"url\(|@import|https?:", page)
    assert "default-src 'none'" in page


def test_the_report_shows_nothing_that_acts() -> None:
    page = report_page(nasty_evidence())
    assert "<script>alert" not in page
    assert not re.search("[\x00-\x08\x1b\u202e\ud800]", page)
    assert "&lt;script&gt;alert(1)" in page
    page.encode("utf-8")


def test_the_report_says_what_was_not_met_and_who_approved() -> None:
    check = {"label": "size > 0", "is_met": False, "observed": "size is 0", "host": "web01"}
    approval = {"name": "go", "question": "Sure?", "claimed_by": "Maria", "os_user": "svc"}
    error = {"type": "CheckFailed", "lines": ["CheckFailed: 1 not met"]}
    step = made_step("a", "failed", checks=[check], approvals=[approval], error=error)
    texts = " ".join(_Parsed(report_page(made_evidence(step))).texts)
    for said in ("size is 0", "NOT met", "claimed by Maria, run by svc", "CheckFailed: 1 not met"):
        assert said in texts


def test_the_report_of_a_run_that_ended_well_counts_what_failed_in_it() -> None:
    failed = [{"host": host, "status": "failed"} for host in ("web02", "web03")]
    outcomes = [{"host": "web01", "status": "done"}, *failed]
    some = made_entry("transfer", ended="failed", outcomes=outcomes)
    no_outcome = made_entry("jobs", ended="failed", hosts=["web03"], effect="read")
    evidence = made_evidence(made_step("a", commands=[some, no_outcome, made_entry("resume")]))
    said = "2 commands failed on 2 hosts"
    assert said in _Parsed(report_page(evidence)).texts
    evidence["end"]["verdict"] = {"exit_code": 1, "name": "some failed"}
    assert said not in report_page(evidence)
    well = made_evidence(made_step("a", commands=[made_entry("resume")]))
    assert "failed" not in report_page(well)


def test_the_report_of_a_run_that_was_cut_off_says_so() -> None:
    evidence = made_evidence(made_step("a"), end=None)
    assert "not finished" in report_page(evidence)


def test_junit_counts_failures_and_skipped_steps_and_survives_any_text() -> None:
    evidence = nasty_evidence()
    evidence["steps"] += [made_step("b", "not run"), made_step("c", "timed out"), made_step("d")]
    suite = ET.fromstring(junit_text(evidence)).find("testsuite")
    assert suite is not None
    assert [suite.get(name) for name in ("tests", "failures", "skipped", "errors")] == [
        "4", "2", "1", "0",
    ]  # fmt: skip
    assert [case[0].tag if len(case) else "" for case in suite] == [
        "failure", "skipped", "failure", "",
    ]  # fmt: skip


# Secrets


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=4, max_size=20).filter(lambda text: text.strip() and text != "***"))
@example('quo"te\\back')
@example("<&>'")
@example("pass word")
@example("steps")
def test_a_known_secret_is_in_no_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    known = KnownSecrets()
    known.learn(secret)
    monkeypatch.setattr("bitsshell.concealed.scrub", known.scrub)
    words = f"a {secret} b"
    step = made_step(
        "a", "failed", note=words, shown=[words], source=words, title=words,
        error={"type": "RuntimeError", "lines": [words]},
        commands=[made_entry("set", secret, plan={"steps": [{"x": words}]}, is_what_if=True)],
        checks=[{"label": words, "is_met": False, "observed": words}],
    )  # fmt: skip
    folder = EvidenceFolder(tmp_path)
    folder.write_evidence(made_evidence(step))
    folder.write_report()
    kept = read_evidence(tmp_path)["steps"][0]
    for text in (kept["note"], kept["shown"][0], kept["source"], kept["title"],
                 kept["error"]["lines"][0], kept["commands"][0]["words"][1],
                 kept["checks"][0]["observed"]):  # fmt: skip
        assert text.replace(" ", "") in {"a***b", "***"}, text


@pytest.mark.parametrize(
    "secret", ["failed", "steps", "change", "run", "done", "well", "command", "2026", "status"]
)
def test_a_secret_that_is_a_word_of_ours_changes_no_status_and_no_name(
    tmp_path: Path, secret: str
) -> None:
    known_secrets.learn(secret)
    outcome = {"host": "web01", "job_name": secret, "status": "failed", "state": "ERROR"}
    step = made_step(
        "a", "failed", note=f"a {secret} b", error={"type": "E", "lines": [secret]},
        commands=[made_entry("resume", secret, outcomes=[outcome])],
    )  # fmt: skip
    evidence = made_evidence(step, made_step("b", "skipped"))
    evidence["begin"]["parameters"] = {"status": secret, "hosts": ["web01"]}
    folder = EvidenceFolder(tmp_path)
    folder.write_evidence(evidence)
    folder.write_report()
    kept = read_evidence(tmp_path)
    assert [(one["status"], one["effect"]) for one in kept["steps"]] == [
        ("failed", "change"),
        ("skipped", "change"),
    ]
    entry = kept["steps"][0]["commands"][0]
    assert (entry["kind"], entry["words"], entry["outcomes"][0]["job_name"]) == (
        "command",
        ["resume", "***"],
        "***",
    )
    assert kept["begin"]["when"] == evidence["begin"]["when"]
    assert kept["begin"]["parameters"] == {"status": "***", "hosts": ["web01"]}
    assert 'failures="1"' in junit_text(kept)
    assert "***" in (tmp_path / "report.html").read_text()


def test_what_looks_like_a_secret_in_a_url_is_in_no_evidence(tmp_path: Path) -> None:
    url = "https://ann:pass1234@files/a.iso?sig=abcdef&access_token=ghijkl"
    step = made_step("a", source=f"url = '{url}'", shown=[url], note=url)
    folder = EvidenceFolder(tmp_path)
    folder.write_evidence(made_evidence(step))
    folder.write_report()
    for path in tmp_path.iterdir():
        for secret in ("pass1234", "abcdef", "ghijkl"):
            assert secret not in path.read_text(), path


def test_the_password_of_the_environment_is_known_to_the_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITSSHELL_PASSWORD", "correct horse battery")
    known_secrets.learn(os.environ["BITSSHELL_PASSWORD"])
    folder = EvidenceFolder(tmp_path)
    folder.write_evidence(made_evidence(made_step("a", shown=["correct horse battery"])))
    folder.write_report()
    for path in tmp_path.iterdir():
        assert "horse" not in path.read_text()
