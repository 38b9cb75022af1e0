"""Limits of the WinRM service that hold while a host is slow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import requests
from practice_clients import F, N, envelope, parsed

from bitsshell.practice import PracticeFleet, PracticeHost, PracticeSettings, WinRmSettings

ENUMERATE = envelope(f"{N}/Enumerate", "<n:Enumerate/>")


def code_of(host: PracticeHost, text: str = ENUMERATE) -> str | None:
    """The code of the fault that answers, or None."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            host.endpoint,
            data=text.encode(),
            headers={"Content-Type": "application/soap+xml;charset=UTF-8"},
            auth=(host.username, host.password),
            timeout=20,
        )
    whole = parsed(answer.content)
    fault = whole.find(f".//{{{F}}}WSManFault")
    # Quota faults have the other shape, in which the code is an element's text.
    return whole.findtext(".//{*}error_Code") if fault is None else fault.get("Code")


def test_one_operation_too_many_at_once_is_a_quota_fault() -> None:
    settings = PracticeSettings(winrm=WinRmSettings(max_concurrent_operations_per_user=2))
    with PracticeFleet(hosts=1, settings=settings) as fleet, ThreadPoolExecutor(3) as threads:
        host = fleet.hosts[0]
        host.faults.arm("slow", seconds=2)
        codes = list(threads.map(code_of, [host] * 3))
        assert sorted(codes, key=str) == ["2150859174", None, None]
        host.faults.disarm()
        assert code_of(host) is None


def test_an_operation_that_takes_longer_than_its_time_out_is_ended() -> None:
    with PracticeFleet(hosts=1) as fleet:
        host = fleet.hosts[0]
        host.faults.arm("slow", seconds=3600)
        assert code_of(host, ENUMERATE.replace("PT60S", "PT0.2S")) == "2150858793"


def test_a_slow_host_is_slow_once_for_a_request() -> None:
    with PracticeFleet(hosts=1) as fleet:
        host = fleet.hosts[0]
        host.faults.arm("slow", seconds=0.5)
        # Twice would be beyond the time-out.
        assert code_of(host, ENUMERATE.replace("PT60S", "PT0.9S")) is None


def test_no_operation_may_take_longer_than_the_host_allows() -> None:
    settings = PracticeSettings(winrm=WinRmSettings(max_timeout_ms=200))
    with PracticeFleet(hosts=1, settings=settings) as fleet:
        host = fleet.hosts[0]
        host.faults.arm("slow", seconds=3600)
        assert code_of(host) == "2150858793"
