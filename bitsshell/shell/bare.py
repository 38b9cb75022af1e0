"""The prompt before it knows anything: keys, history, and what it suggests.

It is all that is imported before a shell's first prompt stands, so nothing here, nor what it
imports, may need the rest of the package. `PromptReader` gives it what a session knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import DummyCompleter
from prompt_toolkit.filters import Condition

from bitsshell.shell.consoles import no_console
from bitsshell.shell.history import ShellHistory
from bitsshell.state_files import history_file

if TYPE_CHECKING:
    from pathlib import Path

    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output

NO_TARGET = "bits> "
"""The prompt of a shell that acts on no host yet."""
FIRST_HINT = "help lists the verbs, use HOST chooses a host, Tab completes, exit leaves"
_MENU_LINES = 6
_TOOLBAR_S = 1.0
"""How often the toolbar's ages are drawn anew."""


class BarePrompt:
    """prompt_toolkit's prompt with a history, on this process's terminal or another one.

    Raises:
        OSError, NoConsoleScreenBufferError: there is no console.
    """

    def __init__(
        self,
        history: Path,
        *,
        input: Input | None = None,  # noqa: A002  # prompt_toolkit's own word
        output: Output | None = None,
    ) -> None:
        kept = ShellHistory(history)
        self.notices = tuple(
            line for line in (FIRST_HINT if kept.is_new else None, kept.problem) if line
        )
        self.input, self.output = input, output
        self.lines: PromptSession[str] = PromptSession(
            NO_TARGET,
            history=kept,
            completer=DummyCompleter(),  # so that the menu's place is kept from the first key on
            # An empty line needs no place for a menu: what the last command said stays in sight.
            complete_while_typing=Condition(lambda: bool(self.lines.default_buffer.text)),
            auto_suggest=AutoSuggestFromHistory(),
            refresh_interval=_TOOLBAR_S,
            prompt_continuation=_continuation,
            reserve_space_for_menu=_MENU_LINES,
            enable_suspend=True,
            input=input,
            output=output,
        )
        self.lines.app.before_render += self._clear_once

    def clear_line(self) -> None:
        """Take away what the terminal itself showed of keys that came before anybody read them.

        The prompt shows them again, and would begin behind them.
        """
        output = self.lines.output
        output.write_raw("\r")
        output.erase_end_of_line()
        output.flush()

    def _clear_once(self, _: object) -> None:
        """At the first prompt, from which on the terminal itself shows no key."""
        self.lines.app.before_render -= self._clear_once
        self.clear_line()


def _continuation(width: int, line: int, is_wrapped: int) -> str:
    """What stands in front of a line that goes on another one."""
    del line, is_wrapped
    return "." * max(0, width - 1) + " "


def bare_prompt(history: Path | None = None) -> BarePrompt | None:
    """The prompt of this process's terminal; None where that cannot carry one."""
    try:
        return BarePrompt(history or history_file())
    except no_console():
        return None
