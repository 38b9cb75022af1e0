"""The practice fleet: hosts and a file server on a background thread of their own."""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import aiohttp
from aiohttp import web

from .accounts import Account, AccountFile
from .certificates import Authority, Certificate, ClientCertificate, Tls
from .clock import Clock, ScaledClock
from .engine.store import FileStore
from .file_modes import parse_mode
from .files import FileServer, PracticeFile, standard_files
from .host import HostMachine, PracticeHost
from .httplog import HTTP_LOG
from .settings import PracticeSettings
from .uploads import UploadServer
from .winrm import auth_offers
from .winrm.auth import Gate
from .winrm.auth_contexts import credssp_tls
from .winrm.server import Endpoint, WinRmServer
from .winrm.texts import LOCALES

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_WINRM_PATH = "/wsman"
_START_TIMEOUT_S = 60.0
_HANDSHAKE_S = 20.0
MAX_HOSTS = 10_000


@dataclass(frozen=True, slots=True)
class _Options:
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


class PracticeFleet:
    """Emulated Windows hosts with BITS jobs that really move bytes.

    A context manager: the hosts run from `__enter__` to `__exit__` on a thread of their own.

    Args:
        hosts: how many.
        folder: where the hosts write, one sub-folder each, which stays; None is a temporary
            folder that is removed at the end.
        by_path: all hosts on one port, told apart by the path, instead of one port each.
        bind: the address to listen on. Another one than a loopback address lets everybody on the
            network use the hosts, with the account's name and password going over it in clear.
        locale: the language of fault texts, such as `fr-FR`.
        time_scale: how much faster than real the engine's timers run.
        clock: the engine's clock, instead of a scaled one.
        settings: choices where nothing certain is known about Windows.
        username, password: the account; without a password a throw-away one is made.
        latency_s: real seconds that every answer of a host comes later.
        state: where the queues outlive the fleet; without a folder the hosts write there too.
        tls: the hosts speak HTTPS, too, with a certificate of that kind, made for this run.
        keytab: lets the hosts take Kerberos tickets for the services in it, on platforms where
            that is possible. The ticket's user must have the account's name, in any realm.

    Raises:
        ValueError: an argument that cannot be.
        OSError: a port or a folder cannot be had.
    """

    def __init__(
        self,
        hosts: int = 3,
        folder: Path | str | None = None,
        *,
        by_path: bool = False,
        bind: str = "127.0.0.1",
        locale: str = "en-US",
        time_scale: float = 1.0,
        clock: Clock | None = None,
        settings: PracticeSettings | None = None,
        username: str | None = None,
        password: str | None = None,
        latency_s: float = 0.0,
        state: Path | str | None = None,
        tls: Tls | None = None,
        keytab: Path | str | None = None,
    ) -> None:
        if not 1 <= hosts <= MAX_HOSTS:
            raise ValueError(f"a fleet has 1 to {MAX_HOSTS} hosts, not {hosts}")
        if locale not in LOCALES:
            raise ValueError(f"no texts in {locale!r}; there are {', '.join(LOCALES)}")
        self._count = hosts
        self._given_folder = None if folder is None else Path(folder)
        generated = Account.generate()
        settings = settings or PracticeSettings()
        keytab = None if keytab is None else Path(keytab).resolve()
        self._options = _Options(
            account=Account(username or generated.username, password or generated.password),
            by_path=by_path,
            bind=str(ipaddress.ip_address(bind)),
            locale=locale,
            clock=clock or ScaledClock(time_scale),
            settings=replace(settings, winrm=auth_offers.offered(settings.winrm, keytab)),
            latency_s=latency_s,
            state=None if state is None else Path(state).resolve(),
            tls=tls,
            keytab=keytab,
        )
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._temporary: Path | None = None
        self._hosts: tuple[PracticeHost, ...] = ()
        self._files: tuple[PracticeFile, ...] = ()
        self._files_url = ""
        self._uploads_url = ""
        self._uploads_folder: Path | None = None
        self._authority: Authority | None = None

    # --- what runs ---

    @property
    def hosts(self) -> tuple[PracticeHost, ...]:
        """The hosts, in order."""
        return self._hosts

    @property
    def files_url(self) -> str:
        """Address of the file server, with a slash at its end."""
        return self._files_url

    @property
    def files(self) -> tuple[PracticeFile, ...]:
        """The files that it serves."""
        return self._files

    @property
    def uploads_url(self) -> str:
        """Address of the upload server, with a slash at its end; a file's name goes after it."""
        return self._uploads_url

    @property
    def uploads_folder(self) -> Path:
        """Where the upload server leaves what it received.

        Raises:
            RuntimeError: the fleet does not run.
        """
        if self._uploads_folder is None:
            raise RuntimeError("the practice fleet does not run")
        return self._uploads_folder

    def file_url(self, name: str, mode: str | None = None) -> str:
        """Address of a file, by a server that misbehaves if a mode is named.

        Args:
            name: one of `files`.
            mode: such as `norange`, `404` or `reset,at=5000`; see `FILE_MODES`.

        Raises:
            ValueError: no such mode.
        """
        if mode is None:
            return self._files_url + name
        if parse_mode(mode) is None:
            raise ValueError(f"no mode of the file server is called {mode!r}")
        return f"{self._files_url}mode/{mode}/{name}"

    def client_certificate(self, username: str | None = None) -> ClientCertificate:
        """A certificate of the account, or of a user that the hosts do not know; they need TLS.

        Raises:
            RuntimeError: the hosts do not speak TLS, or do not run.
        """
        if self._authority is None:
            raise RuntimeError("the practice fleet has no TLS")
        return self._authority.client(username or self._options.account.username)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the fleet."""
        return ipaddress.ip_address(self._options.bind).is_loopback

    # --- life ---

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the thread and return when every port listens."""
        if self._thread is not None:
            raise RuntimeError("the practice fleet was started before")
        self._thread = threading.Thread(
            target=self._run_thread, name="bitsshell practice fleet", daemon=True
        )
        self._thread.start()
        if not self._ready.wait(_START_TIMEOUT_S):
            raise TimeoutError("the practice fleet did not start")
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def close(self) -> None:
        """Stop all hosts; a temporary folder goes with them. Harmless when nothing runs."""
        thread, loop, stop = self._thread, self._loop, self._stop
        if thread is None:
            return
        if thread.is_alive() and loop is not None and stop is not None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(stop.set)
        thread.join()

    def _run_thread(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that started us
            self._failure = error
        finally:
            if self._temporary is not None:
                shutil.rmtree(self._temporary, ignore_errors=True)
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        folder = self._folder()
        names = tuple(f"practice{number:02d}" for number in range(1, self._count + 1))
        account_folder = Path(tempfile.mkdtemp(prefix="bitsshell-account-"))
        account_file = AccountFile(
            account_folder, self._options.account, names, self._options.keytab
        )
        certificate = self._certificate(account_folder)
        if self._options.settings.winrm.credssp:
            credssp_tls()  # slow the first time, so not while somebody waits for an answer
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=0)
        timeouts = aiohttp.ClientTimeout(
            total=None,
            sock_connect=self._options.settings.engine.connect_timeout_s,
            sock_read=self._options.settings.engine.read_timeout_s,
        )
        try:
            async with aiohttp.ClientSession(
                connector=connector,
                timeout=timeouts,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            ) as session:
                running = _Running(self._options, session, folder, account_file, certificate)
                try:
                    self._files_url, self._files = await running.start_files()
                    self._uploads_folder = folder / "uploads"
                    self._uploads_url = await running.start_uploads(self._uploads_folder)
                    self._hosts = await running.start_hosts(names)
                    self._ready.set()
                    await self._stop.wait()
                finally:
                    await running.close()
        finally:
            account_file.remove()
            shutil.rmtree(account_folder, ignore_errors=True)

    def _certificate(self, folder: Path) -> Certificate | None:
        if self._options.tls is None:
            return None
        self._authority = Authority(folder)
        names = ["localhost", self._options.bind]
        own = socket.gethostname()
        if own and own.isascii():
            names.append(own)
        return self._authority.host(self._options.tls, names)

    def _folder(self) -> Path:
        state = self._options.state
        if state is not None:
            state.mkdir(parents=True, exist_ok=True)
        given = self._given_folder
        if given is None and state is not None:
            given = state / "hosts"
        if given is not None:
            folder = given.resolve()
            folder.mkdir(parents=True, exist_ok=True)
            return folder
        self._temporary = Path(tempfile.mkdtemp(prefix="bitsshell-practice-")).resolve()
        return self._temporary


@dataclass(frozen=True, slots=True)
class _Door:
    """One way into a host: its address, and who answers there."""

    address: str
    server: WinRmServer
    endpoint: Endpoint


class _Running:
    """The listeners and engines of a fleet while it runs."""

    def __init__(
        self,
        options: _Options,
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
        self._machines: list[HostMachine] = []

    async def start_files(self) -> tuple[str, tuple[PracticeFile, ...]]:
        """Open the file server; its address and its files."""
        server = FileServer(standard_files())
        self._file_server = web.Server(server.handle, access_log=None, logger=HTTP_LOG)
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
        address = self._options.bind
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
        if self._file_server is not None:
            await self._file_server.shutdown(timeout=1.0)
        if self._upload_server is not None:
            self._upload_server.close()


def _is_winrm(path: str) -> bool:
    return path.rstrip("/").lower() in {_WINRM_PATH, f"{_WINRM_PATH}-anon/identify"}


def _only(endpoint: Endpoint, path: str) -> Endpoint | None:
    return endpoint if _is_winrm(path) else None


def _by_first_part(endpoints: dict[str, Endpoint], path: str) -> Endpoint | None:
    name, _, rest = path.lstrip("/").partition("/")
    return endpoints.get(name.lower()) if _is_winrm("/" + rest) else None
