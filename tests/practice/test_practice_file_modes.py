"""Misbehaving web servers, as jobs of a practice host meet them."""

from __future__ import annotations

import pytest
import requests
from practice_clients import COMPLETE, RESUME, BitsOverPypsrp, connect

from bitsshell.practice import FILE_MODES, JobState, PracticeFleet, PracticeHost

E, T = JobState.ERROR, JobState.TRANSIENT_ERROR


def run(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp, mode: str, **properties: int
) -> str:
    """A job that fetches the 48 kB file in that mode, resumed."""
    job_id = bits.create(fleet.file_url("report.csv", mode), r"C:\in\report.csv")
    if properties:
        bits.put(job_id, properties)
    bits.set_state(job_id, RESUME)
    return job_id


@pytest.mark.parametrize(
    ("mode", "state", "code"),
    [
        ("404", E, 0x80190194),
        ("403", E, 0x80190193),
        ("status,code=500", T, 0x801901F4),
        ("nohead", E, 0x80190195),
        ("busy", T, 0x801901F7),
        ("norange", E, 0x80200013),
        ("nolength", E, 0x80200011),
        ("wronglength", T, 0x80072EFE),
        ("reset,at=2000", T, 0x80072EFE),
        ("basic", E, 0x80190191),
        ("digest", E, 0x80190191),
    ],
)
def test_a_mode_leads_to_its_error(
    fleet: PracticeFleet,
    host: PracticeHost,
    bits: BitsOverPypsrp,
    mode: str,
    state: JobState,
    code: int,
) -> None:
    run(fleet, host, bits, mode)
    (job,) = host.wait_for(lambda jobs: jobs[0].state in {E, T})
    assert (job.state, job.error_code) == (state, code)


@pytest.mark.parametrize("mode", ["changes", "redirect", "slow,rate=400000", "norange"])
def test_a_mode_that_a_foreground_job_survives(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp, mode: str
) -> None:
    run(fleet, host, bits, mode, Priority=0)
    host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)


@pytest.mark.parametrize("mode", ["busy,times=2", "reset,at=30000,times=2"])
def test_what_happens_only_so_often_is_survived_by_retries(mode: str) -> None:
    with PracticeFleet(hosts=1, time_scale=100) as fleet:
        host = fleet.hosts[0]
        bits = BitsOverPypsrp(connect(host))
        job_id = run(fleet, host, bits, mode, MinimumRetryDelay=5)
        (job,) = host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
        assert job.error_count >= 1
        assert bits.set_state(job_id, COMPLETE) == 0
        assert host.path(r"C:\in\report.csv").stat().st_size == fleet.files[2].size_bytes
        bits.wsman.close()


def test_a_file_that_changes_mid_way_arrives_as_its_second_version(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    session = requests.Session()
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    first = session.get(fleet.file_url("package.zip"), timeout=20).content
    session.close()
    job_id = bits.create(fleet.file_url("package.zip", "changes,after=1"), r"C:\in\p.zip")
    bits.set_state(job_id, RESUME)
    host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    bits.set_state(job_id, COMPLETE)
    assert host.path(r"C:\in\p.zip").read_bytes() == first[::-1]


@pytest.mark.parametrize(("mode", "scheme"), [("basic", 0), ("digest", 1)])
def test_credentials_open_a_guarded_file(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp, mode: str, scheme: int
) -> None:
    job_id = bits.create(fleet.file_url("package.zip", mode), r"C:\in\guarded.zip")
    secret = {"Target": 0, "Scheme": scheme, "UserName": "reader", "Password": "read-4-practice"}
    assert bits.invoke("SetCredentials", secret, job_id) == {"ReturnValue": "0"}
    bits.set_state(job_id, RESUME)
    host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)


@pytest.mark.parametrize(
    "mode",
    [
        "nothing",
        "reset,at=x",
        "reset,to=5",
        "slow,rate",
        "600",
        "status,code=99",
        "slow,rate=" + "9" * 5000,
    ],
)
def test_an_unknown_mode_is_refused(fleet: PracticeFleet, mode: str) -> None:
    with pytest.raises(ValueError):
        fleet.file_url("report.csv", mode)
    session = requests.Session()
    session.trust_env = False
    url = f"{fleet.files_url}mode/{mode}/report.csv"
    assert session.get(url, timeout=20).status_code == 404
    session.close()


def test_the_index_tells_every_mode(fleet: PracticeFleet) -> None:
    session = requests.Session()
    session.trust_env = False
    page = session.get(fleet.files_url, timeout=20).text
    session.close()
    assert all(f"/mode/{name}" in page for name in FILE_MODES)
