"""What every journal has in common: entries become events on the way in, and entries again."""

from __future__ import annotations

import os
import platform
import sys
import uuid
from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from bitsshell.concealed import concealed_line, kept
from bitsshell.journal import chain
from bitsshell.journal.chain import Event, Verified, draft_body, folded_entry, stamp
from bitsshell.journal.protocol import ALL, Wanted
from bitsshell.known_secrets import scrub

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bitsshell.journal.protocol import Draft
    from bitsshell.results.entries import Entry


class EventJournal(ABC):
    """A journal on top of events that are added and read."""

    def __init__(self) -> None:
        self.session = str(uuid.uuid4())

    @abstractmethod
    def _append(
        self, kind: str, at: str, body: Mapping[str, Any], entry: int | None, *, is_sure: bool
    ) -> int:
        """Add an event of this session; of a new entry where none is named. Return the entry.

        With `is_sure` it must outlast a power failure, and may wait for it; without, it must not
        keep a person waiting.
        """

    @abstractmethod
    def _newest(self, wanted: Wanted) -> Iterable[Event]:
        """Events of the newest entry first, those of one entry together and in order.

        What is not wanted may be among them.
        """

    @abstractmethod
    def events(self, session: str | None = None) -> Iterable[Event]:
        """The chain of a session."""

    @abstractmethod
    def sessions(self) -> Sequence[str]:
        """The ids of those that wrote."""

    def begin(self, draft: Draft) -> int:
        """Write down what is about to be done; return its number."""
        return self._append(chain.BEGIN, stamp(draft.at), kept(_said(draft)), None, is_sure=True)

    def extend(self, number: int, plan: Mapping[str, Any]) -> None:
        """Write down what more is about to be done under an entry."""
        self._append(chain.EXTEND, _now(), kept({"plan": plan}), number, is_sure=True)

    def record(self, number: int, outcome: Mapping[str, Any]) -> None:
        """Add one outcome to an entry, as it comes."""
        self._append(chain.OUTCOME, _now(), kept(outcome), number, is_sure=False)

    def end(
        self,
        number: int,
        at: datetime,
        *,
        summary: Mapping[str, Any] | None = None,
        error: Mapping[str, Any] | None = None,
    ) -> None:
        """Say how it ended."""
        body = _ending(at, summary, error)
        self._append(chain.END, stamp(at), kept(body), number, is_sure=False)

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
        body = _said(draft) | _ending(ended_at, summary, error)
        if outcomes:
            body["outcomes"] = list(outcomes)
        return self._append(chain.WHOLE, stamp(draft.at), kept(body), None, is_sure=False)

    def attach(self, number: int, output: Mapping[str, Any]) -> None:
        """Keep what was shown for an entry, by MIME type."""
        self._append(chain.OUTPUT, _now(), kept({"output": output}), number, is_sure=False)

    def entries(self, wanted: Wanted = ALL) -> Sequence[Entry]:
        """Entries, oldest first."""
        found: list[Entry] = []
        for _, events in groupby(self._newest(wanted), key=lambda event: event.entry):
            entry = self._folded(list(events))
            if entry is not None and wanted.takes(entry):
                found.append(entry)
                if wanted.limit is not None and len(found) >= wanted.limit:
                    break
        return tuple(reversed(found))

    def entry(self, number: int) -> Entry | None:
        """One entry; None where there is none of this number."""
        return next(iter(self.entries(Wanted(numbers=(number, number)))), None)

    def root(self, session: str | None = None) -> str:
        """The hash at the end of a session's chain."""
        last = ""
        for event in self.events(session):
            last = event.hash
        return last

    def verify(self, session: str | None = None) -> Sequence[Verified]:
        """Compute the chain of a session, or of every one, anew."""
        wanted = self.sessions() if session is None else [session]
        return [self._verified(one) for one in wanted]

    def _verified(self, session: str) -> Verified:
        return chain.verified(session, self.events(session))

    def _folded(self, events: Sequence[Event]) -> Entry | None:
        body = events[0].body
        is_open = not any(event.kind in {chain.END, chain.WHOLE} for event in events)
        is_here = body.get("machine") == platform.node()
        return folded_entry(
            events, is_alive=is_open and is_here and _is_alive(int(body.get("pid", 0)))
        )


def _said(draft: Draft) -> dict[str, Any]:
    """What an event says of a draft, with its line as it may be kept."""
    return draft_body(replace(draft, typed=concealed_line(scrub(draft.typed))))


def _ending(
    at: datetime, summary: Mapping[str, Any] | None, error: Mapping[str, Any] | None
) -> dict[str, Any]:
    said = {"ended_at": stamp(at), "summary": summary, "error": error}
    return {key: value for key, value in said.items() if value is not None}


def _now() -> str:
    return stamp(datetime.now(UTC))


def _is_alive(pid: int) -> bool:
    """Whether a process of this machine is there. A number may have been given out again."""
    if pid <= 0:
        return False
    if sys.platform == "win32":
        return _is_windows_process(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_windows_process(pid: int) -> bool:
    if sys.platform != "win32":
        return False
    import ctypes
    from ctypes import wintypes

    may_ask = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
    access_denied = 5
    still_active = 259
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenProcess.restype = wintypes.HANDLE
    kernel.GetExitCodeProcess.argtypes = [wintypes.HANDLE, wintypes.LPDWORD]
    kernel.CloseHandle.argtypes = [wintypes.HANDLE]
    handle = kernel.OpenProcess(may_ask, False, pid)
    if not handle:  # somebody else's process may not be asked, and is there all the same
        return ctypes.get_last_error() == access_denied
    code = wintypes.DWORD()
    kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return code.value == still_active
