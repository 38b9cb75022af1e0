"""What was entered, as lines to run: a pasted block is several."""

from __future__ import annotations

import re

from bitsshell.commands.tokens import cut

_LEAVING = frozenset({"exit", "quit"})


def split_block(text: str) -> list[str]:
    """The lines of a text, empty ones left out. A line break inside quotes ends no line."""
    lines: list[str] = []
    pending = ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        pending += line
        if cut(pending).open_quote is None:
            lines.append(pending)
            pending = ""
    lines.append(pending)
    return [line.strip("\r\n") for line in lines if line.strip()]


def is_leaving(line: str) -> bool:
    """Whether a line leaves the shell: `exit` or `quit`, whatever follows."""
    words = cut(line).values
    return bool(words) and words[0] in _LEAVING
