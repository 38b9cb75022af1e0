"""The journal that lasts: one SQLite database, for all processes of a user at once.

Events are only ever added; triggers hold that against whoever opens the file by other means. Where
the file system carries it, SQLite writes ahead (WAL), so that readers and one writer never wait for
each other; where it does not, on a network home, it keeps a rollback journal. An intent is on the
disk before anything is sent (`synchronous=FULL`); what is written afterwards survives the end of
the process at once, and a power failure from the next intent on.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from bitsshell.journal.chain import Event, Verified, canonical_json, linked, moment, verified
from bitsshell.journal.errors import JournalDamaged, JournalUnavailable
from bitsshell.journal.events import EventJournal
from bitsshell.journal.place import Place
from bitsshell.journal.protocol import Standing, Wanted

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bitsshell.results.entries import Entry

APPLICATION_ID = 0x42495453
"""`BITS`: tells our files from other databases (`PRAGMA application_id`)."""
SCHEMA_VERSION = 1
LOCK_WAIT_S = 10.0
"""How long an intent waits for other writers."""
SHORT_WAIT_S = 1.0
"""How long anything else does."""

_SCHEMA = (
    """CREATE TABLE events(
        id INTEGER PRIMARY KEY,
        session TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        entry INTEGER NOT NULL,
        kind TEXT NOT NULL,
        at TEXT NOT NULL,
        body TEXT NOT NULL,
        previous TEXT NOT NULL,
        hash TEXT NOT NULL,
        UNIQUE(session, sequence)
    )""",
    "CREATE INDEX events_of_entry ON events(entry, sequence)",
    """CREATE TRIGGER no_change BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'the journal is only ever added to'); END""",
    """CREATE TRIGGER no_removal BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'the journal is only ever added to'); END""",
    f"PRAGMA application_id={APPLICATION_ID}",
    f"PRAGMA user_version={SCHEMA_VERSION}",
)
_COLUMNS = "session, sequence, entry, kind, at, body, previous, hash"
_SELECT = f"SELECT {_COLUMNS} FROM events"  # noqa: S608  # constants of this module

_HOLDS = "entry IN (SELECT entry FROM events WHERE instr(body, ?))"
"""Lets SQLite leave out most of what is not wanted, without reading it as JSON."""

_left_to_parents: list[object] = []
"""Connections of a parent process: closing one here would take its file from under it."""


class DatabaseJournal(EventJournal):
    """A journal in a file. Nothing is opened, and SQLite not imported, before it is used.

    Args:
        said: its path, or a `file:` URI of SQLite.
        lock_wait_s: how long an intent waits for other writers.
    """

    def __init__(self, said: str, *, lock_wait_s: float = LOCK_WAIT_S) -> None:
        super().__init__()
        self.place = Place.of(said)
        self.lock_wait_s = lock_wait_s
        self._connection: sqlite3.Connection | None = None
        self._pid = os.getpid()
        self._guard = threading.RLock()

    # Writing

    def _append(
        self, kind: str, at: str, body: Mapping[str, Any], entry: int | None, *, is_sure: bool
    ) -> int:
        wait_s = self.lock_wait_s if is_sure else min(SHORT_WAIT_S, self.lock_wait_s)
        with self._using(wait_s) as connection:
            connection.execute(f"PRAGMA synchronous={'FULL' if is_sure else 'NORMAL'}")
            with _transaction(connection):
                if entry is None:
                    (last,) = connection.execute("SELECT max(entry) FROM events").fetchone()
                    with self._making_sense():
                        entry = (last or 0) + 1
                event = linked(
                    self._last(connection, self.session),
                    session=self.session, entry=entry, kind=kind, at=at, body=body,
                )  # fmt: skip
                connection.execute(
                    f"INSERT INTO events({_COLUMNS}) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        event.session, event.sequence, event.entry, event.kind, event.at,
                        canonical_json(event.body), event.previous, event.hash,
                    ),
                )  # fmt: skip
            return entry

    # Reading

    def _newest(self, wanted: Wanted) -> Iterable[Event]:
        conditions = ["1"]
        values: list[str | int] = []
        if wanted.session is not None:
            conditions.append("instr(session, ?) = 1")
            # Half of a surrogate pair, which a command line may hold, cannot be asked for.
            values.append(wanted.session.lower().encode(errors="replace").decode())
        if wanted.run is not None:
            conditions.append(_HOLDS)
            values.append(canonical_json({"run": wanted.run})[1:-1])
        if wanted.changes:
            conditions.append(f"({_HOLDS} OR {_HOLDS})")
            values += ['"effect":"change"', '"effect":"destroy"']
        if wanted.numbers is not None:
            conditions.append("entry BETWEEN ? AND ?")
            values += [*wanted.numbers]
        where = " AND ".join(conditions)
        query = f"{_SELECT} WHERE {where} ORDER BY entry DESC, sequence"
        with self._reading() as connection:
            if connection is not None:
                for row in connection.execute(query, values):
                    yield self._event(row)

    def _folded(self, events: Sequence[Event]) -> Entry | None:
        with self._making_sense():
            return super()._folded(events)

    def events(self, session: str | None = None) -> Iterable[Event]:
        """The chain of a session, from its beginning."""
        with self._reading() as connection:
            if connection is not None:
                yield from map(
                    self._event,
                    connection.execute(
                        f"{_SELECT} WHERE session=? ORDER BY sequence", (session or self.session,)
                    ),
                )

    def root(self, session: str | None = None) -> str:
        """The hash at the end of a session's chain."""
        with self._reading() as connection:
            if connection is None:
                return ""
            last = self._last(connection, session or self.session)
            return "" if last is None else last.hash

    def sessions(self) -> Sequence[str]:
        """The ids of those that wrote, the oldest first."""
        with self._reading() as connection:
            if connection is None:
                return []
            query = "SELECT session FROM events GROUP BY session ORDER BY min(id)"
            return [session for (session,) in connection.execute(query)]

    def verify(self, session: str | None = None) -> Sequence[Verified]:
        """Compute the chain of a session, or of all; of all, also whether any is missing."""
        checked = list(super().verify(session))
        if session is None:
            with self._reading() as connection:
                if connection is not None:
                    query = (
                        "SELECT count(*), max(id), max(entry), count(DISTINCT entry) FROM events"
                    )
                    count, last, last_entry, entries = connection.execute(query).fetchone()
                    if count != (last or 0) or entries != (last_entry or 0):
                        missing = max((last or 0) - count, (last_entry or 0) - entries)
                        problem = f"{missing} events were taken away"
                        checked.append(Verified(session="", events=0, root="", problem=problem))
        return checked

    def _verified(self, session: str) -> Verified:
        """One chain, also where an event of it cannot be read at all."""
        count = 0

        def counted() -> Iterator[Event]:
            nonlocal count
            for event in self.events(session):
                count += 1
                yield event

        try:
            return verified(session, counted())
        except JournalDamaged:
            where = f"event {count + 1} of session {session}"
            problem = f"{where} is not as it was written: it cannot be read"
            return Verified(session=session, events=count + 1, root="", problem=problem)

    def standing(self) -> Standing:
        """Where it is, how it is kept, and how much is in it."""
        with self._reading() as connection:
            if connection is None:
                return Standing(
                    place=str(self.place.path),
                    address=self.place.address,
                    mode="not there yet",
                    is_kept=True,
                )
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            query = "SELECT count(DISTINCT entry), count(DISTINCT session), min(at) FROM events"
            entries, sessions, first = connection.execute(query).fetchone()
            with self._making_sense():
                first_at = None if first is None else moment(first)
            return Standing(
                place=str(self.place.path),
                address=self.place.address,
                mode="WAL" if mode == "wal" else _why_no_wal(mode, is_shared=self.place.is_shared),
                is_kept=True,
                size_bytes=self.place.size_bytes,
                entries=entries,
                sessions=sessions,
                first_at=first_at,
            )

    # The file

    def close(self) -> None:
        """Let go of the file; writing opens it again."""
        with self._guard:
            connection, self._connection = self._connection, None
            if connection is None:
                return
            if self._pid != os.getpid():
                _left_to_parents.append(connection)
                return
            with suppress(Exception):  # what is written is written
                connection.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """The file to read from; None where there is none, for looking makes none."""
        if not self.place.path.exists() and self._connection is None:
            yield None
            return
        with self._using(SHORT_WAIT_S) as connection:
            yield connection

    @contextmanager
    def _using(self, wait_s: float) -> Iterator[sqlite3.Connection]:
        """The connection, for this thread alone; what SQLite says becomes our error."""
        import sqlite3

        with self._guard:
            try:
                yield self._opened(wait_s)
            except sqlite3.Error as error:
                raise self._problem(error, wait_s) from error
            except OSError as error:
                problem = error.strerror or str(error)
                raise JournalUnavailable(
                    str(self.place.path), problem, "look at the folder's permissions"
                ) from error

    @contextmanager
    def _making_sense(self) -> Iterator[None]:
        """Around the reading of what stands in the file, and of nothing that we were given."""
        try:
            yield
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise JournalDamaged(
                str(self.place.path), f"an entry cannot be read ({error})"
            ) from error

    def _opened(self, wait_s: float) -> sqlite3.Connection:
        if self._connection is not None and self._pid != os.getpid():
            self.close()
        if self._connection is None:
            self._connection, self._pid = self._connect(), os.getpid()
        self._connection.execute(f"PRAGMA busy_timeout={int(wait_s * 1000)}")
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        import sqlite3

        self.place.make()
        connection = sqlite3.connect(
            self.place.uri,
            uri=True,
            timeout=self.lock_wait_s,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._check(connection)
            _choose_mode(connection, is_shared=self.place.is_shared)
            _make_schema(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        """Raise where the file is something else, or of a later version."""
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and application != APPLICATION_ID:
            raise JournalDamaged(str(self.place.path), "it is a database of something else")
        if version > SCHEMA_VERSION:
            raise JournalUnavailable(
                str(self.place.path), "a later version of bitsshell wrote it", "update bitsshell"
            )

    def _problem(self, error: sqlite3.Error, wait_s: float) -> JournalUnavailable:
        """Our error for one of SQLite's; the extended result codes say it best."""
        import sqlite3

        path = str(self.place.path)
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        match code:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                problem = f"another process has held it for {wait_s:g} s"
                return JournalUnavailable(path, problem, "end what holds it")
            case sqlite3.SQLITE_FULL:
                return JournalUnavailable(path, "the disk is full", "make room")
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                return JournalUnavailable(
                    path, f"it may not be written ({error})", "look at the permissions"
                )
            case sqlite3.SQLITE_NOTADB:
                return JournalDamaged(path, "it is no database")
            case sqlite3.SQLITE_CORRUPT:
                return JournalDamaged(path, "it is damaged")
            case sqlite3.SQLITE_IOERR:
                self.close()
                return JournalUnavailable(
                    path, f"reading or writing failed ({error})", "look at the disk: full, quota?"
                )
            case _:
                return JournalDamaged(path, f"{error}")

    def _last(self, connection: sqlite3.Connection, session: str) -> Event | None:
        row = connection.execute(
            f"{_SELECT} WHERE session=? ORDER BY sequence DESC LIMIT 1", (session,)
        ).fetchone()
        return None if row is None else self._event(row)

    def _event(self, row: Sequence[Any]) -> Event:
        session, sequence, entry, kind, at, body, previous, hashed = row
        numbers, texts = (sequence, entry), (session, kind, at, previous, hashed)
        with self._making_sense():
            if {*map(type, numbers)} != {int} or {*map(type, texts)} != {str}:
                raise TypeError(f"event {sequence} of session {session} is of other types")
            return Event(
                session=session, sequence=sequence, entry=entry, kind=kind, at=at,
                body=json.loads(body), previous=previous, hash=hashed,
            )  # fmt: skip


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _choose_mode(connection: sqlite3.Connection, *, is_shared: bool) -> None:
    """WAL where all writers share memory. A busy file stays as another process has just set it."""
    import sqlite3

    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    wanted = "delete" if is_shared else "wal"
    if mode != wanted:
        try:
            connection.execute(f"PRAGMA journal_mode={wanted}").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise


def _make_schema(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version:
        return
    with _transaction(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if not version:  # another process may have been quicker
            for statement in _SCHEMA:
                connection.execute(statement)


def _why_no_wal(mode: str, *, is_shared: bool) -> str:
    why = "it lies on a network" if is_shared else "the file system takes no WAL"
    return f"rollback journal ({mode}), for {why}"
