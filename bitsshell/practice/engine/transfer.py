"""One job's download, file after file, into temporary files."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

import aiohttp

from ..clock import Clock, pause
from . import outcomes
from .checks import is_smb, share_path
from .codes import SIZE_UNKNOWN, ErrorContext, Hr, Priority
from .http import RemoteFacts, RemoteHttp
from .localfiles import LocalFiles, os_hresult

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..settings import EngineSettings
    from .model import FileEntry, Job

_CHUNK_BYTES = 1 << 16
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_FOREGROUND_WHOLE_LIMIT = 2 << 30
_MAX_RESTARTS = 5


@dataclass(frozen=True, slots=True)
class TransferReports:
    """What a transfer tells the engine while it runs."""

    connected: Callable[[Job], None]
    changed: Callable[[Job], None]
    """Something was learned about a file; no data flowed."""
    progressed: Callable[[Job], None]


@dataclass(frozen=True, slots=True)
class TransferTools:
    """What every transfer of a host works with."""

    session: Callable[[], aiohttp.ClientSession]
    files: LocalFiles
    clock: Clock
    settings: EngineSettings
    reports: TransferReports


class Transfer:
    """Fetches what a job still lacks. Cancelling its task stops it between two writes."""

    def __init__(self, job: Job, tools: TransferTools) -> None:
        self._job = job
        self._remote = RemoteHttp(tools.session(), job)
        self._files = tools.files
        self._clock = tools.clock
        self._settings = tools.settings
        self._reports = tools.reports

    async def run(self) -> None:
        """Fetch the files in order (34, 51).

        Raises:
            TransferError: a file could not be fetched; later files wait.
        """
        while (index := self._job.next_file) is not None:
            await self._file(self._job.files[index])

    async def _file(self, entry: FileEntry) -> None:
        for _ in range(_MAX_RESTARTS):
            try:
                if is_smb(entry.remote_url):
                    await self._copy(entry)
                else:
                    await self._download(entry)
            except outcomes.RemoteChangedError:
                if self._settings.remote_change_is_error:
                    break
                self._restart(entry)
            except outcomes.TransferError:
                raise
            except OSError as error:
                if isinstance(error, aiohttp.ClientError | TimeoutError | ConnectionError):
                    raise outcomes.from_exception(error) from error
                raise outcomes.local_file(os_hresult(error)) from error
            except (aiohttp.ClientError, ValueError) as error:
                raise outcomes.from_exception(error) from error
            else:
                entry.fetched = True
                self._reports.progressed(self._job)
                return
        raise outcomes.TransferError(Hr.REMOTE_FILE_CHANGED, ErrorContext.REMOTE_FILE, fatal=True)

    def _restart(self, entry: FileEntry) -> None:
        entry.restart()
        self._files.truncate(entry)
        self._reports.progressed(self._job)

    async def _download(self, entry: FileEntry) -> None:
        facts = await self._connect(entry.remote_url)
        self._reports.connected(self._job)
        self._files.open_temp(entry)
        self._adopt(entry, facts)
        while entry.bytes_transferred < facts.size_bytes:
            await self._range(entry, facts)

    async def _connect(self, url: str) -> RemoteFacts:
        """HEAD, tried a few times before the job gives up for now (80)."""
        attempt = 1
        while True:
            try:
                return await self._remote.head(url)
            except (aiohttp.ClientError, OSError) as error:
                last = attempt >= self._settings.connect_attempts
                if last or not outcomes.is_connect_failure(error):
                    raise
            attempt += 1
            await pause(self._clock, self._settings.connect_gap_s)

    def _adopt(self, entry: FileEntry, facts: RemoteFacts) -> None:
        """Take the remote file's size and time; what was fetched of another one goes (35, 58)."""
        known = (entry.bytes_total, entry.last_modified)
        if entry.bytes_transferred and known != (facts.size_bytes, facts.last_modified):
            self._restart(entry)
        entry.bytes_total = facts.size_bytes
        entry.last_modified = facts.last_modified
        self._reports.changed(self._job)

    def _range_bytes(self, offset: int) -> int:
        if self._job.priority is Priority.FOREGROUND:
            return SIZE_UNKNOWN
        if offset == 0:
            return self._settings.first_range_bytes
        return self._settings.background_range_bytes

    async def _range(self, entry: FileEntry, facts: RemoteFacts) -> None:
        first = entry.bytes_transferred
        last = min(facts.size_bytes, first + self._range_bytes(first)) - 1
        async with self._remote.get_range(entry.remote_url, first, last, facts) as response:
            if response.status == 206:
                self._check_range(response, first, facts)
            elif response.status == 200:
                self._accept_whole(entry, facts)
                last = facts.size_bytes - 1
            elif response.status == 412:
                raise outcomes.RemoteChangedError
            else:
                raise outcomes.from_status(response.status)
            await self._receive(entry, response.content, last + 1)

    @staticmethod
    def _check_range(response: aiohttp.ClientResponse, first: int, facts: RemoteFacts) -> None:
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if match is None or int(match[1]) != first:
            raise outcomes.no_ranges()
        if match[3] != "*" and int(match[3]) != facts.size_bytes:
            raise outcomes.RemoteChangedError

    def _accept_whole(self, entry: FileEntry, facts: RemoteFacts) -> None:
        """An ignored range is fatal, but FOREGROUND takes the whole file from its start (98)."""
        foreground = self._job.priority is Priority.FOREGROUND
        if not foreground or facts.size_bytes >= _FOREGROUND_WHOLE_LIMIT:
            raise outcomes.no_ranges()
        entry.bytes_transferred = 0
        self._files.truncate(entry)

    async def _receive(self, entry: FileEntry, stream: aiohttp.StreamReader, end: int) -> None:
        rate = self._settings.transfer_bytes_per_s
        chunk_bytes = _CHUNK_BYTES if rate is None else max(1, min(_CHUNK_BYTES, rate // 10))
        while entry.bytes_transferred < end:
            data = await stream.read(min(chunk_bytes, end - entry.bytes_transferred))
            if not data:
                raise outcomes.TransferError(
                    Hr.CONNECTION_ERROR, ErrorContext.REMOTE_FILE, fatal=False
                )
            self._store(entry, data)
            if rate is not None:
                await pause(self._clock, len(data) / rate)

    def _store(self, entry: FileEntry, data: bytes) -> None:
        self._files.write(entry, entry.bytes_transferred, data)
        entry.bytes_transferred += len(data)
        self._reports.progressed(self._job)

    async def _copy(self, entry: FileEntry) -> None:
        """Fetch from a share: on a practice host a folder under its own root (44)."""
        source = self._files.paths.resolve(share_path(entry.remote_url))
        if not source.is_file():
            raise outcomes.TransferError(Hr.FILE_NOT_FOUND, ErrorContext.REMOTE_FILE, fatal=True)
        stat = source.stat()
        self._reports.connected(self._job)
        self._files.open_temp(entry)
        self._adopt(entry, RemoteFacts(stat.st_size, _http_date(stat.st_mtime)))
        while entry.bytes_transferred < stat.st_size:
            with source.open("rb") as stream:
                stream.seek(entry.bytes_transferred)
                data = stream.read(_CHUNK_BYTES)
            if not data:
                raise outcomes.RemoteChangedError
            self._store(entry, data)
            await asyncio.sleep(0)


def _http_date(seconds: float) -> str:
    return formatdate(seconds, usegmt=True)
