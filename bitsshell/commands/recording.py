"""`record`: keep a session as a notebook.

The recording itself is in the journal (`bitsshell.recorder`); `bitsshell.runbooks`, a layer above
this one, makes a notebook of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from bitsshell.commands.declare import Call, verb
from bitsshell.commands.runbook import runbooks_of
from bitsshell.commands.types import local_paths
from bitsshell.errors import UsageError, shown
from bitsshell.local_files import local_path
from bitsshell.recorder import Mark, Recorder
from bitsshell.render.text import counted
from bitsshell.results import Event, Notice, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bitsshell.session import Session

_ACTIONS = ("start", "note", "pause", "resume", "stop", "save")
SUFFIX = ".ipynb"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveRequest:
    """What `record save FILE` was asked for.

    `session` is the beginning of another session's id, None for the own one.
    """

    file: Path
    is_clean: bool = True
    is_forced: bool = False
    session: str | None = None


def _complete_words(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Files behind `save`; a title and a note are anybody's words."""
    del param
    if ctx.params.get("action") != "save":
        return []
    return [CompletionItem(path, kind="path") for path in local_paths(incomplete)]


@verb(
    "record",
    view=View.TEXT,
    examples=(
        "record start Deploy the agent to a canary",
        "record note The queue should be empty before we begin.",
        "record stop",
        "record save deploy.ipynb",
        "record save incident.ipynb --as-is",
    ),
)
@click.argument("action", required=False, type=click.Choice(_ACTIONS), metavar="[ACTION]")
@click.argument("words", nargs=-1, metavar="[TEXT|FILE]", shell_complete=_complete_words)
@click.option(
    "--clean/--as-is",
    "is_clean",
    default=True,
    help="leave out typos, what did nothing, and repeated looks (that is the default)",
)
@click.option("--force", "is_forced", is_flag=True, help="write over a file that is there")
@click.option("--session", "session_id", metavar="ID", help="save the recording of another session")
def record(
    call: Call,
    *,
    action: str | None,
    words: tuple[str, ...],
    is_clean: bool,
    is_forced: bool,
    session_id: str | None,
) -> Iterator[Event]:
    """Record what is done, and save it as a notebook that can be run again.

    ACTION is start [TITLE], note TEXT, pause, resume, stop or save FILE; without one it says what
    is being recorded. While it records, a line of the shell that begins with # is a note. Hosts,
    URLs, paths and job names become the notebook's parameters. No secret comes into it. The journal
    carries the recording: after a crash, save it with --session.
    """
    session, text = call.session, " ".join(words)
    if action == "save":
        yield from _save(session, words, is_clean, is_forced, session_id)
        return
    if session_id is not None or is_forced or not is_clean:
        raise UsageError("--session, --force and --as-is belong to save", hint=_SAVE_HINT)
    if words and action not in {"start", "note"}:
        raise UsageError(f"{action} takes no {shown(text)}", hint="see how: help record")
    if action is None:
        yield Notice(said_of(session.recorder))
    else:
        yield Notice(_DOING[action](session, text))


_SAVE_HINT = f"record save FILE{SUFFIX}"


def said_of(recorder: Recorder | None) -> str:
    """What is being recorded, in words."""
    if recorder is None:
        return "nothing is being recorded; begin with: record start"
    title = f" {shown(recorder.title)}" if recorder.title else ""
    state = "paused" if recorder.is_paused else "going on"
    lost = f"; not all of it is kept: {recorder.problem.what()}" if recorder.problem else ""
    return f"the recording{title} is {state}: {counted(recorder.steps, 'command')} so far{lost}"


def _start(session: Session, title: str) -> str:
    if session.recorder is not None:
        raise UsageError(said_of(session.recorder), hint="record stop ends it")
    recorder = Recorder(session, title)
    recorder.mark(Mark.START, f"recording begins{f': {title}' if title else ''}")
    session.recorder = recorder
    return "recording begins; record save FILE makes a notebook of it at any time"


def _note(session: Session, text: str) -> str:
    recorder = _current(session)
    if not text.strip():
        raise UsageError("TEXT is missing", hint="record note TEXT")
    recorder.note(text)
    return "noted"


def _pause(session: Session, _: str) -> str:
    recorder = _current(session)
    if recorder.is_paused:
        raise UsageError("the recording is paused already", hint="record resume goes on")
    recorder.mark(Mark.PAUSE, "recording pauses")
    recorder.is_paused = True
    return "paused; record resume goes on"


def _resume(session: Session, _: str) -> str:
    recorder = _current(session)
    if not recorder.is_paused:
        raise UsageError("the recording is not paused", hint="record pause pauses it")
    recorder.mark(Mark.RESUME, "recording goes on")
    recorder.is_paused = False
    return "recording goes on"


def _stop(session: Session, _: str) -> str:
    recorder = _current(session)
    recorder.mark(Mark.STOP, "recording ends")
    session.recorder = None
    return f"recorded: {counted(recorder.steps, 'command')}; next: {_SAVE_HINT}"


_DOING: dict[str, Callable[[Session, str], str]] = {
    "start": _start,
    "note": _note,
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
}


def _current(session: Session) -> Recorder:
    if session.recorder is None:
        raise UsageError("nothing is being recorded", hint="begin with: record start")
    return session.recorder


def _save(
    session: Session,
    words: tuple[str, ...],
    is_clean: bool,
    is_forced: bool,
    session_id: str | None,
) -> Iterator[Event]:
    if len(words) != 1:
        what = "FILE is missing" if not words else f"{len(words)} files are named, one is written"
        raise UsageError(what, hint=f"{_SAVE_HINT}; a name with blanks goes into quotes")
    file = local_path(words[0])
    if file.suffix != SUFFIX:
        raise UsageError(
            f"{shown(words[0])} is no name for a notebook", hint=f"record save {file.stem}{SUFFIX}"
        )
    request = SaveRequest(file=file, is_clean=is_clean, is_forced=is_forced, session=session_id)
    yield from runbooks_of(session).save(session, request)
