"""While a session is recorded: what was shown for a command goes to the journal beside its entry.

The journal is what a recording is made of, so that one of a process that died can be saved, too. A
recorder adds marks to it, which say where a recording begins, pauses and ends and how its hosts are
reached, a person's notes, and the outputs. The dispatcher feeds it, whichever front end runs.
"""

from __future__ import annotations

import enum
from contextlib import closing
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

from bitsshell.fleet.targets import NO_OPTIONS, LogonOptions
from bitsshell.journal import Draft, EntryKind, JournalUnavailable
from bitsshell.render import REPORT_MIME_TYPE, report_html, report_json, report_text
from bitsshell.results import Event, Frame, Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bitsshell.session import Session

MARK = "recording"
"""The key of `Entry.data` that tells a recorder's marks from other notes."""

NOT_RECORDED = frozenset(
    {"record", "transcript", "history", "journal", "config", "help", "readonly", "whatif"}
)
"""Verbs about the session itself, which are no step of what was done."""

_WIDTH = 80


class Written(Protocol):
    """An entry that is being written."""

    number: int | None
    """The entry's, once it is written."""


class Mark(enum.StrEnum):
    """What a mark says of the recording that it stands in."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    HOSTS = "hosts"


@dataclass(slots=True)
class Recorder:
    """The recording that is going on in a session. `steps` counts the commands in it."""

    session: Session
    title: str = ""
    is_paused: bool = False
    steps: int = 0
    problem: JournalUnavailable | None = None
    """Why something of it could not be kept; what follows may be whole again."""
    _told: dict[str, Any] | None = None

    def mark(self, mark: Mark, text: str) -> int:
        """Put a mark into the journal. Raises `JournalUnavailable`."""
        data: dict[str, Any] = {MARK: mark.value, "text": text}
        if mark is Mark.START:
            data["title"] = self.title
        if mark in {Mark.START, Mark.HOSTS}:
            self._told = data["hosts"] = self._hosts()
        return self._write(data)

    def note(self, text: str) -> int:
        """Put a person's own words into the journal. Raises `JournalUnavailable`."""
        return self._write({"text": text})

    def comment(self, line: str) -> None:
        """Take a line that begins with `#` as a note, or one with more of them as a heading.

        Raises `JournalUnavailable`.
        """
        text = line.strip()
        text = text if text.startswith("##") else text.removeprefix("#").strip()
        if text and not self.is_paused:
            self.note(text)

    def takes(self, verb: str) -> bool:
        """Whether a command that begins now belongs to the recording."""
        return not self.is_paused and verb not in NOT_RECORDED

    def taking(self, entry: Written, events: Iterator[Event]) -> Iterator[Event]:
        """Pass events on, and keep what they showed beside the entry, which they write at last."""
        kept: list[Event] = []
        frame: Frame | None = None
        try:
            with closing(events):  # type: ignore[type-var]  # it is a generator
                for event in events:
                    if isinstance(event, Frame):
                        frame = event
                    else:
                        kept.append(event)
                    yield event
        finally:
            if entry.number is not None:
                self._attach(entry.number, [*kept, *([frame] if frame else [])])

    def _attach(self, number: int, events: Iterable[Event]) -> None:
        """Keep what a command showed. That it cannot be kept ends no command."""
        try:
            self.session.journal.attach(number, bundle(events))
            if self._hosts() != self._told:
                names = ", ".join(target.name for target in self.session.targets)
                self.mark(Mark.HOSTS, f"the hosts of the recording: {names}")
            self.steps += 1
        except JournalUnavailable as error:
            self.problem = error

    def _hosts(self) -> dict[str, Any]:
        """How each host is reached, in words that can be typed again; and who is acted on."""
        session = self.session
        configured = session.config.inventory.hosts
        reached = {
            name: {"as": name, "options": []}
            if name in configured
            else {"as": target.typed or target.url, "options": list(logon_words(target.logon))}
            for name, target in list(session.known.items())
        }
        return {"known": reached, "chosen": [target.name for target in session.targets]}

    def _write(self, data: dict[str, Any]) -> int:
        session = self.session
        now = session.clock.now()
        draft = Draft(
            at=now, user=session.user, front=session.front, kind=EntryKind.NOTE, data=data
        )
        return session.journal.write(draft, now)


def bundle(events: Iterable[Event]) -> dict[str, Any]:
    """What a command showed, by MIME type, as a notebook keeps it."""
    report = Report.of(events)
    text = report_text(report, _WIDTH)
    if not (report.outcomes or report.plan or report.last_frame):
        return {"text/plain": text} if text else {}
    return {
        "text/plain": text,
        "text/html": report_html(report),
        REPORT_MIME_TYPE: report_json(report),
    }


_OPTIONS = {"ca_file": "--ca"}


def logon_words(logon: LogonOptions) -> tuple[str, ...]:
    """The options that say how to reach and log on to a host, as they are typed. No secrets."""
    words: list[str] = []
    for one in fields(logon):
        value = getattr(logon, one.name)
        if value == getattr(NO_OPTIONS, one.name):
            continue
        option = _OPTIONS.get(one.name, f"--{one.name.replace('_', '-')}")
        if one.name == "tls_verify":
            words.append("--tls-no-verify")
        elif value is True:
            words.append(option)
        elif value is False:
            words.append(option.replace("--", "--no-", 1))
        else:
            words += [option, str(value)]
    return tuple(words)
