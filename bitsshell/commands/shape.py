"""`--cols`, `--sort` and `--where`, for verbs that list: declared once for all of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from bitsshell.commands.types import BadValue
from bitsshell.commands.where import Predicate, Where
from bitsshell.errors import shown
from bitsshell.render.fields import FIELDS, Field
from bitsshell.results import Shape, View

if TYPE_CHECKING:
    from datetime import datetime

Function = TypeVar("Function", bound=Callable[..., Any])


class Columns(click.ParamType[tuple[str, ...]]):
    """Names of fields with commas between them."""

    name = "columns"

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The names, once each. Raises `BadValue`."""
        if isinstance(value, tuple):
            return value
        names = [part.strip().lower() for part in str(value).split(",")]
        return tuple(dict.fromkeys(_known(name, self.fields, "--cols") for name in names))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The last of the names, which is none of those before."""
        done, comma, last = incomplete.rpartition(",")
        before = done.lower().split(",")
        return [
            CompletionItem(f"{done}{comma}{name}", help=field.kind.value)
            for name, field in self.fields.items()
            if name.startswith(last.lower()) and name not in before
        ]


class Order(click.ParamType[tuple[tuple[str, bool], ...]]):
    """Fields to sort by, with commas between them; `-size` or `size:desc` is descending."""

    name = "order"

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[tuple[str, bool], ...]:
        """Fields, with whether they are descending. Raises `BadValue`."""
        if isinstance(value, tuple):
            return value
        return tuple(self._one(part.strip().lower()) for part in str(value).split(","))

    def _one(self, typed: str) -> tuple[str, bool]:
        name, colon, direction = typed.removeprefix("-").partition(":")
        if colon and direction not in {"asc", "desc"}:
            raise BadValue(f"--sort: {shown(direction)} is no direction", hint="asc or desc")
        is_descending = typed.startswith("-") is not (direction == "desc")
        return _known(name, self.fields, "--sort"), is_descending

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The last of the fields, in both directions."""
        done, comma, last = incomplete.rpartition(",")
        minus = "-" if last.startswith("-") else ""
        return [
            CompletionItem(f"{done}{comma}{minus}{name}", help=field.kind.value)
            for name, field in self.fields.items()
            if name.startswith(last.removeprefix("-").lower())
        ]


def _known(name: str, fields: Mapping[str, Field], option: str) -> str:
    if name not in fields:
        raise BadValue(f"{option}: {shown(name)} is no column", hint="one of " + ", ".join(fields))
    return name


def shape_of(ctx: click.Context | None) -> Shape:
    """What a parsed command was told of the shape of its listing."""
    given: dict[str, Any] = {} if ctx is None else ctx.params
    return Shape(given.get("cols") or (), given.get("sort") or ())


def shaped(view: View) -> Callable[[Function], Function]:
    """Give a listing verb its three options; its function gets `where` and `shape`."""
    fields = FIELDS[view]

    def declare(function: Function) -> Function:
        @functools.wraps(function)
        def with_shape(
            *args: Any,
            where: Sequence[Predicate],
            cols: tuple[str, ...] | None,
            sort: tuple[tuple[str, bool], ...] | None,
            **values: Any,
        ) -> Any:
            shape = Shape(cols or (), sort or ())
            return function(*args, where=Wanted(where), shape=shape, **values)

        declared: Any = with_shape
        for option in (
            click.option("--cols", type=Columns(fields), metavar="COL,...", help=_COLS),
            click.option("--sort", type=Order(fields), metavar="COL,...", help=_SORT),
            click.option("--where", type=Where(fields), multiple=True, metavar="EXPR", help=_WHERE),
        ):
            declared = option(declared)
        result: Function = declared
        return result

    return declare


_WHERE = "only rows of which this is so, as 'size > 1G and state = error'"
_SORT = "sort by these, with - in front descending"
_COLS = "show these columns"


class Wanted:
    """Which rows of a listing are wanted: those of which every `--where` is so."""

    def __init__(self, predicates: Sequence[Predicate]) -> None:
        self.predicates = tuple(predicates)

    def __bool__(self) -> bool:
        return bool(self.predicates)

    def __call__(self, row: Any, now: datetime) -> bool:
        """Whether this one is."""
        return all(predicate(row, now) for predicate in self.predicates)
