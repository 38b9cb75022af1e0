"""What each word of a canonical command is: a host, a job, a URL, a path, a name, or no more."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bitsshell.commands import VERBS
from bitsshell.commands.types import Host, Job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Role(enum.Enum):
    """What a word stands for."""

    FLAG = enum.auto()
    """An option without a value, or a word that is taken as it stands."""
    OTHER = enum.auto()
    HOST = enum.auto()
    JOB = enum.auto()
    URL = enum.auto()
    PATH = enum.auto()
    NAME = enum.auto()


@dataclass(frozen=True, slots=True)
class Part:
    """One argument, or one option with its value."""

    text: str
    role: Role
    option: str = ""


def parts_of(words: Sequence[str]) -> tuple[Part, ...]:
    """The parts of a command, without its verb. Words of an unknown verb are just words."""
    verb, *rest = words
    command = VERBS.get(verb)
    options = {
        name: param
        for param in (command.params if command else ())
        if isinstance(param, click.Option) and not param.is_flag
        for name in param.opts
    }
    parts: list[Part] = []
    places: list[int] = []
    left = iter(rest)
    for word in left:
        option, equals, value = word.partition("=")
        if word == "--":
            parts.append(Part(word, Role.FLAG))
            for argument in left:
                places.append(len(parts))
                parts.append(Part(argument, Role.OTHER))
        elif word in options:
            parts.append(Part(next(left, ""), _role(options[word]), word))
        elif equals and option in options:
            parts.append(Part(value, _role(options[option]), option))
        elif word.startswith("-") and len(word) > 1:
            parts.append(Part(word, Role.FLAG))
        else:
            places.append(len(parts))
            parts.append(Part(word, Role.OTHER))
    for place, role in zip(places, _argument_roles(command, len(places)), strict=False):
        parts[place] = Part(parts[place].text, role)
    return tuple(parts)


def _argument_roles(command: click.Command | None, count: int) -> Iterator[Role]:
    """The roles of so many arguments, in order."""
    arguments = [p for p in (command.params if command else ()) if isinstance(p, click.Argument)]
    for number, argument in enumerate(arguments):
        rest = sum(max(later.nargs, 0) for later in arguments[number + 1 :])
        takes = max(0, count - rest) if argument.nargs < 0 else argument.nargs
        count -= takes
        for place in range(takes):
            if argument.name == "pairs":
                yield Role.PATH if place % 2 else Role.URL
            else:
                yield _role(argument)


def _role(param: click.Parameter) -> Role:
    if isinstance(param.type, Host):
        return Role.HOST
    if isinstance(param.type, Job):
        return Role.JOB
    is_name = isinstance(param, click.Option) and param.name == "name"
    return Role.NAME if is_name else Role.OTHER
