"""Colours: which state has which, as SGR sequences for terminals and names for HTML.

Whether there is colour at all (`NO_COLOR`, a pipe, a dumb terminal) is the caller's decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.bits import JobState
from bitsshell.results import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

BOLD = "1"
DIM = "2"
RED = "31"
GREEN = "32"
YELLOW = "33"
BLUE = "34"
MAGENTA = "35"
CYAN = "36"

STATE_SGR: Mapping[JobState, str] = {
    JobState.QUEUED: BLUE,
    JobState.CONNECTING: BLUE,
    JobState.TRANSFERRING: CYAN,
    JobState.SUSPENDED: DIM,
    JobState.ERROR: f"{BOLD};{RED}",
    JobState.TRANSIENT_ERROR: YELLOW,
    JobState.TRANSFERRED: GREEN,
    JobState.ACKNOWLEDGED: GREEN,
    JobState.CANCELLED: MAGENTA,
}

STATE_HTML: Mapping[JobState, str] = {
    JobState.QUEUED: "#1f5fbf",
    JobState.CONNECTING: "#1f5fbf",
    JobState.TRANSFERRING: "#00708a",
    JobState.SUSPENDED: "#767676",
    JobState.ERROR: "#c62828",
    JobState.TRANSIENT_ERROR: "#a15c00",
    JobState.TRANSFERRED: "#2e7d32",
    JobState.ACKNOWLEDGED: "#2e7d32",
    JobState.CANCELLED: "#8e24aa",
}
"""Dark enough for a white page and light enough for a dark one."""

STATUS_SGR: Mapping[Status, str] = {
    Status.DONE: GREEN,
    Status.ALREADY: GREEN,
    Status.PLANNED: CYAN,
    Status.NOT_SENT: YELLOW,
    Status.UNKNOWN: f"{BOLD};{YELLOW}",
    Status.FAILED: f"{BOLD};{RED}",
}


def painted(text: str, sgr: str | None, *, colour: bool) -> str:
    """The text in a colour, or as it is."""
    if not colour or not sgr or not text:
        return text
    return f"\x1b[{sgr}m{text}\x1b[0m"


COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
"""What a terminal can be asked for by name, in the order of their numbers."""

_chosen: dict[JobState, str] = {}


def choose(colours: Mapping[JobState, str]) -> None:
    """Paint states as a person chose: `bold red`, `none`. For this process: it has one screen."""
    _chosen.clear()
    _chosen.update({state: _sgr_of(words) for state, words in colours.items()})


def _sgr_of(words: str) -> str:
    codes = {"bold": BOLD, "dim": DIM}
    codes |= {name: str(30 + number) for number, name in enumerate(COLOURS)}
    return ";".join(codes[word] for word in words.split() if word in codes)


def state_sgr(state: JobState) -> str | None:
    """The colour of a state; None for one that this version does not know."""
    return _chosen.get(state, STATE_SGR.get(state))
