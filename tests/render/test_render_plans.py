"""Plans in words, the question, and errors folded."""

from __future__ import annotations

from hypothesis import given
from render_things import any_text, assert_harmless, make_job_error

from bitsshell.bits import (
    ChangeState,
    CreateJob,
    Effect,
    FileSpec,
    JobAction,
    JobGone,
    JobState,
    ProviderMissing,
    explain,
)
from bitsshell.errors import BitsShellError
from bitsshell.render import plan_lines, question
from bitsshell.render.errors import (
    error_lines,
    explanation_pairs,
    folded_error_lines,
    job_error_lines,
)
from bitsshell.results import Outcome, Plan, Status, Step
from bitsshell.wsman import ConnectFailed


def job_id(number: int) -> str:
    return f"{number:08X}-1111-2222-3333-444444444444"


def cancel(host: str, number: int, name: str = "nightly") -> Step:
    return Step(host, ChangeState(job_id(number), JobAction.CANCEL, JobState.ERROR, name))


def create(host: str, **changes: object) -> Step:
    files = (FileSpec("http://files/a.bin", "C:\\in\\a.bin"),)
    return Step(host, CreateJob(name="a.bin", files=files, reference="0" * 10, **changes))  # type: ignore[arg-type]


def test_identical_steps_on_many_hosts_are_said_once() -> None:
    lines = plan_lines(Plan("create", tuple(create(f"srv{number:02}") for number in range(18))))
    assert lines == [
        "what if: create would touch 18 jobs on 18 hosts; nothing was sent",
        "srv[00-17] (18):",
        "  create job 'a.bin': http://files/a.bin -> C:\\in\\a.bin, resume it",
    ]


def test_jobs_of_one_name_on_many_hosts_are_said_once_without_their_ids() -> None:
    lines = plan_lines(Plan("cancel", (cancel("srv01", 1), cancel("srv02", 2))))
    assert lines[1:] == [
        "srv01, srv02:",
        "  cancel 'nightly' (ERROR): its temporary files are deleted",
    ]


def test_a_host_that_stands_alone_is_shown_with_ids() -> None:
    lines = plan_lines(Plan("cancel", (cancel("srv01", 1), cancel("srv02", 2, "other"))))
    assert f"  cancel 'nightly' {job_id(1)} (ERROR): its temporary files are deleted" in lines
    assert f"  cancel 'other' {job_id(2)} (ERROR): its temporary files are deleted" in lines


def test_two_jobs_of_one_name_on_a_host_keep_their_ids() -> None:
    steps = tuple(cancel(host, number) for host in ("a", "b") for number in (1, 2))
    text = "\n".join(plan_lines(Plan("cancel", steps)))
    assert text.count(job_id(1)) == 1
    assert text.count(job_id(2)) == 1
    assert "a, b:" in text


def test_what_stands_already_and_what_could_not_be_asked_is_said_too() -> None:
    plan = Plan(
        "resume",
        (),
        found=(
            Outcome(host="srv01", status=Status.ALREADY, planned="resume 'nightly'"),
            Outcome(host="srv02", status=Status.FAILED, error=JobGone(host="srv02")),
        ),
        policy="complete it when it is TRANSFERRED",
    )
    lines = plan_lines(plan)
    assert lines[0] == "what if: resume would change nothing; nothing was sent"
    assert "then: complete it when it is TRANSFERRED" in lines
    assert "srv01: already so: resume 'nightly'" in lines
    assert "srv02: the job is not there (any more)" in lines


def test_the_question_has_counts_and_what_is_lost() -> None:
    many = Plan("cancel", tuple(cancel(f"srv{number}", number) for number in range(5)))
    assert question(many) == "cancel 5 jobs on 5 hosts? their temporary files are deleted"
    two = Plan("cancel", (cancel("srv01", 1), cancel("srv01", 2), cancel("srv02", 3)))
    assert question(two) == (
        "cancel 3 jobs on 2 hosts (srv01, srv02)? their temporary files are deleted"
    )


def test_the_question_names_the_hosts_that_are_left_out_because_they_failed() -> None:
    failed = tuple(
        Outcome(host=host, status=Status.FAILED, error=JobGone(host=host))
        for host in ("srv07", "srv0", "srv08")
    )
    plan = Plan("cancel", tuple(cancel(f"srv{number}", number) for number in range(5)), failed)
    assert question(plan) == (
        "cancel 5 jobs on 5 hosts? their temporary files are deleted; "
        "without srv07, srv08, which failed"
    )


def test_the_question_about_one_job_names_it() -> None:
    assert question(Plan("cancel", (cancel("srv01", 1),))) == (
        "cancel 'nightly' on srv01? its temporary files are deleted"
    )
    nameless = Plan("cancel", (cancel("srv01", 1, ""),))
    assert question(nameless).startswith(f"cancel {job_id(1)} on srv01?")


def test_completing_an_unfinished_job_and_replacing_say_what_is_lost() -> None:
    unfinished = ChangeState(job_id(1), JobAction.COMPLETE, JobState.TRANSFERRING, "n")
    assert question(Plan("complete", (Step("a", unfinished),))).endswith(
        "unfinished files are deleted"
    )
    finished = ChangeState(job_id(1), JobAction.COMPLETE, JobState.TRANSFERRED, "n")
    assert question(Plan("complete", (Step("a", finished),))) == "complete 'n' on a?"
    replacing = Plan("create", (create("a", replaces=(job_id(7),)),))
    assert question(replacing) == "create 'a.bin' on a? 1 job of that name cancelled for it"


def test_a_policy_that_destroys_is_part_of_the_question() -> None:
    plan = Plan("manage", (), policy="cancel on error", policy_effect=Effect.DESTROY)
    assert question(plan).endswith("then: cancel on error")


@given(any_text)
def test_no_plan_and_no_question_acts_on_a_terminal(text: str) -> None:
    plan = Plan("cancel", (cancel(text, 1, text),), policy=text, policy_effect=Effect.DESTROY)
    assert_harmless("\n".join([*plan_lines(plan), question(plan)]))


def test_equal_errors_of_many_hosts_are_said_once() -> None:
    errors: list[BitsShellError] = [ProviderMissing(host=f"srv{n:02}") for n in range(1, 19)]
    lines = folded_error_lines([*errors, JobGone(host="srv99", job="nightly")])
    assert lines[0].startswith("srv[01-18] (18): WinRM answers, but")
    assert lines[1].startswith("next: it comes with the server feature")
    assert lines[2] == "srv99, job nightly: the job is not there (any more)"
    assert len(lines) == 4


def test_different_errors_are_not_folded() -> None:
    errors = [BitsShellError("one", host="a"), BitsShellError("two", host="b")]
    assert folded_error_lines(errors) == ["a: one", "b: two"]


def test_errors_that_differ_only_in_the_name_of_many_hosts_are_one() -> None:
    def unknown(host: str) -> BitsShellError:
        what = f"the name in {host}:5985 is not known"
        return BitsShellError(what, host=host, hint=f"not {host}")

    many = [unknown(f"srv{number}") for number in range(41, 46)]
    assert folded_error_lines(many) == ["srv[41-45] (5): the name in HOST:5985 is not known"]
    few = folded_error_lines(many[:3])
    assert few[:2] == ["srv41: the name in srv41:5985 is not known", "next: not srv41"]
    assert len(few) == 6


def test_errors_that_differ_only_in_the_address_behind_a_name_are_one() -> None:
    errors = [
        ConnectFailed("reset", host=f"srv{number:02}", address=f"127.0.0.1:{46000 + number}")
        for number in (9, 11, 8, 10)
    ]
    first, *rest = folded_error_lines(errors)
    assert first.startswith("srv[08-11] (4): HOST ")
    assert not any("127.0.0.1" in line for line in (first, *rest))


def test_errors_stand_in_the_order_of_their_hosts() -> None:
    errors = [BitsShellError("none", host=host) for host in ("srv10", "srv9", "srv11")]
    assert folded_error_lines(errors) == ["srv9, srv10, srv11: none"]
    unlike = [BitsShellError(f"at {host}", host=host) for host in ("srv10", "srv9")]
    assert folded_error_lines(unlike) == ["srv9: at srv9", "srv10: at srv10"]


def test_errors_without_a_host_are_not_lost() -> None:
    assert folded_error_lines([BitsShellError("nothing was typed")]) == ["nothing was typed"]
    assert folded_error_lines([]) == []


@given(any_text)
def test_an_error_is_one_to_three_clean_lines(text: str) -> None:
    error = BitsShellError(text, host=text, job=text, hint=text)
    for lines in (error_lines(error), folded_error_lines([error, error])):
        assert len(lines) <= 3
        assert all("\n" not in line for line in lines)
        assert_harmless("\n".join(lines))
    assert "Traceback" not in "\n".join(error_lines(BitsShellError("x")))


def test_an_endless_message_is_clipped_and_a_remedy_is_not() -> None:
    (line,) = error_lines(BitsShellError("x" * 100_000), width=80)
    assert len(line) == 400
    _, remedy = error_lines(ProviderMissing(host="a"), width=40)
    assert remedy.endswith("(client Windows has none)")


def test_a_job_error_says_code_context_and_remedy() -> None:
    lines = job_error_lines(make_job_error("said\r\nso"))
    assert lines[0].startswith("0x80190194 BG_E_HTTP_ERROR_404: ")
    assert lines[1] == "context: REMOTE_FILE (said so)"
    assert lines[2].startswith("next: ")


def test_a_code_that_no_table_knows_is_said_to_be_unknown() -> None:
    pairs = dict(explanation_pairs(explain(0x8ABCDEF0)))
    assert pairs["code"] == "0x8ABCDEF0 (2327633648)"
    assert pairs["meaning"] == "no table explains this code"
