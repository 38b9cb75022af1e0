"""The client against the practice fleet, which shares no code with it: basic and NTLM."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from wires import aborted, result_of

from bitsshell.practice import PracticeFleet, PracticeHost
from bitsshell.wsman import (
    AnswerLost,
    AnswerTimeout,
    Auth,
    AuthenticationRejected,
    CallAborted,
    ConnectFailed,
    Endpoint,
    Fault,
    HttpFailure,
    Instance,
    MalformedAnswer,
    Retry,
    WSManClient,
    WSManError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

BITS = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/microsoft/bits"
JOBS = f"{BITS}/BitsClientJob"
QUICK = Retry(first_delay_s=0.01, max_delay_s=0.02)
WAIT_S = 10.0


@pytest.fixture(scope="module")
def fleet() -> Iterator[PracticeFleet]:
    with PracticeFleet(hosts=1) as running:
        yield running


@pytest.fixture
def host(fleet: PracticeFleet) -> Iterator[PracticeHost]:
    yield fleet.hosts[0]
    fleet.hosts[0].faults.disarm()


@pytest.fixture(params=["basic", "ntlm"])
def auth(request: pytest.FixtureRequest) -> Auth:
    return request.param  # type: ignore[no-any-return]


def endpoint_of(host: PracticeHost, auth: Auth, password: str | None = None) -> Endpoint:
    return Endpoint(
        url=host.endpoint,
        auth=auth,
        username=host.username,
        password=password or host.password,
        label=host.name,
    )


@pytest.fixture
def client(host: PracticeHost, auth: Auth) -> Iterator[WSManClient]:
    made = WSManClient.at(endpoint_of(host, auth), retry=QUICK, read_s=WAIT_S)
    yield made
    host.faults.disarm()
    for job in made.enumerate(JOBS):
        key = (("JobId", job.text("JobId", "")),)
        made.invoke(JOBS, "SetJobState", (("JobState", 0),), selectors=key)
    made.close()


def create(client: WSManClient, fleet: PracticeFleet, name: str = "nightly") -> str:
    file = fleet.files[0]
    arguments = (
        ("DisplayName", name),
        ("RemoteUrl", file.url),
        ("LocalFile", "C:\\in\\a.bin"),
        ("Suspend", True),
    )
    output = client.invoke(JOBS, "CreateJob", arguments)
    assert output.return_value == 0
    return output.text("JobId", "")


def key_of(job_id: str) -> tuple[tuple[str, str], ...]:
    return (("JobId", job_id),)


def test_it_says_what_it_is(client: WSManClient) -> None:
    assert client.identify().product_vendor == "Microsoft Corporation"


def test_a_job_is_created_read_changed_and_removed(
    client: WSManClient, fleet: PracticeFleet
) -> None:
    name = 'R&D "nightly" <x>\r\n\tÜ 传输 😀'
    job_id = create(client, fleet, name)
    job = client.get(JOBS, key_of(job_id))
    assert job.class_name == "BitsClientJob"
    assert job.text("DisplayName") == name
    assert job.uint("State") == 3
    (file,) = job.instances("Files")
    assert file.class_name == "BitsClientFile"
    assert file.text("LocalFile") == "C:\\in\\a.bin"
    client.put(JOBS, key_of(job_id), {"Priority": 0})
    client.put(JOBS, key_of(job_id), {"DisplayName": "renamed", "MinimumRetryDelay": 60})
    job = client.get(JOBS, key_of(job_id))
    assert (job.uint("Priority"), job.text("DisplayName")) == (0, "renamed")
    assert job.uint("MinimumRetryDelay") == 60
    cancelled = client.invoke(JOBS, "SetJobState", (("JobState", 0),), selectors=key_of(job_id))
    assert cancelled.return_value == 0
    with pytest.raises(Fault) as caught:
        client.get(JOBS, key_of(job_id))
    assert caught.value.subcode == "DestinationUnreachable"
    assert 2150858752 in caught.value.codes


@pytest.mark.parametrize("page_size", [1, 2, 500])
def test_all_jobs_are_enumerated_in_pages_of_any_size(
    client: WSManClient, fleet: PracticeFleet, page_size: int
) -> None:
    made = {create(client, fleet, f"job {number}") for number in range(5)}
    found = client.enumerate(JOBS, page_size=page_size)
    assert {job.text("JobId") for job in found} == made


def test_a_query_selects_jobs_and_properties(client: WSManClient, fleet: PracticeFleet) -> None:
    made = {create(client, fleet, f"job {number}") for number in range(3)}
    found = client.enumerate(
        f"{BITS}/*", wql="SELECT JobId, State FROM BitsClientJob WHERE State=3"
    )
    assert {job.text("JobId") for job in found} == made
    assert set(found[0]) == {"JobId", "State"}
    assert client.enumerate(f"{BITS}/*", wql="SELECT JobId FROM BitsClientJob WHERE State=6") == []


def test_an_abandoned_enumeration_is_released(
    client: WSManClient, host: PracticeHost, fleet: PracticeFleet
) -> None:
    for number in range(3):
        create(client, fleet, f"job {number}")
    before = host.stats.calls.get("Release", 0)
    iterator = client.iterate(JOBS, page_size=1)
    assert isinstance(next(iterator), Instance)
    iterator.close()  # type: ignore[attr-defined]
    assert host.stats.calls.get("Release", 0) == before + 1


def test_twenty_calls_use_one_connection_and_one_logon(
    client: WSManClient, host: PracticeHost, auth: Auth
) -> None:
    client.identify()
    before = host.stats
    for _ in range(20):
        client.enumerate(JOBS)
    assert host.stats.connections == before.connections
    assert client.connections == 1
    if auth == "ntlm":
        assert host.stats.logons == before.logons


def test_an_idle_connection_that_the_host_closed_is_made_anew_even_for_a_create(
    client: WSManClient, host: PracticeHost, fleet: PracticeFleet
) -> None:
    client.identify()
    for number in range(3):
        host.drop_idle_connections()
        create(client, fleet, f"job {number}")
    assert len(host.jobs()) == 3


def test_a_wrong_password_is_said_and_tried_once(host: PracticeHost, auth: Auth) -> None:
    before = host.stats.logons
    client = WSManClient.at(endpoint_of(host, auth, "wrong"), retry=QUICK)
    error = result_of(client.identify)
    client.close()
    assert isinstance(error, AuthenticationRejected)
    assert error.scheme_is_offered
    assert host.username in error.lines()[0]
    assert host.stats.logons == before


def test_a_password_that_expires_meanwhile_is_said(
    client: WSManClient, host: PracticeHost, auth: Auth
) -> None:
    client.identify()
    host.faults.arm("expired-password")
    host.drop_idle_connections()
    assert isinstance(result_of(client.identify), AuthenticationRejected)


@pytest.mark.parametrize(
    ("fault", "arguments", "kind"),
    [
        ("access-denied", {}, Fault),
        ("provider-missing", {}, Fault),
        ("enumerate-failed", {}, Fault),
        ("fault", {"code": 2149580802}, Fault),
        ("garbage", {}, MalformedAnswer),
        ("html", {"status": 404}, HttpFailure),
        ("html", {"status": 200}, WSManError),
    ],
)
def test_what_goes_wrong_on_a_host_is_one_typed_error(
    client: WSManClient,
    host: PracticeHost,
    fault: str,
    arguments: dict[str, Any],
    kind: type[WSManError],
) -> None:
    client.identify()
    host.faults.arm(fault, operation="Enumerate", **arguments)
    error = result_of(lambda: client.enumerate(JOBS))
    assert isinstance(error, kind)
    assert (error.host, error.operation) == (host.name, "Enumerate BitsClientJob")
    assert 1 <= len(error.lines()) <= 3


@pytest.mark.parametrize("fault", ["quota", "timed-out", "no-answer", "half-answer", "lost-answer"])
def test_a_read_survives_what_passes(client: WSManClient, host: PracticeHost, fault: str) -> None:
    client.identify()
    host.faults.arm(fault, times=2, operation="Enumerate")
    assert client.enumerate(JOBS) == []


def test_an_unavailable_service_is_waited_for(client: WSManClient, host: PracticeHost) -> None:
    client.identify()
    host.faults.arm("html", times=2, status=503, operation="Enumerate")
    assert client.enumerate(JOBS) == []


def test_a_create_survives_a_quota(
    client: WSManClient, host: PracticeHost, fleet: PracticeFleet
) -> None:
    host.faults.arm("quota", times=2, operation="CreateJob")
    create(client, fleet)
    assert len(host.jobs()) == 1


@pytest.mark.parametrize("fault", ["lost-answer", "half-answer"])
def test_a_create_whose_answer_is_lost_happens_once_and_is_said_to_be_unknown(
    client: WSManClient, host: PracticeHost, fleet: PracticeFleet, fault: str
) -> None:
    client.identify()
    host.faults.arm(fault, times=1, operation="CreateJob")
    error = result_of(lambda: create(client, fleet))
    assert isinstance(error, AnswerLost | MalformedAnswer)
    assert error.may_have_been_applied
    assert len(host.jobs()) == 1


def test_a_change_on_a_host_that_hangs_is_a_time_out(host: PracticeHost, auth: Auth) -> None:
    client = WSManClient.at(endpoint_of(host, auth), read_s=0.2)
    client.identify()
    host.faults.arm("hang")
    error = result_of(lambda: client.invoke(JOBS, "CreateJob", (("DisplayName", "x"),)))
    assert isinstance(error, AnswerTimeout)
    assert error.may_have_been_applied


def test_a_change_on_a_host_that_hangs_can_be_stopped(
    client: WSManClient, host: PracticeHost
) -> None:
    client.identify()
    host.faults.arm("hang")
    before = host.stats.requests
    error = aborted(client, until=lambda: host.stats.requests > before)
    assert isinstance(error, CallAborted)
    assert error.may_have_been_applied


def test_a_wrong_path_is_said(host: PracticeHost, auth: Auth) -> None:
    url = host.endpoint.replace("/wsman", "/elsewhere")
    endpoint = Endpoint(url=url, auth=auth, username=host.username, password=host.password)
    error = result_of(WSManClient.at(endpoint).identify)
    assert isinstance(error, HttpFailure | ConnectFailed)


def test_a_large_fleet_of_clients_works_side_by_side(
    host: PracticeHost, fleet: PracticeFleet
) -> None:
    results: list[object] = []

    def work() -> None:
        client = WSManClient.at(endpoint_of(host, "ntlm"), retry=QUICK)
        results.append(result_of(lambda: [client.enumerate(JOBS) for _ in range(5)]))
        client.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [[[]] * 5] * 8
