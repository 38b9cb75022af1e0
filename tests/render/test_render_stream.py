"""What holds for every form that `-o` takes, and for a watch in each."""

from __future__ import annotations

import csv
import io
import json

import pytest
from render_things import (
    HOSTILE,
    NOW,
    assert_harmless,
    hostile_streams,
    rendered,
    two_hosts_and_a_failure,
    watched,
    without_colour,
)

from bitsshell.render import Output, Renderer, make_renderer


@pytest.mark.parametrize("output", [Output.TABLE, Output.VERTICAL, Output.NDJSON])
def test_a_watch_off_a_terminal_is_one_record_a_change_and_no_frames(output: Output) -> None:
    out, err = rendered(watched(), output)
    found = [json.loads(line) for line in out.splitlines()]
    assert [record["event"] for record in found] == ["appeared", "progress", "outcome"]
    assert [record["bytes_transferred"] for record in found[:2]] == [0, 40]
    assert [record["rate_bytes_s"] for record in found[:2]] == [None, 50]
    assert found[2]["status"] == "done"
    assert found[2]["state"] == "TRANSFERRED"
    assert err == ""


def test_a_watch_as_json_is_the_array_of_how_the_jobs_ended() -> None:
    (record,) = json.loads(rendered(watched(), Output.JSON)[0])
    assert record["state"] == "TRANSFERRED"


def test_a_watch_as_csv_is_a_row_a_change() -> None:
    rows = list(csv.DictReader(io.StringIO(rendered(watched(), Output.CSV)[0])))
    assert [row["event"] for row in rows] == ["appeared", "progress"]


@pytest.mark.parametrize("output", [Output.TABLE, Output.VERTICAL])
@pytest.mark.parametrize("text", HOSTILE)
def test_no_escape_reaches_a_terminal_in_a_form_for_people(output: Output, text: str) -> None:
    for events in hostile_streams(text):
        for width in (20, 80, 200):
            out, err = rendered(events, output, width=width)
            assert_harmless(out)
            assert_harmless(err)
            coloured, _ = rendered(events, output, width=width, colour=True)
            assert without_colour(coloured) == out


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "utf-8", "utf-16"])
@pytest.mark.parametrize("output", list(Output))
def test_no_encoding_of_a_stream_stops_the_output(output: Output, encoding: str) -> None:
    for text in ("日本語 👍 \ud800 …", "x" * 300):
        for events in hostile_streams(text):
            raw = io.BytesIO()
            out = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
            err = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
            renderer = make_renderer(output, out=out, err=err, width=60, clock=lambda: NOW)
            for event in events:
                renderer.feed(event)
            renderer.close()
            written = raw.getvalue().decode(encoding)
            assert written
            if output is Output.JSON:
                json.loads(written)


def test_a_broken_pipe_is_for_the_caller() -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    for output in Output:
        renderer = make_renderer(output, out=Broken(), err=io.StringIO(), width=80)

        def show(renderer: Renderer = renderer) -> None:
            for event in two_hosts_and_a_failure():
                renderer.feed(event)
            renderer.close()

        with pytest.raises(BrokenPipeError):
            show()


def test_a_live_terminal_that_hides_its_size_is_taken_for_a_usual_one() -> None:
    out, err = rendered(watched()[:3], width=60, live=True)
    assert "live, as of 12:30:04Z" in out
    assert "nightly 1  TRANSFERRING" in out
    assert err == ""
