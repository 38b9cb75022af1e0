"""Credentials of jobs and published files, as a program uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bitsshell.api import NeedsPerson
from bitsshell.practice.file_modes import PASSWORD, USERNAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consoles import Site

    from bitsshell.api import Connection


@pytest.fixture
def job_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password of the guarded files, where a program finds it."""
    monkeypatch.setenv("BITSSHELL_JOB_PASSWORD", PASSWORD)


@pytest.fixture
def server(site: Site) -> Iterator[Site]:
    """Hosts with a file to publish; what was published is gone afterwards."""
    for host in site.hosts:
        host.path(r"C:\in\p.bin").write_bytes(b"p")
    yield site
    for host in site.hosts:
        host.restart_compact_server()


def test_a_job_gets_credentials_and_comes_to_its_end(
    job_password: None, site: Site, bits: Connection
) -> None:
    url = site.fleet.file_url("hello.txt", "digest")
    bits.create(url, r"C:\in\g.txt", name="guarded")
    assert len(bits.wait("guarded", until="error")) == len(site.hosts)
    bits.credentials("guarded", job_user=USERNAME, scheme="digest")
    bits.resume("guarded")
    assert {job.state.name for job in bits.wait("guarded").jobs} == {"TRANSFERRED"}
    bits.proxy("guarded", list=["p:80", "q:80"], bypass="<local>")
    bits.certificate("guarded", hash="01" * 20)
    bits.credentials("guarded", scheme="digest", remove=True)


def test_without_a_password_a_person_is_needed(
    site: Site, bits: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BITSSHELL_JOB_PASSWORD", raising=False)
    bits.create(site.url, r"C:\in\a.txt", name="one", suspended=True)
    with pytest.raises(NeedsPerson, match="BITSSHELL_JOB_PASSWORD"):
        bits.credentials("one", job_user="reader")


def test_files_are_published_listed_and_taken_back(server: Site, bits: Connection) -> None:
    group = "http://+:8080/packages"
    bits.publish(f"{group}/p.bin", r"C:\in\p.bin")
    listed = bits.published()
    assert {row.url_group for row in listed} == {group}
    assert listed.hosts == tuple(row.host for row in listed)
    assert [record["url_group"] for record in listed.records()] == [group] * len(server.hosts)
    assert group in listed._repr_mimebundle_()["text/html"]
    assert len(listed.where("connections > 3", host=listed[0].host)) == 1
    found = bits.published(f"{group}/p.bin", host=listed[0].host)
    assert found[f"{group}/p.bin"].url_exists
    bits.unpublish(group=group, all=True)
    assert len(bits.published()) == 0
