"""Where a host's queue outlives a restart (statements 143, 145)."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Protocol

from .codes import ErrorContext, JobState, JobType, Priority, ProxyUsage
from .model import FileEntry, Job, JobFailure

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_FORMAT = 1
_NOT_KEPT = frozenset({"credentials", "stalled_since_s", "last_activity_s", "retrying"})
"""Secrets never rest on disk; the times are those of a clock that ends with its process."""


class JobStore(Protocol):
    """Keeps the jobs of one host."""

    def load(self) -> list[Job]:
        """The jobs as they were saved last; none if there were none."""

    def save(self, jobs: Iterable[Job]) -> None:
        """Keep these jobs and forget all others."""


class MemoryStore:
    """Keeps the queue as long as its fleet runs, over a restart of the service."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []

    def load(self) -> list[Job]:
        """What was saved last."""
        return self._jobs

    def save(self, jobs: Iterable[Job]) -> None:
        """Keep the jobs themselves: the engine that had them is closed before they are loaded."""
        self._jobs = list(jobs)


class FileStore:
    """Keeps the queue in one file, which is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> list[Job]:
        """The saved jobs. A damaged file is put aside and the queue starts empty (145)."""
        try:
            return jobs_from_text(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError, AttributeError):
            self._path.replace(self._path.with_suffix(".damaged"))
            return []

    def save(self, jobs: Iterable[Job]) -> None:
        """Write beside the file and rename."""
        beside = self._path.with_suffix(".new")
        beside.write_text(jobs_to_text(jobs), encoding="utf-8")
        beside.replace(self._path)


def jobs_to_text(jobs: Iterable[Job]) -> str:
    """All that outlives a restart, as JSON."""
    return json.dumps({"format": _FORMAT, "jobs": [_job_record(job) for job in jobs]})


def jobs_from_text(text: str) -> list[Job]:
    """The jobs behind the text.

    Raises:
        ValueError, KeyError, TypeError: it is something else.
    """
    document = json.loads(text)
    if document["format"] != _FORMAT:
        raise ValueError(f"format {document['format']}")
    return [_job(record) for record in document["jobs"]]


def _job_record(job: Job) -> dict[str, Any]:
    record = {f.name: getattr(job, f.name) for f in fields(Job) if f.name not in _NOT_KEPT}
    record["files"] = [
        {f.name: getattr(entry, f.name) for f in fields(FileEntry)} for entry in job.files
    ]
    if job.failure is not None:
        failure = job.failure
        record["failure"] = [failure.code, failure.context, failure.file_index]
    return record


def _job(record: dict[str, Any]) -> Job:
    values = dict(record)
    values["state"] = JobState(values["state"])
    values["priority"] = Priority(values["priority"])
    values["job_type"] = JobType(values["job_type"])
    values["proxy_usage"] = ProxyUsage(values["proxy_usage"])
    values["files"] = [FileEntry(**entry) for entry in values["files"]]
    if values["failure"] is not None:
        code, context, file_index = values["failure"]
        values["failure"] = JobFailure(code, ErrorContext(context), file_index)
    return Job(**values)
