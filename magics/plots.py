"""`%bits_plot`: what a watch saw, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.api.plotting import BY, PANELS, Plot
from bitsshell.api.sets import WatchResult
from bitsshell.errors import UsageError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magics.core import Core

_USAGE = "%bits_plot [NAME] [--by job|host] [--what bytes,rate,states]"


def plot(core: Core, arguments: Sequence[str]) -> Plot:
    """Draw the watch of a name, else the last one. Raises UsageError."""
    name, by, what = _read(arguments)
    watched = _last(core) if name is None else _named(core, name)
    return watched.plot(*what, by=by)


def _read(arguments: Sequence[str]) -> tuple[str | None, str | None, list[str]]:
    name: str | None = None
    options: dict[str, str] = {}
    left = iter(arguments)
    for word in left:
        option, equals, value = word.partition("=")
        if option in {"--by", "--what"}:
            options[option] = value if equals else next(left, "")
        elif word.startswith("-") or name is not None:
            raise UsageError(f"%bits_plot takes no {shown(word)}", hint=_USAGE)
        else:
            name = word
    by, what = options.get("--by"), options.get("--what", ",".join(PANELS)).split(",")
    if by not in {None, *BY}:
        raise UsageError(f"--by {by}: one line a what?", hint=_USAGE)
    wrong = next((panel for panel in what if panel not in PANELS), None)
    if wrong is not None:
        raise UsageError(f"--what {shown(wrong)} cannot be drawn", hint=_USAGE)
    return name, by, what


def _named(core: Core, name: str) -> WatchResult:
    task = core.tasks.named(name)
    if task is not None:
        return task.answer
    value = core.shell.user_ns.get(name)
    if isinstance(value, WatchResult):
        return value
    raise UsageError(
        f"{shown(name)} is neither a background watch nor a variable with a watch in it",
        hint="%bits_tasks lists the ones; %bits_watch JOB --into NAME makes the others",
    )


def _last(core: Core) -> WatchResult:
    last = core.tasks.last_answer()
    if last is None:
        raise UsageError("nothing was watched yet", hint="%bits_watch JOB, %bits_manage JOB")
    return last
