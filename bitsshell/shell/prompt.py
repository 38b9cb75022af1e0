"""The prompt and the toolbar: what the next command acts on, and what is going on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.render import units
from bitsshell.render.text import clip_middle, counted, neutral
from bitsshell.shell.bare import NO_TARGET

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from bitsshell.fleet.targets import Target
    from bitsshell.recorder import Recorder
    from bitsshell.session import Session

_MAX_HOST_CELLS = 40

STYLES = {
    "prompt.down": "fg:ansired bold",
    "verb": "bold",
    "unknown": "fg:ansired",
    "option": "fg:ansicyan",
    "comment": "fg:ansibrightblack",
    "bottom-toolbar": "noreverse fg:ansibrightblack",
    "toolbar.warning": "fg:ansiyellow bold",
    "toolbar.down": "fg:ansired bold",
    "auto-suggestion": "fg:ansibrightblack",
}
"""Style classes of the shell; without colours they look like everything else."""


def prompt_text(targets: Sequence[Target], down: Collection[str] = ()) -> str:
    """`bits> `, `bits web01> `, `bits 3 hosts> ` or `bits 3 hosts, 1 down> `."""
    is_down = sum(target.name in down for target in targets)
    match len(targets):
        case 0:
            return NO_TARGET
        case 1:
            name = clip_middle(neutral(targets[0].name), _MAX_HOST_CELLS)
            return f"bits {name}{', down' if is_down else ''}> "
        case count:
            return f"bits {count:,} hosts{f', {is_down:,} down' if is_down else ''}> "


def prompt_fragments(session: Session) -> StyleAndTextTuples:
    """The same, red where one of the hosts is down."""
    text = prompt_text(session.targets, session.down)
    is_down = any(target.name in session.down for target in session.targets)
    return [("class:prompt.down" if is_down else "class:prompt", text)]


def toolbar_fragments(session: Session, now: datetime) -> StyleAndTextTuples:
    """What is followed, how old what is known is, which hosts are down, and modes that are on."""
    parts: StyleAndTextTuples = []
    if session.what_if:
        parts.append(("class:toolbar.warning", "what-if: nothing is sent"))
    if session.read_only:
        parts.append(("class:toolbar.warning", "read-only"))
    if session.recorder is not None:
        parts.append(("class:toolbar.warning", _recording(session.recorder)))
    down = sum(target.name in session.down for target in session.targets)
    if down:
        parts.append(("class:toolbar.down", f"{counted(down, 'host')} down"))
    if session.followed:
        parts.append(("", f"following {counted(len(session.followed), 'job')}"))
    parts.append(("", _freshness(session, now)))
    parts.append(("", "F2 hides this"))
    separated: StyleAndTextTuples = []
    for part in parts:
        separated.extend([part] if not separated else [("", "  |  "), part])
    return separated


def _recording(recorder: Recorder) -> str:
    state = "recording paused" if recorder.is_paused else "recording"
    lost = ", not all of it is kept" if recorder.problem else ""
    return f"{state}: {counted(recorder.steps, 'command')}{lost}"


def _freshness(session: Session, now: datetime) -> str:
    """The age of the oldest answer among the chosen hosts, for that is what one can rely on."""
    if not session.targets:
        return "no host chosen"
    read_at = session.snapshot.read_at
    known = [read_at[target.name] for target in session.targets if target.name in read_at]
    if not known:
        return "nothing read yet"
    missing = len(session.targets) - len(known)
    rest = f", {missing:,} not read yet" if missing else ""
    return f"refreshed {units.age(min(known), now)} ago{rest}"
