"""What `run --check` says: every finding as a check that failed or is noted, and a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.render.text import counted
from bitsshell.results import Check, CheckState, Conclusion, Event, Outcome, Status, Verdict
from bitsshell.runbooks.findings import Finding, Severity
from bitsshell.runbooks.lint import lint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STATES = {Severity.ERROR: CheckState.FAILED, Severity.WARNING: CheckState.NOTE}


def look_over(notebook: Path) -> Iterator[Event]:
    """Every finding in a notebook, in its order; errors make it exit code 2."""
    findings = lint(notebook)
    for finding in findings:
        yield _outcome(finding, notebook)
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    warnings = len(findings) - errors
    said = [counted(n, word) for n, word in ((errors, "error"), (warnings, "warning")) if n]
    yield Conclusion(
        Verdict.USAGE if errors else Verdict.WELL,
        (f"{notebook.name}: {', '.join(said) or 'no findings'}",),
        {"notebook": str(notebook), "errors": errors, "warnings": warnings},
    )


def _outcome(finding: Finding, notebook: Path) -> Outcome:
    is_error = finding.severity is Severity.ERROR
    check = Check(
        subject=finding.cell or notebook.name,
        name=f"line {finding.line}" if finding.line else "as a whole",
        state=_STATES[finding.severity],
        text=finding.what,
        next=finding.next or None,
    )
    return Outcome(host="", value=check, status=Status.FAILED if is_error else Status.DONE)
