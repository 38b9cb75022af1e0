"""One frame of a watch as lines: a heading, a bar and numbers a job, and what did not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitsshell.bits import JobState
from bitsshell.render import units
from bitsshell.render.bars import progress_bar
from bitsshell.render.cells import amount_done, bar_fraction, state_counts
from bitsshell.render.paint import BOLD, RED, YELLOW, painted, state_sgr
from bitsshell.render.text import (
    clip,
    clip_middle,
    counted,
    display_width,
    folded_names,
    neutral,
    pad,
    prose,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bitsshell.results import Frame, WatchRow

_GAP = 2
_HOST_WIDTH = 16
_LEAST_NAME, _COMFORT_NAME = 8, 24
_LEAST_BAR, _MOST_BAR = 8, 30
_PERCENT, _AMOUNT, _RATE, _LEFT = 4, 17, 10, 7

_URGENCY = {
    JobState.ERROR: 0,
    JobState.TRANSIENT_ERROR: 1,
    JobState.TRANSFERRING: 2,
    JobState.CONNECTING: 2,
    JobState.QUEUED: 3,
}
_LEAST_URGENT = 4
"""Which jobs stay when not all fit; within one urgency the order of the frame is kept."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Widths of one frame's columns; 0 for one that is left out."""

    host: int
    name: int
    state: int
    bar: int
    amount: int
    rate: int
    left: int


def frame_lines(
    frame: Frame,
    *,
    width: int,
    height: int | None = None,
    colour: bool = False,
    blocks: bool = True,
) -> list[str]:
    """At most `height` lines of at most `width` cells; jobs that do not fit are counted.

    `blocks` says whether block characters may be used.
    """
    room = None if height is None else max(1, height)
    heading = painted(clip(_heading(frame), width), BOLD, colour=colour)
    if room == 1:
        return [heading]
    tail = _unreachable_lines(frame, width, colour)
    if room is not None:
        tail = tail[: max(0, room - 2)]
        room -= 1 + len(tail)
    rows, rest = _chosen(frame.rows, room)
    if not rows and not rest:
        return [heading, *tail]
    layout = _layout(rows, width)
    body = [
        line
        for row in rows
        for line in _row_lines(row, layout, width, colour=colour, blocks=blocks)
    ]
    if rest:
        more = f"… {counted(len(rest), 'more job')}: {state_counts(row.job for row in rest)}"
        body = [*body[: max(0, len(body) if room is None else room - 1)], clip(more, width)]
    return [heading, *body, *tail]


def heading_parts(phase: str, as_of: datetime, jobs: int, hosts: int) -> list[str]:
    """What stands above the jobs of every frame: how current they are, and how many."""
    many = f"{counted(jobs, 'job')} on {counted(hosts, 'host')}" if hosts else "no jobs"
    return [f"{phase}, as of {units.time_of_day(as_of)}", many]


def _heading(frame: Frame) -> str:
    hosts = {row.job.host for row in frame.rows}
    rates = [row.rate_bytes_s for row in frame.rows if row.rate_bytes_s is not None]
    parts = heading_parts(frame.phase, frame.as_of, len(frame.rows), len(hosts))
    if rates and not frame.is_final:
        parts.append(units.rate(sum(rates)))
    return "  ".join(parts)


def _unreachable_lines(frame: Frame, width: int, colour: bool) -> list[str]:
    if not frame.unreachable:
        return []
    text = f"not answering: {folded_names(frame.unreachable)}"
    return [painted(clip(text, width), YELLOW, colour=colour)]


def _lines_of(row: WatchRow) -> int:
    return 1 if row.error is None else 2


def _chosen(rows: Sequence[WatchRow], room: int | None) -> tuple[list[WatchRow], list[WatchRow]]:
    """The rows that are shown, in the frame's order, and the others, whose count takes a line."""
    if room is None or sum(map(_lines_of, rows)) <= room:
        return list(rows), []
    ranks: list[list[int]] = [[] for _ in range(_LEAST_URGENT + 1)]
    for index, row in enumerate(rows):
        ranks[_URGENCY.get(row.job.state, _LEAST_URGENT)].append(index)
    left = room - 1
    shown: set[int] = set()
    for index in (index for rank in ranks for index in rank):
        left -= _lines_of(rows[index])
        if left < 0:
            break
        shown.add(index)
    rest = [row for index, row in enumerate(rows) if index not in shown]
    return [rows[index] for index in sorted(shown)], rest


def _layout(rows: Sequence[WatchRow], width: int) -> _Layout:
    hosts = {row.job.host for row in rows}
    host = 0
    if len(hosts) > 1:
        host = min(_HOST_WIDTH, max(display_width(neutral(name)) for name in hosts))
    state = max((len(row.job.state.name) for row in rows), default=0)
    natural = max((display_width(neutral(row.job.name)) for row in rows), default=0)
    name = max(_LEAST_NAME, min(natural, _COMFORT_NAME))
    columns = {
        "host": host,
        "name": name,
        "state": state,
        "bar": _LEAST_BAR,
        "amount": _AMOUNT,
        "rate": _RATE,
        "left": _LEFT,
    }
    for dropped in ("amount", "rate", "bar", "left"):
        if _taken(columns) <= width:
            break
        columns[dropped] = 0
    spare = width - _taken(columns)
    if spare < 0:
        columns["name"] = max(_LEAST_NAME, columns["name"] + spare)
        spare = 0
    if columns["bar"]:
        more = min(spare, _MOST_BAR - _LEAST_BAR)
        columns["bar"] += more
        spare -= more
    columns["name"] = min(max(natural, _LEAST_NAME), columns["name"] + spare)
    return _Layout(**columns)


def _taken(columns: dict[str, int]) -> int:
    shown = [width for width in columns.values() if width]
    return sum(shown) + _PERCENT + _GAP * len(shown)


def _row_lines(
    row: WatchRow, layout: _Layout, width: int, *, colour: bool, blocks: bool
) -> list[str]:
    job = row.job
    sgr = state_sgr(job.state)
    front = [pad(clip(neutral(job.name), layout.name), layout.name)]
    if layout.host:
        front.insert(0, pad(clip_middle(neutral(job.host), layout.host), layout.host))
    back = [pad(units.percent(job.fraction), _PERCENT, "right")]
    if layout.amount:
        back.append(pad(amount_done(job), layout.amount, "right"))
    if layout.rate:
        back.append(pad(units.rate(row.rate_bytes_s), layout.rate, "right"))
    if layout.left:
        back.append(pad(units.time_left(row.time_left_s), layout.left, "right"))
    state = pad(job.state.name, layout.state)
    bar = progress_bar(bar_fraction(job), layout.bar, blocks=blocks)
    pieces = [*front, state, *([bar] if bar else []), *back]
    line = (" " * _GAP).join(pieces)
    if display_width(line) > width:
        lines = [painted(clip(line, width), sgr, colour=colour)]
    else:
        painted_ones = [painted(piece, sgr, colour=colour) for piece in (state, bar) if piece]
        lines = [(" " * _GAP).join([*front, *painted_ones, *back]).rstrip()]
    if row.error is not None:
        known = row.error.explanation
        meaning = prose(known.meaning or row.error.description)
        lines.append(painted(clip(f"  {known.title}: {meaning}", width), RED, colour=colour))
    return lines
