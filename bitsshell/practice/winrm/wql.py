"""WQL as far as a client needs it: projection, comparison, LIKE, IS NULL, AND, OR, NOT."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .numbers import unsigned

Value = str | int | bool | None
Row = Mapping[str, Value]
"""Property values by name in lower case; WQL compares names without case."""
Condition = Callable[[Row], bool | None]
"""True, False, or None where NULL makes the answer unknown."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<number>-?[0-9]+)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<operator><=|>=|<>|!=|[=<>(),*])
    )""",
    re.VERBOSE | re.DOTALL,
)
_MAX_QUERY_CHARS = 16_384
_MAX_DEPTH = 64


class WqlError(ValueError):
    """A query that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query."""

    class_name: str
    properties: tuple[str, ...] | None
    """The projection; None for `*`."""
    condition: Condition | None

    def matches(self, row: Row) -> bool:
        """Whether the row is in the result; unknown counts as no."""
        return self.condition is None or self.condition(row) is True


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str

    @property
    def keyword(self) -> str:
        return self.text.upper() if self.kind == "name" else ""


def parse(text: str) -> Query:
    """Parse `SELECT ... FROM class [WHERE ...]`.

    Raises:
        WqlError: it is something else.
    """
    if len(text) > _MAX_QUERY_CHARS:
        raise WqlError("query too long")
    return _Parser(_tokens(text)).query()


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise WqlError(f"unexpected character at {position}")
        tokens.append(_Token(match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0

    def query(self) -> Query:
        self._expect("SELECT")
        properties = self._projection()
        self._expect("FROM")
        class_name = self._name()
        condition = None
        if self._accept("WHERE"):
            condition = self._either()
        if self._position != len(self._tokens):
            raise WqlError("text after the end of the query")
        return Query(class_name, properties, condition)

    def _projection(self) -> tuple[str, ...] | None:
        if self._accept_operator("*"):
            return None
        properties = [self._name()]
        while self._accept_operator(","):
            properties.append(self._name())
        return tuple(properties)

    def _either(self) -> Condition:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise WqlError("nested too deeply")
        terms = [self._both()]
        while self._accept("OR"):
            terms.append(self._both())
        self._depth -= 1
        return terms[0] if len(terms) == 1 else lambda row: _any(term(row) for term in terms)

    def _both(self) -> Condition:
        terms = [self._negation()]
        while self._accept("AND"):
            terms.append(self._negation())
        return terms[0] if len(terms) == 1 else lambda row: _all(term(row) for term in terms)

    def _negation(self) -> Condition:
        inverted = False
        while self._accept("NOT"):
            inverted = not inverted
        term = self._term()
        return (lambda row: _not(term(row))) if inverted else term

    def _term(self) -> Condition:
        if self._accept_operator("("):
            inner = self._either()
            self._expect_operator(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        token = self._next()
        if token.kind != "name":
            return self._mirrored(_literal(token))
        name = token.text.lower()
        if self._accept("IS"):
            wanted_null = not self._accept("NOT")
            self._expect("NULL")
            return lambda row: (row.get(name) is None) is wanted_null
        if self._accept("LIKE"):
            return _like(name, self._next())
        operator = self._next()
        literal = _literal(self._next())
        return _comparison(name, operator.text, literal)

    def _mirrored(self, literal: Value) -> Condition:
        """`3 < Priority` means `Priority > 3`."""
        operator = self._next().text
        mirror = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(operator, operator)
        return _comparison(self._name().lower(), mirror, literal)

    def _next(self) -> _Token:
        if self._position >= len(self._tokens):
            raise WqlError("unexpected end of the query")
        token = self._tokens[self._position]
        self._position += 1
        return token

    def _name(self) -> str:
        token = self._next()
        if token.kind != "name":
            raise WqlError(f"a name was expected, not {token.text}")
        return token.text

    def _accept(self, keyword: str) -> bool:
        here = self._position < len(self._tokens)
        if here and self._tokens[self._position].keyword == keyword:
            self._position += 1
            return True
        return False

    def _expect(self, keyword: str) -> None:
        if not self._accept(keyword):
            raise WqlError(f"{keyword} was expected")

    def _accept_operator(self, text: str) -> bool:
        here = self._position < len(self._tokens)
        if here and self._tokens[self._position] == _Token("operator", text):
            self._position += 1
            return True
        return False

    def _expect_operator(self, text: str) -> None:
        if not self._accept_operator(text):
            raise WqlError(f"{text} was expected")


def _literal(token: _Token) -> Value:
    if token.kind == "number":
        magnitude = unsigned(token.text.lstrip("-"))
        if magnitude is None:
            raise WqlError("a number is too large")
        return -magnitude if token.text.startswith("-") else magnitude
    if token.kind == "string":
        return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)
    if token.keyword in {"TRUE", "FALSE"}:
        return token.keyword == "TRUE"
    if token.keyword == "NULL":
        return None
    raise WqlError(f"a value was expected, not {token.text}")


_OPERATORS: dict[str, Callable[[int], bool]] = {
    "=": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<>": lambda order: order != 0,
    "<": lambda order: order < 0,
    ">": lambda order: order > 0,
    "<=": lambda order: order <= 0,
    ">=": lambda order: order >= 0,
}


def _comparison(name: str, operator: str, literal: Value) -> Condition:
    decide = _OPERATORS.get(operator)
    if decide is None:
        raise WqlError(f"unknown operator {operator}")

    def compare(row: Row) -> bool | None:
        value = row.get(name)
        if value is None or literal is None:
            return None
        return decide(_order(value, literal))

    return compare


def _order(value: Value, literal: Value) -> int:
    """-1, 0 or 1; strings without case, numbers also when one side is their text."""
    if isinstance(value, int):
        try:
            other = int(literal) if literal is not None else 0
        except ValueError:
            raise WqlError(f"{literal!r} is no number") from None
        return (value > other) - (value < other)
    left, right = str(value).lower(), str(literal).lower()
    return (left > right) - (left < right)


def _like(name: str, token: _Token) -> Condition:
    pattern = _literal(token)
    if not isinstance(pattern, str):
        raise WqlError("LIKE needs a string")
    compiled = re.compile(_like_pattern(pattern), re.IGNORECASE | re.DOTALL)

    def like(row: Row) -> bool | None:
        value = row.get(name)
        return None if value is None else compiled.fullmatch(str(value)) is not None

    return like


def _like_pattern(pattern: str) -> str:
    """`%`, `_`, `[a-f]` and `[^a]` as a regular expression.

    What stands between two `%` is found where it first fits and never looked for again, so that
    no pattern takes more than its length times that of the text.
    """
    pieces: list[list[str]] = [[]]
    position = 0
    while position < len(pattern):
        char = pattern[position]
        close = pattern.find("]", position + 1) if char == "[" else -1
        out = pieces[-1]
        if char == "%":
            pieces.append([])
        elif char == "_":
            out.append(".")
        elif close > position + 1:
            body = pattern[position + 1 : close]
            inverted = "^" if body[0] in "^!" and len(body) > 1 else ""
            escaped = re.sub(r"([\\\[\]^&~|])", r"\\\1", body[len(inverted) :])
            out.append(f"[{inverted}{escaped}]")
            position = close
        else:
            out.append(re.escape(char))
        position += 1
    expression, *inner = ("".join(piece) for piece in pieces)
    if inner:
        *inner, last = inner
        expression += "".join(f"(?>.*?{piece})" for piece in inner if piece) + f".*{last}"
    try:
        re.compile(expression)
    except re.error as error:
        raise WqlError(f"bad pattern {pattern!r}") from error
    return expression


def _any(values: Iterable[bool | None]) -> bool | None:
    seen = list(values)
    if True in seen:
        return True
    return None if None in seen else False


def _all(values: Iterable[bool | None]) -> bool | None:
    seen = list(values)
    if False in seen:
        return False
    return None if None in seen else True


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value
