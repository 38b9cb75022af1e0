"""Many names of hosts as few words: `srv[01-18],db1`. What is folded can be typed again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_ADDRESS = re.compile(r"([0-9]+\.[0-9]+\.[0-9]+\.)([0-9]+)((?::[0-9]+)?)")
_NAME = re.compile(r"([^.:/\[\]]*?)([0-9]+)([^0-9.:/\[\]]*(?:[.:][^/\[\]]*)?)")


_DIGITS = re.compile(r"([0-9]+)")


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """What puts names into the order that a person expects: `web2` before `web10`."""
    parts = _DIGITS.split(name.lower())  # by turns what is no number, and a number
    numbers = [part.lstrip("0") if place % 2 else part for place, part in enumerate(parts)]
    return tuple((len(part) if place % 2 else 0, part) for place, part in enumerate(numbers))


def folded(names: Iterable[str]) -> tuple[str, ...]:
    """Names with runs of numbers as ranges, each at the place of the first that it stands for.

    The number that counts is the last one before the first dot or colon, of an address its last:
    `("web01", "db", "web02", "web04")` is `("web[01-02,04]", "db")`. Names that occur more than
    once count once.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for name in dict.fromkeys(names):
        found = _ADDRESS.fullmatch(name) or _NAME.fullmatch(name)
        if found is None:
            groups[name, ""] = []
        else:
            groups.setdefault((found[1], found[3]), []).append(found[2])
    return tuple(_word(before, numbers, after) for (before, after), numbers in groups.items())


def _word(before: str, numbers: list[str], after: str) -> str:
    if not numbers:
        return before
    if len(numbers) == 1:
        return f"{before}{numbers[0]}{after}"
    return f"{before}[{','.join(_runs(numbers))}]{after}"


def _runs(numbers: list[str]) -> list[str]:
    runs: list[tuple[str, str]] = []
    for number in sorted(numbers, key=lambda digits: (int(digits), len(digits))):
        if runs and _follows(*runs[-1], number):
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return [first if first == last else f"{first}-{last}" for first, last in runs]


def _follows(first: str, last: str, number: str) -> bool:
    """Whether a run may go on: with leading zeros, all of it has one length."""
    if first.startswith("0") and len(first) != len(number):
        return False
    return number == str(int(last) + 1).zfill(len(last))
