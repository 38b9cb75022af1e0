"""Jobs, files and job errors as frozen data, in the provider's own terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bitsshell.bits.codes import Explanation, explain
from bitsshell.bits.enums import ErrorContext, JobState, Priority

if TYPE_CHECKING:
    from bitsshell.bits.url_groups import UrlGroup, UrlGroupList

SIZE_UNKNOWN = 2**64 - 1
"""`BG_SIZE_UNKNOWN`, which this package turns into None."""

_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_TICKS_PER_MICROSECOND = 10


def datetime_from_filetime(ticks: int) -> datetime | None:
    """Turn a FILETIME (100 ns since 1601-01-01 UTC) into an aware datetime, None for 0.

    A value beyond what `datetime` can hold (the year 9999) is None too.
    """
    if not ticks:
        return None
    try:
        return _FILETIME_EPOCH + timedelta(microseconds=ticks // _TICKS_PER_MICROSECOND)
    except OverflowError:
        return None


@dataclass(frozen=True, slots=True)
class JobFile:
    """One file of a job (`BitsClientFile`). Sizes in bytes, None while unknown."""

    url: str
    path: str
    bytes_total: int | None = None
    bytes_transferred: int = 0
    is_completed: bool = False
    """True once the file stands under its own name, which for a download is after `complete`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job on one host (`BitsClientJob`).

    `id` is the GUID in upper case without braces. `description` is what its user wrote, and
    `reference` our mark behind it, if it carries one. Times are kept as FILETIME (100 ns since
    1601-01-01 UTC, 0 for never) and read as aware datetimes by `created_at` and its siblings.
    A property that was not asked for, or that the host gave as NULL, has its default.
    """

    host: str
    id: str
    name: str = ""
    description: str = ""
    reference: str | None = None
    state: JobState = JobState.SUSPENDED
    priority: Priority = Priority.NORMAL
    owner: str | None = None
    created_filetime: int = 0
    modified_filetime: int = 0
    completed_filetime: int = 0
    bytes_total: int | None = None
    bytes_transferred: int = 0
    files_total: int = 0
    files_transferred: int = 0
    error_count: int = 0
    minimum_retry_delay_s: int | None = None
    no_progress_timeout_s: int | None = None
    files: tuple[JobFile, ...] = ()
    properties: tuple[str, ...] | None = field(default=None, compare=False)
    """The WMI names of what was asked for where that was not the whole job."""

    @property
    def created_at(self) -> datetime | None:
        """When the job was created, in UTC."""
        return datetime_from_filetime(self.created_filetime)

    @property
    def modified_at(self) -> datetime | None:
        """When a property, the state or the progress last changed, in UTC."""
        return datetime_from_filetime(self.modified_filetime)

    @property
    def completed_at(self) -> datetime | None:
        """When the job became TRANSFERRED, in UTC; None before that."""
        return datetime_from_filetime(self.completed_filetime)

    @property
    def fraction(self) -> float | None:
        """Progress from 0.0 to 1.0, None while the total is unknown or zero."""
        if not self.bytes_total:
            return None
        return min(1.0, self.bytes_transferred / self.bytes_total)

    @property
    def is_finished(self) -> bool:
        """Whether completing it now loses nothing."""
        return self.state in {JobState.TRANSFERRED, JobState.ACKNOWLEDGED}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """What `GetError` says of a job in ERROR or TRANSIENT_ERROR. `code` is an unsigned HRESULT."""

    host: str
    job_id: str
    code: int
    context: ErrorContext
    description: str = ""
    context_description: str = ""

    @property
    def explanation(self) -> Explanation:
        """Symbol, meaning and remedy of the code."""
        return explain(self.code)


@dataclass(frozen=True, slots=True)
class JobList:
    """What a host has in its queue. `partial` says that only known jobs could be read one by one.

    A host whose queue holds a job of a deleted account fails the enumeration as a whole
    (`WBEM_E_FAILED`); the jobs that are known by id can still be read.
    """

    jobs: tuple[Job, ...]
    partial: bool = False


@dataclass(frozen=True, slots=True)
class JobDetail:
    """A job and, where it is in an error state, what GetError says."""

    job: Job
    error: JobError | None = None


@dataclass(frozen=True, slots=True)
class HostIdentity:
    """What a host says it is (WS-Man Identify), for example `OS: 10.0.20348 SP: 0.0 Stack: 3.0`."""

    version: str


@dataclass(frozen=True, slots=True)
class Done:
    """What an operation gave. `warning` is a success code other than 0 (`BG_S_*`).

    `already` says that nothing had to be sent, because what was wanted was so.
    """

    value: Job | JobList | JobDetail | JobError | HostIdentity | UrlGroup | UrlGroupList | None
    warning: int | None = None
    already: bool = False
