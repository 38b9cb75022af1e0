"""Temporary files beside their destinations, and the rename at Complete (statements 67 to 73)."""

from __future__ import annotations

import errno
import os
import secrets
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from ..settings import MissingFolder
from .codes import BitsCallError, Hr

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..paths import HostPaths
    from .model import FileEntry

_ERRNO_HRESULTS = {
    errno.ENOENT: Hr.PATH_NOT_FOUND,
    errno.ENOTDIR: Hr.PATH_NOT_FOUND,
    errno.EACCES: Hr.ACCESS_DENIED,
    errno.EPERM: Hr.ACCESS_DENIED,
    errno.EISDIR: Hr.ACCESS_DENIED,
    errno.ENOSPC: Hr.DISK_FULL,
    errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC: Hr.DISK_FULL,
    errno.ENAMETOOLONG: Hr.FILENAME_TOO_LONG,
    errno.EBUSY: Hr.SHARING_VIOLATION,
}


def os_hresult(error: OSError) -> int:
    """The HRESULT that Windows has for a failure of the file system (115)."""
    winerror = getattr(error, "winerror", None)
    if winerror:
        return 0x8007_0000 | (int(winerror) & 0xFFFF)
    return _ERRNO_HRESULTS.get(error.errno or 0, Hr.WRITE_FAULT)


@dataclass(slots=True)
class DiskConditions:
    """What a test or a trainer has done to the host's disk."""

    full: bool = False
    locked: set[str] = field(default_factory=set)
    """Destinations, in lower case, that another process holds open."""
    read_only: set[str] = field(default_factory=set)
    """Folders, in lower case, that the job's owner may not write to."""


class LocalFiles:
    """The files that jobs write on one host."""

    def __init__(self, paths: HostPaths, missing_folder: MissingFolder) -> None:
        self.paths = paths
        self.conditions = DiskConditions()
        self._missing_folder = missing_folder

    def check_destination(self, windows_path: str) -> None:
        """Refuse a folder that cannot be written (46) or, by setting, does not exist (45)."""
        folder_name = windows_path.replace("/", "\\").rpartition("\\")[0].lower()
        if folder_name in self.conditions.read_only:
            raise BitsCallError(Hr.ACCESS_DENIED)
        if self._missing_folder is MissingFolder.ADD_FAILS:
            folder = self.paths.resolve(windows_path).parent
            if not folder.is_dir():
                raise BitsCallError(Hr.PATH_NOT_FOUND)

    def check_source(self, windows_path: str) -> None:
        """Refuse an upload whose file is not there."""
        if not self.paths.resolve(windows_path).is_file():
            raise BitsCallError(Hr.FILE_NOT_FOUND)

    def temp_of(self, entry: FileEntry) -> Path | None:
        """Where the file's temporary file stands, if it has one."""
        if entry.temp_name is None:
            return None
        return self.paths.resolve(entry.local_path).parent / entry.temp_name

    def open_temp(self, entry: FileEntry) -> None:
        """Make the temporary file if there is none (67).

        Raises:
            OSError: the folder is missing or not writable.
        """
        temp = self.temp_of(entry)
        if temp is not None and temp.exists():
            return
        if entry.bytes_transferred:
            entry.restart()
        destination = self.paths.resolve(entry.local_path)
        if self._missing_folder is MissingFolder.CREATED:
            destination.parent.mkdir(parents=True, exist_ok=True)
        while True:
            name = f"BIT{secrets.randbelow(0x10000):X}.tmp"
            try:
                (destination.parent / name).open("xb").close()
            except FileExistsError:
                continue
            entry.temp_name = name
            return

    def write(self, entry: FileEntry, offset: int, data: bytes) -> None:
        """Put bytes into the temporary file. It is open only here, so it can always be removed."""
        if self.conditions.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        temp = self.temp_of(entry)
        if temp is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        with temp.open("r+b") as stream:
            stream.seek(offset)
            stream.write(data)

    def truncate(self, entry: FileEntry) -> None:
        """Empty the temporary file: the file is fetched from its start again."""
        temp = self.temp_of(entry)
        if temp is not None:
            with temp.open("r+b") as stream:
                stream.truncate(0)

    def publish(self, entry: FileEntry) -> None:
        """Rename to the final name, with the server's time (62, 68).

        Raises:
            OSError: the rename failed; nothing changed.
        """
        destination = self.paths.resolve(entry.local_path)
        if entry.local_path.lower() in self.conditions.locked:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        temp = self.temp_of(entry)
        if temp is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        modified_s = _http_time_s(entry.last_modified)
        if modified_s is not None:
            os.utime(temp, (modified_s, modified_s))
        temp.replace(destination)
        entry.temp_name = None
        entry.completed = True

    def publish_all(self, entries: Iterable[FileEntry]) -> None:
        """Give every fetched file its final name.

        Raises:
            OSError: a rename failed; those before it are done.
        """
        for entry in entries:
            if entry.fetched and not entry.completed:
                self.publish(entry)

    def discard_all(self, entries: Iterable[FileEntry]) -> bool:
        """Remove every temporary file; whether that worked for all."""
        results = [self.discard(entry) for entry in entries]
        return all(results)

    def discard(self, entry: FileEntry) -> bool:
        """Remove the temporary file; whether that worked (73)."""
        temp = self.temp_of(entry)
        if temp is None:
            return True
        try:
            temp.unlink(missing_ok=True)
        except OSError:
            return False
        entry.temp_name = None
        return True


def _http_time_s(text: str | None) -> float | None:
    """Seconds since 1970 for an HTTP date, None if it is none."""
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
