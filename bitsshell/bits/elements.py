"""What operations are made of: how much they take away, and how a class or a job is addressed."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from bitsshell import wsman
from bitsshell.bits.reference import wire_job_id
from bitsshell.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMESPACE = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/microsoft/bits"
JOB_CLASS = "BitsClientJob"
JOB_RESOURCE = f"{NAMESPACE}/{JOB_CLASS}"
QUERY_RESOURCE = f"{NAMESPACE}/*"
"""WQL wants the star in place of the class (wire.md section 0)."""

PENDING_JOB = "{the id that CreateJob returns}"
"""Stands where a job id goes in requests that are shown before the job exists."""


class Effect(enum.StrEnum):
    """How much an operation takes away: nothing, nothing that cannot be had back, or something."""

    READ = "read"
    CHANGE = "change"
    DESTROY = "destroy"


def selectors_of(job_id: str) -> tuple[tuple[str, str], ...]:
    """What tells a job from others on the wire."""
    key = job_id if job_id == PENDING_JOB else wire_job_id(job_id)
    return (("JobId", key),)


def invoke(
    method: str,
    job_id: str,
    arguments: tuple[tuple[str, wsman.Value], ...],
    *,
    is_read: bool = False,
) -> wsman.Invoke:
    """A method of a job."""
    return wsman.Invoke(JOB_RESOURCE, method, arguments, selectors_of(job_id), is_read)


def select_jobs(properties: Iterable[str]) -> wsman.Enumerate:
    """An enumeration of some properties of every job; `JobId` has to be one of them."""
    wql = " ".join(("SELECT", ",".join(properties), "FROM", JOB_CLASS))
    return wsman.Enumerate(QUERY_RESOURCE, wql=wql)


def name_in_words(job_id: str, job_name: str) -> str:
    """A job as sentences name it."""
    return f"{shown(job_name)} {job_id}" if job_name else job_id
