"""Renderers for programs: JSON, NDJSON and CSV. Data goes to `out`, everything said to `err`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bitsshell.bits import JobList
from bitsshell.render import records
from bitsshell.render.errors import folded_error_lines
from bitsshell.render.fields import rows_of, shaped_record
from bitsshell.render.messages import ending_line, partial_line
from bitsshell.render.plans import by_identity, planned_lines
from bitsshell.render.text import neutral, prose, text_lines
from bitsshell.results import (
    USUAL,
    Begin,
    Conclusion,
    Event,
    Frame,
    JobChange,
    Notice,
    Outcome,
    Planned,
    Summary,
    Text,
    View,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bitsshell.errors import BitsShellError
    from bitsshell.render.printer import Printer

Record = dict[str, Any]


class MachineRenderer:
    """What the three have in common: the way from events to records.

    Subclasses write the records, and may write errors as records too.
    """

    def __init__(
        self,
        out: Printer,
        err: Printer,
        *,
        width: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`clock` gives the present as an aware datetime, for ages."""
        self.out = out
        self.err = err
        self.width = width
        self.clock = clock
        self.view = View.TEXT
        self.shape = USUAL
        self._held: list[Outcome] = []
        self.is_plan = False
        self._frame: Frame | None = None
        self._rates: dict[tuple[str, str], float | None] | None = None
        self._found: dict[int, Outcome] = {}
        self._errors: list[BitsShellError] = []

    def feed(self, event: Event) -> None:
        """Take the next event of the stream."""
        match event:
            case Begin(view=view, shape=shape):
                self.view, self.shape = view, shape
            case Notice(text=text):
                self.err.line(prose(text))
            case Text(text=text):
                self.err.lines(text_lines(text))
            case Planned(plan=plan):
                self.is_plan = True
                self._found = by_identity(plan.found)
                self.write(records.plan_records(plan, event.scripts))
                for outcome in plan.found:
                    self._failure(outcome)
            case Outcome() if id(event) not in self._found:
                self._outcome(event)
            case Frame():
                self._frame, self._rates = event, None
            case JobChange():
                self.change(records.change_record(event, self._rate(event)))
            case Conclusion():
                self.conclude(event)
            case Summary():
                if line := ending_line(event):
                    self.err.line(line)
            case _:
                pass

    def close(self) -> None:
        """Say the errors, those of many hosts folded; safe after an interrupt, and twice."""
        self.settle()
        errors, self._errors = self._errors, []
        self.err.lines(folded_error_lines(errors, self.width))

    def write(self, found: Sequence[Record]) -> None:
        """Take records of the view."""
        raise NotImplementedError

    def change(self, record: Record) -> None:
        """Take one change of a watch."""
        raise NotImplementedError

    def conclude(self, conclusion: Conclusion) -> None:
        """Take what it all comes to; it is a record, the last one."""
        self.write([dict(conclusion.record)])

    def failure(self, outcome: Outcome) -> None:
        """Take an outcome that is an error: for `close`, unless a subclass knows better."""
        if outcome.error is not None:
            self._errors.append(outcome.error)

    def _outcome(self, outcome: Outcome) -> None:
        self._failure(outcome)
        if isinstance(outcome.value, JobList) and outcome.value.partial:
            self.err.line(partial_line([outcome.host]))
        if self.shape.order:
            self._held.append(outcome)  # no row has its place before all have come
        else:
            self.write(self._records([outcome]))

    def settle(self) -> None:
        """Write the rows that had to wait for their order."""
        held, self._held = self._held, []
        if held:
            self.write(self._records(held))

    def _records(self, outcomes: Sequence[Outcome]) -> list[Record]:
        if self.shape == USUAL:
            return [
                record
                for outcome in outcomes
                for record in records.outcome_records(outcome, self.view)
            ]
        now = self.clock()
        rows = rows_of(self.view, outcomes, self.shape, now)
        if self.shape.columns:
            return [shaped_record(self.view, row, self.shape.columns, now) for row in rows]
        return [records.row_record(row) for row in rows]

    def _failure(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.failure(outcome)

    def _rate(self, change: JobChange) -> float | None:
        if self._frame is None:
            return None
        if self._rates is None:
            self._rates = {(row.job.host, row.job.id): row.rate_bytes_s for row in self._frame.rows}
        return self._rates.get((change.host, change.job_id))


class JsonRenderer(MachineRenderer):
    """One array at the end, whatever happened: a reader can always parse it.

    A watch gives its final outcomes; its changes are for NDJSON, which has them as they come.
    """

    def __init__(self, out: Printer, err: Printer, **settings: Any) -> None:
        super().__init__(out, err, **settings)
        self._collected: list[Record] = []
        self._is_closed = False

    def write(self, found: Sequence[Record]) -> None:
        """Keep them for the array."""
        self._collected.extend(found)

    def change(self, record: Record) -> None:
        """Left out: the array has the end, not the way there."""

    def close(self) -> None:
        """Write the array."""
        self.settle()
        if not self._is_closed:
            self._is_closed = True
            self.out.json_array(self._collected)
        super().close()


class NdjsonRenderer(MachineRenderer):
    """One record a line as it comes. Errors are records as well: `{"error": {...}, "host": ...}`.

    In a watch every record has `event`: that of the change, or `outcome` for how a job ended.
    """

    def write(self, found: Sequence[Record]) -> None:
        """Write them now."""
        if self.view is View.WATCH and not self.is_plan:
            found = [{"event": "outcome", **record} for record in found]
        self.out.json_lines(list(found))

    def change(self, record: Record) -> None:
        """Write it now."""
        self.out.json_lines([record])

    def failure(self, outcome: Outcome) -> None:
        """An error is a record."""
        record = records.outcome_record(outcome)
        if self.view is View.WATCH:
            record = {"event": "outcome", **record}
        self.out.json_lines([record])


_FORMULA = re.compile("^\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]")
"""What a spreadsheet takes for a formula, the full-width forms included."""

_ACTS_ON_TERMINAL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)

_JOB_COLUMNS = (
    "host", "id", "name", "description", "reference", "state", "priority", "owner", "created",
    "modified", "completed", "bytes_total", "bytes_transferred", "files_total",
    "files_transferred", "error_count", "minimum_retry_delay_s", "no_progress_timeout_s",
)  # fmt: skip
_ERROR_COLUMNS = ("error_hex", "error_symbol", "error_meaning", "error_context")
_CODE_COLUMNS = ("code", "hex", "symbol", "meaning", "remedy")
_ENTRY_COLUMNS = (
    "entry", "at", "ended", "user", "front", "session", "run", "step", "kind", "status", "effect",
    "typed", "summary_well", "summary_failed", "summary_not_sent", "summary_unknown",
    "summary_unmet", "error_message",
)  # fmt: skip
_CSV_COLUMNS: dict[View, tuple[str, ...]] = {
    View.JOBS: _JOB_COLUMNS,
    View.JOB: _JOB_COLUMNS + _ERROR_COLUMNS,
    View.FILES: (
        "host", "job_id", "job_name", "index", "url", "path", "bytes_total",
        "bytes_transferred", "completed",
    ),
    View.HOSTS: (
        "name", "endpoint", "auth", "user", "is_target", "is_connected", "product", "jobs",
        "error_message",
    ),
    View.EXPLAIN: ("host", "id", "name", "state", *_CODE_COLUMNS, *_ERROR_COLUMNS),
    View.CHECKS: ("subject", "check", "state", "text", "next"),
    View.RUN: ("number", "id", "title", "status", "elapsed_s", "note", "error_type"),
    View.CONDITIONS: ("host", "job_id", "job_name", "condition", "met", "observed"),
    View.DIFFERENCES: ("kind", "where", "what", "first", "second", "counts"),
    View.HISTORY: _ENTRY_COLUMNS,
    View.ENTRY: _ENTRY_COLUMNS,
    View.STARTED: (
        "entry", "at", "host", "job_id", "job_name", "reference", "what", "is_sure", "state",
    ),
    View.URL_GROUPS: (
        "host", "url_group", "connection_limit", "bandwidth_limit", "url_suffix", "url_exists",
    ),
    View.CHANGES: ("status", *_JOB_COLUMNS, "warning_hex", "warning_symbol"),
    View.WATCH: (
        "event", "at", "host", "job_id", "name", "state", "previous_state", "bytes_total",
        "bytes_transferred", "files_total", "files_transferred", "rate_bytes_s", *_ERROR_COLUMNS,
    ),
}  # fmt: skip
_PLAN_COLUMNS = ("status", "verb", "host", "job_id", "operation", "effect", "description")


class CsvRenderer(MachineRenderer):
    """Rows as they come under a header that is always there. A job's files are not in its row.

    `header` is the one that stands already where the rows go to, if any.
    """

    def __init__(self, out: Printer, err: Printer, *, header: str = "", **settings: Any) -> None:
        super().__init__(out, err, **settings)
        self._header = header
        self._has_header = False

    def write(self, found: Sequence[Record]) -> None:
        """Write them now; the outcomes of a watch are no changes and have no row."""
        if self.view is not View.WATCH or self.is_plan:
            self._rows(found)

    def change(self, record: Record) -> None:
        """Write it now."""
        self._rows([record])

    def conclude(self, conclusion: Conclusion) -> None:
        """It is no row: it is said."""
        self.err.lines(list(conclusion.lines))

    def close(self) -> None:
        """Write the header if nothing came, then say the errors."""
        self.settle()
        self._rows([])
        super().close()

    def _rows(self, found: Sequence[Record]) -> None:
        columns = _PLAN_COLUMNS if self.is_plan else _CSV_COLUMNS.get(self.view)
        columns = self.shape.columns or columns
        if columns is None:
            return
        rows = [[self.cell(flat.get(name)) for name in columns] for flat in map(_flat, found)]
        if not self._has_header:
            self._has_header = True
            if self.row(list(columns)) != self._header:
                rows.insert(0, list(columns))
        self.out.lines([self.row(row) for row in rows])

    def cell(self, value: object) -> str:
        """A value as the text of a cell."""
        return _cell(value)

    def row(self, cells: Sequence[str]) -> str:
        """Cells as a line."""
        return ",".join(map(_quoted, cells))


class TsvRenderer(CsvRenderer):
    r"""The same rows with tabs between them: what `| command` and `> file` get.

    A cell is one piece of one line: tabs, breaks and what acts on a terminal are escapes (`\t`).
    A plan as PowerShell or XML is written as it is, to be kept or run.
    """

    is_script = False

    def close(self) -> None:
        """Write the header if nothing came, then say the errors; a script has no header."""
        if not self.is_script:
            super().close()

    def feed(self, event: Event) -> None:
        """Take the next event; text of our own is the answer itself here."""
        if isinstance(event, Text):
            self.out.lines(text_lines(event.text))
        elif isinstance(event, Planned) and event.scripts:
            self.is_script = True
            self.out.lines(planned_lines(event, self.width))
            self._found = by_identity(event.plan.found)
        else:
            super().feed(event)

    def cell(self, value: object) -> str:
        """A value as the text of a cell."""
        return neutral(value) if isinstance(value, str) else _cell(value)

    def row(self, cells: Sequence[str]) -> str:
        """Cells as a line."""
        return "\t".join(cells)


def csv_text(found: Sequence[Record], columns: Sequence[str] | None = None) -> str:
    """Records as CSV with a header: what a spreadsheet would compute is text, lists are left out.

    `columns` are those of flat records; all of them, in the order in which they come, by default.
    """
    flat = [flat_record(record) for record in found]
    names = list(columns or dict.fromkeys(name for record in flat for name in record))
    rows = [names, *([_cell(record.get(name)) for name in names] for record in flat)]
    return "".join(f"{','.join(map(_quoted, row))}\n" for row in rows)


def flat_record(record: Record) -> Record:
    """A record for a table: no lists in it, and what is nested under names like `error_hex`."""
    return {name: value for name, value in _flat(record).items() if not isinstance(value, list)}


def _flat(record: Record) -> Record:
    """Nested records as `error_hex`, `warning_symbol` and so on."""
    flat: Record = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat.update({f"{key}_{inner}": part for inner, part in value.items()})
        else:
            flat[key] = value
    return flat


def _quoted(cell: str) -> str:
    # Not the csv module: before Python 3.13 it leaves a lone CR bare, which ends a row for readers.
    if not re.search('[,"\r\n]', cell):
        return cell
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'


def _cell(value: object) -> str:
    """A cell that a spreadsheet shows and does not compute; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    text = _ACTS_ON_TERMINAL.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
    return f"'{text}" if _FORMULA.match(text) else text
