"""Creating a job: the exact calls, and what becomes of it when one of them goes wrong."""

from __future__ import annotations

import pytest
from scripted import (
    ACCESS_DENIED,
    DOWN,
    ID,
    LOST,
    NOT_FOUND,
    OLD,
    TIMED_OUT,
    WBEM_E_FAILED,
    ScriptedHost,
    Step,
    created,
    fault,
    instance,
    job,
    output,
    put,
    queue,
    soap,
)

from bitsshell import wsman
from bitsshell.bits import (
    AnswerWasLost,
    CodeError,
    CreateFailed,
    CreateJob,
    Done,
    FileSpec,
    Job,
    JobState,
    JobType,
    NotCreated,
    Priority,
    ProviderMissing,
    ServiceAccount,
    explain,
)

A = FileSpec("http://files/a.bin", r"C:\in\a.bin")
B = FileSpec("http://files/b.bin", r"C:\in\b.bin")
REFERENCE = "0123456789"
MARKED = f"mine [ref:{REFERENCE}]"
PLAIN = CreateJob(name="nightly", files=(A,), reference=REFERENCE, description="mine")
FULL = CreateJob(
    name="nightly",
    files=(A, B),
    reference=REFERENCE,
    description="mine",
    account=ServiceAccount.LOCAL_SYSTEM,
    priority=Priority.FOREGROUND,
    retry_delay_s=60,
    no_progress_timeout_s=3600,
)
INVALID_ARGUMENT = 0x80070057
HERE = instance(Description=MARKED)


def create(operation: CreateJob, *steps: Step) -> tuple[Done, ScriptedHost]:
    host = ScriptedHost(*steps)
    return host.provider.perform(operation), host


def failure(operation: CreateJob, *steps: Step) -> tuple[Exception, ScriptedHost]:
    host = ScriptedHost(*steps)
    with pytest.raises(Exception) as caught:  # what it is, the caller looks at
        host.provider.perform(operation)
    return caught.value, host


def test_a_job_is_made_suspended_filled_read_back_and_only_then_resumed() -> None:
    done, host = create(
        FULL,
        queue(),
        created(),
        output(),
        put(),
        put(),
        put(),
        job(),
        output(),
        job(State=1, Description=MARKED),
    )
    assert host.names == [
        "Enumerate",
        "CreateJob",
        "AddFile",
        "Put",
        "Put",
        "Put",
        "Get",
        "SetJobState",
        "Get",
    ]
    assert host.asked[1].job_id is None
    assert host.asked[1].arguments == (
        ("DisplayName", "nightly"),
        ("RemoteUrl", A.url),
        ("LocalFile", A.path),
        ("ServiceAccount", "0"),
        ("Type", "0"),
        ("Suspend", "true"),
        ("Description", MARKED),
    )
    assert host.asked[2].arguments == (("remoteUrl", B.url), ("localFile", B.path))
    assert [asked.arguments for asked in host.asked[3:6]] == [
        (("Priority", "0"),),
        (("MinimumRetryDelay", "60"),),
        (("NoProgressTimeout", "3600"),),
    ]
    assert host.asked[7].arguments == (("JobState", "2"),)
    assert {asked.job_id for asked in host.asked[2:]} == {f"{{{ID}}}"}
    assert isinstance(done.value, Job)
    assert done.value.state is JobState.CONNECTING
    assert (done.value.description, done.value.reference) == ("mine", REFERENCE)
    assert (done.warning, done.already) == (None, False)


def test_what_is_shown_before_sending_is_what_is_sent() -> None:
    _, host = create(
        FULL, queue(), created(), output(), put(), put(), put(), job(), output(), job()
    )
    sent = [asked.name for asked in host.asked if asked.name not in {"Enumerate", "Get"}]
    shown = [
        request.method if isinstance(request, wsman.Invoke) else type(request).__name__
        for request in FULL.requests()
    ]
    assert shown == sent


def test_a_job_that_is_to_stay_suspended_is_not_resumed() -> None:
    suspended = CreateJob(name="n", files=(A,), reference=REFERENCE, suspended=True)
    done, host = create(suspended, queue(), created(), job())
    assert host.names == ["Enumerate", "CreateJob", "Get"]
    assert isinstance(done.value, Job)


def test_an_upload_says_so() -> None:
    upload = CreateJob(
        name="n", files=(A,), reference=REFERENCE, type=JobType.UPLOAD, suspended=True
    )
    _, host = create(upload, queue(), created(), job())
    assert host.asked[1]["Type"] == "1"


def test_a_job_that_runs_and_cannot_be_read_is_created_all_the_same() -> None:
    done, _ = create(PLAIN, queue(), created(), job(), output(), DOWN)
    assert isinstance(done.value, Job)
    assert done.value.state is JobState.QUEUED


@pytest.mark.parametrize(
    "steps",
    [
        [queue(), created(returned=0x0020002A), job(), output(), job(State=0)],
        [queue(), created(), job(), output(0x0020002A), job(State=0)],
    ],
)
def test_a_warning_of_any_step_is_the_warning_of_the_create(steps: list[Step]) -> None:
    done, _ = create(PLAIN, *steps)
    assert done.warning == 0x0020002A


def test_a_refused_create_leaves_nothing_behind_and_cancels_nothing() -> None:
    for refusal in (output(INVALID_ARGUMENT), fault(INVALID_ARGUMENT)):
        error, host = failure(PLAIN, queue(), refusal)
        assert isinstance(error, CodeError)
        assert (error.action, error.code) == ("create job 'nightly'", INVALID_ARGUMENT)
        assert host.names == ["Enumerate", "CreateJob"]


def test_a_host_without_the_provider_is_found_out_before_anything_is_sent() -> None:
    error, host = failure(PLAIN, fault(2150858778))
    assert error == ProviderMissing(host="srv01")
    assert host.names == ["Enumerate"]


def test_a_queue_that_cannot_be_enumerated_is_no_reason_not_to_create() -> None:
    _, host = create(PLAIN, WBEM_E_FAILED, created(), job(), output(), job(State=0))
    assert "CreateJob" in host.names


# Lost answers


LOST_ANSWERS = [
    LOST,
    wsman.AnswerTimeout,
    TIMED_OUT,
    wsman.MalformedAnswer,
    wsman.Answer(500, {}, b"<html>proxy</html>"),
    wsman.Answer(200, {}, b"not XML at all"),
    output(),  # success, and no id
    output(0, JobId="what is this"),
]


@pytest.mark.parametrize("lost", LOST_ANSWERS)
def test_a_create_whose_answer_was_lost_is_found_by_its_reference_and_adopted(lost: Step) -> None:
    done, host = create(
        PLAIN, queue(), lost, queue(HERE), job(), job(), output(), job(State=0, Description=MARKED)
    )
    assert host.names == [
        "Enumerate",
        "CreateJob",
        "Enumerate",
        "Get",
        "Get",
        "SetJobState",
        "Get",
    ]
    assert isinstance(done.value, Job)
    assert not done.already
    assert host.slept == []


def test_a_create_that_is_not_found_at_once_is_looked_for_again() -> None:
    _, host = create(
        PLAIN, queue(), LOST, queue(), queue(HERE), job(), job(), output(), job(State=0)
    )
    assert host.names.count("Enumerate") == 3
    assert host.slept == [0.5]


@pytest.mark.parametrize("lost", [LOST, output()])
def test_a_create_that_is_not_in_the_queue_was_not_created(lost: Step) -> None:
    error, host = failure(PLAIN, queue(), lost, queue(), queue(instance(OLD)), queue())
    assert error == NotCreated(host="srv01", job="nightly")
    assert "nothing was left behind" in str(error)
    assert host.names == ["Enumerate", "CreateJob", "Enumerate", "Enumerate", "Enumerate"]


@pytest.mark.parametrize("look", [DOWN, WBEM_E_FAILED, ACCESS_DENIED])
def test_a_create_that_nobody_can_ask_about_gives_its_reference(look: Step) -> None:
    error, host = failure(PLAIN, queue(), LOST, look)
    assert error == AnswerWasLost("create job 'nightly'", host="srv01", reference=REFERENCE)
    assert f"show ref:{REFERENCE}" in str(error)
    assert host.names == ["Enumerate", "CreateJob", "Enumerate"]


def test_a_create_that_was_aborted_is_not_looked_for() -> None:
    error, host = failure(PLAIN, queue(), wsman.CallAborted(sent=True))
    assert error == AnswerWasLost("create job 'nightly'", host="srv01", reference=REFERENCE)
    assert host.names == ["Enumerate", "CreateJob"]


def test_a_create_that_was_never_sent_is_no_lost_answer() -> None:
    error, _ = failure(PLAIN, queue(), DOWN)
    assert isinstance(error, wsman.ConnectFailed)


# The same task twice


@pytest.mark.parametrize("state", [0, 2, 4, 5, 6])
def test_a_job_that_an_earlier_run_made_and_resumed_is_taken_as_it_is(state: int) -> None:
    here = instance(ID, State=state, Description=MARKED)
    done, host = create(FULL, queue(instance(OLD), here), job(ID, State=state, Description=MARKED))
    assert done.already
    assert host.names == ["Enumerate", "Get"]


def test_a_job_that_an_earlier_run_left_half_made_is_finished() -> None:
    held = ((A.url, A.path),)
    done, host = create(
        FULL,
        queue(HERE),
        job(files=held, Description=MARKED),
        output(),
        put(),
        put(),
        put(),
        job(),
        output(),
        job(State=0),
    )
    assert host.names[:3] == ["Enumerate", "Get", "AddFile"]
    assert host.asked[2]["remoteUrl"] == B.url
    assert "CreateJob" not in host.names
    assert not done.already


def test_files_that_an_earlier_run_added_are_not_added_again() -> None:
    held = ((A.url, A.path), (B.url, B.path))
    _, host = create(
        FULL,
        queue(HERE),
        job(files=held, Description=MARKED),
        put(),
        put(),
        put(),
        job(),
        output(),
        job(State=0),
    )
    assert "AddFile" not in host.names


# What goes wrong after CreateJob


FULL_UP_TO = {
    "add http://files/b.bin": [],
    "set the priority": [output()],
    "set the no-progress timeout": [output(), put(), put()],
    "read the new job back": [output(), put(), put(), put()],
    "resume it": [output(), put(), put(), put(), job()],
}


@pytest.mark.parametrize("step", FULL_UP_TO)
def test_a_create_that_fails_half_way_cancels_its_own_job_and_says_so(step: str) -> None:
    error, host = failure(
        FULL, queue(), created(), *FULL_UP_TO[step], fault(INVALID_ARGUMENT), output()
    )
    assert isinstance(error, CreateFailed)
    assert (error.step, error.job, error.cancel_error) == (step, ID, None)
    assert isinstance(error.cause, CodeError)
    assert f"could not {step}: " in str(error)
    assert "the half-made job was cancelled" in str(error)
    assert error.hint == explain(INVALID_ARGUMENT).remedy != "", "the remedy is that of the cause"
    assert host.names[-1] == "SetJobState"
    assert host.asked[-1]["JobState"] == "0"
    assert host.asked[-1].job_id == f"{{{ID}}}"


def test_a_half_made_job_that_cannot_be_cancelled_is_said_to_be_still_there() -> None:
    error, _ = failure(FULL, queue(), created(), fault(INVALID_ARGUMENT), ACCESS_DENIED)
    assert isinstance(error, CreateFailed)
    assert error.cancel_error is not None
    assert "STILL THERE" in str(error)
    assert f"cancel {ID}" in str(error)


def test_a_half_made_job_that_is_gone_needs_no_cancelling() -> None:
    error, _ = failure(FULL, queue(), created(), fault(INVALID_ARGUMENT), NOT_FOUND, queue())
    assert isinstance(error, CreateFailed)
    assert error.cancel_error is None


def test_a_small_file_that_is_there_before_the_lost_answer_to_resume_is_no_failure() -> None:
    done, host = create(
        PLAIN, queue(), created(), job(), LOST, job(State=6), job(State=6, Description=MARKED)
    )
    assert isinstance(done.value, Job)
    assert done.value.state is JobState.TRANSFERRED
    assert host.names.count("SetJobState") == 1


def test_a_resume_that_stays_unknown_cancels_the_job() -> None:
    error, _ = failure(PLAIN, queue(), created(), job(), LOST, job(), LOST, output())
    assert isinstance(error, CreateFailed)
    assert isinstance(error.cause, AnswerWasLost)
    assert error.cancel_error is None


# Replacing


REPLACING = CreateJob(name="nightly", files=(A,), reference=REFERENCE, replaces=(OLD,))


def test_what_is_replaced_is_cancelled_when_the_new_job_stands_and_before_it_runs() -> None:
    _, host = create(REPLACING, queue(), created(), job(), output(), output(), job(State=0))
    assert [(asked.name, asked.job_id) for asked in host.asked[1:5]] == [
        ("CreateJob", None),
        ("Get", f"{{{ID}}}"),
        ("SetJobState", f"{{{OLD}}}"),
        ("SetJobState", f"{{{ID}}}"),
    ]


def test_a_create_that_fails_has_replaced_nothing() -> None:
    _, host = failure(REPLACING, queue(), fault(INVALID_ARGUMENT))
    assert host.names == ["Enumerate", "CreateJob"]


def test_what_is_replaced_may_be_gone_by_then() -> None:
    done, _ = create(
        REPLACING, queue(), created(), job(), NOT_FOUND, queue(), output(), job(State=0)
    )
    assert isinstance(done.value, Job)


def test_a_job_that_cannot_be_replaced_stops_the_create() -> None:
    error, host = failure(REPLACING, queue(), created(), job(), ACCESS_DENIED, output())
    assert isinstance(error, CreateFailed)
    assert error.step == f"cancel job {OLD}, which it replaces"
    assert host.asked[-1].job_id == f"{{{ID}}}"


def test_a_description_that_only_looks_like_the_reference_is_not_adopted() -> None:
    other = instance(OLD, Description=f"[ref:{REFERENCE}] was here")
    _, host = create(PLAIN, queue(other), created(), job(), output(), job(State=0))
    assert "CreateJob" in host.names


def test_a_new_job_that_reads_back_as_nothing_is_cancelled() -> None:
    error, _ = failure(PLAIN, queue(), created(), soap(""), output())
    assert isinstance(error, CreateFailed)
    assert isinstance(error.cause, wsman.MalformedAnswer)
