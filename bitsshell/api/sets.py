"""The kinds of answers: jobs, files, hosts, outcomes of changes, diagnoses, checks, watches."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bitsshell import bits
from bitsshell.api.answers import Answer, now
from bitsshell.api.errors import from_error
from bitsshell.api.job import Job
from bitsshell.api.texts import text_width
from bitsshell.api.timeline import Samples
from bitsshell.bits import Explanation, JobDetail, JobList, UrlGroup, UrlGroupList
from bitsshell.errors import UsageError
from bitsshell.render import records as make_records
from bitsshell.render import report_html, report_text
from bitsshell.render.bars import sparkline, thinned
from bitsshell.render.cells import ListedFile
from bitsshell.render.fields import FIELDS, Field, Kind, ordered_jobs
from bitsshell.render.listings import jobs_footer
from bitsshell.render.messages import counts
from bitsshell.render.text import counted
from bitsshell.render.units import rate
from bitsshell.results import (
    Check,
    Frame,
    HostStatus,
    JobChange,
    Outcome,
    Report,
    Status,
    Summary,
    View,
    WatchRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from bitsshell.api.plotting import Plot
    from bitsshell.api.tabular import Record

_SPARKLINE_CELLS = 60


@dataclass(frozen=True, eq=False, repr=False)
class JobSet(Answer[Job]):
    """Jobs, in the order of their listing: `jobs["nightly"]`, `jobs[0]`, `jobs[1:3]`.

    A job is looked up by its name, its id or the beginning of its id.
    """

    def _gathered(self) -> Iterator[tuple[Job, Outcome]]:
        if self.report.view is View.JOB:
            for outcome in self.report.outcomes:
                if isinstance(outcome.value, JobDetail):
                    yield Job.of(outcome.value.job, outcome.value.error), outcome
            return
        origin = {id(job): outcome for outcome in self.report.outcomes for job in outcome.jobs}
        every = [job for outcome in self.report.outcomes for job in outcome.jobs]
        for job in ordered_jobs(every, self.report.shape, self.as_of):
            whole = origin[id(job)].value
            is_partial = isinstance(whole, JobList) and whole.partial
            listed = JobList((job,), is_partial)
            yield Job.of(job), replace(origin[id(job)], value=listed, job_id=job.id)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the jobs."""
        return tuple(job.name for job in self)

    @property
    def ids(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(job.id for job in self)

    def _names_of(self, item: Job) -> tuple[str, ...]:
        return (item.name, item.id)

    def _fields(self) -> dict[str, Field]:
        return dict(FIELDS[View.JOBS])

    def _record(self, item: Job, outcome: Outcome) -> Record:
        del outcome
        return item.record() if self.report.view is View.JOB else make_records.job_record(item)

    def _counts(self) -> str:
        if self.report.view is View.JOBS:
            return jobs_footer(self.report.outcomes)
        return counted(len(self), "job")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a job. `number` counts the job's files from 1; sizes are in bytes."""

    job: Job
    number: int
    url: str
    path: str
    bytes_total: int | None
    bytes_transferred: int
    is_completed: bool

    @property
    def host(self) -> str:
        """The host that the job is on."""
        return self.job.host

    @property
    def listed(self) -> ListedFile:
        """The file as a listing has it."""
        file = bits.JobFile(
            self.url, self.path, self.bytes_total, self.bytes_transferred, self.is_completed
        )
        return ListedFile(self.job, self.number, file)


@dataclass(frozen=True, eq=False, repr=False)
class FileSet(Answer[File]):
    """Files of jobs. One is looked up by its URL, its path, or the last part of either."""

    def _gathered(self) -> Iterator[tuple[File, Outcome]]:
        for outcome in self.report.outcomes:
            for job in outcome.jobs:
                whole = Job.of(job)
                for number, file in enumerate(job.files, 1):
                    made = File(
                        job=whole,
                        number=number,
                        url=file.url,
                        path=file.path,
                        bytes_total=file.bytes_total,
                        bytes_transferred=file.bytes_transferred,
                        is_completed=file.is_completed,
                    )
                    alone = replace(outcome, value=replace(job, files=(file,)), job_id=job.id)
                    yield made, alone

    def _names_of(self, item: File) -> tuple[str, ...]:
        last = item.path.replace("/", "\\").rpartition("\\")[2]
        return (last, item.path, item.url)

    def _row(self, item: File) -> ListedFile:
        return item.listed

    def _record(self, item: File, outcome: Outcome) -> Record:
        del outcome
        return make_records.row_record(item.listed)

    def _counts(self) -> str:
        return counted(len(self), "file")


@dataclass(frozen=True, eq=False, repr=False)
class HostSet(Answer[HostStatus]):
    """Hosts as the session knows them, by name."""

    def _gathered(self) -> Iterator[tuple[HostStatus, Outcome]]:
        for outcome in self.report.outcomes:
            if isinstance(outcome.value, HostStatus):
                yield outcome.value, outcome

    def _counts(self) -> str:
        return counted(len(self), "host")


@dataclass(frozen=True, eq=False, repr=False)
class Outcomes(Answer[Outcome]):
    """What a change did, one outcome for each (host, job), those that failed among them.

    `jobs` has the jobs as they are afterwards. One outcome is looked up by the job's name or id;
    where each is on another host, by the host.
    """

    def _gathered(self) -> Iterator[tuple[Outcome, Outcome]]:
        for outcome in self.report.outcomes:
            yield outcome, outcome

    @property
    def failed(self) -> Outcomes:
        """Those that did not go well."""
        return self.where(lambda outcome: not outcome.status.is_well)

    def _part(self, pairs: Iterable[tuple[Outcome, Outcome]]) -> Outcomes:
        outcomes = tuple(outcome for _, outcome in pairs)
        summary = Summary(verb=self.verb, elapsed_s=self.summary.elapsed_s)
        for outcome in outcomes:
            summary = summary.counting(outcome)
        return replace(self, report=replace(self.report, outcomes=outcomes, summary=summary))

    def _names_of(self, item: Outcome) -> tuple[str, ...]:
        job = item.jobs[0] if item.jobs else None
        return (job.name if job else "", item.job_id or (job.id if job else ""), item.host)

    def _fields(self) -> dict[str, Field]:
        statuses = tuple(status.name for status in Status)
        own = {
            "host": Field("host", Kind.TEXT, lambda one, _: one.host),
            "status": Field("status", Kind.CHOICE, lambda one, _: one.status.name, statuses),
        }
        return {**{name: _of_job(one) for name, one in FIELDS[View.JOBS].items()}, **own}

    def _record(self, item: Outcome, outcome: Outcome) -> Record:
        del outcome
        record = make_records.change_outcome_record(item)
        error = None if item.error is None else make_records.exception_record(item.error)
        return {**record, "error": error}

    def _counts(self) -> str:
        return counts(self.summary)


def _of_job(one: Field) -> Field:
    """A field of jobs, of the job in an outcome."""

    def value(outcome: Outcome, at: datetime) -> Any:
        return one.value(outcome.jobs[0], at) if outcome.jobs else None

    return replace(one, value=value)


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis(Answer["Job | Explanation"]):
    """What errors mean: of jobs (`job.error.explanation`), or of codes.

    One is looked up by the job's name or id, or by the code's symbol or number.
    """

    def _gathered(self) -> Iterator[tuple[Job | Explanation, Outcome]]:
        for outcome in self.report.outcomes:
            if isinstance(outcome.value, JobDetail):
                yield Job.of(outcome.value.job, outcome.value.error), outcome
            elif isinstance(outcome.value, Explanation):
                yield outcome.value, outcome

    @property
    def explanations(self) -> tuple[Explanation, ...]:
        """What the codes mean, once each; a job without an error has none."""
        found = (
            (item.error.explanation if item.error else None) if isinstance(item, Job) else item
            for item in self
        )
        return tuple(dict.fromkeys(one for one in found if one is not None))

    def _names_of(self, item: Job | Explanation) -> tuple[str, ...]:
        if isinstance(item, Job):
            return (item.name, item.id)
        return (item.symbol or "", item.hex)

    def _fields(self) -> dict[str, Field]:
        return {}

    def _counts(self) -> str:
        return counted(len(self), "explanation")


@dataclass(frozen=True, eq=False, repr=False)
class Checks(Answer[Check]):
    """What `doctor` looked at. One is looked up by its name."""

    def _gathered(self) -> Iterator[tuple[Check, Outcome]]:
        for outcome in self.report.outcomes:
            if isinstance(outcome.value, Check):
                yield outcome.value, outcome

    def _counts(self) -> str:
        return counted(len(self), "check")


@dataclass(frozen=True, eq=False, repr=False)
class UrlGroups(Answer[UrlGroup]):
    """URL groups of compact servers, or URLs of them. One is looked up by its URL."""

    def _gathered(self) -> Iterator[tuple[UrlGroup, Outcome]]:
        for outcome in self.report.outcomes:
            if isinstance(outcome.value, UrlGroupList):
                for group in outcome.value.groups:
                    yield group, replace(outcome, value=UrlGroupList((group,)))

    def _names_of(self, item: UrlGroup) -> tuple[str, ...]:
        return (item.url, item.host)


@dataclass(frozen=True, eq=False, repr=False)
class WatchResult(Answer[Job]):
    """What a watch saw: the jobs as they were last, with `samples` over time.

    `is_final` says that it came to its end; a watch that was stopped is not, and its jobs go on.
    """

    samples: Samples = field(default_factory=Samples)

    @property
    def frame(self) -> Frame | None:
        """The last frame."""
        return self.report.last_frame

    @property
    def changes(self) -> tuple[JobChange, ...]:
        """Each change of a state, and what came and left."""
        return self.report.changes

    @property
    def is_final(self) -> bool:
        """Whether it came to its end."""
        return self.frame is not None and self.frame.is_final and not self.frame.is_stopped

    @property
    def elapsed_s(self) -> float:
        """How long it took, in seconds."""
        return self.summary.elapsed_s

    @property
    def bytes_transferred(self) -> int:
        """Bytes of all jobs as they were last."""
        return sum(job.bytes_transferred for job in self)

    @property
    def mean_rate_bytes_s(self) -> float | None:
        """Bytes per second of all jobs together between the first and the last sample."""
        ends = [(s.at, s.host, s.job_id, s.bytes_transferred) for s in self.samples]
        if not ends or ends[0][0] == ends[-1][0]:
            return None
        first = {(host, job): done for _, host, job, done in reversed(ends)}
        last = {(host, job): done for _, host, job, done in ends}
        moved = sum(done - first[key] for key, done in last.items())
        return moved / (ends[-1][0] - ends[0][0]).total_seconds()

    def plot(self, *what: str, by: str | None = None) -> Plot:
        """Draw `"bytes"`, `"rate"` and `"states"` over time, one line a job or (`by`) a host.

        Raises:
            NotInstalled: matplotlib is not there.
            BitsUsageError: there is nothing to draw, or something that is not drawn is asked for.
        """
        from bitsshell.api.plotting import plot

        try:
            return plot(self.samples, what, by=by)
        except UsageError as error:
            raise from_error(error) from error

    def _gathered(self) -> Iterator[tuple[Job, Outcome]]:
        known = {
            (one.host, one.job_id or (one.jobs[0].id if one.jobs else None)): one
            for one in self.report.outcomes
        }
        rows = self.frame.rows if self.frame is not None else ()
        for row in rows:
            key = (row.job.host, row.job.id)
            alone = Outcome(host=row.job.host, value=row.job, job_id=row.job.id)
            yield Job.of(row.job, row.error), known.pop(key, alone)
        for outcome in known.values():
            for job in outcome.jobs:
                yield Job.of(job), outcome

    def _names_of(self, item: Job) -> tuple[str, ...]:
        return (item.name, item.id)

    def _fields(self) -> dict[str, Field]:
        return dict(FIELDS[View.JOBS])

    def _part(self, pairs: Iterable[tuple[Job, Outcome]]) -> WatchResult:
        chosen = tuple(pairs)
        keys = {(job.host, job.id) for job, _ in chosen}
        made = {id(outcome) for _, outcome in chosen}
        outcomes = tuple(
            one
            for one in self.report.outcomes
            if id(one) in made or (one.error is not None and one.job_id is None)
        )
        frame = self.frame
        if frame is not None:
            rows = tuple(row for row in frame.rows if (row.job.host, row.job.id) in keys)
            frame = replace(frame, rows=rows)
        changes = tuple(one for one in self.changes if (one.host, one.job_id) in keys)
        report = replace(self.report, outcomes=outcomes, last_frame=frame, changes=changes)
        return replace(self, report=report, samples=self.samples.of(keys))

    def _record(self, item: Job, outcome: Outcome) -> Record:
        error = None if outcome.error is None else make_records.exception_record(outcome.error)
        return {
            **make_records.job_record(item),
            "status": make_records.status_word(outcome.status),
            "error": error,
        }

    def _counts(self) -> str:
        phase = self.frame.phase if self.frame is not None else "not begun"
        return f"{counted(len(self), 'job')}, {phase}"

    def _text(self) -> str:
        said = super()._text() if self.frame is None else self._frame_text()
        line = rates_line(self.samples.rates)
        return f"{said}\n{line}" if line else said

    def _frame_text(self) -> str:
        """The frame says itself as of when it is."""
        return report_text(self.report, text_width(), now=self.as_of, limit=self.row_limit)

    def _html(self) -> str:
        return report_html(
            self.report,
            limit=self.row_limit,
            rates=self.samples.rates,
            as_of=self.as_of if self.frame is None and self.hosts else None,
        )


def rates_line(rates: Iterable[float | None]) -> str:
    """The rate over time as one line of text; empty where none is known."""
    known = list(rates)
    top = max((one for one in known if one is not None), default=0.0)
    if top <= 0:
        return ""
    return f"rate {sparkline(thinned(known, _SPARKLINE_CELLS), _SPARKLINE_CELLS)} up to {rate(top)}"


_KINDS: dict[View, type[Answer[Any]]] = {
    View.JOBS: JobSet,
    View.JOB: JobSet,
    View.FILES: FileSet,
    View.HOSTS: HostSet,
    View.EXPLAIN: Diagnosis,
    View.CHECKS: Checks,
    View.CHANGES: Outcomes,
    View.WATCH: WatchResult,
    View.URL_GROUPS: UrlGroups,
}


def answer_of(
    report: Report, as_of: datetime, *, row_limit: int, samples: Samples | None = None
) -> Answer[Any]:
    """The object for what a command gave, by its view."""
    kind = _KINDS.get(report.view, Answer)
    if kind is WatchResult:
        return WatchResult(report, as_of, row_limit, samples=samples or Samples())
    return kind(report, as_of, row_limit)


def jobs_of(answer: Answer[Any]) -> JobSet:
    """The jobs of any answer."""
    if isinstance(answer, JobSet):
        return answer
    seen: dict[tuple[str, str], bits.Job] = {}
    for job in (row.job for row in _rows(answer)):
        seen[job.host, job.id] = job
    for job in answer.report.jobs:
        seen[job.host, job.id] = job
    failed = tuple(one for one in answer.report.outcomes if one.error is not None)
    outcomes = tuple(
        Outcome(host=host, value=JobList((job,)), job_id=job.id) for (host, _), job in seen.items()
    )
    report = Report(
        verb=answer.verb,
        view=View.JOBS,
        outcomes=(*outcomes, *failed),
        summary=Summary(verb=answer.verb),
        shape=replace(Report.of(()).shape, is_numbered=False),
    )
    return JobSet(report, answer.as_of, answer.row_limit)


def _rows(answer: Answer[Any]) -> tuple[WatchRow, ...]:
    frame = answer.report.last_frame
    return () if frame is None else frame.rows


def alone(job: Job) -> JobSet:
    """One job as a set that shows it in full."""
    outcome = Outcome(host=job.host, value=job.detail, job_id=job.id)
    report = Report(verb="show", view=View.JOB, outcomes=(outcome,), summary=Summary(verb="show"))
    return JobSet(report, now())
