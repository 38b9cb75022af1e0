"""The words of a magic's line: options of magics taken out, values of Python variables put in.

IPython's own expansion is off: it would compute `{GUID}` as arithmetic and take `$` out of UNC
paths. Ours comes after the line was cut into tokens, so that a value is one argument whatever is in
it.
"""

from __future__ import annotations

import enum
import keyword
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from bitsshell.bits import Job, JobDetail
from bitsshell.commands import VERBS, cut, tokenize
from bitsshell.errors import UsageError
from bitsshell.results import HostStatus

_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_PIECE = re.compile(rf"\{{\{{|\}}\}}|\{{{_GUID}\}}|\{{(?P<path>[^{{}}]*)\}}|[{{}}]")
_PATH = re.compile(
    r"(?P<name>[^\W\d]\w*)(?P<steps>(?:\.[^\W\d]\w*|\[[^\[\]]+\])*)(?::(?P<spec>.*))?"
)
_STEP = re.compile(r"\.(\w+)|\[([^\[\]]+)\]")


@dataclass(frozen=True, slots=True)
class Words:
    """A line, ready for the dispatcher. `is_quiet` shows nothing, `into` names a variable."""

    words: tuple[str, ...]
    is_quiet: bool = False
    into: str | None = None


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


def read_words(line: str, namespace: Mapping[str, Any], *, verb: str | None = None) -> Words:
    """The words of a line as typed; the verb leads, whether it is in the line or given.

    Raises:
        UsageError: an open quote, an undefined name, a value that is no argument.
    """
    line, is_silenced = _without_semicolon(line)
    words = tokenize(line)
    if verb is not None:
        words.insert(0, verb)
    if not words:
        return Words(())
    reader = _Reader(namespace, _Options.of(words[0]), is_quiet=is_silenced)
    reader.read(words[1:])
    return Words((words[0], *reader.words), reader.is_quiet, reader.into)


def _without_semicolon(line: str) -> tuple[str, bool]:
    """A last `;` outside quotes says in IPython that nothing is to be shown."""
    bare = line.rstrip()
    if bare.endswith(";"):
        before = cut(bare[:-1])
        if before.open_quote is None and not before.has_comment:
            return bare[:-1], True
    return line, False


@dataclass(slots=True)
class _Reader:
    """Goes through the words once."""

    namespace: Mapping[str, Any]
    options: _Options
    is_quiet: bool = False
    into: str | None = None
    words: list[str] = field(default_factory=list)

    def read(self, words: Sequence[str]) -> None:
        """Take all of them."""
        left = iter(words)
        for word in left:
            if word == "--":
                self.words.append(word)
                for positional in left:
                    self.words.extend(self._values(positional))
                return
            if word == "-q":
                self.is_quiet = True
            elif word == "--into" or word.startswith("--into="):
                self.into = _variable(word.partition("=")[2] or next(left, ""))
            elif word in self.options.with_value:
                self._option(word, next(left, None))
            elif word.startswith("-"):
                self.words.append(self._one(word))
            else:
                self._positional(word)

    def _option(self, option: str, value: str | None) -> None:
        if value is None:
            self.words.append(option)  # click says what is missing
            return
        values = self._values(value)
        if len(values) > 1 and option not in self.options.repeatable:
            raise UsageError(
                f"{option} takes one value, and {value} has {len(values)}",
                hint=f"give one of them: {value[:-1]}[0]}}",
            )
        for text in values:
            self.words.extend((option, text))

    def _positional(self, word: str) -> None:
        values = self._values(word)
        if values != [word] and any(text.startswith("-") for text in values):
            raise UsageError(
                f"the value of {word} begins with '-' and would be taken for an option",
                hint="put -- before the arguments",
            )
        self.words.extend(values)

    def _one(self, word: str) -> str:
        values = self._values(word)
        if len(values) > 1:
            raise UsageError(f"{word} has {len(values)} values where one fits")
        return values[0]

    def _values(self, word: str) -> list[str]:
        """What a word stands for: several words for a list that stands alone."""
        alone = _PIECE.fullmatch(word)
        if alone is not None and alone["path"] is not None:
            return list(_texts(*_look_up(alone["path"], self.namespace)))
        return [_PIECE.sub(self._embedded, word)]

    def _embedded(self, piece: re.Match[str]) -> str:
        text = piece[0]
        if text in {"{{", "}}"}:
            return text[0]
        if text in {"{", "}"}:
            raise UsageError(f"a {text!r} stands alone", hint=f"write {text * 2} for a literal one")
        if piece["path"] is None:
            return text  # a job id in braces
        return _text(*_look_up(piece["path"], self.namespace))


def _variable(name: str) -> str:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(
            f"--into needs the name of a variable, not {name!r}", hint="for example: --into jobs"
        )
    return name


def _look_up(path: str, namespace: Mapping[str, Any]) -> tuple[Any, str, str]:
    """The value of `name.attribute[key]:format`, its path, and its format."""
    parts = _PATH.fullmatch(path)
    if parts is None:
        raise UsageError(
            f"{{{path}}} names no variable",
            hint=f"{{name}}, {{name.attribute}} or {{name[0]}}; write {{{{{path}}}}} for a literal",
        )
    name = parts["name"]
    if name not in namespace:
        raise UsageError(
            f"name {name!r} is not defined",
            hint=f"define it, or write {{{{{path}}}}} for a literal",
        )
    value = namespace[name]
    for attribute, key in _STEP.findall(parts["steps"]):
        try:
            value = getattr(value, attribute) if attribute else value[_key(key)]
        except (AttributeError, LookupError, TypeError) as error:
            what = f"attribute {attribute!r}" if attribute else f"item [{key}]"
            raise UsageError(
                f"{{{path}}}: there is no {what}", hint=f"look at {name} first"
            ) from error
    return value, path, parts["spec"] or ""


def _key(text: str) -> str | int:
    """A number is an index, as `str.format` has it; the tokenizer took the quotes of a text."""
    return int(text) if re.fullmatch(r"-?\d+", text) else text.strip("'\"")


def _texts(value: Any, path: str, spec: str) -> Iterator[str]:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        yield _text(value, path, spec)
        return
    if not value:
        raise UsageError(f"{{{path}}} is empty", hint="nothing would be left of it in the command")
    for item in value:
        yield _text(item, path, spec)


def _text(value: Any, path: str, spec: str) -> str:
    """One value as one argument: jobs by id, hosts by name."""
    match value:
        case Job():
            value = value.id
        case JobDetail():
            value = value.job.id
        case HostStatus():
            value = value.name
        case enum.Enum():
            value = value.name.lower().replace("_", "-")
        case os.PathLike():
            value = os.fspath(value)
        case _:
            pass
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(
            f"{{{path}}} is a {type(value).__name__}, which is no argument",
            hint="texts, numbers, paths, jobs, hosts, and lists of them are",
        )
    try:
        return format(value, spec)
    except ValueError as error:
        raise UsageError(f"{{{path}}}: {error}", hint="leave out what follows the colon") from error
