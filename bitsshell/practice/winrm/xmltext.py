"""Writing XML the way Windows lays it out: prefixes and declarations exactly where they are put."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SPECIAL = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
_SPECIAL_IN_ATTRIBUTE = _SPECIAL | {'"': "&quot;", "\n": "&#xA;", "\t": "&#x9;"}
_UNUSUAL = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_UNUSUAL_IN_ATTRIBUTE = re.compile(
    '[&<>"\r\n\t\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]'
)


def escape(text: str) -> str:
    """Element content; characters that XML cannot carry become `?` ([MS-WSMV] 3.1.4.1.25)."""
    return _UNUSUAL.sub(lambda match: _SPECIAL.get(match[0], "?"), text)


def escape_attribute(text: str) -> str:
    """The same inside of an attribute's quotes."""
    return _UNUSUAL_IN_ATTRIBUTE.sub(lambda m: _SPECIAL_IN_ATTRIBUTE.get(m[0], "?"), text)


def element(
    tag: str, content: str | Iterable[str] = "", attributes: Mapping[str, str] | None = None
) -> str:
    """One element with ready-made content; empty ones are written as a pair of tags."""
    inner = content if isinstance(content, str) else "".join(content)
    return f"<{tag}{_written(attributes)}>{inner}</{tag}>"


def empty(tag: str, attributes: Mapping[str, str] | None = None) -> str:
    """An element without content, in the short form."""
    return f"<{tag}{_written(attributes)}/>"


def text_element(tag: str, text: str, attributes: Mapping[str, str] | None = None) -> str:
    """One element around text."""
    return element(tag, escape(text), attributes)


def _written(attributes: Mapping[str, str] | None) -> str:
    if not attributes:
        return ""
    return "".join(f' {name}="{escape_attribute(value)}"' for name, value in attributes.items())
