"""Columns, and how a table is made to fit: drop what matters least, then clip what may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from bitsshell.render.grid import GAP, table_lines
from bitsshell.render.paint import BOLD, painted
from bitsshell.render.text import clip, display_width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Align = Literal["left", "right"]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column of a table.

    `cell` gives neutral text. Columns of the greatest `rank` are dropped first, those of rank 0
    never. A column with `least` may be clipped down to that width; before others are dropped for
    it, it may be clipped to `comfort`. `wide` is a longer form, used when all of it fits.
    """

    title: str
    cell: Callable[[Row], str]
    rank: int = 0
    align: Align = "left"
    least: int | None = None
    comfort: int = 30
    cut: Callable[[str, int], str] = clip
    wide: Callable[[Row], str] | None = None
    sgr: Callable[[Row], str | None] | None = None


@dataclass(slots=True)
class _Drawn(Generic[Row]):
    column: Column[Row]
    cells: list[str]
    natural: int
    width: int = 0

    @property
    def wanted(self) -> int:
        if self.column.least is None:
            return self.natural
        return min(self.natural, max(self.column.comfort, len(self.column.title)))

    @property
    def least(self) -> int:
        if self.column.least is None:
            return self.natural
        return min(self.natural, max(self.column.least, len(self.column.title)))


def fitted_table(
    columns: Sequence[Column[Row]], rows: Sequence[Row], width: int, *, colour: bool
) -> list[str] | None:
    """The lines of a table no wider than `width`, or None when no such table can be made."""
    drawn = [_draw(column, column.cell, rows) for column in columns]
    if _total(drawn, natural=True) <= width:
        drawn = _widened(drawn, rows, width)
        for one in drawn:
            one.width = one.natural
    else:
        kept = _dropped(drawn, width)
        if kept is None:
            return None
        drawn = kept
        _share(drawn, width)
    return _lines(drawn, rows, colour=colour)


def _draw(column: Column[Row], cell: Callable[[Row], str], rows: Sequence[Row]) -> _Drawn[Row]:
    cells = [cell(row) for row in rows]
    natural = max(map(display_width, cells), default=0)
    return _Drawn(column, cells, max(natural, len(column.title)))


def _total(drawn: Sequence[_Drawn[Row]], *, natural: bool = False) -> int:
    widths = (one.natural if natural else one.wanted for one in drawn)
    return sum(widths) + GAP * (len(drawn) - 1)


def _widened(drawn: list[_Drawn[Row]], rows: Sequence[Row], width: int) -> list[_Drawn[Row]]:
    for index, one in enumerate(drawn):
        if one.column.wide is not None:
            wider = [*drawn[:index], _draw(one.column, one.column.wide, rows), *drawn[index + 1 :]]
            if _total(wider, natural=True) <= width:
                drawn = wider
    return drawn


def _dropped(drawn: list[_Drawn[Row]], width: int) -> list[_Drawn[Row]] | None:
    kept = list(drawn)
    while _total(kept) > width and any(one.column.rank for one in kept):
        kept.remove(max(reversed(kept), key=lambda one: one.column.rank))
    if sum(one.least for one in kept) + GAP * (len(kept) - 1) > width:
        return None
    return kept


def _share(drawn: Sequence[_Drawn[Row]], width: int) -> None:
    """Give every column its least, then what is left to the elastic ones, cell by cell."""
    for one in drawn:
        one.width = one.least
    spare = width - sum(one.width for one in drawn) - GAP * (len(drawn) - 1)
    hungry = [one for one in drawn if one.width < one.natural]
    while spare > 0 and hungry:
        portion = max(1, spare // len(hungry))
        for one in hungry:
            given = min(portion, one.natural - one.width, spare)
            one.width += given
            spare -= given
        hungry = [one for one in hungry if one.width < one.natural]


def _lines(drawn: Sequence[_Drawn[Row]], rows: Sequence[Row], *, colour: bool) -> list[str]:
    finished: list[list[str]] = []
    for one in drawn:
        cells = one.cells
        if one.width < one.natural:
            cells = [one.column.cut(cell, one.width) for cell in cells]
        sgr = one.column.sgr
        if colour and sgr is not None:
            cells = [
                painted(cell, sgr(row), colour=True) for cell, row in zip(cells, rows, strict=True)
            ]
        finished.append(cells)
    titles = [painted(one.column.title, BOLD, colour=colour) for one in drawn]
    return table_lines(
        titles,
        list(zip(*finished, strict=True)),
        [one.column.align for one in drawn],
        [one.width for one in drawn],
    )
