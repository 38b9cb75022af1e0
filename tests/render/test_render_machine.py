"""JSON, NDJSON and CSV: always readable, texts unchanged, nothing computes."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from render_things import (
    any_text,
    assert_harmless,
    hostile_streams,
    listing,
    make_job,
    planned,
    rendered,
    two_hosts_and_a_failure,
)

from bitsshell.render import Output, make_renderer
from bitsshell.results import (
    Begin,
    Outcome,
    Status,
    Summary,
    View,
)


def test_json_is_one_array_and_errors_are_said_elsewhere() -> None:
    out, err = rendered(two_hosts_and_a_failure(), Output.JSON)
    assert [record["name"] for record in json.loads(out)] == ["nightly 3", "nightly 2", "nightly 1"]
    assert err.startswith("srv09: WinRM answers, but")


@pytest.mark.parametrize("view", list(View))
def test_json_is_an_array_even_when_nothing_came(view: View) -> None:
    out, _ = rendered([Begin("verb", view), Summary(verb="verb")], Output.JSON)
    assert json.loads(out) == []


def test_json_of_a_changing_verb_is_its_jobs_with_their_status() -> None:
    done = Outcome(host="srv01", status=Status.ALREADY, value=make_job())
    (record,) = json.loads(rendered([Begin("resume", View.CHANGES), done], Output.JSON)[0])
    assert record["id"] == make_job().id
    assert record["status"] == "already"


def test_json_of_a_plan_is_an_array_of_planned_steps() -> None:
    out, err = rendered(planned(), Output.JSON)
    (record,) = json.loads(out)
    assert record["status"] == "planned"
    assert record["effect"] == "destroy"
    assert err.count("WinRM answers, but") == 1


def test_ndjson_comes_line_by_line_with_errors_as_records() -> None:
    out = io.StringIO()
    renderer = make_renderer(Output.NDJSON, out=out, err=io.StringIO(), width=80)
    seen = []
    for event in two_hosts_and_a_failure():
        renderer.feed(event)
        seen.append(len(out.getvalue().splitlines()))
    assert seen == [0, 1, 2, 4, 4]
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert found[1]["error"]["type"] == "ProviderMissing"
    assert found[1]["host"] == "srv09"


@settings(max_examples=40, deadline=None)
@given(any_text)
def test_json_and_ndjson_carry_whatever_a_host_says_unchanged(text: str) -> None:
    for events in hostile_streams(text):
        array = json.loads(rendered(events, Output.JSON)[0])
        out, err = rendered(events, Output.NDJSON)
        lines = [json.loads(line) for line in out.splitlines()]
        assert isinstance(array, list)
        assert all(isinstance(record, dict) for record in lines)
        # The bytes on a terminal are harmless all the same.
        assert_harmless(err)
        assert "\x1b" not in out
    names = json.loads(rendered(hostile_streams(text)[0], Output.JSON)[0])
    assert names[0]["name"] == text
    assert names[0]["files"][0]["url"] == text


# -- CSV -----------------------------------------------------------------------------------------


def test_csv_has_a_header_even_when_nothing_came() -> None:
    out, _ = rendered(listing(), Output.CSV)
    assert out.startswith("host,id,name,")
    assert len(out.splitlines()) == 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝", "＠"])
def test_a_formula_in_csv_is_text(start: str) -> None:
    events = listing(Outcome(host="srv01", value=make_job(name=f"{start}cmd|'/c calc'!A1")))
    (row,) = csv.DictReader(io.StringIO(rendered(events, Output.CSV)[0], newline=""))
    assert row["name"] == f"'{start}cmd|'/c calc'!A1"


def test_numbers_in_csv_stay_numbers_and_unknown_is_empty() -> None:
    events = listing(Outcome(host="srv01", value=make_job(bytes_total=None, error_count=7)))
    (row,) = csv.DictReader(io.StringIO(rendered(events, Output.CSV)[0]))
    assert (row["error_count"], row["bytes_total"]) == ("7", "")


def test_csv_of_a_plan_has_the_columns_of_a_plan() -> None:
    (row,) = csv.DictReader(io.StringIO(rendered(planned(), Output.CSV)[0]))
    assert row["status"] == "planned"
    assert row["description"].startswith("cancel 'nightly'")


@settings(max_examples=40, deadline=None)
@given(any_text)
def test_csv_can_be_read_back_and_no_cell_computes(text: str) -> None:
    for events in hostile_streams(text):
        out, err = rendered(events, Output.CSV)
        header, *rows = csv.reader(io.StringIO(out, newline=""))
        assert all(len(row) == len(header) for row in rows)
        assert not any(value[:1] in "=+@\t\r\n-" for row in rows for value in row if value)
        assert_harmless(err)
        assert "\x1b" not in out
        assert "\x9b" not in out
