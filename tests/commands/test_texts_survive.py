"""Any text in a name, description, URL or path survives, or is refused with a reason."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import pytest
from consoles import Site
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consoles import Ran

    from bitsshell.practice import PracticeFleet

ANY = st.text(alphabet=st.characters(exclude_categories=()), max_size=40)
"""Control characters and lone surrogates too."""

TRICKY = st.text(
    alphabet=st.sampled_from(
        [*string.printable, "\u202e", "\u00e9", "\u0301", "\u4e2d", "\U0001f600", "\u00a0",
         "\ufeff", "\x00", "\x1b", "\x85", "\u2028", "\ud800", "\uffff"]
    ),
    max_size=30,
)  # fmt: skip
TEXTS = (
    ANY
    | TRICKY
    | st.sampled_from(["", " ", "]]>", "<a>&amp;", "%41", "'\"", "--help", "[ref:0123456789]"])
)


@pytest.fixture(scope="module")
def shared_site(running_fleet: PracticeFleet) -> Iterator[Site]:
    """One site for all examples, which clean up behind themselves."""
    site = Site(running_fleet)
    site.clear()
    yield site
    site.clear()


def is_a_reason(ran: Ran) -> bool:
    return 1 <= len(ran.err.splitlines()) <= 3 and "internal error" not in ran.err


GOOD = {"name": "nightly", "description": "", "url": "a.bin", "path": "a.bin"}


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.dictionaries(st.sampled_from(list(GOOD)), TEXTS, min_size=1, max_size=2))
def test_any_text_survives_create_and_show_unchanged_or_is_refused(
    shared_site: Site, texts: dict[str, str]
) -> None:
    console = shared_site.console()
    typed = {**GOOD, **texts}
    name, description = typed["name"], typed["description"]
    url, path = f"http://server/{typed['url']}", f"C:\\in\\{typed['path']}"
    made = console.words(
        "create", "--suspended", "--if-exists", "new", "-o", "json",
        f"--name={name}", f"--description={description}", "--", url, path,
    )  # fmt: skip
    jobs = shared_site.host.jobs()
    try:
        if made.code != 0:
            assert made.code in {2, 3}
            assert is_a_reason(made), made.err
            assert not jobs
            return
        (created,) = made.records
        (record,) = console.words("show", created["id"], "-o", "json").records
        for seen in (created, record):
            assert (seen["name"], seen["description"]) == (name, description)
            assert (seen["files"][0]["url"], seen["files"][0]["path"]) == (url, path)
        (job,) = jobs
        assert (job.name, job.files[0].url, job.files[0].path) == (name, url, path)
        assert job.description == f"{description} [ref:{record['reference']}]".lstrip(
            " " if not description else ""
        )
    finally:
        shared_site.clear()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=TEXTS, description=TEXTS)
def test_any_text_survives_set_and_show_unchanged_or_is_refused(
    shared_site: Site, name: str, description: str
) -> None:
    console = shared_site.console()
    made = console(rf"create {shared_site.url} C:\in\a --suspended --if-exists new -o json")
    job_id = made.records[0]["id"]
    try:
        ran = console.words("set", job_id, f"--name={name}", f"--description={description}")
        (record,) = console.words("show", job_id, "-o", "json").records
        if ran.code == 0:
            assert (record["name"], record["description"]) == (name, description)
        else:
            assert ran.code in {2, 3}
            assert is_a_reason(ran), ran.err
            assert record["name"] == "hello.txt"
        assert record["reference"] == made.records[0]["reference"]
    finally:
        shared_site.clear()


HOSTILE = "\x1b[2J\u202egpj.exe\u200b\x07"
"""What a host may give as a name: our own `create` would not let it pass."""


@pytest.mark.parametrize(
    "line",
    ["jobs", "jobs -o vertical", "jobs -o csv", "show *", "files *", "explain *", "suspend *",
     "cancel * --what-if", "cancel *", "resume nope", "wait * --interval 0.05 --timeout 0.1",
     "set * --priority low", "jobs -o tsv", "jobs --cols name,owner,description,host",
     "jobs --sort -name --where \"name ~ '*'\"", "files * --cols job,url,path -o tsv",
     "complete * --as powershell", "complete * --as xml", "cancel --state suspended --what-if",
     "hosts --cols host,user"],
)  # fmt: skip
def test_what_a_host_says_never_reaches_a_terminal_raw(site: Site, line: str) -> None:
    console = site.console(answers=["n"])
    console(rf"create {site.url} C:\in\a --suspended")
    rename(site, HOSTILE)
    ran = console(line)
    for character in "\x1b\u202e\x07\u200b":
        assert character not in ran.out + ran.err + "".join(console.asked)


def test_json_carries_what_a_host_says_unchanged(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --suspended")
    rename(site, "\u202egpj.exe\u200b")
    assert console("jobs -o json").records[0]["name"] == "\u202egpj.exe\u200b"


def rename(site: Site, name: str) -> None:
    """As a program on the host would, which may use any character."""
    engine = site.host._machine.engine
    job = engine.find(site.only_job().id)
    site.host._on_loop(lambda: engine.set_name(job, name))
