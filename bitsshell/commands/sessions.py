"""`whatif`, `retry`, `transcript`: verbs about the session itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bitsshell.commands.declare import Call, verb
from bitsshell.commands.types import LocalFile, Member
from bitsshell.errors import UsageError
from bitsshell.local_files import local_path
from bitsshell.results import Event, Notice, View
from bitsshell.run_context import is_what_if_run
from bitsshell.transcript import Transcript, TranscriptFormat

if TYPE_CHECKING:
    from collections.abc import Iterator


class _NewFile(LocalFile):
    """A file that need not be there yet."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The path as given."""
        return str(value)


@verb("whatif", view=View.TEXT, examples=("whatif on", "whatif", "whatif off"))
@click.argument("switch", required=False, type=click.Choice(["on", "off"], case_sensitive=False))
def whatif(call: Call, *, switch: str | None) -> Iterator[Event]:
    """Let every change only be shown from now on, as --what-if does.

    Without on or off it says which of them holds.
    """
    session = call.session
    if switch is not None and switch.lower() == "off" and is_what_if_run():
        raise UsageError(
            "this run is a what-if, and stays one", hint="run it without --what-if to send changes"
        )
    if switch is not None:
        session.what_if = switch.lower() == "on"
    said = "on: changes are only shown" if session.what_if else "off: changes are sent"
    yield Notice(f"what-if is {said}")


@verb("retry", view=View.CHANGES, examples=("retry", "retry --what-if", "retry --yes"))
def retry(call: Call) -> Iterator[Event]:
    """Repeat the last command on the hosts that failed.

    The command's own options hold as they were typed, but for its hosts. -x leaves some of those
    that failed out, and --user, --auth and the like are put over what was typed. What may have been
    done already is not done twice: a plan is made anew from what the hosts say now. The same hosts
    are -H %failed-hosts in any other command. A change that failed somewhere stays the last command
    until the next change, whatever is looked at meanwhile.
    """
    del call
    raise UsageError("there is no command to repeat")  # the dispatcher puts the command here


@verb(
    "transcript",
    view=View.TEXT,
    examples=(
        "transcript start session.txt",
        "transcript start today.md --format md",
        "transcript stop",
    ),
)
@click.argument("what", required=False, type=click.Choice(["start", "stop"], case_sensitive=False))
@click.argument("file", required=False, type=_NewFile())
@click.option(
    "--format",
    "written_as",
    type=Member(TranscriptFormat, "format"),
    metavar="FORMAT",
    help="text, md; by default what the file's name says",
)
def transcript(
    call: Call, *, what: str | None, file: str | None, written_as: TranscriptFormat | None
) -> Iterator[Event]:
    """Write down what is typed and what comes of it.

    The file is appended to and readable for you alone. Passwords never come into it, and accounts
    and signatures in URLs are masked.
    """
    session, current = call.session, call.session.transcript
    match what:
        case "start":
            if file is None:
                raise UsageError("FILE is missing", hint="transcript start FILE")
            path = local_path(file)
            by_name = TranscriptFormat.MD if path.suffix == ".md" else TranscriptFormat.TEXT
            session.transcript = Transcript(path, written_as or by_name, session.clock.now)
            yield Notice(f"the transcript is written to {path}")
        case "stop":
            if current is None:
                raise UsageError("no transcript is being written", hint="transcript start FILE")
            yield Notice(current.problem or f"the transcript is in {current.path}")
            session.transcript = None
        case _:
            if current is None:
                yield Notice("no transcript is being written")
            else:
                yield Notice(current.problem or f"the transcript is written to {current.path}")
