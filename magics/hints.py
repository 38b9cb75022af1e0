"""What to do next, in the words of a notebook: `help create` is `%bits_create?` there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from magics.verbs import VERBS, magic_name

if TYPE_CHECKING:
    from collections.abc import Iterable

_VERB = "|".join(sorted(VERBS, key=len, reverse=True))
_HELP_OF = re.compile(rf"\bhelp ({_VERB})\b")
_HELP = re.compile(r"(?<=: )help\b")
_COMMAND = re.compile(
    rf"(?P<before>(?<!next): |'|^next: (?=\w+ [A-Z<\[])(?!set BITSSHELL))"
    rf"(?P<verb>{_VERB})(?=[ ;,']|$)"
)
"""A verb behind a colon, in quotes, or with its arguments; elsewhere it is an English word."""


def for_notebook(lines: Iterable[str]) -> list[str]:
    """The lines of an error, those that say what to do next in terms of magics."""
    return [said_for_notebook(line) if line.startswith("next: ") else line for line in lines]


def said_for_notebook(line: str) -> str:
    """A line that says what to do, such as a notice, in terms of magics."""
    line = _HELP_OF.sub(lambda found: f"%{magic_name(found[1])}?", line)
    line = _HELP.sub("%bits", line)
    return _COMMAND.sub(lambda found: f"{found['before']}%{magic_name(found['verb'])}", line)
