"""Jobs and files as the engine keeps them, and as the world sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .codes import (
    FINAL,
    SIZE_UNKNOWN,
    AuthScheme,
    AuthTarget,
    ErrorContext,
    JobState,
    JobType,
    Priority,
    ProxyUsage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_RETRY_DELAY_S = 600
DEFAULT_NO_PROGRESS_TIMEOUT_S = 1_209_600


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Why a job stands in ERROR or TRANSIENT_ERROR: what GetError tells."""

    code: int
    context: ErrorContext
    file_index: int | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """Credentials of a job; they can be replaced or removed, never read (statement 137)."""

    username: str | None
    password: str | None = field(repr=False)


@dataclass(slots=True)
class FileEntry:
    """One file of a job."""

    remote_url: str
    local_path: str
    bytes_total: int = SIZE_UNKNOWN
    bytes_transferred: int = 0
    fetched: bool = False
    """All bytes are in the temporary file."""
    completed: bool = False
    """The file stands under its final name (statement 57)."""
    temp_name: str | None = None
    """Name of the temporary file beside the destination."""
    last_modified: str | None = None
    """The server's Last-Modified, as sent; of an upload's source its own time."""
    session_id: str | None = None
    """Of an upload that the server knows."""
    session_host: str | None = None
    """Where the server wants the packets of that session."""

    def restart(self) -> None:
        """Forget what was fetched: the remote file is another one now (statement 58)."""
        self.bytes_total = SIZE_UNKNOWN
        self.bytes_transferred = 0
        self.fetched = False
        self.last_modified = None


@dataclass(slots=True)
class Job:
    """One job in the queue."""

    job_id: str
    display_name: str
    description: str
    owner_sid: str
    job_type: JobType
    created: int
    """FILETIME, as the two times below."""
    modified: int
    completed: int = 0
    state: JobState = JobState.SUSPENDED
    priority: Priority = Priority.NORMAL
    minimum_retry_delay_s: int = DEFAULT_RETRY_DELAY_S
    no_progress_timeout_s: int = DEFAULT_NO_PROGRESS_TIMEOUT_S
    error_count: int = 0
    files: list[FileEntry] = field(default_factory=list)
    failure: JobFailure | None = None
    waits_for_condition: bool = False
    """The failure clears by itself, not by the retry timer (statements 38, 39, 82)."""
    retrying: bool = False
    """This attempt was started by the retry timer; its failure is counted (66)."""
    proxy_usage: ProxyUsage = ProxyUsage.PRECONFIG
    proxy_list: str | None = None
    proxy_bypass: str | None = None
    credentials: dict[tuple[AuthTarget, AuthScheme], Secret] = field(default_factory=dict)
    certificate: Mapping[str, Any] | None = None
    queue_order: int = 0
    """Place among the jobs of its priority: first in, first out (statement 88)."""
    active_s: float = 0.0
    """Time spent in CONNECTING and TRANSFERRING since the last Resume (statement 83)."""
    stalled_since_s: float | None = None
    """When the first transient error since the last progress happened (statement 81)."""
    last_activity_s: float = 0.0
    """When progress or a property change last happened (statement 84)."""

    @property
    def final(self) -> bool:
        """Whether the job has left the queue."""
        return self.state in FINAL

    @property
    def bytes_total(self) -> int:
        """Sum over the files, unknown until every size is known (statement 55)."""
        if any(f.bytes_total == SIZE_UNKNOWN for f in self.files):
            return SIZE_UNKNOWN
        return sum(f.bytes_total for f in self.files)

    @property
    def bytes_transferred(self) -> int:
        """Sum over the files, partial ones included (statement 56)."""
        return sum(f.bytes_transferred for f in self.files)

    @property
    def files_transferred(self) -> int:
        """Files that are fully fetched (statement 56)."""
        return sum(f.fetched for f in self.files)

    @property
    def next_file(self) -> int | None:
        """Index of the file whose turn it is: first in, first out (statement 51)."""
        return next((i for i, f in enumerate(self.files) if not f.fetched), None)


@dataclass(frozen=True, slots=True)
class PracticeJobFile:
    """One file of a job, as it stood when it was asked for."""

    url: str
    path: str
    bytes_total: int | None
    bytes_transferred: int
    fetched: bool
    completed: bool


@dataclass(frozen=True, slots=True)
class PracticeJob:
    """One job, as it stood when it was asked for."""

    id: str
    """GUID in braces, upper case."""
    name: str
    description: str
    state: JobState
    priority: Priority
    type: JobType
    minimum_retry_delay_s: int
    no_progress_timeout_s: int
    error_count: int
    error_code: int | None
    error_context: ErrorContext | None
    bytes_total: int | None
    bytes_transferred: int
    files: tuple[PracticeJobFile, ...]
    proxy_usage: ProxyUsage
    proxy_list: str | None
    credentials: frozenset[tuple[AuthTarget, AuthScheme]]


def normal_id(text: str) -> str:
    """A job id as the engine writes it: upper case, in braces."""
    return "{" + text.strip().strip("{}").upper() + "}"


def known_size(size_bytes: int) -> int | None:
    """A size, or None for the unknown marker."""
    return None if size_bytes == SIZE_UNKNOWN else size_bytes


def snapshot(job: Job) -> PracticeJob:
    """The job as frozen data."""
    return PracticeJob(
        id=job.job_id,
        name=job.display_name,
        description=job.description,
        state=job.state,
        priority=job.priority,
        type=job.job_type,
        minimum_retry_delay_s=job.minimum_retry_delay_s,
        no_progress_timeout_s=job.no_progress_timeout_s,
        error_count=job.error_count,
        error_code=job.failure.code if job.failure else None,
        error_context=job.failure.context if job.failure else None,
        bytes_total=known_size(job.bytes_total),
        bytes_transferred=job.bytes_transferred,
        files=tuple(
            PracticeJobFile(
                url=f.remote_url,
                path=f.local_path,
                bytes_total=known_size(f.bytes_total),
                bytes_transferred=f.bytes_transferred,
                fetched=f.fetched,
                completed=f.completed,
            )
            for f in job.files
        ),
        proxy_usage=job.proxy_usage,
        proxy_list=job.proxy_list,
        credentials=frozenset(job.credentials),
    )
