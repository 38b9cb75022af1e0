"""What was entered, as lines to run: a pasted block is several."""

from __future__ import annotations

import re

from bitsshell.commands.tokens import cut

_GOES_ON = re.compile(r"(?:^|(?<=\s))`[ \t]*\r?\n?\Z")
"""A backtick at the end, with a blank before it: the line goes on in the next one."""


def split_block(text: str) -> list[str]:
    """The lines of a text, empty ones left out.

    A line break inside quotes ends no line, nor does one behind a backtick, which becomes a blank.
    """
    lines: list[str] = []
    pending = ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        pending += line
        found = cut(pending)
        if found.open_quote is not None:
            continue
        if line.endswith("\n") and not found.has_comment and _GOES_ON.search(pending):
            pending = _GOES_ON.sub(" ", pending)
            continue
        lines.append(pending)
        pending = ""
    lines.append(pending)
    return [line.strip("\r\n") for line in lines if line.strip()]


def wants_more(text: str) -> bool:
    """Whether Enter begins another line: a quote is open, or a backtick stands at the end.

    An empty line ends it in any case, so that nobody is caught behind a quote that was not meant.
    """
    if "\n" in text and not text.rpartition("\n")[2].strip():
        return False
    last = pending_line(text)
    found = cut(last)
    if found.open_quote is not None:
        return True
    return not found.has_comment and _GOES_ON.search(last) is not None


def pending_line(text: str) -> str:
    """The part of an entry that belongs to its last command."""
    pending = ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        pending += line
        goes_on = cut(pending).open_quote is not None or _GOES_ON.search(pending)
        if line.endswith("\n") and not goes_on:
            pending = ""
    return pending
