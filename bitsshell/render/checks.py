"""What `doctor` found, one check a line, with what to do next under those that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.render.paint import DIM, GREEN, STATUS_SGR, YELLOW, painted
from bitsshell.render.text import neutral, pad, prose, wrapped
from bitsshell.results import CheckState, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitsshell.results import Check

_SGR = {
    CheckState.OK: GREEN,
    CheckState.FAILED: STATUS_SGR[Status.FAILED],
    CheckState.NOTE: YELLOW,
    CheckState.NOT_TRIED: DIM,
}
_STATE_CELLS = 9


def checks_lines(checks: Sequence[Check], *, width: int, colour: bool = False) -> list[str]:
    """The checks of each subject under its name, in the order in which they were made."""
    cells = max((len(check.name) for check in checks), default=0)
    lines: list[str] = []
    subject = None
    for check in checks:
        if check.subject != subject:
            subject = check.subject
            lines.append(neutral(subject))
        lines.extend(_check_lines(check, cells, width, colour=colour))
    return lines


def _check_lines(check: Check, cells: int, width: int, *, colour: bool) -> list[str]:
    state = painted(pad(check.state.value, _STATE_CELLS), _SGR[check.state], colour=colour)
    indent = " " * (cells + _STATE_CELLS + 6)
    room = max(20, width - len(indent))
    first, *rest = [""] if not check.text else wrapped(prose(check.text), room, "")
    lines = [f"  {state}  {pad(check.name, cells)}  {first}".rstrip()]
    if check.next:
        rest += wrapped(f"next: {prose(check.next)}", room, "  ")
    return [*lines, *(f"{indent}{line}" for line in rest)]
