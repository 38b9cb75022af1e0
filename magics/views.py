"""Where a command's events go while it runs: nowhere, onto text streams, or in place in a cell.

What is shown while the command runs need not be shown again as its value: `finish` says whether it
stands there already.
"""

from __future__ import annotations

import html
import sys
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from IPython import display

from bitsshell.commands import Invocation, Nobody
from bitsshell.render import Output, frame_html, frame_text
from bitsshell.render.text import prose
from bitsshell.results import Event, Frame, Notice
from bitsshell.terminal import Terminal
from magics.objects import TEXT_WIDTH
from magics.people import is_kernel

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from bitsshell.fleet.clock import Clock
    from bitsshell.session import Session
    from magics.objects import Result

FRAME_INTERVAL_S = 1.0
"""Frames of a watch are shown at most this often, however often the hosts are asked: more keeps a
browser busy."""

_NOTICES = 5
_display: Any = display.display  # IPython has no types for it


class EventView(Protocol):
    """Takes the events of one command as they come."""

    def feed(self, event: Event) -> None:
        """Take the next event."""

    def finish(self, result: Result) -> bool:
        """Show what is left to show; whether the result needs no other display. Always called."""


class Unseen:
    """Shows nothing while the command runs, and nothing after it either if that `is_enough`."""

    def __init__(self, *, is_enough: bool) -> None:
        self.is_enough = is_enough

    def feed(self, event: Event) -> None:
        """Leave it to the result."""

    def finish(self, result: Result) -> bool:
        """Nothing was shown."""
        del result
        return self.is_enough


class Streamed:
    """Text on standard output, as the command line writes it."""

    def __init__(self, session: Session, output: Output | None) -> None:
        terminal = Terminal(session, Nobody(), out=sys.stdout, err=sys.stderr)
        self._renderer = terminal.renderer(output)

    def feed(self, event: Event) -> None:
        """Write what can be written now."""
        self._renderer.feed(event)

    def finish(self, result: Result) -> bool:
        """Write the rest."""
        del result
        self._renderer.close()
        return True


class InPlace:
    """One display of a cell, updated as frames come; in the end it holds the whole result.

    What is saved with the notebook is that last state, so it needs no widgets to be seen again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._handle: Any = None
        self._shown_at_s: float | None = None
        self._frame: Frame | None = None
        self._notices: deque[str] = deque(maxlen=_NOTICES)

    def feed(self, event: Event) -> None:
        """Show a frame when it is time for one, and at once what is said to the person."""
        if isinstance(event, Notice):
            self._notices.append(prose(event.text))
            self._show(self._bundle())
        elif isinstance(event, Frame):
            self._frame = event
            if event.is_final or self._is_due():
                self._shown_at_s = self._clock.monotonic()
                self._show(self._bundle())

    def finish(self, result: Result) -> bool:
        """Put the result in place of what was shown, if anything was."""
        if self._handle is None:
            return False
        self._show(result._repr_mimebundle_())
        return True

    def _is_due(self) -> bool:
        if self._shown_at_s is None:
            return True
        return self._clock.monotonic() - self._shown_at_s >= FRAME_INTERVAL_S

    def _show(self, bundle: dict[str, Any]) -> None:
        if self._handle is None:
            self._handle = _display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def _bundle(self) -> dict[str, Any]:
        said = "".join(f"<div>{html.escape(notice)}</div>" for notice in self._notices)
        if self._frame is None:
            return {"text/plain": "\n".join(self._notices), "text/html": said}
        return {
            "text/plain": "\n".join([frame_text(self._frame, TEXT_WIDTH), *self._notices]),
            "text/html": frame_html(self._frame) + said,
        }


def view_for(
    shell: InteractiveShell, session: Session, invocation: Invocation, *, is_quiet: bool
) -> EventView:
    """How one command shows itself in this shell."""
    if is_quiet:
        return Unseen(is_enough=True)
    if invocation.output not in {None, Output.TABLE}:
        return Streamed(session, invocation.output)
    if not _takes_time(invocation):
        return Unseen(is_enough=False)
    if is_kernel(shell):
        return InPlace(session.clock)
    return Streamed(session, invocation.output)


def _takes_time(invocation: Invocation) -> bool:
    """Whether a verb stays with jobs for a while, so that a person must see something meanwhile."""
    return invocation.context is not None and "interval" in invocation.context.params
