"""Changing one job so that it may be asked for twice, and so that a lost answer is looked into.

A change whose answer was lost is not simply sent again: the job itself is asked first what became
of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bitsshell import wsman
from bitsshell.bits import faults
from bitsshell.bits.enums import JobAction, JobState
from bitsshell.bits.errors import AnswerWasLost, JobGone
from bitsshell.bits.model import Done, Job
from bitsshell.bits.operations import AddFile, ChangeState, FileSpec, SetProperty
from bitsshell.errors import BitsShellError

if TYPE_CHECKING:
    from bitsshell.bits.provider import BitsProvider
    from bitsshell.bits.settings import JobSetting


def check_lost(
    error: wsman.WSManError,
    action: str,
    *,
    host: str,
    job: str | None = None,
    reference: str | None = None,
) -> None:
    """Return only where an answer was lost and the host may be asked what became of the change.

    Raises the error itself where the change was certainly not carried out, and `AnswerWasLost`
    where it was this program that ended the call: whoever did so does not want to wait.
    """
    if not error.may_have_been_applied:
        raise error
    if isinstance(error, wsman.CallAborted):
        raise AnswerWasLost(action, host=host, job=job, reference=reference) from error


# Files


def add_missing_file(provider: BitsProvider, operation: AddFile) -> Done:
    """Add a file unless the job holds it: BITS itself would take it twice (bits-semantics 50)."""
    before = provider.job(operation.job_id)
    if _holds(before, operation.file):
        return Done(before, already=True)
    warning = add_file(provider, operation.job_id, operation.file)
    return Done(provider.read_back(operation.job_id), warning)


def add_file(provider: BitsProvider, job_id: str, file: FileSpec) -> int | None:
    """Add one file; return a warning code.

    Documentation and the one public script disagree on the case of AddFile's parameters, which
    WinRM compares exactly; where one is refused the other is tried, and kept.

    Raises:
        AnswerWasLost: no answer came, and the job does not (yet) hold the file, or cannot be read.
    """
    (request,) = AddFile(job_id, file).requests()
    assert isinstance(request, wsman.Invoke)  # noqa: S101  # what AddFile asks for
    action = f"add {file.url}"
    refusal: wsman.Fault | None = None
    for names in (provider.add_file_names, _in_other_case(provider.add_file_names)):
        arguments = tuple(zip(names, (file.url, file.path), strict=True))
        try:
            output = provider.client.send(replace(request, arguments=arguments))
            warning = provider.warning_in(output, request, action, job_id)
        except wsman.WSManError as error:
            if isinstance(error, wsman.Fault) and not error.may_have_been_applied:
                if not faults.has(error, faults.BAD_PARAMETER):
                    raise provider.translated(error, request, action, job_id) from error
                refusal = refusal or error
                continue
            check_lost(error, action, host=provider.host, job=job_id)
            if not _was_added(provider, job_id, file):
                raise AnswerWasLost(action, host=provider.host, job=job_id) from error
            warning = None
        provider.add_file_names = names
        return warning
    assert refusal is not None  # noqa: S101  # both forms were refused, or we were not here
    raise provider.translated(refusal, request, action, job_id) from refusal


def _was_added(provider: BitsProvider, job_id: str, file: FileSpec) -> bool:
    job = provider.read_back(job_id)
    return job is not None and _holds(job, file)


def _holds(job: Job, file: FileSpec) -> bool:
    return any((held.url, held.path) == (file.url, file.path) for held in job.files)


def _in_other_case(names: tuple[str, str]) -> tuple[str, str]:
    first, second = (name[0].swapcase() + name[1:] for name in names)
    return first, second


# Properties


def set_property(provider: BitsProvider, operation: SetProperty) -> None:
    """Put one property. Sent again after a lost answer: setting the same twice does no harm."""
    (request,) = operation.requests()
    action = f"set {operation.label}"
    try:
        provider.send(request, action, operation.job_id)
    except wsman.WSManError as error:
        check_lost(error, action, host=provider.host, job=operation.job_id)
        provider.send(request, action, operation.job_id)


# Credentials, proxy, client certificate


def apply_setting(provider: BitsProvider, operation: JobSetting) -> None:
    """Call the method of a setting. Called again after a lost answer: that does no harm."""
    (request,) = operation.requests()
    try:
        provider.invoke(request, operation.action, operation.job_id)
    except wsman.WSManError as error:
        check_lost(error, operation.action, host=provider.host, job=operation.job_id)
        provider.invoke(request, operation.action, operation.job_id)


# State


def change_state(provider: BitsProvider, operation: ChangeState) -> Done:
    """Change the state after a fresh look at it."""
    action = operation.action
    try:
        before = provider.job(operation.job_id)
        if is_already(before, action):
            return Done(before, already=True)
        warning = set_state(provider, operation.job_id, action)
    except JobGone:
        if action is JobAction.CANCEL:
            return Done(None, already=True)
        raise
    final = action.final_state
    if final is not None:
        return Done(_left(before, final, warning), warning)
    return Done(provider.read_back(operation.job_id), warning)


def _left(job: Job, final: JobState, warning: int | None) -> Job:
    """A job as it left the queue: nobody can read it any more.

    A TRANSFERRED one that was completed without a warning has all its files under their own names;
    of any other the host does not say which it kept.
    """
    is_whole = final is JobState.ACKNOWLEDGED and job.state is JobState.TRANSFERRED
    if not is_whole or warning is not None:
        return replace(job, state=final)
    files = tuple(replace(file, is_completed=True) for file in job.files)
    return replace(job, state=final, files=files)


def set_state(provider: BitsProvider, job_id: str, action: JobAction) -> int | None:
    """Send an action; return a warning code.

    After a lost answer the job itself tells whether it took effect; if it did not, the action is
    sent once more, for none does anything to a job that it was done to before.

    Raises:
        AnswerWasLost: the second answer was lost, too, or the job cannot be read.
    """
    (request,) = ChangeState(job_id, action).requests()
    words = f"{action.name.lower()} the job"

    def call() -> int | None:
        output = provider.send(request, words, job_id)
        return provider.warning_in(output, request, words, job_id)

    try:
        return call()
    except wsman.WSManError as error:
        check_lost(error, words, host=provider.host, job=job_id)
    if _took_effect(provider, job_id, action, words):
        return None
    try:
        return call()
    except JobGone:
        # The first call was only late. What leaves the queue left it by the action just sent.
        if action.final_state is not None:
            return None
        raise
    except wsman.WSManError as error:
        check_lost(error, words, host=provider.host, job=job_id)
        raise AnswerWasLost(words, host=provider.host, job=job_id) from error


def _took_effect(provider: BitsProvider, job_id: str, action: JobAction, words: str) -> bool:
    try:
        job = provider.job(job_id)
    except JobGone:
        if action.final_state is not None:
            return True
        raise
    except BitsShellError as error:
        raise AnswerWasLost(words, host=provider.host, job=job_id) from error
    # A small file may be here before anybody looks.
    was_quick = action is JobAction.RESUME and job.state is JobState.TRANSFERRED
    return was_quick or is_already(job, action)


def is_already(job: Job, action: JobAction) -> bool:
    """Whether a job is as an action would leave it."""
    match action:
        case JobAction.SUSPEND:
            return job.state is JobState.SUSPENDED
        case JobAction.RESUME:
            return job.state.is_active
        case _:
            return job.state is action.final_state
