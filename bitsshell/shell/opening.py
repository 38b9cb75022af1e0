"""A shell whose prompt stands before what it runs on is loaded.

The first prompt is bare. Once it is drawn, a thread loads the rest, and the prompt gets what it
lacks while the person types. Some keys, Enter and Tab above all, need the rest: where one comes too
early the prompt ends, the rest is waited for (Ctrl-C is heard), and the next prompt begins with the
same text and reads that key, and all that came behind it, as its first.
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.key_binding import KeyBindings

from bitsshell.shell import signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prompt_toolkit.key_binding import KeyPressEvent

    from bitsshell.results import Output
    from bitsshell.session import Session
    from bitsshell.shell.bare import BarePrompt
    from bitsshell.shell.readers import PromptReader

    Load = Callable[[], tuple[Session, Output | None]]


_TICK_S = 0.1
"""Windows hears no Ctrl-C during a wait, only after it."""


class _TooEarly(Exception):
    """A key came that needs what is not there yet; the line as it was before it."""

    def __init__(self, line: Document) -> None:
        super().__init__()
        self.line = line


def open_shell(bare: BarePrompt, load: Load) -> int:
    """Run the shell until the person leaves it; return the exit code, 0.

    Args:
        bare: the prompt to begin with.
        load: makes the session and says the form of answers when a line asks for none. It runs in
            a thread, once. The session is closed here.

    Raises:
        KeyboardInterrupt: Ctrl-C while there is nothing but to wait for `load`.
        Exception: what `load` raised; the prompt is gone from the screen.
    """
    bare.clear_line()
    _say(bare.notices)
    opening = _Opening(bare, load)
    try:
        with signals.held():
            try:
                entered = opening.read()
            except EOFError:
                return 0
            from bitsshell.shell.loop import run_shell

            session, output = opening.loaded.result()
            return run_shell(session, output=output, reader=opening.reader, entered=entered)
    finally:
        opening.close()


class _Opening:
    """Reads the first line, and loads meanwhile."""

    def __init__(self, bare: BarePrompt, load: Load) -> None:
        self.loaded: Future[tuple[Session, Output | None]] = Future()
        self.reader: PromptReader | None = None
        self._bare = bare
        self._load = load
        self._thread = threading.Thread(target=self._run, name="bitsshell-opening", daemon=True)

    def read(self) -> str:
        """The first line that is entered. Raises EOFError, and what `open_shell` raises."""
        lines, line = self._bare.lines, Document()
        lines.key_bindings = _early_keys()
        lines.app.after_render += self._begin
        while True:
            try:
                text = lines.prompt(default=line, pre_run=self._look)
            except KeyboardInterrupt:  # the line is given up
                line = Document()
            except _TooEarly as early:
                line = early.line
                self._wait()
            else:
                self._wait()  # there are more ways than Enter to accept a line
                return text

    def _look(self) -> None:
        """What was loaded between two prompts, when there was none to tell, arrives at this one."""
        loop = self._bare.lines.app.loop
        if self.loaded.done() and loop is not None:
            loop.call_soon(self._arrive)

    def _begin(self, _: object = None) -> None:
        """Load, from the moment on in which the prompt is drawn."""
        self._bare.lines.app.after_render -= self._begin
        self._thread.start()

    def _run(self) -> None:
        try:
            self.loaded.set_result(self._load())
        except BaseException as error:  # noqa: BLE001  # raised where it is waited for
            self.loaded.set_exception(error)
        loop = self._bare.lines.app.loop
        if loop is not None:
            with suppress(RuntimeError):  # the prompt ended just now, and it is waited for
                loop.call_soon_threadsafe(self._arrive)

    def _arrive(self) -> None:
        """What was loaded is there, while the prompt stands."""
        app = self._bare.lines.app
        if not app.is_running or app.is_done or self.reader is not None:
            return
        error = self.loaded.exception()
        if error is not None:
            app.erase_when_done = True
            app.exit(exception=error)
            return
        reader = self._furnish()
        for problem in reader.settings.problems:
            reader.say_above(problem)
        buffer = self._bare.lines.default_buffer
        if buffer.text and app.current_buffer is buffer:
            buffer.start_completion()  # as if the last letter had been typed just now
        app.invalidate()

    def _wait(self) -> None:
        """Wait for what is loaded, without a prompt."""
        from bitsshell.fleet.interrupts import raising

        with raising():
            while self._thread.is_alive():
                self._thread.join(_TICK_S)
        self.loaded.result()
        self._bare.lines.app.erase_when_done = False
        if self.reader is None:
            _say(self._furnish().settings.problems)

    def _furnish(self) -> PromptReader:
        """Give the prompt what it lacks."""
        from bitsshell.shell.readers import PromptReader

        session, _ = self.loaded.result()
        self.reader = PromptReader(session, self._bare)
        return self.reader

    def close(self) -> None:
        """Close the session, if it was made."""
        if self.loaded.done() and self.loaded.exception() is None:
            session, _ = self.loaded.result()
            session.close()


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


_NEEDING = ("enter", "tab", "escape", "f2", "c-o", "c-x")
"""What is run, completed or switched is not known before; Escape may be a key of vi."""


def _early_keys() -> KeyBindings:
    """Keys that cannot do what they do until the rest is there."""
    keys = KeyBindings()

    def leave(event: KeyPressEvent) -> None:
        event.key_processor.feed(event.key_sequence[-1], first=True)
        event.app.erase_when_done = True
        event.app.exit(exception=_TooEarly(event.current_buffer.document))

    for key in _NEEDING:
        keys.add(key, filter=has_focus(DEFAULT_BUFFER), eager=True)(leave)
    return keys
