"""A host's texts, made fit for one line of an error: they are untrusted and of any length."""

from __future__ import annotations

import html
import re


def clean(text: str, limit: int) -> str:
    """A host's text on one line: no control or direction characters, at most `limit` characters."""
    flat = " ".join(_UNPRINTABLE.sub(" ", text).split())
    return flat if len(flat) <= limit else flat[: limit - 3].rstrip() + "..."


def snippet_of(page: str, limit: int = 120) -> str:
    """The start of an HTML or text page as plain text on one line."""
    body = _INVISIBLE.sub(" ", page[:8_000])
    return clean(html.unescape(_TAG.sub(" ", body)), limit)


_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_INVISIBLE = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
