"""`publish`, `unpublish`, `published`: on compact servers that really serve the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from bitsshell.journal import Wanted
from bitsshell.practice import JobState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consoles import Console, Site

GROUP = "http://+:8080/packages"
URL = f"{GROUP}/a.bin"
SOURCE = r"C:\in\a.bin"
CHANGES = ("CreateUrl", "DeleteUrl", "CreateUrlGroup", "DeleteUrlGroup")


@pytest.fixture
def console(site: Site) -> Iterator[Console]:
    """Two hosts with a file to publish, whose compact servers are new."""
    for host in site.hosts:
        host.path(SOURCE).write_bytes(host.name.encode())
    yield site.console(2)
    for host in site.hosts:
        host.restart_compact_server()


def served(site: Site, path: str) -> bytes | None:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(site.fleet.compact_url + path, timeout=20)
    return answer.content if answer.ok else None


def sent(site: Site) -> int:
    return sum(host.stats.calls.get(name, 0) for host in site.hosts for name in CHANGES)


def test_a_file_is_published_on_every_host_and_fetched_by_a_job(
    site: Site, console: Console
) -> None:
    ran = console(f"publish {URL} {SOURCE} --yes")
    assert ran.code == 0, ran.err
    assert served(site, "practice02/packages/a.bin") == b"practice02"
    made = console(r"create http://practice02:8080/packages/a.bin C:\in\got.bin -H practice01")
    assert made.code == 0, made.err
    site.host.wait_for(lambda jobs: jobs[0].state is JobState.TRANSFERRED)
    console("complete got.bin -H practice01")
    console("complete a.bin -H practice01")
    assert site.arrived("got.bin").read_bytes() == b"practice02"


def test_it_is_written_down_and_told_in_json_by_the_fields_own_names(console: Console) -> None:
    (record,) = console(f"publish {URL} {SOURCE} -H practice01 -o json").records
    assert record == {
        "id": URL, "host": "practice01", "url_group": GROUP, "url_suffix": "a.bin",
        "url_exists": True, "connection_limit": None, "bandwidth_limit": None,
        "status": "done", "warning": None,
    }  # fmt: skip
    *_, entry = console.session.journal.entries(Wanted(changes=True))
    assert entry.words == ("publish", "--host", "practice01", "--output", "json", URL, SOURCE)
    assert entry.plan["steps"][0]["operation"] == "PublishUrl"
    assert entry.outcomes[0]["status"] == "done"


def test_several_urls_are_asked_about_and_counted_one_by_one(site: Site, console: Console) -> None:
    line = rf"publish {URL} {SOURCE} {GROUP}/none.bin C:\in\none.bin -H practice01"
    before = sent(site)
    ran = console(line)
    assert (ran.code, sent(site)) == (5, before)
    assert "publish 2 URLs on practice01?" in ran.err
    ran = console(f"{line} --yes")
    assert ran.code == 1
    assert "0x80070002" in ran.err
    assert served(site, "practice01/packages/a.bin") == b"practice01"


def test_a_url_that_is_taken_is_an_error_unless_it_is_said_what_to_do(
    site: Site, console: Console
) -> None:
    console(f"publish {URL} {SOURCE} -H practice01")
    site.host.path(r"C:\in\b.bin").write_bytes(b"another")
    before = sent(site)
    again = rf"publish {URL} C:\in\b.bin -H practice01"
    ran = console(again)
    assert (ran.code, sent(site)) == (3, before)
    assert "published already" in ran.err
    ran = console(f"{again} --if-exists reuse -o json")
    assert (ran.code, ran.records[0]["status"], sent(site)) == (0, "already", before)
    ran = console(f"{again} --if-exists replace")
    assert (ran.code, sent(site)) == (5, before)
    assert "taken back" in ran.err
    assert console(f"{again} --if-exists replace --yes").code == 0
    assert served(site, "practice01/packages/a.bin") == b"another"


def test_groups_and_urls_are_listed(console: Console) -> None:
    console(f"publish {URL} {SOURCE} --yes")
    table = console("published").out
    assert GROUP in table
    assert "2 URL groups on 2 hosts" in table
    records = console("published -o json").records
    assert sorted(record["host"] for record in records) == ["practice01", "practice02"]
    assert records[0]["connection_limit"] == 2**32 - 1
    found = console(f"published {URL} {GROUP}/none http://+:1/x/y -H practice01 -o json").records
    assert [record["url_exists"] for record in found] == [True, False, False]
    header, *rows = console(f"published {URL} -o csv").out.splitlines()
    assert header.startswith("host,url_group,connection_limit")
    assert len(rows) == 2
    assert console("published --where 'connections < 3'").out.startswith("0 URL groups")
    assert console("published --cols host --sort -host -o json").records[0]["host"] == "practice02"
    assert console("published --group http://+:1/other -o json").records == []


def test_a_suffix_may_have_folders_where_the_group_is_named(site: Site, console: Console) -> None:
    line = f"publish {GROUP}/x/a.bin {SOURCE} --group {GROUP} -H practice01"
    assert console(line).code == 0
    assert served(site, "practice01/packages/x/a.bin") == b"practice01"
    (record,) = console("published -H practice01 -o json").records
    assert record["url_group"] == GROUP


def test_urls_are_taken_back_and_what_is_gone_is_not_touched(site: Site, console: Console) -> None:
    console(f"publish {URL} {SOURCE} --yes")
    assert console(f"unpublish {URL} -H practice01").code == 0
    assert served(site, "practice01/packages/a.bin") is None
    before = sent(site)
    ran = console(f"unpublish {URL} -H practice01")
    assert (ran.code, sent(site)) == (0, before)
    assert "already so" in ran.out
    assert site.host.path(SOURCE).exists()


def test_a_whole_group_is_taken_back_only_when_a_person_agrees(
    site: Site, console: Console
) -> None:
    console(f"publish {URL} {SOURCE} --yes")
    ran = console(f"unpublish --group {GROUP} --all -H practice01")
    assert (ran.code, served(site, "practice01/packages/a.bin")) == (5, b"practice01")
    assert "all that is published there" in ran.err
    assert console(f"unpublish --group {GROUP.upper()}/ --all -H practice01 --yes").code == 0
    assert console("published -H practice01 -o json").records == []
    assert console(f"unpublish --group {GROUP} --all -H practice01").code == 0


@pytest.mark.parametrize("method", ["CreateUrl", "DeleteUrl", "DeleteUrlGroup"])
def test_a_lost_answer_is_looked_into(site: Site, console: Console, method: str) -> None:
    console(f"publish {URL} {SOURCE} -H practice01")
    line = {
        "CreateUrl": f"publish {GROUP}/second.bin {SOURCE}",
        "DeleteUrl": f"unpublish {URL}",
        "DeleteUrlGroup": f"unpublish --group {GROUP} --all --yes",
    }[method]
    site.host.faults.arm("lost-answer", operation=method, times=1)
    ran = console(f"{line} -H practice01")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("done")


def test_a_change_that_did_not_get_there_is_unknown_and_says_where_to_look(
    site: Site, console: Console
) -> None:
    site.host.faults.arm("no-answer", operation="CreateUrl")
    ran = console(f"publish {URL} {SOURCE} -H practice01")
    assert ran.code == 3
    assert "UNKNOWN" in ran.err
    assert f"published {URL}" in ran.err


def test_nothing_is_sent_by_a_what_if_or_where_only_looking_is_allowed(
    site: Site, console: Console
) -> None:
    line, before = f"publish {URL} {SOURCE}", sent(site)
    assert "publish would touch 2 URLs on 2 hosts" in console(f"{line} --what-if").out
    assert "-Action CreateUrl" in console(f"{line} --as powershell").out
    assert "CreateUrl_INPUT" in console(f"{line} --as xml").out
    console("readonly on")
    assert console(line).code == 2
    assert sent(site) == before


def test_one_host_that_fails_hides_nothing_of_the_other(site: Site, console: Console) -> None:
    site.hosts[1].faults.arm("provider-missing")
    ran = console(f"publish {URL} {SOURCE} --yes")
    assert ran.code == 1
    assert "BITS-Compact-Server" in ran.err
    ran = console("published -o json")
    assert (ran.code, len(ran.records)) == (1, 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"publish {URL}", "a path is missing"),
        ("publish", "is missing"),
        (rf"publish ftp://x/a {SOURCE}", "is no URL prefix"),
        (rf"publish http://+:8080/packages/ {SOURCE}", "is no name for a file"),
        (rf"publish {URL} a.bin", "is not a full path"),
        (rf"publish {URL} {SOURCE} --group http://+:1/x", "does not begin with the group"),
        ("unpublish", "URL is missing"),
        ("unpublish --all", "--all takes a --group"),
        (f"unpublish {URL} --group {GROUP} --all", "--all takes a --group"),
        ("published nonsense", "'nonsense' is no URL"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    site: Site, console: Console, line: str, said: str
) -> None:
    before = sent(site)
    ran = console(line)
    assert (ran.code, sent(site)) == (2, before), ran.err
    assert said in ran.err
