"""Limits of the WinRM service that hold while a host is slow."""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from practice_clients import JOB_URI, BitsOverPypsrp, F, N, S, T, connect, envelope, parsed
from pypsrp.exceptions import WSManFaultError

from bitsshell.practice import (
    ManualClock,
    PracticeFleet,
    PracticeHost,
    PracticeSettings,
    WinRmSettings,
)

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


def test_a_host_whose_answers_are_late_keeps_the_time_out() -> None:
    with PracticeFleet(hosts=1, latency_s=0.5) as fleet:
        host = fleet.hosts[0]
        assert code_of(host, ENUMERATE.replace("PT60S", "PT0.1S")) == "2150858793"
        assert code_of(host) is None


def test_an_operation_that_hangs_is_ended_at_its_time_out() -> None:
    with PracticeFleet(hosts=1) as fleet:
        host = fleet.hosts[0]
        host.faults.arm("hang", operation="Enumerate")
        assert code_of(host, ENUMERATE.replace("PT60S", "PT0.2S")) == "2150858793"


def test_the_wmi_plugin_has_a_quota_of_its_own_which_identify_does_not_use() -> None:
    settings = PracticeSettings(winrm=WinRmSettings(plugin_operations_per_user=2))
    identify = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
    text = (
        f'<s:Envelope xmlns:s="{S}"><s:Body><i:Identify xmlns:i="{identify}"/></s:Body>'
        "</s:Envelope>"
    )
    with PracticeFleet(hosts=1, settings=settings) as fleet, ThreadPoolExecutor(3) as threads:
        host = fleet.hosts[0]
        host.faults.arm("hang", operation="Enumerate")
        waiting = [threads.submit(code_of, host) for _ in range(2)]
        while host.stats.calls.get("Enumerate", 0) < 2:
            assert not any(each.done() for each in waiting)
        assert code_of(host) == "2150859240"
        assert code_of(host, text) is None
        host.faults.disarm()
        for each in waiting:
            with contextlib.suppress(requests.ConnectionError):
                each.result()
        assert code_of(host) is None


def test_an_enumeration_that_rests_too_long_is_stale() -> None:
    clock = ManualClock()
    with PracticeFleet(hosts=1, clock=clock) as fleet:
        host = fleet.hosts[0]
        bits = BitsOverPypsrp(connect(host))
        for number in range(3):
            bits.create(fleet.files[1].url, rf"C:\in\{number}")
        body, context = ET.Element(f"{{{N}}}Enumerate"), f"{{{N}}}EnumerationContext"
        answer = bits.wsman.enumerate(JOB_URI, body)[0]
        for _ in range(2):
            clock.advance(239)
            answer = bits.pull(answer.findtext(context) or "", page=1)
        clock.advance(240)
        with pytest.raises(WSManFaultError) as caught:
            bits.pull(answer.findtext(context) or "", page=1)
        bits.wsman.close()
    assert caught.value.code == 2150858779


def test_an_answer_that_does_not_fit_the_envelope_is_a_fault() -> None:
    with PracticeFleet(hosts=1) as fleet:
        host = fleet.hosts[0]
        bits = BitsOverPypsrp(connect(host))
        job_id = bits.create(fleet.files[1].url, r"C:\in\0")
        for number in range(1, 40):
            path = rf"C:\in\{number}"
            bits.invoke("AddFile", {"remoteUrl": fleet.files[1].url, "localFile": path}, job_id)
        bits.wsman.close()
        for action, body, selectors in (
            (f"{T}/Get", "", {"JobId": job_id}),
            (f"{N}/Enumerate", "<n:Enumerate><w:OptimizeEnumeration/></n:Enumerate>", None),
        ):
            text = envelope(action, body, selectors=selectors, max_envelope=8_192)
            assert code_of(host, text) == "2150858805"
            assert code_of(host, text.replace(">8192<", ">153600<")) is None


def test_the_host_has_a_limit_of_its_own_whatever_a_client_takes() -> None:
    settings = PracticeSettings(winrm=WinRmSettings(max_envelope_kb=4))
    with PracticeFleet(hosts=1, settings=settings) as fleet:
        host = fleet.hosts[0]
        bits = BitsOverPypsrp(connect(host))
        job_id = bits.create(fleet.files[1].url, r"C:\in\0")
        for number in range(1, 10):
            path = rf"C:\in\{number}"
            bits.invoke("AddFile", {"remoteUrl": fleet.files[1].url, "localFile": path}, job_id)
        bits.wsman.close()
        get = envelope(f"{T}/Get", selectors={"JobId": job_id})
        assert code_of(host, get) == "2150858805"
        answer = requests.post(
            host.endpoint,
            data=get + " " * 9_000,
            headers={"Content-Type": "application/soap+xml;charset=UTF-8"},
            auth=(host.username, host.password),
            timeout=20,
        )
        assert (answer.status_code, answer.content) == (413, b"")
