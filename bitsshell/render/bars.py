"""Progress bars and sparklines from block characters, with an ASCII form for poor terminals.

For notebooks a sparkline is an image in a data URI: an untrusted one keeps nothing else of it.
"""

from __future__ import annotations

import base64
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


_POINTS = 120
_IMAGE_WIDTH, _IMAGE_HEIGHT = 240, 28
_INK = "#1976d2"


def sparkline_image(values: Sequence[float | None]) -> str:
    """The values as a line with the area below it, in an SVG as a `data:` URI for `<img src>`.

    From 0 to the greatest; many values are thinned out, unknown ones leave a gap.
    """
    known = [value if value is not None and math.isfinite(value) else None for value in values]
    shown = thinned(known, _POINTS)
    top = max((value for value in shown if value is not None), default=0.0) or 1.0
    step = _IMAGE_WIDTH / max(1, len(shown) - 1)
    pieces: list[list[str]] = [[]]
    for number, value in enumerate(shown):
        if value is None:
            pieces.append([])
        else:
            height = 1 + (_IMAGE_HEIGHT - 2) * (1 - max(0.0, value) / top)
            pieces[-1].append(f"{number * step:.1f},{height:.1f}")
    drawn = "".join(_stroke(piece) for piece in pieces if piece)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_IMAGE_WIDTH}" height="{_IMAGE_HEIGHT}">'
        f"{drawn}</svg>"
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def thinned(values: Sequence[float | None], most: int) -> list[float | None]:
    """At most so many values: the greatest of each group that stands for several."""
    if len(values) <= most:
        return list(values)
    size = math.ceil(len(values) / most)
    groups = [values[start : start + size] for start in range(0, len(values), size)]
    return [max((v for v in group if v is not None), default=None) for group in groups]


def _stroke(points: Sequence[str]) -> str:
    first, last = points[0].split(",")[0], points[-1].split(",")[0]
    area = f"{first},{_IMAGE_HEIGHT} {' '.join(points)} {last},{_IMAGE_HEIGHT}"
    return (
        f'<polygon points="{area}" fill="{_INK}" fill-opacity="0.2"/>'
        f'<polyline points="{" ".join(points)}" fill="none" stroke="{_INK}" stroke-width="1.5"/>'
    )
