"""Cancelled uploads whose server is still to be told (statement 74)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..clock import pause
from .codes import JobType

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..clock import Clock
    from .model import Job
    from .upload import Upload

_LONGEST_S = 86_400.0


class Farewells:
    """Sends Cancel-Session for jobs that are gone, again and again until it got through.

    It gives up after 24 hours, or after the job's no-progress time if that is shorter.
    """

    def __init__(self, clock: Clock, upload: Callable[[Job], Upload]) -> None:
        self._clock = clock
        self._upload = upload
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, job: Job) -> None:
        """Begin, if the job is an upload with an open session."""
        is_open = any(entry.session_id and not entry.completed for entry in job.files)
        if job.job_type is JobType.UPLOAD and is_open:
            task = asyncio.get_running_loop().create_task(self._tell(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell(self, job: Job) -> None:
        upload = self._upload(job)
        until_s = self._clock.now_s() + min(_LONGEST_S, job.no_progress_timeout_s)
        while not await upload.tell_cancelled():
            if self._clock.now_s() + job.minimum_retry_delay_s > until_s:
                return
            await pause(self._clock, job.minimum_retry_delay_s)

    async def close(self) -> None:
        """Stop trying."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
