"""What a journal takes and gives, wherever it is kept."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bitsshell.errors import UsageError
from bitsshell.results.entries import Entry, EntryKind, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from bitsshell.journal.chain import Event, Verified


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is known of an entry when it begins. See `Entry` for the fields."""

    at: datetime
    user: str
    front: str
    kind: EntryKind = EntryKind.COMMAND
    run: str | None = None
    step: str | None = None
    typed: str = ""
    words: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    effect: str = "read"
    is_what_if: bool = False
    plan: Record | None = None
    data: Record | None = None
    pid: int = field(default_factory=os.getpid)
    machine: str = field(default_factory=platform.node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries to read; None and empty mean all. `limit` takes the newest ones.

    `session` may be the beginning of an id. `numbers` is from the first to the last one, both
    included; `hosts` are labels, of which an entry has one at least. `since` has a time zone.

    Raises:
        UsageError: it has none.
    """

    session: str | None = None
    run: str | None = None
    hosts: tuple[str, ...] = ()
    job: str | None = None
    since: datetime | None = None
    numbers: tuple[int, int] | None = None
    kinds: tuple[EntryKind, ...] = ()
    changes: bool = False
    failed: bool = False
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.since.utcoffset() is None:
            raise UsageError(
                f"since says no time zone: {self.since}",
                hint="for a time of this machine: since.astimezone()",
            )

    def takes(self, entry: Entry) -> bool:
        """Whether this one is wanted; what the number of entries says aside."""
        return (
            (self.session is None or entry.session.startswith(self.session.lower()))
            and (self.run is None or entry.run == self.run)
            and (not self.hosts or not _lower(self.hosts).isdisjoint(_lower(entry.hosts)))
            and (self.job is None or _concerns(entry, self.job))
            and (self.since is None or entry.at >= self.since)
            and (self.numbers is None or self.numbers[0] <= entry.number <= self.numbers[1])
            and (not self.kinds or entry.kind in self.kinds)
            and (not self.changes or entry.is_change)
            and (not self.failed or entry.ended not in {"well", "running"})
        )


def _lower(names: tuple[str, ...]) -> set[str]:
    return {name.lower() for name in names}


def _concerns(entry: Entry, job: str) -> bool:
    """Whether a job, by its id or name in any case, is in an entry's plan or outcomes."""
    wanted = job.strip("{}").lower()
    steps = () if entry.plan is None else entry.plan.get("steps", ())
    return any(
        str(record.get(key) or "").strip("{}").lower() == wanted
        for record in (*steps, *entry.outcomes)
        for key in ("job_id", "job_name", "reference")
    )


ALL = Wanted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What there is to say of a journal as a whole. `mode` is in words.

    `place` is for people: the path of its file. `address` is for programs: what `open_journal`
    takes for the same journal in another process and folder, the options of a SQLite URI included;
    empty where nothing is kept.
    """

    place: str
    address: str
    mode: str
    is_kept: bool
    size_bytes: int = 0
    entries: int = 0
    sessions: int = 0
    first_at: datetime | None = None

    @property
    def is_usual(self) -> bool:
        """Whether nothing needs saying of it: several processes may write, or nothing is there."""
        return self.mode in {"WAL", "not there yet"}


class Journal(Protocol):
    """Where what is done is written down. Safe to use from several threads.

    What is written is scrubbed of known secrets and of what looks like one on its way in. Whatever
    cannot be written or read raises `JournalUnavailable`.
    """

    session: str
    """The id under which this process writes."""

    def begin(self, draft: Draft) -> int:
        """Write down, safe from a power failure, what is about to be done; return its number."""

    def extend(self, number: int, plan: Mapping[str, Any]) -> None:
        """Write down, as safely, what more is about to be done under an entry."""

    def record(self, number: int, outcome: Mapping[str, Any]) -> None:
        """Add one outcome to an entry, as it comes."""

    def end(
        self,
        number: int,
        at: datetime,
        *,
        summary: Mapping[str, Any] | None = None,
        error: Mapping[str, Any] | None = None,
    ) -> None:
        """Say how it ended."""

    def write(
        self,
        draft: Draft,
        ended_at: datetime,
        *,
        summary: Mapping[str, Any] | None = None,
        error: Mapping[str, Any] | None = None,
        outcomes: Sequence[Mapping[str, Any]] = (),
    ) -> int:
        """Write a whole entry at once, when it is over; return its number."""

    def attach(self, number: int, output: Mapping[str, Any]) -> None:
        """Keep what was shown for an entry, by MIME type."""

    def entries(self, wanted: Wanted = ALL) -> Sequence[Entry]:
        """Entries, oldest first."""

    def entry(self, number: int) -> Entry | None:
        """One entry; None where there is none of this number."""

    def events(self, session: str | None = None) -> Iterable[Event]:
        """The chain of a session (the own one), link by link, as it was written."""

    def root(self, session: str | None = None) -> str:
        """The hash at the end of a session's chain, which stands for all that is before it.

        Empty where the session wrote nothing.
        """

    def verify(self, session: str | None = None) -> Sequence[Verified]:
        """Compute the chain of a session, or of every one, anew."""

    def sessions(self) -> Sequence[str]:
        """The ids of those that wrote, the oldest first."""

    def standing(self) -> Standing:
        """Where it is, how it is kept, and how much is in it."""

    def close(self) -> None:
        """Let go of the file; writing opens it again."""
