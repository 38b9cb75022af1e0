"""Python values as the words of a command."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from bitsshell.bits import Explanation, Job, JobDetail
from bitsshell.commands import VERBS
from bitsshell.errors import UsageError
from bitsshell.results import HostStatus, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator


def argument(value: Any, spec: str = "", *, place: str = "") -> str:
    """One value as one argument: jobs by id, hosts by name, codes in hex.

    Args:
        value: what a variable holds.
        spec: as behind the colon of a format.
        place: where it stands, as it was typed, for the message of an error.

    Raises:
        UsageError: it is nothing that a command could take, or the format does not fit.
    """
    plain = _plain(value)
    if isinstance(value, Outcome) and plain is None:
        raise UsageError(
            f"{place or 'what failed'} has no job: it failed on {value.host}",
            hint="take the jobs that there are: .jobs",
        )
    if isinstance(plain, bool) or not isinstance(plain, str | int | float):
        kind = type(value).__name__
        raise UsageError(
            f"{place} is a {kind}, which is no argument" if place else f"a {kind} is no argument",
            hint="texts, numbers, paths, jobs, hosts, and lists of them are",
        )
    try:
        return format(plain, spec)
    except ValueError as error:
        said = f"{place}: {error}" if place else str(error)
        raise UsageError(said, hint="leave out what follows the colon") from error


def _plain(value: Any) -> Any:
    match value:
        case Job():
            return value.id
        case JobDetail():
            return value.job.id
        case Outcome():
            return value.job_id or next((job.id for job in value.jobs), None)
        case HostStatus():
            return value.name
        case Explanation():
            return value.hex
        case enum.Enum():
            return value.name.lower().replace("_", "-")
        case timedelta():
            return f"{value.total_seconds():f}".rstrip("0").rstrip(".") + "s"
        case os.PathLike():
            return os.fspath(value)
        case _:
            return value


def words_of(verb: str, arguments: Iterable[Any], options: Mapping[str, Any]) -> list[str]:
    """The words of a command: `on_error="cancel"` is `--on-error cancel`, True a bare option.

    None and False leave an option out. Lists are several arguments, several values of an option
    that may be repeated, and one with commas elsewhere. No value can become an option.
    """
    words = [verb]
    repeatable = _repeatable(verb)
    for name, value in options.items():
        option = f"--{name.strip('_').replace('_', '-')}"
        if value is None or value is False:
            continue
        if value is True:
            words.append(option)
            continue
        texts = [argument(one) for one in _several(value)]
        if option not in repeatable:
            texts = [",".join(texts)]
        words.extend(word for text in texts for word in (option, text))
    positional = [argument(one) for value in arguments for one in _several(value)]
    if any(text.startswith("-") for text in positional):
        words.append("--")
    return words + positional


def _several(value: Any) -> Iterator[Any]:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        yield value
    else:
        yield from value


def _repeatable(verb: str) -> frozenset[str]:
    command = VERBS.get(verb)
    return frozenset(
        name
        for param in (command.params if command else ())
        if isinstance(param, click.Option) and param.multiple
        for name in param.opts
    )
