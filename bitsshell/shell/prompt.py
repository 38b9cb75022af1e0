"""The prompt's text: what the next command acts on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.render.text import clip_middle, neutral

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitsshell.fleet.targets import Target

_MAX_HOST_CELLS = 40


def prompt_text(targets: Sequence[Target]) -> str:
    """`bits> `, `bits web01> ` or `bits 3 hosts> `."""
    match len(targets):
        case 0:
            return "bits> "
        case 1:
            return f"bits {clip_middle(neutral(targets[0].name), _MAX_HOST_CELLS)}> "
        case count:
            return f"bits {count} hosts> "
