"""`%%bits_check`: Python expressions, one a line, each with the values that it was decided on.

    all done: len(jobs) == 3
    jobs[0].bytes_total > 0             # something was moved

A label stands in front with a colon, or behind as a comment. All lines are evaluated, in order and
each part of them once, before anything is said of the first that does not hold. The magic calls
`check_cell(body, user_ns)`, shows the report and raises when `report.summary.unmet`.
"""

from __future__ import annotations

import ast
import io
import operator
import tokenize
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bitsshell import run_context
from bitsshell.errors import UsageError, shown
from bitsshell.render.text import clip, prose
from bitsshell.results import Begin, ConditionResult, Outcome, Report, Status, Summary, View

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

_VALUE_CELLS = 120

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


class BadCheck(UsageError):
    """A line of a check that is no expression. Nothing of the check was evaluated."""


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One line: its label (empty for none), and the expression as text and as Python has it."""

    number: int
    label: str
    source: str
    expression: ast.expr


def check_cell(body: str, namespace: MutableMapping[str, Any]) -> Report:
    """Evaluate the body of a `%%bits_check` in a namespace; tell the run that this is part of.

    The report has one `ConditionResult` a line; `report.summary.unmet` counts those that do not
    hold, and the caller raises when there are any. Raises `BadCheck`.
    """
    results = evaluate(parse(body), namespace)
    for result in results:
        run_context.tell(
            "check", label=result.condition, is_met=result.is_met, observed=result.observed
        )
    outcomes = [
        Outcome(host="", value=result, status=Status.DONE if result.is_met else Status.FAILED)
        for result in results
    ]
    unmet = sum(not result.is_met for result in results)
    summary = Summary(verb="check", well=len(results) - unmet, unmet=unmet)
    return Report.of([Begin("check", View.CONDITIONS), *outcomes, summary])


def parse(body: str) -> tuple[CheckLine, ...]:
    """The lines of a check; empty ones and comments are none. Raises `BadCheck`."""
    found = [
        _line(number, text)
        for number, text in enumerate(body.splitlines(), 1)
        if text.strip() and not text.lstrip().startswith("#")
    ]
    if not found:
        raise BadCheck(
            "there is nothing to check", hint="write one expression a line: len(jobs) == 3"
        )
    return tuple(found)


def _line(number: int, text: str) -> CheckLine:
    code, comment = _without_comment(text.strip())
    whole = _expression(code)
    if whole is not None:
        return CheckLine(number, comment, code, whole)
    label, colon, behind = code.partition(":")
    labelled = _expression(behind.strip()) if colon else None
    if labelled is not None:
        return CheckLine(number, label.strip(), behind.strip(), labelled)
    raise BadCheck(
        f"line {number} is no expression: {shown(clip(code, 60))}",
        hint="one expression a line, with a label in front (label: x == 1) or none",
    )


def _without_comment(text: str) -> tuple[str, str]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                return text[: token.start[1]].rstrip(), token.string.lstrip("#").strip()
    except (tokenize.TokenError, SyntaxError):
        pass  # said of the expression
    return text, ""


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def evaluate(
    lines: tuple[CheckLine, ...], namespace: MutableMapping[str, Any]
) -> tuple[ConditionResult, ...]:
    """Every line, whatever became of those before. Only an interrupt ends it early."""
    return tuple(_evaluated(line, namespace) for line in lines)


def _evaluated(line: CheckLine, namespace: MutableMapping[str, Any]) -> ConditionResult:
    seen: dict[str, str] = {}
    try:
        is_met = bool(_value(line.expression, namespace, seen))
    except Exception as error:  # noqa: BLE001  # the cell's own; it is observed
        is_met = False
        seen["raises"] = clip(f"{type(error).__name__}: {prose(str(error))}", _VALUE_CELLS)
    observed = ", ".join(
        f"raises {text}" if name == "raises" else f"{name} is {text}" for name, text in seen.items()
    )
    return ConditionResult(
        host="",
        condition=f"{line.label}: {line.source}" if line.label else line.source,
        is_met=is_met,
        observed=observed,
    )


def _value(node: ast.expr, namespace: MutableMapping[str, Any], seen: dict[str, str]) -> Any:
    """The value of an expression; what it was decided on goes into `seen`."""
    match node:
        case ast.Compare(left=left, ops=ops, comparators=rights):
            return _compared(left, ops, rights, namespace, seen)
        case ast.BoolOp(op=op, values=parts):
            return _joined(isinstance(op, ast.And), parts, namespace, seen)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, namespace, seen)
        case _:
            return _seen(node, namespace, seen)


def _compared(
    left: ast.expr,
    ops: list[ast.cmpop],
    rights: list[ast.expr],
    namespace: MutableMapping[str, Any],
    seen: dict[str, str],
) -> Any:
    value, is_met = _seen(left, namespace, seen), None
    for op, right in zip(ops, rights, strict=True):
        other = _seen(right, namespace, seen)
        is_met = _COMPARE[type(op)](value, other)
        if not is_met:
            return is_met
        value = other
    return is_met


def _joined(
    is_and: bool,
    parts: list[ast.expr],
    namespace: MutableMapping[str, Any],
    seen: dict[str, str],
) -> Any:
    value: Any = is_and
    for part in parts:
        value = _value(part, namespace, seen)
        if bool(value) is not is_and:
            return value
    return value


def _seen(node: ast.expr, namespace: MutableMapping[str, Any], seen: dict[str, str]) -> Any:
    code = compile(ast.Expression(node), "<bits_check>", "eval")
    value = eval(code, namespace)  # type: ignore[arg-type]  # noqa: S307  # the cell's own Python
    if not isinstance(node, ast.Constant):
        seen[ast.unparse(node)] = clip(prose(_shown(value)), _VALUE_CELLS)
    return value


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001  # the value's own
        return f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
