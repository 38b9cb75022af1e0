"""Uploads by the BITS upload protocol. Numbers are statements of the BITS facts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from engine_rig import Rig, rig
from practice_clients import COMPLETE, RESUME, BitsOverPypsrp

from bitsshell.practice import EngineSettings, JobState, PracticeFleet, PracticeHost
from bitsshell.practice.engine.codes import BitsCallError, ErrorContext, Hr, JobType
from bitsshell.practice.uploads import PROTOCOL, Ack, Packet, UploadServer

if TYPE_CHECKING:
    from pathlib import Path

    from bitsshell.practice.engine.model import Job

SETTINGS = EngineSettings(connect_attempts=1, upload_fragment_bytes=1000)
Change = Callable[[Packet], Ack | None]


class Recorder(UploadServer):
    """An upload server that keeps what it was sent, and may answer otherwise."""

    packets: list[Packet]
    instead: Change | None = None
    url = ""

    def answer(self, packet: Packet) -> Ack:
        self.packets.append(packet)
        changed = self.instead(packet) if self.instead is not None else None
        return changed if changed is not None else super().answer(packet)

    def kinds(self) -> list[str]:
        return [packet.headers.get("bits-packet-type", "") for packet in self.packets]


@contextlib.asynccontextmanager
async def upload_rig(tmp_path: Path, **options: object) -> AsyncIterator[tuple[Rig, Recorder]]:
    server = Recorder(tmp_path / "received", **options)
    server.packets = []
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
    async with rig(tmp_path / "host", SETTINGS) as b:
        yield b, server
    listener.close()
    server.close()


def upload(b: Rig, server: Recorder, data: bytes = b"0123456789" * 250) -> Job:
    b.local("source.bin").write_bytes(data)
    job = b.engine.create("up", owner_sid="S-1-5-20", job_type=JobType.UPLOAD)
    b.engine.add_file(job, server.url + "target.bin", r"C:\in\source.bin")
    return job


def refused(call: Callable[[], object]) -> int:
    with pytest.raises(BitsCallError) as caught:
        call()
    return caught.value.hresult


def test_116_to_118_a_file_goes_in_fragments_of_one_session(tmp_path: Path) -> None:
    async def run() -> None:
        async with upload_rig(tmp_path) as (b, server):
            job = upload(b, server)
            b.engine.resume(job)
            await b.until(job, JobState.TRANSFERRED)
            assert server.kinds() == [
                "Create-Session",
                "Fragment",
                "Fragment",
                "Fragment",
                "Close-Session",
            ]
            assert {packet.method for packet in server.packets} == {"BITS_POST"}
            create, *fragments, close = (packet.headers for packet in server.packets)
            assert create["bits-supported-protocols"] == PROTOCOL
            assert [f["content-range"] for f in fragments] == [
                "bytes 0-999/2500",
                "bytes 1000-1999/2500",
                "bytes 2000-2499/2500",
            ]
            assert [f.get("content-name") for f in fragments] == ["source.bin", None, None]
            assert len({f["bits-session-id"] for f in (*fragments, close)}) == 1
            assert (tmp_path / "received" / "target.bin").read_bytes() == b"0123456789" * 250
            assert (job.bytes_total, job.bytes_transferred) == (2500, 2500)
            assert job.files[0].completed is True
            assert b.engine.complete(job) == 0
            assert b.local("source.bin").exists()

    asyncio.run(run())


def test_an_empty_file_needs_no_fragment(tmp_path: Path) -> None:
    async def run() -> None:
        async with upload_rig(tmp_path) as (b, server):
            job = upload(b, server, b"")
            b.engine.resume(job)
            await b.until(job, JobState.TRANSFERRED)
            assert server.kinds() == ["Create-Session", "Close-Session"]
            assert (tmp_path / "received" / "target.bin").read_bytes() == b""

    asyncio.run(run())


def test_48_an_upload_has_one_file_and_it_must_be_there(tmp_path: Path) -> None:
    async def run() -> None:
        async with upload_rig(tmp_path) as (b, server):
            job = upload(b, server)
            again = lambda: b.engine.add_file(job, server.url + "x", r"C:\in\source.bin")  # noqa: E731
            assert refused(again) == 0x8020001C
            other = b.engine.create("up", owner_sid="S-1-5-20", job_type=JobType.UPLOAD)
            none = lambda: b.engine.add_file(other, server.url + "x", r"C:\in\none.bin")  # noqa: E731
            assert refused(none) == 0x80070002
            share = lambda: b.engine.add_file(other, r"\\s\s\x", r"C:\in\source.bin")  # noqa: E731
            assert refused(share) == Hr.NOT_IMPLEMENTED

    asyncio.run(run())


def test_71_an_upload_is_completed_only_when_it_is_transferred(tmp_path: Path) -> None:
    async def run() -> None:
        async with upload_rig(tmp_path) as (b, server):
            job = upload(b, server)
            assert refused(lambda: b.engine.complete(job)) == Hr.INVALID_STATE
            server.instead = lambda packet: Ack(HTTPStatus.NOT_FOUND)
            b.engine.resume(job)
            await b.until(job, JobState.ERROR)
            assert refused(lambda: b.engine.complete(job)) == Hr.INVALID_STATE
            assert job.state is JobState.ERROR

    asyncio.run(run())


def test_118_119_the_upload_goes_on_where_the_server_says(tmp_path: Path) -> None:
    async def run() -> None:
        async with upload_rig(tmp_path) as (b, server):
            job = upload(b, server)

            def forget_some(packet: Packet) -> Ack | None:
                if packet.headers.get("content-range", "").startswith("bytes 2000-"):
                    (session,) = server.sessions.values()
                    del session.data[500:]
                    server.instead = None
                return None

            server.instead = forget_some
            b.engine.resume(job)
            await b.until(job, JobState.TRANSFERRED)
            ranges = [p.headers.get("content-range") for p in server.packets]
            assert ranges[3:5] == ["bytes 2000-2499/2500", "bytes 500-1499/2500"]
            assert (tmp_path / "received" / "target.bin").read_bytes() == b"0123456789" * 250

    asyncio.run(run())


def test_119_a_lost_session_is_begun_anew(tmp_path: Path) -> None:
    async def run() -> None:
        async with upload_rig(tmp_path) as (b, server):
            job = upload(b, server)

            def lose(packet: Packet) -> Ack | None:
                if packet.headers.get("content-range", "").startswith("bytes 1000-"):
                    server.sessions.clear()
                    server.instead = None
                return None

            server.instead = lose
            b.engine.resume(job)
            await b.until(job, JobState.TRANSFERRED)
            assert server.kinds().count("Create-Session") == 2

    asyncio.run(run())


@pytest.mark.parametrize(
    ("ack", "state", "code", "context"),
    [
        (Ack(HTTPStatus.NOT_FOUND), JobState.ERROR, 0x80190194, ErrorContext.REMOTE_FILE),
        (Ack(HTTPStatus.FORBIDDEN), JobState.ERROR, 0x80190193, ErrorContext.REMOTE_FILE),
        (
            Ack(HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
            JobState.ERROR,
            0x80200020,
            ErrorContext.REMOTE_FILE,
        ),
        (Ack(HTTPStatus.CONFLICT), JobState.TRANSIENT_ERROR, 0x80190199, ErrorContext.REMOTE_FILE),
        (
            Ack(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                {"BITS-Error-Code": "0x80070005", "BITS-Error-Context": "0x7"},
            ),
            JobState.TRANSIENT_ERROR,
            0x80070005,
            ErrorContext.REMOTE_APPLICATION,
        ),
        (Ack(HTTPStatus.OK), JobState.ERROR, 0x80200022, ErrorContext.REMOTE_FILE),
        (
            Ack(HTTPStatus.OK, {"BITS-Protocol": PROTOCOL, "BITS-Session-Id": "x" * 101}),
            JobState.ERROR,
            0x8020001B,
            ErrorContext.REMOTE_FILE,
        ),
    ],
)
def test_65_106_117_119_122_125_what_a_refusing_server_leads_to(
    tmp_path: Path, ack: Ack, state: JobState, code: int, context: ErrorContext
) -> None:
    async def run() -> None:
        async with upload_rig(tmp_path) as (b, server):
            job = upload(b, server)
            server.instead = lambda packet: ack
            b.engine.resume(job)
            await b.until(job, JobState.ERROR, JobState.TRANSIENT_ERROR)
            failure = b.engine.failure(job)
            assert (job.state, failure.code, failure.context) == (state, code, context)

    asyncio.run(run())


def test_119_122_the_practice_server_has_limits(tmp_path: Path) -> None:
    async def run() -> None:
        async with upload_rig(tmp_path, max_bytes=2000, overwrite=False) as (b, server):
            job = upload(b, server)
            b.engine.resume(job)
            await b.until(job, JobState.ERROR)
            assert b.engine.failure(job).code == 0x80200020
            (tmp_path / "received").mkdir()
            (tmp_path / "received" / "target.bin").touch()
            second = upload(b, server, b"x")
            b.engine.resume(second)
            await b.until(second, JobState.TRANSIENT_ERROR)
            assert b.engine.failure(second).code == 0x80070050

    asyncio.run(run())


def test_120_close_session_is_sent_again_after_a_failure_of_the_server(tmp_path: Path) -> None:
    async def run() -> None:
        async with upload_rig(tmp_path) as (b, server):
            job = upload(b, server)

            def busy(packet: Packet) -> Ack | None:
                if packet.headers["bits-packet-type"] == "Close-Session":
                    server.instead = None
                    return Ack(HTTPStatus.SERVICE_UNAVAILABLE)
                return None

            server.instead = busy
            b.engine.resume(job)
            await b.until(job, JobState.TRANSIENT_ERROR)
            b.clock.advance(600)
            await b.until(job, JobState.TRANSFERRED)
            assert server.kinds()[-2:] == ["Close-Session", "Close-Session"]
            assert server.kinds().count("Fragment") == 3

    asyncio.run(run())


def test_121_a_source_that_changes_is_an_error(tmp_path: Path) -> None:
    async def run() -> None:
        async with upload_rig(tmp_path) as (b, server):
            job = upload(b, server)

            def grow(packet: Packet) -> Ack | None:
                b.local("source.bin").write_bytes(b"another")
                return None

            server.instead = grow
            b.engine.resume(job)
            await b.until(job, JobState.ERROR)
            failure = b.engine.failure(job)
            assert (failure.code, failure.context) == (0x8020001D, ErrorContext.LOCAL_FILE)

    asyncio.run(run())


def test_74_a_cancelled_upload_is_told_to_the_server_until_it_hears(tmp_path: Path) -> None:
    async def run() -> None:
        async with upload_rig(tmp_path) as (b, server):
            job = upload(b, server)
            told = asyncio.Event()
            failures = [Ack(HTTPStatus.SERVICE_UNAVAILABLE)] * 2

            def hold(packet: Packet) -> Ack | None:
                if packet.headers["bits-packet-type"] == "Cancel-Session":
                    if failures:
                        return failures.pop()
                    told.set()
                elif packet.headers.get("content-range", "").startswith("bytes 1000-"):
                    return Ack(HTTPStatus.NOT_FOUND)
                return None

            server.instead = hold
            b.engine.resume(job)
            await b.until(job, JobState.ERROR)
            assert b.engine.cancel(job) == 0
            assert b.engine.jobs() == []
            while not told.is_set():
                await asyncio.sleep(0)
                b.clock.advance(600)
            assert server.kinds().count("Cancel-Session") == 3
            assert (server.sessions, b.local("source.bin").exists()) == ({}, True)

    asyncio.run(run())


def test_74_nobody_is_told_for_longer_than_a_day(tmp_path: Path) -> None:
    async def run() -> None:
        async with upload_rig(tmp_path) as (b, server):
            job = upload(b, server)
            server.instead = lambda p: (
                Ack(HTTPStatus.SERVICE_UNAVAILABLE)
                if p.headers["bits-packet-type"] in {"Cancel-Session", "Close-Session"}
                else None
            )
            b.engine.set_minimum_retry_delay(job, 30_000)
            b.engine.resume(job)
            await b.until(job, JobState.TRANSIENT_ERROR)
            b.engine.cancel(job)
            farewells = b.engine._farewells._tasks
            while farewells:
                await asyncio.sleep(0)
                b.clock.advance(10)
            assert server.kinds().count("Cancel-Session") == 3
            assert b.clock.now_s() < 86_400

    asyncio.run(run())


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"BITS_POST /x HTTP/1.1\r\nBITS-Packet-Type: Strange\r\n\r\n",
        b"BITS_POST /../x HTTP/1.1\r\nBITS-Packet-Type: Create-Session\r\n"
        b"BITS-Supported-Protocols: " + PROTOCOL.encode() + b"\r\n\r\n",
        b"BITS_POST /.. HTTP/1.1\r\nBITS-Packet-Type: Create-Session\r\n"
        b"BITS-Supported-Protocols: " + PROTOCOL.encode() + b"\r\n\r\n",
    ],
)
def test_the_upload_server_refuses_what_is_not_for_it(tmp_path: Path, text: bytes) -> None:
    async def run() -> None:
        async with upload_rig(tmp_path) as (_, server):
            port = int(server.url.split(":")[2].rstrip("/"))
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(text)
            status = await reader.readline()
            writer.close()
            assert int(status.split()[1]) >= 400

    asyncio.run(run())


def test_a_client_uploads_through_a_practice_host(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    host.path(r"C:\in\report.bin").write_bytes(b"r" * 3_000_000)
    job_id = bits.create(fleet.uploads_url + "report.bin", r"C:\in\report.bin", Type=1)
    bits.set_state(job_id, RESUME)
    host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    assert bits.set_state(job_id, COMPLETE) == 0
    assert (fleet.uploads_folder / "report.bin").stat().st_size == 3_000_000
