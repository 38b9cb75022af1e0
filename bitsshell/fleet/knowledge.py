"""What completion knows (hosts, jobs, places), kept in a file for the OS shells.

They have no session: they start a program for every Tab, which reads the last file. It is for the
user alone (0600), says when each host was read, and never holds a secret: no account, no password,
no URL with a query.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bitsshell.bits import Job, JobState
from bitsshell.fleet.snapshot import Snapshot
from bitsshell.state_files import state_file
from bitsshell.whole_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_FORM = 1
"""Another number is another form, and is not read."""

WRITE_EVERY_S = 10.0
MAX_AGE = timedelta(days=7)
"""Jobs that are older than this are gone, most likely, and not kept any longer."""
_MAX_HOSTS = 10_000


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Hosts (label and endpoint), the snapshot of their jobs, remote folders and URLs seen."""

    hosts: Mapping[str, str] = field(default_factory=dict)
    snapshot: Snapshot = field(default_factory=Snapshot)
    folders: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    def over(self, older: Knowledge) -> Knowledge:
        """This, and what only another one knows."""
        return Knowledge(
            dict(islice({**self.hosts, **older.hosts, **self.hosts}.items(), _MAX_HOSTS)),
            Snapshot(
                MappingProxyType({**older.snapshot.jobs, **self.snapshot.jobs}),
                MappingProxyType({**older.snapshot.read_at, **self.snapshot.read_at}),
            ),
            tuple(dict.fromkeys((*self.folders, *older.folders))),
            tuple(dict.fromkeys((*self.urls, *older.urls))),
        )

    def to_json(self) -> str:
        """As text; `from_json` reads it."""
        return json.dumps(
            {
                "form": _FORM,
                "hosts": dict(self.hosts),
                "folders": self.folders,
                "urls": self.urls,
                "jobs": {
                    host: {
                        "read_at": at.isoformat(),
                        "jobs": [_row(job) for job in self.snapshot.jobs.get(host, ())],
                    }
                    for host, at in self.snapshot.read_at.items()
                },
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str, now: datetime) -> Knowledge:
        """Read what `to_json` wrote, without what is too old. Raises ValueError for what it is not.

        Args:
            text: of the file.
            now: the time of day.
        """
        try:
            data: dict[str, Any] = json.loads(text)
            if data["form"] != _FORM:
                return cls()
            read_at = {
                host: datetime.fromisoformat(known["read_at"])
                for host, known in data["jobs"].items()
            }
            fresh = {host: at for host, at in read_at.items() if now - at <= MAX_AGE}
            jobs = {
                host: tuple(_job(host, row) for row in data["jobs"][host]["jobs"]) for host in fresh
            }
            return cls(
                {str(name): str(url) for name, url in data["hosts"].items()},
                Snapshot(MappingProxyType(jobs), MappingProxyType(fresh)),
                tuple(map(str, data["folders"])),
                tuple(map(str, data["urls"])),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a snapshot: {error!r}") from error


def _row(job: Job) -> list[object]:
    return [
        job.id,
        job.name,
        int(job.state),
        job.bytes_total,
        job.bytes_transferred,
        job.created_filetime,
    ]


def _job(host: str, row: list[Any]) -> Job:
    job_id, name, state, total, transferred, created = row
    return Job(
        host=host,
        id=job_id,
        name=name,
        state=JobState(state),
        bytes_total=total,
        bytes_transferred=transferred,
        created_filetime=created,
    )


class SnapshotFile:
    """The file. It is written now and then while a session learns, and at its end.

    What goes wrong with it is nobody's business: the OS shells complete less.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._clock = clock
        self._is_dirty = False
        self._next_s = clock() + WRITE_EVERY_S
        self._writing = threading.Lock()

    def note(self, knowledge: Callable[[], Knowledge]) -> None:
        """Something was learned: write it down if that was not done just before."""
        self._is_dirty = True
        if self._clock() >= self._next_s and not self._writing.locked():
            self._next_s = self._clock() + WRITE_EVERY_S
            threading.Thread(
                target=self.flush, args=(knowledge,), name="bitsshell-snapshot", daemon=True
            ).start()

    def flush(self, knowledge: Callable[[], Knowledge]) -> None:
        """Write what is not written yet, over what others wrote."""
        with self._writing:
            if self._is_dirty:
                self._is_dirty = False
                with contextlib.suppress(OSError):
                    now = datetime.now().astimezone()
                    self._write(knowledge().over(self.read(now)).to_json())

    def read(self, now: datetime) -> Knowledge:
        """What is in the file; nothing where there is none, or one that cannot be read."""
        try:
            return Knowledge.from_json(self.path.read_text(encoding="utf-8"), now)
        except (OSError, ValueError):
            return Knowledge()

    def _write(self, text: str) -> None:
        """Put a new file into the place of the old one, whole, readable for the user alone."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.path, text)


def snapshot_file() -> Path:
    """Where it stands."""
    return state_file("completion.json")
