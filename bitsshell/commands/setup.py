"""`config` and `readonly`: how this person's bitsshell is set up."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from bitsshell.commands.declare import Call, verb
from bitsshell.commands.own_lines import checked
from bitsshell.config import FILE_VARIABLE, files_to_read, read, user_file
from bitsshell.config_text import TEMPLATE, shown_config
from bitsshell.errors import UsageError
from bitsshell.local_files import is_a_file, local_path
from bitsshell.render.text import counted
from bitsshell.results import Event, Notice, Text, View

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ACTIONS = ("init", "show", "path", "check")


@verb(
    "config",
    view=View.TEXT,
    examples=("config init", "config check", "config show", "config path"),
)
@click.argument("action", type=click.Choice(_ACTIONS), metavar="init|show|path|check")
@click.argument("file", required=False)
def config(call: Call, *, action: str, file: str | None) -> Iterator[Event]:
    """Make, show, find or check the configuration file.

    `init` writes a file in which everything is explained and nothing is said yet, never over one
    that is there. `show` says what holds now, `path` where the file is, `check` reads it and names
    file and line of a mistake. FILE stands in place of the usual one.
    """
    given = file or call.session.config.given or os.environ.get(FILE_VARIABLE) or None
    match action:
        case "init":
            yield from _init(local_path(given) if given else user_file())
        case "path":
            yield from _path(given)
        case "check":
            yield from _check(given)
        case _:
            session = call.session
            wanted = read(files_to_read(given), os.environ) if file else session.config
            if wanted.problem is not None:
                raise wanted.problem
            yield from map(Text, shown_config(wanted).splitlines())


def _init(path: Path) -> Iterator[Event]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UsageError(
            f"{path} is there already, and stays as it is", hint="look at it: config show"
        ) from error
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror})", hint="name another: config init FILE"
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(TEMPLATE)
    yield Text(f"{path}")
    yield Notice("edit it, then: config check")


def _path(given: str | None) -> Iterator[Event]:
    first = local_path(given) if given else user_file()
    yield Text(f"{first}")
    if not is_a_file(first):
        yield Notice("it is not there yet: config init")
    for path in files_to_read(given):
        if path != first:
            yield Notice(f"read on top of it: {path}")


def _check(given: str | None) -> Iterator[Event]:
    paths = files_to_read(given)
    if not paths:
        yield Notice(f"there is no configuration file: {user_file()}; config init makes one")
        return
    found = checked(read(paths, os.environ))
    yield Text("\n".join(f"{path}: well" for path in paths))
    inventory = found.inventory
    counts = (
        counted(len(inventory.hosts), "host"),
        counted(len(inventory.groups), "group"),
        counted(len(found.aliases), "alias", "aliases"),
        counted(len(found.commands), "command"),
    )
    yield Notice(", ".join(counts))


@verb("readonly", view=View.TEXT, examples=("readonly", "readonly on", "readonly off"))
@click.argument("state", required=False, type=click.Choice(("on", "off")), metavar="[on|off]")
def readonly(call: Call, *, state: str | None) -> Iterator[Event]:
    """Let this session only look: `on` refuses every change, `off` allows them again.

    Hosts and groups that the configuration calls readonly stay so.
    """
    session = call.session
    if state is not None:
        session.read_only = state == "on"
    if session.read_only:
        yield Notice("this session only looks: every change is refused")
    else:
        yield Notice("this session may change jobs")
