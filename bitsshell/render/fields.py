"""The fields of listings by name: what `--cols`, `--sort` and `--where` speak of.

A field has a value, which is compared, sorted and written for programs, and a cell for people.
Sizes are in bytes, ages in seconds, shares from 0 to 1; what is not known is None.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from bitsshell.bits import NO_LIMIT, Effect, JobState, Priority, UrlGroupList
from bitsshell.render import units
from bitsshell.render.cells import ListedFile, Numbered, host_state, listed_files, numbered
from bitsshell.render.columns import Align, Column, fitted_table
from bitsshell.render.entries import command_text, counts_text, entry_sgr, hosts_text
from bitsshell.render.grid import block_lines
from bitsshell.render.paint import state_sgr
from bitsshell.render.text import NOTHING, UNKNOWN, clip, clip_middle, neutral
from bitsshell.results import Ended, EntryKind, HostStatus, View, listing_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from bitsshell.bits import Job
    from bitsshell.results import Outcome, Shape

_LEAST_TEXT = 8


class Kind(enum.Enum):
    """What a field's values are, from which follow how they are written and compared."""

    TEXT = "text"
    CHOICE = "choice"
    FLAG = "yes or no"
    NUMBER = "number"
    LIMIT = "limit"
    SIZE = "size"
    DURATION = "duration"
    SHARE = "percentage"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `value` takes a row (`Job`, `ListedFile`, `HostStatus`) and the present."""

    name: str
    kind: Kind
    value: Callable[[Any, datetime], Any]
    choices: tuple[str, ...] = ()
    cut: Callable[[str, int], str] = clip

    def cell(self, row: Any, now: datetime) -> str:
        """The value for people, neutralised."""
        value = self.value(row, now)
        match self.kind:
            case Kind.TEXT | Kind.CHOICE:
                return neutral(value) if value else NOTHING
            case Kind.FLAG:
                return "yes" if value else "no"
            case Kind.SIZE:
                return units.size(value)
            case Kind.DURATION:
                return units.ago(value)
            case Kind.SHARE:
                return units.percent(value)
            case Kind.LIMIT if value == NO_LIMIT:
                return "none"
            case Kind.NUMBER | Kind.LIMIT:
                return UNKNOWN if value is None else f"{value:,}"

    @property
    def align(self) -> Align:
        """Numbers stand right."""
        texts = {Kind.TEXT, Kind.CHOICE, Kind.FLAG}
        return "left" if self.kind in texts else "right"


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (now - moment).total_seconds())


_STATES = tuple(state.name for state in JobState)
_PRIORITIES = tuple(priority.name.lower() for priority in Priority)

_JOB_FIELDS = (
    Field("host", Kind.TEXT, lambda job, _: job.host, cut=clip_middle),
    Field("id", Kind.TEXT, lambda job, _: job.id),
    Field("name", Kind.TEXT, lambda job, _: job.name),
    Field("description", Kind.TEXT, lambda job, _: job.description),
    Field("reference", Kind.TEXT, lambda job, _: job.reference),
    Field("state", Kind.CHOICE, lambda job, _: job.state.name, choices=_STATES),
    Field("done", Kind.SHARE, lambda job, _: job.fraction),
    Field("size", Kind.SIZE, lambda job, _: job.bytes_total),
    Field("bytes", Kind.SIZE, lambda job, _: job.bytes_transferred),
    Field("files", Kind.NUMBER, lambda job, _: job.files_total),
    Field("files-done", Kind.NUMBER, lambda job, _: job.files_transferred),
    Field("priority", Kind.CHOICE, lambda job, _: job.priority.name.lower(), choices=_PRIORITIES),
    Field("age", Kind.DURATION, lambda job, now: _age(job.created_at, now)),
    Field("changed", Kind.DURATION, lambda job, now: _age(job.modified_at, now)),
    Field("errors", Kind.NUMBER, lambda job, _: job.error_count),
    Field("owner", Kind.TEXT, lambda job, _: job.owner),
)

_FILE_FIELDS = (
    Field("host", Kind.TEXT, lambda row, _: row.job.host, cut=clip_middle),
    Field("job", Kind.TEXT, lambda row, _: row.job.name),
    Field("id", Kind.TEXT, lambda row, _: row.job.id),
    Field("number", Kind.NUMBER, lambda row, _: row.number),
    Field("url", Kind.TEXT, lambda row, _: row.file.url, cut=clip_middle),
    Field("path", Kind.TEXT, lambda row, _: row.file.path, cut=clip_middle),
    Field("done", Kind.SHARE, lambda row, _: _file_share(row)),
    Field("size", Kind.SIZE, lambda row, _: row.file.bytes_total),
    Field("bytes", Kind.SIZE, lambda row, _: row.file.bytes_transferred),
    Field("completed", Kind.FLAG, lambda row, _: row.file.is_completed),
)

_HOST_STATES = ("connected", "not connected", "failed")
_HOST_FIELDS = (
    Field("host", Kind.TEXT, lambda host, _: host.name, cut=clip_middle),
    Field("target", Kind.FLAG, lambda host, _: host.is_target),
    Field("state", Kind.CHOICE, lambda host, _: host_state(host), choices=_HOST_STATES),
    Field("jobs", Kind.NUMBER, lambda host, _: host.jobs),
    Field("auth", Kind.TEXT, lambda host, _: host.auth),
    Field("user", Kind.TEXT, lambda host, _: host.user),
    Field("endpoint", Kind.TEXT, lambda host, _: host.endpoint, cut=clip_middle),
    Field("product", Kind.TEXT, lambda host, _: host.product),
)

_ENTRY_FIELDS = (
    Field("entry", Kind.NUMBER, lambda entry, _: entry.number),
    Field("at", Kind.TEXT, lambda entry, _: units.timestamp(entry.at)),
    Field("age", Kind.DURATION, lambda entry, now: _age(entry.at, now)),
    Field("status", Kind.CHOICE, lambda entry, _: entry.ended.value, choices=tuple(Ended)),
    Field("hosts", Kind.TEXT, lambda entry, _: hosts_text(entry), cut=clip_middle),
    Field("command", Kind.TEXT, lambda entry, _: command_text(entry)),
    Field("verb", Kind.TEXT, lambda entry, _: entry.verb),
    Field("words", Kind.TEXT, lambda entry, _: " ".join(entry.words)),
    Field("kind", Kind.CHOICE, lambda entry, _: entry.kind.value, choices=tuple(EntryKind)),
    Field("effect", Kind.CHOICE, lambda entry, _: entry.effect, choices=tuple(Effect)),
    Field("counts", Kind.TEXT, lambda entry, _: counts_text(entry.summary)),
    Field("took", Kind.DURATION, lambda entry, _: entry.elapsed_s),
    Field("user", Kind.TEXT, lambda entry, _: entry.user),
    Field("front", Kind.TEXT, lambda entry, _: entry.front),
    Field("session", Kind.TEXT, lambda entry, _: entry.session),
    Field("run", Kind.TEXT, lambda entry, _: entry.run),
    Field("step", Kind.TEXT, lambda entry, _: entry.step),
)
HISTORY_COLUMNS = ("entry", "at", "status", "hosts", "command")

_STARTED_FIELDS = (
    Field("entry", Kind.NUMBER, lambda job, _: job.entry),
    Field("age", Kind.DURATION, lambda job, now: _age(job.at, now)),
    Field("host", Kind.TEXT, lambda job, _: job.host, cut=clip_middle),
    Field("name", Kind.TEXT, lambda job, _: job.name),
    Field("id", Kind.TEXT, lambda job, _: job.job_id),
    Field("reference", Kind.TEXT, lambda job, _: job.reference),
    Field("state", Kind.TEXT, lambda job, _: job.state),
    Field("what", Kind.TEXT, lambda job, _: job.what),
)
STARTED_COLUMNS = ("entry", "age", "host", "name", "reference", "state", "what")

_URL_GROUP_FIELDS = (
    Field("host", Kind.TEXT, lambda group, _: group.host, cut=clip_middle),
    Field("group", Kind.TEXT, lambda group, _: group.url_group, cut=clip_middle),
    Field("suffix", Kind.TEXT, lambda group, _: group.url_suffix, cut=clip_middle),
    Field("published", Kind.FLAG, lambda group, _: group.url_exists),
    Field("connections", Kind.LIMIT, lambda group, _: group.connection_limit),
    Field("bandwidth", Kind.LIMIT, lambda group, _: group.bandwidth_limit),
)
URL_GROUP_COLUMNS = ("host", "group", "connections", "bandwidth")
URL_COLUMNS = ("host", "group", "suffix", "published")

FIELDS: Mapping[View, Mapping[str, Field]] = {
    View.JOBS: {field.name: field for field in _JOB_FIELDS},
    View.FILES: {field.name: field for field in _FILE_FIELDS},
    View.HOSTS: {field.name: field for field in _HOST_FIELDS},
    View.HISTORY: {field.name: field for field in _ENTRY_FIELDS},
    View.STARTED: {field.name: field for field in _STARTED_FIELDS},
    View.URL_GROUPS: {field.name: field for field in _URL_GROUP_FIELDS},
}
"""The fields of every view that has columns, by name."""


def _file_share(row: ListedFile) -> float | None:
    if not row.file.bytes_total:
        return 1.0 if row.file.is_completed else None
    return min(1.0, row.file.bytes_transferred / row.file.bytes_total)


def ordered_jobs(jobs: Iterable[Job], shape: Shape, now: datetime) -> list[Job]:
    """The jobs as a listing of that shape shows them; the row numbered n is element n - 1."""
    return _ordered(listing_order(jobs), View.JOBS, shape, now)


def job_rows(jobs: Iterable[Job], shape: Shape, now: datetime) -> list[Numbered]:
    """The same, numbered from 1; each 0 where the shape has no numbers."""
    if not shape.is_numbered:
        return [Numbered(0, job) for job in ordered_jobs(jobs, shape, now)]
    if not shape.order:
        return numbered(jobs)
    return [Numbered(n, job) for n, job in enumerate(ordered_jobs(jobs, shape, now), 1)]


def file_rows(jobs: Iterable[Job], shape: Shape, now: datetime) -> list[ListedFile]:
    """The files of jobs in the order of the shape."""
    return _ordered(listed_files(jobs), View.FILES, shape, now)


def host_rows(outcomes: Iterable[Outcome], shape: Shape, now: datetime) -> list[HostStatus]:
    """The hosts in outcomes in the order of the shape; by name where it has none."""
    hosts = (one.value for one in outcomes if isinstance(one.value, HostStatus))
    return _ordered(sorted(hosts, key=lambda host: host.name), View.HOSTS, shape, now)


def rows_of(view: View, outcomes: Sequence[Outcome], shape: Shape, now: datetime) -> list[Any]:
    """The rows of a listing in the order of the shape, as its fields take them."""
    if view is View.HOSTS:
        return host_rows(outcomes, shape, now)
    if view in {View.HISTORY, View.STARTED}:
        return _ordered([one.value for one in outcomes if one.value], view, shape, now)
    if view is View.URL_GROUPS:
        lists = [one.value.groups for one in outcomes if isinstance(one.value, UrlGroupList)]
        rows = sorted((row for rows in lists for row in rows), key=lambda row: row.host)
        return _ordered(rows, view, shape, now)
    jobs = [job for outcome in outcomes for job in outcome.jobs]
    return file_rows(jobs, shape, now) if view is View.FILES else ordered_jobs(jobs, shape, now)


def usual_url_columns(rows: Sequence[Any]) -> tuple[str, ...]:
    """What is shown of URL groups, or of URLs where these were asked for."""
    return URL_COLUMNS if any(row.url_suffix is not None for row in rows) else URL_GROUP_COLUMNS


def _ordered(rows: Iterable[Any], view: View, shape: Shape, now: datetime) -> list[Any]:
    ordered = list(rows)
    for name, is_descending in reversed(shape.order):
        field = FIELDS[view][name]
        known = [row for row in ordered if field.value(row, now) is not None]
        unknown = [row for row in ordered if field.value(row, now) is None]
        known.sort(key=partial(_key, field, now), reverse=is_descending)
        ordered = known + unknown  # what is not known stands last, whichever way
    return ordered


def _key(field: Field, now: datetime, row: Any) -> Any:
    value = field.value(row, now)
    if field.kind is Kind.CHOICE:
        # In the order of the numbers of bits.h; a number that is not known, behind.
        known = field.choices.index(value) if value in field.choices else len(field.choices)
        return known, value
    return value.casefold() if isinstance(value, str) else value


def shaped_record(view: View, row: Any, columns: Sequence[str], now: datetime) -> dict[str, Any]:
    """The chosen fields of a row for programs: numbers as numbers, texts unchanged."""
    record: dict[str, Any] = {}
    for name in columns:
        value = FIELDS[view][name].value(row, now)
        record[name] = round(value, 3) if isinstance(value, float) else value
    return record


def shaped_lines(
    view: View,
    rows: Sequence[Any],
    columns: Sequence[str],
    *,
    width: int,
    now: datetime,
    colour: bool,
    vertical: bool = False,
) -> list[str]:
    """The chosen columns of rows as a table; as blocks when it does not fit, or is not wanted."""
    fields = [FIELDS[view][name] for name in columns]
    has_numbers = view is View.JOBS
    shows_numbers = has_numbers and all(row.number for row in rows)
    if not vertical:
        table = [_column(field, now, has_numbers=has_numbers) for field in fields]
        if shows_numbers:
            table.insert(0, Column("#", lambda row: str(row.number), align="right"))
        lines = fitted_table(table, rows, width, colour=colour)
        if lines is not None:
            return lines
    blocks: list[str] = []
    for row in rows:
        bare = row.job if has_numbers else row
        pairs = [("#", str(row.number))] if shows_numbers else []
        pairs += [(field.name, field.cell(bare, now)) for field in fields]
        blocks += [*block_lines(pairs), ""]
    return blocks[:-1]


def _column(field: Field, now: datetime, *, has_numbers: bool) -> Column[Any]:
    def bare(row: Any) -> Any:
        return row.job if has_numbers else row

    sgr: Callable[[Any], str | None] | None = None
    if has_numbers and field.name == "state":
        sgr = _state_sgr
    elif field in _ENTRY_FIELDS and field.name == "status":
        sgr = entry_sgr
    return Column(
        field.name,
        lambda row: field.cell(bare(row), now),
        align=field.align,
        least=_LEAST_TEXT if field.kind is Kind.TEXT else None,
        cut=field.cut,
        sgr=sgr,
    )


def _state_sgr(row: Numbered) -> str | None:
    return state_sgr(row.job.state)
