"""`--cols`, `--sort`, `--where` on listings, and the same for people and programs."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from bitsshell.practice import JobState
from bitsshell.render import Output

if TYPE_CHECKING:
    from consoles import Console, Site


@pytest.fixture
def console(site: Site) -> Console:
    console = site.console(2)
    for name in ("beta", "alpha", "gamma"):
        made = console(rf"create {site.url} C:\in\{name} --name {name} --suspended --yes")
        assert made.code == 0, made.err
    return console


def names(console: Console, line: str) -> list[str]:
    return [record["name"] for record in console(f"{line} -o json").records]


def test_rows_are_chosen_by_an_expression(console: Console) -> None:
    assert names(console, "jobs -H practice01 --where \"name ~ '*a' and not name = beta\"") == [
        "alpha",
        "gamma",
    ]
    assert names(console, "jobs --where 'state = error'") == []
    assert names(console, "jobs --where 'state = suspended' --where 'name = beta'") == ["beta"] * 2


def test_rows_are_sorted_both_ways_and_numbered_as_shown(console: Console) -> None:
    assert names(console, "jobs --sort name,-host") == sorted(["alpha", "beta", "gamma"] * 2)
    hosts = [record["host"] for record in console("jobs --sort name,-host -o json").records]
    assert hosts == ["practice02", "practice01"] * 3
    console("jobs --sort -name")
    assert names(console, "show %1") == ["gamma"]
    console("jobs --sort name:desc,host:asc")
    assert names(console, "show %6") == ["alpha"]


def test_columns_are_chosen_for_people(console: Console) -> None:
    ran = console("jobs -H practice01 --cols name,state,files --sort name")
    assert [line.split() for line in ran.out.splitlines()[:3]] == [
        ["#", "name", "state", "files"],
        ["-", "-----", "---------", "-----"],
        ["1", "alpha", "SUSPENDED", "1"],
    ]


def test_columns_are_chosen_for_programs_with_plain_values(console: Console) -> None:
    for record in console("jobs --cols host,name,bytes,age,done -o json").records:
        assert list(record) == ["host", "name", "bytes", "age", "done"]
        assert record["bytes"] == 0
        assert record["age"] >= 0
    ran = console("jobs -H practice01 --cols name,state --sort name -o csv")
    assert ran.out.splitlines() == [
        "name,state",
        "alpha,SUSPENDED",
        "beta,SUSPENDED",
        "gamma,SUSPENDED",
    ]
    assert console("jobs -H practice01 --cols name --sort name -o tsv").out.split() == [
        "name",
        "alpha",
        "beta",
        "gamma",
    ]


@pytest.mark.parametrize("output", list(Output))
def test_every_form_has_chosen_columns_in_order(console: Console, output: Output) -> None:
    ran = console(f"jobs -H practice01 --cols name --sort -name -o {output.value}")
    assert ran.code == 0
    places = [ran.out.index(name) for name in ("gamma", "beta", "alpha")]
    assert places == sorted(places)


def test_files_are_chosen_and_sorted(site: Site, console: Console) -> None:
    pairs = rf"{site.url} C:\in\z {site.url} C:\in\a {site.url} C:\in\m"
    assert console(rf"create {pairs} --name many --suspended --yes").code == 0
    ran = console("files many -H practice01 --where \"path != 'C:\\in\\m'\" --sort path -o csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [row["path"] for row in rows] == ["C:\\in\\a", "C:\\in\\z"]
    ran = console("files many -H practice01 --cols path,completed")
    assert ran.out.splitlines()[0].split() == ["path", "completed"]


def test_hosts_are_chosen_and_sorted(console: Console) -> None:
    records = console("hosts --sort -host --cols host,jobs -o json").records
    assert records == [{"host": "practice02", "jobs": 3}, {"host": "practice01", "jobs": 3}]
    assert console("hosts --where 'host = practice02' --cols host -o tsv").out == (
        "host\npractice02\n"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("jobs --cols nope", "--cols: 'nope' is no column"),
        ("jobs --sort nope", "--sort: 'nope' is no column"),
        ("jobs --sort name:up", "'up' is no direction"),
        ("jobs --where 'name == '", "a value is missing"),
        ("files '*' --cols priority", "--cols: 'priority' is no column"),
    ],
)
def test_what_is_no_column_is_said_with_those_there_are(
    console: Console, line: str, said: str
) -> None:
    ran = console(line)
    assert ran.code == 2
    assert said in ran.err
    assert ran.out == ""


def test_a_failing_host_is_said_under_a_sorted_listing_too(site: Site, console: Console) -> None:
    site.hosts[1].faults.arm("access-denied")
    ran = console("jobs --sort name -o csv")
    assert ran.code == 1
    assert ran.out.count("SUSPENDED") == 3
    assert "practice02" in ran.err


def test_state_alone_means_every_job_in_it(site: Site, console: Console) -> None:
    made = console(rf"create {site.missing} C:\in\gone --name gone --yes")
    assert made.code == 0
    for host in site.hosts[:2]:
        host.wait_for(lambda jobs: jobs[-1].state is JobState.ERROR)
    ran = console("cancel --state error --yes")
    assert ran.code == 0, ran.err
    assert set(names(console, "jobs")) == {"alpha", "beta", "gamma"}
    ran = console("cancel 'a*' --state suspended,error --yes")
    assert set(names(console, "jobs")) == {"beta", "gamma"}


def test_no_job_in_the_state_is_an_error_and_neither_is_no_selection(console: Console) -> None:
    ran = console("cancel --state error --yes")
    assert (ran.code, "no such job is in ERROR" in ran.err) == (2, True)
    ran = console("cancel --yes")
    assert (ran.code, "JOB is missing" in ran.err) == (2, True)
