"""The loop: read a line, run it, say what came of it, until the person leaves."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from bitsshell.commands.first_words import is_leaving
from bitsshell.fleet.channels import InternalError
from bitsshell.readers_gone import is_reader_gone
from bitsshell.results import Ending, Output
from bitsshell.runbooks import runbooks
from bitsshell.shell import signals
from bitsshell.shell.lines import split_block
from bitsshell.shell.prompt import prompt_text
from bitsshell.shell.readers import LineReader, PromptReader, make_reader
from bitsshell.terminal import Asking, Ended, Terminal

if TYPE_CHECKING:
    from typing import TextIO

    from bitsshell.session import Session


_TERMINAL_GONE = frozenset({errno.EIO, errno.EBADF})


def run_shell(
    session: Session,
    *,
    output: Output | None = None,
    reader: LineReader | None = None,
    entered: str | None = None,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Run the shell on a session until the person leaves it; return the exit code, 0.

    Args:
        session: what the lines act on. The caller closes it.
        output: the form of answers when a line asks for none.
        reader: reads the lines; by default the best that the terminal can carry.
        entered: what the reader read before; its notices were said, too.
        out, err: where data goes, and what is said about it; by default the standard streams.
    """
    reader = reader or make_reader(session)
    terminal = Terminal(
        session,
        Asking(reader.ask),
        out=out,
        err=err,
        output=output,
        is_paged=True,
        full_screen=reader.full_screen if isinstance(reader, PromptReader) else None,
    )
    session.runbooks = session.runbooks or runbooks
    session.front = "shell"
    shell = Shell(session, reader, terminal)
    asked_before = session.credentials.ask
    session.credentials.ask = shell.ask_secret
    try:
        with signals.held():
            shell.run(entered)
    finally:
        reader.close()
        session.credentials.ask = asked_before
    return 0


class Shell:
    """Reads and runs lines."""

    def __init__(self, session: Session, reader: LineReader, terminal: Terminal) -> None:
        self.session = session
        self.reader = reader
        self.terminal = terminal

    def run(self, entered: str | None = None) -> None:
        """Until `exit`, `quit` or the end of the input. `entered` was read before."""
        if entered is None:
            for notice in self.reader.notices:
                self._say(notice)
        elif not self.run_block(entered):
            return
        while True:
            try:
                text = self.reader.read(prompt_text(self.session.targets, self.session.down))
            except KeyboardInterrupt:  # the line is given up
                continue
            except EOFError:
                return
            finally:
                signals.hold()
            if not self.run_block(text):
                return

    def run_block(self, text: str) -> bool:
        """Run what was entered; False when it leaves the shell.

        Of a pasted block nothing is run after a line that failed.
        """
        lines = split_block(text)
        for number, line in enumerate(lines, start=1):
            if is_leaving(line):
                return False
            is_well = self.run_line(line)
            left = len(lines) - number
            if not is_well and left:
                self._say(f"{left} more {'line was' if left == 1 else 'lines were'} not run")
                break
        return True

    def run_line(self, line: str) -> bool:
        """Run one line; whether all went well. Raises only when the terminal is gone."""
        try:
            return _is_well(self.terminal.run_line(line))
        except KeyboardInterrupt:  # the second one
            self._say("interrupted")
        except Exception as error:  # a defect must not take the session away
            if isinstance(error, OSError) and _is_terminal_gone(error):
                raise
            self.terminal.fail(InternalError(kind=type(error).__name__, detail=str(error)))
        finally:
            signals.hold()
        return False

    def ask_secret(self, prompt: str) -> str:
        """Ask for a password. The end of the input is a no, as Ctrl-C is."""
        try:
            return self.reader.ask_secret(prompt)
        except EOFError:
            raise KeyboardInterrupt from None

    def _say(self, text: str) -> None:
        self.terminal.err.write(f"{text}\n")
        self.terminal.err.flush()


def _is_terminal_gone(error: OSError) -> bool:
    return is_reader_gone(error) or error.errno in _TERMINAL_GONE


def _is_well(ended: Ended) -> bool:
    if ended.summary is None:
        return ended.error is None
    counts = ended.summary
    bad = counts.failed + counts.not_sent + counts.unknown + counts.unmet
    return counts.ending is Ending.COMPLETE and not bad
