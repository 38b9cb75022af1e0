"""From what a host answers to `Job`, `JobFile` and `JobError`.

Only `JobId` is needed: a property that is missing or NULL gets its default, one that nobody knows
is passed over, and a number out of its range is an error of the answer, not of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.bits.enums import ErrorContext, JobState, Priority
from bitsshell.bits.making import maker_of
from bitsshell.bits.model import SIZE_UNKNOWN, Job, JobError, JobFile
from bitsshell.bits.reference import canonical_job_id, split_description
from bitsshell.wsman import Instance, MalformedAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

_STATES = {str(int(state)): state for state in JobState}
_PRIORITIES = {str(int(priority)): priority for priority in Priority}
_SIZE_UNKNOWN = str(SIZE_UNKNOWN)
_SAFE_DIGITS = 20
"""A number with fewer digits than this is below 2^64."""

_NUMBERS = (
    "JobCreationTime",
    "JobLastModificationTime",
    "JobCompletionTime",
    "BytesTransferred",
    "FilesTotal",
    "FilesTransferred",
    "TransientErrorCount",
)
_job_of = maker_of(Job)
_file_of = maker_of(JobFile)


def read_job(instance: Instance, *, host: str, properties: tuple[str, ...] | None = None) -> Job:
    """Make a job of an instance or of an item with some of its properties.

    `properties` are those that were asked for, None for all.

    Raises:
        MalformedAnswer: there is no JobId, it is no GUID, or a number is none.
    """
    text = instance.text
    raw_id = text("JobId")
    job_id = canonical_job_id(raw_id) if raw_id else None
    if job_id is None:
        raise MalformedAnswer(
            f"a job with the JobId {raw_id!r}, which is no GUID", host=host, operation="read a job"
        )
    description, reference = split_description(text("Description"))
    state = _STATES.get(text("State", "3"))
    priority = _PRIORITIES.get(text("Priority", "2"))
    created, modified, completed, transferred, files, files_done, errors = _read_numbers(instance)
    # By position, in the order of the fields: the names alone would cost as much as the reading.
    return _job_of(
        host,
        job_id,
        text("DisplayName") or "",
        description,
        reference,
        JobState(instance.uint("State", 3)) if state is None else state,
        Priority(instance.uint("Priority", 2)) if priority is None else priority,
        text("Owner"),
        created,
        modified,
        completed,
        _size(instance),
        transferred,
        files,
        files_done,
        errors,
        instance.uint("MinimumRetryDelay"),
        instance.uint("NoProgressTimeout"),
        tuple(map(_read_file, instance.instances("Files"))),
        properties,
    )


def _read_numbers(instance: Instance) -> Sequence[int]:
    """`_NUMBERS`, 0 for what is missing. All at once where all are plain digits, as is usual."""
    get = instance.properties.get
    texts = [get(name, "0") for name in _NUMBERS]
    try:
        joined = "".join(texts)  # type: ignore[arg-type]  # what is no text is a TypeError
        if joined.isascii() and joined.isdigit() and max(map(len, texts)) < _SAFE_DIGITS:  # type: ignore[arg-type]
            return tuple(map(int, texts))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        pass  # one is nil, empty or no number: which one, the careful way tells
    return [instance.uint(name, 0) for name in _NUMBERS]


def _read_file(instance: Instance) -> JobFile:
    return _file_of(
        instance.text("RemoteUrl") or "",
        instance.text("LocalFile") or "",
        _size(instance),
        instance.uint("BytesTransferred", 0),
        instance.boolean("Completed", False),
    )


def _size(instance: Instance) -> int | None:
    """`BytesTotal`, None while it is unknown."""
    if instance.properties.get("BytesTotal") == _SIZE_UNKNOWN:
        return None
    return instance.uint("BytesTotal")


def read_error(output: Instance, *, host: str, job_id: str) -> JobError:
    """Make a job error of GetError's output."""
    return JobError(
        host=host,
        job_id=job_id,
        code=output.uint("ErrorCode", 0),
        context=ErrorContext(output.uint("ErrorContext", 1)),
        description=(output.text("ErrorDescription") or "").strip(),
        context_description=(output.text("ContextDescription") or "").strip(),
    )
