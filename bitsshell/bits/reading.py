"""From what a host answers to `Job`, `JobFile` and `JobError`.

Only `JobId` is needed: a property that is missing or NULL gets its default, one that nobody knows
is passed over, and a number out of its range is an error of the answer, not of ours.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from bitsshell.bits.enums import ErrorContext, JobState, Priority
from bitsshell.bits.model import SIZE_UNKNOWN, Job, JobError, JobFile
from bitsshell.bits.reference import canonical_job_id, split_description
from bitsshell.wsman import Instance, MalformedAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

_STATES = {str(int(state)): state for state in JobState}
_SIZE_UNKNOWN = str(SIZE_UNKNOWN)
_SAFE_DIGITS = 20
"""A number with fewer digits than this is below 2^64."""
_PRIORITIES = {str(int(priority)): priority for priority in Priority}


_NUMBERS = (
    "JobCreationTime",
    "JobLastModificationTime",
    "JobCompletionTime",
    "BytesTransferred",
    "FilesTotal",
    "FilesTransferred",
    "TransientErrorCount",
)
_numbers_of = itemgetter(*_NUMBERS)


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
    return Job(
        host=host,
        id=job_id,
        name=text("DisplayName") or "",
        description=description,
        reference=reference,
        state=JobState(instance.uint("State", 3)) if state is None else state,
        priority=Priority(instance.uint("Priority", 2)) if priority is None else priority,
        owner=text("Owner"),
        created_filetime=created,
        modified_filetime=modified,
        completed_filetime=completed,
        bytes_total=_size(instance),
        bytes_transferred=transferred,
        files_total=files,
        files_transferred=files_done,
        error_count=errors,
        minimum_retry_delay_s=instance.uint("MinimumRetryDelay"),
        no_progress_timeout_s=instance.uint("NoProgressTimeout"),
        files=tuple(map(_read_file, instance.instances("Files"))),
        properties=properties,
    )


def _read_numbers(instance: Instance) -> Sequence[int]:
    """`_NUMBERS`, 0 for what is missing. All at once where all are there, as they usually are."""
    try:
        texts = _numbers_of(instance.properties)
        joined = "".join(texts)
        if joined.isascii() and joined.isdigit() and max(map(len, texts)) < _SAFE_DIGITS:
            return tuple(map(int, texts))
    except (KeyError, TypeError, ValueError):
        pass  # one is missing, nil or no number: which one, the careful way tells
    return [instance.uint(name, 0) for name in _NUMBERS]


def _read_file(instance: Instance) -> JobFile:
    return JobFile(
        url=instance.text("RemoteUrl") or "",
        path=instance.text("LocalFile") or "",
        bytes_total=_size(instance),
        bytes_transferred=instance.uint("BytesTransferred", 0),
        is_completed=instance.boolean("Completed", False),
    )


def _size(instance: Instance) -> int | None:
    """`BytesTotal`, None while it is unknown."""
    if instance.text("BytesTotal") == _SIZE_UNKNOWN:
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
