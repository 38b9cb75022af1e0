"""Numbers as clients write them: ASCII digits, and no more of them than a uint64 has.

`str.isdigit` takes digits of every script, some of which `int` refuses, and `int` refuses very
long ones: what comes from outside goes through here.
"""

from __future__ import annotations

_MAX_DIGITS = 20
"""Of 2**64 - 1."""


def unsigned(text: str) -> int | None:
    """The number that the text is; None if it is none, or one beyond every type of CIM."""
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= _MAX_DIGITS else None
