"""A recording, folded out of the journal's entries: its commands in order, each with its notes.

What a person typed by mistake and looked at twice can be left out; nothing is ever added.
"""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bitsshell.errors import UsageError
from bitsshell.recorder import MARK, NOT_RECORDED, Mark
from bitsshell.render.text import counted
from bitsshell.results.entries import Ended, Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime


class Dropped(enum.Enum):
    """Why a line is left out of a clean recording: one such line, and several, in words."""

    REFUSED = ("line not understood", "lines not understood")
    FAILED = ("command that did nothing", "commands that did nothing")
    DECLINED = ("declined command", "declined commands")
    INTERRUPTED = ("look cut short", "looks cut short")
    REPEATED = ("repeated look", "repeated looks")


@dataclass(frozen=True, slots=True)
class RecordedStep:
    """One command as it was recorded, with the notes that a person typed before it."""

    entry: Entry
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A stretch of a session. `last_notes` came after its last command.

    `reached` says by label how a host can be typed elsewhere, `options` how it is logged on to.
    """

    title: str = ""
    began_at: datetime
    ended_at: datetime
    session: str
    front: str
    steps: tuple[RecordedStep, ...] = ()
    last_notes: tuple[str, ...] = ()
    reached: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()
    """Labels of the hosts that the session acted on when it began."""
    dropped: Mapping[Dropped, int] = field(default_factory=dict)


def left_out(recording: Recording) -> str:
    """What was left out of a recording, counted, in words; empty where nothing was."""
    return ", ".join(counted(n, *reason.value) for reason, n in recording.dropped.items())


class NoRecording(UsageError):
    """There is nothing to save."""

    default_hint = "begin one with: record start"

    def what(self) -> str:
        """Say so."""
        return self.message or "nothing was recorded"


_CHOOSING = frozenset({"use", "login", "logout"})
"""Verbs whose work the setup cell of a clean recording does."""


def recorded(entries: Iterable[Entry]) -> Recording:
    """The last recording among entries, oldest first, be it stopped or not.

    Entries of other sessions than its own are passed over.

    Raises:
        NoRecording: none was started.
    """
    current: _Fold | None = None
    for entry in entries:
        mark = mark_of(entry)
        if mark == Mark.START:
            current = _Fold(entry)
        if current is not None and current.session == entry.session:
            current.take(entry, mark)
    if current is None:
        raise NoRecording()
    return current.recording()


def mark_of(entry: Entry) -> str | None:
    """What a recorder's mark says; None for any other entry."""
    return (entry.data or {}).get(MARK) if entry.kind is EntryKind.NOTE else None


class _Fold:
    """Takes the entries from the start of a recording on."""

    def __init__(self, start: Entry) -> None:
        self._start = self._last = start
        self.session = start.session
        self._is_on = True
        self._steps: list[RecordedStep] = []
        self._notes: list[str] = []
        self._reached: dict[str, str] = {}
        self._options: dict[str, tuple[str, ...]] = {}
        self._chosen: tuple[str, ...] = ()

    def take(self, entry: Entry, mark: str | None) -> None:
        """Look at the next entry."""
        if mark in {Mark.START, Mark.HOSTS}:
            self._take_hosts((entry.data or {}).get("hosts", {}), is_start=mark == Mark.START)
        elif mark is not None:
            self._is_on = mark == Mark.RESUME
        elif self._is_on and entry.kind is EntryKind.NOTE:
            self._notes.append(str((entry.data or {}).get("text", "")))
        elif self._is_on and _is_step(entry):
            self._steps.append(RecordedStep(entry, tuple(self._notes)))
            self._notes = []
        else:
            return
        self._last = entry

    def _take_hosts(self, hosts: Mapping[str, Any], *, is_start: bool) -> None:
        for name, known in hosts.get("known", {}).items():
            self._reached[name] = str(known["as"])
            self._options[name] = tuple(known["options"])
        if is_start:
            self._chosen = tuple(hosts.get("chosen", ()))

    def recording(self) -> Recording:
        """What they come to."""
        start, last = self._start, self._last
        return Recording(
            title=str((start.data or {}).get("title", "")),
            began_at=start.at,
            ended_at=last.ended_at or last.at,
            session=start.session,
            front=start.front,
            steps=tuple(self._steps),
            last_notes=tuple(self._notes),
            reached=self._reached,
            options=self._options,
            chosen=self._chosen,
        )


def _is_step(entry: Entry) -> bool:
    if entry.kind is EntryKind.REFUSED:
        return entry.verb not in NOT_RECORDED
    return entry.kind is not EntryKind.NOTE and entry.verb not in NOT_RECORDED | {""}


def cleaned(recording: Recording) -> Recording:
    """The recording without what is of no use to repeat; its notes stay, and what went is counted.

    Left out are lines that were not understood, commands of which nothing was done, looks that
    were cut short, and of equal looks with no change between them all but the last.
    """
    kept: list[RecordedStep] = []
    dropped: Counter[Dropped] = Counter()
    notes: list[str] = []
    repeated = _repeated(recording.steps)
    for number, step in enumerate(recording.steps):
        reason = Dropped.REPEATED if number in repeated else _reason(step.entry)
        notes.extend(step.notes)
        if reason is not None:
            dropped[reason] += 1
        elif step.entry.verb not in _CHOOSING:
            kept.append(replace(step, notes=tuple(notes)))
            notes = []
    return replace(
        recording,
        steps=tuple(kept),
        last_notes=(*notes, *recording.last_notes),
        dropped=dict(dropped),
    )


def _reason(entry: Entry) -> Dropped | None:
    """Why an entry is of no use to repeat, None where it is."""
    if entry.kind is EntryKind.REFUSED:
        return Dropped.REFUSED
    if entry.ended is Ended.DECLINED:
        return Dropped.DECLINED
    if entry.ended is Ended.INTERRUPTED and not entry.is_change:
        return Dropped.INTERRUPTED
    nothing_done = not (entry.summary or {}).get("well") and not (entry.summary or {}).get("unmet")
    return Dropped.FAILED if entry.ended is Ended.FAILED and nothing_done else None


def _repeated(steps: Sequence[RecordedStep]) -> set[int]:
    """The places of looks that come again before anything is changed."""
    found: set[int] = set()
    since_change: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}
    for number, step in _useful(steps):
        entry = step.entry
        if entry.is_change and not entry.is_what_if:
            since_change.clear()
            continue
        key = (entry.words, entry.hosts)
        if key in since_change:
            found.add(since_change[key])
        since_change[key] = number
    return found


def _useful(steps: Sequence[RecordedStep]) -> Iterator[tuple[int, RecordedStep]]:
    return ((n, step) for n, step in enumerate(steps) if _reason(step.entry) is None)
