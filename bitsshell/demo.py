"""`bitsshell demo`: Microsoft's four steps on a practice fleet in this process, then the shell.

Knows both sides: the client and the practice fleet. Every line that starts with a prompt is a
command as a person would type it, and what follows is its real answer.
"""

from __future__ import annotations

import hashlib
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bitsshell.commands import quote
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.fleet.credentials import PASSWORD_VARIABLE, Credentials
from bitsshell.fleet.targets import Auth, LogonOptions, Target
from bitsshell.practice import (
    EngineSettings,
    PracticeFile,
    PracticeFleet,
    PracticeSettings,
    arm_as_told,
)
from bitsshell.results import Output
from bitsshell.session import Session
from bitsshell.terminal import Asking, Ended, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

HOSTS = 3
TRANSFER_BYTES_PER_S = 5 * 1024 * 1024
"""Slow enough that the transfer can be seen, fast enough that nobody waits."""
FILE = "image.iso"
PATH = r"C:\in\image.iso"
JOB = "image"


@click.command(help=__doc__)
@click.option("--no-shell", is_flag=True, help="stop after the four steps")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="[HOST:]NAME[,ARGUMENT=VALUE]...",
    help="rehearse a failure of the practice hosts, such as provider-missing",
)
def _options(**options: Any) -> dict[str, Any]:
    return options


def demo(arguments: list[str], *, exit_code: Callable[[Ended], int]) -> int:
    """Run the demo; return the exit code. Without a terminal the shell is not opened."""
    try:
        with _options.make_context("bitsshell demo", arguments) as context:
            options: dict[str, Any] = context.params
    except click.exceptions.Exit:
        return exit_code(Ended())
    except click.ClickException as error:
        sys.stderr.write(f"{error.format_message()}\nnext: bitsshell demo --help\n")
        return exit_code(Ended(error=UsageError(error.format_message())))
    is_attended = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    engine = replace(EngineSettings(), transfer_bytes_per_s=TRANSFER_BYTES_PER_S)
    _let_endings_clean_up()
    with PracticeFleet(HOSTS, settings=replace(PracticeSettings(), engine=engine)) as fleet:
        session = _session(fleet)
        try:
            for told in options["faults"]:
                arm_as_told(fleet, told)
        except ValueError as error:
            sys.stderr.write(f"{error}\nnext: docs/practice.md lists the faults\n")
            return exit_code(Ended(error=UsageError(str(error))))
        try:
            code = _Tour(fleet, session).run(exit_code)
            if code or options["no_shell"] or not is_attended:
                return code
            from bitsshell.shell.loop import run_shell

            sys.stdout.write(_SHELL_HINT.format(files=fleet.files_url))
            return run_shell(session)
        finally:
            session.close()


_SHELL_HINT = """
This is the shell, on three practice hosts; they and their files are gone when you leave it.
Try: jobs, transfer {files}report.csv C:\\in\\report.csv, use practice02.
"""


def _let_endings_clean_up() -> None:
    """A closed terminal or SIGTERM ends the demo, but the fleet's folders go first."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        del frame
        raise SystemExit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)


def _session(fleet: PracticeFleet) -> Session:
    """A session that knows the practice hosts by name and logs on to them by NTLM."""
    first = fleet.hosts[0]
    session = Session(credentials=Credentials(environment={PASSWORD_VARIABLE: first.password}))
    logon = LogonOptions(user=first.username, auth=Auth.NTLM)
    for host in fleet.hosts:
        session.remember(Target(name=host.name, url=host.endpoint, logon=logon))
    return session


class _Tour:
    """The four steps, told as they happen."""

    def __init__(self, fleet: PracticeFleet, session: Session) -> None:
        self.fleet = fleet
        self.session = session
        self.host = fleet.hosts[0]
        self.file: PracticeFile = next(file for file in fleet.files if file.name == FILE)
        self.terminal = Terminal(session, Asking(None), output=Output.TABLE)
        self.say = self.terminal.out.write

    def run(self, exit_code: Callable[[Ended], int]) -> int:
        """Run everything; the exit code of the first line that fails, else 0."""
        self.say(
            f"A practice fleet of {HOSTS} hosts runs in this process. They speak WinRM as Windows "
            "does,\nlog on by NTLM with message encryption, and really move bytes.\n"
        )
        url = quote(self.file.url)
        steps = (
            ("Log on.", f"use {self.host.name}"),
            (
                "Step 1 of 4: create the job, suspended.",
                f"create {url} {PATH} --name {JOB} --suspended",
            ),
            ("Step 2 of 4: set its priority.", f"set {JOB} --priority foreground"),
            ("Step 3 of 4: resume it.", f"resume {JOB}"),
            (
                "Step 4 of 4: follow it, and complete it when it is transferred.",
                f"manage {JOB} --on-transferred complete --interval 0.2 --timeout 60",
            ),
        )
        for what, line in steps:
            self.say(f"\n# {what}\n{self.host.name}> {line}\n")
            self.terminal.out.flush()
            code = exit_code(self.terminal.run_line(line))
            if code:
                return code
        return exit_code(self._show_file())

    def _show_file(self) -> Ended:
        """Compare what stands under the host's root with what the file server gives."""
        arrived = self.host.root / "C" / "in" / FILE
        digest = hashlib.sha256(arrived.read_bytes()).hexdigest()
        is_equal = digest == self.file.sha256
        self.say(
            f"\n# The file has arrived.\n{arrived}\n"
            f"{arrived.stat().st_size:,} bytes, SHA-256 {digest}\n"
        )
        if not is_equal:
            return self.terminal.fail(BitsShellError("this is NOT what the file server has"))
        self.say("the same as on the file server\n")
        stats = self.host.stats
        self.say(
            f"All of it took {stats.connections} connection and {stats.logons} logon to the host.\n"
        )
        return Ended()
