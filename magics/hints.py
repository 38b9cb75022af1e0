"""What to do next, in the words of a notebook: `help create` is `%bits_create?` there."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from magics.verbs import VERBS, magic_name

if TYPE_CHECKING:
    from collections.abc import Iterable

_VERB = "|".join(sorted(VERBS, key=len, reverse=True))
_HELP_OF = re.compile(rf"\bhelp ({_VERB})\b")
_HELP = re.compile(r"(?<=: )help\b")
_ACTION = re.compile(
    r"(?<![\w%-])(record|transcript|config|journal)"
    r"(?= (?:start|stop|pause|resume|note|save|init|path|show|check|verify|unfinished)\b)"
)
"""These verbs are told from nouns by the word that follows them."""
_COMMAND = re.compile(
    r"(?:(?<=: )(?<!^next: )(?<!^parameters: )|(?:(?<=^next: )|(?<=; ))(?=\w+ [A-Z<\[]))"
    rf"(?!set BITSSHELL|run ')({_VERB})(?=[ ;]|$)"
)
"""A verb behind a colon, or with its arguments; elsewhere it is an English word, and so is `set`
before a variable of the environment, and `run` before a command of the host."""
_QUOTED = re.compile(rf"(?<=')({_VERB})(?='| [A-Z<-])")
_GUESS = "did you mean"
_NEXT_IN_HTML = re.compile(r'(?<=">)next: [^<]*')


def for_notebook(lines: Iterable[str]) -> list[str]:
    """The lines of an error, those that say what to do next in terms of magics."""
    return [_next(line) if line.startswith("next: ") else line for line in lines]


def said_for_notebook(line: str) -> str:
    """A line that says what to do, such as a notice, in terms of magics."""
    line = _HELP_OF.sub(lambda found: f"%{magic_name(found[1])}?", line)
    line = _HELP.sub("%bits", line)
    return _as_magics(_ACTION, _as_magics(_COMMAND, line))


def bundle_for_notebook(bundle: dict[str, Any]) -> dict[str, Any]:
    """What an answer shows, with what to do next in terms of magics; its data stay as they are."""
    words = dict(bundle)
    if text := bundle.get("text/plain"):
        words["text/plain"] = "\n".join(for_notebook(text.split("\n")))
    if markup := bundle.get("text/html"):
        words["text/html"] = _NEXT_IN_HTML.sub(
            lambda found: html.escape(_next(html.unescape(found[0]))), markup
        )
    return words


def _next(line: str) -> str:
    """What to do next: there a verb in quotes is a command, and not the name of a job."""
    said = said_for_notebook(line)
    return said if _GUESS in said else _as_magics(_QUOTED, said)


def _as_magics(commands: re.Pattern[str], line: str) -> str:
    return commands.sub(lambda found: f"%{magic_name(found[1])}", line)
