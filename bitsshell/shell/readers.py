"""How the shell reads: lines, answers to questions, passwords.

`PromptReader` is prompt_toolkit with completion and history. `PlainReader` is `input()`, for a dumb
terminal and for where no console is.
"""

from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING, Protocol

from bitsshell.shell.signals import raising

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output

    from bitsshell.session import Session

_MENU_LINES = 6


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


class PromptReader:
    """Reads with prompt_toolkit.

    Args:
        session: completion looks into it.
        history: the file to keep lines in.
        input, output: another terminal than this process's own.

    Raises:
        OSError, NoConsoleScreenBufferError: there is no console.
    """

    def __init__(
        self,
        session: Session,
        history: Path,
        *,
        input: Input | None = None,  # noqa: A002  # prompt_toolkit's own word
        output: Output | None = None,
    ) -> None:
        from prompt_toolkit import PromptSession

        from bitsshell.shell.completer import SessionCompleter
        from bitsshell.shell.history import ShellHistory
        from bitsshell.shell.keys import key_bindings

        kept = ShellHistory(history)
        self.notices = tuple(
            line for line in (FIRST_HINT if kept.is_new else None, kept.problem) if line
        )
        self._input, self._output = input, output
        self._lines: PromptSession[str] = PromptSession(
            history=kept,
            completer=SessionCompleter(session),
            complete_while_typing=True,
            key_bindings=key_bindings(),
            reserve_space_for_menu=_MENU_LINES,
            enable_suspend=True,
            input=input,
            output=output,
        )

    def read(self, prompt: str) -> str:
        """One line, or a pasted block of them."""
        return self._lines.prompt(prompt)

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
