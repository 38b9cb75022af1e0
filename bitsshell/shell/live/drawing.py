"""The live view as lines of styled pieces: a pure function of the model and the size.

Only the visible rows are looked at, so that ten thousand jobs cost no more than thirty. Everything
that a host says is neutralised here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitsshell.bits import JobState
from bitsshell.fleet.watching import key_of
from bitsshell.render import units
from bitsshell.render.bars import progress_bar, sparkline
from bitsshell.render.cells import amount_done, bar_fraction, files_done, progress_amount
from bitsshell.render.errors import job_error_lines
from bitsshell.render.frames import heading_parts
from bitsshell.render.text import (
    ELLIPSIS,
    broken,
    clip,
    clip_middle,
    display_width,
    folded_names,
    neutral,
    pad,
    wrapped,
)
from bitsshell.shell.live.keys import HELP
from bitsshell.shell.live.model import HISTORY, Mode, Order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bitsshell.bits import Job
    from bitsshell.results import WatchRow
    from bitsshell.shell.live.model import Model

Piece = tuple[str, str]
"""A style, in prompt_toolkit's words, and a text."""

Line = list[Piece]

STATE_STYLES = {
    JobState.QUEUED: "class:queued",
    JobState.CONNECTING: "class:connecting",
    JobState.TRANSFERRING: "class:transferring",
    JobState.SUSPENDED: "class:suspended",
    JobState.ERROR: "class:error",
    JobState.TRANSIENT_ERROR: "class:transient",
    JobState.TRANSFERRED: "class:transferred",
    JobState.ACKNOWLEDGED: "class:acknowledged",
    JobState.CANCELLED: "class:cancelled",
}

STYLES = {
    "heading": "bold",
    "columns": "ansibrightblack",
    "queued": "ansiblue",
    "connecting": "ansiblue",
    "transferring": "ansicyan",
    "suspended": "ansibrightblack",
    "error": "bold ansired",
    "transient": "ansiyellow",
    "transferred": "ansigreen",
    "acknowledged": "ansigreen",
    "cancelled": "ansimagenta",
    "warning": "ansiyellow",
    "question": "bold",
    "keys": "ansibrightblack",
    "selected": "reverse",
}
"""How each class looks in colour."""


def chosen_styles(colours: Mapping[JobState, str]) -> dict[str, str]:
    """The styles of the classes of states that a person chose: `bold red`, `dim`, `none`."""
    return {
        STATE_STYLES[state].removeprefix("class:"): _style_of(words)
        for state, words in colours.items()
        if state in STATE_STYLES
    }


def _style_of(words: str) -> str:
    found = [word for word in words.split() if word not in {"dim", "none"}]
    names = {"white": "ansigray"}
    style = " ".join(w if w == "bold" else names.get(w, f"ansi{w}") for w in found)
    return style or ("ansibrightblack" if "dim" in words.split() else "")


PLAIN_STYLES = {"heading": "bold", "question": "bold", "selected": "reverse"}
"""How it looks without: nothing but what every terminal has."""

FOOTER = (
    "? help  q quit  / filter  e errors  o sort  enter details  space mark  "
    "r resume  s suspend  c complete  x cancel  p hold"
)
SHORT_FOOTER = "? help  q quit  / filter  e errors  enter details  space mark  r s c x act"
"""For a terminal of 80 columns."""

_GAP = "  "
_MOST_NAME = 48
_LEAST_NAME, _SHORT_NAME = 8, 12
_DROPPED = ("spark", "amount", "rate", "bar", "left")
"""What goes, in this order, before a name may be shorter than 12."""
_DROPPED_AT_LAST: tuple[tuple[str, ...], ...] = ((), ("percent",), ("host",), ("percent", "host"))
"""Beside names of 8: the first of these that makes the rest fit."""
_LEAST_STATE = 6
_LEAST_BAR, _MOST_BAR = 8, 30
_MOST_HOST = 20
_DETAIL_LINES = 12


@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths in cells; 0 for a column that is left out."""

    host: int
    name: int
    bar: int
    spark: int
    amount: int
    rate: int
    left: int
    state: int
    percent: int


def draw(model: Model, width: int, height: int, *, blocks: bool = True) -> list[Line]:
    """Exactly `height` lines of at most `width` cells. Scrolls the model to its selected row."""
    foot = _foot(model, width)
    room = max(1, height - len(foot))
    match model.mode:
        case Mode.HELP:
            body = _help(width)
        case Mode.MESSAGES:
            body = _messages(model, width, room)
        case _:
            body = _list(model, width, room, blocks=blocks)
    body = body[:room]
    lines = ([*body, *([[]] * (room - len(body))), *foot])[-height:]
    return lines if blocks else [[(style, _plain(text)) for style, text in line] for line in lines]


def _plain(text: str) -> str:
    return text.replace(ELLIPSIS, "~")


def _list(model: Model, width: int, height: int, *, blocks: bool) -> list[Line]:
    head = _heading(model, width)
    silent = _silent(model, width)
    details = _details(model, width, blocks=blocks)[: max(0, min(_DETAIL_LINES, height // 2))]
    room = max(1, height - len(head) - 1 - len(silent) - len(details))
    columns = _columns(model, width)
    rows = model.window(room)
    lines = [*head, _column_heads(model, columns, width)]
    for number, row in enumerate(rows, start=model.top):
        is_cursor = number == model.index
        lines.append(_row(model, row, columns, width, is_cursor=is_cursor, blocks=blocks))
    if not rows:
        lines.append([("", clip(_nothing(model), width))])
    lines += [[]] * (room - max(1, len(rows)))
    return [*lines, *details, *silent]


def _nothing(model: Model) -> str:
    if model.frame is None:
        return f"  {model.awaited or 'asking the hosts ...'}"
    return "  no job matches" if model.rows else "  no jobs"


def _heading(model: Model, width: int) -> list[Line]:
    frame = model.frame
    if frame is None:
        return [[("class:heading", "watch")]]
    phase = "held" if model.is_held else frame.phase
    parts = heading_parts(phase, frame.as_of, len(model.rows), len(model.hosts))
    if model.rate_bytes_s is not None:
        parts.append(units.rate(model.rate_bytes_s))
    narrowed = len(model.shown) != len(model.rows)
    if narrowed or model.filter or model.errors_only:
        parts.append(f"{len(model.shown):,} shown")
    if model.errors_only:
        parts.append("errors only")
    if model.filter:
        parts.append(f"filter: {neutral(model.filter)}")
    if model.marks:
        parts.append(f"{len(model.marks):,} marked")
    return [[("class:heading", clip(_GAP.join(parts), width))]]


def _silent(model: Model, width: int) -> list[Line]:
    hosts = model.silent
    if not hosts:
        return []
    text = f"not answering: {folded_names(hosts)}"
    why = [model.failed_hosts[host] for host in hosts if host in model.failed_hosts]
    if why:
        text += f"  ({neutral(why[0])})"
    return [[("class:warning", clip(text, width))]]


def _columns(model: Model, width: int) -> _Columns:
    host = 0
    if len(model.hosts) > 1:
        longest = max(display_width(neutral(name)) for name in model.hosts)
        host = min(_MOST_HOST, longest)
    shown = {
        "host": host,
        "name": _SHORT_NAME,
        "state": 15,
        "bar": _LEAST_BAR,
        "percent": 4,
        "amount": 17,
        "rate": 10,
        "spark": HISTORY,
        "left": 7,
    }
    room = width - 2  # the cursor and the mark
    for dropped in _DROPPED:
        if _taken(shown) > room:
            shown[dropped] = 0
    if _taken(shown) > room:
        shown["name"] = _LEAST_NAME
        last = {"percent": shown["percent"], "host": host}
        for gone in _DROPPED_AT_LAST:
            shown |= last | dict.fromkeys(gone, 0)
            if _taken(shown) <= room:
                break
    spare = room - _taken(shown)
    if spare < 0:
        shown["state"] = max(_LEAST_STATE, shown["state"] + spare)
        shown["name"] = max(1, shown["name"] + min(0, room - _taken(shown)))
    else:
        for column, most in (("name", 24), ("bar", _MOST_BAR), ("name", _MOST_NAME)):
            if shown[column]:
                more = min(spare, max(0, most - shown[column]))
                shown[column] += more
                spare -= more
    return _Columns(**shown)


def _taken(columns: dict[str, int]) -> int:
    widths = [width for width in columns.values() if width]
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _column_heads(model: Model, columns: _Columns, width: int) -> Line:
    arrow = "-" if model.is_reversed else "+"

    def head(name: str, cells: int, order: Order | None = None) -> str:
        text = f"{name}{arrow}" if order is model.order else name
        return pad(clip(text, cells), cells)

    shown = [
        (head("host", columns.host, Order.HOST), columns.host),
        (head("name", columns.name, Order.NAME), columns.name),
        (head("state", columns.state, Order.STATE), columns.state),
        (head("", columns.bar), columns.bar),
        (pad(head("done", 5, Order.DONE).strip(), columns.percent, "right"), columns.percent),
        (pad("size", columns.amount, "right"), columns.amount),
        (pad(head("rate", 5, Order.RATE).strip(), columns.rate, "right"), columns.rate),
        (head("", columns.spark), columns.spark),
        (pad(head("left", 5, Order.LEFT).strip(), columns.left, "right"), columns.left),
    ]
    text = "  " + _GAP.join(text for text, cells in shown if cells)
    return [("class:columns", clip(text.rstrip(), width))]


def _row(
    model: Model, row: WatchRow, columns: _Columns, width: int, *, is_cursor: bool, blocks: bool
) -> Line:
    job = row.job
    cursor = " class:selected" if is_cursor else ""
    colour = STATE_STYLES.get(job.state, "")
    style = colour + cursor
    lead = (">" if is_cursor else " ") + ("*" if key_of(job) in model.marks else " ")
    front = lead + _host(job, columns) + pad(clip(neutral(job.name), columns.name), columns.name)
    back = []
    if columns.percent:
        back.append(pad(units.percent(job.fraction), columns.percent, "right"))
    if columns.amount:
        back.append(pad(amount_done(job), columns.amount, "right"))
    if columns.rate:
        back.append(pad(units.rate(row.rate_bytes_s), columns.rate, "right"))
    bar = progress_bar(bar_fraction(job), columns.bar, blocks=blocks)
    # Never reversed: a bar would show what is missing, and a sparkline hang from above.
    spark = pad(
        sparkline(model.rates_of(job), columns.spark, blocks=blocks), columns.spark, "right"
    )
    left = pad(units.time_left(row.time_left_s), columns.left, "right") if columns.left else ""
    pieces: Line = [
        (cursor, front + _GAP),
        (style, pad(clip(job.state.name, columns.state), columns.state)),
        *([(cursor, _GAP), (colour, bar)] if bar else []),
        *([(cursor, _GAP + _GAP.join(back))] if back else []),
        *([(cursor, _GAP), (colour if spark.strip() else cursor, spark)] if spark else []),
        *([(cursor, _GAP + left)] if left else []),
    ]
    if sum(display_width(text) for _, text in pieces) <= width:
        return pieces
    return [(style, clip("".join(text for _, text in pieces), width))]


def _host(job: Job, columns: _Columns) -> str:
    if not columns.host:
        return ""
    return pad(clip_middle(neutral(job.host), columns.host), columns.host) + _GAP


def _details(model: Model, width: int, *, blocks: bool) -> list[Line]:
    row = model.selected
    if not model.has_details or row is None:
        return []
    job = row.job
    title = clip(f"--- {neutral(job.name)} on {neutral(job.host)} ", width)
    rate = f"{units.rate(row.rate_bytes_s)}, {units.time_left(row.time_left_s)} left"
    spark = sparkline(model.rates_of(job), HISTORY, blocks=blocks)
    pairs = [
        ("id", job.id),
        ("state", f"{job.state.name}, priority {job.priority.name.lower()}"),
        ("progress", f"{progress_amount(job)}, {files_done(job)} files"),
        ("rate", f"{rate}  {spark}".rstrip()),
        ("errors", f"{job.error_count:,} so far that BITS got over by itself"),
    ]
    lines: list[Line] = [[("class:heading", title + "-" * (width - display_width(title)))]]
    if row.error is not None:
        for text in job_error_lines(row.error, width):
            style = "" if text.startswith("next:") else "class:error"
            lines += [[(style, clip(part, width))] for part in wrapped(text, width, "    ")]
    for name, text in pairs:
        line = f"{name:<9} {neutral(text)}"
        parts = [line] if display_width(line) <= width else wrapped(line, width, "    ")
        lines += [[("", clip(part, width))] for part in parts]
    return lines


def _help(width: int) -> list[Line]:
    lines: list[Line] = [[("class:heading", clip("keys", width))], []]
    lines += [[("", clip(f"  {keys:<18}{what}", width))] for keys, what in HELP]
    return [*lines, [], [("class:keys", clip("any key goes back", width))]]


def _messages(model: Model, width: int, height: int) -> list[Line]:
    lines: list[Line] = [[("class:heading", clip("messages", width))]]
    texts: Sequence[str] = list(model.messages) or ["none"]
    wanted = [part for text in texts for part in wrapped(text, width, "    ")]
    lines += [[("", clip(text, width))] for text in wanted[-max(1, height - 2) :]]
    return [*lines, [("class:keys", clip("any key goes back", width))]]


def _foot(model: Model, width: int) -> list[Line]:
    """What is asked or said, and the keys."""
    match model.mode:
        case Mode.QUESTION | Mode.SECRET:
            typed = "" if model.mode is Mode.SECRET else neutral(model.typed)
            *above, last = [neutral(line) for line in model.question.splitlines() or [""]]
            asked = f"{last}{clip_middle(typed, width)}_"
            parts = [part for line in (*above, asked) for part in broken(line, width)]
            return [[("class:question", part)] for part in parts]
        case Mode.FILTER:
            return [[("class:question", clip_middle(f"filter: {neutral(model.filter)}_", width))]]
        case Mode.HELP | Mode.MESSAGES:
            return []
    said = model.busy or model.message
    keys = FOOTER if len(FOOTER) <= width else SHORT_FOOTER
    return [[("", clip(neutral(said), width))], [("class:keys", clip(keys, width))]]
