"""`--where`: a small language over the fields of a listing. Parsed by hand, never evaluated.

`state = error and (size > 1G or name ~ 'nightly*') and not owner = system`. A comparison with what
is not known is false, save `FIELD = unknown`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from bitsshell.commands.types import Duration
from bitsshell.errors import UsageError, shown
from bitsshell.render.fields import Field, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

Predicate = Callable[[Any, datetime], bool]
"""Whether a row is wanted, at the present."""

MAX_LENGTH = 2_000
MAX_DEPTH = 20

_PIECE = re.compile(
    r"\s*(?:(?P<op>!=|==|<=|>=|[=<>~])|(?P<bracket>[()])"
    r"|'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"|(?P<word>[^\s()=<>~!'\"]+))"
)
_WORDS = {"and", "or", "not"}
_SIZE = re.compile(
    r"(?P<number>\d{1,20}(?:\.\d{1,9})?)\s*(?P<unit>[kmgtpe]?)(?:i?b)?", re.IGNORECASE | re.ASCII
)
_POWERS = {unit: 1024**power for power, unit in enumerate(["", *"kmgtpe"])}
_ORDER = "= != < <= > >="
_EQUAL = "= !="
_TEXT = "= != ~"
_OPERATORS = {
    Kind.TEXT: _TEXT,
    Kind.CHOICE: _EQUAL,
    Kind.FLAG: _EQUAL,
    Kind.NUMBER: _ORDER,
    Kind.LIMIT: _ORDER,
    Kind.SIZE: _ORDER,
    Kind.DURATION: _ORDER,
    Kind.SHARE: _ORDER,
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
    "~": lambda left, right: fnmatch.fnmatchcase(left, right),
}


class BadExpression(UsageError):
    """A `--where` that cannot be read."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of an expression. `kind` is `op`, `bracket`, `text` (quoted) or `word`."""

    kind: str
    value: str
    start: int
    end: int


def pieces(text: str) -> list[Piece]:
    """Cut an expression up. Raises `BadExpression` where no piece begins."""
    found: list[Piece] = []
    position = 0
    while text[position:].strip():
        match = _PIECE.match(text, position)
        if match is None:
            rest = text[position:].strip()
            problem = "a quote is never closed" if rest[0] in "'\"" else "is not understood"
            raise BadExpression(
                f"--where: {shown(rest[:30])} {problem}", hint=f"write it as in {_EXAMPLE}"
            )
        kind = match.lastgroup or "word"
        value = match[kind]
        if kind in {"single", "double"}:
            kind = "text"
        found.append(Piece(kind, value, match.start(match.lastgroup or 0), match.end()))
        position = match.end()
    return found


def parse_where(text: str, fields: Mapping[str, Field]) -> Predicate:
    """The expression as a function. Raises `BadExpression`."""
    if len(text) > MAX_LENGTH:
        raise BadExpression(f"--where: longer than {MAX_LENGTH:,} characters", hint=_EXAMPLE)
    parser = _Parser(pieces(text), fields)
    predicate = parser.either()
    left = parser.peek()
    if left is not None:
        raise BadExpression(
            f"--where: and or or is missing before {shown(left.value)}",
            hint="a value with blanks goes into quotes",
        )
    return predicate


_EXAMPLE = '--where "state = error and size > 1G"'


class _Parser:
    """Recursive descent: or, and, not, brackets, comparison."""

    def __init__(self, found: list[Piece], fields: Mapping[str, Field]) -> None:
        self.found = found
        self.fields = fields
        self.place = 0
        self.depth = 0

    def peek(self) -> Piece | None:
        return self.found[self.place] if self.place < len(self.found) else None

    def _takes(self, value: str) -> bool:
        piece = self.peek()
        is_it = piece is not None and piece.kind != "text" and piece.value.lower() == value
        self.place += is_it
        return is_it

    def either(self) -> Predicate:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return lambda row, now: any(part(row, now) for part in parts)

    def _both(self) -> Predicate:
        parts = [self._one()]
        while self._takes("and"):
            parts.append(self._one())
        return lambda row, now: all(part(row, now) for part in parts)

    def _one(self) -> Predicate:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BadExpression("--where: too many brackets in brackets", hint=_EXAMPLE)
        try:
            if self._takes("not"):
                inner = self._one()
                return lambda row, now: not inner(row, now)
            if self._takes("("):
                inner = self.either()
                if not self._takes(")"):
                    raise BadExpression("--where: a bracket is never closed", hint=_EXAMPLE)
                return inner
            return self._comparison()
        finally:
            self.depth -= 1

    def _comparison(self) -> Predicate:
        field = self._field()
        operator = self._operator(field)
        piece = self.peek()
        if piece is None or piece.kind in {"op", "bracket"}:
            raise BadExpression(
                f"--where: a value is missing after {field.name} {operator}", hint=_EXAMPLE
            )
        self.place += 1
        typed = piece.value
        following = self.peek()
        if (  # `1.5 GiB` is one size
            field.kind is Kind.SIZE
            and following is not None
            and following.kind == "word"
            and re.fullmatch("[kmgtpe]?i?b", following.value, re.IGNORECASE)
        ):
            typed += following.value
            self.place += 1
        return comparison(field, operator, typed, is_quoted=piece.kind == "text")

    def _field(self) -> Field:
        piece = self.peek()
        names = ", ".join(self.fields)
        if piece is None:
            raise BadExpression("--where: a field is missing at the end", hint=f"one of {names}")
        field = self.fields.get(piece.value.lower()) if piece.kind == "word" else None
        if field is None:
            raise BadExpression(
                f"--where: {shown(piece.value)} is no field", hint=f"one of {names}"
            )
        self.place += 1
        return field

    def _operator(self, field: Field) -> str:
        piece = self.peek()
        taken = _OPERATORS[field.kind]
        operator = "" if piece is None else {"==": "="}.get(piece.value, piece.value)
        if piece is None or piece.kind != "op" or operator not in taken.split():
            said = f"{shown(piece.value)} does not compare" if piece else "nothing compares"
            raise BadExpression(
                f"--where: {said} {field.name}, which is a {field.kind.value}",
                hint=f"one of {taken}" + (" (in quotes, for < and > redirect)" * (not piece)),
            )
        self.place += 1
        return operator


def comparison(field: Field, operator: str, typed: str, *, is_quoted: bool = False) -> Predicate:
    """One comparison as a function. Raises `BadExpression` for a value of another kind."""
    if typed.lower() == "unknown" and not is_quoted and operator in {"=", "!="}:
        wanted = operator == "="
        return lambda row, now: (field.value(row, now) is None) is wanted
    compare, right = _COMPARE[operator], _value(field, typed)
    folds = field.kind in {Kind.TEXT, Kind.CHOICE}

    def is_wanted(row: Any, now: datetime) -> bool:
        left = field.value(row, now)
        if left is None and field.kind is Kind.TEXT:
            left = ""
        if left is None:
            return False
        if field.kind is Kind.CHOICE:
            left = _choice(left)
        return compare(left.casefold() if folds else left, right)

    return is_wanted


def _choice(text: str) -> str:
    return text.strip().casefold().replace("_", "-").replace(" ", "-")


def _value(field: Field, typed: str) -> Any:
    match field.kind:
        case Kind.TEXT:
            return typed.casefold()
        case Kind.CHOICE:
            names = {_choice(name): _choice(name) for name in field.choices}
            return _one_of(names, _choice(typed), field, typed)
        case Kind.FLAG:
            return _one_of(_FLAGS, typed.lower(), field, typed)
        case Kind.DURATION:
            try:
                return Duration().convert(typed, None, None)
            except UsageError as error:
                raise _bad_value(field, typed, "90s, 5m, 2h, 3d, 1h30m") from error
        case Kind.SIZE:
            return _size(field, typed)
        case Kind.SHARE:
            return float(_matching(r"(\d{1,9}(?:\.\d{1,9})?)%?", field, typed, "50% or 50")) / 100
        case Kind.NUMBER | Kind.LIMIT:
            return int(_matching(r"(\d{1,20})", field, typed, "a whole number"))


def _one_of(known: Mapping[str, Any], wanted: str, field: Field, typed: str) -> Any:
    if wanted not in known:
        raise _bad_value(field, typed, ", ".join(("yes, no",) if known is _FLAGS else known))
    return known[wanted]


def _matching(pattern: str, field: Field, typed: str, allowed: str) -> str:
    found = re.fullmatch(pattern, typed, re.ASCII)
    if found is None:
        raise _bad_value(field, typed, allowed)
    return found[1]


_FLAGS = {"yes": True, "true": True, "no": False, "false": False}


def _size(field: Field, typed: str) -> float:
    found = _SIZE.fullmatch(typed.strip())
    if found is None:
        raise _bad_value(field, typed, "100, 64K, 1.5M, 2G, 1.5 GiB (K is 1,024)")
    power: int = _POWERS[found["unit"].lower()]
    return float(found["number"]) * power


def _bad_value(field: Field, typed: str, allowed: str) -> BadExpression:
    return BadExpression(
        f"--where: {shown(typed)} is no {field.kind.value} for {field.name}",
        hint=f"write {allowed}",
    )


def where_candidates(text: str, fields: Mapping[str, Field]) -> list[str]:
    """What may stand where the expression that is being typed ends: whole texts to put there."""
    head, last = _last_word(text)
    try:
        before = pieces(head)
    except BadExpression:
        return []
    words = _fitting(before, fields)
    return [head + word for word in words if word.startswith(last.lower())]


def _last_word(text: str) -> tuple[str, str]:
    found = re.search(r"[^\s()=<>~!'\"]*$", text)
    start = found.start() if found else len(text)
    return text[:start], text[start:]


def _fitting(before: list[Piece], fields: Mapping[str, Field]) -> list[str]:
    last = before[-1] if before else None
    if last is None or last.value.lower() in {*_WORDS, "("}:
        return [*fields, "not"]
    if last.kind == "op":
        field = fields.get(before[-2].value.lower()) if len(before) > 1 else None
        if field is None:
            return []
        return ["yes", "no"] if field.kind is Kind.FLAG else [_choice(n) for n in field.choices]
    if last.kind == "word" and last.value.lower() in fields:
        is_value = len(before) > 1 and before[-2].kind == "op"
        if not is_value:
            return _OPERATORS[fields[last.value.lower()].kind].split()
    return ["and", "or"]


class Where(click.ParamType[Predicate]):
    """An expression over these fields."""

    name = "expression"

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Predicate:
        """The expression as a function."""
        return parse_where(value, self.fields) if isinstance(value, str) else value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Fields, operators, states and the words between comparisons."""
        found = where_candidates(incomplete, self.fields)
        return [click.shell_completion.CompletionItem(text) for text in found]
