"""Where a command's events go while it runs: nowhere, onto text streams, or in place in a cell.

What is shown while the command runs need not be shown again as its value: `finish` says whether it
stands there already.
"""

from __future__ import annotations

import html
import sys
from collections import deque
from typing import TYPE_CHECKING, Any, TextIO, cast

from IPython import display

from bitsshell.api.running import EventView, Settings, Unseen
from bitsshell.api.sets import rates_line
from bitsshell.api.texts import TEXT_WIDTH, scrubbed_html
from bitsshell.commands import Invocation, Nobody
from bitsshell.known_secrets import scrub
from bitsshell.render import Output, frame_html, frame_text
from bitsshell.render.outcomes import job_change_line
from bitsshell.render.text import prose
from bitsshell.results import Event, Frame, JobChange, Notice
from bitsshell.terminal import Terminal
from magics.hints import bundle_for_notebook
from magics.people import is_kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitsshell.api.answers import Answer
    from bitsshell.api.timeline import Timeline
    from bitsshell.fleet.clock import Clock
    from bitsshell.session import Session
    from magics.core import Core

FRAME_INTERVAL_S = 1.0
"""Frames of a watch are shown at most this often, however often the hosts are asked: more keeps a
browser busy."""

_NOTICES = 5
_display: Any = display.display  # IPython has no types for it


class _Scrubbed:
    """A text stream that writes no known secret."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text without them."""
        return self._stream.write(scrub(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Streamed:
    """Text on standard output, as the command line writes it."""

    def __init__(self, session: Session, output: Output | None) -> None:
        out, err = (cast("TextIO", _Scrubbed(stream)) for stream in (sys.stdout, sys.stderr))
        terminal = Terminal(session, Nobody(), out=out, err=err)
        self._renderer = terminal.renderer(output)

    def feed(self, event: Event, timeline: Timeline) -> None:
        """Write what can be written now."""
        del timeline
        self._renderer.feed(event)

    def finish(self, answer: Answer[Any]) -> bool:
        """Write the rest."""
        del answer
        self._renderer.close()
        return True


class Changes:
    """A line for each change of a state and for what is said, where nobody looks on."""

    def feed(self, event: Event, timeline: Timeline) -> None:
        """Write it, if it is one."""
        del timeline
        if isinstance(event, Notice):
            print(scrub(prose(event.text)))  # noqa: T201  # the log of the run
        elif isinstance(event, JobChange) and event.kind != "progress":
            print(scrub(job_change_line(event)))  # noqa: T201

    def finish(self, answer: Answer[Any]) -> bool:
        """The answer is still to be shown."""
        del answer
        return False


class InPlace:
    """One display of a cell, updated as frames come; in the end it holds the whole answer.

    What is saved with the notebook is that last state, so it needs no widgets to be seen again.
    """

    def __init__(self, clock: Clock, settings: Settings | None = None) -> None:
        self._clock = clock
        self._settings = settings or Settings()
        self._handle: Any = None
        self._shown_at_s: float | None = None
        self._frame: Frame | None = None
        self._notices: deque[str] = deque(maxlen=_NOTICES)

    def feed(self, event: Event, timeline: Timeline) -> None:
        """Show a frame when it is time for one, and at once what is said to the person."""
        if isinstance(event, Notice):
            self._notices.append(scrub(prose(event.text)))
            self._show(self._bundle(timeline.rates))
        elif isinstance(event, Frame):
            self._frame = event
            if event.is_final or self._is_due():
                self._shown_at_s = self._clock.monotonic()
                self._show(self._bundle(timeline.rates))

    def finish(self, answer: Answer[Any]) -> bool:
        """Put the answer in place of what was shown, if anything was."""
        if self._handle is None:
            return False
        self._show(answer_bundle(answer))
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

    def _bundle(self, rates: Sequence[float | None]) -> dict[str, Any]:
        said = "".join(f"<div>{html.escape(notice)}</div>" for notice in self._notices)
        if self._frame is None:
            return {"text/plain": "\n".join(self._notices), "text/html": said}
        bundle = frame_bundle(self._frame, rates, self._settings)
        return {
            "text/plain": "\n".join([bundle["text/plain"], *self._notices]),
            "text/html": bundle["text/html"] + said,
        }


def answer_bundle(answer: Answer[Any]) -> dict[str, Any]:
    """An answer in the forms that a notebook shows, in the words of one."""
    return bundle_for_notebook(answer._repr_mimebundle_())


def frame_bundle(frame: Frame, rates: Sequence[float | None], settings: Settings) -> dict[str, Any]:
    """One frame in the forms that a notebook shows, with the rate over time."""
    text = frame_text(frame, TEXT_WIDTH, limit=settings.row_limit)
    line = rates_line(rates)
    return {
        "text/plain": scrub(f"{text}\n{line}" if line else text),
        "text/html": scrubbed_html(frame_html(frame, limit=settings.row_limit, rates=rates)),
    }


def view_for(core: Core, invocation: Invocation, *, is_quiet: bool) -> EventView:
    """How one command shows itself in this shell."""
    session = core.session
    if is_quiet:
        return Unseen(is_enough=True)
    if invocation.output not in {None, Output.TABLE}:
        return Streamed(session, invocation.output)
    if not _takes_time(invocation):
        return Unseen()
    if core.is_batch:
        return Changes()
    if is_kernel(core.shell):
        return InPlace(session.clock, core.engine.settings)
    return Streamed(session, invocation.output)


def _takes_time(invocation: Invocation) -> bool:
    """Whether a verb stays with jobs for a while, so that a person must see something meanwhile."""
    return invocation.context is not None and "interval" in invocation.context.params
