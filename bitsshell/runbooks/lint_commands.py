"""Whether a command of a notebook would be understood, told without running it."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from bitsshell.bits import Effect
from bitsshell.cell_forms import OWN, Body
from bitsshell.cell_forms import VERBS as CELL_FORMS
from bitsshell.commands import VERBS
from bitsshell.commands.declare import HelpWanted, VerbCommand
from bitsshell.commands.dispatch import UnknownVerb, usage_error
from bitsshell.commands.magicline import Name, Place, Slot, pieces
from bitsshell.commands.types import LocalFile
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.runbooks import checks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from bitsshell.runbooks.cells import MagicCall
    from bitsshell.runbooks.parameters import Value

_STAND_IN = "\ue000"
"""Stands in a word for what only a run can tell; no type looks at such a word."""

_REPLACING = {"--if-exists": "replace", "--on-error": "cancel", "--on-transient": "cancel"}

_HOST = {"--host", "-H"}
_ASKING_OTHERWISE = {"manage", "run"}
"""Verbs whose own changes are those of a policy, or of what they run."""


def joined(call: MagicCall, waiting: Iterable[str]) -> list[str]:
    """Which of these background watches a call waits for, or ends."""
    arguments = [slot.text for slot in call.slots if slot.place in {Place.ARGUMENT, Place.LAST}]
    if call.verb == "wait":
        return [task for task in waiting if not arguments or task in arguments]
    return [task for task in waiting if call.verb == "tasks" and task in arguments]


def problem_of(call: MagicCall, values: Mapping[str, Value]) -> BitsShellError | None:
    """Why a call would be refused; None when it would not.

    `values` are those that are known: what is in other names fits everywhere.
    """
    if call.problem is not None:
        return call.problem
    if not call.verb or call.verb in OWN or call.verb == "help":
        return None
    command = VERBS.get(call.verb)
    if command is None:
        return UnknownVerb(call.verb, [*VERBS, *OWN])
    try:
        words = list(_words(call, values))
        if call.verb == "wait" and not any(s.place is Place.ARGUMENT for s in call.slots):
            words.append(_STAND_IN)  # all that goes on in the background
        _lenient(command).make_context(call.verb, words, obj=None)
        if call.is_cell and call.verb == "check":
            checks.parse(call.body)
    except HelpWanted:
        return None
    except click.ClickException as error:
        return usage_error(error)
    except BitsShellError as error:
        return error
    return None


def is_destructive(call: MagicCall) -> bool:
    """Whether a command may destroy something, as far as its words tell."""
    words = call.words
    if {"--what-if", "--as"} & set(words):
        return False
    if call.verb in {"cancel", "complete"}:
        return True
    if call.verb == "unpublish" and "--all" in words:
        return True
    pairs = [*pairwise(words), *(tuple(w.split("=", 1)) for w in words)]
    return any((option, value) in pairs for option, value in _REPLACING.items())


def asks_for_several(call: MagicCall) -> bool:
    """Whether a command asks a person before it changes more than one job, and not before one.

    A `complete` does where all of them are finished.
    """
    words = set(call.words)
    if {"--yes", "-y", "--what-if", "--as"} & words or call.verb in _ASKING_OTHERWISE:
        return False
    if call.verb == "complete":
        return True
    command = VERBS.get(call.verb)
    return command is not None and command.effect is Effect.CHANGE and not is_destructive(call)


def is_for_lists(call: MagicCall, lists: AbstractSet[str]) -> bool | None:
    """Whether the hosts of a command are all of one of these lists; None where it names no hosts.

    One out of a list, as in `{hosts[0]}`, is not all of it.
    """
    named = [
        slot.text
        for slot in call.slots
        if slot.option in _HOST or (call.verb == "use" and slot.place is not Place.VALUE)
    ]
    if not named:
        return None
    return any(text == f"{{{name}}}" for text in named for name in lists)


def _words(call: MagicCall, values: Mapping[str, Value]) -> Iterator[str]:
    """The words that the verb would get, names replaced."""
    for slot in call.slots:
        yield from _filled(slot, values)
    if not call.is_cell or call.verb == "check":
        yield from (["*", "--that", _STAND_IN] if call.is_cell else [])
        return
    has_pairs = CELL_FORMS.get(call.verb) is Body.PAIRS
    for line in call.body.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        parts = bare.split("->", 1) if has_pairs else [bare]
        if has_pairs and len(parts) != 2:
            raise UsageError(f"the line {bare!r} is no file", hint="each line is: URL -> PATH")
        for part in parts:
            yield from _filled(Slot(part.strip().strip("'\""), Place.LAST), values)


def _filled(slot: Slot, values: Mapping[str, Value]) -> Iterator[str]:
    if slot.place is Place.AS_IS:
        yield slot.text
        return
    found = pieces(slot.text)
    texts: Sequence[str]
    if len(found) == 1 and isinstance(found[0], Name):
        texts = _texts(found[0], values)
    else:
        texts = ["".join(p if isinstance(p, str) else _one(p, values) for p in found)]
    if slot.place is Place.VALUE and len(texts) > 1 and not slot.is_repeatable:
        raise UsageError(
            f"{slot.option} takes one value, and {slot.text} has {len(texts)}",
            hint=f"give one of them: {slot.text[:-1]}[0]}}",
        )
    for text in texts:
        if slot.place is Place.VALUE:
            yield slot.option
        yield text


def _texts(name: Name, values: Mapping[str, Value]) -> Sequence[str]:
    value = values.get(name.variable)
    if name.steps or name.format or value is None:
        return [_STAND_IN]
    if isinstance(value, list):
        return value or [_STAND_IN]
    return [str(value)]


def _one(name: Name, values: Mapping[str, Value]) -> str:
    """The value of a name inside a longer word. Raises UsageError for a list."""
    if not name.steps and isinstance(values.get(name.variable), list):
        raise UsageError(
            f"{{{name.path}}} is a list, and stands inside a word",
            hint=f"let it stand alone, or take one of it: {{{name.path}[0]}}",
        )
    return _texts(name, values)[0]


class _Lenient(click.ParamType[Any]):
    """A type that lets pass what only a run can tell."""

    def __init__(self, inner: click.ParamType[Any]) -> None:
        self.inner = inner
        self.name = inner.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What the type makes of it. A file need not be on the machine that only checks."""
        if isinstance(self.inner, LocalFile) or _STAND_IN in str(value):
            return value
        return self.inner.convert(value, param, ctx)


def _lenient(command: VerbCommand) -> VerbCommand:
    found = copy.copy(command)
    found.params = []
    for param in command.params:
        lenient = copy.copy(param)
        lenient.type = _Lenient(param.type)
        found.params.append(lenient)
    return found
