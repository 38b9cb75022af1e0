"""Progress bars from block characters, with an ASCII form for poor terminals."""

from __future__ import annotations

import math

_EIGHTHS = " ▏▎▍▌▋▊▉"
_FULL, _EMPTY, _INDETERMINATE = "█", "░", "┄"

GLYPHS = _EIGHTHS + _FULL + _EMPTY + _INDETERMINATE + "…→"
"""Every character of our own that is not ASCII: a stream that can encode these gets blocks."""


def progress_bar(fraction: float | None, width: int, *, blocks: bool = True) -> str:
    """A bar of exactly `width` cells; full only at 1.0; another pattern while unknown."""
    if width <= 0:
        return ""
    if not blocks:
        return _ascii_bar(fraction, width)
    if fraction is None or math.isnan(fraction):
        return _INDETERMINATE * width
    eighths = math.floor(min(1.0, max(0.0, fraction)) * width * 8)
    whole, rest = divmod(eighths, 8)
    bar = _FULL * whole + (_EIGHTHS[rest] if rest else "")
    return bar + _EMPTY * (width - len(bar))


def _ascii_bar(fraction: float | None, width: int) -> str:
    if width < 3:
        return "#" * width if fraction == 1.0 else "-" * width
    inner = width - 2
    if fraction is None or math.isnan(fraction):
        return f"[{'.' * inner}]"
    full = math.floor(min(1.0, max(0.0, fraction)) * inner)
    return f"[{'#' * full}{'-' * (inner - full)}]"
