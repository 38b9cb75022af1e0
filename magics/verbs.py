"""The names of the magics, known before the verbs of bitsshell are imported."""

from __future__ import annotations

from bitsshell.cell_forms import OWN, VERBS, Body

__all__ = ["OWN", "VERBS", "Body", "magic_name"]


def magic_name(verb: str) -> str:
    """The name of a verb's magic, without the percent sign."""
    return "bits_" + verb.replace("-", "_")
