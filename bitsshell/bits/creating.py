"""Creating a job in steps, so that it is never made twice and never left half made.

Suspended first, then files, properties, a look at the result, and only then resume (design
decision 6). The reference in its Description, chosen before sending, finds a job again whose
creation was answered by a broken connection (decision 5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from bitsshell import wsman
from bitsshell.bits import faults
from bitsshell.bits.enums import JobAction, JobState
from bitsshell.bits.errors import AnswerWasLost, CodeError, CreateFailed, JobGone, NotCreated
from bitsshell.bits.model import Done, Job
from bitsshell.bits.operations import CreateJob
from bitsshell.bits.reference import canonical_job_id
from bitsshell.errors import BitsShellError

if TYPE_CHECKING:
    from bitsshell.bits.provider import BitsProvider

T = TypeVar("T")

_LOOKS = 3
"""How often the queue is read after a lost answer, before the job counts as not created."""
_PAUSE_S = 0.5


def create_job(provider: BitsProvider, operation: CreateJob) -> Done:
    """Create the job, or adopt the one that an earlier try of the same operation made.

    Raises:
        CreateFailed: a step after CreateJob failed; the half-made job was cancelled, or the error
            says that it could not be.
        NotCreated: the answer to CreateJob was lost and the job is not there.
        AnswerWasLost: it was lost, and the host cannot be asked either.
    """
    adopted = _made_before(provider, operation.reference)
    if adopted is None:
        for old in operation.replaces:
            _cancel_replaced(provider, old)
        job_id = _send_create(provider, operation)
    else:
        job_id = adopted.id
    job = _Finishing(provider, operation, job_id, adopted).run()
    return Done(job, already=adopted is not None and adopted.state is not JobState.SUSPENDED)


def _made_before(provider: BitsProvider, reference: str) -> Job | None:
    """What an earlier run of the same task made; nothing where the queue cannot be enumerated."""
    try:
        return provider.find(reference)
    except CodeError as error:
        if error.code in faults.ENUMERATION_FAILED:
            return None
        raise


def _cancel_replaced(provider: BitsProvider, job_id: str) -> None:
    try:
        provider.set_state(job_id, JobAction.CANCEL)
    except JobGone:
        return


def _send_create(provider: BitsProvider, operation: CreateJob) -> str:
    request = next(
        request
        for request in operation.requests()
        if isinstance(request, wsman.Invoke) and request.method == "CreateJob"
    )
    try:
        output = provider.invoke(request, f"create job {operation.name!r}", None)
    except wsman.WSManError as error:
        if not error.may_have_been_applied:
            raise
        return _look_for_it(provider, operation, error).id
    job_id = canonical_job_id(output.text("JobId") or "")
    if job_id is None:
        return _look_for_it(provider, operation, None).id
    return job_id


def _look_for_it(
    provider: BitsProvider, operation: CreateJob, lost: wsman.WSManError | None
) -> Job:
    for look in range(_LOOKS):
        if look:
            provider.sleep(_PAUSE_S)
        try:
            found = provider.find(operation.reference)
        except wsman.WSManError as error:
            raise AnswerWasLost(
                f"create job {operation.name!r}",
                host=provider.host,
                reference=operation.reference,
            ) from error
        if found is not None:
            return found
    raise NotCreated(host=provider.host, job=operation.name) from lost


class _Finishing:
    """The steps after CreateJob; the first that fails cancels the job."""

    def __init__(
        self, provider: BitsProvider, operation: CreateJob, job_id: str, adopted: Job | None
    ) -> None:
        self.provider = provider
        self.operation = operation
        self.job_id = job_id
        self.held = {(file.url, file.path) for file in adopted.files} if adopted else set()

    def run(self) -> Job:
        first, *rest = self.operation.files
        self.held.add((first.url, first.path))
        for file in rest:
            if (file.url, file.path) not in self.held:
                self._step(f"add {file.url}", partial(self.provider.add_file, self.job_id, file))
        for setting in self.operation.settings:
            bound = replace(setting, job_id=self.job_id)
            self._step(bound.describe(), partial(self.provider.set_property, bound))
        job = self._step("read the new job back", lambda: self.provider.job(self.job_id))
        if self.operation.suspended or job.state is not JobState.SUSPENDED:
            return job
        self._step("resume it", lambda: self.provider.set_state(self.job_id, JobAction.RESUME))
        try:
            return self.provider.job(self.job_id)
        except BitsShellError:
            # It runs: what cannot be read just now is no reason to cancel it.
            return replace(job, state=JobState.QUEUED)

    def _step(self, words: str, act: Callable[[], T]) -> T:
        try:
            return act()
        except BitsShellError as cause:
            raise CreateFailed(
                words,
                cause,
                host=self.provider.host,
                job=self.job_id,
                cancel_error=self._cancel(),
            ) from cause

    def _cancel(self) -> BitsShellError | None:
        try:
            self.provider.set_state(self.job_id, JobAction.CANCEL)
        except JobGone:
            return None
        except BitsShellError as error:
            return error
        return None
