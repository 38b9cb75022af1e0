"""What can be known before anything starts: which steps will run, who agreed to what, and files."""

from __future__ import annotations

import ast
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bitsshell import run_context
from bitsshell.commands.approvals import NeedsApproval
from bitsshell.errors import UsageError, shown
from bitsshell.runbooks.cells import CodeCell, read_cell
from bitsshell.runbooks.steps import steps_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bitsshell.commands.runbook import RunRequest
    from bitsshell.runbooks.parameters import Value
    from bitsshell.runbooks.steps import Notebook, Step


def approvals_for(
    notebook: Notebook, request: RunRequest, values: Mapping[str, Value], *, can_ask: bool
) -> dict[str, str]:
    """Who agreed to what, by the approval's name; a step's id stands for all of its approvals.

    `values` are those of the parameters. Raises UsageError for an approval that the notebook does
    not ask for, or that nobody gives, and `NeedsApproval`.
    """
    steps = steps_of(notebook.cells, values)
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
        given |= _given(steps, name, who.strip())
    needed = [one for step in chosen(steps, from_step) for one in step.approvals]
    missing = [one for one in needed if one.name not in given]
    if missing and not (can_ask or request.what_if):
        raise NeedsApproval(missing[0].name, "")
    return given


def _given(steps: Sequence[Step], name: str, who: str) -> dict[str, str]:
    """What one `--approve NAME=WHO` agrees to. Raises UsageError where that is nothing."""
    if not who:
        raise UsageError(
            f"--approve {shown(name)} does not say who agrees",
            hint=f"--approve {name}=WHO; without it the answer is no",
        )
    found = {
        one.name: who for step in steps for one in step.approvals if name in {step.id, one.name}
    }
    if name in {step.id for step in steps}:
        found[run_context.all_of(name)] = who  # names that only the kernel will know, too
    if not found:
        known = ", ".join(one.name for step in steps for one in step.approvals)
        asks = f"the notebook asks for {known}" if known else "the notebook asks for none by name"
        raise UsageError(
            f"--approve: no step asks for an approval {shown(name)}",
            hint=f"{asks}; a step's id stands for what it asks",
        )
    return found


def chosen(steps: Sequence[Step], from_step: str | None) -> list[Step]:
    """The steps that run: from one on, and before it what later ones cannot do without.

    Those that are tagged to be left out are not among them.
    """
    names = [step.id for step in steps]
    place = 0 if from_step is None else names.index(from_step)
    return [
        step
        for number, step in enumerate(steps)
        if (number >= place or step.is_setup) and not step.is_skipped
    ]


def _refuse_missing_names(steps: Sequence[Step], from_step: str) -> None:
    """Raise UsageError where a step needs a variable that only a skipped one would have set."""
    running = {step.id for step in chosen(steps, from_step)}
    defined: set[str] = set()
    skipped: dict[str, str] = {}
    for step in (step for step in steps if not step.is_skipped):
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


def check_junit(request: RunRequest, evidence: Path) -> None:
    """Raise UsageError where it could not be written in the end, or something else is there."""
    path = request.junit
    if path is None:
        return
    what = None
    if _is_same(path, request.notebook):
        what = "the notebook itself"
    elif request.parameters_file is not None and _is_same(path, request.parameters_file):
        what = "the file with the parameters"
    elif any(_is_same(above, evidence) for above in Path(os.path.realpath(path)).parents):
        what = "in the folder of the evidence, which has nothing else in it"
    if what is not None:
        raise UsageError(
            f"--junit {shown(str(path))} is {what}", hint="name another file: --junit FILE"
        )
    try:
        with path.open("a", encoding="utf-8"):
            pass
    except OSError as error:
        raise UsageError(
            f"--junit {shown(str(path))} cannot be written: {error.strerror}"
        ) from error


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths are one file or folder, by whatever name."""
    with suppress(OSError):
        return one.samefile(other)
    return os.path.realpath(one) == os.path.realpath(other)
