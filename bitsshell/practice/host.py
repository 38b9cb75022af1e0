"""One practice host: its engine and its endpoint on the event loop, its handle for everybody."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from .clock import Clock, ScaledClock
from .compact import CompactServer
from .engine.engine import BitsEngine
from .engine.model import PracticeJob, snapshot
from .engine.store import MemoryStore
from .faults import ArmedFault, HostFaults
from .paths import HostPaths
from .stats import Counters, HostStats
from .winrm.provider import FileClass, JobClass
from .winrm.service import WsManService
from .winrm.url_groups import UrlGroupClass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import aiohttp

    from .certificates import Certificate
    from .engine.store import JobStore
    from .settings import PracticeSettings

_T = TypeVar("_T")


class HostMachine:
    """What a practice host is made of. Lives on the fleet's event loop."""

    def __init__(
        self,
        name: str,
        root: Path,
        clock: Clock,
        session: Callable[[], aiohttp.ClientSession],
        settings: PracticeSettings,
        locale: str,
        store: JobStore | None = None,
    ) -> None:
        self.name = name
        self.root = root
        self.clock = clock.of_host() if isinstance(clock, ScaledClock) else clock
        self.counters = Counters()
        self.faults = HostFaults()
        self._session = session
        self._settings = settings.engine
        self._store = store or MemoryStore()
        self.engine = self._new_engine()
        self._jobs = JobClass(self.engine, settings.winrm)
        self.compact = CompactServer(name, HostPaths(root))
        wmi_classes = (self._jobs, FileClass(), UrlGroupClass(self.compact))
        self.service = WsManService(name, wmi_classes, clock, settings.winrm, locale)

    def _new_engine(self) -> BitsEngine:
        engine = BitsEngine(
            HostPaths(self.root), self.clock, self._session, self._settings, self._store
        )
        engine.restore()
        return engine

    async def restart_bits(self) -> None:
        """Stop the BITS service and start it again: the queue comes back from its store."""
        before = self.engine
        await before.close()
        self.engine = self._new_engine()
        self.engine.files.conditions = before.files.conditions
        if before.condition is not None:
            self.engine.set_condition(before.condition)
        self._jobs.use(self.engine)

    def condition(self, armed: ArmedFault, armed_now: bool) -> None:
        """Carry out a condition of the host. Called on the loop."""
        conditions = self.engine.files.conditions
        match armed.kind.name:
            case "network-down":
                self.engine.set_condition(int(armed.number("code")) if armed_now else None)
            case "disk-full":
                conditions.full = armed_now
            case "locked-file":
                path = str(armed.arguments["path"]).lower()
                (conditions.locked.add if armed_now else conditions.locked.discard)(path)
            case "read-only-folder":
                path = str(armed.arguments["path"]).rstrip("\\").lower()
                (conditions.read_only.add if armed_now else conditions.read_only.discard)(path)
            case "clock-skew":
                seconds = armed.number("seconds")
                if isinstance(self.clock, ScaledClock):
                    self.clock.skew(seconds if armed_now else -seconds)


class PracticeHost:
    """A practice host from outside: where it is, what it counted, what goes wrong on it.

    Every method may be called from any thread.
    """

    def __init__(
        self,
        machine: HostMachine,
        endpoint: str,
        username: str,
        password: str,
        loop: asyncio.AbstractEventLoop,
        drop_idle: Callable[[], int],
        *,
        http_endpoint: str,
        certificate: Certificate | None = None,
    ) -> None:
        self._machine = machine
        self._loop = loop
        self._drop_idle = drop_idle
        self.name = machine.name
        self.endpoint = endpoint
        """Where it speaks WinRM: over HTTPS when it has a certificate, else over HTTP."""
        self.http_endpoint = http_endpoint
        """Where it speaks WinRM over plain HTTP."""
        self.certificate = certificate
        self.username = username
        self.password = password
        self.root = machine.root
        machine.faults.listen(self._condition)

    def __repr__(self) -> str:
        return f"PracticeHost({self.name!r}, {self.endpoint!r})"

    @property
    def faults(self) -> HostFaults:
        """Failures on demand."""
        return self._machine.faults

    @property
    def stats(self) -> HostStats:
        """What the host counted so far."""
        return self._machine.counters.snapshot()

    def jobs(self) -> tuple[PracticeJob, ...]:
        """The jobs in the queue, as they stand."""
        return self._on_loop(lambda: tuple(snapshot(job) for job in self._machine.engine.jobs()))

    def path(self, windows_path: str) -> Path:
        r"""Where `C:\in\a.bin` of this host stands in the real file system."""
        return self._machine.engine.files.paths.resolve(windows_path)

    def drop_idle_connections(self) -> int:
        """Close idle keep-alive connections, as an idle Windows host does; how many there were."""
        return self._on_loop(self._drop_idle)

    def wait_for(
        self, condition: Callable[[tuple[PracticeJob, ...]], bool], timeout_s: float = 30.0
    ) -> tuple[PracticeJob, ...]:
        """Wait until the jobs of the host are as wanted, and return them.

        Raises:
            TimeoutError: they did not become so.
        """
        engine = self._machine.engine

        def jobs() -> tuple[PracticeJob, ...]:
            return tuple(snapshot(job) for job in engine.jobs())

        async def wait() -> tuple[PracticeJob, ...]:
            await asyncio.wait_for(engine.wait_until(lambda: condition(jobs())), timeout_s)
            return jobs()

        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result()

    def restart_bits(self) -> None:
        """Restart the host's BITS service; its queue survives, as on Windows (143)."""
        restart = self._machine.restart_bits()
        asyncio.run_coroutine_threadsafe(restart, self._loop).result()

    def restart_compact_server(self) -> None:
        """Restart the host's BITS Compact Server; nothing of its settings survives that."""
        self._on_loop(self._machine.compact.restart)

    def _condition(self, armed: ArmedFault, armed_now: bool) -> None:
        self._on_loop(lambda: self._machine.condition(armed, armed_now))

    def _on_loop(self, call: Callable[[], _T]) -> _T:
        """Run on the fleet's loop; after its end there is nobody left to race with."""
        if not self._loop.is_running():
            return call()

        async def run() -> _T:
            return call()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()
