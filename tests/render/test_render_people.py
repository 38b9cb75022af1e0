"""The table and vertical forms: what is printed when, and where."""

from __future__ import annotations

import io
import json

import pytest
from render_things import (
    NOW,
    listing,
    make_job,
    make_job_error,
    planned,
    rendered,
    two_hosts_and_a_failure,
)

from bitsshell.bits import (
    JobDetail,
    JobGone,
    JobList,
    JobState,
    ProviderMissing,
    explain,
)
from bitsshell.errors import BitsShellError
from bitsshell.render import Output, make_renderer
from bitsshell.results import (
    Begin,
    Ending,
    HostStatus,
    Notice,
    Outcome,
    Plan,
    Planned,
    Status,
    Summary,
    Text,
    View,
)


def test_rows_of_all_hosts_stand_in_one_table_with_counts_below() -> None:
    out, err = rendered(two_hosts_and_a_failure())
    lines = out.splitlines()
    assert [line.split()[1] for line in lines[2:5]] == ["srv01", "srv01", "srv02"]
    assert lines[5] == "3 jobs on 2 hosts: 3 TRANSFERRING; 1 host failed"
    assert err.startswith("srv09: WinRM answers, but")


def test_when_every_host_failed_there_is_no_table_and_the_reason_once() -> None:
    errors = [ProviderMissing(host=f"srv{number:02}") for number in range(1, 19)]
    events = listing(*(Outcome(host=str(e.host), status=Status.FAILED, error=e) for e in errors))
    out, err = rendered(events)
    assert out == ""
    assert err.startswith("srv[01-18] (18): ")
    assert len(err.splitlines()) == 2


def test_an_empty_queue_is_said_to_be_empty() -> None:
    out, err = rendered(listing(Outcome(host="srv01", value=JobList(()))))
    assert (out, err) == ("0 jobs on 1 host\n", "")


def test_a_queue_that_could_be_read_only_in_part_says_so_in_every_form() -> None:
    events = listing(Outcome(host="srv01", value=JobList((make_job(),), partial=True)))
    assert "srv01: only known jobs" in rendered(events)[0]
    for output in (Output.JSON, Output.NDJSON, Output.CSV):
        assert "srv01: only known jobs" in rendered(events, output)[1]


@pytest.mark.parametrize("output", [Output.TABLE, Output.VERTICAL, Output.JSON, Output.CSV])
def test_what_arrived_before_an_interrupt_is_shown(output: Output) -> None:
    arrived = two_hosts_and_a_failure()[:2]
    ending = Summary(verb="jobs", ending=Ending.INTERRUPTED, well=1, not_sent=2)
    out, err = rendered([*arrived, ending], output)
    assert "nightly 3" in out
    assert "interrupted: 1 done, 2 not sent" in err
    if output is Output.JSON:
        assert len(json.loads(out)) == 1


def test_closing_without_a_summary_still_shows_what_arrived() -> None:
    assert "nightly 3" in rendered(two_hosts_and_a_failure()[:2])[0]


def test_closing_twice_prints_once() -> None:
    for output in Output:
        out = io.StringIO()
        renderer = make_renderer(output, out=out, err=io.StringIO(), width=80, clock=lambda: NOW)
        for event in two_hosts_and_a_failure():
            renderer.feed(event)
        renderer.close()
        once = out.getvalue()
        renderer.close()
        assert out.getvalue() == once != ""


def test_changes_are_printed_as_they_come() -> None:
    out, err = io.StringIO(), io.StringIO()
    renderer = make_renderer(Output.TABLE, out=out, err=err, width=120)
    renderer.feed(Begin("resume", View.CHANGES))
    renderer.feed(
        Outcome(host="srv01", value=make_job(state=JobState.QUEUED), planned="resume 'nightly'")
    )
    assert out.getvalue() == (
        "done        srv01  00000001-1111-2222-3333-444444444444  nightly 1  QUEUED, normal\n"
    )
    renderer.feed(
        Outcome(host="srv02", status=Status.FAILED, error=JobGone(host="srv02", job="nightly"))
    )
    renderer.feed(Outcome(host="srv03", status=Status.NOT_SENT, planned="resume 'nightly'"))
    assert out.getvalue().splitlines()[1] == "not sent    srv03  resume 'nightly'"
    renderer.feed(Summary(verb="resume", well=1, failed=1, not_sent=1, elapsed_s=0.42))
    renderer.close()
    assert err.getvalue().startswith("failed: srv02, job nightly: the job is not there")
    assert err.getvalue().splitlines()[-1] == "resume: 1 done, 1 failed, 1 not sent in 0.4 s"


def test_equal_outcomes_of_many_hosts_are_folded_after_the_first() -> None:
    outcomes = [
        Outcome(host=f"srv{number:02}", value=make_job(number, host=f"srv{number:02}", name="one"))
        for number in range(1, 19)
    ]
    end = Summary(verb="resume", well=18, elapsed_s=1.0)
    out, _ = rendered([Begin("resume", View.CHANGES), *outcomes, end])
    *_, last = lines = out.splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("done        srv01  ")
    assert last.startswith("done        srv[06-18] (13)  one  ")


def test_failures_of_changes_are_summed_up_by_cause() -> None:
    gone = [
        Outcome(
            host=f"srv{number:02}",
            status=Status.FAILED,
            error=JobGone(host=f"srv{number:02}", job=f"id {number}"),
        )
        for number in range(1, 19)
    ]
    end = Summary(verb="resume", failed=18, elapsed_s=1.0)
    _, err = rendered([Begin("resume", View.CHANGES), *gone, end])
    assert err.startswith("failed: srv[01-18] (18), 18 jobs: the job is not there")
    assert err.count("the job is not there") == 1


def test_a_success_with_a_warning_is_a_success_with_a_warning() -> None:
    done = Outcome(host="srv01", value=make_job(), planned="complete", warning=0x00200016)
    out, err = rendered([Begin("complete", View.CHANGES), done, Summary(verb="complete", well=1)])
    assert out.startswith("done  ")
    assert err.startswith("warning: 0x00200016")


def test_notices_are_for_the_error_stream_in_every_form() -> None:
    for output in Output:
        out, err = rendered(
            [Begin("use", View.TEXT), Notice("using srv01"), Summary(verb="use")], output
        )
        assert "using srv01" in err
        assert "using srv01" not in out


def test_details_are_blocks_with_the_error_explained() -> None:
    detail = JobDetail(make_job(state=JobState.ERROR), make_job_error())
    out, _ = rendered([Begin("show", View.JOB), Outcome(host="srv01", value=detail)])
    assert out.startswith("nightly 1 on srv01\n")
    assert "BG_E_HTTP_ERROR_404" in out
    assert "next: " in out
    assert "C:\\in\\a.bin" in out


def test_a_code_is_explained() -> None:
    out, _ = rendered([Begin("explain", View.EXPLAIN), Outcome(host="", value=explain(0x80200010))])
    assert out.startswith("code     0x80200010")
    assert "remedy   " in out


def test_hosts_show_which_are_targets_and_why_one_failed() -> None:
    up = HostStatus(
        name="srv01", endpoint="http://srv01:5985/wsman", auth="ntlm", is_target=True, jobs=3
    )
    down = HostStatus(
        name="srv02",
        endpoint="http://srv02:5985/wsman",
        auth="ntlm",
        error=BitsShellError("no answer", host="srv02"),
    )
    out, err = rendered(
        [Begin("hosts", View.HOSTS), *(Outcome(host=h.name, value=h) for h in (up, down))],
        width=100,
    )
    lines = out.splitlines()
    assert lines[2].split()[:2] == ["*", "srv01"]
    assert "failed" in lines[3]
    assert lines[4] == "2 hosts; 1 host failed"
    assert err == "srv02: no answer\n"


def test_vertical_shows_everything_of_every_job() -> None:
    out, _ = rendered(two_hosts_and_a_failure(), Output.VERTICAL, width=20)
    assert out.count("C:\\in\\a.bin") == 3
    assert "#1 nightly 1 on srv01" in out
    assert make_job(3).id in out


def test_a_plan_is_shown_in_words_and_its_failures_once() -> None:
    out, err = rendered(planned())
    assert out.startswith("what if: cancel would touch 1 job on 1 host (destroys something)")
    assert (out + err).count("WinRM answers, but") == 1


def test_text_of_our_own_is_printed_as_it_stands() -> None:
    out, err = rendered(
        [Begin("help", View.TEXT), Text("verbs:\n  jobs   list"), Summary(verb="help")]
    )
    assert out == "verbs:\n  jobs   list\n"
    assert err == ""


@pytest.mark.parametrize("output", Output)
def test_text_of_ours_is_made_harmless_for_it_may_hold_words_of_others(output: Output) -> None:
    out, err = rendered([Begin("help", View.TEXT), Text("one\n\x9b31m\u202etwo")], output)
    assert "\\x9b31m\\u202etwo" in out + err
    assert not {"\x9b", "\u202e"} & set(out + err)


class Counting(BitsShellError):
    """An error that counts how often it was compared with another one."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        type(self).compared += 1
        return super().__eq__(other)

    __hash__ = BitsShellError.__hash__


@pytest.mark.parametrize("output", Output)
def test_what_a_plan_has_shown_is_known_again_without_comparing_it_with_all_the_rest(
    output: Output,
) -> None:
    found = tuple(
        Outcome(host="srv01", status=Status.FAILED, error=Counting("no")) for _ in range(5)
    )
    events = [Begin("cancel", View.CHANGES), Planned(Plan("cancel", (), found)), *found]
    Counting.compared = 0
    out, err = rendered(events, output)
    assert Counting.compared == 0
    assert out + err == "".join(rendered(events[:2], output))  # said once, with the plan
