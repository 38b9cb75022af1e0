"""Creating a job in steps, so that it is never made twice and never left half made.

Suspended first, then files, properties, a look at the result, and only then resume. The reference
in its Description, chosen before sending, finds a job again whose creation was answered by a broken
connection.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from bitsshell import wsman
from bitsshell.bits.changing import add_file, apply_setting, check_lost, set_property, set_state
from bitsshell.bits.enums import JobAction, JobState
from bitsshell.bits.errors import (
    AnswerWasLost,
    CreateFailed,
    JobGone,
    NotCreated,
    QueueUnreadable,
)
from bitsshell.bits.model import Done
from bitsshell.bits.reference import canonical_job_id
from bitsshell.bits.settings import SetCredentials
from bitsshell.errors import BitsShellError, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from bitsshell.bits.model import Job
    from bitsshell.bits.operations import CreateJob
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
    earlier = _made_before(provider, operation.reference)
    if earlier is None:
        job_id, warning = _send_create(provider, operation)
        return _Finishing(provider, operation, job_id, warning).run()
    if earlier.state is not JobState.SUSPENDED:
        return Done(earlier, already=True)  # it was resumed, and that is the last step
    return _Finishing(provider, operation, earlier.id, None, earlier).run()


def _made_before(provider: BitsProvider, reference: str) -> Job | None:
    """What an earlier run of the same task made; nothing where the queue cannot be enumerated."""
    try:
        return provider.find(reference)
    except QueueUnreadable:
        return None


def _send_create(provider: BitsProvider, operation: CreateJob) -> tuple[str, int | None]:
    """Call CreateJob; the new job's id and a warning."""
    request, action = operation.creation, f"create job {shown(operation.name)}"
    lost: wsman.WSManError | None = None
    try:
        output = provider.invoke(request, action, None)
        job_id = canonical_job_id(output.text("JobId", ""))
        if job_id is not None:
            return job_id, output.return_value or None
    except wsman.WSManError as error:
        # No answer that can be used is as good as none.
        lost = error.during(action, change=True, host=provider.host)
        check_lost(lost, action, host=provider.host, reference=operation.reference)
    return _look_for_it(provider, operation, action, lost).id, None


def _look_for_it(
    provider: BitsProvider, operation: CreateJob, action: str, lost: wsman.WSManError | None
) -> Job:
    for look in range(_LOOKS):
        if look:
            provider.sleep(_PAUSE_S)
        try:
            found = provider.find(operation.reference)
        except BitsShellError as error:
            raise AnswerWasLost(
                action, host=provider.host, reference=operation.reference
            ) from error
        if found is not None:
            return found
    raise NotCreated(host=provider.host, job=operation.name) from lost


class _Finishing:
    """The steps after CreateJob; the first that fails cancels the job."""

    def __init__(
        self,
        provider: BitsProvider,
        operation: CreateJob,
        job_id: str,
        warning: int | None,
        earlier: Job | None = None,
    ) -> None:
        self.provider = provider
        self.operation = operation
        self.job_id = job_id
        self.warning = warning
        first = operation.files[0]
        self.held = {(first.url, first.path)}
        if earlier is not None:
            self.held.update((file.url, file.path) for file in earlier.files)

    def run(self) -> Done:
        """Files, properties, credentials, a look at the result, what is replaced, resume."""
        provider, job_id = self.provider, self.job_id
        for file in self.operation.files:
            if (file.url, file.path) not in self.held:
                self._note(self._step(f"add {file.url}", partial(add_file, provider, job_id, file)))
        for setting in self.operation.settings:
            bound = replace(setting, job_id=job_id)
            self._step(f"set {bound.label}", partial(set_property, provider, bound))
        if self.operation.credentials is not None:
            given = SetCredentials(job_id, self.operation.credentials)
            self._step(given.action, partial(apply_setting, provider, given))
        job = self._step("read the new job back", partial(provider.job, job_id))
        for old in self.operation.replaces:
            words = f"cancel job {old}, which it replaces"
            self._step(words, partial(_cancel_if_there, provider, old))
        if not self.operation.suspended:
            self._note(
                self._step("resume it", partial(set_state, provider, job_id, JobAction.RESUME))
            )
            # What cannot be read just now is no reason to cancel it: it runs.
            job = provider.read_back(job_id) or replace(job, state=JobState.QUEUED)
        return Done(job, self.warning)

    def _note(self, warning: int | None) -> None:
        self.warning = self.warning or warning

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
            _cancel_if_there(self.provider, self.job_id)
        except BitsShellError as error:
            return error
        return None


def _cancel_if_there(provider: BitsProvider, job_id: str) -> None:
    try:
        set_state(provider, job_id, JobAction.CANCEL)
    except JobGone:
        return
