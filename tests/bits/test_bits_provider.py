"""Reading jobs and changing them one by one, against scripted hosts."""

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
    AccessDenied,
    AddFile,
    AnswerWasLost,
    ChangeState,
    CodeError,
    Done,
    ErrorContext,
    FileSpec,
    GetDetail,
    GetError,
    GetJob,
    HostIdentity,
    IdentifyHost,
    Job,
    JobAction,
    JobDetail,
    JobError,
    JobGone,
    JobList,
    JobProperty,
    JobState,
    ListJobs,
    Operation,
    ProviderMissing,
    QueueUnreadable,
    SetProperty,
    explain,
)

FILE = FileSpec("http://files/b.bin", r"C:\in\b.bin")
HELD = ((FILE.url, FILE.path),)
ADD = AddFile(ID, FILE)
PARTIAL_COMPLETE = 0x00200017
INVALID_STATE = 0x80200002


def perform(operation: Operation, *steps: Step) -> tuple[Done, ScriptedHost]:
    host = ScriptedHost(*steps)
    return host.provider.perform(operation), host


def failure(operation: Operation, *steps: Step) -> tuple[Exception, ScriptedHost]:
    host = ScriptedHost(*steps)
    with pytest.raises(Exception) as caught:  # what it is, the caller looks at
        host.provider.perform(operation)
    return caught.value, host


# Reading


def test_the_queue_is_read_by_one_enumeration() -> None:
    done, host = perform(ListJobs(), queue(instance(ID), instance(OLD, State=6)))
    assert isinstance(done.value, JobList)
    assert [(job.id, job.state.name) for job in done.value.jobs] == [
        (ID, "SUSPENDED"),
        (OLD, "TRANSFERRED"),
    ]
    assert not done.value.partial
    assert host.names == ["Enumerate"]


def test_some_properties_are_asked_for_by_wql() -> None:
    _, host = perform(ListJobs(("JobId", "State")), queue())
    assert host.asked[0]["wql"] == "SELECT JobId,State FROM BitsClientJob"


def test_known_jobs_are_read_one_by_one_where_a_deleted_owner_breaks_the_enumeration() -> None:
    gone, broken = "33333333-3333-4333-8333-333333333333", "44444444-4444-4444-8444-444444444444"
    done, host = perform(
        ListJobs(known_ids=(ID, gone, broken, OLD)),
        WBEM_E_FAILED,
        job(ID),
        NOT_FOUND,
        queue(),  # the class is there, so it is the job that is not
        WBEM_E_FAILED,
        job(OLD),
    )
    assert isinstance(done.value, JobList)
    assert done.value.partial
    assert [job.id for job in done.value.jobs] == [ID, OLD]
    assert host.names == ["Enumerate", "Get", "Get", "Enumerate", "Get", "Get"]


def test_a_queue_that_cannot_be_enumerated_says_so_where_nothing_is_known() -> None:
    error, _ = failure(ListJobs(), fault(2150859010, 2147749889))
    assert error == QueueUnreadable(host="srv01")
    assert "bitsadmin /list /allusers" in str(error)


def test_a_host_that_breaks_down_in_the_one_by_one_reading_is_an_error() -> None:
    error, _ = failure(ListJobs(known_ids=(ID, OLD)), WBEM_E_FAILED, job(ID), DOWN)
    assert isinstance(error, wsman.ConnectFailed)


@pytest.mark.parametrize("code", [2150858752, 2150858778, 2147749902, 2147749904, 2147749905])
def test_a_missing_provider_names_the_feature_and_how_to_install_it(code: int) -> None:
    error, _ = failure(ListJobs(), fault(code))
    assert error == ProviderMissing(host="srv01")
    assert "Install-WindowsFeature BITS-Compact-Server" in str(error)


def test_a_job_that_is_gone_is_told_apart_from_a_provider_that_is_missing() -> None:
    error, host = failure(GetJob(ID), NOT_FOUND, queue())
    assert error == JobGone(host="srv01", job=ID)
    assert host.asked[1]["wql"] == "SELECT JobId FROM BitsClientJob"
    error, _ = failure(GetJob(ID), NOT_FOUND, fault(2150858778))
    assert error == ProviderMissing(host="srv01")
    error, _ = failure(GetJob(ID), NOT_FOUND, NOT_FOUND)
    assert error == ProviderMissing(host="srv01")


def test_a_job_counts_as_gone_where_nobody_can_say_whether_the_class_is_missing() -> None:
    error, _ = failure(GetJob(ID), NOT_FOUND, DOWN)
    assert error == JobGone(host="srv01", job=ID)


def test_access_that_is_denied_names_who_may() -> None:
    error, _ = failure(GetJob(ID), ACCESS_DENIED)
    assert error == AccessDenied("read the job", 5, host="srv01", job=ID)
    assert "Administrators" in str(error)


def test_e_accessdenied_is_the_accounts_rights_on_a_read_and_a_folders_on_a_change() -> None:
    error, _ = failure(GetJob(ID), fault(0x80070005))
    assert isinstance(error, AccessDenied)
    error, _ = failure(ADD, job(), fault(0x80070005))
    assert isinstance(error, CodeError)
    assert error.hint == explain(0x80070005).remedy != ""


def test_the_most_telling_code_of_a_chain_is_explained() -> None:
    error, _ = failure(ChangeState(ID, JobAction.RESUME), job(), fault(2150859010, INVALID_STATE))
    assert error == CodeError("resume the job", INVALID_STATE, text="no", host="srv01", job=ID)
    assert "BG_E_INVALID_STATE" in str(error)


def test_a_code_that_no_table_knows_shows_the_hosts_own_words() -> None:
    error, _ = failure(GetJob(ID), fault(0x80AB0001))
    assert isinstance(error, CodeError)
    assert error.what() == "read the job was refused: 0x80AB0001. no"


def test_identify_asks_neither_for_bits_nor_for_the_provider() -> None:
    identity = (
        '<i:IdentifyResponse xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/'
        'wsmanidentity.xsd"><i:ProtocolVersion>x</i:ProtocolVersion>'
        "<i:ProductVendor>Microsoft Corporation</i:ProductVendor>"
        "<i:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</i:ProductVersion>"
        "</i:IdentifyResponse>"
    )
    done, host = perform(IdentifyHost(), soap(identity))
    assert done.value == HostIdentity("OS: 10.0.20348 SP: 0.0 Stack: 3.0")
    assert host.names == ["Identify"]


# The error of a job


SAID = output(ErrorCode=0x80190194, ErrorContext=5, ErrorDescription=" not found \r\n")
NONE = 0x8020000F


def test_the_error_of_a_job_comes_with_its_explanation() -> None:
    done, host = perform(GetError(ID, 1031), SAID)
    assert done.value == JobError(
        host="srv01",
        job_id=ID,
        code=0x80190194,
        context=ErrorContext.REMOTE_FILE,
        description="not found",
    )
    assert done.value.explanation.symbol == "BG_E_HTTP_ERROR_404"
    assert host.asked[0]["LanguageId"] == "1031"


@pytest.mark.parametrize("none", [output(NONE), output(-2145386481), fault(NONE)])
def test_a_job_without_an_error_has_none_however_the_host_says_it(none: Step) -> None:
    done, _ = perform(GetError(ID), none)
    assert done == Done(None)


@pytest.mark.parametrize("refused", [output(INVALID_STATE), fault(INVALID_STATE)])
def test_any_other_refusal_of_get_error_is_an_error(refused: Step) -> None:
    error, _ = failure(GetError(ID), refused)
    assert isinstance(error, CodeError)
    assert error.code == INVALID_STATE


def test_get_error_is_a_read_and_may_be_sent_again() -> None:
    error, _ = failure(GetError(ID), LOST)
    assert isinstance(error, wsman.AnswerLost)
    assert not error.may_have_been_applied


@pytest.mark.parametrize(
    ("state", "names"), [(4, ["Get", "GetError"]), (5, ["Get", "GetError"]), (2, ["Get"])]
)
def test_detail_asks_for_an_error_only_where_there_can_be_one(state: int, names: list[str]) -> None:
    steps = [job(State=state), SAID][: len(names)]
    done, host = perform(GetDetail(ID), *steps)
    assert isinstance(done.value, JobDetail)
    assert (done.value.error is not None) is (len(names) == 2)
    assert host.names == names


# Files


def test_add_file_looks_adds_and_reads_back() -> None:
    done, host = perform(ADD, job(), output(), job(files=HELD))
    assert host.names == ["Get", "AddFile", "Get"]
    assert host.asked[1].arguments == (("remoteUrl", FILE.url), ("localFile", FILE.path))
    assert done.value is not None
    assert not done.already


def test_add_file_twice_adds_once() -> None:
    done, host = perform(ADD, job(files=HELD))
    assert done.already
    assert host.names == ["Get"]


@pytest.mark.parametrize("refusal", [87, 2150858817, 2150859038, 2150858810, 0x80041008])
def test_add_file_tries_the_other_case_of_its_parameters_once_and_keeps_it(refusal: int) -> None:
    host = ScriptedHost(job(), fault(refusal), output(), job(), job(), output(), job())
    host.provider.perform(ADD)
    host.provider.perform(ADD)
    assert host.names == ["Get", "AddFile", "AddFile", "Get", "Get", "AddFile", "Get"]
    names = [asked.arguments[0][0] for asked in host.asked if asked.name == "AddFile"]
    assert names == ["remoteUrl", "RemoteUrl", "RemoteUrl"]


def test_add_file_gives_the_first_refusal_where_neither_case_will_do() -> None:
    error, host = failure(ADD, job(), fault(87), fault(2150858817))
    assert isinstance(error, CodeError)
    assert error.code == 87
    assert host.provider.add_file_names == ("remoteUrl", "localFile")


def test_add_file_does_not_try_another_case_for_a_refusal_that_bits_gives() -> None:
    error, host = failure(ADD, job(), output(0x8020001C))
    assert isinstance(error, CodeError)
    assert error.explanation.symbol == "BG_E_TOO_MANY_FILES"
    assert host.names == ["Get", "AddFile"]


@pytest.mark.parametrize("lost", [LOST, TIMED_OUT, wsman.AnswerTimeout])
def test_an_add_file_whose_answer_was_lost_is_found_in_the_job(lost: Step) -> None:
    done, host = perform(ADD, job(), lost, job(files=HELD), job(files=HELD))
    assert not done.already
    assert host.names == ["Get", "AddFile", "Get", "Get"]


@pytest.mark.parametrize("look", [job(), DOWN, ACCESS_DENIED])
def test_an_add_file_that_is_not_found_is_unknown_and_not_sent_again(look: Step) -> None:
    error, host = failure(ADD, job(), LOST, look)
    assert error == AnswerWasLost(f"add {FILE.url}", host="srv01", job=ID)
    assert host.names == ["Get", "AddFile", "Get"]


def test_an_add_file_that_was_not_sent_is_no_lost_answer() -> None:
    error, host = failure(ADD, job(), DOWN)
    assert isinstance(error, wsman.ConnectFailed)
    assert host.names == ["Get", "AddFile"]


# Properties


SET = SetProperty(ID, JobProperty.PRIORITY, 0)


def test_a_property_is_put_as_one_fragment_and_the_job_read_back() -> None:
    done, host = perform(SET, put(), job(Priority=0))
    assert host.names == ["Put", "Get"]
    assert host.asked[0].arguments == (("Priority", "0"),)
    assert host.asked[0].job_id == f"{{{ID}}}"
    assert done.value is not None


@pytest.mark.parametrize("lost", [LOST, TIMED_OUT])
def test_a_property_is_put_again_after_a_lost_answer(lost: Step) -> None:
    _, host = perform(SET, lost, put(), job())
    assert host.names == ["Put", "Put", "Get"]


def test_a_change_that_cannot_be_read_back_is_done_all_the_same() -> None:
    done, _ = perform(SET, put(), DOWN)
    assert done == Done(None)


def test_a_property_of_a_job_that_is_gone_says_so() -> None:
    error, _ = failure(SET, NOT_FOUND, queue())
    assert error == JobGone(host="srv01", job=ID)


def test_a_new_description_keeps_the_jobs_reference() -> None:
    operation = SetProperty(ID, JobProperty.DESCRIPTION, "new", reference="0123456789")
    _, host = perform(operation, put(), job())
    assert host.asked[0]["Description"] == "new [ref:0123456789]"


# State


@pytest.mark.parametrize(
    ("action", "before", "after", "steps"),
    [
        (JobAction.RESUME, 3, JobState.QUEUED, [job(State=0)]),
        (JobAction.SUSPEND, 2, JobState.SUSPENDED, [job(State=3)]),
        (JobAction.COMPLETE, 6, JobState.ACKNOWLEDGED, []),
        (JobAction.CANCEL, 2, JobState.CANCELLED, []),
    ],
)
def test_every_action_is_sent_by_its_number_after_a_look(
    action: JobAction, before: int, after: JobState, steps: list[Step]
) -> None:
    done, host = perform(ChangeState(ID, action), job(State=before), output(), *steps)
    assert host.asked[1].name == "SetJobState"
    assert host.asked[1]["JobState"] == str(int(action))
    assert [found.state for found in [done.value] if found is not None] == [after]  # type: ignore[union-attr]
    assert not host.steps


@pytest.mark.parametrize(
    ("action", "state"),
    [
        (JobAction.RESUME, 0),
        (JobAction.RESUME, 1),
        (JobAction.RESUME, 2),
        (JobAction.SUSPEND, 3),
        (JobAction.COMPLETE, 7),
        (JobAction.CANCEL, 8),
    ],
)
def test_what_is_already_so_is_not_sent(action: JobAction, state: int) -> None:
    done, host = perform(ChangeState(ID, action), job(State=state))
    assert done.already
    assert host.names == ["Get"]


def test_cancelling_a_job_that_is_gone_counts_as_done() -> None:
    done, _ = perform(ChangeState(ID, JobAction.CANCEL), NOT_FOUND, queue())
    assert done == Done(None, already=True)
    done, _ = perform(ChangeState(ID, JobAction.CANCEL), job(), output(0x80200001))
    assert done == Done(None, already=True)


def test_completing_a_job_that_is_gone_does_not_for_it_may_have_been_cancelled() -> None:
    error, _ = failure(ChangeState(ID, JobAction.COMPLETE), NOT_FOUND, queue())
    assert error == JobGone(host="srv01", job=ID)


@pytest.mark.parametrize("refused", [output(INVALID_STATE), fault(INVALID_STATE)])
def test_a_refusal_reads_the_same_as_a_return_value_and_as_a_fault(refused: Step) -> None:
    error, _ = failure(ChangeState(ID, JobAction.RESUME), job(), refused)
    assert isinstance(error, CodeError)
    assert (error.code, error.action, error.job) == (INVALID_STATE, "resume the job", ID)


@pytest.mark.parametrize("returned", [5, 87, 0x80041003, 0xFFFFFFFF, "-2145386494"])
def test_a_return_value_that_is_no_success_is_an_error(returned: object) -> None:
    error, _ = failure(ChangeState(ID, JobAction.RESUME), job(), output(returned))
    assert isinstance(error, CodeError | AccessDenied)


@pytest.mark.parametrize("warning", [1, PARTIAL_COMPLETE, 0x0020001A])
def test_a_success_that_carries_a_warning_is_a_success_with_that_warning(warning: int) -> None:
    done, _ = perform(ChangeState(ID, JobAction.COMPLETE), job(State=4), output(warning))
    assert done.warning == warning
    assert not done.already


def test_a_return_value_that_is_no_number_leaves_open_what_happened() -> None:
    error, _ = failure(ChangeState(ID, JobAction.COMPLETE), job(State=6), output("x"), DOWN)
    assert isinstance(error, AnswerWasLost)


LEAVING = [JobAction.CANCEL, JobAction.COMPLETE]


@pytest.mark.parametrize("action", LEAVING)
@pytest.mark.parametrize("lost", [LOST, TIMED_OUT])
def test_a_job_that_left_the_queue_did_so_by_the_action_whose_answer_was_lost(
    action: JobAction, lost: Step
) -> None:
    done, host = perform(ChangeState(ID, action), job(State=6), lost, NOT_FOUND, queue())
    assert done.value is not None
    assert host.names == ["Get", "SetJobState", "Get", "Enumerate"]


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        (JobAction.RESUME, 3, 0),
        (JobAction.RESUME, 3, 2),
        (JobAction.RESUME, 3, 6),
        (JobAction.SUSPEND, 2, 3),
    ],
)
def test_the_job_tells_whether_an_action_took_effect_whose_answer_was_lost(
    action: JobAction, before: int, after: int
) -> None:
    _, host = perform(
        ChangeState(ID, action), job(State=before), LOST, job(State=after), job(State=after)
    )
    assert host.names == ["Get", "SetJobState", "Get", "Get"]


@pytest.mark.parametrize("action", [JobAction.RESUME, JobAction.CANCEL, JobAction.COMPLETE])
def test_an_action_that_took_no_effect_is_sent_once_more(action: JobAction) -> None:
    steps: list[Step] = [job(), LOST, job(), output()]
    steps += [job(State=0)] * (action is JobAction.RESUME)
    done, host = perform(ChangeState(ID, action), *steps)
    assert host.names[:4] == ["Get", "SetJobState", "Get", "SetJobState"]
    assert done.value is not None


@pytest.mark.parametrize("action", LEAVING)
def test_a_late_first_action_makes_the_second_find_nothing(action: JobAction) -> None:
    done, _ = perform(ChangeState(ID, action), job(), LOST, job(), NOT_FOUND, queue())
    assert done.value is not None


@pytest.mark.parametrize("action", list(JobAction))
def test_an_action_whose_second_answer_is_lost_too_is_unknown(action: JobAction) -> None:
    before = 2 if action is JobAction.SUSPEND else 3
    error, host = failure(ChangeState(ID, action), job(State=before), LOST, job(State=before), LOST)
    assert error == AnswerWasLost(f"{action.name.lower()} the job", host="srv01", job=ID)
    assert "UNKNOWN" in str(error)
    assert host.names == ["Get", "SetJobState", "Get", "SetJobState"]


@pytest.mark.parametrize("look", [DOWN, ACCESS_DENIED])
def test_an_action_whose_job_cannot_be_asked_is_unknown(look: Step) -> None:
    error, _ = failure(ChangeState(ID, JobAction.CANCEL), job(), LOST, look)
    assert isinstance(error, AnswerWasLost)


def test_resuming_a_job_that_is_gone_after_a_lost_answer_says_so() -> None:
    error, _ = failure(ChangeState(ID, JobAction.RESUME), job(), LOST, NOT_FOUND, queue())
    assert error == JobGone(host="srv01", job=ID)


def test_whoever_aborts_a_change_does_not_wait_for_what_became_of_it() -> None:
    aborted = wsman.CallAborted(sent=True)
    error, host = failure(ChangeState(ID, JobAction.CANCEL), job(), aborted)
    assert isinstance(error, AnswerWasLost)
    assert host.names == ["Get", "SetJobState"]


@pytest.mark.parametrize(
    ("state", "warning", "whole"), [(6, 0, True), (6, PARTIAL_COMPLETE, False), (4, 0, False)]
)
def test_files_are_completed_when_all_of_a_finished_job_was(
    state: int, warning: int, whole: bool
) -> None:
    held = job(State=state, files=HELD)
    done, _ = perform(ChangeState(ID, JobAction.COMPLETE), held, output(warning))
    assert isinstance(done.value, Job)
    assert [file.is_completed for file in done.value.files] == [whole]
