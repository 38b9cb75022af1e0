"""Results as plain dicts that are ready for JSON. Their keys are a promise: scripts read them.

Texts are exactly what the host said. Times are ISO 8601 in UTC with Z, sizes in bytes, periods in
seconds; what is not known is null. States, priorities and contexts carry the names of bits.h
(`TRANSFERRED`, `FOREGROUND`); a number that this version does not know is `UNKNOWN_n`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bitsshell.bits import (
    Explanation,
    HostIdentity,
    Job,
    JobDetail,
    JobError,
    JobFile,
    JobList,
    UrlGroup,
    UrlGroupList,
)
from bitsshell.known_secrets import scrub, scrub_json
from bitsshell.render.cells import ListedFile
from bitsshell.render.units import iso
from bitsshell.results import (
    Check,
    ConditionResult,
    Difference,
    Entry,
    HostStatus,
    Item,
    JobChange,
    Outcome,
    Plan,
    StartedJob,
    Status,
    Step,
    StepRun,
    Summary,
    View,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitsshell.errors import BitsShellError

Record = dict[str, Any]


def file_record(file: JobFile) -> Record:
    """One file of a job, as it stands in `files` of a job record."""
    return {
        "url": file.url,
        "path": file.path,
        "bytes_total": file.bytes_total,
        "bytes_transferred": file.bytes_transferred,
        "completed": file.is_completed,
    }


_PROPERTIES = {
    "id": "JobId", "name": "DisplayName", "description": "Description",
    "reference": "Description", "state": "State", "priority": "Priority", "owner": "Owner",
    "created": "JobCreationTime", "modified": "JobLastModificationTime",
    "completed": "JobCompletionTime", "bytes_total": "BytesTotal",
    "bytes_transferred": "BytesTransferred", "files_total": "FilesTotal",
    "files_transferred": "FilesTransferred", "error_count": "TransientErrorCount",
    "minimum_retry_delay_s": "MinimumRetryDelay", "no_progress_timeout_s": "NoProgressTimeout",
    "files": "Files",
}  # fmt: skip
"""The property of `BitsClientJob` that each key of a job record comes from."""


def job_record(job: Job) -> Record:
    """One job. Of one that was read in part, what was not read is left out."""
    whole = _whole_job_record(job)
    if job.properties is None:
        return whole
    return {
        key: value
        for key, value in whole.items()
        if key not in _PROPERTIES or _PROPERTIES[key] in job.properties
    }


def _whole_job_record(job: Job) -> Record:
    return {
        "host": job.host,
        "id": job.id,
        "name": job.name,
        "description": job.description,
        "reference": job.reference,
        "state": job.state.name,
        "priority": job.priority.name,
        "owner": job.owner,
        "created": iso(job.created_at),
        "modified": iso(job.modified_at),
        "completed": iso(job.completed_at),
        "bytes_total": job.bytes_total,
        "bytes_transferred": job.bytes_transferred,
        "files_total": job.files_total,
        "files_transferred": job.files_transferred,
        "error_count": job.error_count,
        "minimum_retry_delay_s": job.minimum_retry_delay_s,
        "no_progress_timeout_s": job.no_progress_timeout_s,
        "files": [file_record(file) for file in job.files],
    }


def explanation_record(known: Explanation) -> Record:
    """A code and what it means."""
    return {
        "code": known.code,
        "hex": known.hex,
        "symbol": known.symbol,
        "meaning": known.meaning,
        "remedy": known.remedy,
    }


def job_error_record(error: JobError) -> Record:
    """What GetError said of a job, explained from the table."""
    return {
        "host": error.host,
        "job_id": error.job_id,
        **explanation_record(error.explanation),
        "context": error.context.name,
        "description": error.description,
        "context_description": error.context_description,
    }


def detail_record(detail: JobDetail) -> Record:
    """A job record with one key more: `error`, null where the job has none."""
    error = None if detail.error is None else job_error_record(detail.error)
    return {**job_record(detail.job), "error": error}


def host_record(host: HostStatus) -> Record:
    """One host as the session knows it."""
    return {
        "name": host.name,
        "endpoint": host.endpoint,
        "auth": host.auth,
        "user": host.user,
        "is_target": host.is_target,
        "is_connected": host.is_connected,
        "product": host.product,
        "jobs": host.jobs,
        "error": None if host.error is None else exception_record(host.error),
    }


def check_record(check: Check) -> Record:
    """One thing that `doctor` looked at."""
    return {
        "subject": check.subject,
        "check": check.name,
        "state": check.state.value,
        "text": check.text,
        "next": check.next,
    }


def run_step_record(step: StepRun) -> Record:
    """One step of a run."""
    return {
        "number": step.number,
        "id": step.id,
        "title": step.title,
        "status": step.status.value,
        "elapsed_s": round(step.elapsed_s, 3),
        "note": step.note,
        "error_type": step.error_type,
        "error": list(step.error),
    }


def condition_record(result: ConditionResult) -> Record:
    """Whether one condition holds, and what was seen."""
    return {
        "host": result.host,
        "job_id": result.job_id,
        "job_name": result.job_name,
        "condition": result.condition,
        "met": result.is_met,
        "observed": result.observed,
    }


def difference_record(found: Difference) -> Record:
    """One thing that is not the same in two pieces of evidence."""
    return {
        "kind": found.kind.value,
        "where": found.where,
        "what": found.what,
        "first": found.first,
        "second": found.second,
        "counts": found.counts,
    }


def exception_record(error: BitsShellError) -> Record:
    """An error of ours: `type` is its class, `code` the numeric code where it has one."""
    code = getattr(error, "code", None)
    return {
        "type": type(error).__name__,
        "message": scrub(error.what()),
        "hint": scrub_json(error.hint),
        "host": error.host,
        "job": error.job,
        "code": code if isinstance(code, int) else None,
    }


def item_record(item: Item) -> Record:
    """Whatever a verb found, by its kind."""
    match item:
        case Job():
            return job_record(item)
        case JobDetail():
            return detail_record(item)
        case HostStatus():
            return host_record(item)
        case Explanation():
            return explanation_record(item)
        case Check():
            return check_record(item)
        case StepRun():
            return run_step_record(item)
        case ConditionResult():
            return condition_record(item)
        case Difference():
            return difference_record(item)
        case Entry():
            return entry_record(item)
        case StartedJob():
            return started_record(item)
        case UrlGroup():
            return url_group_record(item)


def entry_record(entry: Entry) -> Record:
    """One entry of the journal; what it holds is made of the other records."""
    return {
        "entry": entry.number,
        "session": entry.session,
        "run": entry.run,
        "step": entry.step,
        "at": iso(entry.at),
        "ended": iso(entry.ended_at),
        "user": entry.user,
        "front": entry.front,
        "kind": entry.kind.value,
        "status": entry.ended.value,
        "effect": entry.effect,
        "is_what_if": entry.is_what_if,
        "typed": entry.typed,
        "words": list(entry.words),
        "hosts": list(entry.hosts),
        "plan": entry.plan,
        "outcomes": list(entry.outcomes),
        "summary": entry.summary,
        "error": entry.error,
        "data": entry.data,
        "output": entry.output,
    }


def started_record(job: StartedJob) -> Record:
    """A job that was started, or a change that has no end."""
    return {
        "entry": job.entry,
        "at": iso(job.at),
        "host": job.host,
        "job_id": job.job_id,
        "job_name": job.name,
        "reference": job.reference,
        "what": job.what,
        "is_sure": job.is_sure,
        "state": job.state,
    }


def url_group_record(group: UrlGroup) -> Record:
    """A URL group, or one URL of it: then with `url_suffix` and `url_exists`."""
    return {
        "host": group.host,
        "url_group": group.url_group,
        "connection_limit": group.connection_limit,
        "bandwidth_limit": group.bandwidth_limit,
        "url_suffix": group.url_suffix,
        "url_exists": group.url_exists,
    }


def row_record(row: Job | ListedFile | HostStatus | UrlGroup) -> Record:
    """One row of a listing, whatever it lists."""
    if isinstance(row, ListedFile):
        return listed_file_record(row.job, row.number, row.file)
    return item_record(row)


def listed_file_record(job: Job, index: int, file: JobFile) -> Record:
    """One file in a listing of files, with the job that it belongs to; `index` counts from 1."""
    return {
        "host": job.host,
        "job_id": job.id,
        "job_name": job.name,
        "index": index,
        **file_record(file),
    }


def change_outcome_record(outcome: Outcome) -> Record:
    """What one change did: the job as it is afterwards, with `status` and `warning`.

    A change that has no job to show (it left the queue) has `host`, `id`, `status` and `warning`.
    """
    ending = {"status": status_word(outcome.status), "warning": _warning(outcome)}
    if outcome.jobs:
        return {**job_record(outcome.jobs[0]), **ending}
    if isinstance(outcome.value, UrlGroup):
        return {"id": outcome.job_id, **url_group_record(outcome.value), **ending}
    return {"host": outcome.host, "id": outcome.job_id, **ending}


def status_word(status: Status) -> str:
    """A status in one word: `done`, `already`, `planned`, `not_sent`, `unknown`, `failed`."""
    return status.name.lower()


def outcome_records(outcome: Outcome, view: View) -> list[Record]:
    """What one host's answer adds to the array of a view; errors are not among them."""
    if outcome.error is not None:
        return []
    if view in {View.CHANGES, View.WATCH}:
        return [change_outcome_record(outcome)]
    if view is View.FILES:
        return [
            listed_file_record(job, index, file)
            for job in outcome.jobs
            for index, file in enumerate(job.files, 1)
        ]
    match outcome.value:
        case None | HostIdentity():
            return []
        case JobList(jobs=jobs):
            return [job_record(job) for job in jobs]
        case UrlGroupList(groups=groups):
            return [url_group_record(group) for group in groups]
        case JobError() as error:
            return [job_error_record(error)]
        case item:
            return [item_record(item)]


def outcome_record(outcome: Outcome) -> Record:
    """One (host, job) and what became of it, without its value."""
    return {
        "host": outcome.host,
        "job_id": outcome.job_id,
        "status": status_word(outcome.status),
        "planned": outcome.planned,
        "warning": _warning(outcome),
        "error": None if outcome.error is None else exception_record(outcome.error),
    }


def change_record(change: JobChange, rate_bytes_s: float | None = None) -> Record:
    """One event of a watch: `state`, `progress`, `appeared` or `left`.

    The numbers are those after the change; for a job that left, the last ones that were seen.
    """
    seen = change.after or change.before
    return {
        "event": change.kind,
        "at": iso(change.at),
        "host": change.host,
        "job_id": change.job_id,
        "name": None if seen is None else seen.name,
        "state": None if change.after is None else change.after.state.name,
        "previous_state": None if change.before is None else change.before.state.name,
        "bytes_total": None if seen is None else seen.bytes_total,
        "bytes_transferred": None if seen is None else seen.bytes_transferred,
        "files_total": None if seen is None else seen.files_total,
        "files_transferred": None if seen is None else seen.files_transferred,
        "rate_bytes_s": None if rate_bytes_s is None else round(rate_bytes_s),
        "error": None if change.error is None else job_error_record(change.error),
    }


def step_record(plan: Plan, step: Step) -> Record:
    """One operation of a plan, which was not sent."""
    return {
        "status": "planned",
        "verb": plan.verb,
        "host": step.host,
        "job_id": step.job_id,
        "operation": type(step.operation).__name__,
        "effect": step.operation.effect.value,
        "description": step.operation.describe(),
    }


def plan_records(plan: Plan, scripts: Sequence[str] = ()) -> list[Record]:
    """A plan as one array: its steps, then what stands already without an error.

    `scripts` are the steps as PowerShell or XML (`--as`), for the key `script`.
    """
    standing = [outcome for outcome in plan.found if outcome.error is None]
    steps = [step_record(plan, step) for step in plan.steps]
    for record, script in zip(steps, scripts, strict=False):
        record["script"] = script
    return steps + [
        {
            "status": status_word(outcome.status),
            "verb": plan.verb,
            "host": outcome.host,
            "job_id": outcome.job_id,
            "operation": None,
            "effect": "read",
            "description": outcome.planned,
        }
        for outcome in standing
    ]


def summary_record(summary: Summary) -> Record:
    """How a command ended, counted over (host, job) pairs."""
    return {
        "verb": summary.verb,
        "ending": summary.ending.value,
        "well": summary.well,
        "failed": summary.failed,
        "not_sent": summary.not_sent,
        "unknown": summary.unknown,
        "unmet": summary.unmet,
        "elapsed_s": round(summary.elapsed_s, 3),
    }


def _warning(outcome: Outcome) -> Record | None:
    known = outcome.warning_explained
    return None if known is None else explanation_record(known)
