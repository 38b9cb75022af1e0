"""The practice fleet: hosts and a file server on a background thread of their own."""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import aiohttp

from .accounts import Account, AccountFile
from .certificates import Authority, Certificate, ClientCertificate, Tls
from .clock import Clock, ScaledClock
from .compact_http import FleetResolver
from .file_modes import parse_mode
from .running import Options, RunningFleet
from .settings import PracticeSettings
from .winrm import auth_offers
from .winrm.auth_contexts import credssp_tls
from .winrm.texts import LOCALES

if TYPE_CHECKING:
    from types import TracebackType

    from .files import PracticeFile
    from .host import PracticeHost

_START_TIMEOUT_S = 60.0
MAX_HOSTS = 10_000


class PracticeFleet:
    """Emulated Windows hosts with BITS jobs that really move bytes.

    A context manager: the hosts run from `__enter__` to `__exit__` on a thread of their own.

    Args:
        hosts: how many.
        folder: where the hosts write, one sub-folder each, which stays; None is a temporary
            folder that is removed at the end.
        by_path: all hosts on one port, told apart by the path, instead of one port each.
        bind: the address to listen on. Another one than a loopback address lets everybody on the
            network use the hosts, with the account's name and password going over it in clear,
            and their file, upload and compact servers without any.
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
        self._options = Options(
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
        self._compact_url = ""
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

    @property
    def compact_url(self) -> str:
        """Where the hosts' compact servers are reached from outside, with a slash at its end.

        After it come the host's name, the path of the URL group and the suffix:
        `practice01/packages/a.zip`. Transfers of the fleet's hosts take the URL itself.
        """
        return self._compact_url

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

    @property
    def is_running(self) -> bool:
        """Whether its hosts answer: it was started and not closed."""
        return self._ready.is_set() and self._thread is not None and self._thread.is_alive()

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
        resolver = FleetResolver(frozenset(names))
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=0, resolver=resolver)
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
                running = RunningFleet(self._options, session, folder, account_file, certificate)
                try:
                    self._files_url, self._files = await running.start_files()
                    self._uploads_folder = folder / "uploads"
                    self._uploads_url = await running.start_uploads(self._uploads_folder)
                    self._hosts = await running.start_hosts(names)
                    self._compact_url = await running.start_compact(resolver)
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
        names = ["localhost", self._options.address]
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
