"""BitsCompactServerUrlGroup (`wire.md` 1.4): every method, and files that are really served."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests
from practice_clients import ALL_URI, RESUME, BitsOverPypsrp, children, connect
from pypsrp.exceptions import WSManFaultError
from pypsrp.wsman import SelectorSet

from bitsshell.practice import JobState, PracticeFleet, PracticeHost

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP_URI = (
    "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/microsoft/bits/BitsCompactServerUrlGroup"
)
GROUP = "http://+:8080/packages"
FILE_NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT = 0x80070002, 0x800700B7, 0x80070057
UNLIMITED = 2**32 - 1


Given = Mapping[str, object] | Sequence[tuple[str, object]]


class Groups:
    """The class through pypsrp's WSMan."""

    def __init__(self, host: PracticeHost) -> None:
        self.host = host
        self.wsman = connect(host)

    def __call__(
        self,
        method: str,
        parameters: Given = (),
        group: str | None = GROUP,
    ) -> dict[str, list[str | None]]:
        """What a method gave back, by name; it is called on `group`, None is the class."""
        body = ET.Element(f"{{{GROUP_URI}}}{method}_INPUT")
        pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
        for name, value in pairs:
            ET.SubElement(body, f"{{{GROUP_URI}}}{name}").text = str(value)
        answer = self.wsman.invoke(
            f"{GROUP_URI}/{method}",
            GROUP_URI,
            body,
            selector_set=None if group is None else named(group),
        )
        given: dict[str, list[str | None]] = {}
        for child in children(answer.find(f".//{{{GROUP_URI}}}{method}_OUTPUT")):
            given.setdefault(child.tag.partition("}")[2], []).append(child.text)
        return given

    def code(self, method: str, parameters: Given = (), group: str | None = GROUP) -> int:
        return int(self(method, parameters, group)["ReturnValue"][0] or "")

    def create(self, group: str = GROUP) -> int:
        return self.code("CreateUrlGroup", {"UrlGroup": group}, None)

    def publish(self, suffix: str, path: str, group: str = GROUP) -> int:
        given = {"UrlSuffix": suffix, "SourceFilePath": path, "SDDLAuth": ""}
        return self.code("CreateUrl", given, group)

    def all(self) -> list[str | None]:
        items, _ = BitsOverPypsrp(self.wsman).enumerate(uri=GROUP_URI)
        return [item.findtext(f"{{{GROUP_URI}}}UrlGroup") for item in items]


def named(group: str) -> SelectorSet:
    selectors = SelectorSet()
    selectors.add_option("UrlGroup", group)
    return selectors


@pytest.fixture
def groups(host: PracticeHost) -> Iterator[Groups]:
    """A compact server without settings, and a file at `C:\\in\\a.bin`."""
    host.restart_compact_server()
    host.path(r"C:\in\a.bin").write_bytes(bytes(range(256)) * 40)
    made = Groups(host)
    yield made
    made.wsman.close()
    host.restart_compact_server()


def fetch(fleet: PracticeFleet, path: str, **headers: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(
            fleet.compact_url + path,
            headers={"Accept-Encoding": "identity", **headers},
            timeout=20,
        )


def test_groups_are_made_listed_and_removed(groups: Groups) -> None:
    assert groups.create() == 0
    assert groups.create("https://+:443/sealed") == 0
    assert groups.create(GROUP.upper() + "/") == ALREADY_EXISTS
    assert groups.all() == [GROUP, "https://+:443/sealed"]
    whole = groups.wsman.get(GROUP_URI, selector_set=named(GROUP.upper()))[0]
    assert whole.findtext(f"{{{GROUP_URI}}}UrlGroup") == GROUP
    assert groups.code("DeleteUrlGroup", {"UrlGroup": GROUP}, None) == 0
    assert groups.code("DeleteUrlGroup", {"UrlGroup": GROUP}, None) == FILE_NOT_FOUND
    groups.wsman.delete(GROUP_URI, selector_set=named("https://+:443/sealed"))
    assert groups.all() == []


def test_groups_are_found_by_queries(groups: Groups) -> None:
    groups.create()
    groups.create("http://+:8080/other")
    query = "SELECT * FROM BitsCompactServerUrlGroup WHERE UrlGroup LIKE '%packages'"
    items, _ = BitsOverPypsrp(groups.wsman).enumerate(uri=ALL_URI, query=query)
    assert [item.findtext(f"{{{GROUP_URI}}}UrlGroup") for item in items] == [GROUP]


@pytest.mark.parametrize("prefix", ["", "x", "ftp://+:80/x", "http://+:99999/x", "http:///x"])
def test_a_prefix_that_is_none_is_refused(groups: Groups, prefix: str) -> None:
    assert groups.create(prefix) == INVALID_ARGUMENT
    assert groups.all() == []


def test_a_published_file_is_served(
    fleet: PracticeFleet, host: PracticeHost, groups: Groups
) -> None:
    data = host.path(r"C:\in\a.bin").read_bytes()
    assert groups.publish("tools/A.bin", r"C:\in\a.bin") == 0
    assert groups.all() == [GROUP], "CreateUrl makes the group"
    assert groups("CheckUrl", {"UrlSuffix": "TOOLS/a.bin"})["UrlExists"] == ["true"]
    answer = fetch(fleet, "practice01/packages/tools/a.BIN")
    assert (answer.status_code, answer.content) == (200, data)
    part = fetch(fleet, "practice01/packages/tools/a.bin", Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(data)}"
    assert groups.code("DeleteUrl", {"UrlSuffix": "tools/a.bin"}) == 0
    assert groups("CheckUrl", {"UrlSuffix": "tools/a.bin"})["UrlExists"] == ["false"]
    assert groups.code("DeleteUrl", {"UrlSuffix": "tools/a.bin"}) == FILE_NOT_FOUND
    assert fetch(fleet, "practice01/packages/tools/a.bin").status_code == 404


def test_another_host_fetches_it_by_the_name_of_the_host(
    fleet: PracticeFleet, host: PracticeHost, groups: Groups
) -> None:
    groups.publish("a.bin", r"C:\in\a.bin")
    other = fleet.hosts[1]
    bits = BitsOverPypsrp(connect(other))
    job_id = bits.create(f"http://{host.name}:8080/packages/a.bin", r"C:\in\got.bin")
    bits.set_state(job_id, RESUME)
    other.wait_for(lambda jobs: [job.state for job in jobs] == [JobState.TRANSFERRED])
    assert bits.set_state(job_id, 1) == 0
    bits.wsman.close()
    assert other.path(r"C:\in\got.bin").read_bytes() == host.path(r"C:\in\a.bin").read_bytes()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_fetches_it_by_the_url_itself(
    fleet: PracticeFleet, host: PracticeHost, groups: Groups
) -> None:
    groups.publish("a.bin", r"C:\in\a.bin")
    parts = urlsplit(fleet.compact_url)
    to = f"{host.name}:8080:{parts.hostname}:{parts.port}"
    url = f"http://{host.name}:8080/packages/a.bin"
    command = ["curl", "-sS", "--fail", "--noproxy", "*", "--connect-to", to, url]
    done = subprocess.run(command, capture_output=True, check=True, timeout=20)
    assert done.stdout == host.path(r"C:\in\a.bin").read_bytes()


@pytest.mark.parametrize(
    "url", ["http://{}/packages/a.bin", "http://{}:8081/packages/a.bin", "http://{}:8080/a.bin"]
)
def test_other_ports_and_paths_publish_nothing(
    fleet: PracticeFleet, host: PracticeHost, groups: Groups, url: str
) -> None:
    groups.publish("a.bin", r"C:\in\a.bin")
    answer = fetch(fleet, url.format(host.name).partition(host.name)[2].partition("/")[2])
    assert answer.status_code == 404
    netloc, _, path = url.format(host.name).removeprefix("http://").partition("/")
    assert fetch(fleet, path, Host=netloc).status_code == 404
    assert fetch(fleet, "packages/a.bin", Host=f"{host.name}:8080").status_code == 200


@pytest.mark.parametrize(
    ("suffix", "path", "code"),
    [
        ("", r"C:\in\a.bin", INVALID_ARGUMENT),
        ("a?b", r"C:\in\a.bin", INVALID_ARGUMENT),
        ("b.bin", r"C:\in\none.bin", FILE_NOT_FOUND),
        ("b.bin", r"C:\in", FILE_NOT_FOUND),
        ("a.bin", r"C:\in\a.bin", ALREADY_EXISTS),
    ],
)
def test_what_cannot_be_published_is_refused(
    groups: Groups, suffix: str, path: str, code: int
) -> None:
    groups.publish("a.bin", r"C:\in\a.bin")
    assert groups.publish(suffix, path) == code


def test_nothing_but_what_is_published_can_be_fetched(
    fleet: PracticeFleet, host: PracticeHost, groups: Groups
) -> None:
    groups.publish("a.bin", r"C:\in\a.bin")
    host.path(r"C:\in\secret.bin").write_bytes(b"secret")
    for path in ("secret.bin", "../secret.bin", "..%2fsecret.bin", "a.bin/../secret.bin", ""):
        assert fetch(fleet, f"practice01/packages/{path}").status_code == 404
    assert requests.post(fleet.compact_url, data=b"x", timeout=20).status_code == 405
    assert groups.publish("up.bin", r"C:\..\..\..\in\a.bin") == 0
    host.path(r"C:\in\a.bin").unlink()
    assert fetch(fleet, "practice01/packages/up.bin").status_code == 404


def test_limits_are_told_and_that_of_transfers_is_kept(
    fleet: PracticeFleet, groups: Groups
) -> None:
    groups.publish("a.bin", r"C:\in\a.bin")
    assert groups("GetProperty", {"Property": "ConnectionLimit"})["Value"] == [str(UNLIMITED)]
    for name in ("ConnectionLimit", "BandwidthLimit"):
        assert groups.code("SetProperty", {"Property": name, "Value": 0}) == 0
        assert groups("GetProperty", {"Property": name})["Value"] == ["0"]
    assert groups.code("GetProperty", {"Property": "Other"}) == INVALID_ARGUMENT
    assert groups.code("SetProperty", {"Property": "Other", "Value": 1}) == INVALID_ARGUMENT
    assert fetch(fleet, "practice01/packages/a.bin").status_code == 503


def test_certificates_are_bound_to_ports(groups: Groups) -> None:
    groups.create()
    digest = [("hashBlob", number) for number in range(20)]
    given = [("Port", 443), ("StoreName", "MY"), *digest]
    assert groups.code("SetSslCertificate", given) == 0
    told = groups("GetSslCertificate", {"Port": 443})
    assert told["StoreName"] == ["MY"]
    assert told["hashBlob"] == [str(number) for number in range(20)]
    assert groups.code("SetSslCertificate", given[:-1]) == INVALID_ARGUMENT
    assert groups.code("RemoveSslCertificate", {"Port": 443}) == 0
    assert groups.code("RemoveSslCertificate", {"Port": 443}) == FILE_NOT_FOUND
    assert groups.code("GetSslCertificate", {"Port": 443}) == FILE_NOT_FOUND


def test_authentication_is_switched_by_scheme(groups: Groups) -> None:
    groups.create()
    given = {"Scheme": 1, "Enable": "true", "Flag": 0}
    assert groups("GetUrlGroupAuthentication", {"Scheme": 1})["Enable"] == ["false"]
    assert groups.code("SetUrlGroupAuthentication", given) == 0
    told = groups("GetUrlGroupAuthentication", {"Scheme": 1})
    assert (told["Enable"], told["Flag"], told["Realm"]) == (["true"], ["0"], [None])
    assert groups("GetUrlGroupAuthentication", {"Scheme": 0})["Enable"] == ["false"]
    for wrong in ({"Scheme": 2}, {"Flag": 1}, {"Realm": "x"}, {"DomainName": "x"}):
        assert groups.code("SetUrlGroupAuthentication", given | wrong) == INVALID_ARGUMENT


def test_every_setting_vanishes_when_the_service_restarts(
    fleet: PracticeFleet, host: PracticeHost, groups: Groups
) -> None:
    groups.publish("a.bin", r"C:\in\a.bin")
    host.restart_bits()
    assert groups.all() == [GROUP], "that is another service"
    host.restart_compact_server()
    assert groups.all() == []
    assert fetch(fleet, "practice01/packages/a.bin").status_code == 404


def test_groups_of_one_host_are_not_those_of_another(fleet: PracticeFleet, groups: Groups) -> None:
    groups.publish("a.bin", r"C:\in\a.bin")
    assert fetch(fleet, "practice02/packages/a.bin").status_code == 404
    assert fetch(fleet, "packages/a.bin", Host="practice02:8080").status_code == 404


@pytest.mark.parametrize("method", ["CheckUrl", "DeleteUrl"])
def test_a_method_of_a_group_that_is_not_there_is_a_fault(groups: Groups, method: str) -> None:
    with pytest.raises(WSManFaultError) as caught:
        groups(method, {"UrlSuffix": "a"})
    assert caught.value.code == 2150858752


def test_the_missing_feature_takes_the_class_with_it(host: PracticeHost, groups: Groups) -> None:
    host.faults.arm("provider-missing")
    with pytest.raises(WSManFaultError) as caught:
        groups.all()
    assert caught.value.code == 2150858752
