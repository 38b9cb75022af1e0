"""A journal for the life of one process, where none is kept."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from bitsshell.journal.chain import Event, linked, moment
from bitsshell.journal.events import EventJournal
from bitsshell.journal.protocol import Standing, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class MemoryJournal(EventJournal):
    """Keeps events in memory. `why` says why they are not kept longer."""

    def __init__(self, why: str = "kept in memory only") -> None:
        super().__init__()
        self.why = why
        self._events: list[Event] = []
        self._entries = 0
        self._guard = threading.Lock()

    def _append(
        self, kind: str, at: str, body: Mapping[str, Any], entry: int | None, *, is_sure: bool
    ) -> int:
        del is_sure
        with self._guard:
            if entry is None:
                self._entries += 1
                entry = self._entries
            last = self._events[-1] if self._events else None
            self._events.append(
                linked(last, session=self.session, entry=entry, kind=kind, at=at, body=body)
            )
            return entry

    def _newest(self, wanted: Wanted) -> Iterable[Event]:
        del wanted
        with self._guard:
            return sorted(self._events, key=lambda event: (-event.entry, event.sequence))

    def events(self, session: str | None = None) -> Iterable[Event]:
        """The chain of the session; nothing for another one."""
        with self._guard:
            return tuple(self._events) if session in {None, self.session} else ()

    def sessions(self) -> Sequence[str]:
        """The own one, once it wrote."""
        return [self.session] if self._events else []

    def standing(self) -> Standing:
        """That it is not kept."""
        with self._guard:
            return Standing(
                place="memory",
                address="",
                mode=self.why,
                is_kept=False,
                entries=self._entries,
                sessions=len(self.sessions()),
                first_at=moment(self._events[0].at) if self._events else None,
            )

    def close(self) -> None:
        """Nothing to let go of."""
