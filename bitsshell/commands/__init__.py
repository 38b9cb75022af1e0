"""Every verb, declared once, and the dispatcher that runs them.

Lives here: what a person can type and what it means. A verb gets values, returns a plan or yields
events; it never prints. May not live here: how answers look, and where they go.
"""

from __future__ import annotations

# The order of these imports is the order in which `help` lists the verbs.
from bitsshell.commands import targets  # isort: skip
from bitsshell.commands import logon  # isort: skip
from bitsshell.commands import doctor  # isort: skip
from bitsshell.commands import look  # isort: skip
from bitsshell.commands import make  # isort: skip
from bitsshell.commands import change  # isort: skip
from bitsshell.commands import settings  # isort: skip
from bitsshell.commands import live  # isort: skip
from bitsshell.commands import publishing  # isort: skip
from bitsshell.commands import sessions  # isort: skip
from bitsshell.commands import recording  # isort: skip
from bitsshell.commands import runbook  # isort: skip
from bitsshell.commands import approvals  # isort: skip
from bitsshell.commands import conditions  # isort: skip
from bitsshell.commands import setup  # isort: skip
from bitsshell.commands import history  # isort: skip
from bitsshell.commands.declare import VERBS, Call, Change, VerbCommand, verb
from bitsshell.commands.dispatch import (
    Dispatcher,
    Interaction,
    Invocation,
    NeedsConfirmation,
    Nobody,
    UnknownVerb,
)
from bitsshell.commands.tokens import OpenQuote, cut, quote, tokenize

__all__ = [
    "VERBS",
    "Call",
    "Change",
    "Dispatcher",
    "Interaction",
    "Invocation",
    "NeedsConfirmation",
    "Nobody",
    "OpenQuote",
    "UnknownVerb",
    "VerbCommand",
    "approvals",
    "change",
    "conditions",
    "cut",
    "doctor",
    "history",
    "live",
    "logon",
    "look",
    "make",
    "publishing",
    "quote",
    "recording",
    "runbook",
    "sessions",
    "settings",
    "setup",
    "targets",
    "tokenize",
    "verb",
]
