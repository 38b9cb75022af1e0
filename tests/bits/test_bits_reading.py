"""From what hosts really answered to jobs, errors and what faults mean."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import FILE_RESOURCE

from bitsshell.bits import (
    AccessDenied,
    BitsProvider,
    CodeError,
    ErrorContext,
    GetError,
    GetJob,
    Job,
    JobFile,
    JobGone,
    JobList,
    JobState,
    ListJobs,
    Priority,
    ProviderMissing,
)
from bitsshell.bits.faults import translate
from bitsshell.bits.reading import read_error, read_job
from bitsshell.wsman import (
    Answer,
    Fault,
    Get,
    Instance,
    Invoke,
    MalformedAnswer,
    Retry,
    WSManClient,
    WSManError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bitsshell.bits import Operation
    from bitsshell.errors import BitsShellError
    from bitsshell.wsman import Property

ID = "9D5C4B47-E79E-4090-BC3B-552578D0EC8C"
BASE = {"JobId": f"{{{ID}}}"}


class Replay:
    """A wire that answers with captures, one after the other."""

    def __init__(self, *paths: Path) -> None:
        self.paths = list(paths)

    def exchange(self, envelope: bytes, *, connect_s: float, read_s: float) -> Answer:
        body = self.paths.pop(0).read_bytes()
        status = 500 if b"Fault>" in body else 200
        return Answer(status, {"content-type": "application/soap+xml;charset=UTF-8"}, body)

    def abort(self) -> None: ...

    def close(self) -> None: ...


def client_of(*paths: Path) -> WSManClient:
    wire = Replay(*paths)
    never = Retry(attempts=1)
    return WSManClient(lambda: wire, host="srv01", to="http://srv01/wsman", retry=never)


def answer(captures: Path, operation: Operation, *names: str) -> object:
    paths = [captures / "omi" / f"{name}.response.xml" for name in names]
    return BitsProvider(client_of(*paths), host="srv01").perform(operation).value


def job(captures: Path, name: str) -> Job:
    value = answer(captures, GetJob(ID), name)
    assert isinstance(value, Job)
    return value


def test_a_captured_job_with_unicode_escapes_and_two_files(captures: Path) -> None:
    assert job(captures, "004-get-unicode-escapes-2-files") == Job(
        host="srv01",
        id="11111111-1111-4111-8111-111111111111",
        name="R&D \"nightly\" <build> 'x'",
        description="Übertragung – 传输 😀",
        state=JobState.TRANSFERRING,
        priority=Priority.NORMAL,
        owner=r"NT AUTHORITY\NETWORK SERVICE",
        created_filetime=134000000000000000,
        modified_filetime=134000000123456789,
        bytes_total=10737418240,
        bytes_transferred=2684354560,
        files_total=2,
        minimum_retry_delay_s=600,
        no_progress_timeout_s=1209600,
        files=(
            JobFile(
                "http://files.example.test/a.iso?x=1&y=2",
                r"C:\Temp\a.iso",
                5368709120,
                1342177280,
            ),
            JobFile(
                "http://files.example.test/b.iso", r"C:\Temp\b & c.iso", 5368709120, 1342177280
            ),
        ),
    )


def test_a_captured_job_with_a_null_description_and_an_unknown_size(captures: Path) -> None:
    found = job(captures, "005-get-null-description-size-unknown")
    assert (found.description, found.reference) == ("", None)
    assert found.bytes_total is None
    assert found.fraction is None
    assert found.state is JobState.SUSPENDED
    assert [file.bytes_total for file in found.files] == [None]


def test_a_captured_job_in_error(captures: Path) -> None:
    found = job(captures, "006-get-error-state")
    assert found.state is JobState.ERROR
    assert found.state.has_error
    assert found.error_count == 1


def test_a_captured_job_that_is_transferred_with_three_files(captures: Path) -> None:
    found = job(captures, "007-get-transferred-3-files")
    assert found.state is JobState.TRANSFERRED
    assert found.completed_at is not None
    assert len(found.files) == found.files_total == found.files_transferred == 3
    assert not any(file.is_completed for file in found.files), "that comes with complete"


@pytest.mark.parametrize("name", ["008-get-files-null", "009-get-files-empty-array"])
def test_a_captured_job_without_files_has_none(captures: Path, name: str) -> None:
    assert job(captures, name).files == ()


def test_blanks_tabs_and_line_breaks_of_a_captured_description_are_kept(captures: Path) -> None:
    description = "  two  spaces, tab\there, newline\nhere  "
    assert job(captures, "008-get-files-null").description == description


def test_a_captured_queue(captures: Path) -> None:
    value = answer(captures, ListJobs(), "062-enum-wql-star-uri")
    assert isinstance(value, JobList)
    assert value.jobs == (job(captures, "004-get-unicode-escapes-2-files"),)


def test_a_captured_projection_has_defaults_for_what_was_not_asked(captures: Path) -> None:
    value = answer(captures, ListJobs(("JobId", "State")), "073-enum-wql-projection")
    assert isinstance(value, JobList)
    assert value.jobs[0] == Job(
        host="srv01", id="11111111-1111-4111-8111-111111111111", state=JobState.TRANSFERRING
    )


def test_a_captured_error_of_a_job(captures: Path) -> None:
    value = answer(captures, GetError(ID), "146-invoke-geterror")
    assert value is not None
    assert getattr(value, "code", None) == 0x80190194
    assert getattr(value, "context", None) is ErrorContext.REMOTE_FILE


def test_a_captured_return_value_that_is_an_error_is_one(captures: Path) -> None:
    with pytest.raises(CodeError) as caught:
        answer(captures, GetError(ID), "147-invoke-geterror-no-error")
    assert caught.value.code == 0x8020000B


# Faults


def fault_in(captures: Path, name: str) -> Fault:
    with pytest.raises(Fault) as caught:
        client_of(captures / name).send(Get("urn:x/Job"))
    return caught.value


READ = Get("urn:x/Job")
CHANGE = Invoke("urn:x/Job", "CreateJob")


def meaning(fault: Fault, job_id: str | None = ID, *, is_read: bool = True) -> BitsShellError:
    return translate(fault, action="do it", host="srv01", job_id=job_id, is_read=is_read)


GONE = JobGone(host="srv01", job=ID)
MISSING = ProviderMissing(host="srv01")


@pytest.mark.parametrize(
    ("name", "with_job", "without"),
    [
        ("windows-winrm-fault-wmi-missing-instance-DestinationUnreachable.xml", GONE, MISSING),
        ("omi/013-get-missing-job.response.xml", GONE, MISSING),
        ("omi/143-invoke-setjobstate-missing-job.response.xml", GONE, MISSING),
        ("winrb_soap_fault_v1.xml", MISSING, MISSING),
        ("winrb_soap_fault_v2.xml", MISSING, MISSING),
    ],
)
def test_captured_faults_of_what_is_not_there(
    captures: Path, name: str, with_job: BitsShellError, without: BitsShellError
) -> None:
    fault = fault_in(captures, name)
    assert meaning(fault) == with_job
    assert meaning(fault, None) == without


@pytest.mark.parametrize(
    ("name", "code", "symbol"),
    [
        ("win_fault_invalid_parameter_87.xml", 87, "ERROR_INVALID_PARAMETER"),
        ("win_fault_internalerror_80070002.xml", 0x80070002, "ERROR_FILE_NOT_FOUND"),
        ("win_fault_invalid_selectors.xml", 2150858843, "ERROR_WSMAN_UNEXPECTED_SELECTORS"),
        ("winrb_wmi_error_v2.xml", 2150859173, "ERROR_WSMAN_QUOTA_MAX_SHELLS"),
    ],
)
def test_captured_faults_become_codes_that_are_explained(
    captures: Path, name: str, code: int, symbol: str
) -> None:
    error = meaning(fault_in(captures, name))
    assert isinstance(error, CodeError)
    assert (error.code, error.explanation.symbol) == (code, symbol)
    assert (error.host, error.job, error.action) == ("srv01", ID, "do it")
    assert pickle.loads(pickle.dumps(error)) == error


def test_a_captured_time_out_of_a_change_leaves_open_what_happened(captures: Path) -> None:
    with pytest.raises(Fault) as caught:
        client_of(captures / "win_fault_timedout.xml").send(CHANGE)
    error = meaning(caught.value, is_read=False)
    assert isinstance(error, WSManError)
    assert error.may_have_been_applied


def test_a_captured_fault_without_any_code_stays_what_it_is(captures: Path) -> None:
    fault = fault_in(captures, "omi/016-get-no-selectors.response.xml")
    assert meaning(fault) is fault
    assert fault.job == ID


@pytest.mark.parametrize("code", [5, 0x80041003, 0x80338104, 0x80338105, 0x80338106])
def test_every_code_of_denied_access_is_one(code: int) -> None:
    assert isinstance(meaning(Fault(codes=(code,))), AccessDenied)


# Answers that are not as they should be


def test_an_unknown_state_and_a_property_of_a_future_windows_are_tolerated() -> None:
    found = read_job(
        Instance("BitsClientJob", {**BASE, "State": "42", "Priority": "9", "Colour": "red"}),
        host="srv01",
    )
    assert (found.state.name, found.priority.name) == ("UNKNOWN_42", "UNKNOWN_9")
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize("job_id", [None, "", "{}", "what", "{9D5C4B47}"])
def test_a_job_without_an_id_is_no_job(job_id: str | None) -> None:
    with pytest.raises(MalformedAnswer, match="JobId"):
        read_job(Instance("BitsClientJob", {"JobId": job_id}), host="srv01")


@pytest.mark.parametrize("value", ["-1", "x", "1.5", str(2**64), ["1", "2"]])
@pytest.mark.parametrize("name", ["State", "BytesTotal", "FilesTotal", "JobCreationTime"])
def test_a_number_that_is_none_is_the_answers_error(name: str, value: Property) -> None:
    with pytest.raises(MalformedAnswer, match=name):
        read_job(Instance("BitsClientJob", {**BASE, name: value}), host="srv01")


@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("State", "Priority", "Description", "DisplayName", "BytesTotal", "Files"),
                *("Owner", "JobCreationTime", "FilesTotal", "MinimumRetryDelay"),
            ]
        ),
        st.none()
        | st.text()
        | st.integers(-1, 2**65).map(str)
        | st.lists(st.text(), min_size=2).map(list),
    )
)
def test_whatever_a_host_says_is_a_job_or_a_malformed_answer(properties: dict[str, object]) -> None:
    try:
        found = read_job(Instance("BitsClientJob", {**BASE, **properties}), host="srv01")  # type: ignore[dict-item]
    except MalformedAnswer:
        return
    assert found.id == ID


def test_numbers_with_blanks_around_them_are_numbers() -> None:
    found = read_job(
        Instance("BitsClientJob", {**BASE, "State": " 6 ", "BytesTotal": " 7 ", "FilesTotal": "1"}),
        host="srv01",
    )
    assert (found.state, found.bytes_total) == (JobState.TRANSFERRED, 7)


def test_files_that_say_little_are_files() -> None:
    bare = Instance("BitsClientFile", {"RemoteUrl": None}, FILE_RESOURCE)
    found = read_job(Instance("BitsClientJob", {**BASE, "Files": bare}), host="srv01")
    assert found.files == (JobFile("", ""),)


def test_an_error_without_a_context_is_of_an_unknown_one() -> None:
    error = read_error(Instance("GetError_OUTPUT", {}), host="srv01", job_id=ID)
    assert (error.code, error.context) == (0, ErrorContext.UNKNOWN)
    odd = Instance("GetError_OUTPUT", {"ErrorContext": "77", "ErrorCode": "1"})
    assert read_error(odd, host="srv01", job_id=ID).context.name == "UNKNOWN_77"
