"""First words of a line that are no verbs."""

from __future__ import annotations

from bitsshell.commands.tokens import cut

LEAVING = ("exit", "quit")
NO_VERBS = ("help", *LEAVING)


def is_leaving(line: str) -> bool:
    """Whether a line leaves the shell or ends a script: `exit` or `quit`, whatever follows."""
    words = cut(line).values
    return bool(words) and words[0] in LEAVING
