"""What the cell below the magic of each verb is, and which magics are no verbs of the shell.

A plain table: importing all verbs takes longer than IPython's own magics do, and most notebooks of
a day never call one. A test holds it against `bitsshell.commands.VERBS`.
"""

from __future__ import annotations

import enum


class Body(enum.Enum):
    """What the lines of a cell are to a verb."""

    NONE = enum.auto()
    """It has no cell form."""
    PAIRS = enum.auto()
    """`URL -> PATH`, a file a line."""
    VALUES = enum.auto()
    """An argument a line: a job, or a host."""
    EXPRESSIONS = enum.auto()
    """Python that should be true, one expression a line."""


VERBS: dict[str, Body] = {
    "hosts": Body.NONE,
    "use": Body.VALUES,
    "login": Body.VALUES,
    "logout": Body.VALUES,
    "doctor": Body.VALUES,
    "jobs": Body.VALUES,
    "show": Body.VALUES,
    "files": Body.VALUES,
    "explain": Body.VALUES,
    "create": Body.PAIRS,
    "add": Body.PAIRS,
    "transfer": Body.PAIRS,
    "set": Body.VALUES,
    "resume": Body.VALUES,
    "suspend": Body.VALUES,
    "complete": Body.VALUES,
    "cancel": Body.VALUES,
    "credentials": Body.VALUES,
    "proxy": Body.VALUES,
    "certificate": Body.VALUES,
    "watch": Body.VALUES,
    "wait": Body.VALUES,
    "manage": Body.VALUES,
    "publish": Body.PAIRS,
    "unpublish": Body.VALUES,
    "published": Body.VALUES,
    "whatif": Body.NONE,
    "retry": Body.NONE,
    "transcript": Body.NONE,
    "run": Body.NONE,
    "approve": Body.NONE,
    "record": Body.NONE,
    "check": Body.EXPRESSIONS,
    "config": Body.NONE,
    "readonly": Body.NONE,
    "history": Body.NONE,
    "journal": Body.NONE,
}
"""Every verb of the shell, with what a cell below its magic is."""

OWN = {
    "tasks": "List what `%bits_watch --bg NAME` started, or end it.",
    "plot": "Draw what a watch saw: bytes, rate and states over time.",
}
"""Magics that are no verbs of the shell, with one line about each."""
