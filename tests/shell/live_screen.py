"""The live view on an emulated screen, with keys from a pipe."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyte
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from bitsshell.commands import Dispatcher, tokenize
from bitsshell.results import Event, Frame, Outcome, Summary
from bitsshell.shell.live import LiveView

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.input import PipeInput

    from bitsshell.session import Session

COLUMNS, LINES = 130, 24
PATIENCE_S = 60.0


class Emulated(io.StringIO):
    """A stream whose text goes onto a screen."""

    def __init__(self) -> None:
        super().__init__()
        self.screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.Stream(self.screen)

    def write(self, text: str) -> int:
        self._stream.feed(text)
        return super().write(text)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)


@dataclass
class Seen:
    """What a view left behind, and every screen that it showed."""

    events: list[Event] = field(default_factory=list)
    screens: list[str] = field(default_factory=list)
    written: str = ""

    @property
    def summary(self) -> Summary:
        (summary,) = [event for event in self.events if isinstance(event, Summary)]
        return summary

    @property
    def last_frame(self) -> Frame:
        (frame,) = [event for event in self.events if isinstance(event, Frame)]
        return frame

    @property
    def outcomes(self) -> list[Outcome]:
        return [event for event in self.events if isinstance(event, Outcome)]


Step = tuple["str | Callable[[str], bool]", str]
"""What must be on the screen, and the keys to press then."""


class _Person:
    """Presses keys as soon as the screen is as wanted. It presses nothing too early."""

    def __init__(
        self, view: LiveView, screen: Emulated, pipe: PipeInput, steps: list[Step], seen: Seen
    ) -> None:
        self.screen, self.pipe, self.steps, self.seen = screen, pipe, steps, seen
        view.application.after_render += lambda _: self._look()

    def _look(self) -> None:
        text = self.screen.text
        self.seen.screens.append(text)
        if not self.steps:
            return
        wanted, keys = self.steps[0]
        if wanted(text) if callable(wanted) else wanted in text:
            self.steps.pop(0)
            self.pipe.send_text(keys)


def look_at(
    session: Session, line: str, *steps: Step, colour: bool = True, seen: Seen | None = None
) -> Seen:
    """Run a watch on an emulated screen; what it showed, and what it left, also if it raises."""
    seen, screen, left = seen or Seen(), Emulated(), list(steps)
    with create_pipe_input() as pipe:
        output = Vt100_Output(screen, lambda: Size(LINES, COLUMNS), term="xterm-256color")
        view = LiveView(session, colour=colour, input=pipe, output=output)
        _Person(view, screen, pipe, left, seen)
        invocation = Dispatcher(session).parse(tokenize(line))
        given_up = threading.Event()

        def give_up() -> None:
            given_up.set()
            pipe.send_text("\x03")

        giving_up = threading.Timer(PATIENCE_S, give_up)
        giving_up.start()
        try:
            seen.events.extend(view.watch(invocation))
        finally:
            giving_up.cancel()
            seen.written = screen.getvalue()
    shown = seen.screens[-1] if seen.screens else ""
    assert not left, f"never saw {left}; the last screen was\n{shown}"
    assert not given_up.is_set(), f"it never ended; the last screen was\n{shown}"
    return seen
