"""A rig for the BITS engine: its own clock, a real HTTP origin that does as it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from bitsshell.practice import EngineSettings, ManualClock
from bitsshell.practice.engine.codes import JobState
from bitsshell.practice.engine.engine import BitsEngine
from bitsshell.practice.paths import HostPaths

if TYPE_CHECKING:
    from pathlib import Path

    from bitsshell.practice.engine.model import Job
    from bitsshell.practice.engine.store import JobStore

STAMP = "Wed, 01 Jan 2025 00:00:00 GMT"
LATER = "Thu, 02 Jan 2025 00:00:00 GMT"
Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass
class Origin:
    """A web server of known files; `answers` replaces what a path does."""

    files: dict[str, bytes] = field(default_factory=dict)
    stamp: str = STAMP
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[web.BaseRequest] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    url: str = ""

    def hold(self, name: str) -> asyncio.Event:
        """Let GETs of a file wait until the event is set."""
        return self.gates.setdefault(name, asyncio.Event())

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        name = request.path.lstrip("/")
        if name in self.answers:
            return await self.answers[name](request)
        return await self.serve(request)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """What a well-behaved server answers."""
        name = request.path.lstrip("/")
        data = self.files.get(name)
        if data is None:
            return web.Response(status=404)
        headers = {"Last-Modified": self.stamp}
        if request.method == "HEAD":
            return web.Response(headers={**headers, "Content-Length": str(len(data))})
        if name in self.gates:
            await self.gates[name].wait()
        if request.headers.get("If-Unmodified-Since", self.stamp) != self.stamp:
            return web.Response(status=412)
        first, last = (int(n) for n in request.headers["Range"][6:].split("-"))
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        return web.Response(status=206, headers=headers, body=data[first : last + 1])

    def asked(self, method: str) -> list[web.BaseRequest]:
        return [request for request in self.requests if request.method == method]


@dataclass
class Rig:
    """An engine on a host of its own, with what it needs."""

    engine: BitsEngine
    clock: ManualClock
    origin: Origin
    paths: HostPaths

    def job(self, *names: str, start: bool = False, **properties: object) -> Job:
        """A job that fetches files of the origin to `C:\\in`, under the same names."""
        job = self.engine.create("job", owner_sid="S-1-5-20")
        for name, value in properties.items():
            getattr(self.engine, f"set_{name}")(job, value)
        for name in names:
            self.engine.add_file(job, self.origin.url + name, rf"C:\in\{name}")
        if start:
            assert self.engine.resume(job) == 0
        return job

    async def until(self, job: Job, *states: JobState) -> Job:
        await self.when(lambda: job.state in states)
        return job

    async def when(self, condition: Callable[[], bool]) -> None:
        await asyncio.wait_for(self.engine.wait_until(condition), 20)

    async def finished(self, *names: str, **properties: object) -> Job:
        """A job that was fetched whole."""
        job = self.job(*names, start=True, **properties)
        return await self.until(job, JobState.TRANSFERRED)

    async def failed(self, *names: str, **properties: object) -> Job:
        """A job that went wrong."""
        job = self.job(*names, start=True, **properties)
        return await self.until(job, JobState.ERROR, JobState.TRANSIENT_ERROR)

    def local(self, name: str) -> Path:
        return self.paths.resolve(rf"C:\in\{name}")

    def temps(self) -> list[str]:
        """Names of the temporary files in `C:\\in`."""
        return sorted(p.name for p in self.paths.resolve(r"C:\in").iterdir() if "BIT" in p.name)


@contextlib.asynccontextmanager
async def rig(
    root: Path,
    settings: EngineSettings | None = None,
    store: JobStore | None = None,
    connector: aiohttp.BaseConnector | None = None,
) -> AsyncIterator[Rig]:
    origin = Origin({"a.bin": b"A" * 1000, "b.bin": b"B" * 2000, "c.bin": b"", "d.bin": b"D" * 10})
    server = web.Server(origin, access_log=None)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    origin.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
    settings = settings or EngineSettings(connect_attempts=1)
    timeout = aiohttp.ClientTimeout(total=None, sock_read=settings.read_timeout_s)
    async with aiohttp.ClientSession(
        timeout=timeout, connector=connector, auto_decompress=False
    ) as session:
        clock = ManualClock()
        paths = HostPaths(root)
        engine = BitsEngine(paths, clock, lambda: session, settings, store)
        engine.restore()
        try:
            yield Rig(engine, clock, origin, paths)
        finally:
            for gate in origin.gates.values():
                gate.set()
            await engine.close()
    listener.close()
    await server.shutdown(timeout=1)


def on_rig(
    scenario: Callable[[Rig], Awaitable[None]],
    root: Path,
    settings: EngineSettings | None = None,
    **options: object,
) -> None:
    """Run a scenario on a rig of its own."""

    async def run() -> None:
        async with rig(root, settings, **options) as made:
            await scenario(made)

    asyncio.run(run())
