"""A run as JUnit XML, which every build server can show: one test case a step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BAD = {"failed": "failure", "timed out": "failure", "interrupted": "error"}


def junit_text(evidence: Mapping[str, Any]) -> str:
    """The evidence as a test suite."""
    steps = evidence["steps"]
    begin, end = evidence["begin"], evidence.get("end") or {}
    counts = {
        "tests": len(steps),
        "failures": sum(_BAD.get(step["status"]) == "failure" for step in steps),
        "errors": sum(_BAD.get(step["status"]) == "error" for step in steps),
        "skipped": sum(step["status"] in {"skipped", "not run"} for step in steps),
    }
    numbers = " ".join(f'{name}="{count}"' for name, count in counts.items())
    elapsed_s = (end.get("when") or {}).get("elapsed_s", 0)
    suite = (
        f"<testsuite name={_attribute(begin['notebook']['name'])} {numbers} "
        f'time="{elapsed_s}" timestamp={_attribute(begin["when"]["began"])}>'
    )
    cases = "\n".join(line for step in steps for line in _case(step, begin["notebook"]["name"]))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n{suite}\n{cases}\n'
        "</testsuite>\n</testsuites>\n"
    )


def _case(step: Mapping[str, Any], suite: str) -> Iterator[str]:
    name = _attribute(f"{step['id']} {step['title']}")
    yield f'<testcase classname={_attribute(suite)} name={name} time="{step["elapsed_s"]}">'
    status = step["status"]
    if status in _BAD:
        error = step["error"] or {"type": status, "lines": [status]}
        text = "\n".join(error["lines"])
        tag = _BAD[status]
        yield (
            f"<{tag} type={_attribute(error['type'])} message={_attribute(error['lines'][0])}>"
            f"{_escaped(text)}</{tag}>"
        )
    elif status in {"skipped", "not run"}:
        yield f"<skipped message={_attribute(step['note'] or status)}/>"
    yield "</testcase>"


def _escaped(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", text))
