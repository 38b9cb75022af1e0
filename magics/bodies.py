"""The lines below a cell magic, as the words that they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bitsshell.commands import cut, quote
from bitsshell.errors import BitsShellError, UsageError
from magics.verbs import VERBS, Body
from magics.words import read_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ARROW = "->"
_FORMS = {Body.PAIRS: "URL -> PATH", Body.VALUES: "an argument a line"}


def lines_of(body: str, form: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, with their numbers in the cell. Raises UsageError for none."""
    found = [
        (number, line.strip())
        for number, line in enumerate(body.splitlines(), 2)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not found:
        raise UsageError("there is nothing below the first line of the cell", hint=f"put {form}")
    yield from found


def words_in(body: str, verb: str, namespace: Mapping[str, Any]) -> list[str]:
    """The arguments that the lines below `%%bits_VERB` give it. Raises UsageError."""
    form = VERBS[verb]
    words: list[str] = []
    for number, line in lines_of(body, f"{_FORMS[form]} below it"):
        try:
            if form is Body.PAIRS:
                words.extend(pair(line, namespace))
            else:
                words.extend(
                    read_words(f"-- {without_comment(line)}", namespace, verb="bits").words[2:]
                )
        except BitsShellError as error:
            raise UsageError(f"line {number}: {error.what()}", hint=error.hint) from error
    return words


def pair(line: str, namespace: Mapping[str, Any]) -> list[str]:
    """The URL and the path of `URL -> PATH`. Raises UsageError."""
    halves = split_pair(line)
    if halves is None:
        raise UsageError(
            f"this is no file: {line}", hint=r"write http://server/a.bin -> C:\in\a.bin"
        )
    words = [word for half in halves for word in _one(half, namespace)]
    if len(words) != 2:
        raise UsageError(
            f"{len(words)} values where a URL and a path fit: {line}", hint="one file a line"
        )
    return words


def split_pair(line: str) -> tuple[str, str] | None:
    """What stands before and behind the arrow; None where there is none, or nothing beside it."""
    line = without_comment(line)
    arrow = next((token for token in cut(line).tokens if token.value == ARROW), None)
    if arrow is None:
        return None
    halves = line[: arrow.start].strip(), line[arrow.end :].strip()
    return halves if all(halves) else None


def without_comment(line: str) -> str:
    """The line up to a `#` behind white space."""
    found = cut(line)
    return line[: found.tokens[-1].end] if found.has_comment and found.tokens else line


def _one(half: str, namespace: Mapping[str, Any]) -> list[str]:
    """The words of one half; blanks in it need no quotes."""
    text = half if len(cut(half).tokens) == 1 else quote(half)
    return list(read_words(f"-- {text}", namespace, verb="bits").words[2:])
