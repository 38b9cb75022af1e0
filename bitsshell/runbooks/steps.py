"""A notebook as the runner sees it: its parameters, and its code cells as steps."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bitsshell.bits import Effect
from bitsshell.commands import VERBS
from bitsshell.commands.magicline import Name, pieces
from bitsshell.commands.runbook import Named
from bitsshell.errors import UsageError, shown
from bitsshell.render.text import clip, prose
from bitsshell.runbooks.cells import magics_in, read_cell
from bitsshell.runbooks.parameters import (
    INJECTED_TAG,
    PARAMETERS_TAG,
    Parameter,
    Value,
    bound,
    declared,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SETUP_TAG = "setup"
"""The tag of cells that run even when the steps before a `--from-step` are skipped."""
SKIP_TAG = "skip-execution"
"""Jupyter's tag of cells that no runner runs."""
RAISES_TAG = "raises-exception"
"""Jupyter's tag of cells that may raise. A run ends there all the same: it has one outcome."""

_CONNECTING = {"use", "login", "config", "hosts"}
_TITLE_CELLS = 60
_TITLES = {PARAMETERS_TAG: "Parameters", INJECTED_TAG: "Parameters that were given"}
_SECRET_NAME = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|api_?key|access_?key|private_?key", re.IGNORECASE
)


class BadNotebook(UsageError):
    """A file that is no notebook that can be run. Nothing was started."""


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval that a cell asks for. The question is as it stands in its source."""

    name: str
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A code cell. `index` is its place among all cells; `effect` the strongest of its verbs.

    `is_skipped` says that it is tagged to be left out, `may_raise` that it is tagged to go on.
    """

    id: str
    index: int
    title: str
    source: str
    effect: Effect
    is_setup: bool
    is_skipped: bool = False
    may_raise: bool = False
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook as it was read: `cells` and `metadata` are its own JSON."""

    path: Path
    sha256: str
    cells: tuple[dict[str, Any], ...]
    metadata: dict[str, Any]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What it declares; nothing where no cell is tagged. Raises `BadParameters`."""
        place = self.parameters_index
        return () if place is None else declared(source_of(self.cells[place]))

    @property
    def parameters_index(self) -> int | None:
        """Where its parameters cell is. Raises `BadNotebook` where there are several."""
        tagged = [
            index
            for index, cell in enumerate(self.cells)
            if cell["cell_type"] == "code" and PARAMETERS_TAG in tags_of(cell)
        ]
        if len(tagged) > 1:
            raise BadNotebook(
                f"{self.path}: {len(tagged)} cells are tagged {PARAMETERS_TAG}",
                hint="put all parameters into one cell",
            )
        return tagged[0] if tagged else None

    @property
    def title(self) -> str:
        """Its first heading, else the name of its file."""
        texts = (source_of(cell) for cell in self.cells if cell["cell_type"] == "markdown")
        return next((found for text in texts if (found := _heading(text))), self.path.stem)


def read_notebook(path: Path) -> Notebook:
    """Read a notebook of format 4; cells without ids get `cell-N`. Raises `BadNotebook`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadNotebook(f"{shown(str(path))} cannot be read: {error.strerror}") from error
    try:
        content = json.loads(raw)
        version = content["nbformat"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise BadNotebook(
            f"{shown(str(path))} is no notebook", hint="a notebook is a file that ends in .ipynb"
        ) from error
    if version != 4:
        raise BadNotebook(
            f"{shown(str(path))} has the notebook format {version!r}, and 4 is needed",
            hint=f"convert it: jupyter nbconvert --to notebook --nbformat 4 {path.name}",
        )
    return _checked(path, raw, content)


def _checked(path: Path, raw: bytes, content: dict[str, Any]) -> Notebook:
    cells, metadata = content.get("cells"), content.get("metadata", {})
    language = str(_mapping(metadata, "kernelspec").get("language") or "python")
    if not isinstance(cells, list) or not all(map(_is_cell, cells)):
        raise BadNotebook(
            f"{shown(str(path))} is damaged: a cell in it is none",
            hint="open it in JupyterLab, and save it",
        )
    if language.lower() != "python":
        raise BadNotebook(
            f"{shown(str(path))} is a notebook in {language}", hint="only Python ones are run"
        )
    found: dict[str, int] = {}
    for number, cell in enumerate(cells, 1):
        name = cell.setdefault("id", f"cell-{number}")
        if name in found:
            raise BadNotebook(f"{shown(str(path))}: cells {found[name]} and {number} have one id")
        found[name] = number
    return Notebook(path, hashlib.sha256(raw).hexdigest(), tuple(cells), metadata)


def _mapping(value: Any, key: str) -> dict[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _is_cell(cell: Any) -> bool:
    return (
        isinstance(cell, dict)
        and isinstance(cell.get("cell_type"), str)
        and isinstance(cell.get("source", ""), str | list)
        and isinstance(cell.get("metadata", {}), dict)
    )


def source_of(cell: Mapping[str, Any]) -> str:
    """The source of a cell, which a file may hold as lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(map(str, source))


def tags_of(cell: Mapping[str, Any]) -> list[str]:
    """The tags of a cell."""
    tags = cell.get("metadata", {}).get("tags", [])
    return [str(tag) for tag in tags] if isinstance(tags, list) else []


# Steps


def steps_of(
    cells: Sequence[Mapping[str, Any]], values: Mapping[str, Value] | None = None
) -> tuple[Step, ...]:
    """The code cells that say something, in order.

    `values` are those of the parameters, after which an approval may be called.
    """
    known = dict(values or {})
    first_named = next(
        (
            place
            for place, cell in enumerate(cells)
            if _mapping(cell["metadata"], "bits").get("step")
        ),
        0,
    )
    found: list[Step] = []
    for index, cell in enumerate(cells):
        source = source_of(cell)
        if cell["cell_type"] != "code" or not source.strip():
            continue
        bits = _mapping(cell.get("metadata"), "bits")
        read, tags = read_cell(source), set(tags_of(cell))
        if not {PARAMETERS_TAG, INJECTED_TAG} & tags:
            for name, _ in read.assigned():
                known.pop(name, None)  # only the kernel knows what it is from here on
        found.append(
            Step(
                id=str(cell["id"]),
                index=index,
                title=_title(cells, index, source, bits),
                source=source,
                effect=_effect([call.verb for call in read.calls], bits),
                is_setup=index < first_named or _is_setup(cell, source),
                is_skipped=SKIP_TAG in tags,
                may_raise=RAISES_TAG in tags,
                approvals=tuple(_approvals((call.words for call in read.calls), known)),
            )
        )
    return tuple(found)


def _is_setup(cell: Mapping[str, Any], source: str) -> bool:
    """Whether later cells cannot do without it: tagged so, or it only connects."""
    if {PARAMETERS_TAG, INJECTED_TAG, SETUP_TAG} & set(tags_of(cell)):
        return True
    lines = [line.strip() for line in source.splitlines()]
    said = [line for line in lines if line and not line.startswith("#")]
    return all(_connects(line) for line in said)


def _connects(line: str) -> bool:
    if re.match(r"%(?:load_ext|reload_ext|config)\s|(?:import|from)\s", line):
        return True
    calls = magics_in(line)
    return len(calls) == 1 and calls[0].verb in _CONNECTING


def _effect(verbs: Sequence[str], bits: Mapping[str, Any]) -> Effect:
    said = str(bits.get("effect", ""))
    effects = {VERBS[verb].effect for verb in verbs if verb in VERBS}
    effects |= {effect for effect in Effect if effect.value == said}
    return next((e for e in (Effect.DESTROY, Effect.CHANGE) if e in effects), Effect.READ)


def _approvals(calls: Iterator[tuple[str, ...]], values: Mapping[str, Value]) -> Iterator[Approval]:
    """Those whose name can be told before they are reached."""
    for words in calls:
        said = [word for word in words[1:] if not word.startswith("-")]
        if words[:1] == ("approve",) and said and (name := _called(said[0], values)):
            yield Approval(name, " ".join(said[1:]))


def _called(word: str, values: Mapping[str, Value]) -> str | None:
    """A word with what is in it in braces, where that is the value of a parameter; else None."""
    try:
        found = pieces(word)
    except UsageError:
        return None
    told = ""
    for piece in found:
        if isinstance(piece, Name):
            value = values.get(piece.variable)
            if piece.steps or piece.format or value is None or isinstance(value, list):
                return None
            piece = str(value)
        told += piece
    return told


def _title(
    cells: Sequence[Mapping[str, Any]], index: int, source: str, bits: Mapping[str, Any]
) -> str:
    """Its own, else the heading right above it, else its first line."""
    said = str(bits.get("step") or "")
    tags = tags_of(cells[index])
    if not said:
        said = next((title for tag, title in _TITLES.items() if tag in tags), "")
    if not said and index and cells[index - 1]["cell_type"] == "markdown":
        said = _heading(source_of(cells[index - 1]))
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    spoken = [line for line in lines if not line.startswith("#")]
    return clip(prose(said or (spoken or lines)[0]), _TITLE_CELLS)


def _heading(text: str) -> str:
    found = re.search(r"^ {0,3}#{1,6}\s+(.+?)\s*#*$", text, re.MULTILINE)
    return prose(found[1]) if found else ""


# Parameters


def parameter_values(
    notebook: Notebook, given: Sequence[tuple[str, str]], file: Path | None
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """The value of every parameter, and the names of those that were given.

    Raises UsageError, as `parameters.bound` does.
    """
    texts: dict[str, str] = {}
    for name, text in given:
        if name in texts:
            raise UsageError(f"-p {name} is given twice")
        texts[name] = text
    typed = {**_given_before(notebook), **({} if file is None else _toml(file))}
    refuse_secrets([*texts, *typed], "given as a parameter")
    parameters = notebook.parameters
    refuse_secrets([parameter.name for parameter in parameters], "declared as a parameter")
    if notebook.parameters_index is None and (texts or typed):
        raise BadNotebook(
            f"{notebook.path}: no cell is tagged {PARAMETERS_TAG}, so it takes no parameters",
            hint=f"put them into one cell, and the tag {PARAMETERS_TAG} on it",
        )
    values = bound(parameters, texts, typed)
    return values, tuple(name for name in values if name in texts or name in typed)


def _given_before(notebook: Notebook) -> dict[str, object]:
    """The parameters that an executed notebook was given; they hold for it as its own do."""
    names = {parameter.name for parameter in notebook.parameters}
    cells = (cell for cell in notebook.cells if INJECTED_TAG in tags_of(cell))
    found = [one for cell in cells for one in declared(source_of(cell))]
    return {one.name: one.default for one in found if one.name in names}


def refuse_secrets(names: Sequence[str], how: str) -> None:
    """Raise UsageError where a name says that its value is a secret."""
    for name in names:
        if _SECRET_NAME.search(name):
            raise UsageError(
                f"{name} looks like a secret, which must not be {how}: it would stand in notebook "
                "and evidence",
                hint="set BITSSHELL_PASSWORD, or use the keyring; change it if you just typed it",
            )


def _toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"-f {shown(str(path))} cannot be read: {error.strerror}") from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise UsageError(f"-f {shown(str(path))} is no TOML: {error}") from error


def described(path: Path) -> str:
    """The parameters of a notebook, for its help. Raises UsageError."""
    notebook = read_notebook(path)
    parameters = notebook.parameters
    kinds = max((len(parameter.name) for parameter in parameters), default=0)
    described_ones = [(one, _described(one)[1]) for one in parameters]
    rows = [(f"{one.name:<{kinds}}  {one.kind}", text) for one, text in described_ones]
    if not rows:
        return f"{path.name} ({notebook.title}) takes no parameters."
    cells = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{cells}}  {text}".rstrip() for name, text in rows]
    return "\n".join([f"Parameters of {path.name} ({notebook.title}), each -p NAME=VALUE:", *lines])


def named(path: Path, what: Named) -> tuple[tuple[str, str], ...]:
    """What can be named of a notebook, each with a word about it; nothing of a bad one."""
    try:
        notebook = read_notebook(path)
        match what:
            case Named.PARAMETER:
                return tuple(_described(parameter) for parameter in notebook.parameters)
            case Named.STEP:
                return tuple((step.id, step.title) for step in steps_of(notebook.cells))
            case Named.APPROVAL:
                defaults = {one.name: one.default for one in notebook.parameters}
                steps = steps_of(notebook.cells, defaults)
                return tuple((one.name, one.question) for step in steps for one in step.approvals)
    except UsageError:
        return ()


def _described(parameter: Parameter) -> tuple[str, str]:
    said = [prose(parameter.help)] if parameter.help else []
    if parameter.choices:
        said.append(f"one of {', '.join(map(str, parameter.choices))}")
    if parameter.is_required:
        said.append("required")
    elif parameter.default is not None:
        said.append(f"default {_written(parameter.default)}")
    return parameter.name, "; ".join(said)


def _written(value: Value) -> str:
    if isinstance(value, list):
        return ",".join(value) or "none"
    return str(value) if value != "" else "empty"
