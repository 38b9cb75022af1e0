"""The WMI provider of one host: carries operations out through a WS-Man client.

Return values and faults are both read as answers, because no table says which of the two the
provider uses (wire.md 1.3). Reading is here; `changing` and `creating` have the changes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bitsshell import wsman
from bitsshell.bits import faults
from bitsshell.bits.changing import (
    add_missing_file,
    apply_setting,
    change_state,
    set_property,
)
from bitsshell.bits.creating import create_job
from bitsshell.bits.elements import select_jobs
from bitsshell.bits.errors import CodeError, JobGone, ProviderMissing, QueueUnreadable
from bitsshell.bits.model import Done, HostIdentity, Job, JobDetail, JobError, JobList
from bitsshell.bits.operations import (
    AddFile,
    ChangeOperation,
    ChangeState,
    CreateJob,
    GetDetail,
    GetError,
    GetJob,
    IdentifyHost,
    ListJobs,
    Operation,
    SetProperty,
)
from bitsshell.bits.publishing import change_published, list_url_groups
from bitsshell.bits.reading import read_error, read_job
from bitsshell.bits.settings import (
    RemoveClientCertificate,
    RemoveCredentials,
    SetClientCertificate,
    SetCredentials,
    SetProxySettings,
)
from bitsshell.bits.url_groups import DeleteUrlGroup, ListUrlGroups, PublishUrl, UnpublishUrl
from bitsshell.errors import BitsShellError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LOOKUP_PROPERTIES = ("JobId", "DisplayName", "Description", "State")
"""What is read of every job to find one by reference or name."""

ADD_FILE_NAMES = ("remoteUrl", "localFile")
"""AddFile's parameters as documented; the one public script begins them in upper case."""


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
        self.add_file_names = ADD_FILE_NAMES

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
                return Done(HostIdentity(self.client.identify().product_version))
            case GetError(job_id=job_id, language_id=language_id):
                return Done(self.error(job_id, language_id=language_id))
            case ListUrlGroups():
                return Done(list_url_groups(self, operation))
            case _:
                return self.change(operation)

    def change(self, operation: ChangeOperation) -> Done:
        """Carry out a change and read the job back where it is still there.

        May be run twice by a scheduler: what is already so counts as done, and a create first
        looks for the job with its own reference.
        """
        match operation:
            case CreateJob():
                return create_job(self, operation)
            case AddFile():
                return add_missing_file(self, operation)
            case SetProperty():
                set_property(self, operation)
                return Done(self.read_back(operation.job_id))
            case ChangeState():
                return change_state(self, operation)
            case PublishUrl() | UnpublishUrl() | DeleteUrlGroup():
                return change_published(self, operation)
            case (
                SetCredentials()
                | RemoveCredentials()
                | SetProxySettings()
                | SetClientCertificate()
                | RemoveClientCertificate()
            ):
                apply_setting(self, operation)
                return Done(self.read_back(operation.job_id))

    # Reading

    def list_jobs(self, operation: ListJobs) -> JobList:
        """The queue, by one enumeration; known jobs one by one where that fails as a whole."""
        (request,) = operation.requests()
        try:
            found = self._jobs(request, "list the jobs", operation.properties)
            return JobList(tuple(found))
        except QueueUnreadable:
            if not operation.known_ids:
                raise
        return JobList(tuple(self._one_by_one(operation.known_ids)), partial=True)

    def _one_by_one(self, job_ids: Iterable[str]) -> Iterator[Job]:
        for job_id in job_ids:
            try:
                yield self.job(job_id)
            except (JobGone, CodeError):
                # The job that breaks the enumeration may well break its own Get.
                continue

    def job(self, job_id: str) -> Job:
        """One job by its id. Raises `JobGone` when it is not in the queue."""
        (request,) = GetJob(job_id).requests()
        answer = self.send(request, "read the job", job_id)
        assert isinstance(answer, wsman.Instance)  # noqa: S101  # what Get returns
        return read_job(answer, host=self.host)

    def read_back(self, job_id: str) -> Job | None:
        """The job after a change that took effect; None where it cannot be read any more.

        That it cannot is no reason to say that the change failed.
        """
        try:
            return self.job(job_id)
        except BitsShellError:
            return None

    def detail(self, job_id: str) -> JobDetail:
        """One job and, where it is in an error state, its error."""
        job = self.job(job_id)
        return JobDetail(job, self.error(job_id) if job.state.has_error else None)

    def error(self, job_id: str, *, language_id: int = 1033) -> JobError | None:
        """The job's current error, None when it has none."""
        (request,) = GetError(job_id, language_id).requests()
        try:
            output = self.invoke(request, "read the job's error", job_id)
        except CodeError as error:
            if error.code == faults.NO_ERROR_INFORMATION:
                return None
            raise
        return read_error(output, host=self.host, job_id=job_id)

    def find(self, reference: str) -> Job | None:
        """The job that carries this reference, None when there is none.

        Raises:
            QueueUnreadable: the queue cannot be enumerated.
        """
        request = select_jobs(LOOKUP_PROPERTIES)
        for job in self._jobs(request, "look for the job", LOOKUP_PROPERTIES):
            if job.reference == reference:
                return self.job(job.id)
        return None

    def _jobs(
        self, request: wsman.Request, action: str, properties: tuple[str, ...] | None
    ) -> Iterator[Job]:
        try:
            answer = self.client.send(request)
        except wsman.Fault as fault:
            if faults.has(fault, faults.ENUMERATION_FAILED):
                raise QueueUnreadable(host=self.host) from fault
            raise self.translated(fault, request, action) from fault
        assert isinstance(answer, list)  # noqa: S101  # what Enumerate returns
        return (read_job(item, host=self.host, properties=properties) for item in answer)

    # Calling

    def send(self, request: wsman.Request, action: str, job_id: str | None) -> object:
        """Send a request. A fault raises what it means for BITS."""
        try:
            return self.client.send(request)
        except wsman.Fault as fault:
            raise self.translated(fault, request, action, job_id) from fault

    def invoke(self, request: wsman.Request, action: str, job_id: str | None) -> wsman.Instance:
        """Call a method. A return value that is an error raises like a fault."""
        output = self.send(request, action, job_id)
        self.warning_in(output, request, action, job_id)
        assert isinstance(output, wsman.Instance)  # noqa: S101  # what Invoke returns
        return output

    def warning_in(
        self, output: object, request: wsman.Request, action: str, job_id: str | None
    ) -> int | None:
        """The warning in a method's output, None for plain success. An error code raises."""
        assert isinstance(output, wsman.Instance)  # noqa: S101  # what Invoke returns
        try:
            returned = output.return_value or 0
        except wsman.MalformedAnswer as error:
            raise error.during(action, change=not request.is_read, host=self.host) from None
        if faults.is_failure(returned):
            raise faults.from_return_value(returned, action=action, host=self.host, job_id=job_id)
        return returned or None

    def translated(
        self,
        fault: wsman.Fault,
        request: wsman.Request,
        action: str,
        job_id: str | None = None,
    ) -> BitsShellError:
        """What a fault means for BITS. May ask the host whether it is the class that is missing."""
        if job_id is not None and faults.says_not_found(fault) and self._class_is_missing():
            return ProviderMissing(host=self.host)
        return faults.translate(
            fault, action=action, host=self.host, job_id=job_id, is_read=request.is_read
        )

    def _class_is_missing(self) -> bool:
        """Tell a missing class from a missing job, which give the same code."""
        try:
            self.client.send(select_jobs(("JobId",)))
        except wsman.Fault as fault:
            return faults.has(fault, faults.CLASS_MISSING) or faults.says_not_found(fault)
        except wsman.WSManError:
            # Nobody knows; that the job is not there is what the host said.
            return False
        return False
