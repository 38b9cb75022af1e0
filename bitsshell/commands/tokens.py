"""Cutting a line into tokens, for the shell, `-c`, scripts and magics alike.

Single and double quotes group and are taken away; `""` inside double quotes is one of them. A
backslash is a backslash, because Windows paths are full of them. `#` at the start or after white
space begins a comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bitsshell.errors import UsageError

_DIVIDING = re.compile(r"[\s\"']")
"""What ends a token or has a meaning of its own in one."""


class OpenQuote(UsageError):
    """A quote was opened and never closed."""

    position: int
    default_hint = "close it, or put the text into the other kind of quotes"

    def __init__(self, quote: str, position: int) -> None:
        super().__init__(f"the quote {quote} at character {position + 1} is never closed")
        self.position = position


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a line: its value, and where it stands as typed, quotes included."""

    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line cut up. `open_quote` is the quote that is still open at its end, with its position."""

    tokens: tuple[Token, ...]
    open_quote: tuple[str, int] | None = None
    has_comment: bool = False

    @property
    def values(self) -> list[str]:
        """The words alone."""
        return [token.value for token in self.tokens]


def cut(line: str) -> Line:
    """Cut a line, also one that is still being typed."""
    tokens: list[Token] = []
    value: list[str] = []
    start: int | None = None
    opened: tuple[str, int] | None = None
    position = 0
    while position < len(line):
        character = line[position]
        if opened is not None:
            if character != opened[0]:
                value.append(character)
            elif character == '"' and line[position + 1 : position + 2] == '"':
                value.append(character)
                position += 1
            else:
                opened = None
        elif character in "\"'":
            opened = (character, position)
            start = position if start is None else start
        elif character.isspace():
            if start is not None:
                tokens.append(Token("".join(value), start, position))
                value, start = [], None
        elif character == "#" and start is None:
            return Line(tuple(tokens), has_comment=True)
        else:
            value.append(character)
            start = position if start is None else start
        position += 1
    if start is not None:
        tokens.append(Token("".join(value), start, len(line)))
    return Line(tuple(tokens), open_quote=opened)


def tokenize(line: str) -> list[str]:
    """The words of a complete line. Raises `OpenQuote`."""
    found = cut(line)
    if found.open_quote is not None:
        raise OpenQuote(*found.open_quote)
    return found.values


def quote(text: str) -> str:
    """The text as one token: bare where that is safe, else in quotes."""
    if text and not _DIVIDING.search(text) and not text.startswith("#"):
        return text
    return quoted(text, "'")


def quoted(text: str, mark: str) -> str:
    """The text as one token in quotes: those given, unless the text needs the others."""
    if mark == "'" and "'" not in text:
        return f"'{text}'"
    return '"' + text.replace('"', '""') + '"'
