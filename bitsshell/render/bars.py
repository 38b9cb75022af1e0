"""Progress bars and sparklines from block characters, with an ASCII form for poor terminals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉"
_FULL, _EMPTY, _INDETERMINATE = "█", "░", "┄"
_SPARKS = "▁▂▃▄▅▆▇█"
_ASCII_SPARKS = "_.-=+*#@"

GLYPHS = _EIGHTHS + _FULL + _EMPTY + _INDETERMINATE + _SPARKS + "…→"
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


def sparkline(values: Sequence[float | None], width: int, *, blocks: bool = True) -> str:
    """The last `width` values as one character each, from 0 to the greatest; blank for None."""
    if width <= 0:
        return ""
    recent = values[-width:]
    known = [value for value in recent if value is not None and math.isfinite(value)]
    top = max(known, default=0.0)
    scale = _SPARKS if blocks else _ASCII_SPARKS
    return "".join(_spark(value, top, scale) for value in recent)


def _spark(value: float | None, top: float, scale: str) -> str:
    if value is None or not math.isfinite(value):
        return " "
    if top <= 0 or value <= 0:
        return scale[0]
    return scale[min(len(scale) - 1, math.ceil(value / top * len(scale)) - 1)]
