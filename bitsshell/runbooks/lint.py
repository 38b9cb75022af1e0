"""`run --check`: a notebook looked over without running any of it.

Commands are parsed by the parser that would run them, with the parameters' defaults in the place of
their names; a name whose value only a run can tell fits everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bitsshell.errors import UsageError
from bitsshell.render.text import counted
from bitsshell.runbooks.cells import CodeCell, MagicCall, read_cell
from bitsshell.runbooks.findings import Finding, Severity, error, warning
from bitsshell.runbooks.lint_commands import (
    asks_for_several,
    is_destructive,
    is_for_lists,
    joined,
    problem_of,
)
from bitsshell.runbooks.lint_secrets import secrets_in
from bitsshell.runbooks.parameters import (
    PARAMETERS_TAG,
    BadParameters,
    Kind,
    Parameter,
    Value,
    declared,
)
from bitsshell.runbooks.steps import (
    RAISES_TAG,
    SKIP_TAG,
    BadNotebook,
    read_notebook,
    refuse_secrets,
    source_of,
    tags_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

__all__ = ["Finding", "Severity", "lint", "lint_cells"]

_KNOWN_TO_IPYTHON = frozenset({"_", "__", "___", "In", "Out", "get_ipython", "__name__"})
_LOOKING_AHEAD = frozenset({"approve", "check"})
"""Verbs that a destructive step should have before it."""
_WAITING = frozenset({"wait", "watch", "manage"})
"""What makes sure, before a `complete`, that jobs are finished."""


def lint(notebook: Path) -> tuple[Finding, ...]:
    """Everything that is wrong with a notebook, in its order; of a file that is none, just that."""
    try:
        cells = read_notebook(notebook).cells
    except BadNotebook as problem:
        return (error("", 0, problem.what(), problem.hint or "open it in JupyterLab and save it"),)
    return lint_cells(cells)


def lint_cells(cells: Sequence[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """The same of cells as a notebook has them."""
    place = {str(cell["id"]): number for number, cell in enumerate(cells)}
    found = _Linter().findings(cells)
    return tuple(sorted(found, key=lambda one: (place.get(one.cell, -1), one.line)))


@dataclass(slots=True)
class _Linter:
    """Goes through the cells once, and remembers what was said before."""

    parameters: dict[str, Value] = field(default_factory=dict)
    names: set[str] = field(default_factory=lambda: set(_KNOWN_TO_IPYTHON))
    is_everything_known: bool = False
    """Whether names came from where they cannot be seen: `import *`, `%run`."""
    is_loaded: bool = False
    verbs: list[str] = field(default_factory=list)
    background: dict[str, tuple[str, int]] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    """Parameters that are lists."""
    is_for_several: bool = False
    """Whether such a list chose the hosts."""
    asking: list[tuple[str, MagicCall]] = field(default_factory=list)
    """Commands, each with its cell, that ask a person where that list has several hosts."""

    def findings(self, cells: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
        """All of them."""
        yield from self._parameters_cell(cells)
        for cell in cells:
            name, source = str(cell["id"]), source_of(cell)
            yield from secrets_in(name, cell)
            if cell["cell_type"] != "code":
                continue
            tags = tags_of(cell)
            yield from _tagged(name, tags)
            if not {PARAMETERS_TAG, SKIP_TAG} & set(tags):
                yield from self._code(name, source)
        yield from _asks(self.asking)
        for task, (name, line) in self.background.items():
            yield warning(
                name,
                line,
                f"the background watch {task} is never waited for",
                f"before the end: %bits_wait {task}",
            )

    # Parameters

    def _parameters_cell(self, cells: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
        tagged = [c for c in cells if c["cell_type"] == "code" and PARAMETERS_TAG in tags_of(c)]
        if not tagged:
            yield warning(
                "",
                0,
                "no cell is tagged parameters, so that it runs only as it is",
                "put hosts and paths into one cell, and the tag parameters on it",
            )
        for cell in tagged[1:]:
            yield error(
                str(cell["id"]), 0, "a second cell is tagged parameters", "put them into one cell"
            )
        for cell in tagged[:1]:
            try:
                found = declared(source_of(cell))
            except BadParameters as problem:
                what = problem.what().removeprefix(f"parameters cell, line {problem.line}: ")
                yield error(str(cell["id"]), problem.line, what, problem.hint or "")
                self.is_everything_known = True  # what it meant to declare is not known
                continue
            yield from _secret_parameters(str(cell["id"]), found)
            self.names |= {parameter.name for parameter in found}
            self.parameters = {p.name: p.default for p in found if not p.is_required}
            self.lists = {p.name for p in found if p.kind is Kind.LIST}

    # Code

    def _code(self, name: str, source: str) -> Iterator[Finding]:
        cell = read_cell(source)
        problem = cell.syntax_error()
        if problem is not None:
            yield error(name, problem.lineno or 0, f"no Python: {problem.msg}", "mend the cell")
        self._look_for_names(source, cell)
        assigned = cell.assigned()
        for call in cell.calls:
            for known in {known for known, line in assigned if line <= call.line}:
                self._assigned(known)
            yield from self._call(name, call)
        for known, _ in assigned:
            self._assigned(known)

    def _assigned(self, name: str) -> None:
        self.names.add(name)
        self.parameters.pop(name, None)  # what is changed is no default any more
        self.lists.discard(name)

    def _look_for_names(self, source: str, cell: CodeCell) -> None:
        lines = [line.strip() for line in source.splitlines()]
        self.is_loaded |= any(
            line.startswith(("%load_ext bitsshell", "%load_ext magics")) for line in lines
        )
        self.is_everything_known |= any(
            line.startswith(("%run ", "%store -r", "%pylab", "%load ")) for line in lines
        ) or ("import *" in cell.python)

    def _call(self, name: str, call: MagicCall) -> Iterator[Finding]:
        if not self.is_loaded:
            yield error(
                name,
                call.line,
                "the magics are not loaded yet",
                "begin with a cell that says: %load_ext bitsshell",
            )
            self.is_loaded = True  # once is enough
        unknown = [n for n in call.names if n not in self.names and not self.is_everything_known]
        for missing in unknown:
            yield error(
                name,
                call.line,
                f"{missing!r} is given no value before this",
                f"declare it as a parameter, assign it, or write {{{{{missing}}}}} for a literal",
            )
        problem = problem_of(call, self.parameters)
        if problem is not None:
            yield error(name, call.line, problem.what(), problem.hint or "see %bits")
        else:
            yield from self._order(name, call)
        self.verbs.append(call.verb)

    def _order(self, name: str, call: MagicCall) -> Iterator[Finding]:
        """What is wrong with a command only by what comes before it."""
        if call.background is not None:
            self.background[call.background] = (name, call.line)
        for task in joined(call, tuple(self.background)):
            del self.background[task]
        self._ask_for_several(name, call)
        if not is_destructive(call):
            return
        guards = _LOOKING_AHEAD | (_WAITING if call.verb == "complete" else set())
        if not guards & set(self.verbs):
            yield warning(
                name,
                call.line,
                f"{call.verb} destroys something, and nothing before it checks or asks",
                'before it: %bits_approve NAME "question", or %bits_check JOBS --that CONDITION',
            )
        if call.verb != "complete" and not {"--yes", "-y"} & set(call.words):
            yield warning(
                name,
                call.line,
                f"{call.verb} asks a person, so that a run without one stops there (exit code 5)",
                "ask with %bits_approve in the line before, and add --yes",
            )

    def _ask_for_several(self, name: str, call: MagicCall) -> None:
        """Remember a command that asks a person where a list of hosts has several."""
        chosen = is_for_lists(call, self.lists)
        if call.verb == "use" and chosen is not None:
            self.is_for_several = chosen
        elif asks_for_several(call) and (self.is_for_several if chosen is None else chosen):
            self.asking.append((name, call))


def _asks(asking: Sequence[tuple[str, MagicCall]]) -> Iterator[Finding]:
    """One finding, where the first of them stands."""
    if not asking:
        return
    name, call = asking[0]
    others = len(asking) - 1
    more = f" ({counted(others, 'command')} after it too)" if others else ""
    yield warning(
        name,
        call.line,
        f"{call.verb} asks a person{more} where it is about several hosts, so that a run without "
        "one stops there (exit code 5)",
        "for runs on several hosts: ask with %bits_approve in the line before, and add --yes",
    )


def _secret_parameters(name: str, found: Sequence[Parameter]) -> Iterator[Finding]:
    """Those that a run refuses by their names."""
    for parameter in found:
        try:
            refuse_secrets([parameter.name], "declared as a parameter")
        except UsageError as problem:
            yield error(name, parameter.line, problem.what(), problem.hint or "")


def _tagged(name: str, tags: Sequence[str]) -> Iterator[Finding]:
    """What tags of Jupyter mean to a run."""
    if SKIP_TAG in tags:
        yield warning(
            name, 0, f"the cell is tagged {SKIP_TAG}: a run leaves it out", "take the tag off it"
        )
    if RAISES_TAG in tags:
        yield warning(
            name,
            0,
            f"the tag {RAISES_TAG} keeps no run going: what the cell raises ends it",
            "catch the exception in the cell, and take the tag off it",
        )
