"""What can be known before anything starts: which steps will run, and who agreed to what."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from bitsshell.commands.approvals import NeedsApproval
from bitsshell.errors import UsageError, shown
from bitsshell.runbooks.cells import CodeCell, read_cell
from bitsshell.runbooks.steps import steps_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitsshell.commands.runbook import RunRequest
    from bitsshell.runbooks.steps import Notebook, Step


def approvals_for(notebook: Notebook, request: RunRequest, *, can_ask: bool) -> dict[str, str]:
    """Who agreed to what, by the approval's name; a step's id stands for all of its approvals.

    Raises UsageError for one that the notebook does not ask for, and `NeedsApproval`.
    """
    steps = steps_of(notebook.cells)
    from_step = request.from_step
    if from_step is not None and from_step not in {step.id for step in steps}:
        raise UsageError(
            f"--from-step: there is no step {shown(from_step)}",
            hint=f"the steps are {', '.join(step.id for step in steps)}",
        )
    if from_step is not None:
        _refuse_missing_names(steps, from_step)
    given: dict[str, str] = {}
    for name, who in request.approvals:
        meant = [
            one.name for step in steps for one in step.approvals if name in {step.id, one.name}
        ]
        if not meant:
            known = ", ".join(one.name for step in steps for one in step.approvals)
            raise UsageError(
                f"--approve: no step asks for an approval {shown(name)}",
                hint=f"the notebook asks for {known}" if known else "the notebook asks for none",
            )
        given.update(dict.fromkeys(meant, who))
    if not (can_ask or request.what_if):
        missing = [
            one
            for step in chosen(steps, from_step)
            for one in step.approvals
            if one.name not in given
        ]
        if missing:
            raise NeedsApproval(missing[0].name, "")
    return given


def chosen(steps: Sequence[Step], from_step: str | None) -> list[Step]:
    """The steps that run: from one on, and before it what later ones cannot do without."""
    if from_step is None:
        return list(steps)
    place = next(number for number, step in enumerate(steps) if step.id == from_step)
    return [step for number, step in enumerate(steps) if number >= place or step.is_setup]


def _refuse_missing_names(steps: Sequence[Step], from_step: str) -> None:
    """Raise UsageError where a step needs a variable that only a skipped one would have set."""
    running = {step.id for step in chosen(steps, from_step)}
    defined: set[str] = set()
    skipped: dict[str, str] = {}
    for step in steps:
        cell = read_cell(step.source)
        own = {name for name, _ in cell.assigned()}
        if step.id not in running:
            skipped.update(dict.fromkeys(own, step.id))
            continue
        missing = sorted((_needed(cell) & skipped.keys()) - defined - own)
        if missing:
            name, setter = missing[0], skipped[missing[0]]
            raise UsageError(
                f"--from-step {from_step}: {step.id} needs {name}, which {setter} sets, and that "
                "would be skipped",
                hint=f"--from-step {setter}, or tag that cell setup",
            )
        defined |= own


def _needed(cell: CodeCell) -> set[str]:
    """The variables that a cell reads, in its magics and in its Python."""
    names = {name for call in cell.calls for name in call.names}
    if cell.syntax_error() is None:
        names |= {
            node.id for node in ast.walk(ast.parse(cell.python)) if isinstance(node, ast.Name)
        }
    return names
