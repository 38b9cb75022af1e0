"""One job's upload by the BITS upload protocol (statements 116 to 122)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from . import outcomes
from .codes import ErrorContext, Hr, http_status
from .http import RemoteHttp
from .localfiles import os_hresult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .model import FileEntry, Job
    from .transfer import TransferTools

PROTOCOL = "{7df0354d-249b-430f-820d-3d2a9bef4931}"
VERB = "BITS_POST"
_MAX_SESSION_ID_CHARS = 100
_MAX_SESSIONS = 5
_TOO_LARGE_STATUS = 413
_RANGE_STATUS = 416
_CONTEXTS = {5: ErrorContext.REMOTE_FILE, 7: ErrorContext.REMOTE_APPLICATION}


class _SessionLostError(Exception):
    """The server does not know the session any more: begin a new one (119)."""


class Upload:
    """Sends a job's one file, from where the server has it."""

    def __init__(self, job: Job, tools: TransferTools) -> None:
        self._job = job
        self._remote = RemoteHttp(tools.session(), job)
        self._files = tools.files
        self._settings = tools.settings
        self._reports = tools.reports

    async def run(self) -> None:
        """Send the file and close the session.

        Raises:
            TransferError: it did not get through.
        """
        entry = self._job.files[0]
        source = self._files.paths.resolve(entry.local_path)
        try:
            for _ in range(_MAX_SESSIONS):
                try:
                    await self._session(entry, source)
                except _SessionLostError:
                    _forget_session(entry)
                else:
                    entry.fetched = entry.completed = True
                    self._reports.progressed(self._job)
                    return
        except outcomes.TransferError:
            raise
        except (aiohttp.ClientError, TimeoutError, ConnectionError, ValueError) as error:
            raise outcomes.from_exception(error) from error
        except OSError as error:
            raise outcomes.local_file(os_hresult(error)) from error
        raise outcomes.TransferError(Hr.SESSION_NOT_FOUND, ErrorContext.REMOTE_FILE, fatal=False)

    async def tell_cancelled(self) -> bool:
        """Cancel-Session; whether there is nothing more to tell (74, 120)."""
        entry = self._job.files[0]
        headers = {"BITS-Packet-Type": "Cancel-Session", "BITS-Session-Id": entry.session_id or ""}
        try:
            async with self._remote.send(VERB, _target(entry), headers, b"") as response:
                return response.status < 500 or _error_code(response) == Hr.SESSION_NOT_FOUND
        except (aiohttp.ClientError, OSError, ValueError, outcomes.TransferError):
            return False

    async def _session(self, entry: FileEntry, source: Path) -> None:
        size, stamp = self._look_at(entry, source)
        if entry.session_id is None:
            await self._create(entry)
        self._reports.connected(self._job)
        while entry.bytes_transferred < size:
            if self._look_at(entry, source) != (size, stamp):
                raise _source_changed()
            await self._fragment(entry, source, size)
        await self._packet(entry, "Close-Session", {}, b"")

    def _look_at(self, entry: FileEntry, source: Path) -> tuple[int, str]:
        """Size and time of the source, which must not change under way (121)."""
        try:
            facts = source.stat()
        except FileNotFoundError as error:
            raise outcomes.local_file(Hr.FILE_NOT_FOUND) from error
        found = (facts.st_size, str(facts.st_mtime_ns))
        known = (entry.bytes_total, entry.last_modified)
        if entry.last_modified is not None and known != found:
            raise _source_changed()
        entry.bytes_total, entry.last_modified = found
        return found

    async def _create(self, entry: FileEntry) -> None:
        """Create-Session: the server names the session, and perhaps another host (117)."""
        offer = {"BITS-Supported-Protocols": PROTOCOL}
        answer = await self._packet(entry, "Create-Session", offer, b"")
        session_id = answer.get("BITS-Session-Id", "")
        if answer.get("BITS-Protocol", "").lower() != PROTOCOL:
            code = Hr.CLIENT_SERVER_PROTOCOL_MISMATCH
            raise outcomes.TransferError(code, ErrorContext.REMOTE_FILE, fatal=True)
        if not 0 < len(session_id) <= _MAX_SESSION_ID_CHARS:
            code = Hr.INVALID_SERVER_RESPONSE
            raise outcomes.TransferError(code, ErrorContext.REMOTE_FILE, fatal=True)
        entry.session_id = session_id
        entry.session_host = answer.get("BITS-Host-Id")
        entry.bytes_transferred = 0

    async def _fragment(self, entry: FileEntry, source: Path, size: int) -> None:
        """The next piece; the answer says where to go on (118)."""
        first = entry.bytes_transferred
        with source.open("rb") as stream:
            stream.seek(first)
            data = stream.read(min(self._settings.upload_fragment_bytes, size - first))
        headers = {"Content-Range": f"bytes {first}-{first + len(data) - 1}/{size}"}
        if first == 0:
            headers["Content-Name"] = source.name
        answer = await self._packet(entry, "Fragment", headers, data)
        received = answer.get("BITS-Received-Content-Range", "")
        if not received.isdigit() or int(received) > size:
            code = Hr.INVALID_SERVER_RESPONSE
            raise outcomes.TransferError(code, ErrorContext.REMOTE_FILE, fatal=True)
        entry.bytes_transferred = int(received)
        self._reports.progressed(self._job)

    async def _packet(
        self, entry: FileEntry, kind: str, headers: Mapping[str, str], data: bytes
    ) -> Mapping[str, str]:
        """Send one packet and return the headers of its Ack."""
        given = {"BITS-Packet-Type": kind, **headers}
        if entry.session_id is not None:
            given["BITS-Session-Id"] = entry.session_id
        async with self._remote.send(VERB, _target(entry), given, data) as response:
            received = response.headers.get("BITS-Received-Content-Range", "")
            resynchronised = response.status == _RANGE_STATUS and received.isdigit()
            if response.status >= 300 and not resynchronised:
                raise _refusal(response)
            return response.headers.copy()


def _target(entry: FileEntry) -> str:
    """Where packets go: to the remote name, or to the host that the server asked for (117)."""
    if entry.session_host is None:
        return entry.remote_url
    parts = urlsplit(entry.remote_url)
    port = f":{parts.port}" if parts.port is not None and ":" not in entry.session_host else ""
    return urlunsplit(parts._replace(netloc=f"{entry.session_host}{port}"))


def _forget_session(entry: FileEntry) -> None:
    entry.session_id = entry.session_host = None
    entry.bytes_transferred = 0


def _source_changed() -> outcomes.TransferError:
    return outcomes.TransferError(Hr.LOCAL_FILE_CHANGED, ErrorContext.LOCAL_FILE, fatal=True)


def _error_code(response: aiohttp.ClientResponse) -> int | None:
    try:
        return int(response.headers.get("BITS-Error-Code", ""), 16)
    except ValueError:
        return None


def _refusal(response: aiohttp.ClientResponse) -> Exception:
    """What an error answer means; its headers know more than its status (119, 122, 125)."""
    code = _error_code(response)
    if code == Hr.SESSION_NOT_FOUND:
        return _SessionLostError()
    if response.status == _TOO_LARGE_STATUS:
        return outcomes.TransferError(Hr.TOO_LARGE, ErrorContext.REMOTE_FILE, fatal=True)
    context = response.headers.get("BITS-Error-Context", "")
    try:
        where = _CONTEXTS.get(int(context, 16), ErrorContext.REMOTE_FILE)
    except ValueError:
        where = ErrorContext.REMOTE_FILE
    fatal = outcomes.status_is_fatal(response.status)
    return outcomes.TransferError(code or http_status(response.status), where, fatal=fatal)
