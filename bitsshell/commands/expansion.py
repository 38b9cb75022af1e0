"""Aliases and saved commands of the configuration, turned into the words that they stand for.

An alias stands for the beginning of a line; what follows it is added. A saved command has places
for arguments, `<url>` or `<name=nightly>`; they are filled in order, and what is left over is
added. A verb of ours is never replaced. Values go in after the line was cut, so that no value can
become anything but a part of its word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bitsshell.commands.tokens import cut, tokenize
from bitsshell.errors import BitsShellError, UsageError, shown

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from bitsshell.config import Config

PLACE = re.compile(r"<([A-Za-z][A-Za-z0-9_-]*)(?:=([^<>]*))?>")
"""A place for an argument in a saved command."""


def expanded(words: Sequence[str], config: Config, verbs: Container[str]) -> list[str]:
    """The words with what the configuration says in place of the first one.

    Raises:
        UsageError: an argument is missing, an alias leads back to itself, or its line is none.
    """
    found = list(words)
    seen: list[str] = []
    while found and found[0] not in verbs:
        name, *rest = found
        if name in seen:
            raise UsageError(
                f"{shown(name)} leads back to itself: {' > '.join([*seen, name])}",
                hint="change it in the configuration: config path",
            )
        if name in config.commands:
            found = _filled(name, config.commands[name].line, rest)
        elif name in config.aliases:
            found = [*_cut(name, config.aliases[name]), *rest]
        else:
            break
        seen.append(name)
    return found


def own_help(config: Config, verbs: Container[str]) -> dict[str, tuple[str, str]]:
    """How each alias and saved command is typed, and what it does or stands for, by name."""
    found = {name: (name, f"alias of: {line}") for name, line in config.aliases.items()}
    for name, command in config.commands.items():
        found[name] = (usage_of(name, config), command.help or f"runs: {command.line}")
    return {name: help_text for name, help_text in found.items() if name not in verbs}


def usage_of(name: str, config: Config) -> str:
    """How a saved command is typed: `fetch URL [NAME]`; whatever its line is, it has a usage."""
    places = _places(cut(config.commands[name].line).values)
    words = [p.upper() if default is None else f"[{p.upper()}]" for p, default in places.items()]
    return " ".join([name, *words])


def _filled(name: str, line: str, given: Sequence[str]) -> list[str]:
    words = _cut(name, line)
    places = _places(words)
    is_option = next((i for i, word in enumerate(given) if word.startswith("-")), len(given))
    values = dict(zip(places, given[:is_option], strict=False))
    missing = [p for p, default in places.items() if default is None and p not in values]
    if missing:
        shape = " ".join(p.upper() if d is None else f"[{p.upper()}]" for p, d in places.items())
        raise UsageError(f"{missing[0].upper()} is missing", hint=f"{name} {shape}")
    filled = [
        PLACE.sub(lambda place: values.get(place[1], places[place[1]] or ""), word)
        for word in words
    ]
    return [*filled, *given[len(values) :]]


def _places(words: Sequence[str]) -> dict[str, str | None]:
    """The places of a line in their order, with what stands there when nothing is given."""
    found: dict[str, str | None] = {}
    for word in words:
        for place in PLACE.finditer(word):
            found[place[1]] = found.get(place[1]) or place[2]
    return found


def _cut(name: str, line: str) -> list[str]:
    try:
        return tokenize(line)
    except BitsShellError as error:
        raise UsageError(f"{shown(name)} in the configuration: {error.what()}") from error
