"""How the shell reads: lines, answers to questions, passwords.

`PromptReader` is prompt_toolkit with completion and history. `PlainReader` is `input()`, for a dumb
terminal and for where no console is.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from bitsshell.fleet.interrupts import raising
from bitsshell.render.text import neutral
from bitsshell.shell.consoles import can_prompt
from bitsshell.shell.lines import wants_more
from bitsshell.shell.prompt import STYLES, prompt_fragments, toolbar_fragments
from bitsshell.shell.settings import ShellSettings
from bitsshell.typed_ahead import forget_typed_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from bitsshell.commands import Invocation
    from bitsshell.results import Event
    from bitsshell.session import Session
    from bitsshell.shell.bare import BarePrompt


class LineReader(Protocol):
    """Reads from the person. Every method raises EOFError and KeyboardInterrupt."""

    notices: tuple[str, ...]
    """What to say before the first line."""

    def read(self, prompt: str) -> str:
        """One line, or a pasted block of them."""

    def ask(self, question: str) -> str:
        """The answer to a question, typed after it stands, and kept nowhere."""

    def ask_secret(self, prompt: str) -> str:
        """A password, without showing it or its length."""

    def close(self) -> None:
        """Nothing is read any more. Raises nothing."""


class PromptReader:
    """Reads with prompt_toolkit.

    Args:
        session: completion, colours and the toolbar look into it.
        bare: the prompt that gets them; it may stand on the screen already.
        settings: how it behaves under the fingers.
    """

    def __init__(
        self, session: Session, bare: BarePrompt, *, settings: ShellSettings | None = None
    ) -> None:
        from bitsshell.shell.refresher import Refresher

        self._session = session
        self.settings = settings or ShellSettings.of(session.config)
        self.notices = (*bare.notices, *self.settings.problems)
        self._input, self._output = bare.input, bare.output
        self._lines = bare.lines
        self._furnish()
        self._news: deque[str] = deque()
        self.refresher = Refresher(session, news=self.say_above, learned=self._lines.app.invalidate)

    def _furnish(self) -> None:
        """Give the prompt what it knows from the session. All of it is looked up when it draws."""
        from prompt_toolkit.enums import EditingMode
        from prompt_toolkit.filters import Condition
        from prompt_toolkit.output import ColorDepth
        from prompt_toolkit.styles import Style

        from bitsshell.shell.completer import SessionCompleter
        from bitsshell.shell.keys import key_bindings
        from bitsshell.shell.lexer import SessionLexer

        lines, session, settings = self._lines, self._session, self.settings
        lines.message = lambda: prompt_fragments(session)
        lines.completer = SessionCompleter(session)
        lines.lexer = SessionLexer(session)
        lines.style = Style.from_dict(STYLES)
        lines.color_depth = None if settings.has_colour else ColorDepth.DEPTH_1_BIT
        lines.key_bindings = key_bindings(self._switch_toolbar)
        lines.bottom_toolbar = self._toolbar if settings.has_toolbar else None
        lines.multiline = Condition(lambda: wants_more(lines.default_buffer.text))
        lines.editing_mode = EditingMode.VI if settings.is_vi else EditingMode.EMACS

    def _toolbar(self) -> StyleAndTextTuples:
        return toolbar_fragments(self._session, self._session.clock.now())

    def _switch_toolbar(self) -> None:
        lines = self._lines
        lines.bottom_toolbar = self._toolbar if lines.bottom_toolbar is None else None

    def read(self, prompt: str) -> str:
        """One line, or a pasted block. The prompt is its own, for it changes while it stands."""
        del prompt
        while self._news:
            self._write(self._news.popleft())
        if self.settings.refreshes:
            self.refresher.resume()
        try:
            return self._lines.prompt()
        finally:
            self.refresher.pause()

    def say_above(self, text: str) -> None:
        """Say something above the prompt, or before the next one. From any thread."""
        self._news.append(text)
        app = self._lines.app
        loop = app.loop
        if app.is_running and loop is not None:
            with suppress(RuntimeError):  # it ended just now: the next prompt says it
                loop.call_soon_threadsafe(self._say_now)

    def _say_now(self) -> None:
        from prompt_toolkit.application import run_in_terminal

        if self._lines.app.is_running and self._news:
            run_in_terminal(self._write_all)

    def _write_all(self) -> None:
        while self._news:
            self._write(self._news.popleft())

    def _write(self, text: str) -> None:
        output = self._lines.app.output
        output.write(neutral(text))
        output.write_raw("\r\n")
        output.flush()

    def ask(self, question: str) -> str:
        """The answer to a question, kept nowhere. What was typed before it stands is none."""
        from prompt_toolkit import PromptSession
        from prompt_toolkit.input.typeahead import clear_typeahead

        asking: PromptSession[str] = PromptSession(input=self._input, output=self._output)
        source = asking.app.input
        if forget_typed_ahead(source):
            clear_typeahead(source)
        return asking.prompt(question)

    def ask_secret(self, prompt: str) -> str:
        """A password, without showing it or its length."""
        from prompt_toolkit import PromptSession

        from bitsshell.shell.unseen import Unseen

        asking: PromptSession[str] = PromptSession(
            input_processors=[Unseen()], input=self._input, output=self._output
        )
        return asking.prompt(prompt)

    def full_screen(
        self, session: Session, invocation: Invocation, *, colour: bool
    ) -> Iterator[Event]:
        """Show a watch on the whole of this terminal."""
        from bitsshell.shell.live import LiveView

        view = LiveView(session, colour=colour, input=self._input, output=self._output)
        return view.watch(invocation)

    def close(self) -> None:
        """Read no more, also not in the background."""
        self.refresher.close()


class PlainReader:
    """Reads with `input()`. Prompts go to the error stream, for the other may be a file."""

    notices: tuple[str, ...] = ()

    def read(self, prompt: str) -> str:
        """One line."""
        sys.stderr.write(prompt)
        sys.stderr.flush()
        try:
            with raising():
                return input()
        except (EOFError, KeyboardInterrupt):
            sys.stderr.write("\n")
            raise

    def ask(self, question: str) -> str:
        """The same. What was typed before it stands is no answer."""
        forget_typed_ahead(sys.stdin)
        return self.read(question)

    def ask_secret(self, prompt: str) -> str:
        """A password, without echo."""
        with raising():
            return getpass.getpass(prompt)

    def close(self) -> None:
        """Nothing is left open."""


def make_reader(
    session: Session, history: Path | None = None, environment: Mapping[str, str] = os.environ
) -> LineReader:
    """The best reader that this terminal can carry."""
    if not can_prompt(environment):
        return PlainReader()
    from bitsshell.shell.bare import bare_prompt

    bare = bare_prompt(history)
    if bare is None:
        return PlainReader()
    bare.clear_line()
    return PromptReader(session, bare)
