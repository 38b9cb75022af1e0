"""A text stream that takes everything: what its encoding lacks is written another way.

A Windows console with an old code page, or a pipe under `LANG=C`, raises `UnicodeEncodeError` on an
ellipsis. Nothing here catches a broken pipe: that is for the caller.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from bitsshell.render.bars import GLYPHS
from bitsshell.render.text import display_width, wrapped

if TYPE_CHECKING:
    from typing import TextIO

_PLAIN_GLYPHS = str.maketrans({"…": "~", "→": ">", "─": "-"})

_NOT_PLAIN = re.compile("[^\n\x20-\x7e]")


def json_text(record: Any, *, indent: int | None = None) -> str:
    r"""JSON whose values are the text unchanged, safe to show and to write as UTF-8.

    Characters that are invisible or act on a terminal, and lone surrogates, become `\uXXXX`,
    which any JSON reader turns back into the very same character.
    """
    text = json.dumps(record, ensure_ascii=False, indent=indent)
    return _NOT_PLAIN.sub(_json_character, text)


def _json_character(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else json.dumps(character)[1:-1]


def columns_of(stream: TextIO) -> int | None:
    """How many columns the terminal behind a stream has; None where there is no terminal."""
    try:
        if not stream.isatty():
            return None
        # Some consoles say 0 by 0 instead of failing.
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError, AttributeError):
        return None


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" "))]


class Printer:
    """Writes to a stream that it was given. `blocks` says whether block characters will do.

    One that `wraps` breaks long lines between words where the stream is a terminal.
    """

    def __init__(self, stream: TextIO, *, wraps: bool = False) -> None:
        self.stream = stream
        self._wraps = wraps
        self._encoding: str = getattr(stream, "encoding", None) or "utf-8"
        self.blocks = self._can(GLYPHS)

    def line(self, text: str = "") -> None:
        """One line for a person; what the encoding lacks becomes an escape."""
        self.lines([text])

    def lines(self, lines: list[str]) -> None:
        """Several lines in one write."""
        if lines:
            shown = self._wrapped(lines) if self._wraps else lines
            self.raw("".join(self.fitting(line) + "\n" for line in shown))

    def sentences(self, lines: list[str]) -> None:
        """Several lines, those too long for a terminal broken between words."""
        if lines:
            self.raw("".join(self.fitting(line) + "\n" for line in self._wrapped(lines)))

    def _wrapped(self, lines: list[str]) -> list[str]:
        width = columns_of(self.stream)
        if width is None:
            return lines
        return [
            part
            for line in lines
            for part in (
                wrapped(line, width, _indent(line) + "  ")
                if display_width(line) > width
                else [line]
            )
        ]

    def json_lines(self, records: list[dict[str, Any]]) -> None:
        """One JSON document a line."""
        if records:
            self.raw("".join(self._json(record) + "\n" for record in records))

    def json_array(self, records: list[dict[str, Any]]) -> None:
        """One array, indented by two."""
        self.raw(self._json(records, indent=2) + "\n")

    def raw(self, text: str) -> None:
        """Write as it is and flush, so that a reader at the other end of a pipe sees it now."""
        self.stream.write(text)
        self.stream.flush()

    def fitting(self, text: str) -> str:
        """The text with what the encoding lacks written another way."""
        if not self.blocks:
            text = text.translate(_PLAIN_GLYPHS)
        if self._can(text):
            return text
        return text.encode(self._encoding, "backslashreplace").decode(self._encoding)

    def _json(self, record: Any, *, indent: int | None = None) -> str:
        text = json_text(record, indent=indent)
        return text if self._can(text) else json.dumps(record, indent=indent)

    def _can(self, text: str) -> bool:
        if text.isascii():
            return True
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True
