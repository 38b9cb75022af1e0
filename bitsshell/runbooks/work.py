"""What the verbs `run` and `record` are given: each method imports what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bitsshell.commands.declare import Call
    from bitsshell.commands.recording import SaveRequest
    from bitsshell.commands.runbook import Named, RunRequest
    from bitsshell.results import Event
    from bitsshell.session import Session


class Work:
    """Implements `commands.runbook.Runbooks`."""

    def run(self, call: Call, request: RunRequest) -> Iterator[Event]:
        """Run a notebook and keep the evidence. Raises UsageError before anything starts."""
        from bitsshell.runbooks.runner import run

        return run(call, request)

    def lint(self, notebook: Path) -> Iterator[Event]:
        """Look a notebook over without running it."""
        from bitsshell.runbooks.lint_report import look_over

        return look_over(notebook)

    def diff(self, first: Path, second: Path) -> Iterator[Event]:
        """Compare two pieces of evidence by outcome."""
        from bitsshell.runbooks.diff import diff

        return diff(first, second)

    def verify(self, folder: Path) -> Iterator[Event]:
        """Whether evidence is as it was written."""
        from bitsshell.runbooks.evidence import verify

        return verify(folder)

    def described(self, notebook: Path) -> str:
        """The parameters of a notebook, for its help."""
        from bitsshell.runbooks.steps import described

        return described(notebook)

    def named(self, notebook: Path, what: Named) -> tuple[tuple[str, str], ...]:
        """What can be named of a notebook, each with a word about it; nothing of a bad one."""
        from bitsshell.runbooks.steps import named

        return named(notebook, what)

    def save(self, session: Session, request: SaveRequest) -> Iterator[Event]:
        """Save a recording as a notebook. Raises UsageError where there is none."""
        from bitsshell.runbooks.saving import save

        return save(session, request)
