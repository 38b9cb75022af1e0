"""Answers as values: sequences that are looked up, chosen from and turned into other things."""

from __future__ import annotations

import csv
import io
import json
import pickle
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bitsshell.api import (
    Answer,
    BitsUsageError,
    Diagnosis,
    FileSet,
    HostSet,
    Job,
    JobSet,
    LookupFailed,
    NotInstalled,
    Outcomes,
    Plot,
    Samples,
    WatchResult,
)
from bitsshell.api.sets import answer_of
from bitsshell.api.timeline import Timeline
from bitsshell.bits import (
    ErrorContext,
    JobDetail,
    JobError,
    JobFile,
    JobList,
    JobState,
    Priority,
    explain,
)
from bitsshell.bits import Job as BitsJob
from bitsshell.errors import BitsShellError
from bitsshell.known_secrets import learn
from bitsshell.render import REPORT_MIME_TYPE
from bitsshell.results import (
    Begin,
    Event,
    Frame,
    HostStatus,
    Outcome,
    Report,
    Status,
    Summary,
    View,
    WatchRow,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EVIL = "<script>alert(1)</script>"


def job(number: int = 1, host: str = "web01", **more: Any) -> BitsJob:
    settings: dict[str, Any] = {
        "name": f"job{number}",
        "state": JobState.TRANSFERRING,
        "bytes_total": 4_000_000_000,
        "bytes_transferred": 1_000_000_000,
        "created_filetime": 134_000_000_000_000_000 + number,
        "files": (JobFile("http://f/a.bin", rf"C:\in\a{number}.bin", 10, 5),),
    }
    return BitsJob(host=host, id=f"{number:08X}-0000-0000-0000-000000000000", **(settings | more))


def answer(view: View, *events: Event, verb: str = "jobs", **more: Any) -> Any:
    report = Report.of([Begin(verb, view), *events, Summary(verb=verb, well=1)])
    return answer_of(report, NOW, row_limit=50, **more)


def listing(*jobs: BitsJob, failed: tuple[str, ...] = ()) -> JobSet:
    hosts = dict.fromkeys(one.host for one in jobs)
    well = [
        Outcome(host=host, value=JobList(tuple(one for one in jobs if one.host == host)))
        for host in hosts
    ]
    bad = [
        Outcome(host=host, status=Status.FAILED, error=BitsShellError("it is down", host=host))
        for host in failed
    ]
    found = answer(View.JOBS, *well, *bad)
    assert isinstance(found, JobSet)
    return found


def test_jobs_stand_in_the_order_of_their_listing() -> None:
    jobs = listing(job(3, "web02"), job(2), job(1))
    assert [(one.host, one.name) for one in jobs] == [
        ("web01", "job1"),
        ("web01", "job2"),
        ("web02", "job3"),
    ]
    assert jobs.hosts == ("web02", "web01")


def test_a_job_is_looked_up_by_name_by_id_and_by_the_beginning_of_its_id() -> None:
    jobs = listing(job(1), job(2))
    assert jobs["job2"] is jobs[1]
    assert jobs["{00000002-0000-0000-0000-000000000000}"] is jobs[1]
    assert jobs["0000000"[:4] + "0002"] is jobs[1]
    assert "job2" in jobs
    assert "job9" not in jobs


def test_a_lookup_that_several_fit_names_them() -> None:
    jobs = listing(job(1, name="same"), job(2, name="same"))
    with pytest.raises(KeyError) as caught:
        jobs["same"]
    assert isinstance(caught.value, LookupFailed)
    assert "00000001-" in str(caught.value)
    assert "00000002-" in str(caught.value)
    with pytest.raises(KeyError, match="there is no 'other'"):
        jobs["other"]


def test_a_slice_is_of_the_same_kind_and_keeps_the_hosts_that_failed() -> None:
    jobs = listing(job(1), job(2), job(3), failed=("web09",))
    part = jobs[1:]
    assert isinstance(part, JobSet)
    assert part.names == ("job2", "job3")
    assert [str(error) for error in part.errors] == ["web09: it is down"]
    assert "1 host failed" in part._repr_mimebundle_()["text/plain"]


def test_the_rows_of_a_part_are_not_numbered_for_the_numbers_are_those_of_the_whole() -> None:
    jobs = listing(job(1), job(2))
    assert jobs._repr_mimebundle_()["text/plain"].startswith("#")
    part = jobs[1:]._repr_mimebundle_()
    assert not part["text/plain"].startswith("#")
    assert ">#</th>" not in part["text/html"]


def test_where_takes_fields_functions_and_the_language_of_the_command_line() -> None:
    jobs = listing(
        job(1, state=JobState.ERROR),
        job(2, state=JobState.TRANSIENT_ERROR, bytes_total=10),
        job(3, host="web02"),
    )
    assert jobs.where(state="transient-error").names == ("job2",)
    assert jobs.where(state=[JobState.ERROR, "TRANSFERRING"]).names == ("job1", "job3")
    assert jobs.where(name="JOB[12]").names == ("job1", "job2")
    assert jobs.where("size > 1G and not state = error").names == ("job3",)
    assert jobs.where(lambda one: one.host == "web02").one().name == "job3"
    assert jobs.where("size > 1G", host="web01").names == ("job1",)
    assert isinstance(jobs.where(state="error"), JobSet)


def test_what_where_does_not_know_is_told() -> None:
    with pytest.raises(LookupFailed, match="no field 'colour'"):
        listing(job()).where(colour="red")
    with pytest.raises(BitsUsageError):
        listing(job()).where("size >")


def test_one_wants_exactly_one() -> None:
    assert listing(job()).one().name == "job1"
    with pytest.raises(LookupFailed, match="2 items where one was wanted"):
        listing(job(1), job(2)).one()
    with pytest.raises(LookupFailed, match="0 items"):
        listing().one()


def test_an_answer_never_changes_and_survives_pickling() -> None:
    jobs = listing(job(1), failed=("web09",))
    with pytest.raises(AttributeError):
        jobs.as_of = NOW  # type: ignore[misc]
    with pytest.raises(AttributeError):
        jobs[0].name = "x"  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(jobs))
    assert list(again) == list(jobs)
    assert again.errors == jobs.errors


def test_a_job_is_equal_to_what_the_host_said_of_it() -> None:
    whole = Job.of(job(1), JobError(host="web01", job_id="x", code=1, context=ErrorContext.NONE))
    assert whole == job(1)
    assert job(1) == whole
    assert whole != job(2)
    assert whole != "job1"
    assert replace(whole, name="other").error is whole.error
    assert pickle.loads(pickle.dumps(whole)).error == whole.error


def test_a_job_shows_itself_in_one_line_and_in_full() -> None:
    whole = Job.of(job(1, name=EVIL, priority=Priority.HIGH))
    assert repr(whole) == f"<Job '{EVIL}' TRANSFERRING 25% on web01>"
    bundle = whole._repr_mimebundle_()
    assert "high" in bundle["text/plain"]
    assert "<script>" not in bundle["text/html"]


def test_records_are_those_of_the_command_line_and_csv_holds_no_formula() -> None:
    jobs = listing(job(1, name='=cmd|"x"'))
    assert jobs.records()[0]["state"] == "TRANSFERRING"
    json.dumps(jobs.records())
    (row,) = csv.DictReader(io.StringIO(jobs.to_csv() or ""))
    assert row["name"] == '\'=cmd|"x"'
    assert row["bytes_total"] == "4000000000"


def test_csv_goes_into_a_file(tmp_path: Any) -> None:
    path = tmp_path / "jobs.csv"
    assert listing(job(1)).to_csv(path) is None
    assert path.read_text(encoding="utf-8").startswith("host,id,name,")


def test_a_dataframe_computes_with_times_and_numbers() -> None:
    pytest.importorskip("pandas", reason="pandas is no dependency")
    frame = listing(job(1), job(2)).dataframe()
    assert list(frame["name"]) == ["job1", "job2"]
    assert frame["bytes_total"].sum() == 8_000_000_000
    assert str(frame["created"].dtype).endswith("UTC]")


@pytest.mark.parametrize("package", ["pandas", "matplotlib"])
def test_what_is_not_installed_is_told_with_the_way_to_get_it(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    watched = watch_result(3)
    with pytest.raises(NotInstalled, match=f"pip install {package}") as caught:
        watched.dataframe() if package == "pandas" else watched.plot()
    assert caught.value._render_traceback_()[0].startswith("NotInstalled: ")


def test_everything_shows_as_text_html_and_json_as_of_a_moment() -> None:
    bundle = listing(job(1, name=EVIL))._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", REPORT_MIME_TYPE}
    assert bundle["text/plain"].endswith("as of 2026-11-22 12:00:00Z")
    assert "as of 2026-11-22 12:00:00Z" in bundle["text/html"]
    assert "<script>" not in bundle["text/html"]
    assert bundle[REPORT_MIME_TYPE]["object"] == "JobSet"
    assert bundle[REPORT_MIME_TYPE]["as_of"] == "2026-11-22T12:00:00Z"
    assert bundle[REPORT_MIME_TYPE]["items"][0]["name"] == EVIL


def test_more_rows_than_fifty_are_counted() -> None:
    bundle = listing(*(job(number) for number in range(60)))._repr_mimebundle_()
    assert "… 10 more" in bundle["text/plain"]
    assert bundle["text/html"].count("<tr>") == 51
    assert "… 10 more" in bundle["text/html"]


def test_html_holds_only_what_an_untrusted_notebook_keeps() -> None:
    html = listing(job(1))._repr_mimebundle_()["text/html"] + html_of_watch()
    for lost in ("<style", "<svg", "<script", " id=", " class=", "position:", "var("):
        assert lost not in html
    assert "<progress" in html
    assert '<img src="data:image/svg+xml;base64,' in html


def html_of_watch() -> str:
    html: str = watch_result(5)._repr_mimebundle_()["text/html"]
    return html


def test_a_known_secret_is_in_no_form() -> None:
    learn("correct-horse-battery")
    shown = listing(job(1, name="x correct-horse-battery y"))._repr_mimebundle_()
    assert "correct-horse-battery" not in json.dumps(shown)
    assert "***" in shown["text/html"]


def test_files_are_looked_up_by_their_names() -> None:
    files = answer(View.FILES, Outcome(host="web01", value=job(1)), verb="files")
    assert isinstance(files, FileSet)
    assert files["a1.bin"].url == "http://f/a.bin"
    assert files[0].job == job(1)
    assert files.where("done < 60%").one().number == 1
    assert files.records()[0]["path"] == r"C:\in\a1.bin"
    assert repr(files) == "<FileSet of files: 1 file>"


def test_outcomes_hold_what_failed_beside_what_went_well() -> None:
    well = Outcome(host="web01", value=job(1), job_id=job(1).id)
    bad = Outcome(host="web02", status=Status.FAILED, error=BitsShellError("no", host="web02"))
    done = answer(View.CHANGES, well, bad, verb="resume")
    assert isinstance(done, Outcomes)
    assert len(done) == 2
    assert done["job1"] is well
    assert done["web02"] is bad
    assert list(done.failed) == [bad]
    assert done.failed.summary.failed == 1
    assert done.where(status="done").one() is well
    assert done.jobs.names == ("job1",)
    assert [record["status"] for record in done.records()] == ["done", "failed"]
    assert done.records()[1]["error"]["message"] == "no"


def test_hosts_and_diagnoses_are_looked_up_by_what_they_go_by() -> None:
    status = HostStatus(name="web01", endpoint="http://web01:5985/wsman", auth="ntlm")
    hosts = answer(View.HOSTS, Outcome(host="web01", value=status), verb="hosts")
    assert isinstance(hosts, HostSet)
    assert hosts["web01"].auth == "ntlm"
    known = explain(0x80190194)
    failed = JobError(
        host="web01", job_id=job(1).id, code=0x80190194, context=ErrorContext.REMOTE_FILE
    )
    diagnosis = answer(
        View.EXPLAIN,
        Outcome(host="", value=known),
        Outcome(host="web01", value=JobDetail(job(1), failed)),
        verb="explain",
    )
    assert isinstance(diagnosis, Diagnosis)
    assert diagnosis["BG_E_HTTP_ERROR_404"] == known
    assert diagnosis["job1"].error == failed
    assert diagnosis.explanations == (known,)


def test_a_view_that_has_no_object_of_its_own_is_an_answer() -> None:
    assert type(answer(View.TEXT, verb="config")) is Answer


def frame(second: int, *, is_final: bool = False, name: str = "job") -> Frame:
    rows = tuple(
        WatchRow(
            job(number, name=f"{name}{number}", bytes_transferred=second * 1_000_000),
            rate_bytes_s=None if not second else 1_000_000.0,
        )
        for number in (1, 2)
    )
    return Frame(rows, as_of=NOW + timedelta(seconds=second), is_final=is_final)


def watch_result(seconds: int, name: str = "job") -> WatchResult:
    timeline = Timeline()
    for second in range(seconds):
        timeline.add(frame(second, name=name))
    last = frame(seconds, is_final=True, name=name)
    timeline.add(last)
    found = answer(View.WATCH, last, verb="watch", samples=timeline.samples)
    assert isinstance(found, WatchResult)
    return found


def test_a_watch_holds_its_jobs_as_they_were_last_and_samples_of_all_the_way() -> None:
    watched = watch_result(10)
    assert watched.is_final
    assert [one.bytes_transferred for one in watched] == [10_000_000, 10_000_000]
    assert watched.mean_rate_bytes_s == 2_000_000
    assert len(watched.samples) == 22
    assert watched.samples.records()[-1]["rate_bytes_s"] == 1_000_000
    one = watched[:1]
    assert isinstance(one, WatchResult)
    assert len(one.samples) == 11
    assert repr(watched) == "<WatchResult of watch: 2 jobs, final>"


def test_a_watch_draws_its_rate_in_text_and_as_an_image() -> None:
    bundle = watch_result(5)._repr_mimebundle_()
    assert "rate  █████ up to 1.9 MiB/s" in bundle["text/plain"]
    assert "data:image/svg+xml;base64," in bundle["text/html"]


def test_samples_of_days_stay_within_bounds() -> None:
    timeline = Timeline(most=100)
    for second in range(5_000):
        timeline.add(frame(second))
    samples = timeline.samples
    assert len(samples) <= 102
    assert samples[0].at == NOW
    assert samples[-1].at == NOW + timedelta(seconds=4_999)


def test_a_watch_that_goes_on_keeps_what_was_seen_before() -> None:
    first = watch_result(3).samples
    timeline = Timeline(first)
    timeline.add(frame(9))
    assert isinstance(first, Samples)
    assert [sample.at.second for sample in timeline.samples[::2]] == [0, 1, 2, 3, 9]


def test_a_plot_is_a_png_of_what_was_asked_for() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is no dependency")
    drawn = watch_result(5).plot("rate", by="host")
    assert drawn.png.startswith(b"\x89PNG")
    bundle = drawn._repr_mimebundle_()
    assert bundle["text/plain"] == "<Plot: rate of 1 host over time>"
    assert bundle["text/html"].startswith('<img src="data:image/png;base64,')


@pytest.mark.parametrize("name", ["_hidden", r"$\frac{", "\x1b[31m", "\U0001f4be", ""])
def test_no_name_of_a_job_spoils_a_plot(name: str) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is no dependency")
    assert watch_result(2, name).plot().png.startswith(b"\x89PNG")


def test_a_plot_gives_only_the_forms_that_are_asked_for() -> None:
    drawn = Plot(b"\x89PNG", "rate of 1 host over time")
    assert set(drawn._repr_mimebundle_()) == {"text/plain", "text/html", "image/png"}
    assert drawn._repr_mimebundle_(include={"image/png"}) == {"image/png": "iVBORw=="}
    assert "image/png" not in drawn._repr_mimebundle_(exclude={"image/png"})


def test_what_cannot_be_drawn_is_told() -> None:
    with pytest.raises(BitsUsageError, match="cannot be drawn"):
        watch_result(2).plot("colour")
    with pytest.raises(BitsUsageError, match="nothing to draw"):
        watch_result(2).where(name="none").plot()
