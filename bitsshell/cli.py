"""The `bitsshell` command: one verb, some lines, a script, or the shell.

The only place with exit codes (design section 5). Imports that take time stand where they are used,
so that `--version` answers at once.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bitsshell import __version__

if TYPE_CHECKING:
    from bitsshell.results import Summary
    from bitsshell.session import Session
    from bitsshell.terminal import Ended, Terminal

OK, SOME_FAILED, USAGE, ALL_FAILED, LIMIT, NEEDS_PERSON, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
BROKEN_PIPE = 141
"""What a shell reports of a program that SIGPIPE ended; ours ends itself."""

USAGE_TEXT = """\
usage: bitsshell [OPTIONS]                     the shell
       bitsshell [OPTIONS] VERB ...            one verb (bitsshell help: all of them)
       bitsshell [OPTIONS] -c LINE [-c LINE]   several lines; the first that fails ends it
       bitsshell [OPTIONS] SCRIPT              the lines of a file; - reads standard input
       bitsshell demo                          the four steps on a practice fleet, then the shell
       bitsshell practice --hosts N [--json]   a practice fleet in the foreground
       bitsshell --version

OPTIONS are those of every verb (-H, --user, --auth, -o ...); given here they hold for every line.
The password comes from BITSSHELL_PASSWORD, or it is asked for; it is never an argument.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the console command: run and exit."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run a command line; return the exit code."""
    _prepare_streams()
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python would complain once more when it flushes at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def _run(arguments: list[str]) -> int:
    match arguments:
        case ["--version" | "-V"]:
            print(f"bitsshell {__version__}")  # noqa: T201
            return OK
        case ["--help" | "-h"]:
            print(USAGE_TEXT, end="")  # noqa: T201
            return OK
        case ["practice", *rest]:
            return _practice(rest)
        case ["demo", *rest]:
            return _demo(rest)
    return _session(arguments)


def _practice(arguments: list[str]) -> int:
    if not _has_practice():
        return USAGE
    from bitsshell.practice.command import practice

    practice.main(arguments, prog_name="bitsshell practice")
    return OK


def _demo(arguments: list[str]) -> int:
    if not _has_practice():
        return USAGE
    from bitsshell.demo import demo

    return demo(arguments, exit_code=exit_code)


def _has_practice() -> bool:
    from importlib.util import find_spec

    if find_spec("aiohttp") is not None:
        return True
    sys.stderr.write(
        "the practice fleet is not installed\nnext: pip install 'bitsshell[practice]'\n"
    )
    return False


def _session(arguments: list[str]) -> int:
    from bitsshell.commands.front import front_options
    from bitsshell.errors import BitsShellError
    from bitsshell.fleet.credentials import Credentials
    from bitsshell.render import Output
    from bitsshell.session import Session
    from bitsshell.terminal import Asking, Terminal

    is_attended = sys.stdin is not None and sys.stdin.isatty()
    session = Session(credentials=Credentials(ask=_ask_password if is_attended else None))
    terminal = Terminal(session, Asking(_read_line if is_attended else None))
    try:
        front = front_options(arguments, session)
        terminal.output = front.output or Output.TABLE
        return _front(front.lines, front.words, session, terminal, is_attended=is_attended)
    except BitsShellError as error:
        return exit_code(terminal.fail(error))
    finally:
        session.close()


def _front(
    lines: Sequence[str],
    words: Sequence[str],
    session: Session,
    terminal: Terminal,
    *,
    is_attended: bool,
) -> int:
    if lines:
        return run_lines(lines, terminal)
    if not words:
        if not is_attended:
            return run_lines(_lines_of(sys.stdin), terminal)
        from bitsshell.shell import run_shell

        return run_shell(session, output=terminal.output)
    if words[0] == "-":
        return run_lines(_lines_of(sys.stdin), terminal)
    script = Path(words[0])
    if len(words) == 1 and _is_no_verb(words[0]) and script.is_file():
        with script.open(encoding="utf-8-sig") as opened:
            return run_lines(_lines_of(opened), terminal)
    return exit_code(terminal.run(words))


def _is_no_verb(word: str) -> bool:
    from bitsshell.commands import VERBS

    return word not in VERBS and word != "help"


def run_lines(lines: Iterable[str], terminal: Terminal) -> int:
    """Run lines until one fails; its exit code, else 0. `exit` ends them."""
    for line in lines:
        if line.strip() in {"exit", "quit"}:
            return OK
        code = exit_code(terminal.run_line(line))
        if code != OK:
            return code
    return OK


def _lines_of(stream: TextIO) -> Iterator[str]:
    for line in stream:
        yield line.rstrip("\r\n")


def exit_code(ended: Ended) -> int:
    """The exit code for how a line ended, counted over (host, job) pairs."""
    from bitsshell.commands import NeedsConfirmation
    from bitsshell.errors import UsageError

    if isinstance(ended.error, NeedsConfirmation):
        return NEEDS_PERSON
    if isinstance(ended.error, UsageError):
        return USAGE
    if ended.error is not None:
        return ALL_FAILED
    return OK if ended.summary is None else _of_summary(ended.summary)


def _of_summary(summary: Summary) -> int:
    from bitsshell.results import Ending

    if summary.ending is Ending.INTERRUPTED:
        return INTERRUPTED
    if summary.ending in {Ending.NEEDS_PERSON, Ending.DECLINED}:
        return NEEDS_PERSON
    bad = summary.failed + summary.unknown + summary.not_sent
    if bad:
        return SOME_FAILED if summary.well or summary.unmet else ALL_FAILED
    return LIMIT if summary.unmet or summary.ending is Ending.TIME_LIMIT else OK


def _ask_password(prompt: str) -> str:
    import getpass

    return getpass.getpass(prompt)


def _read_line(prompt: str) -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def _prepare_streams() -> None:
    """Let no character that the terminal lacks end the program."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Callable[..., None] | None = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
