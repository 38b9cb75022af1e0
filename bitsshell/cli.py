"""The `bitsshell` command: one verb, some lines, a script, or the shell.

The only place with exit codes (`README.md` lists them). Imports that take time stand where they are
used, so that `--version` answers at once.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bitsshell import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bitsshell.commands import Invocation
    from bitsshell.commands.front import Front
    from bitsshell.config import Config
    from bitsshell.results import Event, Output, Summary
    from bitsshell.session import Session
    from bitsshell.terminal import Ended, Terminal

OK, SOME_FAILED, USAGE, ALL_FAILED, LIMIT, NEEDS_PERSON, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
BROKEN_PIPE = 141
"""What a shell reports of a program that SIGPIPE ended; ours ends itself."""

USAGE_TEXT = """\
usage: bitsshell [OPTIONS]              the shell
       bitsshell [OPTIONS] VERB ...     one verb; bitsshell help lists them
       bitsshell [OPTIONS] -c LINE ...  lines (each after its own -c)
       bitsshell [OPTIONS] SCRIPT       the lines of a file; - is standard input
       bitsshell demo                   try it: the four steps, then the shell
       bitsshell practice --hosts N     a practice fleet (--json: one line)
       bitsshell completion SHELL       its script: bash, zsh, fish, powershell
       bitsshell --version

OPTIONS are those of every verb that say where and how (-H, --user, --auth,
-o, ...; see bitsshell help jobs); given before the verb they hold for every
line. --config FILE names the configuration (bitsshell help config). The
password comes from BITSSHELL_PASSWORD, or it is asked for.

Exit codes: 0 all well, 1 some failed, 2 not understood, 3 all failed, 4 time
limit, 5 somebody must agree or type a password, 130 interrupted. Of several
lines the first that fails ends it; with --keep-going the others run too.
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
    except OSError as error:
        from bitsshell.readers_gone import is_reader_gone

        if not is_reader_gone(error):
            raise
        # Python would complain once more when it flushes at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def _run(arguments: list[str]) -> int:
    wanted = os.environ.get("_BITSSHELL_COMPLETE")
    if wanted:  # an OS shell asks what could be typed next
        from bitsshell.os_shells import answer

        return answer(wanted)
    match arguments:
        case ["--version" | "-V", *_]:
            print(f"bitsshell {__version__}")  # noqa: T201
            return OK
        case ["practice", *rest]:
            return _practice(rest)
        case ["demo", *rest]:
            return _demo(rest)
        case ["completion", *rest]:
            from bitsshell.os_shells import run

            return run(rest, sys.stdout, sys.stderr)
        case []:
            return _shell_at_once()
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

    if find_spec("aiohttp") is not None and find_spec("spnego") is not None:
        return True
    sys.stderr.write(
        "the practice fleet is not installed\nnext: pip install 'bitsshell[practice]'\n"
    )
    return False


def _shell_at_once() -> int:
    """The shell with its prompt first, where there is one: nothing was typed that could change it.

    What the shell runs on is loaded while the prompt stands. A mistake in the configuration takes
    the prompt away again.
    """
    from bitsshell.shell.consoles import can_prompt

    if not can_prompt():
        return _session([])
    from bitsshell.errors import BitsShellError
    from bitsshell.shell.bare import bare_prompt
    from bitsshell.shell.opening import open_shell

    bare = bare_prompt()
    if bare is None:
        return _session([])
    try:
        return open_shell(bare, _load_shell)
    except BitsShellError as error:
        from bitsshell.session import Session
        from bitsshell.terminal import Asking, Terminal

        return exit_code(Terminal(Session(), Asking(None)).fail(error))


def _load_shell() -> tuple[Session, Output | None]:
    """The session of a shell, and the form of its answers. Raises BitsShellError."""
    from bitsshell.commands.front import front_options
    from bitsshell.errors import BitsShellError
    from bitsshell.journal import open_journal
    from bitsshell.render.paint import choose

    session = _new_session(is_attended=True)
    try:
        front = front_options([], session)
        session.journal = open_journal(session.config.journal)
    except BitsShellError:
        session.close()
        raise
    choose(session.config.colours)
    return session, front.output


def _new_session(*, is_attended: bool) -> Session:
    from bitsshell.fleet.credentials import Credentials
    from bitsshell.fleet.knowledge import SnapshotFile, snapshot_file
    from bitsshell.runbooks import runbooks
    from bitsshell.session import Session

    return Session(
        credentials=Credentials(ask=_ask_password if is_attended else None),
        kept=SnapshotFile(snapshot_file()),
        runbooks=runbooks,
    )


def _session(arguments: list[str]) -> int:
    from bitsshell.commands.declare import HelpWanted
    from bitsshell.commands.front import front_options
    from bitsshell.errors import BitsShellError
    from bitsshell.journal import open_journal
    from bitsshell.render.paint import choose
    from bitsshell.terminal import Asking, Terminal

    is_attended = sys.stdin is not None and sys.stdin.isatty()
    session = _new_session(is_attended=is_attended)
    terminal = Terminal(
        session,
        Asking(_read_line if is_attended else None),
        full_screen=_full_screen if is_attended else None,
    )
    try:
        front = front_options(arguments, session)
        session.front, session.journal = "command line", open_journal(session.config.journal)
        terminal.output = front.output
        choose(session.config.colours)
        terminal.has_colour = terminal.has_colour and session.config.colour
        return _front(front, session, terminal, is_attended=is_attended)
    except HelpWanted:
        terminal.out.write(USAGE_TEXT)
        return OK
    except BitsShellError as error:
        return exit_code(terminal.fail(error))
    finally:
        session.close()


def _front(front: Front, session: Session, terminal: Terminal, *, is_attended: bool) -> int:
    from bitsshell.commands.first_words import LEAVING

    lines, words, keeps_going = front.lines, front.words, front.keeps_going
    if lines:
        source = "-c" if len(lines) > 1 else None
        return run_lines(lines, terminal, source, keeps_going=keeps_going)
    if not words and is_attended:
        from bitsshell.shell.loop import run_shell

        return run_shell(session, output=terminal.output)
    if list(words) in ([], ["-"]):
        source = "standard input"
        piped = _lines_of(sys.stdin or (), source)
        return run_lines(piped, terminal, source, keeps_going=keeps_going)
    if words[0] in LEAVING:
        return OK
    if len(words) == 1 and _is_script(words[0], session.config):
        return _run_script(words[0], terminal, keeps_going=keeps_going)
    terminal.is_paged = is_attended
    return exit_code(terminal.run(words))


def _is_script(word: str, config: Config) -> bool:
    """Whether a word that is no verb names a file, or could only be meant to."""
    from bitsshell.commands import VERBS
    from bitsshell.local_files import is_a_file

    if word in VERBS or word == "help" or word in config.aliases or word in config.commands:
        return False
    looks_so = any(separator in word for separator in "./\\")
    return looks_so or is_a_file(Path(word))


def _run_script(name: str, terminal: Terminal, *, keeps_going: bool) -> int:
    """Run the lines of a file. Raises UsageError when it cannot be read."""
    from bitsshell.errors import UsageError, shown

    try:
        opened = Path(name).open(encoding="utf-8-sig")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(
            f"{shown(name)} is no verb, and no script that can be read ({error.strerror})",
            hint="see all verbs: bitsshell help",
        ) from error
    with opened:
        return run_lines(_lines_of(opened, name), terminal, name, keeps_going=keeps_going)


def run_lines(
    lines: Iterable[str],
    terminal: Terminal,
    source: str | None = None,
    *,
    keeps_going: bool = False,
) -> int:
    """Run lines until one fails; its exit code, else 0. `exit` ends them.

    `source` names where they come from, and is said with the number of the line that failed. With
    `keeps_going` only an interrupt ends them early; the code is that of the first that failed.
    """
    from bitsshell.commands.first_words import is_leaving
    from bitsshell.concealed import concealed_line
    from bitsshell.render.text import clip, neutral

    first_bad = OK
    for number, line in enumerate(lines, 1):
        if is_leaving(line):
            break
        code = exit_code(terminal.run_line(line))
        if code == OK:
            continue
        first_bad = first_bad or code
        is_over = not keeps_going or code == INTERRUPTED
        if source is not None:
            words = clip(neutral(concealed_line(line.strip())), 60)
            did = "stopped" if is_over else "failed"
            terminal.err.write(f"{did} at line {number} of {neutral(source)}: {words}\n")
        if is_over:
            return code
    return first_bad


def _lines_of(stream: Iterable[str], source: str) -> Iterator[str]:
    """The lines of a text. Raises UsageError where it is none, or cannot be read to its end."""
    from bitsshell.errors import UsageError

    try:
        for number, line in enumerate(_by_its_mark(stream)):
            # PowerShell puts a byte order mark in front of what it pipes.
            yield line.rstrip("\r\n").removeprefix("\ufeff" if number == 0 else "")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{source} is no text in {error.encoding} (byte {error.start + 1}: {error.reason})",
            hint="save it as UTF-8",
        ) from error
    except OSError as error:
        raise UsageError(f"{source} cannot be read to its end ({error.strerror})") from error


def _by_its_mark(stream: Iterable[str]) -> Iterable[str]:
    """The text as UTF-16 where it begins so: what PowerShell 5.1 writes with `>` does."""
    if isinstance(stream, io.TextIOWrapper) and isinstance(stream.buffer, io.BufferedReader):
        mark = stream.buffer.peek(2)[:2]
        if mark in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
            stream.reconfigure(encoding="utf-16")
    return stream


def exit_code(ended: Ended) -> int:
    """The exit code for how a line ended, counted over (host, job) pairs."""
    from bitsshell.commands import NeedsConfirmation
    from bitsshell.errors import UsageError
    from bitsshell.fleet.credentials import NoJobPassword

    if isinstance(ended.error, NeedsConfirmation | NoJobPassword):
        return NEEDS_PERSON
    if isinstance(ended.error, UsageError):
        return USAGE
    if ended.error is not None:
        return ALL_FAILED
    return OK if ended.summary is None else _of_summary(ended.summary)


def _of_summary(summary: Summary) -> int:
    from bitsshell.results import Ending

    if summary.verdict is not None:
        return int(summary.verdict)
    if summary.ending is Ending.INTERRUPTED:
        return INTERRUPTED
    if summary.ending in {Ending.NEEDS_PERSON, Ending.DECLINED}:
        return NEEDS_PERSON  # before 1 and 3: without the person, a repetition is of no use
    bad = summary.failed + summary.unknown + summary.not_sent
    if bad:
        return SOME_FAILED if summary.well or summary.unmet else ALL_FAILED
    return LIMIT if summary.unmet or summary.ending is Ending.TIME_LIMIT else OK


def _full_screen(session: Session, invocation: Invocation, *, colour: bool) -> Iterator[Event]:
    from bitsshell.shell.live import LiveView

    return LiveView(session, colour=colour).watch(invocation)


def _ask_password(prompt: str) -> str:
    import getpass

    return getpass.getpass(prompt)


def _read_line(prompt: str) -> str:
    from bitsshell.typed_ahead import forget_typed_ahead

    forget_typed_ahead(sys.stdin)
    sys.stderr.write(prompt)
    sys.stderr.flush()
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        sys.stderr.write("\n")  # what is said next stands on a line of its own
        raise
    if not line:
        raise EOFError
    return line


def _prepare_streams() -> None:
    """Let no character that the terminal lacks end the program."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Callable[..., None] | None = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
