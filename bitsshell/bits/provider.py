"""The WMI provider of one host: carries operations out through a WS-Man client.

Return values and faults are both read as answers, because no table says which of the two the
provider uses (wire.md 1.3). Operations may be run twice by a scheduler: what is already so counts
as done, and a create first looks for the job with its own reference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import assert_never

from bitsshell import wsman
from bitsshell.bits import faults
from bitsshell.bits.creating import create_job
from bitsshell.bits.enums import JobAction, JobState
from bitsshell.bits.errors import AnswerWasLost, CodeError, JobGone, ProviderMissing, QueueUnreadable
from bitsshell.bits.model import Done, HostIdentity, Job, JobDetail, JobError, JobList
from bitsshell.bits.operations import (
    JOB_CLASS,
    QUERY_RESOURCE,
    AddFile,
    ChangeOperation,
    ChangeState,
    CreateJob,
    FileSpec,
    GetDetail,
    GetError,
    GetJob,
    IdentifyHost,
    ListJobs,
    Operation,
    SetProperty,
)
from bitsshell.bits.reading import read_error, read_job
from bitsshell.errors import BitsShellError

LOOKUP_PROPERTIES = ("JobId", "DisplayName", "Description", "State")
"""What is read of every job to find one by reference or name."""

_SUCCESS_LIMIT = 0x80000000


class BitsProvider:
    """BITS on one host. One call at a time; the caller holds the channel's lock.

    Args:
        client: the WS-Man client of the host.
        host: the host's label, for values and errors.
        sleep: waits some seconds between two looks for a job whose creation was not answered.
    """

    def __init__(
        self,
        client: wsman.WSManClient,
        *,
        host: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.client = client
        self.host = host
        self.sleep = sleep
        self._add_file_names = ("remoteUrl", "localFile")

    def perform(self, operation: Operation) -> Done:
        """Carry out any operation.

        Raises:
            BitsShellError: with host and job; nothing else is raised on purpose.
        """
        match operation:
            case ListJobs():
                return Done(self.list_jobs(operation))
            case GetJob(job_id=job_id):
                return Done(self.job(job_id))
            case GetDetail(job_id=job_id):
                return Done(self.detail(job_id))
            case IdentifyHost():
                identity = self.client.identify()
                return Done(HostIdentity(identity.product_vendor, identity.product_version))
            case GetError(job_id=job_id):
                return Done(self.error(job_id, language_id=operation.language_id))
            case _:
                return self.change(operation)

    def change(self, operation: ChangeOperation) -> Done:
        """Carry out a change and read the job back where it is still there."""
        match operation:
            case CreateJob():
                return create_job(self, operation)
            case AddFile():
                return self._add_file(operation)
            case SetProperty():
                return self._set_property(operation)
            case ChangeState():
                return self._change_state(operation)
            case _:
                assert_never(operation)

    # Reading

    def list_jobs(self, operation: ListJobs) -> JobList:
        """The queue, by one enumeration; known jobs one by one where that fails as a whole."""
        (request,) = operation.requests()
        try:
            instances = self.client.send(request)
            return JobList(tuple(read_job(item, host=self.host) for item in _items(instances)))
        except wsman.Fault as fault:
            if not faults.has(fault, faults.ENUMERATION_FAILED):
                raise self._translated(fault, "list the jobs") from fault
            return JobList(tuple(self._known(operation.known_ids, fault)), partial=True)

    def _known(self, job_ids: Iterable[str], fault: wsman.Fault) -> Iterable[Job]:
        job_ids = tuple(job_ids)
        if not job_ids:
            raise QueueUnreadable(host=self.host) from fault
        for job_id in job_ids:
            try:
                yield self.job(job_id)
            except JobGone:
                continue

    def job(self, job_id: str) -> Job:
        """One job by its id. Raises `JobGone` when it is not in the queue."""
        (request,) = GetJob(job_id).requests()
        answer = self._send(request, "read the job", job_id)
        if not isinstance(answer, wsman.Instance):
            raise JobGone(host=self.host, job=job_id)
        return read_job(answer, host=self.host)

    def detail(self, job_id: str) -> JobDetail:
        """One job and, where it is in an error state, its error."""
        job = self.job(job_id)
        return JobDetail(job, self.error(job_id) if job.state.has_error else None)

    def error(self, job_id: str, *, language_id: int = 1033) -> JobError | None:
        """The job's current error, None when it has none."""
        (request,) = GetError(job_id, language_id).requests()
        try:
            output = self._send(request, "read the job's error", job_id)
        except CodeError as error:
            if error.code == faults.NO_ERROR_INFORMATION:
                return None
            raise
        assert isinstance(output, wsman.Instance)  # noqa: S101  # what Invoke returns
        returned = output.return_value or 0
        if returned == faults.NO_ERROR_INFORMATION:
            return None
        if returned >= _SUCCESS_LIMIT:
            raise CodeError("read the job's error", returned, host=self.host, job=job_id)
        return read_error(output, host=self.host, job_id=job_id)

    # Changing

    def invoke(self, request: wsman.Request, action: str, job_id: str | None) -> wsman.Instance:
        """Call a method. A return value that is an error code raises like a fault."""
        output = self._send(request, action, job_id)
        assert isinstance(output, wsman.Instance)  # noqa: S101  # what Invoke returns
        returned = output.return_value or 0
        if returned >= _SUCCESS_LIMIT:
            raise self._coded(action, returned, job_id)
        return output

    def add_file(self, job_id: str, file: FileSpec) -> int | None:
        """Add one file; return a warning code. The other case of names is tried once.

        Documentation and the one public script disagree on the case of AddFile's parameters.
        Raises `AnswerWasLost` when neither answer nor queue tells whether it was added.
        """
        action = f"add {file.url}"
        first = self._add_file_names
        other = tuple(name[0].swapcase() + name[1:] for name in first)
        try:
            return self._try_add_file(job_id, file, first, action)
        except wsman.Fault as fault:
            try:
                warning = self._try_add_file(job_id, file, other, action)
            except wsman.Fault:
                raise self._translated(fault, action, job_id) from fault
            self._add_file_names = (other[0], other[1])
            return warning

    def _try_add_file(
        self, job_id: str, file: FileSpec, names: tuple[str, ...], action: str
    ) -> int | None:
        (request,) = AddFile(job_id, file).requests()
        assert isinstance(request, wsman.Invoke)  # noqa: S101
        arguments = tuple(zip(names, (file.url, file.path), strict=True))
        try:
            output = self.client.send(replace(request, arguments=arguments))
        except wsman.Fault as fault:
            if faults.has(fault, faults.BAD_PARAMETER):
                raise
            raise self._translated(fault, action, job_id) from fault
        except wsman.WSManError as error:
            if not error.may_have_been_applied:
                raise
            if self._has_file(job_id, file, action, error):
                return None
            raise AnswerWasLost(action, host=self.host, job=job_id) from error
        assert isinstance(output, wsman.Instance)  # noqa: S101
        returned = output.return_value or 0
        if returned >= _SUCCESS_LIMIT:
            raise self._coded(action, returned, job_id)
        return returned or None

    def _has_file(
        self, job_id: str, file: FileSpec, action: str, lost: wsman.WSManError
    ) -> bool:
        """Whether the job holds the file, asked after the answer to AddFile was lost."""
        try:
            job = self.job(job_id)
        except wsman.WSManError as error:
            raise AnswerWasLost(action, host=self.host, job=job_id) from error
        return any((held.url, held.path) == (file.url, file.path) for held in job.files)

    def _add_file(self, operation: AddFile) -> Done:
        warning = self.add_file(operation.job_id, operation.file)
        return Done(self.job(operation.job_id), warning)

    def set_property(self, operation: SetProperty) -> None:
        """Put one property. Sent again after a lost answer: setting the same twice does no harm."""
        (request,) = operation.requests()
        action = operation.describe()
        try:
            self._send(request, action, operation.job_id)
        except wsman.WSManError as error:
            if not error.may_have_been_applied:
                raise
            self._send(request, action, operation.job_id)

    def _set_property(self, operation: SetProperty) -> Done:
        self.set_property(operation)
        return Done(self.job(operation.job_id))

    def _change_state(self, operation: ChangeState) -> Done:
        """Change the state after a fresh look at it."""
        action = operation.action
        try:
            before = self.job(operation.job_id)
        except JobGone:
            if action is JobAction.CANCEL:
                return Done(None, already=True)
            raise
        if _is_already(before, action):
            return Done(before, already=True)
        warning = self.set_state(operation.job_id, action)
        if action is JobAction.CANCEL:
            return Done(replace(before, state=JobState.CANCELLED), warning)
        if action is JobAction.COMPLETE:
            return Done(replace(before, state=JobState.ACKNOWLEDGED), warning)
        return Done(self.job(operation.job_id), warning)

    def set_state(self, job_id: str, action: JobAction) -> int | None:
        """Send an action; return a warning code.

        After a lost answer the job itself tells whether it took effect. A job that left the queue
        did so by the action that was just sent.
        """
        (request,) = ChangeState(job_id, action).requests()
        words = f"{action.name.lower()} the job"
        try:
            return self.invoke(request, words, job_id).return_value or None
        except wsman.WSManError as error:
            if not error.may_have_been_applied:
                raise
            return self._state_after_lost_answer(job_id, action, words, error)

    def _state_after_lost_answer(
        self, job_id: str, action: JobAction, words: str, lost: wsman.WSManError
    ) -> int | None:
        try:
            job = self.job(job_id)
        except JobGone:
            if action in {JobAction.CANCEL, JobAction.COMPLETE}:
                return None
            raise
        except wsman.WSManError as error:
            raise AnswerWasLost(words, host=self.host, job=job_id) from error
        if _is_already(job, action):
            return None
        raise AnswerWasLost(words, host=self.host, job=job_id) from lost

    def find(self, reference: str) -> Job | None:
        """The job that carries this reference, None when there is none."""
        wql = f"SELECT {','.join(LOOKUP_PROPERTIES)} FROM {JOB_CLASS}"
        answer = self._send(wsman.Enumerate(QUERY_RESOURCE, wql=wql), "look for the job", None)
        for item in _items(answer):
            job = read_job(item, host=self.host)
            if job.reference == reference:
                return self.job(job.id)
        return None

    # Faults

    def _send(self, request: wsman.Request, action: str, job_id: str | None) -> object:
        try:
            return self.client.send(request)
        except wsman.Fault as fault:
            raise self._translated(fault, action, job_id) from fault

    def _translated(
        self, fault: wsman.Fault, action: str, job_id: str | None = None
    ) -> BitsShellError:
        if job_id is not None and faults.has(fault, faults.NOT_FOUND) and self._class_is_missing():
            return ProviderMissing(host=self.host)
        return faults.translate(fault, action=action, host=self.host, job_id=job_id)

    def _coded(self, action: str, code: int, job_id: str | None) -> BitsShellError:
        if job_id is not None and code in faults.NOT_FOUND:
            return JobGone(host=self.host, job=job_id)
        return CodeError(action, code, host=self.host, job=job_id)

    def _class_is_missing(self) -> bool:
        """Tell a missing class from a missing job, which give the same code."""
        probe = wsman.Enumerate(QUERY_RESOURCE, wql=f"SELECT JobId FROM {JOB_CLASS}")
        try:
            self.client.send(probe)
        except wsman.Fault as fault:
            return faults.has(fault, faults.CLASS_MISSING | faults.NOT_FOUND)
        return False


def _items(answer: object) -> Iterable[wsman.Instance]:
    assert isinstance(answer, list | tuple)  # noqa: S101  # what Enumerate returns
    return answer


def _is_already(job: Job, action: JobAction) -> bool:
    if action is JobAction.SUSPEND:
        return job.state is JobState.SUSPENDED
    if action is JobAction.RESUME:
        return job.state.is_active
    return False
