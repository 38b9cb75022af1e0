"""One `jobs` call on 50 jobs: CPU of the client, against pypsrp and bare pywinrm, in one run.

    python benchmarks/jobs_call.py [--jobs 50] [--rounds 30] [--auth basic|ntlm]

All of them ask the same practice host, which runs in a process of its own, for the same 50 jobs.
`pypsrp` reads its answers into the same typed data as we do; `bare pywinrm` sends the bytes that
we send and reads nothing out of the answers, so that it shows what the exchange alone costs there.
The rounds of all contestants alternate, so that what disturbs the machine disturbs all of them.
Shown are the medians of CPU milliseconds a call, their ratio to pypsrp's, and the noise: half the
distance between the quartiles, as a part of the median.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import uuid
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contestants import Contestant, compete, print_heads, print_rows
from lxml import etree
from pypsrp.wsman import WSMan
from winrm.transport import Transport

from bitsshell import wsman
from bitsshell.bits import BitsProvider, CreateJob, FileSpec, Job, JobFile, ListJobs, new_reference
from bitsshell.bits.elements import JOB_RESOURCE
from bitsshell.bits.enums import JobState, Priority
from bitsshell.bits.reading import read_job
from bitsshell.bits.reference import canonical_job_id, split_description
from bitsshell.fleet.watching import WATCHED_PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Callable

ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
DMTF = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
CALLS_PER_ROUND = 5


class RecordingWire:
    """Passes everything on, and keeps what was sent and answered for the other contestants."""

    def __init__(self, inner: wsman.Wire) -> None:
        self.inner = inner
        self.sent: list[bytes] = []
        self.answers: list[bytes] = []

    def exchange(self, envelope: bytes, *, connect_s: float, read_s: float) -> wsman.Answer:
        answer = self.inner.exchange(envelope, connect_s=connect_s, read_s=read_s)
        self.sent.append(envelope)
        self.answers.append(answer.body)
        return answer

    def abort(self) -> None:
        self.inner.abort()

    def close(self) -> None:
        self.inner.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--jobs", type=int, default=50)
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--auth", choices=["basic", "ntlm"], default="basic")
    chosen = options.parse_args()
    command = [sys.executable, "-m", "bitsshell.practice", "--hosts", "1", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as fleet:
        try:
            assert fleet.stdout is not None
            host = json.loads(fleet.stdout.readline())
            compare(host["hosts"][0], host["files"], chosen)
        finally:
            fleet.terminate()


def compare(host: dict[str, str], files_url: str, chosen: argparse.Namespace) -> None:
    endpoint = wsman.Endpoint(
        url=host["endpoint"],
        auth=chosen.auth,
        username=host["username"],
        password=host["password"],
    )
    wire = RecordingWire(wsman.WinRMWire(endpoint))
    client = wsman.WSManClient(lambda: wire, host=host["name"], to=endpoint.url)
    provider = BitsProvider(client, host=host["name"])
    for number in range(chosen.jobs):
        file = FileSpec(f"{files_url}image.iso", rf"C:\in\file{number:03}.iso")
        provider.perform(
            CreateJob(
                name=f"job {number:03}", files=(file,), reference=new_reference(), suspended=True
            )
        )
    wire.sent.clear()
    wire.answers.clear()
    assert len(provider.list_jobs(ListJobs()).jobs) == chosen.jobs
    sent, page = list(wire.sent), max(wire.answers, key=len)
    contestants = [
        Contestant("pypsrp, typed", pypsrp_call(endpoint)),
        Contestant("bitsshell jobs", lambda: len(provider.list_jobs(ListJobs()).jobs)),
        Contestant(
            "bitsshell, one poll of a watch",
            lambda: len(provider.list_jobs(ListJobs(WATCHED_PROPERTIES)).jobs),
        ),
        Contestant("bare pywinrm, same bytes", bare_call(endpoint, sent)),
    ]
    compete(contestants, chosen.rounds, calls=CALLS_PER_ROUND)
    report(contestants, chosen)
    report_reading(page, chosen)


def pypsrp_call(endpoint: wsman.Endpoint) -> Callable[[], int]:
    """The same enumeration by pypsrp's WSMan, read into the same `Job`s with ElementTree."""
    parts = urlsplit(endpoint.url)
    peer = WSMan(
        parts.hostname,
        port=parts.port,
        ssl=False,
        auth=endpoint.auth,
        encryption="never" if endpoint.auth == "basic" else "auto",
        username=endpoint.username,
        password=endpoint.password,
        path=parts.path.strip("/"),
        no_proxy=True,
    )

    def call() -> int:
        jobs: list[Job] = []
        request = ET.Element(f"{{{ENUMERATION}}}Enumerate")
        ET.SubElement(request, f"{{{DMTF}}}OptimizeEnumeration")
        ET.SubElement(request, f"{{{DMTF}}}MaxElements").text = "500"
        (answer,) = peer.enumerate(JOB_RESOURCE, request)
        while True:
            names = {child.tag.rpartition("}")[2]: child for child in answer}
            jobs.extend(typed(item) for item in names.get("Items", ()))
            if "EndOfSequence" in names:
                return len(jobs)
            request = ET.Element(f"{{{ENUMERATION}}}Pull")
            context = ET.SubElement(request, f"{{{ENUMERATION}}}EnumerationContext")
            context.text = names["EnumerationContext"].text
            ET.SubElement(request, f"{{{ENUMERATION}}}MaxElements").text = "500"
            (answer,) = peer.pull(JOB_RESOURCE, request)

    return call


def typed(item: ET.Element) -> Job:
    """An ElementTree instance as a `Job`, done as plainly as an engineer would."""
    values: dict[str, str | None] = {}
    files: list[JobFile] = []
    for child in item:
        name = child.tag.rpartition("}")[2]
        if name == "Files":
            inner = {part.tag.rpartition("}")[2]: part.text or "" for part in child}
            files.append(
                JobFile(
                    inner["RemoteUrl"],
                    inner["LocalFile"],
                    known_size(inner["BytesTotal"]),
                    int(inner["BytesTransferred"]),
                    inner["Completed"].lower() == "true",
                )
            )
        else:
            values[name] = child.text
    description, reference = split_description(values["Description"])
    return Job(
        host="",
        id=canonical_job_id(values["JobId"] or "") or "",
        name=values["DisplayName"] or "",
        description=description,
        reference=reference,
        state=JobState(int(values["State"] or 0)),
        priority=Priority(int(values["Priority"] or 0)),
        owner=values["Owner"],
        created_filetime=int(values["JobCreationTime"] or 0),
        modified_filetime=int(values["JobLastModificationTime"] or 0),
        completed_filetime=int(values["JobCompletionTime"] or 0),
        bytes_total=known_size(values["BytesTotal"] or "0"),
        bytes_transferred=int(values["BytesTransferred"] or 0),
        files_total=int(values["FilesTotal"] or 0),
        files_transferred=int(values["FilesTransferred"] or 0),
        error_count=int(values["TransientErrorCount"] or 0),
        minimum_retry_delay_s=int(values["MinimumRetryDelay"] or 0),
        no_progress_timeout_s=int(values["NoProgressTimeout"] or 0),
        files=tuple(files),
    )


def known_size(text: str) -> int | None:
    number = int(text)
    return None if number == 2**64 - 1 else number


def bare_call(endpoint: wsman.Endpoint, sent: list[bytes]) -> Callable[[], int]:
    """pywinrm's own transport sending our bytes; only the pull's context is put in anew."""
    transport = Transport(
        endpoint.url,
        username=endpoint.username,
        password=endpoint.password,
        auth_method=endpoint.auth,
        proxy=None,
        ca_trust_path=None,
        read_timeout_sec=70,
    )

    def call() -> int:
        answer = b""
        for envelope in sent:
            request = with_context(envelope, answer) if answer else envelope
            answer = transport.send_message(fresh_id(request))
        return len(answer)

    return call


def between(text: bytes, before: bytes, after: bytes) -> bytes:
    start = text.index(before) + len(before)
    return text[start : text.index(after, start)]


def with_context(envelope: bytes, answer: bytes) -> bytes:
    start, end = b"EnumerationContext>", b"</"
    return envelope.replace(between(envelope, start, end), between(answer, start, end))


def fresh_id(envelope: bytes) -> bytes:
    old = between(envelope, b"MessageID>", b"<")
    return envelope.replace(old, f"uuid:{str(uuid.uuid4()).upper()}".encode())


def report(contestants: list[Contestant], chosen: argparse.Namespace) -> None:
    print(
        f"{chosen.jobs} jobs, {chosen.auth}, {chosen.rounds} rounds of {CALLS_PER_ROUND} calls, "
        f"Python {sys.version.split()[0]}, {os.cpu_count()} cores"
    )
    print_heads()
    print_rows(contestants)


def report_reading(page: bytes, chosen: argparse.Namespace) -> None:
    """Reading one answer into typed jobs, against lxml alone on the same bytes."""
    from bitsshell.wsman import answers

    def read() -> int:
        return len(
            [
                read_job(item, host="h")
                for item in answers.page_of(answers.soap_body(answers.parse(page))).items
            ]
        )

    contestants = [
        Contestant("lxml.etree.fromstring alone", lambda: len(etree.fromstring(page))),
        Contestant("answer read into typed jobs", read),
    ]
    compete(contestants, chosen.rounds * 2, calls=CALLS_PER_ROUND)
    print(f"\nreading one answer of {len(page):,} bytes")
    print_rows(contestants)


if __name__ == "__main__":
    main()
