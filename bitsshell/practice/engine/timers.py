"""The timers of jobs: retry, no progress, inactivity and download time (78 to 84)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .model import Job

if TYPE_CHECKING:
    from ..clock import Clock, Timer
    from ..settings import EngineSettings

_Call = Callable[[Job], None]


class JobTimers:
    """Arms and drops the timers of the jobs of one host. All run on the monotonic clock (79)."""

    def __init__(
        self,
        clock: Clock,
        settings: EngineSettings,
        *,
        retry: _Call,
        no_progress: _Call,
        inactive: _Call,
        download_time_over: _Call,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._retry = retry
        self._no_progress = no_progress
        self._inactive = inactive
        self._download_time_over = download_time_over
        self._retries: dict[str, Timer] = {}
        self._stalls: dict[str, Timer] = {}
        self._activity: dict[str, Timer] = {}
        self._downloads: dict[str, tuple[Timer, float]] = {}

    def arm_retry(self, job: Job) -> None:
        """A transient failure: try again later, give up in the end (78, 81).

        One that waits for its condition has no retry timer (82).
        """
        now_s = self._clock.now_s()
        if not job.waits_for_condition:
            self._set(
                self._retries, job, now_s + job.minimum_retry_delay_s, lambda: self._retry(job)
            )
        if job.stalled_since_s is None:
            job.stalled_since_s = now_s
        if job.job_id not in self._stalls and not job.waits_for_condition:
            over_s = job.stalled_since_s + job.no_progress_timeout_s
            self._set(self._stalls, job, over_s, lambda: self._no_progress(job))

    def forget(self, job: Job) -> None:
        """The job left TRANSIENT_ERROR: no retry. The no-progress time goes on meanwhile."""
        self._clear(self._retries, job)
        if job.stalled_since_s is None:
            self._clear(self._stalls, job)

    def forget_no_progress(self, job: Job) -> None:
        """Progress was made."""
        self._clear(self._stalls, job)

    def watch_activity(self, job: Job) -> None:
        """Cancel the job when nothing happens to it for long enough (84)."""
        due_s = job.last_activity_s + self._settings.job_inactivity_timeout_s
        self._set(self._activity, job, due_s, lambda: self._look_at_activity(job))

    def _look_at_activity(self, job: Job) -> None:
        due_s = job.last_activity_s + self._settings.job_inactivity_timeout_s
        if due_s > self._clock.now_s():
            self.watch_activity(job)
        else:
            self._inactive(job)

    def download_started(self, job: Job) -> None:
        """The job became active; its download time runs (83)."""
        now_s = self._clock.now_s()
        left_s = max(0.0, self._settings.max_download_time_s - job.active_s)
        timer = self._clock.call_at(now_s + left_s, lambda: self._download_time_over(job))
        self._downloads[job.job_id] = (timer, now_s)

    def download_stopped(self, job: Job) -> None:
        """The job is not active any more; what it used is kept."""
        entry = self._downloads.pop(job.job_id, None)
        if entry is not None:
            timer, started_s = entry
            timer.cancel()
            job.active_s += self._clock.now_s() - started_s

    def drop(self, job: Job) -> None:
        """The job is final."""
        for timers in (self._retries, self._stalls, self._activity):
            self._clear(timers, job)
        self.download_stopped(job)

    def _set(
        self, timers: dict[str, Timer], job: Job, when_s: float, callback: Callable[[], None]
    ) -> None:
        self._clear(timers, job)
        timers[job.job_id] = self._clock.call_at(when_s, callback)

    @staticmethod
    def _clear(timers: dict[str, Timer], job: Job) -> None:
        timer = timers.pop(job.job_id, None)
        if timer is not None:
            timer.cancel()
