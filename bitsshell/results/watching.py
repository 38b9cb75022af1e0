"""What following jobs over time gives: frames, and changes between two polls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bitsshell.bits import Job, JobError


@dataclass(frozen=True, slots=True)
class WatchRow:
    """One job in a frame. Rate in bytes per second over the last seconds, time left in seconds."""

    job: Job
    rate_bytes_s: float | None = None
    time_left_s: float | None = None
    error: JobError | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The watched jobs at one moment. `unreachable` are hosts that this poll could not read.

    The last frame `is_final`, and `is_stopped` where a person ended it before the jobs did.
    """

    rows: tuple[WatchRow, ...]
    as_of: datetime
    is_final: bool = False
    is_stopped: bool = False
    unreachable: tuple[str, ...] = ()

    @property
    def phase(self) -> str:
        """`live`, `final` or `stopped`."""
        if self.is_stopped:
            return "stopped"
        return "final" if self.is_final else "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChange:
    """Something about a watched job became different between two polls.

    `before` is None for a job that is new; `after` is None for one that left the queue. `error`
    is the job's error when it went into an error state. `is_first` marks the jobs of the first
    poll, which are not new but only seen for the first time.
    """

    at: datetime
    host: str
    job_id: str
    before: Job | None = None
    after: Job | None = None
    error: JobError | None = None
    is_first: bool = False

    @property
    def state_changed(self) -> bool:
        """Whether the state is another one, or the job came or went."""
        if self.before is None or self.after is None:
            return True
        return self.before.state != self.after.state

    @property
    def kind(self) -> str:
        """`present`, `appeared`, `left`, `state` or `progress`."""
        if self.before is None:
            return "present" if self.is_first else "appeared"
        if self.after is None:
            return "left"
        return "state" if self.state_changed else "progress"
