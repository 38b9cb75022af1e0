"""What is wrong with aliases and saved commands: found when the configuration is read.

A mistake in them is one of the file, with its line, so that nothing runs that was meant otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bitsshell.commands.declare import VERBS
from bitsshell.commands.expansion import PLACE
from bitsshell.commands.first_words import NO_VERBS
from bitsshell.commands.redirect import split_redirect
from bitsshell.config import mistake_in
from bitsshell.errors import UsageError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bitsshell.config import Config

_LIKE_PLACE = re.compile(r"<[A-Za-z][\w .-]*(?:=[^<>]*)?>")
_OF_WHERE = re.compile(r"\b(?:and|or|not)\b", re.IGNORECASE)


def checked(config: Config) -> Config:
    """The configuration, if each of its aliases and saved commands can be run.

    Raises `ConfigError` at the first that cannot.
    """
    words: dict[str, str] = {}
    for table, name, line in _entries(config):
        try:
            _check_name(name)
            words[name] = _first_word(line)
        except UsageError as error:
            raise mistake_in(config, (table, name), error.what(), error.hint) from error
    for table, name, _ in _entries(config):
        try:
            _check_end(name, words)
        except UsageError as error:
            raise mistake_in(config, (table, name), error.what(), error.hint) from error
    return config


def _entries(config: Config) -> Iterator[tuple[str, str, str]]:
    """Table, name and line; of an alias and a saved command of one name the latter counts."""
    yield from (("aliases", name, line) for name, line in config.aliases.items())
    yield from (("commands", name, command.line) for name, command in config.commands.items())


def _check_name(name: str) -> None:
    if name in VERBS or name in NO_VERBS:
        raise UsageError(
            f"{shown(name)} is a verb's name and would never be used", hint="give it another name"
        )


def _first_word(line: str) -> str:
    """What the line runs. Raises UsageError where it is no line."""
    words, redirect = split_redirect(line)
    if redirect is not None:
        raise UsageError(
            f"{redirect.into} cannot stand in it",
            hint="type it behind the command, where it is run",
        )
    if not words or not words[0]:
        raise UsageError("there is no command in it", hint="a line as it is typed in the shell")
    for word in words:
        for found in _LIKE_PLACE.findall(word):
            # In a comparison `a <b and c> d` two signs only look like brackets.
            if not PLACE.fullmatch(found) and not _OF_WHERE.search(found):
                raise UsageError(
                    f"{shown(found)} is no place for an argument",
                    hint="letters, digits, - and _: <url>, <name=nightly>",
                )
    return words[0]


def _check_end(name: str, words: dict[str, str]) -> None:
    """Raise UsageError where what it stands for ends at no verb."""
    seen = [name]
    while (word := words[seen[-1]]) not in VERBS and word != "help":
        if word not in words:
            raise UsageError(
                f"{shown(name)} runs {shown(word)}, which is no verb", hint="see them all: help"
            )
        if word in seen:
            raise UsageError(
                f"{shown(name)} leads back to itself: {' > '.join([*seen, word])}",
                hint="let one of them run a verb",
            )
        seen.append(word)
