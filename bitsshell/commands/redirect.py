"""`| command`, `> file` and `>> file` at the end of a line, outside quotes.

An operator begins a word of its own, so that a `|` inside a URL or a name is what it is.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from bitsshell.commands.tokens import OpenQuote, cut, tokenize
from bitsshell.errors import UsageError, shown


class Into(enum.StrEnum):
    """Where the data of a line goes."""

    COMMAND = "|"
    FILE = ">"
    END_OF_FILE = ">>"


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where it goes: `name` is a command line of the operating system's shell, or a path."""

    into: Into
    name: str


def split_redirect(line: str) -> tuple[list[str], Redirect | None]:
    """The words of a line, and where its data goes.

    Raises:
        OpenQuote: a quote before the operator is never closed.
        UsageError: nothing follows the operator, or too much.
    """
    for token in cut(line).tokens:
        typed = line[token.start : token.end]
        if typed.startswith("|"):
            command = line[token.start + 1 :].strip()
            if not command or command.startswith("|"):
                raise UsageError("a command is missing after |", hint="jobs | sort")
            return tokenize(line[: token.start]), Redirect(Into.COMMAND, command)
        if typed.startswith(">"):
            into = Into.END_OF_FILE if typed.startswith(">>") else Into.FILE
            name = _one_name(line[token.start + len(into) :], into)
            return tokenize(line[: token.start]), Redirect(into, name)
    return tokenize(line), None


def _one_name(rest: str, into: Into) -> str:
    names = tokenize(rest)
    if not names or not names[0]:
        raise UsageError(f"a file is missing after {into}", hint=f"jobs {into} jobs.tsv")
    if len(names) > 1 or names[0].startswith((">", "|")):
        raise UsageError(
            f"{shown(names[-1])} stands after the file of {into}",
            hint="a file's name with blanks goes into quotes, and so does a > that is no operator",
        )
    return names[0]


__all__ = ["Into", "OpenQuote", "Redirect", "split_redirect"]
