"""Which jobs run: all of FOREGROUND, and beside them one of the background (86 to 88)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .codes import ACTIVE, JobState, Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from ..clock import Clock, Timer
    from .model import Job


class Scheduler:
    """Starts and stops the transfers of one host. Holds no state of its own about jobs."""

    def __init__(
        self,
        jobs: Mapping[str, Job],
        clock: Clock,
        time_slice_s: float,
        run: Callable[[Job], Coroutine[None, None, None]],
        set_state: Callable[[Job, JobState], None],
    ) -> None:
        self._jobs = jobs
        self._clock = clock
        self._time_slice_s = time_slice_s
        self._run = run
        self._set_state = set_state
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._slice: Timer | None = None
        self._background: str | None = None
        self._order = 0
        self.stopped = False

    def enqueue(self, job: Job) -> None:
        """Put a job at the end of its queue; it is QUEUED as the caller returns (27)."""
        self._order += 1
        job.queue_order = self._order
        self._set_state(job, JobState.QUEUED)
        asyncio.get_running_loop().call_soon(self.settle)

    def stop(self, job: Job) -> None:
        """End the job's transfer, if there is one; its state is the caller's business."""
        task = self._tasks.pop(job.job_id, None)
        if task is not None:
            task.cancel()
        if self._background == job.job_id:
            self._background = None

    def running(self, job: Job) -> bool:
        """Whether a transfer of the job is under way."""
        return job.job_id in self._tasks

    def settle(self) -> None:
        """Look who should run now; called after every change."""
        if self.stopped:
            return
        for job in [j for j in self._jobs.values() if j.state in ACTIVE]:
            if job.priority is Priority.FOREGROUND and not self.running(job):
                self._start(job)
        self._settle_background()

    def _settle_background(self) -> None:
        waiting = [
            job
            for job in self._jobs.values()
            if job.state in ACTIVE and job.priority is not Priority.FOREGROUND
        ]
        current = self._jobs.get(self._background or "")
        if current is not None and current.priority is Priority.FOREGROUND:
            current = self._background = None
        if not waiting:
            self._background = None
            return
        level = min(job.priority for job in waiting)
        if current is not None and self.running(current) and current.priority == level:
            self._requeue_strays(waiting, current)
            return
        self._requeue_strays(waiting, None)
        best = min(
            (job for job in waiting if job.priority == level), key=lambda job: job.queue_order
        )
        self._background = best.job_id
        self._start(best)
        self._arm_slice(best)

    def _requeue_strays(self, waiting: list[Job], keep: Job | None) -> None:
        """Only one background job may run: others were FOREGROUND a moment ago, or lost it."""
        for job in waiting:
            if job is not keep and self.running(job):
                self._requeue(job)

    def _requeue(self, job: Job) -> None:
        """Pre-empt a running job: a higher one came, or its time is over (87, 88)."""
        self.stop(job)
        self._order += 1
        job.queue_order = self._order
        self._set_state(job, JobState.QUEUED)

    def _arm_slice(self, job: Job) -> None:
        if self._slice is not None:
            self._slice.cancel()
        self._slice = self._clock.call_at(
            self._clock.now_s() + self._time_slice_s, lambda: self._slice_over(job.job_id)
        )

    def _slice_over(self, job_id: str) -> None:
        job = self._jobs.get(job_id)
        if job is None or self._background != job_id or not self.running(job):
            return
        rivals = any(
            other.state in ACTIVE and other.priority == job.priority and other is not job
            for other in self._jobs.values()
        )
        if rivals:
            self._requeue(job)
            self._background = None
            self.settle()
        else:
            self._arm_slice(job)

    def _start(self, job: Job) -> None:
        if self.running(job):
            return
        self._set_state(job, JobState.CONNECTING)
        task = asyncio.get_running_loop().create_task(self._run(job), name=f"bits {job.job_id}")
        self._tasks[job.job_id] = task
        task.add_done_callback(lambda done: self._ended(job, done))

    def _ended(self, job: Job, task: asyncio.Task[None]) -> None:
        if self._tasks.get(job.job_id) is task:
            del self._tasks[job.job_id]
            if self._background == job.job_id:
                self._background = None
            if not self.stopped:
                self.settle()

    async def close(self) -> None:
        """Stop every transfer and wait until it has let go."""
        self.stopped = True
        if self._slice is not None:
            self._slice.cancel()
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
