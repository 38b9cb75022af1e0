"""A fleet's listeners and engines while it runs. All of it lives on the fleet's event loop."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from .compact_http import CompactHttp
from .engine.store import FileStore
from .files import FileServer, PracticeFile, standard_files
from .host import HostMachine, PracticeHost
from .httplog import HTTP_LOG
from .uploads import UploadServer
from .winrm.auth import Gate
from .winrm.server import Endpoint, WinRmServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import aiohttp

    from .accounts import Account, AccountFile
    from .certificates import Certificate, Tls
    from .clock import Clock
    from .compact_http import FleetResolver
    from .settings import PracticeSettings

_WINRM_PATH = "/wsman"
_HANDSHAKE_S = 20.0


@dataclass(frozen=True, slots=True)
class Options:
    """What all hosts of a fleet share."""

    account: Account
    by_path: bool
    bind: str
    locale: str
    clock: Clock
    settings: PracticeSettings
    latency_s: float
    state: Path | None
    tls: Tls | None
    keytab: Path | None

    @property
    def address(self) -> str:
        """Where this machine reaches what listens: that of loopback for every address."""
        bound = ipaddress.ip_address(self.bind)
        if not bound.is_unspecified:
            return self.bind
        return "127.0.0.1" if bound.version == 4 else "::1"


@dataclass(frozen=True, slots=True)
class _Door:
    """One way into a host: its address, and who answers there."""

    address: str
    server: WinRmServer
    endpoint: Endpoint


class RunningFleet:
    """The listeners and engines of a fleet while it runs."""

    def __init__(
        self,
        options: Options,
        session: aiohttp.ClientSession,
        folder: Path,
        account_file: AccountFile,
        certificate: Certificate | None,
    ) -> None:
        self._options = options
        self._certificate = certificate
        # HTTPS first, where there is one: it is the host's address.
        self._ways = (None,) if certificate is None else (certificate, None)
        self._session = session
        self._folder = folder
        self._account_file = account_file
        self._listeners: list[asyncio.Server] = []
        self._servers: list[WinRmServer] = []
        self._file_server: web.Server | None = None
        self._upload_server: UploadServer | None = None
        self._compact: CompactHttp | None = None
        self._machines: list[HostMachine] = []

    async def start_files(self) -> tuple[str, tuple[PracticeFile, ...]]:
        """Open the file server; its address and its files."""
        server = FileServer(standard_files())
        self._file_server = web.Server(
            server.handle,
            access_log=None,
            logger=HTTP_LOG,
            handler_cancellation=True,  # a mode that hangs must not outlive its client
        )
        port = await self._listen(self._file_server)
        url = f"{self._origin(port)}/"
        files = tuple(
            PracticeFile(c.name, url + c.name, len(c.data), c.sha256) for c in server.contents
        )
        return url, files

    async def start_uploads(self, folder: Path) -> str:
        """Open the upload server; its address."""
        self._upload_server = UploadServer(folder)
        listener = await asyncio.start_server(self._upload_server.serve, self._options.bind, 0)
        self._listeners.append(listener)
        return f"{self._origin(listener.sockets[0].getsockname()[1])}/"

    async def start_compact(self, resolver: FleetResolver) -> str:
        """Open the listener of the hosts' compact servers; its address."""
        servers = {machine.name.lower(): machine.compact for machine in self._machines}
        self._compact = CompactHttp(servers)
        port = await self._listen(self._compact)
        family = self._listeners[-1].sockets[0].family
        resolver.address = (self._options.address, port, family)
        return f"{self._origin(port)}/"

    async def start_hosts(self, names: tuple[str, ...]) -> tuple[PracticeHost, ...]:
        """Open every host: on a port of its own, or all on one."""
        if self._options.by_path:
            return await self._by_path(names)
        return tuple([await self._on_port(name) for name in names])

    async def _on_port(self, name: str) -> PracticeHost:
        machine = self._make(name)
        doors = []
        for way in self._ways:
            endpoint = self._endpoint(machine, way)
            server = self._server(partial(_only, endpoint))
            origin = self._origin(await self._listen(server, way), way)
            doors.append(_Door(f"{origin}{_WINRM_PATH}", server, endpoint))
        return self._handle(machine, doors)

    async def _by_path(self, names: tuple[str, ...]) -> tuple[PracticeHost, ...]:
        machines = [self._make(name) for name in names]
        doors: dict[str, list[_Door]] = {name: [] for name in names}
        for way in self._ways:
            endpoints = {machine.name: self._endpoint(machine, way) for machine in machines}
            server = self._server(partial(_by_first_part, endpoints))
            origin = self._origin(await self._listen(server, way), way)
            for name, endpoint in endpoints.items():
                doors[name].append(_Door(f"{origin}/{name}{_WINRM_PATH}", server, endpoint))
        return tuple(self._handle(machine, doors[machine.name]) for machine in machines)

    def _make(self, name: str) -> HostMachine:
        options = self._options
        root = self._folder / name
        root.mkdir(exist_ok=True)
        machine = HostMachine(
            name,
            root,
            options.clock,
            lambda: self._session,
            options.settings,
            options.locale,
            None if options.state is None else FileStore(options.state / f"{name}.json"),
        )
        self._machines.append(machine)
        return machine

    def _endpoint(self, machine: HostMachine, way: Certificate | None) -> Endpoint:
        options = self._options
        gate = Gate(
            machine=machine.name,
            account=options.account,
            account_file=self._account_file,
            settings=options.settings.winrm,
            channel_bindings=None if way is None else way.channel_bindings,
        )
        return Endpoint(
            name=machine.name,
            service=machine.service,
            settings=options.settings.winrm,
            counters=machine.counters,
            faults=machine.faults,
            gate=gate,
            latency_s=options.latency_s,
        )

    def _server(self, find: Callable[[str], Endpoint | None]) -> WinRmServer:
        server = WinRmServer(
            find, idle_timeout_s=self._options.settings.winrm.idle_connection_timeout_s
        )
        self._servers.append(server)
        return server

    def _handle(self, machine: HostMachine, doors: list[_Door]) -> PracticeHost:
        account = self._options.account
        return PracticeHost(
            machine,
            doors[0].address,
            account.username,
            account.password,
            asyncio.get_running_loop(),
            lambda: sum(door.server.drop_idle(door.endpoint) for door in doors),
            http_endpoint=doors[-1].address,
            certificate=self._certificate,
        )

    async def _listen(self, server: web.Server, way: Certificate | None = None) -> int:
        listener = await asyncio.get_running_loop().create_server(
            server,
            self._options.bind,
            0,
            backlog=256,
            ssl=None if way is None else way.context(),
            ssl_handshake_timeout=None if way is None else _HANDSHAKE_S,
        )
        self._listeners.append(listener)
        port: int = listener.sockets[0].getsockname()[1]
        return port

    def _origin(self, port: int, way: Certificate | None = None) -> str:
        address = self._options.address
        host = f"[{address}]" if ":" in address else address
        return f"{'http' if way is None else 'https'}://{host}:{port}"

    async def close(self) -> None:
        """Stop listening, answer nobody any more, stop every transfer."""
        for listener in self._listeners:
            listener.close()
        for server in self._servers:
            await server.stop()
        for machine in self._machines:
            await machine.engine.close()
        for web_server in (self._file_server, self._compact):
            if web_server is not None:
                await web_server.shutdown(timeout=1.0)
        if self._upload_server is not None:
            self._upload_server.close()


def _is_winrm(path: str) -> bool:
    return path.rstrip("/").lower() in {_WINRM_PATH, f"{_WINRM_PATH}-anon/identify"}


def _only(endpoint: Endpoint, path: str) -> Endpoint | None:
    return endpoint if _is_winrm(path) else None


def _by_first_part(endpoints: dict[str, Endpoint], path: str) -> Endpoint | None:
    name, _, rest = path.lstrip("/").partition("/")
    return endpoints.get(name.lower()) if _is_winrm("/" + rest) else None
