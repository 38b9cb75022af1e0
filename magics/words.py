"""The words of a magic's line, with the values of Python variables put in.

IPython's own expansion is off: it would compute `{GUID}` as arithmetic and take `$` out of UNC
paths. Ours comes after the line was cut into tokens (`commands.magicline`), so that a value is one
argument whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bitsshell.api.arguments import argument
from bitsshell.commands.magicline import Name, Place, Slot, pieces, read_line
from bitsshell.errors import UsageError


@dataclass(frozen=True, slots=True)
class Words:
    """A line, ready for the dispatcher.

    `is_quiet` shows nothing, `into` names a variable, `background` a watch that goes on.
    """

    words: tuple[str, ...]
    is_quiet: bool = False
    into: str | None = None
    background: str | None = None


def read_words(line: str, namespace: Mapping[str, Any], *, verb: str | None = None) -> Words:
    """The words of a line as typed; the verb leads, whether it is in the line or given.

    Raises:
        UsageError: an open quote, an undefined name, a value that is no argument.
    """
    typed = read_line(line, verb)
    if not typed.verb:
        return Words(())
    words = [typed.verb]
    for slot in typed.slots:
        words.extend(_filled(slot, namespace))
    return Words(tuple(words), typed.is_quiet, typed.into, typed.background)


def _filled(slot: Slot, namespace: Mapping[str, Any]) -> list[str]:
    """The words that one word stands for: several for a list that stands alone."""
    if slot.place is Place.AS_IS:
        return [slot.text]
    word, values = slot.text, _values(slot.text, namespace)
    if slot.place is Place.VALUE:
        if len(values) > 1 and not slot.is_repeatable:
            raise UsageError(
                f"{slot.option} takes one value, and {word} has {len(values)}",
                hint=f"give one of them: {word[:-1]}[0]}}",
            )
        return [part for text in values for part in (slot.option, text)]
    if slot.place is Place.OPTION and len(values) > 1:
        raise UsageError(f"{word} has {len(values)} values where one fits")
    if slot.place is Place.ARGUMENT and values != [word] and any(t[:1] == "-" for t in values):
        raise UsageError(
            f"the value of {word} begins with '-' and would be taken for an option",
            hint="put -- before the arguments",
        )
    return values


def _values(word: str, namespace: Mapping[str, Any]) -> list[str]:
    found = pieces(word)
    if len(found) == 1 and isinstance(found[0], Name):
        return list(_texts(*_look_up(found[0], namespace)))
    texts = (p if isinstance(p, str) else _text(*_look_up(p, namespace)) for p in found)
    return ["".join(texts)]


def _look_up(name: Name, namespace: Mapping[str, Any]) -> tuple[Any, str, str]:
    """The value of `name.attribute[key]:format`, its path, and its format."""
    variable, path = name.variable, name.path
    if variable not in namespace:
        raise UsageError(
            f"name {variable!r} is not defined",
            hint=f"define it, or write {{{{{path}}}}} for a literal",
        )
    value = namespace[variable]
    for attribute, key in name.steps:
        try:
            value = getattr(value, attribute) if attribute else value[_key(key)]
        except (AttributeError, LookupError, TypeError) as error:
            what = f"attribute {attribute!r}" if attribute else f"item [{key}]"
            raise UsageError(
                f"{{{path}}}: there is no {what}", hint=f"look at {variable} first"
            ) from error
    return value, path, name.format


def _key(text: str) -> str | int:
    """A number is an index, as `str.format` has it; the tokenizer took the quotes of a text."""
    return int(text) if re.fullmatch(r"-?\d+", text) else text.strip("'\"")


def _texts(value: Any, path: str, spec: str) -> Iterator[str]:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        yield _text(value, path, spec)
        return
    if not value and getattr(value, "plan", None) is not None:
        raise UsageError(
            f"{{{path}}} was only planned", hint="a what-if makes no job that it could stand for"
        )
    if not value:
        raise UsageError(f"{{{path}}} is empty", hint="nothing would be left of it in the command")
    for item in value:
        yield _text(item, path, spec)


def _text(value: Any, path: str, spec: str) -> str:
    return argument(value, spec, place=f"{{{path}}}")
