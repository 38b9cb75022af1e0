"""The watch's stream of events in a thread of its own, and the commands that run in its pauses.

One thread does all that touches the session, so that a poll and a command never meet. It is the
same stream that a pipe gets: the verb's own, through the dispatcher. Commands go through the
dispatcher too, so that they are asked about, refused and written down as if they were typed.
"""

from __future__ import annotations

import queue
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

from bitsshell.commands import Dispatcher, Interaction
from bitsshell.errors import BitsShellError
from bitsshell.render.messages import counts_line, ending_line
from bitsshell.render.outcomes import change_line
from bitsshell.render.plans import plan_lines
from bitsshell.render.text import counted
from bitsshell.results import Event, Frame, JobChange, Notice, Outcome, Planned, Summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bitsshell.commands import Invocation
    from bitsshell.session import Session
    from bitsshell.shell.live.keys import Command

_TICK_S = 0.1
_PLAN_WIDTH = 100


class Listener(Protocol):
    """Hears what happens in the thread. It is called in that thread."""

    def event(self, event: Event) -> None:
        """An event of the watch."""

    def busy(self, text: str) -> None:
        """What is being done now; an empty text for nothing."""

    def ended(self) -> None:
        """The thread is at its end; nothing comes any more."""


class Stream:
    """Runs one invocation of `watch` in a thread.

    Args:
        session: where it runs. Nobody else may use it until the thread has ended.
        invocation: the watch, parsed.
        interaction: asks the person about commands.
        listener: hears of everything.
    """

    def __init__(
        self,
        session: Session,
        invocation: Invocation,
        interaction: Interaction,
        listener: Listener,
    ) -> None:
        self.session = session
        self.invocation = invocation
        self.dispatcher = Dispatcher(session, interaction)
        self.listener = listener
        self.error: BaseException | None = None
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._told: list[Event] = []
        self._frame: Frame | None = None
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def submit(self, command: Command) -> None:
        """Run a command as soon as the poll that is under way is over."""
        self._commands.put(command)

    def stop(self) -> None:
        """Wind up: a command or poll under way is cut off, and says of each host what became of it.

        Returns when the thread has ended. Ctrl-C raises KeyboardInterrupt as usual.
        """
        while self._thread.is_alive():
            # Again and again: a command that begins at this moment forgets what was before it.
            self.session.interrupts.set()
            self._thread.join(_TICK_S)

    def kept(self) -> Iterator[Event]:
        """What stays on the screen after the view: everything that was said, and the last frame."""
        yield from (event for event in self._told if not isinstance(event, Outcome | Summary))
        if self._frame is not None:
            yield self._frame
        yield from (event for event in self._told if isinstance(event, Outcome | Summary))

    def _work(self) -> None:
        self.invocation.call.pause = self._pause
        try:
            with closing(self.dispatcher.events(self.invocation)) as events:  # type: ignore[type-var]
                for event in events:
                    self._keep(event)
                    self.listener.event(event)
        except BaseException as error:  # noqa: BLE001  # it is raised again in the main thread
            self.error = error
        finally:
            self.listener.ended()

    def _keep(self, event: Event) -> None:
        if isinstance(event, Frame):
            self._frame = event
        elif not isinstance(event, JobChange):
            self._told.append(event)

    def _pause(self, seconds: float) -> None:
        """Let the time between two polls pass, or run commands and poll at once."""
        clock = self.session.clock
        end = clock.monotonic() + seconds
        while True:
            self.session.pause(0.0)  # raises where somebody stopped
            left = end - clock.monotonic()
            if left <= 0:
                return
            try:
                command = self._commands.get(timeout=min(left, _TICK_S))
            except queue.Empty:
                continue
            self._run(command)
            end = clock.monotonic()

    def _run(self, command: Command) -> None:
        self.listener.busy(f"{command.verb}: {counted(len(command.ids), 'job')} ...")
        try:
            invocation = self.dispatcher.parse(command.words)
            for event in self.dispatcher.events(invocation):
                for text in _said(event):
                    self._say(text)
        except BitsShellError as error:
            self._say(f"{command.verb}: {'; '.join(error.lines())}")
        finally:
            self.listener.busy("")

    def _say(self, text: str) -> None:
        notice = Notice(text)
        self._keep(notice)
        self.listener.event(notice)


def _said(event: Event) -> list[str]:
    """What a command says, as lines."""
    match event:
        case Notice(text=text):
            return [text]
        case Planned(plan=plan):
            headline, *steps = plan_lines(plan, _PLAN_WIDTH)
            return [*steps, headline]  # the last stays in sight: that nothing was sent
        case Outcome(error=error) if error is not None:
            return [f"{event.status.value}: {error.lines()[0]}"]
        case Outcome():
            return [change_line(event)]
        case Summary():
            line = ending_line(event) or counts_line(event)
            return [line] if line else []
        case _:
            return []
