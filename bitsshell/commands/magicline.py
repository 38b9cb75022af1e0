"""The line of a magic as it is typed: options of magics taken out, names in braces told apart.

`{name}` stands for a value, `{name.attribute}` and `{name[0]}` work too, `{{` and `}}` are literal
braces, and a job id in braces stays what it is. The line is cut into words first, so that a value
is one argument whatever is in it. What the values are is not known here: magics look them up in
their namespace, and a runbook that is only checked has none.
"""

from __future__ import annotations

import enum
import keyword
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from bitsshell.commands.declare import VERBS
from bitsshell.commands.tokens import cut, tokenize
from bitsshell.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_PIECE = re.compile(rf"\{{\{{|\}}\}}|\{{{_GUID}\}}|\{{(?P<path>[^{{}}]*)\}}|[{{}}]")
_PATH = re.compile(
    r"(?P<name>[^\W\d]\w*)(?P<steps>(?:\.[^\W\d]\w*|\[[^\[\]]+\])*)(?::(?P<spec>.*))?"
)
_STEP = re.compile(r"\.(\w+)|\[([^\[\]]+)\]")


@dataclass(frozen=True, slots=True)
class Name:
    """What stands in braces: a variable, the way from it to a value, and a format."""

    path: str
    variable: str
    steps: tuple[tuple[str, str], ...] = ()
    """An attribute, or else the key of an item, each time the other one is empty."""
    format: str = ""


class Place(enum.Enum):
    """Where a word stands, which says how many values fit there."""

    AS_IS = enum.auto()
    """Nothing is put in: `--`, and an option whose value is missing."""
    OPTION = enum.auto()
    """It begins with `-`: one value."""
    VALUE = enum.auto()
    """Behind an option that takes a value."""
    ARGUMENT = enum.auto()
    """Several values are several arguments; none may look like an option."""
    LAST = enum.auto()
    """The same behind `--`, where nothing is an option."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One word of a line. A `VALUE` knows its option, and whether that may be repeated."""

    text: str
    place: Place
    option: str = ""
    is_repeatable: bool = False


@dataclass(frozen=True, slots=True)
class MagicLine:
    """A line cut up; the verb is empty where nothing was typed.

    `is_quiet` shows nothing, `into` names the variable that takes the value, `background` the watch
    that goes on while other cells run.
    """

    verb: str = ""
    slots: tuple[Slot, ...] = ()
    is_quiet: bool = False
    into: str | None = None
    background: str | None = None


def read_line(line: str, verb: str | None = None) -> MagicLine:
    """A magic's line; the verb leads, whether it is in the line or given.

    Raises:
        UsageError: an open quote, `--into` without the name of a variable, `--bg` without a name.
    """
    line, is_silenced = _without_semicolon(line)
    words = tokenize(line)
    if verb is not None:
        words.insert(0, verb)
    if not words:
        return MagicLine()
    scanner = _Scanner(words[0], _Options.of(words[0]), is_quiet=is_silenced)
    scanner.scan(words[1:])
    return MagicLine(
        words[0], tuple(scanner.slots), scanner.is_quiet, scanner.into, scanner.background
    )


def pieces(word: str) -> list[str | Name]:
    """Literal texts of a word and the names between them. Raises UsageError for stray braces."""
    found: list[str | Name] = []
    end = 0
    for piece in _PIECE.finditer(word):
        found.append(word[end : piece.start()])
        found.append(_piece(piece))
        end = piece.end()
    found.append(word[end:])
    return [piece for piece in found if piece != ""]


def escaped(text: str) -> str:
    """The text as it is typed where names in braces are looked up: its own braces doubled."""
    return text.replace("{", "{{").replace("}", "}}")


def _piece(piece: re.Match[str]) -> str | Name:
    text = piece[0]
    if text in {"{{", "}}"}:
        return text[0]
    if text in {"{", "}"}:
        raise UsageError(f"a {text!r} stands alone", hint=f"write {text * 2} for a literal one")
    path: str | None = piece["path"]
    if path is None:
        return text  # a job id in braces
    parts = _PATH.fullmatch(path)
    if parts is None:
        raise UsageError(
            f"{{{path}}} names no variable",
            hint=f"{{name}}, {{name.attribute}} or {{name[0]}}; write {{{{{path}}}}} for a literal",
        )
    return Name(path, parts["name"], tuple(_STEP.findall(parts["steps"])), parts["spec"] or "")


def _without_semicolon(line: str) -> tuple[str, bool]:
    """A last `;` outside quotes says in IPython that nothing is to be shown."""
    bare = line.rstrip()
    if bare.endswith(";"):
        before = cut(bare[:-1])
        if before.open_quote is None and not before.has_comment:
            return bare[:-1], True
    return line, False


@dataclass(frozen=True, slots=True)
class _Options:
    """Which options of a verb take a value, and which of those may be repeated."""

    with_value: frozenset[str] = frozenset()
    repeatable: frozenset[str] = frozenset()

    @classmethod
    def of(cls, verb: str) -> _Options:
        command = VERBS.get(verb)
        options = [p for p in command.params if isinstance(p, click.Option)] if command else []
        taking = [option for option in options if not option.is_flag]
        return cls(
            frozenset(name for option in taking for name in option.opts),
            frozenset(name for option in taking if option.multiple for name in option.opts),
        )


@dataclass(slots=True)
class _Scanner:
    """Goes through the words once."""

    verb: str
    options: _Options
    is_quiet: bool = False
    into: str | None = None
    background: str | None = None
    slots: list[Slot] = field(default_factory=list)

    def scan(self, words: Sequence[str]) -> None:
        """Take all of them."""
        left = iter(words)
        for word in left:
            if word == "--":
                self.slots.append(Slot(word, Place.AS_IS))
                self.slots.extend(Slot(positional, Place.LAST) for positional in left)
                return
            if word == "-q":
                self.is_quiet = True
            elif word == "--into" or word.startswith("--into="):
                self.into = _variable(word.partition("=")[2] or next(left, ""))
            elif self.verb == "watch" and (word == "--bg" or word.startswith("--bg=")):
                self.background = _task(word.partition("=")[2] or next(left, ""))
            elif word in self.options.with_value:
                self._option(word, next(left, None))
            else:
                is_option = word.startswith("-")
                self.slots.append(Slot(word, Place.OPTION if is_option else Place.ARGUMENT))

    def _option(self, option: str, value: str | None) -> None:
        if value is None:
            self.slots.append(Slot(option, Place.AS_IS))  # click says what is missing
            return
        is_repeatable = option in self.options.repeatable
        self.slots.append(Slot(value, Place.VALUE, option, is_repeatable))


def _task(name: str) -> str:
    if not re.fullmatch(r"[^\W\d][\w.-]*", name):
        raise UsageError(
            f"--bg needs a name for the watch, not {name!r}", hint="for example: --bg nightly"
        )
    return name


def _variable(name: str) -> str:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(
            f"--into needs the name of a variable, not {name!r}", hint="for example: --into jobs"
        )
    return name
