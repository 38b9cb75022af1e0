"""The form of evidence.json: what is there, and as what, for everything that reads it.

Whoever tampers with a file can put anything in it. What is more than this form is let pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_S = 1e12
_OPTIONAL = "?"
"""At the end of a name: it need not be there, and may be null."""


def is_evidence(value: Any) -> bool:
    """Whether a value out of JSON has the form of evidence."""
    return _fits(value, _EVIDENCE)


def _number(value: Any) -> bool:
    """A count, or seconds; no infinity, which JSON has not."""
    return isinstance(value, int | float) and 0 <= value < _MOST_S


def _fits(value: Any, form: Any) -> bool:
    """Whether a value is of a form: a type, a test, `[form]` of each, or `{name: form}`."""
    match form:
        case type():
            return isinstance(value, form)
        case [each]:
            return isinstance(value, list) and all(_fits(one, each) for one in value)
        case dict():
            return isinstance(value, dict) and all(
                _has(value, name, of_it) for name, of_it in form.items()
            )
        case _:
            return bool(form(value))


def _has(value: Mapping[str, Any], name: str, form: Any) -> bool:
    if name.endswith(_OPTIONAL):
        found = value.get(name.removesuffix(_OPTIONAL))
        return found is None or _fits(found, form)
    return name in value and _fits(value[name], form)


_CHECK = {"label": str, "is_met": bool, "observed": str, "host?": str, "job_name?": str,
          "job_id?": str}  # fmt: skip
_APPROVAL = {"name": str, "question?": str, "claimed_by": str, "os_user": str}
_OUTCOME = {"host?": str, "job_id?": str, "job_name?": str, "status?": str, "state?": str,
            "planned?": str, "error?": {"message?": str}}  # fmt: skip
_ENTRY = {
    "kind": str,
    "ended": str,
    "words": [str],
    "hosts": [str],
    "effect": str,
    "is_what_if": bool,
    "plan?": {"steps?": [{"host?": str, "description?": str}]},
    "outcomes": [_OUTCOME],
}
_STEP = {
    "id": str,
    "number": _number,
    "title": str,
    "effect": str,
    "status": str,
    "began?": str,
    "elapsed_s": _number,
    "note": str,
    "error?": {"type": str, "lines": [str]},
    "source": str,
    "commands": [_ENTRY],
    "checks": [_CHECK],
    "approvals": [_APPROVAL],
    "jobs": [dict],
    "shown": [str],
}
_BEGIN = {
    "run": str,
    "mode": str,
    "notebook": {"name": str, "title": str, "sha256": str, "git?": {"commit?": str}},
    "who": {"os_user": str, "machine": str},
    "when": {"began": str},
    "parameters": dict,
    "given?": [str],
    "versions": dict,
    "kernel": dict,
}
_HOST = {"name": str, "endpoint": str, "user?": str, "auth": str, "transport": str,
         "has_answered": bool}  # fmt: skip
_END = {
    "when": {"ended": str, "elapsed_s": _number},
    "verdict": {"exit_code": int, "name": str},
    "where": [_HOST],
    "journal?": {"sessions": [{"session": str, "root": str}], "problem?": str},
    "files": dict,
}
_EVIDENCE = {
    "begin": _BEGIN,
    "steps": [_STEP],
    "end?": _END,
    "chain": {"links": [{"of": str, "hash": str}], "root": str},
}
