"""Notebooks that are runbooks: recorded from a session, checked, run, and kept as evidence.

Lives here: what turns a session into a notebook, reads parameters and commands out of one, runs it
and says what came of it. May not live here: verbs and their words (`commands`), magics, rendering
of results. nbclient and nbformat are imported where they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bitsshell.runbooks.work import Work

__all__ = ["runbooks"]


def runbooks() -> Work:
    """What a session needs for the verbs `run` and `record`: give it this function."""
    from bitsshell.runbooks.work import Work

    return Work()
