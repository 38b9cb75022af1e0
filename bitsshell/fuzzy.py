"""Which words fit what was typed: those that begin with it, else those that have its letters.

Fuzzy candidates come only where nothing begins with what was typed, so that Tab stays predictable.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

LEAST_FUZZY = 2
"""One letter is in nearly every word."""


@lru_cache(maxsize=64)
def line_pattern(folded: str) -> re.Pattern[str]:
    """Matches every line of a text, each begun by a line break, that has these letters in order.

    Nothing is ever tried twice (the quantifiers are possessive), so that a search takes time in
    proportion to the text alone.
    """
    letters = "".join(f"[^\\n{re.escape(c)}]*+{re.escape(c)}" for c in folded if c != "\n")
    return re.compile(f"\\n{letters}[^\\n]*+")


@lru_cache(maxsize=64)
def _word_pattern(folded: str) -> re.Pattern[str]:
    return re.compile("".join(f"[^{re.escape(c)}]*+{re.escape(c)}" for c in folded))


def has_letters(folded: str, word: str) -> bool:
    """Whether the case-folded letters are in a word in this order. No letter fits nothing."""
    return bool(folded) and _word_pattern(folded).match(word.casefold()) is not None


def closeness(folded: str, word: str) -> tuple[int, int]:
    """How well a word fits that has the letters, the best first: as one piece, early, short."""
    place = word.casefold().find(folded)
    return (len(word) if place < 0 else place - 1000, len(word))


def fitting(typed: str, items: Iterable[T], word: Callable[[T], str]) -> list[T]:
    """The items whose word begins with what was typed, in their order; else the fuzzy ones."""
    folded = typed.casefold()
    every = list(items)
    begun = [item for item in every if word(item).casefold().startswith(folded)]
    if begun or len(folded) < LEAST_FUZZY:
        return begun
    near = [item for item in every if has_letters(folded, word(item))]
    return sorted(near, key=lambda item: closeness(folded, word(item)))
