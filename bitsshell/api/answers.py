"""What a command gave, as an immutable value: a sequence, with everything beside it.

It shows as text, as HTML that survives an untrusted notebook, and as JSON of a MIME type of our
own. `bitsshell.api.sets` has one class for each kind of thing that a verb gives.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from bitsshell.api.errors import LookupFailed, from_error
from bitsshell.api.tabular import Record, Tabular
from bitsshell.api.texts import bundle, scrubbed_html, text_width
from bitsshell.bits import JobList
from bitsshell.commands.where import parse_where
from bitsshell.errors import UsageError
from bitsshell.known_secrets import scrub, scrub_record
from bitsshell.render import REPORT_MIME_TYPE, report_html, report_json, report_text
from bitsshell.render import records as make_records
from bitsshell.render.fields import FIELDS, Field, Kind
from bitsshell.render.messages import counts
from bitsshell.render.text import clip, counted, neutral
from bitsshell.render.units import iso, timestamp

if TYPE_CHECKING:
    from bitsshell.api.sets import JobSet
    from bitsshell.commands.where import Predicate
    from bitsshell.errors import BitsShellError
    from bitsshell.results import Outcome, Plan, Report, Summary

T = TypeVar("T")

ROW_LIMIT = 50
"""Rows that are shown where nothing else is said; the rest is counted."""

_MOST_CANDIDATES = 5


@dataclass(frozen=True, eq=False, repr=False)
class Answer(Tabular, Sequence[T], Generic[T]):
    """What one command gave, as of a moment. It never changes.

    Hosts that failed are in `errors`; they never hide those that answered. `report` has the
    outcomes, the plan of a `--what-if` and the summary. No slots, so that items are gathered once.
    """

    report: Report
    as_of: datetime
    row_limit: int = ROW_LIMIT

    @cached_property
    def _pairs(self) -> tuple[tuple[T, Outcome], ...]:
        """Each item with the outcome that carries it alone, in the order of the display."""
        return tuple(self._gathered())

    def _gathered(self) -> Iterator[tuple[Any, Outcome]]:
        for outcome in self.report.outcomes:
            if isinstance(outcome.value, JobList):
                yield from ((job, replace(outcome, value=job)) for job in outcome.value.jobs)
            elif outcome.error is None and outcome.value is not None:
                yield outcome.value, outcome

    @property
    def items(self) -> tuple[T, ...]:
        """What is in it."""
        return tuple(item for item, _ in self._pairs)

    @property
    def verb(self) -> str:
        """The verb that gave it."""
        return self.report.verb

    @property
    def jobs(self) -> JobSet:
        """All jobs in it, as a set of their own."""
        from bitsshell.api.sets import jobs_of

        return jobs_of(self)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that it is from, those that failed included."""
        return tuple(dict.fromkeys(one.host for one in self.report.outcomes if one.host))

    @property
    def errors(self) -> tuple[BitsShellError, ...]:
        """What failed, with its host and job."""
        return self.report.errors

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """How it went, one for each (host, job), or host."""
        return self.report.outcomes

    @property
    def plan(self) -> Plan | None:
        """What would have been done, of a `--what-if`."""
        return self.report.plan

    @property
    def summary(self) -> Summary:
        """The counts, and why it ended."""
        return self.report.summary

    @property
    def notices(self) -> tuple[str, ...]:
        """What was said beside."""
        return self.report.notices

    @property
    def ok(self) -> bool:
        """Whether everything went well."""
        return self.report.ok

    # As a sequence

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: str) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | str | slice) -> T | Self:
        """An item by position, by name or by id; a slice is of the same kind.

        Raises:
            LookupFailed: a `KeyError` that names the candidates: none fits, or several do.
        """
        if isinstance(index, slice):
            return self._part(self._pairs[index])
        if isinstance(index, str):
            return self._named(index)
        return self._pairs[index][0]

    def __len__(self) -> int:
        """How many items."""
        return len(self._pairs)

    def __contains__(self, value: object) -> bool:
        """Whether an item, or one of this name or id, is in it."""
        if isinstance(value, str):
            return bool(self._fitting(value))
        return any(item == value for item, _ in self._pairs)

    def _named(self, text: str) -> T:
        found = self._fitting(text)
        if len(found) == 1:
            return found[0]
        if found:
            raise LookupFailed(
                f"{text!r} stands for {counted(len(found), 'item')} here",
                hint=f"take one of them by its id: {self._said(found)}",
            )
        hint = f"there are: {self._said(self.items)}" if len(self) else "there is nothing in it"
        raise LookupFailed(f"there is no {text!r} here", hint=hint)

    def _fitting(self, text: str) -> list[T]:
        """Items of this name, else those whose id is, or begins with, it."""
        wanted = text.strip("{}").lower()
        by_name = [item for item in self.items if self._names_of(item)[0] == text]
        by_id = [
            item
            for item in self.items
            if wanted and any(name.lower() == wanted for name in self._names_of(item)[1:])
        ]
        return (
            by_name
            or by_id
            or [
                item
                for item in self.items
                if len(wanted) >= _LEAST_PREFIX
                and any(name.lower().startswith(wanted) for name in self._names_of(item)[1:])
            ]
        )

    def _names_of(self, item: Any) -> tuple[str, ...]:
        """What an item goes by: its name, then what else is unique to it."""
        return (str(getattr(item, "name", "")),)

    def _said(self, found: Sequence[T]) -> str:
        said = [" ".join(part for part in self._names_of(one) if part) for one in found]
        shown = ", ".join(clip(neutral(text), 60) for text in said[:_MOST_CANDIDATES])
        rest = len(said) - _MOST_CANDIDATES
        return f"{shown} and {rest:,} more" if rest > 0 else shown

    def _part(self, pairs: Iterable[tuple[T, Outcome]]) -> Self:
        """The same with some of the items only. Hosts that failed stay in it."""
        chosen = tuple(pairs)
        failed = tuple(one for one in self.report.outcomes if one.error is not None)
        shape = replace(self.report.shape, is_numbered=False)
        outcomes = (*(outcome for _, outcome in chosen), *failed)
        return replace(self, report=replace(self.report, outcomes=outcomes, shape=shape))

    def where(self, wanted: str | Callable[[T], bool] | None = None, /, **fields: Any) -> Self:
        """Only the items of which this is so.

        `wanted` is an expression as `--where` takes it (`"size > 1G and state = error"`), or a
        function. Fields are compared by name: `state="error"`, `host=["a", "b"]`, `name="n*"`.

        Raises:
            BitsUsageError: the expression cannot be read, or there is no such field.
        """
        tests: list[Callable[[T], bool]] = []
        if isinstance(wanted, str):
            predicate = self._predicate(wanted)
            tests.append(lambda item: predicate(self._row(item), self.as_of))
        elif wanted is not None:
            tests.append(wanted)
        for name, value in fields.items():
            tests.append(self._test(name.replace("_", "-"), value))
        return self._part(
            (item, outcome) for item, outcome in self._pairs if all(test(item) for test in tests)
        )

    def one(self) -> T:
        """The only item. Raises `LookupFailed` where there is none, or more than one."""
        if len(self) == 1:
            return self.items[0]
        hint = self._said(self.items) if len(self) else f"{self.verb} gave nothing"
        raise LookupFailed(f"{len(self):,} items where one was wanted", hint=hint)

    def _predicate(self, expression: str) -> Predicate:
        try:
            return parse_where(expression, self._fields())
        except UsageError as error:
            raise from_error(error) from error

    def _fields(self) -> dict[str, Field]:
        """The fields that `where` speaks of."""
        return dict(FIELDS.get(self.report.view, {}))

    def _row(self, item: Any) -> Any:
        """An item as fields take it."""
        return item

    def _test(self, name: str, value: Any) -> Callable[[T], bool]:
        fields = self._fields()
        field = fields.get(name)
        if field is None:
            raise LookupFailed(
                f"there is no field {name!r} here",
                hint=f"one of {', '.join(fields)}" if fields else "give a function instead",
            )
        wanted = [value] if isinstance(value, str) or not isinstance(value, Collection) else value

        def test(item: T) -> bool:
            found = field.value(self._row(item), self.as_of)
            return any(_matches(found, one, field.kind) for one in wanted)

        return test

    # As something else

    def records(self) -> list[Record]:
        """One dict an item, ready for JSON; the keys are those of `-o json`."""
        if self.plan is not None:
            return make_records.plan_records(self.plan)
        return [self._record(item, outcome) for item, outcome in self._pairs]

    def _record(self, item: Any, outcome: Outcome) -> Record:
        del item
        (record, *_) = make_records.outcome_records(outcome, self.report.view)
        return record

    def __repr__(self) -> str:
        """One line: what it is, and counts."""
        if self.plan is None:
            what = self._counts()
        else:
            what = f"{counted(len(self.plan.steps), 'step')} planned, nothing sent"
        return f"<{type(self).__name__} of {self.verb or 'nothing'}: {what}>"

    def _counts(self) -> str:
        return counted(len(self), "item") if len(self) else counts(self.summary)

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, Any]:
        makers: dict[str, Callable[[], Any]] = {
            "text/plain": lambda: scrub(self._text()),
            "text/html": lambda: scrubbed_html(self._html()),
            REPORT_MIME_TYPE: lambda: scrub_record(self._json()),
        }
        return bundle(makers, include, exclude)

    def _text(self) -> str:
        said = report_text(self.report, text_width(), now=self.as_of, limit=self.row_limit)
        if not said:
            return repr(self)
        return f"{said}\nas of {timestamp(self.as_of)}" if self.hosts else said

    def _html(self) -> str:
        as_of = self.as_of if self.hosts else None
        return report_html(self.report, limit=self.row_limit, as_of=as_of)

    def _json(self) -> Record:
        return {
            **report_json(self.report),
            "object": type(self).__name__,
            "as_of": iso(self.as_of),
        }


_LEAST_PREFIX = 4
"""So many characters of an id are enough, if they are one item's."""


def _matches(found: Any, wanted: Any, kind: Kind) -> bool:
    if callable(wanted):
        return bool(wanted(found))
    if not isinstance(wanted, str) or not isinstance(found, str):
        name = getattr(wanted, "name", None)
        return bool(found == wanted) or (
            isinstance(found, str) and isinstance(name, str) and found.upper() == name.upper()
        )
    if kind is Kind.CHOICE:
        return found.upper().replace("-", "_") == wanted.upper().replace("-", "_")
    return fnmatch.fnmatchcase(found.lower(), wanted.lower())


def now() -> datetime:
    """The present, where no session's clock is at hand."""
    return datetime.now(UTC)
