"""Drafts, outcomes and processes, for tests of the journal."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bitsshell.journal import Draft

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
WELL = {"verb": "resume", "ending": "complete", "well": 1}
STEP = {
    "host": "web01",
    "operation": "CreateJob",
    "job_id": None,
    "job_name": "nightly",
    "reference": "7P4N0C2R9K",
    "description": "create job 'nightly'",
}
MADE = {
    "host": "web01",
    "status": "done",
    "job_id": "1",
    "job_name": "nightly",
    "reference": "7P4N0C2R9K",
    "state": "SUSPENDED",
}


def draft(typed: str = "create x", **said: Any) -> Draft:
    """A change; `said` is what is not usual of it."""
    usual: dict[str, Any] = {
        "at": NOW,
        "user": "ann",
        "front": "shell",
        "words": ("create", "--host", "web01"),
        "hosts": ("web01",),
        "effect": "change",
        "plan": {"verb": "create", "effect": "change", "steps": [STEP]},
    }
    return Draft(typed=typed, **{**usual, **said})


def look(typed: str = "jobs", **said: Any) -> Draft:
    """A command that only looks."""
    words = tuple(typed.split())
    return draft(typed, **{"effect": "read", "plan": None, "words": words, **said})


def python(source: str, *arguments: object, **settings: Any) -> subprocess.Popen[str]:
    """Python in a process of its own, whose standard streams are ours."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(source), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        **settings,
    )


def finished(process: subprocess.Popen[str], timeout_s: float = 60) -> tuple[str, str]:
    """What a process wrote, when it has ended."""
    return process.communicate(timeout=timeout_s)


def bare_environment(journal: Path | str, **more: str) -> dict[str, str]:
    """An environment in which what is done is written down there."""
    return {**os.environ, "BITSSHELL_JOURNAL": str(journal), "PYTHONUTF8": "1", **more}
