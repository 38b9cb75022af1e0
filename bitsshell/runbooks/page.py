"""Pieces of an HTML page that opens anywhere: no scripts, no style sheet, nothing from elsewhere.

Every text is neutralised, then escaped. Styles stand on the elements, for mail programs and viewers
that throw style sheets away keep those.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from bitsshell.render.text import neutral

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

INK, FAINT, LINE, PAPER = "#1c2430", "#5b6675", "#dfe4ea", "#f6f8fa"
GREEN, RED, AMBER, BLUE, GREY = "#1a7f37", "#c62828", "#9a6700", "#0b63a5", "#6b7480"

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_FONT = "-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
MONO = "ui-monospace,SFMono-Regular,Consolas,'Liberation Mono',Menlo,monospace"
_CELL = f"padding:6px 12px 6px 0;border-bottom:1px solid {LINE};vertical-align:top;text-align:left"
_HEAD = f"{_CELL};color:{FAINT};font-weight:600;font-size:12px;white-space:nowrap"


def safe(text: object) -> str:
    """A text as HTML shows it, its lines kept."""
    return "\n".join(html.escape(neutral(line), quote=True) for line in str(text).split("\n"))


def page(title: str, parts: Iterable[str]) -> str:
    """A whole page."""
    body = (
        f"margin:0;background:{PAPER};color:{INK};font:15px/1.5 {_FONT};"
        "-webkit-text-size-adjust:100%"
    )
    inner = "max-width:1080px;margin:0 auto;padding:28px 20px 60px"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{safe(title)}</title>\n</head>\n"
        f'<body style="{body}">\n<div style="{inner}">\n'
        + "\n".join(part for part in parts if part)
        + "\n</div>\n</body>\n</html>\n"
    )


def card(parts: Iterable[str], *, edge: str = LINE) -> str:
    """A white box; its left edge may say how it went."""
    style = (
        f"background:#fff;border:1px solid {LINE};border-left:4px solid {edge};border-radius:6px;"
        "padding:14px 18px;margin:12px 0;overflow-x:auto"
    )
    return f'<div style="{style}">' + "\n".join(part for part in parts if part) + "</div>"


def heading(text: str, level: int = 2) -> str:
    """A heading."""
    size = {1: "26px", 2: "18px", 3: "14px"}[level]
    margin = {1: "0 0 2px", 2: "30px 0 4px", 3: "14px 0 4px"}[level]
    style = f"font-size:{size};font-weight:650;margin:{margin};line-height:1.3"
    return f'<h{level} style="{style}">{safe(text)}</h{level}>'


def faint(text: str) -> str:
    """A line that is not the first to be read."""
    return f'<div style="color:{FAINT};font-size:13px">{safe(text)}</div>'


def pill(text: str, colour: str) -> str:
    """A word with a colour behind it."""
    style = (
        f"display:inline-block;background:{colour};color:#fff;border-radius:10px;padding:1px 10px;"
        "font-size:12.5px;font-weight:600;white-space:nowrap"
    )
    return f'<span style="{style}">{safe(text)}</span>'


def preformatted(text: str, *, colour: str = INK) -> str:
    """Text as it stands, in a box that scrolls by itself."""
    style = (
        f"font:12.5px/1.5 {MONO};color:{colour};background:{PAPER};border:1px solid {LINE};"
        "border-radius:4px;padding:8px 10px;margin:6px 0;overflow:auto;white-space:pre;"
        "max-height:420px"
    )
    return f'<pre style="{style}">{safe(text)}</pre>'


def code(text: str) -> str:
    """A few words of code or of a hash, which may break anywhere."""
    return f'<code style="font:12.5px {MONO};overflow-wrap:anywhere">{safe(text)}</code>'


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already; empty where there is no row."""
    lines = [
        "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in row) + "</tr>"
        for row in rows
    ]
    if not lines:
        return ""
    heads = "".join(f'<th style="{_HEAD}">{safe(title)}</th>' for title in titles)
    head = f"<tr>{heads}</tr>" if titles else ""
    style = "border-collapse:collapse;width:100%;font-size:13.5px"
    return f'<table style="{style}">{head}{"".join(lines)}</table>'


def folded(summary: str, parts: Iterable[str], *, is_open: bool = False) -> str:
    """Something that a click opens; printed closed where nobody clicks."""
    inner = "\n".join(part for part in parts if part)
    if not inner:
        return ""
    opened = " open" if is_open else ""
    style = f"cursor:pointer;color:{FAINT};font-size:13px;margin-top:6px"
    return f'<details{opened}><summary style="{style}">{safe(summary)}</summary>{inner}</details>'
