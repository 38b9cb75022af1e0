"""The parameters of a runbook: what its cell tagged `parameters` declares, and their values.

The cell is plain Python that papermill understands, too, one parameter a line:

    hosts: list[str] = ["web01"]        # the hosts to act on
    url: str                            # what to fetch; required, for it has no value
    mode: str = "fast"                  # one of: fast, careful. How to go about it
    limit: int = 3

Kinds are str, int, float, bool and list[str]; `Literal["a", "b"]` names choices, too, and
`str | None = None` may be left open. It is read with `ast`: nothing of it is run.
"""

from __future__ import annotations

import ast
import difflib
import enum
import io
import json
import math
import re
import tokenize
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from bitsshell.errors import UsageError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Value: TypeAlias = str | int | float | bool | list[str] | None
"""What a parameter may be. None only where its declaration says so."""

PARAMETERS_TAG = "parameters"
INJECTED_TAG = "injected-parameters"
"""The tags of papermill: the cell with the defaults, and the one that a runner puts behind it."""


class Kind(enum.StrEnum):
    """What values a parameter takes, in the words of its annotation."""

    STR = "str"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    LIST = "list[str]"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter. `line` is its line in the cell, from 1; `help` the comment on it."""

    name: str
    kind: Kind
    default: Value = None
    is_required: bool = False
    choices: tuple[Value, ...] = ()
    help: str = ""
    is_optional: bool = False
    """Whether None is a value of it."""
    line: int = 0


class BadParameters(UsageError):
    """A parameters cell that declares something else than parameters."""

    line: int

    def __init__(self, what: str, line: int, hint: str | None = None) -> None:
        super().__init__(f"parameters cell, line {line}: {what}", hint=hint or _FORM, line=line)


_FORM = 'write one parameter a line: hosts: list[str] = ["web01"]  # what it is for'
_CHOICES = re.compile(r"one of:\s*(?P<choices>[^.]*?(?:\.\S[^.]*?)*)(?:\.\s*$|\.\s+(?P<help>.*)|$)")


def declared(cell_source: str) -> tuple[Parameter, ...]:
    """The parameters that a cell declares, in its order. An import and a text are let pass.

    Raises:
        BadParameters: it is no Python, or something in it is no parameter.
    """
    try:
        tree = ast.parse(cell_source)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise BadParameters(f"this is no Python ({error.args[0]})", line) from error
    comments = _comments(cell_source)
    found: dict[str, Parameter] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom) or _is_text(statement):
            continue
        parameter = _parameter(statement, _comment_on(statement, comments))
        if parameter.name in found:
            raise BadParameters(f"{parameter.name} is declared twice", parameter.line)
        found[parameter.name] = parameter
    return tuple(found.values())


def bound(
    parameters: Sequence[Parameter], texts: Mapping[str, str], typed: Mapping[str, object]
) -> dict[str, Value]:
    """The value of every parameter: of `texts` (`-p NAME=VALUE`), else of `typed` (TOML), else its
    default.

    Raises:
        UsageError: a name is unknown, a required one is missing, or a value is of another kind or
            none of the choices.
    """
    _refuse_unknown([*texts, *typed], parameters)
    values: dict[str, Value] = {}
    missing: list[str] = []
    for parameter in parameters:
        name = parameter.name
        if name in texts:
            values[name] = _from_text(parameter, texts[name])
        elif name in typed:
            values[name] = _from_typed(parameter, typed[name])
        elif parameter.is_required:
            missing.append(name)
        else:
            values[name] = parameter.default
    if missing:
        what = "a value is" if len(missing) == 1 else "values are"
        raise UsageError(
            f"{what} missing for {', '.join(missing)}",
            hint=" ".join(f"-p {name}=..." for name in missing),
        )
    return values


def injected_source(values: Mapping[str, Value]) -> str:
    """The cell that a runner puts behind the parameters cell, as papermill does."""
    return "\n".join(["# Parameters", *(f"{name} = {value!r}" for name, value in values.items())])


# Reading the cell


def _comment_on(statement: ast.stmt, comments: Mapping[int, str]) -> str:
    """The comment behind a statement; formatters put long ones inside of its brackets."""
    last = statement.end_lineno or statement.lineno
    inside = (comments.get(line, "") for line in range(statement.lineno, last))
    return comments.get(last) or " ".join(filter(None, inside))


def _comments(source: str) -> dict[int, str]:
    """The comment at the end of each line that has one, by line."""
    lines = io.StringIO(source).readline
    return {
        token.start[0]: token.string.lstrip("#").strip()
        for token in tokenize.generate_tokens(lines)
        if token.type == tokenize.COMMENT
    }


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _parameter(statement: ast.stmt, comment: str) -> Parameter:
    line = statement.lineno
    annotation: ast.expr | None = None
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            annotation = statement.annotation
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            pass
        case _:
            raise BadParameters(f"{shown(ast.unparse(statement))} is no parameter", line)
    default = None if value is None else _literal(name, value, line)
    choices: tuple[Value, ...] = ()
    if annotation is None:
        kind, is_optional = _kind_of(name, default, line), default is None
    else:
        kind, is_optional, choices = _annotated(name, annotation, line)
    help_text = comment
    if not choices and (named := _CHOICES.match(comment)) is not None:
        help_text = named["help"] or ""
        texts = [text.strip().strip("'\"") for text in named["choices"].split(",")]
        item_kind = Kind.STR if kind is Kind.LIST else kind
        choices = tuple(_of_kind(Parameter(name, item_kind), text) for text in texts if text)
    parameter = Parameter(name, kind, default, value is None, choices, help_text, is_optional, line)
    if parameter.is_required:
        return parameter
    try:
        if kind is Kind.LIST and isinstance(default, str):  # papermill would leave it a text
            raise _wrong(parameter, repr(default))
        return replace(parameter, default=_from_typed(parameter, default))
    except UsageError as error:
        raise BadParameters(error.what(), line) from error


def _literal(name: str, value: ast.expr, line: int) -> Value:
    try:
        found = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise BadParameters(
            f"the default of {name} is computed: {shown(ast.unparse(value))}",
            line,
            hint="a default is a plain value; compute with it in a later cell",
        ) from error
    if isinstance(found, tuple):
        found = list(found)
    return found  # type: ignore[no-any-return]  # its kind is looked at next


def _kind_of(name: str, default: object, line: int) -> Kind:
    """The kind of a parameter without annotation."""
    match default:
        case bool():
            return Kind.BOOL
        case int():
            return Kind.INT
        case float():
            return Kind.FLOAT
        case str() | None:
            return Kind.STR
        case list():
            return Kind.LIST
        case _:
            raise BadParameters(
                f"{name} is a {type(default).__name__}, which no parameter is",
                line,
                hint=f"a parameter is one of {', '.join(Kind)}",
            )


_ANNOTATIONS = {
    **{kind.value: kind for kind in Kind},
    "List[str]": Kind.LIST, "list": Kind.LIST, "Sequence[str]": Kind.LIST,
}  # fmt: skip


def _annotated(name: str, annotation: ast.expr, line: int) -> tuple[Kind, bool, tuple[Value, ...]]:
    """Kind, whether None fits, and choices of an annotation."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        with suppress(SyntaxError):  # refused below, as it stands
            annotation = ast.parse(annotation.value, mode="eval").body
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
            kind, _, choices = _annotated(name, left, line)
            return kind, True, choices
        case ast.Subscript(value=ast.Name(id="Literal"), slice=items):
            choices = _literal_choices(name, items, line)
            return _kind_of(name, choices[0], line), False, choices
        case _:
            kind_or_none = _ANNOTATIONS.get(ast.unparse(annotation))
    if kind_or_none is None:
        raise BadParameters(
            f"{name} has the kind {shown(ast.unparse(annotation))}, which is not known here",
            line,
            hint=f"one of {', '.join(Kind)}, or Literal[...]",
        )
    return kind_or_none, False, ()


def _literal_choices(name: str, items: ast.expr, line: int) -> tuple[Value, ...]:
    found = _literal(name, items, line)
    choices = tuple(found) if isinstance(found, list) else (found,)
    if len({type(choice) for choice in choices}) != 1 or isinstance(choices[0], list | None):
        raise BadParameters(f"the choices of {name} are not of one kind", line)
    return choices


# Binding values


def _refuse_unknown(given: Sequence[str], parameters: Sequence[Parameter]) -> None:
    known = [parameter.name for parameter in parameters]
    unknown = [name for name in dict.fromkeys(given) if name not in known]
    if not unknown:
        return
    near = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0.6)
    declares = f"it declares {', '.join(known)}" if known else "it declares none"
    raise UsageError(
        f"the runbook has no parameter {', '.join(map(shown, unknown))}",
        hint=f"did you mean {near[0]}? ({declares})" if near else declares,
    )


def _from_text(parameter: Parameter, text: str) -> Value:
    """The value of a text as `-p NAME=TEXT` has it."""
    if parameter.kind is Kind.LIST:
        return _chosen(parameter, _list_from(parameter, text))
    return _chosen(parameter, _of_kind(parameter, text))


def _of_kind(parameter: Parameter, text: str) -> Value:
    bare = text.strip()
    match parameter.kind:
        case Kind.BOOL if bare.lower() in _BOOLS:
            return _BOOLS[bare.lower()]
        case Kind.INT if re.fullmatch(r"[+-]?\d+", bare):
            return int(bare)
        case Kind.FLOAT if _is_number(bare):
            return float(bare)
        case Kind.STR:
            return text
        case _:
            raise _wrong(parameter, shown(text))


_BOOLS = {"true": True, "yes": True, "on": True, "1": True,
          "false": False, "no": False, "off": False, "0": False}  # fmt: skip
_COMMA = re.compile(r",(?![^\[\]]*\])")
"""A comma that is not inside the brackets of a range, such as `web[01,03]`."""


def _list_from(parameter: Parameter, text: str) -> list[str]:
    bare = text.strip()
    if bare.startswith('["') or bare == "[]":
        try:
            return _texts(parameter, json.loads(bare))
        except ValueError as error:
            raise _wrong(parameter, shown(text)) from error
    return [item for part in _COMMA.split(text) if (item := part.strip())]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _from_typed(parameter: Parameter, value: object) -> Value:
    """The value, which has a type already, if it is one of the parameter."""
    match parameter.kind, value:
        case _, None if parameter.is_optional:
            return None
        case (Kind.BOOL, bool()) | (Kind.STR, str()):
            pass
        case (Kind.INT, int()) if not isinstance(value, bool):
            pass
        case (Kind.FLOAT, int() | float()) if not isinstance(value, bool):
            value = float(value)
        case (Kind.LIST, list()):
            value = _texts(parameter, value)
        case (Kind.LIST, str()):
            value = _list_from(parameter, value)
        case _:
            raise _wrong(parameter, repr(value))
    return _chosen(parameter, value)  # type: ignore[arg-type]  # as just looked at


def _texts(parameter: Parameter, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(parameter, repr(value))
    return list(value)


def _chosen(parameter: Parameter, value: Value) -> Value:
    """The value, if it is one of the choices."""
    items = value if isinstance(value, list) else [value]
    for item in items:
        if parameter.choices and item not in parameter.choices:
            raise UsageError(
                f"{parameter.name} cannot be {shown(str(item))}",
                hint=f"one of {', '.join(map(str, parameter.choices))}",
            )
    return value


_TAKES = {
    Kind.LIST: "a list of texts",
    Kind.BOOL: "true or false",
    Kind.INT: "a whole number",
    Kind.FLOAT: "a number",
    Kind.STR: "a text",
}


def _wrong(parameter: Parameter, value: str) -> UsageError:
    hint = f"-p {parameter.name}=one,two" if parameter.kind is Kind.LIST else None
    return UsageError(
        f"{parameter.name} takes {_TAKES[parameter.kind]} ({parameter.kind}), not {value}",
        hint=hint,
    )
