"""Operations as values: what they say, what they take away, what they would send."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, fields
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell import wsman
from bitsshell.bits import (
    AddFile,
    AuthScheme,
    AuthTarget,
    CertStore,
    ChangeState,
    CreateJob,
    DeleteUrlGroup,
    Effect,
    FileSpec,
    GetDetail,
    GetError,
    GetJob,
    IdentifyHost,
    JobAction,
    JobCredentials,
    JobProperty,
    JobState,
    JobType,
    ListJobs,
    ListUrlGroups,
    NotAccepted,
    Operation,
    Priority,
    ProxyUsage,
    PublishedUrl,
    PublishUrl,
    RemoveClientCertificate,
    RemoveCredentials,
    ServiceAccount,
    SetClientCertificate,
    SetCredentials,
    SetProperty,
    SetProxySettings,
    UnpublishUrl,
    new_reference,
)
from bitsshell.bits.elements import JOB_RESOURCE, PENDING_JOB, QUERY_RESOURCE

ID = "9D5C4B47-E79E-4090-BC3B-552578D0EC8C"
OLD = "11111111-1111-4111-8111-111111111111"
KEY = (("JobId", f"{{{ID}}}"),)
A = FileSpec("http://files/a.bin", r"C:\in\a.bin")
B = FileSpec("http://files/b.bin", r"C:\in\b.bin")
REFERENCE = "0123456789"
READER = JobCredentials("reader", wsman.Secret("hunter2!"), AuthScheme.BASIC)
URL = PublishedUrl("http://+:8080/packages", "a.bin")

EVERY: list[tuple[Operation, Effect, str]] = [
    (ListJobs(), Effect.READ, "list the jobs"),
    (ListJobs(("JobId",), (ID,)), Effect.READ, "list the jobs"),
    (GetJob(ID), Effect.READ, f"read job {ID}"),
    (GetDetail(ID), Effect.READ, f"read job {ID} and its error"),
    (GetError(ID, 1031), Effect.READ, f"read the error of job {ID}"),
    (IdentifyHost(), Effect.READ, "ask the host what it is"),
    (
        CreateJob(name="n", files=(A,), reference=REFERENCE),
        Effect.CHANGE,
        rf"create job 'n': {A.url} -> {A.path}, resume it",
    ),
    (
        CreateJob(
            name="n",
            files=(A, B),
            reference=REFERENCE,
            description="mine",
            account=ServiceAccount.LOCAL_SYSTEM,
            priority=Priority.FOREGROUND,
            retry_delay_s=60,
            no_progress_timeout_s=0,
            suspended=True,
        ),
        Effect.CHANGE,
        (
            rf"create job 'n': {A.url} -> {A.path} and 1 more, describe it as 'mine', "
            "owned by local-system, set the priority to foreground, "
            "set the minimum retry delay to 60 s, set the no-progress timeout to 0 s, "
            "leave it suspended"
        ),
    ),
    (
        CreateJob(name="n", files=(A,), reference=REFERENCE, type=JobType.UPLOAD, replaces=(OLD,)),
        Effect.DESTROY,
        (
            rf"create upload job 'n': {A.path} -> {A.url}, cancel the 1 job that it replaces, "
            "resume it"
        ),
    ),
    (AddFile(ID, A), Effect.CHANGE, f"add {A.url} -> {A.path} to {ID}"),
    (AddFile(ID, A, "n"), Effect.CHANGE, f"add {A.url} -> {A.path} to 'n' {ID}"),
    (
        SetProperty(ID, JobProperty.PRIORITY, 1, job_name="n"),
        Effect.CHANGE,
        f"set the priority of 'n' {ID} to high",
    ),
    (
        SetProperty(ID, JobProperty.NAME, "x\ny"),
        Effect.CHANGE,
        rf"set the name of {ID} to 'x\ny'",
    ),
    (
        SetProperty(ID, JobProperty.DESCRIPTION, "", REFERENCE),
        Effect.CHANGE,
        f"set the description of {ID} to ''",
    ),
    (
        SetProperty(ID, JobProperty.RETRY_DELAY, 60),
        Effect.CHANGE,
        f"set the minimum retry delay of {ID} to 60 s",
    ),
    (
        SetProperty(ID, JobProperty.NO_PROGRESS_TIMEOUT, 0),
        Effect.CHANGE,
        f"set the no-progress timeout of {ID} to 0 s",
    ),
    (ChangeState(ID, JobAction.RESUME), Effect.CHANGE, f"resume {ID}"),
    (
        ChangeState(ID, JobAction.SUSPEND, JobState.TRANSFERRING, "n"),
        Effect.CHANGE,
        f"suspend 'n' {ID} (TRANSFERRING)",
    ),
    (
        ChangeState(ID, JobAction.COMPLETE, JobState.TRANSFERRED),
        Effect.CHANGE,
        f"complete {ID} (TRANSFERRED)",
    ),
    (
        ChangeState(ID, JobAction.COMPLETE, JobState.ERROR),
        Effect.DESTROY,
        f"complete {ID} (ERROR): unfinished files are deleted",
    ),
    (
        ChangeState(ID, JobAction.COMPLETE),
        Effect.DESTROY,
        f"complete {ID}: unfinished files are deleted",
    ),
    (
        ChangeState(ID, JobAction.CANCEL, JobState(42)),
        Effect.DESTROY,
        f"cancel {ID} (UNKNOWN_42): its temporary files are deleted",
    ),
    (ListUrlGroups(), Effect.READ, "list the URL groups"),
    (ListUrlGroups((URL,)), Effect.READ, "look which URLs are published"),
    (
        CreateJob(name="n", files=(A,), reference=REFERENCE, credentials=READER),
        Effect.CHANGE,
        (
            rf"create job 'n': {A.url} -> {A.path}, "
            "give it the basic credentials of 'reader' for the server, resume it"
        ),
    ),
    (
        SetCredentials(ID, READER, "n", is_readable=True),
        Effect.CHANGE,
        (
            f"give 'n' {ID} the basic credentials of 'reader' for the server, "
            "which will cross the network readable"
        ),
    ),
    (
        RemoveCredentials(ID, AuthScheme.NTLM, AuthTarget.PROXY),
        Effect.CHANGE,
        f"take the ntlm credentials for the proxy from {ID}",
    ),
    (
        SetProxySettings(ID, ProxyUsage.OVERRIDE, ("p:80",), ("<local>",)),
        Effect.CHANGE,
        f"let {ID} take the proxy p:80, but not for <local>",
    ),
    (SetProxySettings(ID, ProxyUsage.NO_PROXY), Effect.CHANGE, f"let {ID} take no proxy"),
    (
        SetClientCertificate(ID, "MY", subject="web01"),
        Effect.CHANGE,
        rf"let {ID} show the certificate 'web01' of local-machine\MY",
    ),
    (
        SetClientCertificate(ID, "MY", CertStore.CURRENT_USER, digest=bytes(20)),
        Effect.CHANGE,
        rf"let {ID} show the certificate {'00' * 20} of current-user\MY",
    ),
    (RemoveClientCertificate(ID), Effect.CHANGE, f"take the client certificate from {ID}"),
    (
        PublishUrl(URL, r"D:\pub\a.bin"),
        Effect.CHANGE,
        rf"publish D:\pub\a.bin as {URL}",
    ),
    (
        PublishUrl(URL, r"D:\pub\a.bin", sddl="D:(A;;GR;;;AU)", is_replacement=True),
        Effect.DESTROY,
        (
            rf"publish D:\pub\a.bin as {URL}, for whom D:(A;;GR;;;AU) allows, "
            "in place of what is there"
        ),
    ),
    (UnpublishUrl(URL), Effect.CHANGE, f"unpublish {URL}"),
    (
        DeleteUrlGroup("http://+:8080/packages"),
        Effect.DESTROY,
        "delete the URL group http://+:8080/packages with all that it publishes",
    ),
]


def test_every_kind_of_operation_is_here() -> None:
    assert {type(operation) for operation, _, _ in EVERY} == set(get_args(Operation))


@pytest.mark.parametrize(("operation", "effect", "words"), EVERY)
def test_an_operation_says_what_it_would_do_and_what_it_takes_away(
    operation: Operation, effect: Effect, words: str
) -> None:
    assert operation.effect is effect
    assert operation.describe() == words


@pytest.mark.parametrize("operation", [operation for operation, _, _ in EVERY])
def test_an_operation_is_a_frozen_value_that_survives_pickling(operation: Operation) -> None:
    copy = pickle.loads(pickle.dumps(operation))
    assert copy == operation
    assert hash(copy) == hash(operation)
    assert copy.describe() == operation.describe()
    for each in fields(operation):
        with pytest.raises((FrozenInstanceError, AttributeError)):
            setattr(operation, each.name, None)


@pytest.mark.parametrize("operation", [operation for operation, _, _ in EVERY])
def test_every_request_of_an_operation_can_be_shown_before_it_is_sent(operation: Operation) -> None:
    assert operation.requests()
    for request in operation.requests():
        shown = wsman.envelope(request, to="http://srv01:5985/wsman", for_show=True)
        assert b"Envelope" in shown
        assert request.is_read is (operation.effect is Effect.READ)


def test_equal_operations_on_jobs_that_are_called_otherwise_are_equal() -> None:
    assert AddFile(ID, A, "one") == AddFile(ID, A, "two")
    assert ChangeState(ID, JobAction.RESUME) != ChangeState(OLD, JobAction.RESUME)


# Requests


def test_reading_asks_for_the_whole_class_or_by_wql_on_the_star() -> None:
    assert ListJobs().requests() == (wsman.Enumerate(JOB_RESOURCE),)
    assert ListJobs(("JobId", "State")).requests() == (
        wsman.Enumerate(QUERY_RESOURCE, wql="SELECT JobId,State FROM BitsClientJob"),
    )
    assert GetJob(ID).requests() == (wsman.Get(JOB_RESOURCE, KEY),)
    assert GetDetail(ID).requests() == GetJob(ID).requests() + GetError(ID).requests()
    assert IdentifyHost().requests() == (wsman.Identify(),)


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        (
            GetError(ID, 1031),
            wsman.Invoke(JOB_RESOURCE, "GetError", (("LanguageId", 1031),), KEY, is_read=True),
        ),
        (
            AddFile(ID, A),
            wsman.Invoke(
                JOB_RESOURCE, "AddFile", (("remoteUrl", A.url), ("localFile", A.path)), KEY
            ),
        ),
        (
            SetProperty(ID, JobProperty.DESCRIPTION, "x", REFERENCE),
            wsman.Put(JOB_RESOURCE, KEY, (("Description", f"x [ref:{REFERENCE}]"),)),
        ),
        (
            SetProperty(ID, JobProperty.DESCRIPTION, "x"),
            wsman.Put(JOB_RESOURCE, KEY, (("Description", "x"),)),
        ),
        (
            SetProperty(ID, JobProperty.PRIORITY, 3),
            wsman.Put(JOB_RESOURCE, KEY, (("Priority", 3),)),
        ),
        (
            ChangeState(ID, JobAction.SUSPEND),
            wsman.Invoke(JOB_RESOURCE, "SetJobState", (("JobState", 3),), KEY),
        ),
    ],
)
def test_a_change_of_one_job_is_one_request(operation: Operation, request_: wsman.Request) -> None:
    assert operation.requests() == (request_,)


def test_a_create_that_is_shown_stands_for_the_id_that_nobody_knows_yet() -> None:
    create = CreateJob(
        name="n", files=(A, B), reference=REFERENCE, priority=Priority.HIGH, replaces=(OLD,)
    )
    created, added, put, cancelled, resumed = create.requests()
    assert isinstance(created, wsman.Invoke)
    assert (created.method, created.selectors) == ("CreateJob", ())
    assert dict(created.arguments)["Suspend"] is True
    pending = (("JobId", PENDING_JOB),)
    for request in (added, put, resumed):
        assert not isinstance(request, wsman.Identify | wsman.Enumerate)
        assert request.selectors == pending
    assert cancelled == ChangeState(OLD, JobAction.CANCEL).requests()[0]


def test_a_suspended_create_does_not_resume() -> None:
    create = CreateJob(name="n", files=(A,), reference=REFERENCE, suspended=True)
    assert len(create.requests()) == 1


# Refusals


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"name": "a" * 257}, "name"),
    ({"description": "a" * 1008}, "description"),
    ({"files": ()}, "files"),
    ({"files": (A, B), "type": JobType.UPLOAD}, "files"),
    ({"reference": "short"}, "reference"),
    ({"retry_delay_s": -1}, "retry delay"),
    ({"no_progress_timeout_s": 2**32}, "no-progress timeout"),
]


@pytest.mark.parametrize(("wrong", "field"), REFUSED)
def test_a_create_that_bits_would_refuse_is_not_even_made(
    wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(NotAccepted) as caught:
        CreateJob(**{"name": "n", "files": (A,), "reference": REFERENCE, **wrong})
    assert caught.value.field == field
    assert caught.value.hint


@pytest.mark.parametrize(
    ("prop", "value", "reference", "field"),
    [
        (JobProperty.NAME, "", None, "name"),
        (JobProperty.DESCRIPTION, "a" * 1008, REFERENCE, "description"),
        (JobProperty.DESCRIPTION, "a" * 1025, None, "description"),
        (JobProperty.DESCRIPTION, f"x [ref:{REFERENCE}]", None, "description"),
        (JobProperty.DESCRIPTION, f"[ref:{REFERENCE}]", None, "description"),
        (JobProperty.PRIORITY, 4, None, "priority"),
        (JobProperty.RETRY_DELAY, -1, None, "minimum retry delay"),
        (JobProperty.NO_PROGRESS_TIMEOUT, 2**32, None, "no-progress timeout"),
    ],
)
def test_a_property_that_bits_would_refuse_is_not_even_an_operation(
    prop: JobProperty, value: str | int, reference: str | None, field: str
) -> None:
    with pytest.raises(NotAccepted) as caught:
        SetProperty(ID, prop, value, reference)
    assert caught.value.field == field
    assert caught.value.hint


def test_a_job_without_a_reference_has_the_whole_length_for_its_description() -> None:
    assert SetProperty(ID, JobProperty.DESCRIPTION, "a" * 1024).wire_value == "a" * 1024
    marked = SetProperty(ID, JobProperty.DESCRIPTION, "a" * 1007, REFERENCE)
    assert len(str(marked.wire_value)) == 1024


def test_files_are_checked_when_they_are_named() -> None:
    with pytest.raises(NotAccepted, match="URL"):
        FileSpec("ftp://files/a", A.path)
    with pytest.raises(NotAccepted, match="path"):
        FileSpec(A.url, "a.bin")


@given(st.text(), st.text())
def test_any_name_and_description_go_into_the_request_as_they_are_or_are_refused(
    name: str, description: str
) -> None:
    reference = new_reference()
    try:
        create = CreateJob(name=name, files=(A,), reference=reference, description=description)
    except NotAccepted as error:
        assert error.field in {"name", "description"}
        return
    sent = dict(create.creation.arguments)
    assert sent["DisplayName"] == name
    assert sent["Description"] == create.whole_description
    wsman.envelope(create.creation, to="http://srv01:5985/wsman")
