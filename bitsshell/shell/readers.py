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

from bitsshell.render.text import neutral
from bitsshell.shell.lines import wants_more
from bitsshell.shell.prompt import STYLES, prompt_fragments, toolbar_fragments
from bitsshell.shell.settings import ShellSettings
from bitsshell.shell.signals import raising

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from prompt_toolkit import PromptSession
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output

    from bitsshell.commands import Invocation
    from bitsshell.results import Event
    from bitsshell.session import Session
    from bitsshell.shell.history import ShellHistory

_MENU_LINES = 6
_TOOLBAR_S = 1.0
"""How often the toolbar's ages are drawn anew."""


class LineReader(Protocol):
    """Reads from the person. Every method raises EOFError and KeyboardInterrupt."""

    notices: tuple[str, ...]
    """What to say before the first line."""

    def read(self, prompt: str) -> str:
        """One line, or a pasted block of them."""

    def ask(self, question: str) -> str:
        """The answer to a question, kept nowhere."""

    def ask_secret(self, prompt: str) -> str:
        """A password, without showing it or its length."""

    def close(self) -> None:
        """Nothing is read any more. Raises nothing."""


class PromptReader:
    """Reads with prompt_toolkit.

    Args:
        session: completion, colours and the toolbar look into it.
        history: the file to keep lines in.
        settings: how it behaves under the fingers.
        input, output: another terminal than this process's own.

    Raises:
        OSError, NoConsoleScreenBufferError: there is no console.
    """

    def __init__(
        self,
        session: Session,
        history: Path,
        *,
        settings: ShellSettings | None = None,
        input: Input | None = None,  # noqa: A002  # prompt_toolkit's own word
        output: Output | None = None,
    ) -> None:
        from bitsshell.shell.history import ShellHistory
        from bitsshell.shell.refresher import Refresher

        self._session = session
        self.settings = settings or ShellSettings.of_environment()
        kept = ShellHistory(history)
        self.notices = tuple(
            line for line in (FIRST_HINT if kept.is_new else None, kept.problem) if line
        )
        self._input, self._output = input, output
        self._lines = self._prompt_session(kept)
        self._news: deque[str] = deque()
        self.refresher = Refresher(session, news=self.say_above, learned=self._lines.app.invalidate)

    def _prompt_session(self, history: ShellHistory) -> PromptSession[str]:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
        from prompt_toolkit.filters import Condition
        from prompt_toolkit.output import ColorDepth
        from prompt_toolkit.styles import Style

        from bitsshell.shell.completer import SessionCompleter
        from bitsshell.shell.keys import key_bindings
        from bitsshell.shell.lexer import SessionLexer

        session = self._session
        has_colour = self.settings.has_colour and session.config.colour

        return PromptSession(
            lambda: prompt_fragments(session),
            history=history,
            completer=SessionCompleter(session),
            complete_while_typing=True,
            auto_suggest=AutoSuggestFromHistory(),
            lexer=SessionLexer(session),
            style=Style.from_dict(STYLES),
            color_depth=None if has_colour else ColorDepth.DEPTH_1_BIT,
            key_bindings=key_bindings(self._switch_toolbar),
            bottom_toolbar=self._toolbar if self.settings.has_toolbar else None,
            refresh_interval=_TOOLBAR_S,
            multiline=Condition(lambda: wants_more(self._lines.default_buffer.text)),
            prompt_continuation=_continuation,
            vi_mode=self.settings.is_vi,
            enable_open_in_editor=True,
            reserve_space_for_menu=_MENU_LINES,
            enable_suspend=True,
            input=self._input,
            output=self._output,
        )

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
        """The answer to a question, kept nowhere."""
        from prompt_toolkit import PromptSession

        asking: PromptSession[str] = PromptSession(input=self._input, output=self._output)
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


def _continuation(width: int, line: int, is_wrapped: int) -> str:
    """What stands in front of a line that goes on another one."""
    del line, is_wrapped
    return "." * max(0, width - 1) + " "


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

    ask = read

    def ask_secret(self, prompt: str) -> str:
        """A password, without echo."""
        with raising():
            return getpass.getpass(prompt)

    def close(self) -> None:
        """Nothing is left open."""


FIRST_HINT = "help lists the verbs, use HOST chooses a host, Tab completes, exit leaves"


def make_reader(
    session: Session, history: Path, environment: Mapping[str, str] = os.environ
) -> LineReader:
    """The best reader that this terminal can carry."""
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if environment.get("TERM") == "dumb" or not is_terminal:
        return PlainReader()
    try:
        return PromptReader(session, history)
    except _no_console():
        return PlainReader()


def _no_console() -> tuple[type[Exception], ...]:
    """What prompt_toolkit raises where there is a terminal in name only."""
    if sys.platform == "win32":
        from prompt_toolkit.output.win32 import NoConsoleScreenBufferError

        return (OSError, NoConsoleScreenBufferError)
    return (OSError,)
