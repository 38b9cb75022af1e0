"""The one place that calls tabulate, always with `disable_numparse=True`.

Without it a job named 1e5 would print as 100000. Imported on first use: tabulate is slow to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.render.text import display_width, pad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitsshell.render.columns import Align

GAP = 2
"""Blanks between two columns."""


def table_lines(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    aligns: Sequence[Align],
    widths: Sequence[int],
) -> list[str]:
    """Lines of a table with a rule under its titles. Cells are neutral, or coloured by us."""
    from tabulate import tabulate

    # As ordinary rows, because tabulate makes a headed column two wider than its title.
    heads = [list(titles), ["-" * width for width in widths]]
    text = tabulate(
        [*heads, *rows], tablefmt="plain", colalign=tuple(aligns), disable_numparse=True
    )
    return [line.rstrip() for line in text.split("\n")]


def block_lines(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """`name  value` lines, the values under each other and never cut."""
    width = max((display_width(name) for name, _ in pairs), default=0)
    return [f"{pad(name, width)}  {value}".rstrip() for name, value in pairs]
