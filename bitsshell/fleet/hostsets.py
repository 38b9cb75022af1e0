"""Sets of hosts as a person types them: ranges, groups, and what is taken away again.

`web[01-40]`, `@web`, `@web!web13`, `@web&@rack2`, `@a^@b`, commas between them; read from left to
right. Ranges are ClusterShell's (`web[1-9/2]`, `r[1-2]n[01-08]`). This is the adapter to it, and
closes what would be traps here: its files of groups are never read, no command is ever called, an
unknown group is an error, upper and lower case are one, and no set is silently empty.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any

from bitsshell.errors import UsageError, shown
from bitsshell.fleet.targets import BadHost, parse_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MAX_UNASKED = 1_000
"""More hosts than these in the ranges of one command are more likely a slip than meant."""

MAX_HOSTS = 1_000_000
"""What one range may stand for at most; a slip in it must not fill the memory."""

_OPERATORS = ",!&^"
_PART = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9})(?:/([1-9][0-9]{0,8}))?)?")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_RANGE_FORMS = "a range is [1-40], [01-40], [1-9/2] or [1,3,7-9]"


class UnknownGroup(UsageError):
    """A group was named that the configuration does not have."""

    def __init__(self, name: str, groups: Sequence[str]) -> None:
        near = difflib.get_close_matches(name, groups, n=2, cutoff=0.6)
        if near:
            hint = f"did you mean {' or '.join('@' + group for group in near)}?"
        elif groups:
            hint = "there are " + ", ".join("@" + group for group in sorted(groups)[:10])
        else:
            hint = "groups stand in the configuration: config path, config init"
        super().__init__(f"there is no group {shown('@' + name)}", hint=hint)


class GroupLoop(UsageError):
    """A group holds itself."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"a group holds itself: {' > '.join('@' + name for name in names)}",
            hint="take one of them out, in the configuration: config path",
        )


class EmptySet(UsageError):
    """What was typed means no host at all."""

    def __init__(self, typed: str) -> None:
        super().__init__(
            f"{shown(typed)} is no host at all", hint="see what each part means: hosts -H PART"
        )


class TooManyHosts(UsageError):
    """Ranges stand for so many hosts that it looks like a slip."""

    size: int

    def __init__(self, typed: str, size: int) -> None:
        many = f"{shown(typed)} makes {size:,} hosts; "
        if size > MAX_HOSTS:
            super().__init__(f"{many}at most {MAX_HOSTS:,} are taken", hint="narrow the range")
        else:
            hint = "narrow the range; if all of them are meant, add --yes behind the verb"
            super().__init__(f"{many}more than {MAX_UNASKED:,} are not taken unasked", hint=hint)
        self.size = size


@dataclass(slots=True)
class HostSets:
    """Works out what is typed.

    Args:
        groups: the members of each group, by name in lower case; each member may be typed text.
        key: what two names of the same host have in common; asked only where sets are compared.
    """

    groups: Mapping[str, Sequence[str]]
    key: Callable[[str], str] = str.casefold

    def expand(self, texts: Sequence[str], *, many: bool = False) -> tuple[str, ...]:
        """The names of hosts in typed texts, in order, each once.

        `many` lets ranges of more than `MAX_UNASKED` hosts pass.

        Raises:
            BadHost: something empty, a blank, or a range that is none.
            UnknownGroup, GroupLoop, EmptySet, TooManyHosts: see there.
        """
        if not many:
            self._check_size(texts)
        names = self._all(texts, ())
        if not names:
            raise EmptySet(",".join(texts))
        return tuple(names.values())

    def members(self, group: str) -> tuple[str, ...]:
        """The names of hosts in a group, groups in it included. Raises as `expand` does."""
        return self.expand((f"@{group}",), many=True)

    def _check_size(self, texts: Sequence[str]) -> None:
        size = sum(
            _size(term) for text in texts for sign, term in _terms(text) if sign not in {"!", "&"}
        )
        if size > MAX_UNASKED:
            raise TooManyHosts(",".join(texts), size)

    def _all(self, texts: Sequence[str], inside: tuple[str, ...]) -> dict[str, str]:
        """Names by their form in lower case; `inside` are the groups that are being worked out."""
        found: dict[str, str] = {}
        is_first = True
        for text in texts:
            for sign, term in _terms(text):
                if is_first and sign != ",":
                    raise BadHost(text, f"there is nothing before {sign}")
                is_first = False
                found = self._combined(found, sign, self._term(term, inside))
        return found

    def _combined(self, left: dict[str, str], sign: str, right: dict[str, str]) -> dict[str, str]:
        if sign == ",":
            return {**left, **_new(left, right)}
        ours = {name: self.key(typed) for name, typed in left.items()}
        theirs = {name: self.key(typed) for name, typed in right.items()}
        common = set(ours.values()) & set(theirs.values())
        is_kept = sign == "&"
        kept = {n: typed for n, typed in left.items() if (ours[n] in common) is is_kept}
        if sign == "^":
            kept |= {name: typed for name, typed in right.items() if theirs[name] not in common}
        return kept

    def _term(self, term: str, inside: tuple[str, ...]) -> dict[str, str]:
        if not term.startswith("@"):
            return {name.lower(): name for name in names_in(term)}
        found: dict[str, str] = {}
        for group in names_in(term[1:].lower()):
            if group not in self.groups:
                raise UnknownGroup(group, list(self.groups))
            if group in inside:
                raise GroupLoop((*inside[inside.index(group) :], group))
            members = self._all(self.groups[group], (*inside, group))
            if not members:
                raise EmptySet(f"@{group}")
            found |= _new(found, members)
        return found


def _new(known: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    return {name: typed for name, typed in more.items() if name not in known}


def names_in(term: str) -> list[str]:
    """The names that a term with or without ranges stands for. Raises `BadHost`, `TooManyHosts`."""
    size = _size(term)
    if size > MAX_HOSTS:
        raise TooManyHosts(term, size)
    if not _is_range(term):
        return [term]
    make, problem = _library()
    try:
        return list(make(term))
    except problem as error:
        raise BadHost(term, str(error).rpartition(' : "')[0] or str(error)) from error


def _is_range(term: str) -> bool:
    return any(":" not in inner for inner in _BRACKETS.findall(term))


def _size(term: str) -> int:
    """How many names a term stands for; a group counts as one. Raises `BadHost`."""
    sizes = [_range_size(term, inner) for inner in _BRACKETS.findall(term) if ":" not in inner]
    return prod(sizes)


def _range_size(term: str, inner: str) -> int:
    """How many numbers stand in brackets, counted without making them."""
    size = 0
    for part in inner.split(","):
        found = _PART.fullmatch(part)
        if found is None:
            raise BadHost(term, f"[{inner}] is no range; {_RANGE_FORMS}")
        first, last, step = found.groups()
        if last is None:
            size += 1
            continue
        if len(first) != len(last) and (first.startswith("0") or last.startswith("0")):
            raise BadHost(term, f"[{inner}]: with leading zeros both ends have one length")
        if int(last) < int(first):
            raise BadHost(term, f"[{inner}] ends before it begins")
        size += len(range(int(first), int(last) + 1, int(step or 1)))
    return size


def _terms(text: str) -> Iterator[tuple[str, str]]:
    """Cut a text into signs and terms. Raises `BadHost`."""
    if re.search(r"[^\s,!&^]\s*@", text):
        parse_target(text)  # raises, and hides what may be a password
    sign, start, is_inside = ",", 0, False
    for position, character in enumerate(text):
        if character in "[]":
            if is_inside is (character == "["):
                raise BadHost(text, f"a bracket is not in its place; {_RANGE_FORMS}")
            is_inside = character == "["
        elif character in _OPERATORS and not is_inside:
            if not (position == 0 and character != ","):
                yield sign, _term_of(text, text[start:position])
            sign, start = character, position + 1
    if is_inside:
        raise BadHost(text, f"a bracket is never closed; {_RANGE_FORMS}")
    yield sign, _term_of(text, text[start:])


def _term_of(text: str, part: str) -> str:
    term = part.strip()
    if not term or term == "@":
        raise BadHost(text, "it is empty" if not text.strip(" ,@") else "a name is missing in it")
    if any(character.isspace() for character in term):
        raise BadHost(text, "blanks do not belong there; put commas between hosts")
    return term


@cache
def _library() -> tuple[Callable[[str], Any], type[Exception]]:
    """ClusterShell's constructor of a set, and its error; imported when a range is typed.

    With the resolver of no groups it reads none of its files of groups and calls no command.
    """
    from ClusterShell.NodeSet import RESOLVER_NOGROUP, NodeSet, NodeSetException

    def make(term: str) -> Any:
        return NodeSet(term, resolver=RESOLVER_NOGROUP)

    return make, NodeSetException
