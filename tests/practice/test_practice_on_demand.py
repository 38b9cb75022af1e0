"""Failures on demand, as a client meets them."""

from __future__ import annotations

import threading

import pytest
import requests
from practice_clients import (
    COMPLETE,
    JOB_URI,
    RESUME,
    BitsOverPypsrp,
    F,
    N,
    S,
    connect,
    envelope,
    parsed,
)
from pypsrp.exceptions import AuthenticationError, WSManFaultError

from bitsshell.practice import KINDS, JobState, PracticeFleet, PracticeHost

ENUMERATE = envelope(f"{N}/Enumerate", "<n:Enumerate/>")


def post(host: PracticeHost, text: str = ENUMERATE, timeout: float = 20) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    try:
        return session.post(
            host.endpoint,
            data=text.encode(),
            headers={"Content-Type": "application/soap+xml;charset=UTF-8"},
            auth=(host.username, host.password),
            timeout=timeout,
        )
    finally:
        session.close()


def create_text(fleet: PracticeFleet) -> str:
    return envelope(
        f"{JOB_URI}/CreateJob",
        f"<p:CreateJob_INPUT><p:DisplayName>x</p:DisplayName><p:RemoteUrl>{fleet.files[1].url}"
        "</p:RemoteUrl><p:LocalFile>C:\\in\\x</p:LocalFile><p:Suspend>true</p:Suspend>"
        "</p:CreateJob_INPUT>",
    )


@pytest.mark.parametrize(
    ("name", "arguments", "code", "subcode"),
    [
        ("provider-missing", {}, 2150858752, "a:DestinationUnreachable"),
        ("provider-missing", {"code": 2147749902}, 2147749902, "a:DestinationUnreachable"),
        ("enumerate-failed", {}, 2147749889, "w:InternalError"),
        ("access-denied", {}, 5, "w:AccessDenied"),
        ("timed-out", {}, 2150858793, "w:TimedOut"),
        ("fault", {}, 2147942402, "w:InternalError"),
    ],
)
def test_an_armed_fault_answers_until_it_is_disarmed(
    host: PracticeHost, name: str, arguments: dict[str, object], code: int, subcode: str
) -> None:
    host.faults.arm(name, **arguments)
    assert host.faults.armed == (name,)
    for _ in range(2):
        answer = post(host)
        assert answer.status_code == 500
        root = parsed(answer.content)
        fault = root.find(f".//{{{F}}}WSManFault")
        assert fault is not None
        assert fault.get("Code") == str(code)
        assert root.findtext(f".//{{{S}}}Subcode/{{{S}}}Value") == subcode
    host.faults.disarm(name)
    assert post(host).status_code == 200


def test_a_quota_fault_has_the_shape_of_a_wmi_error(host: PracticeHost) -> None:
    host.faults.arm("quota", times=1)
    root = parsed(post(host).content)
    assert root.findtext(".//{*}MSFT_WmiError/{*}error_Code") == "2150859174"
    assert root.find(f".//{{{F}}}WSManFault") is None


def test_a_fault_may_strike_a_number_of_times_and_one_operation_only(
    fleet: PracticeFleet, host: PracticeHost
) -> None:
    host.faults.arm("access-denied", times=2, operation="createjob")
    assert post(host).status_code == 200
    answers = [post(host, create_text(fleet)).status_code for _ in range(3)]
    assert answers == [500, 500, 200]
    assert host.faults.armed == ()


def test_enumeration_fails_while_one_job_can_be_read(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
    host.faults.arm("enumerate-failed")
    with pytest.raises(WSManFaultError) as caught:
        bits.enumerate()
    assert caught.value.code == 2147749889
    assert bits.values(job_id)["JobId"] == job_id


def test_garbage_is_no_xml(host: PracticeHost) -> None:
    host.faults.arm("garbage", times=1)
    answer = post(host)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/soap+xml")
    assert not answer.content.startswith(b"<")


@pytest.mark.parametrize("status", [503, 404])
def test_an_html_page_comes_in_latin_1(host: PracticeHost, status: int) -> None:
    host.faults.arm("html", times=1, status=status)
    answer = post(host)
    assert answer.status_code == status
    assert b"D\xe9sol\xe9" in answer.content


def test_half_an_answer_says_that_it_is_longer(fleet: PracticeFleet, host: PracticeHost) -> None:
    host.faults.arm("half-answer", operation="CreateJob")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        post(host, create_text(fleet))
    assert len(host.jobs()) == 1


def test_without_an_answer_nothing_took_effect(fleet: PracticeFleet, host: PracticeHost) -> None:
    host.faults.arm("no-answer", operation="CreateJob")
    with pytest.raises(requests.exceptions.ConnectionError):
        post(host, create_text(fleet))
    assert host.jobs() == ()
    assert host.stats.calls["CreateJob"] >= 1


def test_a_lost_answer_took_effect(fleet: PracticeFleet, host: PracticeHost) -> None:
    host.faults.arm("lost-answer", operation="CreateJob")
    with pytest.raises(requests.exceptions.ConnectionError):
        post(host, create_text(fleet))
    assert [job.name for job in host.jobs()] == ["x"]


def test_a_hanging_host_answers_when_it_is_let_go(host: PracticeHost) -> None:
    host.faults.arm("hang")
    with pytest.raises(requests.exceptions.ReadTimeout):
        post(host, timeout=0.3)
    host.faults.disarm()
    assert post(host).status_code == 200


def test_a_fleet_ends_while_clients_hang_on_it() -> None:
    with PracticeFleet(hosts=1) as fleet:
        host = fleet.hosts[0]
        host.faults.arm("hang")
        failures: list[BaseException] = []

        def call() -> None:
            try:
                post(host)
            except requests.exceptions.RequestException as error:
                failures.append(error)

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        while host.stats.requests < len(threads):
            pass
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert len(failures) == 4


def test_a_slow_host_answers_late(host: PracticeHost) -> None:
    host.faults.arm("slow", seconds=0.2, times=1)
    assert post(host).elapsed.total_seconds() >= 0.2


def test_an_expired_password_looks_like_a_wrong_one(host: PracticeHost) -> None:
    host.faults.arm("expired-password")
    client = BitsOverPypsrp(connect(host, "ntlm"))
    with pytest.raises(AuthenticationError):
        client.enumerate()
    client.wsman.close()


def test_jobs_wait_for_the_network_and_go_on_by_themselves(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    host.faults.arm("network-down")
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
    bits.set_state(job_id, RESUME)
    (job,) = host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSIENT_ERROR)
    assert (job.error_code, job.error_count) == (0x80200010, 0)
    host.faults.disarm("network-down")
    host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)


def test_a_full_disk_ends_the_job(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    host.faults.arm("disk-full")
    job_id = bits.create(fleet.files[1].url, r"C:\in\a.txt")
    bits.set_state(job_id, RESUME)
    (job,) = host.wait_for(lambda jobs: jobs[0].state is JobState.ERROR)
    assert (job.error_code, job.error_context) == (0x80070070, 4)


def test_a_locked_file_lets_complete_be_called_again(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    job_id = bits.create(fleet.files[1].url, r"C:\in\locked.txt")
    bits.set_state(job_id, RESUME)
    host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    host.faults.arm("locked-file", path=r"C:\IN\locked.txt")
    assert bits.set_state(job_id, COMPLETE) == 0x80070020
    assert host.jobs()[0].state is JobState.TRANSFERRED
    host.faults.disarm()
    assert bits.set_state(job_id, COMPLETE) == 0
    assert host.path(r"C:\in\locked.txt").exists()


def test_a_wrong_clock_shows_in_the_times_of_jobs(
    fleet: PracticeFleet, host: PracticeHost, bits: BitsOverPypsrp
) -> None:
    now = int(bits.values(bits.create(fleet.files[1].url, r"C:\in\a"))["JobCreationTime"] or "")
    host.faults.arm("clock-skew", seconds=7200)
    later = int(bits.values(bits.create(fleet.files[1].url, r"C:\in\b"))["JobCreationTime"] or "")
    assert 7199 < (later - now) / 10_000_000 < 7300


def test_a_wrong_clock_is_one_hosts_own() -> None:
    with PracticeFleet(hosts=2) as fleet:
        fleet.hosts[0].faults.arm("clock-skew", seconds=7200)
        wrong, right = (host._machine.clock.wall_s() for host in fleet.hosts)
        assert wrong - right > 7000


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("no-such-fault", {}),
        ("html", {"colour": "red"}),
        ("garbage", {"times": 0}),
        ("garbage", {"times": -1}),
    ],
)
def test_what_cannot_be_armed_is_refused(
    host: PracticeHost, name: str, arguments: dict[str, object]
) -> None:
    with pytest.raises(ValueError):
        host.faults.arm(name, **arguments)
    assert host.faults.armed == ()


def test_every_kind_says_what_it_does() -> None:
    assert all(kind.summary.endswith(".") and kind.name == name for name, kind in KINDS.items())
