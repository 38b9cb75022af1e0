"""How the engine fetches: files, HTTP, errors. Numbers are statements of the BITS facts."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from engine_rig import LATER, STAMP, Rig, on_rig

from bitsshell.practice import EngineSettings
from bitsshell.practice.clock import filetime
from bitsshell.practice.engine.codes import (
    SIZE_UNKNOWN,
    BitsCallError,
    ErrorContext,
    Hr,
    JobState,
    Priority,
)

if TYPE_CHECKING:
    from pathlib import Path

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

# --- E, F: progress, files, Complete, Cancel ---


def test_29_a_job_goes_through_its_states_in_order(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        seen: list[JobState] = []
        job = b.job("a.bin")

        def watch() -> bool:
            if not seen or seen[-1] is not job.state:
                seen.append(job.state)
            return job.state is JobState.TRANSFERRED

        b.engine.resume(job)
        watch()
        await b.when(watch)
        assert [state.name for state in seen] == [
            "QUEUED",
            "CONNECTING",
            "TRANSFERRING",
            "TRANSFERRED",
        ]

    on_rig(scenario, tmp_path)


def test_11_61_the_completion_time_is_zero_until_transferred(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job("a.bin")
        created = job.created
        assert (job.completed, created) == (0, filetime(b.clock))
        b.clock.advance(100)
        b.engine.set_priority(job, 1)
        assert job.modified == created + 1_000_000_000
        b.engine.resume(job)
        await b.until(job, JobState.TRANSFERRED)
        assert job.completed == job.modified == filetime(b.clock)

    on_rig(scenario, tmp_path)


def test_57_67_68_data_goes_to_a_temporary_file_beside_the_destination(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = await b.finished("a.bin")
        (temp,) = b.temps()
        assert re.fullmatch(r"BIT[0-9A-F]{1,4}\.tmp", temp)
        assert not b.local("a.bin").exists()
        assert job.files[0].completed is False
        assert b.engine.complete(job) == 0
        assert job.files[0].completed is True
        assert (b.temps(), b.local("a.bin").read_bytes()) == ([], b"A" * 1000)

    on_rig(scenario, tmp_path)


def test_62_the_file_gets_the_time_of_the_server(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        b.engine.complete(await b.finished("a.bin"))
        assert b.local("a.bin").stat().st_mtime == parsedate_to_datetime(STAMP).timestamp()

    on_rig(scenario, tmp_path)


def test_69_complete_keeps_what_is_finished_and_drops_the_rest(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job("a.bin", "b.bin", "d.bin")
        b.origin.hold("d.bin")
        b.engine.resume(job)
        await b.when(lambda: job.files_transferred == 2 and job.files[2].temp_name is not None)
        assert b.engine.complete(job) == Hr.S_PARTIAL_COMPLETE
        assert job.state is JobState.ACKNOWLEDGED
        assert (b.local("a.bin").exists(), b.local("b.bin").exists()) == (True, True)
        assert (b.local("d.bin").exists(), b.temps()) == (False, [])

    on_rig(scenario, tmp_path)


def test_70_115_a_failed_rename_leaves_the_job_to_be_completed_again(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = await b.finished("a.bin", "b.bin")
        b.engine.files.conditions.locked.add(r"c:\in\b.bin")
        with pytest.raises(BitsCallError) as caught:
            b.engine.complete(job)
        assert caught.value.hresult == 0x80070020
        assert job.state is JobState.TRANSFERRED
        assert [f.completed for f in job.files] == [True, False]
        b.engine.files.conditions.locked.clear()
        assert b.engine.complete(job) == 0
        assert b.local("b.bin").exists()

    on_rig(scenario, tmp_path)


def test_115_a_folder_that_vanished_is_told_by_complete(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = await b.finished("a.bin")
        folder = b.paths.resolve(r"C:\in")
        folder.rename(folder.with_name("elsewhere"))
        with pytest.raises(BitsCallError) as caught:
            b.engine.complete(job)
        assert caught.value.hresult == 0x80070003
        folder.with_name("elsewhere").rename(folder)
        assert b.engine.complete(job) == 0

    on_rig(scenario, tmp_path)


def test_73_cancel_removes_what_was_fetched(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = await b.finished("a.bin", "b.bin")
        assert len(b.temps()) == 2
        assert b.engine.cancel(job) == 0
        assert b.temps() == []
        assert not b.local("a.bin").exists()

    on_rig(scenario, tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="a folder cannot stand in for a locked file there")
@pytest.mark.parametrize("call", ["cancel", "complete"])
def test_69_73_a_temporary_file_that_stays_is_a_success_with_a_warning(
    tmp_path: Path, call: str
) -> None:
    async def scenario(b: Rig) -> None:
        b.origin.hold("b.bin")
        job = b.job("b.bin", start=True)
        await b.when(lambda: bool(b.temps()))
        temp = b.paths.resolve(r"C:\in") / b.temps()[0]
        temp.unlink()
        temp.mkdir()
        assert getattr(b.engine, call)(job) == Hr.S_UNABLE_TO_DELETE_FILES
        assert job.final

    on_rig(scenario, tmp_path)


def test_51_34_files_are_fetched_in_order_and_a_failed_one_stops_the_job(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = await b.failed("a.bin", "missing.bin", "b.bin")
        assert job.state is JobState.ERROR
        assert [f.fetched for f in job.files] == [True, False, False]
        assert [r.path for r in b.origin.asked("HEAD")] == ["/a.bin", "/missing.bin"]
        assert b.engine.failure(job).file_index == 1
        b.origin.files["missing.bin"] = b"now"
        b.engine.resume(job)
        await b.until(job, JobState.TRANSFERRED)
        assert [r.path for r in b.origin.asked("HEAD")].count("/a.bin") == 1

    on_rig(scenario, tmp_path)


def test_an_empty_file_needs_no_get(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        b.engine.complete(await b.finished("c.bin"))
        assert (b.local("c.bin").read_bytes(), b.origin.asked("GET")) == (b"", [])

    on_rig(scenario, tmp_path)


def test_63_the_error_is_told_until_data_flows_again(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        fresh = b.job("a.bin")
        with pytest.raises(BitsCallError) as caught:
            b.engine.failure(fresh)
        assert caught.value.hresult == 0x8020000F
        job = await b.failed("later.bin")
        assert b.engine.failure(job).code == 0x80190194
        b.origin.files["later.bin"] = b"x"
        gate = b.origin.hold("later.bin")
        b.engine.resume(job)
        await b.until(job, JobState.TRANSFERRING)
        assert b.engine.failure(job).code == 0x80190194
        gate.set()
        await b.until(job, JobState.TRANSFERRED)
        with pytest.raises(BitsCallError):
            b.engine.failure(job)

    on_rig(scenario, tmp_path)


# --- I: HTTP ---


def test_93_to_96_head_comes_first_and_then_ranges_with_the_headers_of_bits(
    tmp_path: Path,
) -> None:
    async def scenario(b: Rig) -> None:
        b.origin.files["big.bin"] = bytes(range(256)) * 20
        b.engine.complete(await b.finished("big.bin"))
        head, *gets = b.origin.requests
        assert head.method == "HEAD"
        for request in b.origin.requests:
            assert request.headers["User-Agent"] == "Microsoft BITS/7.8"
            assert request.headers["Accept-Encoding"] == "identity"
            assert request.headers["Accept"] == "*/*"
            assert request.headers["Connection"] == "Keep-Alive"
        assert [request.headers["Range"] for request in gets] == [
            "bytes=0-999",
            "bytes=1000-2999",
            "bytes=3000-4999",
            "bytes=5000-5119",
        ]
        assert {request.headers["If-Unmodified-Since"] for request in gets} == {STAMP}
        assert b.local("big.bin").read_bytes() == b.origin.files["big.bin"]

    on_rig(scenario, tmp_path, EngineSettings(first_range_bytes=1000, background_range_bytes=2000))


def test_96_foreground_asks_once(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        await b.finished("b.bin", priority=Priority.FOREGROUND)
        assert [r.headers["Range"] for r in b.origin.asked("GET")] == ["bytes=0-1999"]

    on_rig(scenario, tmp_path, EngineSettings(first_range_bytes=10))


def test_97_112_no_length_is_an_error(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        async def chunked(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            response.enable_chunked_encoding()
            await response.prepare(request)
            return response

        b.origin.answers["a.bin"] = chunked
        job = await b.failed("a.bin")
        assert (job.state, b.engine.failure(job).code) == (JobState.ERROR, 0x80200011)

    on_rig(scenario, tmp_path)


def whole(b: Rig) -> Handler:
    """A server that takes no notice of ranges."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        data = b.origin.files[request.path.lstrip("/")]
        if request.method == "HEAD":
            return await b.origin.serve(request)
        return web.Response(body=data, headers={"Last-Modified": STAMP})

    return answer


def test_98_ignored_ranges_are_an_error_but_not_for_foreground(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        b.origin.answers["a.bin"] = whole(b)
        job = await b.failed("a.bin")
        assert (job.state, b.engine.failure(job).code) == (JobState.ERROR, 0x80200013)
        b.engine.set_priority(job, Priority.FOREGROUND)
        b.engine.resume(job)
        await b.until(job, JobState.TRANSFERRED)
        b.engine.complete(job)
        assert b.local("a.bin").read_bytes() == b"A" * 1000

    on_rig(scenario, tmp_path)


def test_98_a_stripped_content_range_is_an_error(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        async def stripped(request: web.BaseRequest) -> web.StreamResponse:
            response = await b.origin.serve(request)
            response.headers.pop("Content-Range", None)
            return response

        b.origin.answers["a.bin"] = stripped
        assert b.engine.failure(await b.failed("a.bin")).code == 0x80200013

    on_rig(scenario, tmp_path)


def asks_for_credentials(b: Rig, challenge: str) -> Handler:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if "Authorization" not in request.headers:
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        return await b.origin.serve(request)

    return answer


def test_100_credentials_go_on_every_request_that_asks(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        b.origin.answers["a.bin"] = asks_for_credentials(b, 'Basic realm="x"')
        job = await b.failed("a.bin")
        assert b.engine.failure(job).code == 0x80190191
        b.engine.set_credentials(job, 0, 0, "user", "pa:ss")
        b.engine.resume(job)
        await b.until(job, JobState.TRANSFERRED)
        sent = [r.headers.get("Authorization") for r in b.origin.requests[-2:]]
        assert sent == [None, "Basic dXNlcjpwYTpzcw=="]

    on_rig(scenario, tmp_path)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "MD5-sess"])
def test_100_digest(tmp_path: Path, algorithm: str) -> None:
    async def scenario(b: Rig) -> None:
        challenge = f'Digest realm="r", nonce="n", qop="auth,auth-int", algorithm={algorithm}'
        b.origin.answers["a.bin"] = asks_for_credentials(b, challenge)
        job = b.job("a.bin")
        b.engine.set_credentials(job, 0, 1, "user", "password")
        b.engine.resume(job)
        await b.until(job, JobState.TRANSFERRED)
        sent = b.origin.requests[-1].headers["Authorization"]
        assert sent.startswith('Digest username="user", realm="r", nonce="n", uri="/a.bin"')
        assert "password" not in sent

    on_rig(scenario, tmp_path)


def test_100_wrong_credentials_are_not_tried_for_ever(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        async def never(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=401, headers={"WWW-Authenticate": "Basic"})

        b.origin.answers["a.bin"] = never
        job = b.job("a.bin")
        b.engine.set_credentials(job, 0, 0, "user", "wrong")
        b.engine.resume(job)
        await b.until(job, JobState.ERROR)
        assert (b.engine.failure(job).code, len(b.origin.requests)) == (0x80190191, 2)

    on_rig(scenario, tmp_path)


def test_21_108_114_an_overriding_proxy_is_used_and_may_ask_for_credentials(
    tmp_path: Path,
) -> None:
    async def scenario(b: Rig) -> None:
        seen: list[tuple[str, str | None]] = []

        async def proxy(request: web.BaseRequest) -> web.StreamResponse:
            seen.append((str(request.url), request.headers.get("Proxy-Authorization")))
            if "Proxy-Authorization" not in request.headers:
                return web.Response(status=407, headers={"Proxy-Authenticate": "Basic"})
            return await b.origin.serve(request)

        b.origin.answers["a.bin"] = proxy
        job = b.job()
        b.engine.add_file(job, "http://nowhere.invalid/a.bin", r"C:\in\a.bin")
        b.engine.set_proxy(job, 2, b.origin.url[7:-1], None)
        b.engine.resume(job)
        await b.until(job, JobState.ERROR)
        assert b.engine.failure(job).code == 0x80190197
        b.engine.set_credentials(job, 1, 0, "u", "p")
        b.engine.resume(job)
        await b.until(job, JobState.TRANSFERRED)
        assert seen[-1] == ("http://nowhere.invalid/a.bin", "Basic dTpw")
        bad = b.job("a.bin")
        b.engine.set_proxy(bad, 2, "http://:::", None)
        b.engine.resume(bad)
        await b.until(bad, JobState.ERROR)
        assert b.engine.failure(bad).code == 0x8020003F

    on_rig(scenario, tmp_path)


@pytest.mark.parametrize("bypass", ["127.0.0.1", "*.0.0.1"])
def test_21_a_bypassed_server_needs_no_proxy(tmp_path: Path, bypass: str) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job("a.bin")
        b.engine.set_proxy(job, 2, "127.0.0.1:9", bypass)
        b.engine.resume(job)
        await b.until(job, JobState.TRANSFERRED)

    on_rig(scenario, tmp_path)


def test_101_redirects_are_followed_in_silence(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        async def moved(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": "/a.bin"})

        b.origin.answers["old.bin"] = moved
        job = await b.finished("old.bin")
        assert job.files[0].remote_url.endswith("/old.bin")
        b.engine.complete(job)
        assert b.local("old.bin").read_bytes() == b"A" * 1000

    on_rig(scenario, tmp_path)


def test_101_a_redirect_without_end_is_tried_again_later(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        async def again(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": request.path})

        b.origin.answers["loop.bin"] = again
        assert (await b.failed("loop.bin")).state is JobState.TRANSIENT_ERROR

    on_rig(scenario, tmp_path)


def test_58_102_a_file_that_changes_mid_way_is_fetched_anew(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        first: list[bool] = []

        async def change(request: web.BaseRequest) -> web.StreamResponse:
            answer = await b.origin.serve(request)
            if request.method == "GET" and not first:
                first.append(True)
                b.origin.stamp = LATER
                b.origin.files["b.bin"] = b"N" * 1500
            return answer

        b.origin.answers["b.bin"] = change
        job = await b.finished("a.bin", "b.bin")
        b.engine.complete(job)
        assert b.local("b.bin").read_bytes() == b"N" * 1500
        assert (job.bytes_total, job.bytes_transferred) == (2500, 2500)
        assert [r.path for r in b.origin.asked("HEAD")].count("/a.bin") == 1

    on_rig(scenario, tmp_path, EngineSettings(first_range_bytes=1000))


def test_102_a_file_that_never_stands_still_is_an_error(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        async def changed(request: web.BaseRequest) -> web.StreamResponse:
            if request.method == "HEAD":
                return await b.origin.serve(request)
            return web.Response(status=412)

        b.origin.answers["a.bin"] = changed
        assert b.engine.failure(await b.failed("a.bin")).code == 0x80200073

    on_rig(scenario, tmp_path)


def test_102_a_change_may_be_an_error_at_once(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        async def changed(request: web.BaseRequest) -> web.StreamResponse:
            if request.method == "HEAD":
                return await b.origin.serve(request)
            return web.Response(status=412)

        b.origin.answers["a.bin"] = changed
        job = await b.failed("a.bin")
        assert (job.state, b.engine.failure(job).code) == (JobState.ERROR, 0x80200073)
        assert len(b.origin.asked("HEAD")) == 1
        del b.origin.answers["a.bin"]
        b.engine.resume(job)
        await b.until(job, JobState.TRANSFERRED)

    on_rig(scenario, tmp_path, EngineSettings(remote_change_is_error=True))


@pytest.mark.parametrize("changed", [False, True])
def test_35_143_a_suspended_transfer_goes_on_from_its_offset_if_the_file_is_the_same(
    tmp_path: Path, changed: bool
) -> None:
    async def scenario(b: Rig) -> None:
        arrived = asyncio.Event()

        async def stalls(request: web.BaseRequest) -> web.StreamResponse:
            if len(b.origin.asked("GET")) == 2:
                arrived.set()
                await b.origin.hold("b.bin").wait()
            return await b.origin.serve(request)

        b.origin.answers["b.bin"] = stalls
        job = b.job("b.bin", start=True)
        await arrived.wait()
        b.engine.suspend(job)
        offset = job.bytes_transferred
        assert offset == 500
        del b.origin.answers["b.bin"]
        b.origin.gates.pop("b.bin").set()
        if changed:
            b.origin.stamp = LATER
            b.origin.files["b.bin"] = b"N" * 2000
        b.origin.requests.clear()
        b.engine.resume(job)
        await b.until(job, JobState.TRANSFERRED)
        first = b.origin.asked("GET")[0].headers["Range"]
        assert first.startswith("bytes=0-" if changed else f"bytes={offset}-")
        b.engine.complete(job)
        assert b.local("b.bin").read_bytes() == b.origin.files["b.bin"]

    on_rig(scenario, tmp_path, EngineSettings(first_range_bytes=500, background_range_bytes=500))


def test_44_a_file_on_a_share_is_copied(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        share = b.paths.make_folder(r"\\server\share")
        (share / "s.bin").write_bytes(b"S" * 200_000)
        job = b.job()
        for number, url in enumerate((r"\\server\share\s.bin", "file://server/share/s.bin")):
            b.engine.add_file(job, url, rf"C:\in\{number}")
        b.engine.add_file(job, r"\\server\share\none.bin", r"C:\in\none")
        b.engine.resume(job)
        await b.until(job, JobState.ERROR)
        failure = b.engine.failure(job)
        assert (failure.code, failure.context) == (0x80070002, ErrorContext.REMOTE_FILE)
        assert b.engine.complete(job) == Hr.S_PARTIAL_COMPLETE
        assert b.local("1").read_bytes() == b"S" * 200_000

    on_rig(scenario, tmp_path)


# --- J: classification ---


@pytest.mark.parametrize(
    ("status", "state"),
    [
        *[(s, JobState.ERROR) for s in (300, 304, 305, 400, 401, 403, 404, 405, 407, 410, 416)],
        *[(s, JobState.ERROR) for s in (501, 505)],
        *[(s, JobState.TRANSIENT_ERROR) for s in (306, 408, 409, 500, 502, 503, 504, 507)],
    ],
)
def test_104_to_109_an_error_status_is_fatal_or_tried_again(
    tmp_path: Path, status: int, state: JobState
) -> None:
    async def scenario(b: Rig) -> None:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=status)

        b.origin.answers["a.bin"] = answer
        job = await b.failed("a.bin")
        failure = b.engine.failure(job)
        assert (job.state, failure.code) == (state, 0x80190000 + status)
        assert failure.context is ErrorContext.REMOTE_FILE

    on_rig(scenario, tmp_path)


def test_103_a_server_may_refuse_head_alone(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        async def no_head(request: web.BaseRequest) -> web.StreamResponse:
            if request.method == "HEAD":
                return web.Response(status=405)
            return await b.origin.serve(request)

        b.origin.answers["a.bin"] = no_head
        assert b.engine.failure(await b.failed("a.bin")).code == 0x80190195

    on_rig(scenario, tmp_path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_30_110_a_refused_connection_is_tried_again_later(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job()
        b.engine.add_file(job, f"http://127.0.0.1:{free_port()}/a", r"C:\in\a")
        b.engine.resume(job)
        await b.until(job, JobState.TRANSIENT_ERROR)
        failure = b.engine.failure(job)
        assert (failure.code, failure.context) == (0x80072EFD, ErrorContext.REMOTE_FILE)

    on_rig(scenario, tmp_path)


class NoNames(aiohttp.abc.AbstractResolver):
    """A resolver that knows no name, and counts who asks."""

    def __init__(self) -> None:
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        self.asked += 1
        raise OSError(socket.EAI_NONAME, "unknown name")

    async def close(self) -> None:
        pass


def test_65_66_80_110_a_name_that_is_not_known_is_tried_three_times_at_first(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        from engine_rig import rig

        names = NoNames()
        connector = aiohttp.TCPConnector(resolver=names)
        async with rig(tmp_path, EngineSettings(), connector=connector) as b:
            job = b.job()
            b.engine.add_file(job, "http://nowhere.example/a", r"C:\in\a")
            b.engine.resume(job)
            while job.state is not JobState.TRANSIENT_ERROR:
                await asyncio.sleep(0)
                b.clock.advance(0.3)
            failure = b.engine.failure(job)
            assert (failure.code, failure.context) == (0x80072EE7, ErrorContext.REMOTE_FILE)
            assert (names.asked, job.error_count) == (3, 0)

    asyncio.run(run())


def test_110_a_connection_that_breaks_is_taken_up_from_its_offset(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        broken: list[bool] = []

        async def breaks(request: web.BaseRequest) -> web.StreamResponse:
            if request.method == "HEAD" or broken:
                return await b.origin.serve(request)
            broken.append(True)
            headers = {"Content-Range": "bytes 0-1999/2000", "Last-Modified": STAMP}
            response = web.StreamResponse(status=206, headers=headers)
            response.content_length = 2000
            await response.prepare(request)
            await response.write(b"B" * 700)
            request.transport.close()
            return response

        b.origin.answers["b.bin"] = breaks
        job = await b.failed("b.bin")
        assert (job.state, b.engine.failure(job).code) == (JobState.TRANSIENT_ERROR, 0x80072EFE)
        assert (job.bytes_transferred, job.error_count) == (700, 1)
        b.clock.advance(600)
        await b.until(job, JobState.TRANSFERRED)
        assert b.origin.asked("GET")[-1].headers["Range"] == "bytes=700-1999"
        b.engine.complete(job)
        assert b.local("b.bin").read_bytes() == b"B" * 2000

    on_rig(scenario, tmp_path)


def test_110_a_silent_server_times_out(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        b.origin.hold("a.bin")
        job = await b.failed("a.bin")
        assert (job.state, b.engine.failure(job).code) == (JobState.TRANSIENT_ERROR, 0x80072EE2)

    on_rig(scenario, tmp_path, EngineSettings(connect_attempts=1, read_timeout_s=0.2))


def test_111_an_answer_that_is_not_http(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"SSH-2.0-nothing\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
        job = b.job()
        port = server.sockets[0].getsockname()[1]
        b.engine.add_file(job, f"http://127.0.0.1:{port}/a", r"C:\in\a")
        b.engine.resume(job)
        await b.until(job, JobState.TRANSIENT_ERROR)
        assert b.engine.failure(job).code == 0x80072F78
        server.close()

    on_rig(scenario, tmp_path)


def test_113_a_server_without_tls_behind_https_is_an_error(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job()
        b.engine.add_file(job, b.origin.url.replace("http:", "https:") + "a.bin", r"C:\in\a")
        b.engine.resume(job)
        await b.until(job, JobState.ERROR)
        assert b.engine.failure(job).code == 0x80072F8F

    on_rig(scenario, tmp_path)


def test_115_a_full_disk_is_an_error_of_the_local_file(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        b.engine.files.conditions.full = True
        job = await b.failed("a.bin")
        failure = b.engine.failure(job)
        assert (job.state, failure.code, failure.context) == (
            JobState.ERROR,
            0x80070070,
            ErrorContext.LOCAL_FILE,
        )

    on_rig(scenario, tmp_path)


def test_a_transfer_can_be_slowed_to_be_watched(tmp_path: Path) -> None:
    async def scenario(b: Rig) -> None:
        job = b.job("a.bin", start=True)
        await b.when(lambda: job.bytes_transferred > 0)
        steps = 0
        while job.state is not JobState.TRANSFERRED:
            before = job.bytes_transferred
            b.clock.advance(0.1)
            await b.when(lambda before=before: job.bytes_transferred != before or job.completed > 0)
            steps += 1
        assert 9 <= steps <= 11
        assert job.bytes_total != SIZE_UNKNOWN

    on_rig(scenario, tmp_path, EngineSettings(transfer_bytes_per_s=1000))
