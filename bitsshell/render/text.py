r"""Text for people: what a host says made harmless, measured and clipped.

A host chooses the names, paths and error texts of its jobs, so they may hold terminal escapes, bidi
overrides, invisible characters or ten thousand combining marks. `neutral` turns all of that into
visible escapes such as `\x1b` and `\u202e`: what is neutral has a width and moves no cursor.
Machine formats do not go through here: they carry the text unchanged.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Literal

from bitsshell.folding import folded, natural

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN = "?"
"""Shown where there is a value that nobody knows (yet), such as the size of a file."""

NOTHING = "-"
"""Shown where there is no value, such as the end of a job that still runs."""

_LEAST_WRAP = 16
"""Narrower than this a sentence is no longer read."""
ELLIPSIS = "…"

_MAX_MARKS = 4
"""How many combining marks one letter may carry: enough for living scripts, not for a pile."""

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What `str.isprintable` lets pass though nothing is seen: fillers, variation selectors."""

_MAX_RANGE_CELLS = 60
"""How long one range may be; with many gaps it would fill lines."""

_JAMO = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff]")
"""Letters that take no cell of their own, like marks."""

_SHORT_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def neutral(text: str) -> str:
    """The text with everything that is invisible or acts on a terminal as a visible escape.

    Escaped are control characters (C0, C1, line breaks, tabs), format characters (bidi, zero
    width), blanks other than the space, unassigned and private characters, lone surrogates,
    variation selectors, fillers, marks without a letter, and marks beyond the fourth on one letter.
    Backslashes stay single, because Windows paths are full of them.
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = _MAX_MARKS  # a mark in front has no letter to stand on
    for character in text:
        if not character.isprintable() or _UNSEEN.match(character):
            shown.append(_escape(character))
            marks = _MAX_MARKS
        elif unicodedata.category(character)[0] == "M" or _JAMO.match(character):
            marks += 1
            shown.append(character if marks <= _MAX_MARKS else _escape(character))
        else:
            shown.append(character)
            marks = _MAX_MARKS if character == " " else 0
    return "".join(shown)


def prose(text: str) -> str:
    """A sentence on one line: breaks and tabs become blanks, the rest is as `neutral` makes it.

    For messages, where Windows ends lines as it likes; never for names, where a break matters.
    """
    return neutral(re.sub(r"[ \t\r\n]+", " ", text).strip())


def text_lines(text: str) -> list[str]:
    """The lines of a text of several, each neutral."""
    return [neutral(line) for line in text.splitlines()]


def _escape(character: str) -> str:
    short = _SHORT_ESCAPES.get(character)
    if short is not None:
        return short
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@cache
def _measure() -> Callable[[str], int]:
    from wcwidth import wcswidth  # deferred: machine formats and --version never measure

    return wcswidth


def display_width(text: str) -> int:
    """How many terminal cells a neutral text takes."""
    if text.isascii():
        return len(text)
    return max(0, _measure()(text))


def clip(text: str, width: int, *, ellipsis: str = ELLIPSIS) -> str:
    """The neutral text in at most `width` cells, its end replaced by an ellipsis if need be."""
    if display_width(text) <= width:
        return text
    room = width - len(ellipsis)
    if room < 0:
        return ellipsis[: max(0, width)]
    return _head(text, room) + ellipsis


def clip_middle(text: str, width: int, *, ellipsis: str = ELLIPSIS) -> str:
    """The same with the middle cut out: both ends of a path or URL say more than its middle."""
    if display_width(text) <= width:
        return text
    room = width - len(ellipsis)
    if room < 0:
        return ellipsis[: max(0, width)]
    front = _head(text, room // 3)
    return front + ellipsis + _tail(text, room - display_width(front))


def _head(text: str, width: int) -> str:
    # No cell holds more than a letter and its marks, so a longer piece never fits.
    piece = text[: width * (_MAX_MARKS + 1)]
    while display_width(piece) > width:
        excess = display_width(piece) - width
        piece = piece[: len(piece) - max(1, excess // 2)]
    return piece


def _tail(text: str, width: int) -> str:
    piece = text[max(0, len(text) - width * (_MAX_MARKS + 1)) :] if width else ""
    while display_width(piece) > width:
        excess = display_width(piece) - width
        piece = piece[max(1, excess // 2) :]
    while piece and (unicodedata.category(piece[0])[0] == "M" or _JAMO.match(piece[0])):
        piece = piece[1:]
    return piece


def wrapped(line: str, width: int, hang: str) -> list[str]:
    """A long line as several, broken between words; those that follow begin with `hang`."""
    return textwrap.wrap(
        line,
        max(width, _LEAST_WRAP),
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def broken(text: str, width: int) -> list[str]:
    """A neutral text in lines of at most `width` cells, and all of it: what must not be clipped.

    It is broken between words, and inside of one that is wider than a line.
    """
    lines = [""]
    for number, word in enumerate(text.split(" ")):
        longer = f"{lines[-1]} {word}" if number else word
        if display_width(longer) <= width:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        while display_width(word) > width:
            lines[-1] = _head(word, width) or word[:1]
            word = word[len(lines[-1]) :]
            lines.append("")
        lines[-1] = word
    return lines


def pad(text: str, width: int, align: Literal["left", "right"] = "left") -> str:
    """Fill up to `width` cells with blanks; a wider text stays as it is."""
    blanks = " " * (width - display_width(text))
    return blanks + text if align == "right" else text + blanks


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """`1 job`, `2 jobs`, `10,000 jobs`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def folded_names(names: tuple[str, ...] | list[str], *, shown: int = 3) -> str:
    """Names of hosts in order: a few as they are, many as ranges and counted: `srv[01-18] (18)`.

    Of many that make no ranges the first are named: `ada, bob, eve, … (18)`.
    """
    names = sorted(names, key=natural)
    if len(names) <= shown:
        return ", ".join(neutral(name) for name in names)
    words = [clip_middle(neutral(word), _MAX_RANGE_CELLS) for word in folded(names)]
    more = f", {ELLIPSIS}" if len(words) > shown else ""
    return f"{', '.join(words[:shown])}{more} ({len(names):,})"
