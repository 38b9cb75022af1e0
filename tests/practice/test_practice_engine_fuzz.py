"""Whatever a job is told to fetch: it ends in a state that BITS has, with a reason."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from pathlib import Path

import aiohttp
import pytest
from engine_rig import rig
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bitsshell.practice import EngineSettings
from bitsshell.practice.engine.codes import BitsCallError, Hr, JobState, JobType
from bitsshell.practice.engine.engine import _FAIL

_TAIL = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)
_HOST = st.one_of(
    st.just("127.0.0.1:9"),
    st.text(alphabet="abc.-_[]:@% ", min_size=1, max_size=15),
)


class Nowhere(aiohttp.abc.AbstractResolver):
    """A resolver that knows no name, so that nothing leaves this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        raise OSError(socket.EAI_NONAME, f"unknown name {host}")

    async def close(self) -> None:
        pass


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["http://", "https://", "file://", "\\\\"]), _HOST, _TAIL, st.booleans())
@example("http://", "127.0.0.1:9", "/a b", False)
@example("http://", "u:p@127.0.0.1:9", "/%zz?#", True)
@example("http://", "[::1]:9", "/", False)
@example("http://", "127.0.0.1:9", "\ud7ff\ue000", True)
def test_any_url_is_refused_or_leads_to_an_error_that_bits_has(
    scheme: str, host: str, tail: str, uploads: bool
) -> None:
    url = f"{scheme}{host}/{tail}"

    async def run(root: Path) -> None:
        connector = aiohttp.TCPConnector(resolver=Nowhere())
        async with rig(root, EngineSettings(connect_attempts=1), connector=connector) as b:
            b.local("a").write_bytes(b"x")
            kind = JobType.UPLOAD if uploads else JobType.DOWNLOAD
            job = b.engine.create("x", owner_sid="S-1-5-20", job_type=kind)
            refused = None
            try:
                b.engine.add_file(job, url, r"C:\in\a")
            except BitsCallError as error:
                refused = error.hresult
            assert refused in {None, Hr.INVALID_ARGUMENT, Hr.NOT_IMPLEMENTED}
            if refused is not None:
                return
            b.engine.resume(job)
            await b.until(job, JobState.ERROR, JobState.TRANSIENT_ERROR)
            assert b.engine.failure(job).code != _FAIL
            assert b.engine.cancel(job) == 0

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x", "https://127.0.0.1:9/x"])
def test_an_upload_to_nobody_is_tried_again(tmp_path: Path, address: str) -> None:
    async def run() -> None:
        async with rig(tmp_path, EngineSettings(connect_attempts=1)) as b:
            b.local("a").write_bytes(b"x")
            job = b.engine.create("x", owner_sid="S-1-5-20", job_type=JobType.UPLOAD)
            b.engine.add_file(job, address, r"C:\in\a")
            b.engine.resume(job)
            await b.until(job, JobState.TRANSIENT_ERROR)
            assert b.engine.failure(job).code == 0x80072EFD

    asyncio.run(run())
