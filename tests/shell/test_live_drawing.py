"""The live view's lines: what is on them, that they fit, and that no host can act on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_things import frame, jobs, keys, model_of, row, screen
from wcwidth import wcswidth

from bitsshell.bits import JobState, ProviderMissing
from bitsshell.render.text import ELLIPSIS
from bitsshell.results import Outcome, Status
from bitsshell.shell.live.drawing import (
    FOOTER,
    PLAIN_STYLES,
    SHORT_FOOTER,
    STATE_STYLES,
    STYLES,
    draw,
)
from bitsshell.shell.live.model import Mode, Model

HOSTILE = [
    "\x1b[2J\x1b[1;1Hgone",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b31mred",
    "a\u202egnp.exe",
    "zero\u200bwidth\u200d\ufeff",
    "line\nbreak\r\tand tab",
    "Z" + "\u0301" * 300,
    "日本語のファイル名",
    "👩\u200d👩\u200d👧",
    "x" * 10_000,
    "lone \ud800 surrogate",
    "",
]


def test_a_row_has_state_bar_percent_size_rate_and_sparkline() -> None:
    model = Model()
    for rate in (10.0, 40.0, 80.0):
        model.take(frame([row(1, name="nightly", bytes_transferred=500, rate=rate)]))
    lines = screen(model)
    assert lines[0].startswith("live, as of 12:30:04Z  1 job on 1 host  80 B/s")
    (line,) = [line for line in lines if "nightly" in line]
    for part in (">", "TRANSFERRING", "█████", "░░░", "50%", "500 B/1000 B", "80 B/s", "▁▄█"):
        assert part.replace("1000 B", "1.0 KiB") in line or part in line, part


def test_columns_go_as_the_screen_gets_narrow_and_name_and_state_stay() -> None:
    rows = [row(1, name="nightly", host="web01"), row(2, name="weekly", host="web02")]
    for width in (160, 120, 100, 80, 60, 40):
        lines = screen(model_of(*rows), width)
        assert any("nightly" in line and "TRANSFERRING" in line for line in lines), width
    assert "size" in screen(model_of(*rows), 120)[1]
    assert "size" not in screen(model_of(*rows), 60)[1]


def test_on_forty_columns_jobs_of_one_name_are_told_apart_by_their_hosts() -> None:
    rows = [row(1, name="nightly", host="web01"), row(2, name="nightly", host="web02")]
    lines = screen(model_of(*rows), 40)
    assert "web01" in lines[2]
    assert "web02" in lines[3]


@pytest.mark.parametrize(("host", "name"), [("web0", "a long …"), ("web.example.0", "a long name")])
def test_on_forty_columns_how_much_is_done_stays_and_the_name_is_cut_if_need_be(
    host: str, name: str
) -> None:
    rows = [row(n, name="a long name", bytes_transferred=500, host=f"{host}{n}") for n in (1, 2)]
    lines = screen(model_of(*rows), 40)
    assert name in lines[2]
    assert "TRANSFERRING" in lines[2]
    assert "50%" in lines[2]


def test_on_twenty_columns_name_and_state_share_what_there_is() -> None:
    lines = screen(model_of(row(1, name="nightly", state=JobState.ERROR)), 20)
    assert "nightly" in lines[2]
    assert "ERROR" in lines[2]


def test_on_forty_columns_the_details_are_wrapped_and_not_cut() -> None:
    model = model_of(row(1, error=True))
    keys(model, "enter")
    details = screen(model, 40, 40)[-14:-1]
    assert "…" not in "".join(details)


def test_the_job_with_the_cursor_is_the_only_one_that_is_reversed() -> None:
    model = model_of(*jobs(3))
    keys(model, "down")
    lines = draw(model, 100, 20)
    selected = [line for line in lines if any("class:selected" in style for style, _ in line)]
    assert len(selected) == 1
    assert "job 00002" in "".join(text for _, text in selected[0])


def test_under_the_cursor_a_bar_is_as_full_as_elsewhere() -> None:
    model = model_of(row(1, state=JobState.TRANSFERRING, rate=1000.0))
    line = draw(model, 120, 20)[2]
    bars = [style for style, text in line if set(text) & set("█░▁")]
    assert bars == ["class:transferring", "class:transferring"]
    assert any("class:selected" in style for style, _ in line)


def test_marks_filter_and_order_are_said() -> None:
    model = model_of(*jobs(3), row(9, error=True))
    keys(model, " ", "e", "o", "/", "j", "enter")
    lines = screen(model)
    for part in ("4 jobs", "1 shown", "errors only", "filter: j", "1 marked"):
        assert part in lines[0]
    assert "name+" in lines[1]


def test_details_explain_the_error_and_what_to_do() -> None:
    model = model_of(row(1, error=True))
    keys(model, "enter")
    text = "\n".join(screen(model))
    for part in ("0x80190194", "BG_E_HTTP_ERROR_404", "next:", row(1).job.id, "priority"):
        assert part in text, part
    keys(model, "escape")
    assert "next:" not in "\n".join(screen(model))


def test_a_host_that_does_not_answer_is_on_the_screen_with_its_reason() -> None:
    model = model_of(row(1))
    error = ProviderMissing(host="web09")
    model.take(Outcome(host="web09", status=Status.FAILED, error=error))
    model.message = ""
    text = "\n".join(screen(model))
    assert "not answering: web09" in text
    assert error.what()[:40] in text


def test_before_the_first_answer_the_screen_says_what_is_going_on() -> None:
    assert "asking the hosts" in "\n".join(screen(Model()))


def test_an_empty_queue_and_a_filter_that_nothing_matches_are_told_apart() -> None:
    assert "no jobs" in "\n".join(screen(model_of()))
    model = model_of(row(1))
    keys(model, "/", "z", "z", "enter")
    assert "no job matches" in "\n".join(screen(model))


def test_a_question_shows_what_is_typed_and_a_secret_does_not() -> None:
    model = model_of(row(1))
    model.ask("cancel 1 job? [y/N] ", is_secret=False)
    keys(model, *"yes")
    assert screen(model)[-1] == "cancel 1 job? [y/N] yes_"
    model.ask("Password for me: ", is_secret=True)
    keys(model, *"hunter2")
    assert screen(model)[-1] == "Password for me: _"


@pytest.mark.parametrize("width", [40, 79])
@pytest.mark.parametrize("name", ["'nightly backup'", "'" + "日本語" * 20 + "'"])
def test_a_question_is_on_the_screen_to_its_last_word(width: int, name: str) -> None:
    model = model_of(row(1))
    asked = f"cancel {name} on web01? its temporary files are deleted (308 MiB so far, 39 files)"
    model.ask(f"{asked}; type 39 to go on: ", is_secret=False)
    keys(model, "3", "9")
    lines = screen(model, width)
    assert all(wcswidth(line) <= width for line in lines)
    foot = "".join(lines[-8:]).replace(" ", "")
    assert f"{asked}; type 39 to go on: 39_".replace(" ", "") in foot


def test_help_names_the_keys() -> None:
    model = model_of(row(1))
    keys(model, "?")
    text = "\n".join(screen(model))
    for part in ("cancel", "suspend", "filter", "Ctrl-C", "any key goes back"):
        assert part in text


def test_keys_are_named_whole_on_80_columns() -> None:
    model = model_of(row(1))
    assert screen(model, width=80)[-1] == SHORT_FOOTER
    assert screen(model, width=160)[-1] == FOOTER
    keys(model, "?")
    assert ELLIPSIS not in "".join(screen(model, width=80))


def test_messages_that_were_shown_can_be_read_again() -> None:
    model = model_of(row(1))
    for number in range(50):
        model.say(f"message {number}")
    keys(model, "m")
    text = "\n".join(screen(model, height=20))
    assert "message 49" in text
    assert "message 20" not in text


def test_an_idle_screen_fits_any_size() -> None:
    for width in (1, 2, 5, 20, 300):
        for height in (1, 2, 3, 4, 10):
            for mode in Mode:
                model = model_of(*jobs(20), row(21, error=True))
                model.has_details = True
                model.mode = mode
                lines = screen(model, width, height)
                assert len(lines) == height
                assert max(map(len, lines)) <= width, (width, height, mode)


def test_without_block_characters_bars_are_ascii() -> None:
    model = model_of(row(1, rate=5.0))
    lines = draw(model, 120, 20, blocks=False)
    body = "".join(text for line in lines for _, text in line)
    assert body.isascii()


def test_every_state_has_a_style_and_colours_are_only_in_the_coloured_ones() -> None:
    for state in JobState:
        name = STATE_STYLES[state].removeprefix("class:")
        assert name in STYLES
    assert "ansi" not in " ".join(PLAIN_STYLES.values())


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_host_says_is_harmless_and_keeps_the_columns(text: str) -> None:
    hostile = row(1, name=text, host=text, error=True)
    model = model_of(row(2, name="plain", host="web02"), hostile)
    keys(model, "end", "enter")
    model.take(Outcome(host=text, status=Status.FAILED, error=ProviderMissing(host=text)))
    for mode in (Mode.LIST, Mode.MESSAGES, Mode.QUESTION):
        model.mode, model.question = mode, f"cancel {text}? "
        lines = screen(model, 100, 30)
        assert all(line.isprintable() for line in lines)
        assert all(0 <= wcswidth(line) <= 100 for line in lines)
    model.mode = Mode.LIST
    shown = [line for line in screen(model, 100, 30) if "TRANSFERRING" in line or " ERROR" in line]
    starts = {
        wcswidth(line[: line.index(state)])
        for line in shown[:2]
        for state in ("TRANSFERRING", "ERROR")
        if state in line
    }
    assert len(starts) == 1


@settings(max_examples=60)
@given(st.text(st.characters(codec=None), max_size=40), st.integers(20, 140))
def test_no_name_widens_a_line(name: str, width: int) -> None:
    model = model_of(row(1, name=name), row(2, name="b", host="web02"))
    lines = screen(model, width, 12)
    assert all(line.isprintable() for line in lines)
    assert all(0 <= wcswidth(line) <= width for line in lines)


def test_drawing_looks_at_visible_rows_only() -> None:
    class Counted(list):  # type: ignore[type-arg]
        seen = 0

        def __getitem__(self, index: object) -> object:
            found = super().__getitem__(index)  # type: ignore[index]
            if isinstance(index, slice):
                Counted.seen += len(found)
            return found

        def __iter__(self) -> object:  # type: ignore[override]
            raise AssertionError("every row was looked at")

    model = model_of(*jobs(1000))
    model.shown = Counted(model.shown)
    draw(model, 100, 30)
    assert Counted.seen <= 30
