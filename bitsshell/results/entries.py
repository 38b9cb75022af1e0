"""What the journal holds, as it is read: entries, and the jobs that were started."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

Record = Mapping[str, Any]
"""Something ready for JSON, with the keys of `bitsshell.render.records`."""


class EntryKind(enum.StrEnum):
    """What an entry is about."""

    COMMAND = "command"
    REFUSED = "refused"
    """A verb with words that it does not take; nothing was done."""
    NOTE = "note"
    """A person's own words; they are in `data["text"]`."""
    CHECK = "check"
    """Something that was found to be so or not; `data` has what was looked at and seen."""
    APPROVAL = "approval"
    """A yes or no of a person; `data` has `name`, `claimed_by` and `is_given`."""


class Ended(enum.StrEnum):
    """How an entry stands."""

    WELL = "well"
    FAILED = "failed"
    """Something of it failed, was not sent, or is not known."""
    UNMET = "unmet"
    """Only a time limit or a waited-for condition was missed."""
    INTERRUPTED = "interrupted"
    DECLINED = "declined"
    RUNNING = "running"
    """Its end is not written, and the process that began it is alive."""
    CUT_OFF = "cut off"
    """Its end was never written: whatever of it has no outcome may or may not have been done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that this tool did: who, when, where, what was meant and what came of it.

    `plan`, `outcomes`, `summary` and `error` are records. No secret is in any of it: what looked
    like one, or was known to be one, is `***`.
    """

    number: int
    """Counts all entries of the journal, from 1."""
    session: str
    """A UUID; one for each process, or kernel, that writes."""
    at: datetime
    ended_at: datetime | None = None
    user: str
    """The operating system's user."""
    front: str
    """`shell`, `command line`, `notebook` or `api`."""
    kind: EntryKind = EntryKind.COMMAND
    run: str | None = None
    """The id of the `bitsshell run` that it belongs to."""
    step: str | None = None
    """The id of the runbook's cell."""
    typed: str = ""
    """The line as it was typed."""
    words: tuple[str, ...] = ()
    """The command in canonical form: the verb, long options, its targets with `--host`."""
    hosts: tuple[str, ...] = ()
    effect: str = "read"
    """`read`, `change` or `destroy`: the most that it may have done. A change that was only shown,
    or given up before anything was sent, is `read`."""
    is_what_if: bool = False
    plan: Record | None = None
    """`verb`, `effect`, `policy`, `follows`, and `steps` as in JSON of `--what-if`."""
    outcomes: tuple[Record, ...] = ()
    """What became of each (host, job), of a command that only reads the failures alone."""
    summary: Record | None = None
    error: Record | None = None
    """Why it could not be carried out as a whole."""
    output: Record | None = None
    """What was shown, by MIME type; kept only while a session is recorded."""
    data: Record | None = None
    """What kinds other than commands hold."""
    pid: int = 0
    machine: str = ""
    is_alive: bool = False
    """Whether the process that began it is still there, as far as can be told from here."""

    @property
    def verb(self) -> str:
        """The first of its words."""
        return self.words[0] if self.words else ""

    @property
    def is_change(self) -> bool:
        """Whether it may have changed something."""
        return self.effect != "read"

    @property
    def ended(self) -> Ended:
        """How it stands."""
        if self.summary is None and self.error is None and self.ended_at is None:
            return Ended.RUNNING if self.is_alive else Ended.CUT_OFF
        summary = self.summary or {}
        bad = any(summary.get(count) for count in ("failed", "not_sent", "unknown"))
        match summary.get("ending"):
            case "interrupted":
                return Ended.INTERRUPTED
            case "declined":
                return Ended.DECLINED
            case _ if self.error is not None or bad:
                return Ended.FAILED
            case ending:
                is_late = ending == "time limit" or summary.get("unmet")
                return Ended.UNMET if is_late else Ended.WELL

    @property
    def elapsed_s(self) -> float | None:
        """How long it took; None where its end is not known."""
        return None if self.ended_at is None else (self.ended_at - self.at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedJob:
    """A job that was started from here, or a change whose end the journal has not seen.

    `what` says which in words. `is_sure` is False where no answer of the host was written down: it
    may or may not have been done. `state` is what the host says now, where it was asked.
    """

    entry: int
    at: datetime
    host: str
    job_id: str | None
    name: str
    reference: str | None
    what: str
    is_sure: bool
    state: str | None = None
