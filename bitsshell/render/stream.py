"""From a verb's stream of events to text, in the form that the user chose."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from bitsshell.render.machine import CsvRenderer, JsonRenderer, NdjsonRenderer, TsvRenderer
from bitsshell.render.people import PeopleRenderer
from bitsshell.render.printer import Printer
from bitsshell.results import Output

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from bitsshell.results import Event

_USUAL_HEIGHT = 24


class Renderer(Protocol):
    """Takes the events of one command as they come.

    A broken pipe is raised from either method to the caller.
    """

    def feed(self, event: Event) -> None:
        """Take the next event; write what can be written now."""

    def close(self) -> None:
        """Write the rest. Always called, after an interrupt too; a second call does nothing."""


def make_renderer(
    output: Output,
    *,
    out: TextIO,
    err: TextIO,
    width: int,
    colour: bool = False,
    live: bool = False,
    watch_lines: bool = False,
    clock: Callable[[], datetime] | None = None,
    size: Callable[[], tuple[int, int]] | None = None,
    header: str = "",
) -> Renderer:
    """A renderer for one command.

    `out` gets data and `err` what is said about it. `live` says that `out` is a terminal on which a
    watch may be redrawn in place; elsewhere each of its changes is a line of NDJSON, or with
    `watch_lines` one for people. `size` gives its columns and lines then (asked of `out` itself by
    default). `clock` gives the present as an aware datetime, for ages. `header` is the first line
    of what rows are appended to; a header that says the same is not written again.
    """
    data, said = Printer(out), Printer(err, wraps=True)
    clock = clock or _now
    match output:
        case Output.JSON:
            return JsonRenderer(data, said, width=width, clock=clock)
        case Output.NDJSON:
            return NdjsonRenderer(data, said, width=width, clock=clock)
        case Output.CSV:
            return CsvRenderer(data, said, width=width, clock=clock, header=header)
        case Output.TSV:
            return TsvRenderer(data, said, width=width, clock=clock, header=header)
        case _:
            return PeopleRenderer(
                data,
                said,
                width=width,
                colour=colour,
                vertical=output is Output.VERTICAL,
                live=(size or _size_of(out, width)) if live else None,
                watch_lines=watch_lines,
                clock=clock,
            )


def _now() -> datetime:
    return datetime.now(UTC)


def _size_of(out: TextIO, width: int) -> Callable[[], tuple[int, int]]:
    def ask() -> tuple[int, int]:
        try:
            found = os.get_terminal_size(out.fileno())
        except (OSError, ValueError, AttributeError):
            return width, _USUAL_HEIGHT
        # Some consoles say 0 by 0 instead of failing.
        return found.columns or width, found.lines or _USUAL_HEIGHT

    return ask
