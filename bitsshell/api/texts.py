"""How wide text is written, what of it is never shown, and which forms are asked for."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

from bitsshell.known_secrets import scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

TEXT_WIDTH = 80
"""Columns of the plain text that a notebook keeps."""

_IMAGE = re.compile(r"(data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+)")


def text_width() -> int:
    """Columns to write in: the terminal's, and elsewhere what a saved notebook should have."""
    if sys.stdout is not None and sys.stdout.isatty():
        return shutil.get_terminal_size((TEXT_WIDTH, 24)).columns
    return TEXT_WIDTH


def scrubbed_html(html: str) -> str:
    """HTML without known secrets. Images of our own are numbers only, and left alone."""
    pieces = _IMAGE.split(html)
    pieces[::2] = [scrub(piece) for piece in pieces[::2]]
    return "".join(pieces)


def bundle(
    makers: Mapping[str, Callable[[], Any]],
    include: Collection[str] | None,
    exclude: Collection[str] | None,
) -> dict[str, Any]:
    """What IPython asks an object for by `_repr_mimebundle_`: only the forms that it wants."""
    return {
        mime_type: make()
        for mime_type, make in makers.items()
        if (not include or mime_type in include) and mime_type not in (exclude or ())
    }
