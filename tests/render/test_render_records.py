"""Records: their keys are a promise, their texts are unchanged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_things import NOW, any_text, filetime, hostile_job, make_job, make_job_error

from bitsshell.bits import (
    ChangeState,
    CreateJob,
    FileSpec,
    Job,
    JobAction,
    JobDetail,
    JobGone,
    JobState,
    Priority,
    explain,
)
from bitsshell.render import records
from bitsshell.render.printer import json_text
from bitsshell.results import (
    Ending,
    HostStatus,
    JobChange,
    Outcome,
    Plan,
    Status,
    Step,
    Summary,
    View,
)


def test_a_job_record_has_the_promised_keys_in_the_promised_order() -> None:
    assert list(records.job_record(make_job())) == [
        "host", "id", "name", "description", "reference", "state", "priority", "owner",
        "created", "modified", "completed", "bytes_total", "bytes_transferred", "files_total",
        "files_transferred", "error_count", "minimum_retry_delay_s", "no_progress_timeout_s",
        "files",
    ]  # fmt: skip


def test_a_job_record_says_null_for_what_is_not_known() -> None:
    record = records.job_record(Job(host="srv01", id="X", created_filetime=filetime(NOW)))
    assert record["created"] == "2026-11-22T12:30:04Z"
    unknown = ("completed", "modified", "bytes_total", "owner", "reference")
    assert all(record[key] is None for key in unknown)


def test_numbers_that_no_version_knows_keep_their_number() -> None:
    record = records.job_record(make_job(state=JobState(99), priority=Priority(7)))
    assert (record["state"], record["priority"]) == ("UNKNOWN_99", "UNKNOWN_7")


@given(any_text)
def test_json_carries_every_text_unchanged_and_is_safe_to_show_and_write(text: str) -> None:
    record = records.job_record(hostile_job(text))
    written = json_text(record)
    assert json.loads(written)["name"] == text
    assert json.loads(written)["files"][0]["url"] == text
    assert len(written.splitlines()) == 1
    written.encode("utf-8")
    assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in written)


def test_json_does_not_escape_what_needs_no_escape() -> None:
    assert json_text({"name": "Übertragung 日本語 👍"}) == '{"name": "Übertragung 日本語 👍"}'


def test_a_job_error_is_explained() -> None:
    record = records.job_error_record(make_job_error("No encontrado"))
    assert record["hex"] == "0x80190194"
    assert record["code"] == 0x80190194
    assert record["symbol"] == "BG_E_HTTP_ERROR_404"
    assert record["meaning"]
    assert record["remedy"]
    assert record["context"] == "REMOTE_FILE"
    assert record["description"] == "No encontrado"


def test_a_detail_is_a_job_with_its_error() -> None:
    record = records.detail_record(JobDetail(make_job(), make_job_error()))
    assert record["name"] == "nightly 1"
    assert record["error"]["hex"] == "0x80190194"
    assert records.detail_record(JobDetail(make_job()))["error"] is None


def test_an_exception_has_type_message_hint_and_code() -> None:
    record = records.exception_record(JobGone(host="srv01", job="nightly"))
    assert record["type"] == "JobGone"
    assert record["message"] == "the job is not there (any more)"
    assert record["hint"]
    assert record["host"] == "srv01"
    assert record["code"] is None


@pytest.mark.parametrize(
    ("before", "after", "event", "state", "previous"),
    [
        (None, JobState.QUEUED, "appeared", "QUEUED", None),
        (JobState.QUEUED, JobState.ERROR, "state", "ERROR", "QUEUED"),
        (JobState.TRANSFERRING, JobState.TRANSFERRING, "progress", "TRANSFERRING", "TRANSFERRING"),
        (JobState.TRANSFERRED, None, "left", None, "TRANSFERRED"),
    ],
)
def test_a_change_says_what_is_different(
    before: JobState | None,
    after: JobState | None,
    event: str,
    state: str | None,
    previous: str | None,
) -> None:
    change = JobChange(
        at=NOW,
        host="srv01",
        job_id="X",
        before=None if before is None else make_job(state=before),
        after=None if after is None else make_job(state=after),
    )
    record = records.change_record(change, 1234.5)
    assert record["event"] == event
    assert record["at"] == "2026-11-22T12:30:04Z"
    assert (record["state"], record["previous_state"]) == (state, previous)
    assert record["name"] == "nightly 1"
    assert record["bytes_transferred"] == 1_000_000
    assert record["rate_bytes_s"] == 1234


def test_a_change_outcome_is_the_job_with_its_status() -> None:
    outcome = Outcome(host="srv01", status=Status.ALREADY, value=make_job(), warning=0x00200016)
    (record,) = records.outcome_records(outcome, View.CHANGES)
    assert record["id"] == make_job().id
    assert record["status"] == "already"
    assert record["warning"]["hex"] == "0x00200016"


def test_a_change_without_a_job_still_says_which_and_how() -> None:
    outcome = Outcome(host="srv01", job_id="X")
    assert records.outcome_records(outcome, View.CHANGES) == [
        {"host": "srv01", "id": "X", "status": "done", "warning": None}
    ]


def test_files_are_listed_one_by_one_with_their_job() -> None:
    (record,) = records.outcome_records(Outcome(host="srv01", value=make_job()), View.FILES)
    assert record["job_name"] == "nightly 1"
    assert record["index"] == 1
    assert record["path"] == "C:\\in\\a.bin"
    assert record["completed"] is False


def test_a_plan_is_its_steps_and_what_stands_already() -> None:
    create = CreateJob(name="n", files=(FileSpec("http://f/a", "C:\\a.bin"),), reference="R" * 10)
    plan = Plan(
        "create",
        (Step("srv01", create), Step("srv02", ChangeState("X", JobAction.CANCEL))),
        found=(
            Outcome(host="srv03", status=Status.ALREADY, job_id="Y", planned="resume"),
            Outcome(host="srv04", status=Status.FAILED, error=JobGone(host="srv04")),
        ),
    )
    found = records.plan_records(plan)
    assert [record["status"] for record in found] == ["planned", "planned", "already"]
    assert [record["effect"] for record in found] == ["change", "destroy", "read"]
    assert [record["operation"] for record in found] == ["CreateJob", "ChangeState", None]
    assert found[0]["job_id"] is None
    assert "http://f/a" in found[0]["description"]


def test_the_other_records_are_ready_for_json() -> None:
    host = HostStatus(name="srv01", endpoint="http://srv01:5985/wsman", auth="ntlm", jobs=3)
    assert records.item_record(host)["jobs"] == 3
    assert records.item_record(explain(0x80200010))["hex"] == "0x80200010"
    summary = Summary(verb="jobs", ending=Ending.TIME_LIMIT, well=2, elapsed_s=1.23456)
    assert records.summary_record(summary) == {
        "verb": "jobs", "ending": "time limit", "well": 2, "failed": 0, "not_sent": 0,
        "unknown": 0, "unmet": 0, "elapsed_s": 1.235,
    }  # fmt: skip
    json.dumps([records.item_record(host), records.summary_record(summary)])


@given(st.recursive(any_text, lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_any_structure_survives_json(value: object) -> None:
    assert json.loads(json_text(value)) == value
