"""What becomes evidence while a run goes on: of the machine, of the journal, of what cells told."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from bitsshell import run_context
from bitsshell.journal import VARIABLE, Ended, Wanted, open_journal
from bitsshell.render import REPORT_MIME_TYPE
from bitsshell.render.units import iso

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bitsshell.journal import Entry

Record = dict[str, Any]

_PACKAGES = (
    "bitsshell", "pywinrm", "lxml", "ipython", "ipykernel", "nbclient", "nbformat",
    "jupyter_client", "pyzmq",
)  # fmt: skip
_GIT_S = 5.0
_ANY_NUMBER = 2**62
_JOB_KEYS = (
    "host", "id", "name", "state", "priority", "bytes_total", "bytes_transferred", "files_total",
    "files_transferred",
)  # fmt: skip


def now_text() -> str:
    """The present in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def versions() -> Record:
    """Of everything that a result may depend on."""
    found: Record = {"python": platform.python_version(), "system": platform.platform()}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def interpreter() -> str:
    """The Python that the kernel runs on."""
    return sys.executable


def git_state(file: Path) -> Record | None:
    """The commit that a file stands in, and whether it was changed since; None without one."""
    git = shutil.which("git")
    if git is None:
        return None

    def ask(*words: str) -> str | None:
        with suppress(OSError, subprocess.SubprocessError):
            done = subprocess.run(  # noqa: S603  # git itself, on the notebook's folder
                [git, "-C", str(file.resolve().parent), *words],
                capture_output=True,
                text=True,
                timeout=_GIT_S,
                check=True,
                stdin=subprocess.DEVNULL,
            )
            return done.stdout.strip()
        return None

    commit = ask("rev-parse", "HEAD")
    if not commit:
        return None
    changes = ask("status", "--porcelain", "--", file.name)
    return {"commit": commit, "is_changed": None if changes is None else bool(changes)}


class Journaled:
    """The journal entries of one run, taken step by step.

    Args:
        address: of the journal, as `Standing.address` has it.
        run: its id.
        before: so many entries were there when it began.
    """

    def __init__(self, address: str, run: str, *, before: int) -> None:
        self._journal = open_journal(environment={VARIABLE: address})
        self._wanted = Wanted(run=run, numbers=(before + 1, _ANY_NUMBER))
        self._taken: set[tuple[str, int]] = set()
        self._sessions: dict[str, None] = {}

    def news(self, *, is_over: bool = False) -> list[Record]:
        """The entries that were not taken yet. One that has not ended waits until all `is_over`.

        Raises `JournalUnavailable`; they are taken by a later call then.
        """
        found: list[Record] = []
        for entry in self._journal.entries(self._wanted):
            key = (entry.session, entry.number)
            if key not in self._taken and (is_over or entry.ended is not Ended.RUNNING):
                self._taken.add(key)
                self._sessions[entry.session] = None
                found.append(entry_record(entry))
        return found

    def roots(self) -> list[Record]:
        """The chain of each session that wrote for this run, as far as it goes now.

        Raises `JournalUnavailable`.
        """
        return [
            {"session": session, "root": self._journal.root(session)} for session in self._sessions
        ]

    def close(self) -> None:
        """Let go of the file."""
        self._journal.close()


def entry_record(entry: Entry) -> Record:
    """A journal entry as it stands in the evidence."""
    return {
        "number": entry.number,
        "session": entry.session,
        "at": iso(entry.at),
        "ended_at": None if entry.ended_at is None else iso(entry.ended_at),
        "step": entry.step,
        "kind": entry.kind.value,
        "ended": entry.ended.value,
        "words": list(entry.words),
        "hosts": list(entry.hosts),
        "effect": entry.effect,
        "is_what_if": entry.is_what_if,
        "plan": None if entry.plan is None else dict(entry.plan),
        "outcomes": [dict(outcome) for outcome in entry.outcomes],
        "summary": None if entry.summary is None else dict(entry.summary),
        "error": None if entry.error is None else dict(entry.error),
        "data": None if entry.data is None else dict(entry.data),
    }


class Told:
    """What the processes of a run told (`run_context.tell`), taken step by step."""

    def __init__(self, context_file: Path) -> None:
        self._file = context_file
        self._taken = 0
        self.hosts: dict[str, Record] = {}

    def news(self) -> tuple[list[Record], list[Record]]:
        """The checks and the approvals that came since the last time."""
        facts = run_context.facts(self._file)
        fresh, self._taken = facts[self._taken :], len(facts)
        checks: list[Record] = []
        approvals: list[Record] = []
        for fact in fresh:
            kind = fact.pop("kind", "")
            fact.pop("pid", None)
            match kind:
                case "host":
                    self._host(fact)
                case "check":
                    checks.append(fact)
                case "approval":
                    approvals.append(fact)
        return checks, approvals

    def _host(self, fact: Record) -> None:
        known = self.hosts.get(str(fact.get("name")))
        if known is None or fact.get("has_answered") or not known.get("has_answered"):
            self.hosts[str(fact.get("name"))] = {**fact, "transport": _transport(fact)}


def _transport(fact: Record) -> str:
    if fact.get("is_tls"):
        return "HTTPS"
    if fact.get("auth") in {"basic", "certificate"}:
        return "HTTP, not encrypted"
    return "HTTP, messages encrypted by the logon"


def jobs_in(outputs: Iterable[Any]) -> list[Record]:
    """The jobs that a cell's outputs hold, each as it was shown last."""
    found: dict[tuple[Any, Any], Record] = {}
    for report in reports_in(outputs):
        for item in report.get("items") or ():
            if isinstance(item, dict) and "state" in item and "id" in item:
                job = {key: item.get(key) for key in _JOB_KEYS if key in item}
                error = item.get("error")
                if isinstance(error, dict):
                    job["error"] = error.get("hex")
                found[item.get("host"), item.get("id")] = job
    return list(found.values())


def reports_in(outputs: Iterable[Any]) -> list[Record]:
    """Results of ours in a cell's outputs, in order."""
    bundles = (output.get("data") or {} for output in outputs)
    return [found for data in bundles if isinstance(found := data.get(REPORT_MIME_TYPE), dict)]
