"""The provider on practice hosts: real answers, and answers that really get lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitsshell import wsman
from bitsshell.bits import (
    AccessDenied,
    AddFile,
    AnswerWasLost,
    BitsProvider,
    ChangeState,
    CodeError,
    CreateFailed,
    CreateJob,
    ErrorContext,
    FileSpec,
    GetDetail,
    GetError,
    GetJob,
    Job,
    JobAction,
    JobDetail,
    JobGone,
    JobList,
    JobProperty,
    JobState,
    ListJobs,
    NotAccepted,
    NotCreated,
    Operation,
    Priority,
    ProviderMissing,
    QueueUnreadable,
    SetProperty,
    new_reference,
)
from bitsshell.practice import (
    AddFileCase,
    MethodErrors,
    PracticeFleet,
    PracticeHost,
    PracticeSettings,
    WinRmSettings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
NOBODY = "00000000-0000-4000-8000-000000000000"
QUICK = wsman.Retry(first_delay_s=0.01, max_delay_s=0.02)


@pytest.fixture(scope="module")
def fleet() -> Iterator[PracticeFleet]:
    with PracticeFleet(hosts=1) as running:
        yield running


@pytest.fixture
def host(fleet: PracticeFleet) -> Iterator[PracticeHost]:
    """A host with an empty queue and no faults, before and after."""
    host = fleet.hosts[0]
    yield host
    host.faults.disarm()
    cleaner = provider_of(host)
    for job in host.jobs():
        cleaner.perform(ChangeState(job.id.strip("{}"), JobAction.CANCEL))
    cleaner.client.close()


def provider_of(host: PracticeHost, retry: wsman.Retry = QUICK) -> BitsProvider:
    endpoint = wsman.Endpoint(
        url=host.endpoint, auth="basic", username=host.username, password=host.password
    )
    client = wsman.WSManClient.at(endpoint, retry=retry)
    return BitsProvider(client, host=host.name, sleep=lambda _: None)


@pytest.fixture
def bits(host: PracticeHost) -> Iterator[BitsProvider]:
    provider = provider_of(host)
    yield provider
    provider.client.close()


@pytest.fixture
def url(fleet: PracticeFleet) -> str:
    return fleet.files[0].url


def creation(url: str, **options: object) -> CreateJob:
    files = (FileSpec(url, r"C:\in\a.bin"),)
    plain = CreateJob(name="nightly", files=files, reference=new_reference(), suspended=True)
    return replace(plain, **options)  # type: ignore[arg-type]


def done(provider: BitsProvider, operation: Operation, kind: type[T]) -> T:
    value = provider.perform(operation).value
    assert isinstance(value, kind)
    return value


def state_of(host: PracticeHost, job: Job) -> str:
    return next(held.state.name for held in host.jobs() if held.id.strip("{}") == job.id)


def test_the_four_steps(bits: BitsProvider, host: PracticeHost, url: str) -> None:
    job = done(bits, creation(url, description="mine"), Job)
    assert (job.state, job.description) == (JobState.SUSPENDED, "mine")
    job = done(bits, SetProperty(job.id, JobProperty.PRIORITY, 0), Job)
    assert job.priority is Priority.FOREGROUND
    done(bits, ChangeState(job.id, JobAction.RESUME), Job)
    host.wait_for(lambda jobs: jobs[0].state.name == "TRANSFERRED")
    job = done(bits, GetJob(job.id), Job)
    assert job.bytes_transferred == job.bytes_total
    job = done(bits, ChangeState(job.id, JobAction.COMPLETE, job.state), Job)
    assert job.state is JobState.ACKNOWLEDGED
    assert host.jobs() == ()
    assert host.path(r"C:\in\a.bin").is_file()


def test_every_property_that_can_be_set_is_set(bits: BitsProvider, url: str) -> None:
    operation = creation(url)
    job = done(bits, operation, Job)
    for prop, value, attribute in (
        (JobProperty.NAME, "other", "name"),
        (JobProperty.DESCRIPTION, "new words", "description"),
        (JobProperty.PRIORITY, Priority.LOW, "priority"),
        (JobProperty.RETRY_DELAY, 120, "minimum_retry_delay_s"),
        (JobProperty.NO_PROGRESS_TIMEOUT, 240, "no_progress_timeout_s"),
    ):
        change = SetProperty(job.id, prop, value, reference=job.reference)
        assert getattr(done(bits, change, Job), attribute) == value
    assert done(bits, GetJob(job.id), Job).reference == operation.reference


def test_the_same_create_performed_twice_makes_one_job(
    bits: BitsProvider, host: PracticeHost, url: str
) -> None:
    for operation in (creation(url), creation(url, suspended=False)):
        first = done(bits, operation, Job)
        second = done(bits, operation, Job)
        assert first.id == second.id
    assert len(host.jobs()) == 2
    assert host.stats.calls["CreateJob"] >= 2


@pytest.mark.parametrize("fault", ["lost-answer", "half-answer"])
def test_a_create_whose_answer_was_lost_is_adopted(
    bits: BitsProvider, host: PracticeHost, url: str, fault: str
) -> None:
    before = host.stats.calls.get("CreateJob", 0)
    host.faults.arm(fault, operation="CreateJob", times=1)
    operation = creation(url)
    job = done(bits, operation, Job)
    assert job.reference == operation.reference
    assert [held.id.strip("{}") for held in host.jobs()] == [job.id]
    assert host.stats.calls["CreateJob"] == before + 1


def test_a_create_that_was_never_carried_out_says_so(
    bits: BitsProvider, host: PracticeHost, url: str
) -> None:
    bits.perform(ListJobs())
    host.faults.arm("no-answer", operation="CreateJob", times=1)
    with pytest.raises(NotCreated):
        bits.perform(creation(url))
    assert host.jobs() == ()


@pytest.mark.parametrize("fault", ["timed-out", "garbage"])
def test_a_create_that_did_not_end_in_time_or_in_words_is_looked_for(
    bits: BitsProvider, host: PracticeHost, url: str, fault: str
) -> None:
    host.faults.arm(fault, operation="CreateJob", times=1)
    with pytest.raises(NotCreated):
        bits.perform(creation(url))


def test_a_create_that_nobody_can_ask_about_gives_its_reference(
    bits: BitsProvider, host: PracticeHost, url: str
) -> None:
    operation = creation(url)
    bits.sleep = lambda _: host.faults.arm("no-answer")  # between the first look and the second
    host.faults.arm("no-answer", operation="CreateJob", times=1)
    with pytest.raises(AnswerWasLost) as caught:
        bits.perform(operation)
    assert caught.value.reference == operation.reference


@pytest.mark.parametrize("step", ["Put", "AddFile", "SetJobState"])
def test_a_create_that_fails_half_way_leaves_nothing_behind(
    bits: BitsProvider, host: PracticeHost, url: str, step: str
) -> None:
    files = (FileSpec(url, r"C:\in\a.bin"), FileSpec(url, r"C:\in\b.bin"))
    host.faults.arm("fault", operation=step, times=1, code=0x80070057)
    operation = creation(url, files=files, priority=Priority.HIGH, suspended=False)
    with pytest.raises(CreateFailed) as caught:
        bits.perform(operation)
    assert "the half-made job was cancelled" in str(caught.value)
    assert host.jobs() == ()


def test_a_half_made_job_that_cannot_be_cancelled_is_still_there(
    bits: BitsProvider, host: PracticeHost, url: str
) -> None:
    host.faults.arm("fault", operation="Put", code=0x80070057)
    host.faults.arm("access-denied", operation="SetJobState")
    with pytest.raises(CreateFailed, match="STILL THERE") as caught:
        bits.perform(creation(url, priority=Priority.HIGH))
    assert isinstance(caught.value.cancel_error, AccessDenied)
    assert [held.id.strip("{}") for held in host.jobs()] == [caught.value.job]


def test_replace_takes_the_old_job_only_when_the_new_one_stands(
    bits: BitsProvider, host: PracticeHost, url: str
) -> None:
    old = done(bits, creation(url), Job)
    new = creation(url, replaces=(old.id,))
    host.faults.arm("fault", operation="CreateJob", times=1, code=0x80070057)
    with pytest.raises(CodeError):
        bits.perform(new)
    assert [held.id.strip("{}") for held in host.jobs()] == [old.id]
    assert [held.id.strip("{}") for held in host.jobs()] != [done(bits, new, Job).id]
    assert len(host.jobs()) == 1


@pytest.mark.parametrize("fault", ["lost-answer", "no-answer"])
@pytest.mark.parametrize(
    ("action", "state"),
    [(JobAction.RESUME, "TRANSFERRED"), (JobAction.SUSPEND, "SUSPENDED"), (JobAction.CANCEL, "")],
)
def test_an_action_whose_answer_was_lost_takes_effect_exactly_once(
    bits: BitsProvider, host: PracticeHost, url: str, fault: str, action: JobAction, state: str
) -> None:
    job = done(bits, creation(url, suspended=action is not JobAction.SUSPEND), Job)
    if action is JobAction.SUSPEND:
        host.wait_for(lambda jobs: jobs[0].state.name == "TRANSFERRED")
    host.faults.arm(fault, operation="SetJobState", times=1)
    bits.perform(ChangeState(job.id, action))
    if state:
        host.wait_for(lambda jobs: jobs[0].state.name == state)
    else:
        assert host.jobs() == ()


@pytest.mark.parametrize("fault", ["lost-answer", "no-answer"])
def test_a_complete_whose_answer_was_lost_delivers_the_file(
    bits: BitsProvider, host: PracticeHost, url: str, fault: str
) -> None:
    job = done(bits, creation(url, suspended=False), Job)
    host.wait_for(lambda jobs: jobs[0].state.name == "TRANSFERRED")
    host.faults.arm(fault, operation="SetJobState", times=1)
    after = done(bits, ChangeState(job.id, JobAction.COMPLETE, JobState.TRANSFERRED), Job)
    assert after.state is JobState.ACKNOWLEDGED
    assert host.jobs() == ()
    assert host.path(r"C:\in\a.bin").is_file()


def test_completing_early_is_a_success_with_its_warning(
    bits: BitsProvider, host: PracticeHost, url: str
) -> None:
    job = done(bits, creation(url), Job)
    ended = bits.perform(ChangeState(job.id, JobAction.COMPLETE, job.state))
    assert ended.warning == 0x00200017
    assert host.jobs() == ()


def test_an_added_file_whose_answer_was_lost_is_there_once(
    bits: BitsProvider, host: PracticeHost, url: str
) -> None:
    job = done(bits, creation(url), Job)
    addition = AddFile(job.id, FileSpec(url, r"C:\in\b.bin"))
    host.faults.arm("lost-answer", operation="AddFile", times=1)
    assert len(done(bits, addition, Job).files) == 2
    assert bits.perform(addition).already
    assert len(done(bits, GetJob(job.id), Job).files) == 2
    host.faults.arm("no-answer", operation="AddFile", times=1)
    with pytest.raises(AnswerWasLost):
        bits.perform(AddFile(job.id, FileSpec(url, r"C:\in\c.bin")))


def test_a_job_that_somebody_else_took_is_gone(
    bits: BitsProvider, host: PracticeHost, url: str
) -> None:
    job = done(bits, creation(url), Job)
    other = provider_of(host)
    other.perform(ChangeState(job.id, JobAction.CANCEL))
    other.client.close()
    for operation in (
        GetJob(job.id),
        GetDetail(job.id),
        GetError(job.id),
        SetProperty(job.id, JobProperty.PRIORITY, 1),
        AddFile(job.id, FileSpec(url, r"C:\in\b.bin")),
        ChangeState(job.id, JobAction.RESUME),
        ChangeState(job.id, JobAction.COMPLETE),
    ):
        with pytest.raises(JobGone) as caught:
            bits.perform(operation)
        assert caught.value.job == job.id
    assert bits.perform(ChangeState(job.id, JobAction.CANCEL)).already


def test_a_missing_provider_is_no_missing_job(bits: BitsProvider, host: PracticeHost) -> None:
    host.faults.arm("provider-missing")
    for operation in (ListJobs(), ListJobs(("JobId",)), GetJob(NOBODY), GetError(NOBODY)):
        with pytest.raises(ProviderMissing):
            bits.perform(operation)
    host.faults.disarm()
    with pytest.raises(JobGone):
        bits.perform(GetJob(NOBODY))


def test_access_that_is_denied(bits: BitsProvider, host: PracticeHost, url: str) -> None:
    host.faults.arm("access-denied")
    for operation in (ListJobs(), GetJob(NOBODY), creation(url)):
        with pytest.raises(AccessDenied):
            bits.perform(operation)


def test_a_queue_with_a_deleted_owner_gives_the_known_jobs(
    bits: BitsProvider, host: PracticeHost, url: str
) -> None:
    jobs = [done(bits, creation(url), Job) for _ in range(3)]
    host.faults.arm("enumerate-failed")
    known = tuple(job.id for job in jobs[:2])
    value = done(bits, ListJobs(known_ids=(*known, NOBODY)), JobList)
    assert value.partial
    assert tuple(job.id for job in value.jobs) == known
    with pytest.raises(QueueUnreadable):
        bits.perform(ListJobs())
    assert done(bits, creation(url), Job).id, "and jobs can still be made"


def test_a_failed_job_tells_why(
    bits: BitsProvider, host: PracticeHost, fleet: PracticeFleet
) -> None:
    missing = f"{fleet.files_url}there-is-no-such-file"
    job = done(bits, creation(missing, suspended=False), Job)
    host.wait_for(lambda jobs: jobs[0].state.name == "ERROR")
    detail = done(bits, GetDetail(job.id), JobDetail)
    assert detail.error is not None
    assert (detail.error.code, detail.error.context) == (0x80190194, ErrorContext.REMOTE_FILE)
    suspended = done(bits, creation(missing), Job)
    assert bits.perform(GetError(suspended.id)).value is None


def test_a_file_that_cannot_be_added_shows_bits_own_code(
    bits: BitsProvider, host: PracticeHost, url: str
) -> None:
    job = done(bits, creation(url), Job)
    with pytest.raises(CodeError) as caught:
        bits.perform(AddFile(job.id, FileSpec(url, r"C:\nowhere\b.bin")))
    assert caught.value.explanation.symbol
    assert state_of(host, job) == "SUSPENDED"


@pytest.mark.parametrize("errors", list(MethodErrors))
@pytest.mark.parametrize("case", list(AddFileCase))
def test_every_possible_windows_does_the_same(errors: MethodErrors, case: AddFileCase) -> None:
    winrm = WinRmSettings(method_errors=errors, add_file_case=case)
    with PracticeFleet(hosts=1, settings=PracticeSettings(winrm=winrm)) as fleet:
        host, url = fleet.hosts[0], fleet.files[0].url
        bits = provider_of(host)
        files = (FileSpec(url, r"C:\in\a.bin"), FileSpec(url, r"C:\in\b.bin"))
        job = done(bits, creation(url, files=files), Job)
        assert len(job.files) == 2
        assert bits.perform(GetError(job.id)).value is None
        with pytest.raises(CodeError, match=r"BG_E_|ERROR_"):
            bits.perform(creation(url, files=(FileSpec(url, r"C:\nowhere\a.bin"),)))
        assert len(host.jobs()) == 1
        bits.client.close()


TEXTS = st.text(max_size=40)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=TEXTS, description=TEXTS, tail=TEXTS)
def test_any_text_comes_back_unchanged_or_is_refused(
    bits: BitsProvider, url: str, name: str, description: str, tail: str
) -> None:
    path = rf"C:\in\x{tail.replace('/', '').replace(chr(92), '')}"  # there is no other folder
    try:
        operation = creation(
            url,
            name=name,
            description=description,
            files=(FileSpec(f"{url}?{tail}", path),),
        )
    except NotAccepted:
        return
    job = done(bits, operation, Job)
    assert (job.name, job.description, job.reference) == (name, description, operation.reference)
    assert [(file.url, file.path) for file in job.files] == [(f"{url}?{tail}", path)]
    bits.perform(ChangeState(job.id, JobAction.CANCEL))
