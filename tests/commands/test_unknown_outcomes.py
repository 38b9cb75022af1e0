"""A change whose outcome is unknown, and how its job is found again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bitsshell.bits import parse_mark

if TYPE_CHECKING:
    from consoles import Site


def test_a_create_that_is_cut_off_is_unknown_and_not_late(site: Site) -> None:
    site.host.faults.arm("hang", operation="CreateJob")
    console = site.console()
    console("jobs")
    ran = console(rf"create {site.url} C:\in\a --name nightly --timeout 0.5")
    assert ran.code == 3
    assert "not there yet" not in ran.err
    assert "1 unknown" in ran.err
    assert re.search(r"next: look for it: show ref:[0-9A-Z]{10}\n", ran.err)


def test_a_job_is_found_by_its_reference(site: Site) -> None:
    console = site.console()
    made = console(rf"create {site.url} C:\in\a --name nightly --suspended -o json").records[0]
    console(rf"create {site.url} C:\in\b --name other --suspended")
    for typed in (f"ref:{made['reference']}", f"[ref:{made['reference'].lower()}]"):
        (shown,) = console(f"show {typed} -o json").records
        assert shown["id"] == made["id"]
    assert console("show ref:0000000000").code == 2


@pytest.mark.parametrize("text", ["ref:", "ref:0123", "7P4N0C2R9K", "ref:7P4N0C2R9U", "[ref:x]"])
def test_what_is_no_reference_is_not_taken_for_one(text: str) -> None:
    assert parse_mark(text) is None
