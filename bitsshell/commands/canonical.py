"""The canonical form of a command: what the journal keeps and a recorded notebook runs again.

Options by their long names in the order of their declaration, then the arguments; the targets
spelled out as `--host`, rows of a listing (`%3`) as the ids of their jobs, and what the
configuration added written down. The words mean the same when they are typed in another session.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from bitsshell.commands.declare import HELP_OPTIONS, TYPED_WORDS, Call, VerbCommand
from bitsshell.commands.types import Job
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.fleet.hostsets import MAX_UNASKED
from bitsshell.fleet.inventory import merge
from bitsshell.fleet.references import Kind, parse_reference
from bitsshell.folding import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bitsshell.fleet.targets import Target
    from bitsshell.session import Session

_TARGETS = {"host", "exclude"}
_FOLDS = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Canonical:
    """A command taken apart. `typed_targets` are `--host` and `--exclude` as they were typed."""

    verb: str
    options: tuple[str, ...]
    typed_targets: tuple[str, ...]
    arguments: tuple[str, ...]

    def words(self, hosts: Sequence[str] = ()) -> tuple[str, ...]:
        """The words, for these hosts; for those that were typed where none are given."""
        spelled = [word for host in hosts for word in ("--host", host)]
        targets = spelled or self.typed_targets
        return (self.verb, *targets, *self.options, *self.arguments)


def canonical(command: VerbCommand, context: click.Context) -> tuple[str, ...]:
    """The canonical words of a parsed command; of its targets, those that it has chosen by now."""
    call = context.obj
    hosts = host_words(call) if isinstance(call, Call) else ()
    return taken_apart(command, context).words(hosts)


def taken_apart(command: VerbCommand, context: click.Context) -> Canonical:
    """The parts of a parsed command, as the session stands now."""
    parser = command.make_parser(context)
    words: list[str] = list(context.meta.get(TYPED_WORDS, ()))
    given, _, order = parser.parse_args(words)
    session = context.obj.session if isinstance(context.obj, Call) else None
    options: list[str] = []
    targets: list[str] = []
    arguments: list[str] = []
    for param in command.params:
        if isinstance(param, click.Argument):
            if param in order:
                arguments += _arguments(param, given.get(param.name or ""), session)
        elif isinstance(param, click.Option) and param.opts[0] not in HELP_OPTIONS:
            into = targets if param.name in _TARGETS else options
            if param in order:
                into += _option(param, given.get(param.name or ""))
            elif context.get_parameter_source(param.name or "") is ParameterSource.DEFAULT_MAP:
                into += _option(param, (context.default_map or {}).get(param.name or ""))
    if any(word.startswith("-") for word in arguments):
        arguments.insert(0, "--")
    return Canonical(command.name or "", tuple(options), tuple(targets), tuple(arguments))


def host_words(call: Call) -> tuple[str, ...]:
    """The targets that a call has chosen, so that another session finds them; folded to ranges."""
    names = [_host_word(target, call) for target in call.chosen]
    if len(names) > MAX_UNASKED and not call.yes:
        return ()  # they could not be typed so
    plain = folded(name for name in names if _FOLDS.fullmatch(name))
    return (*plain, *(name for name in dict.fromkeys(names) if not _FOLDS.fullmatch(name)))


def _host_word(target: Target, call: Call) -> str:
    """The label where it is read as this host, else what the host was typed as."""
    session = call.session
    try:
        fresh = session.config.inventory.target(target.name, merge(session.logon, call.logon))
    except BitsShellError:
        return target.typed or target.name
    return target.name if fresh.url == target.url or not target.typed else target.typed


def _option(option: click.Option, value: Any) -> list[str]:
    long = max(option.opts, key=len)
    if option.is_flag:
        return [long if value or not option.secondary_opts else max(option.secondary_opts, key=len)]
    values = value if option.multiple else [value]
    return [word for one in values for word in _with_value(long, one)]


def _with_value(long: str, value: Any) -> list[str]:
    parts = [str(part) for part in value] if isinstance(value, tuple) else [str(value)]
    if len(parts) == 1 and parts[0].startswith("-"):
        return [f"{long}={parts[0]}"]
    return [long, *parts]


def _arguments(argument: click.Argument, value: Any, session: Session | None) -> Iterator[str]:
    texts = list(value) if isinstance(value, (tuple, list)) else [value]
    for text in texts:
        if not isinstance(text, str):  # one that was left out
            continue
        if isinstance(argument.type, Job) and argument.nargs == -1 and session is not None:
            yield from _spelled_rows(text, session.listing)
        else:
            yield text


def _spelled_rows(text: str, listing: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The ids of the jobs in rows of the last listing; anything else as it is."""
    if not text.startswith("%"):
        return (text,)
    try:
        reference = parse_reference(text)
    except UsageError:
        return (text,)
    if reference.kind is not Kind.ROWS or max(reference.rows, default=0) > len(listing):
        return (text,)
    return tuple(dict.fromkeys(_ids(reference.rows, listing)))


def _ids(rows: Iterable[int], listing: Sequence[tuple[str, str]]) -> Iterator[str]:
    return (listing[row - 1][1].strip("{}") for row in rows)
