"""Several steps on one job are one outcome, and what went wrong half-way is another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bitsshell.bits import Job, JobProperty, JobState, SetProperty
from bitsshell.commands.pairs import folded
from bitsshell.errors import BitsShellError
from bitsshell.results import Outcome, Plan, Status, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consoles import Site

ID = "9D5C4B47-0000-0000-0000-000000000001"
NAME = SetProperty(ID, JobProperty.NAME, "weekly")
PLAN = Plan("set", (Step("a", NAME), Step("a", NAME), Step("b", NAME)))


def done(host: str, name: str = "", **more: object) -> Outcome:
    value = Job(host=host, id=ID, name=name, state=JobState.SUSPENDED)
    return Outcome(host=host, value=value, job_id=ID, **more)  # type: ignore[arg-type]


def failed(host: str) -> Outcome:
    return Outcome(host=host, status=Status.FAILED, error=BitsShellError("no"), job_id=ID)


def test_steps_on_one_job_are_one_outcome_with_the_job_as_it_was_read_last() -> None:
    found = [
        *folded(
            PLAN,
            [
                done("a", "one", planned="set the priority", warning=1),
                done("b", "other"),
                done("a", "two", planned="set the name"),
            ],
        )
    ]
    assert [outcome.host for outcome in found] == ["b", "a"]
    assert [job.name for job in found[1].jobs] == ["two"]
    assert (found[1].planned, found[1].warning) == ("set the priority; set the name", 1)


def test_a_step_that_failed_stands_beside_what_was_done() -> None:
    found = [*folded(PLAN, [done("a", "one"), failed("a"), done("b")])]
    assert [(one.host, one.status) for one in found] == [
        ("a", Status.FAILED),
        ("a", Status.DONE),
        ("b", Status.DONE),
    ]


def test_it_is_already_so_only_when_all_of_it_was() -> None:
    so = done("a", status=Status.ALREADY)
    assert [one.status for one in folded(PLAN, [so, so])] == [Status.ALREADY]
    assert [one.status for one in folded(PLAN, [so, done("a")])] == [Status.DONE]


def test_what_was_done_before_ctrl_c_is_said() -> None:
    def interrupted() -> Iterator[Outcome]:
        yield done("a", "one")
        raise KeyboardInterrupt

    stream = folded(PLAN, interrupted())
    assert [job.name for job in next(stream).jobs] == ["one"]
    with pytest.raises(KeyboardInterrupt):
        next(stream)


SET = "set nightly --priority high --description new --retry-delay 5m"


def test_three_properties_of_one_job_are_one_row_and_one_record(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly --suspended")
    assert console(SET).out.count("done") == 1
    (record,) = console(f"{SET} -o json").records
    assert (record["priority"], record["description"]) == ("HIGH", "new")
    assert record["minimum_retry_delay_s"] == 300


def test_one_of_three_properties_that_fails_is_an_error_beside_the_row(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly --suspended")
    site.host.faults.arm("fault", operation="Put", code=0x80070057, times=1)
    ran = console(f"{SET} -o json")
    assert ran.code == 3
    (record,) = ran.records
    assert (record["priority"], record["description"]) == ("NORMAL", "new")
    assert "set the priority was refused" in ran.err
