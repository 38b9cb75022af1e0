"""The BITS service of one host: its jobs and every call on them.

All calls are made on the event loop that the engine was made for; none of them waits. The state
machine is the table in section C of the BITS facts; numbers in brackets are its statements.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

from ..clock import Clock, filetime
from . import checks
from .additions import check_addition
from .codes import (
    ACTIVE,
    FAILED,
    RUNNING,
    BitsCallError,
    ErrorContext,
    Hr,
    JobState,
    JobType,
    Priority,
)
from .farewells import Farewells
from .localfiles import LocalFiles, os_hresult
from .model import FileEntry, Job, JobFailure, normal_id
from .outcomes import ConditionError, TransferError
from .properties import JobProperties
from .saving import QueueSaver
from .scheduler import Scheduler
from .store import JobStore, MemoryStore
from .timers import JobTimers
from .transfer import Transfer, TransferReports, TransferTools
from .upload import Upload
from .waiters import Waiters

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from ..paths import HostPaths
    from ..settings import EngineSettings

_FAIL = 0x8000_4005


class BitsEngine(JobProperties):
    """Jobs of one host. Ids are matched in any letter case, with or without braces."""

    def __init__(
        self,
        paths: HostPaths,
        clock: Clock,
        session: Callable[[], aiohttp.ClientSession],
        settings: EngineSettings,
        store: JobStore | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.files = LocalFiles(paths, settings.missing_folder)
        self._store = store or MemoryStore()
        self._jobs: dict[str, Job] = {}
        self._condition: int | None = None
        self._saver = QueueSaver(self._store, self.jobs)
        self._waiters = Waiters()
        self._timers = JobTimers(
            clock,
            settings,
            retry=self._retry,
            no_progress=self._no_progress,
            inactive=self._inactive,
            download_time_over=self._download_time_over,
        )
        reports = TransferReports(self._connected, self._changed, self._progressed)
        self._tools = TransferTools(session, self.files, clock, settings, reports)
        self._farewells = Farewells(clock, lambda job: Upload(job, self._tools))
        self._scheduler = Scheduler(
            self._jobs, clock, settings.time_slice_s, self._run, self._set_state
        )
        for folder in settings.folders:
            paths.make_folder(folder)

    # --- looking ---

    def jobs(self) -> list[Job]:
        """The jobs in the queue; final ones are gone (32)."""
        return list(self._jobs.values())

    def find(self, job_id: str) -> Job:
        """The job of that id.

        Raises:
            BitsCallError: unknown, completed or cancelled (142).
        """
        job = self._jobs.get(normal_id(job_id))
        if job is None:
            raise BitsCallError(Hr.NOT_FOUND)
        return job

    def failure(self, job: Job) -> JobFailure:
        """Why the job stopped (63).

        Raises:
            BitsCallError: there is no error to tell about.
        """
        if job.failure is None:
            raise BitsCallError(Hr.ERROR_INFORMATION_UNAVAILABLE)
        return job.failure

    # --- making ---

    def create(
        self,
        name: str | None,
        *,
        owner_sid: str,
        description: str = "",
        job_type: int = JobType.DOWNLOAD,
    ) -> Job:
        """A new job: SUSPENDED, NORMAL, without files (10, 13 to 17)."""
        kind = checks.member(JobType, job_type)
        now = filetime(self.clock)
        job = Job(
            job_id="{" + str(uuid.uuid4()).upper() + "}",
            display_name=checks.check_name(name),
            description=checks.check_description(description),
            owner_sid=owner_sid,
            job_type=kind,
            created=now,
            modified=now,
            last_activity_s=self.clock.now_s(),
        )
        self._jobs[job.job_id] = job
        self._timers.watch_activity(job)
        self._changed(job)
        return job

    def add_file(self, job: Job, remote_url: str, local_path: str) -> None:
        """Append a file; legal in every state but the final ones (33)."""
        self._refuse_final(job)
        limit = self.settings.long_url_hresult
        check_addition(job, remote_url, local_path, self.files, limit)
        job.files.append(FileEntry(remote_url, local_path))
        self._touch(job)

    # --- changing the state ---

    def resume(self, job: Job) -> int:
        """SUSPENDED, ERROR and TRANSIENT_ERROR go to QUEUED at once; active ones stay (26, 27)."""
        self._refuse_final(job)
        if not job.files:
            raise BitsCallError(Hr.EMPTY)
        if job.state in ACTIVE:
            return Hr.S_OK
        if job.next_file is None:
            finished = job.state is JobState.TRANSFERRED
            if finished and self.settings.resume_of_transferred_fails:
                raise BitsCallError(Hr.EMPTY)
            self._set_state(job, JobState.TRANSFERRED)
            return Hr.S_OK
        job.active_s = 0.0
        job.stalled_since_s = None
        job.retrying = False
        self._timers.forget(job)
        if self._blocked(job):
            self._wait_for_condition(job)
            return Hr.S_OK
        self._scheduler.enqueue(job)
        return Hr.S_OK

    def suspend(self, job: Job) -> int:
        """Stop all transfer until Resume (28)."""
        self._refuse_final(job)
        shown = {JobState.ERROR, JobState.TRANSFERRED}
        if job.state in shown and not self.settings.suspend_hides_error_state:
            return Hr.S_OK
        self._halt(job)
        self._set_state(job, JobState.SUSPENDED)
        self._scheduler.settle()
        return Hr.S_OK

    def complete(self, job: Job) -> int:
        """Give finished files their names, drop the rest, end the job (69, 70).

        Raises:
            BitsCallError: a rename failed; the job stays TRANSFERRED and can be completed again.
        """
        self._refuse_final(job)
        if job.job_type is JobType.UPLOAD and job.state is not JobState.TRANSFERRED:
            raise BitsCallError(Hr.INVALID_STATE)
        self._halt(job)
        try:
            self.files.publish_all(job.files)
        except OSError as error:
            self._set_state(job, JobState.TRANSFERRED)
            self._scheduler.settle()
            raise BitsCallError(os_hresult(error)) from error
        result = Hr.S_OK
        if any(not entry.fetched for entry in job.files) or (
            not job.files and not self.settings.empty_complete_succeeds
        ):
            result = Hr.S_PARTIAL_COMPLETE
        if not self.files.discard_all(job.files):
            result = Hr.S_UNABLE_TO_DELETE_FILES
        self._end(job, JobState.ACKNOWLEDGED)
        return result

    def cancel(self, job: Job) -> int:
        """Remove the job and everything that it fetched; tell an upload's server (73, 74)."""
        self._refuse_final(job)
        self._halt(job)
        self._farewells.tell(job)
        gone = self.files.discard_all(job.files)
        self._end(job, JobState.CANCELLED)
        return Hr.S_OK if gone else Hr.S_UNABLE_TO_DELETE_FILES

    # --- conditions of the host ---

    @property
    def condition(self) -> int | None:
        """What stops every transfer now, as its HRESULT; None is nothing."""
        return self._condition

    def set_condition(self, hresult: int | None) -> None:
        """A condition that stops every transfer (no network, cost, policy), or its end.

        Jobs that would run wait in TRANSIENT_ERROR; when it ends, **all** jobs in
        TRANSIENT_ERROR go back to QUEUED, whatever their code (38, 39).
        """
        self._condition = hresult
        if hresult is not None:
            for job in self.jobs():
                if job.state in ACTIVE and self._blocked(job):
                    self._halt(job)
                    self._wait_for_condition(job)
            return
        for job in self.jobs():
            if job.state is JobState.TRANSIENT_ERROR:
                self._retry(job)

    # --- life of the service ---

    def restore(self) -> None:
        """Take the queue up again after a restart; transfers go on from their offset (143)."""
        for job in self._store.load():
            job.last_activity_s = self.clock.now_s()
            job.stalled_since_s = None
            self._jobs[job.job_id] = job
            self._timers.watch_activity(job)
            if job.state in RUNNING:
                job.state = JobState.QUEUED
        for job in sorted(self.jobs(), key=lambda j: j.queue_order):
            waits = job.state is JobState.TRANSIENT_ERROR and job.waits_for_condition
            if job.state in ACTIVE or waits:
                self._scheduler.enqueue(job)
            elif job.state is JobState.TRANSIENT_ERROR:
                self._timers.arm_retry(job)

    async def close(self) -> None:
        """Stop every transfer and save the queue."""
        for job in self.jobs():
            self._timers.drop(job)
        running = [job for job in self.jobs() if job.state in RUNNING]
        await self._scheduler.close()
        await self._farewells.close()
        for job in running:
            job.state = JobState.QUEUED
        self._saver.now()
        self._waiters.close()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return once the condition holds; it is looked at after every change."""
        await self._waiters.wait(condition)

    # --- what happens by itself ---

    async def _run(self, job: Job) -> None:
        self._timers.download_started(job)
        carrier = Upload if job.job_type is JobType.UPLOAD else Transfer
        try:
            await carrier(job, self._tools).run()
        except TransferError as error:
            self._fail(job, error)
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._fail(job, TransferError(_FAIL, ErrorContext.UNKNOWN, fatal=True))
            raise
        else:
            job.completed = filetime(self.clock)
            job.failure = None
            job.stalled_since_s = None
            self._timers.forget(job)
            self._set_state(job, JobState.TRANSFERRED)

    def _connected(self, job: Job) -> None:
        if job.state is not JobState.TRANSFERRING:
            self._set_state(job, JobState.TRANSFERRING)

    def _progressed(self, job: Job) -> None:
        """Data flows: the error is over, and so is the no-progress time (63, 81)."""
        job.failure = None
        job.stalled_since_s = None
        job.retrying = False
        self._timers.forget_no_progress(job)
        self._touch(job)

    def _fail(self, job: Job, error: TransferError) -> None:
        """TRANSIENT_ERROR with its timers, or ERROR (66, 78, 81, 82)."""
        waits = isinstance(error, ConditionError)
        file_index = job.next_file if error.context is not ErrorContext.GENERAL_TRANSPORT else None
        if not waits and (job.state is JobState.TRANSFERRING or job.retrying):
            job.error_count += 1
        job.failure = JobFailure(error.code, error.context, file_index)
        job.waits_for_condition = waits
        self._timers.forget(job)
        hopeless = (
            job.no_progress_timeout_s == 0 or job.minimum_retry_delay_s > job.no_progress_timeout_s
        )
        if error.fatal or (hopeless and not waits):
            self._set_state(job, JobState.ERROR)
            return
        if job.stalled_since_s is None:
            job.stalled_since_s = self.clock.now_s()
        self._set_state(job, JobState.TRANSIENT_ERROR)
        self._timers.arm_retry(job)

    def _retry(self, job: Job) -> None:
        if job.state is not JobState.TRANSIENT_ERROR:
            return
        self._timers.forget(job)
        if self._blocked(job):
            self._wait_for_condition(job)
            return
        job.retrying = True
        self._scheduler.enqueue(job)

    def _blocked(self, job: Job) -> bool:
        """Whether the host's condition stops this job; FOREGROUND has no bandwidth limit (89)."""
        unlimited = job.priority is Priority.FOREGROUND
        if self._condition == Hr.BLOCKED_BY_POLICY and unlimited:
            return False
        return self._condition is not None

    def _wait_for_condition(self, job: Job) -> None:
        if self._condition is not None:
            self._fail(job, ConditionError(self._condition))

    def _no_progress(self, job: Job) -> None:
        """The no-progress time is over; by default the last error is kept (81)."""
        if not job.final and job.state in FAILED | ACTIVE:
            self._halt(job)
            if not self.settings.no_progress_keeps_error:
                context = ErrorContext.GENERAL_QUEUE_MANAGER
                job.failure = JobFailure(Hr.NO_PROGRESS, context, job.next_file)
            self._set_state(job, JobState.ERROR)
            self._scheduler.settle()

    def _download_time_over(self, job: Job) -> None:
        """Statement 83."""
        if job.state in RUNNING:
            self._halt(job)
            error = TransferError(
                Hr.MAXDOWNLOAD_TIMEOUT, ErrorContext.GENERAL_QUEUE_MANAGER, fatal=True
            )
            self._fail(job, error)
            self._scheduler.settle()

    def _inactive(self, job: Job) -> None:
        """No progress and no change for too long: the service cancels the job (84)."""
        if not job.final:
            self.cancel(job)

    # --- helpers ---

    def _priority_changed(self, job: Job) -> None:
        if job.state is JobState.TRANSIENT_ERROR and job.waits_for_condition:
            self._retry(job)
        self._scheduler.settle()

    def _halt(self, job: Job) -> None:
        self._timers.forget(job)
        self._scheduler.stop(job)

    def _end(self, job: Job, state: JobState) -> None:
        self._timers.drop(job)
        job.failure = None
        del self._jobs[job.job_id]
        self._set_state(job, state)
        self._scheduler.settle()

    def _set_state(self, job: Job, state: JobState) -> None:
        if state not in RUNNING:
            self._timers.download_stopped(job)
        job.state = state
        self._changed(job)

    def _touch(self, job: Job) -> None:
        job.last_activity_s = self.clock.now_s()
        self._changed(job)

    def _changed(self, job: Job) -> None:
        """Every change moves the modification time (61) and wakes who waits for it."""
        job.modified = filetime(self.clock)
        self._saver.soon()
        self._waiters.look()
