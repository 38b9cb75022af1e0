"""The live view's state: what filter, order, marks and cursor do, without a screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_things import frame, jobs, keys, model_of, names, row

from bitsshell.bits import JobGone, JobState
from bitsshell.fleet.watching import key_of
from bitsshell.results import JobChange, Notice, Outcome, Status
from bitsshell.shell.live.keys import HELP, Answer, Command, Leave, paste
from bitsshell.shell.live.model import HISTORY, Mode, Model, Order

PRINTABLE = [chr(code) for code in range(32, 127)]
NAMED = ["up", "down", "pageup", "pagedown", "home", "end", "enter", "escape", "backspace", "c-u"]


def test_the_cursor_stays_with_its_job_when_the_rows_change() -> None:
    model = model_of(*jobs(5))
    keys(model, "down", "down")
    model.take(frame([row(0), *jobs(5)]))
    assert model.selected is not None
    assert model.selected.job.name == "job 00003"


def test_the_cursor_stays_in_the_list_when_its_job_leaves() -> None:
    model = model_of(*jobs(3))
    keys(model, "end")
    model.take(frame(jobs(2)))
    assert model.selected is not None
    assert model.selected.job.name == "job 00002"
    model.take(frame([]))
    assert model.selected is None


def test_moving_scrolls_so_that_the_cursor_is_visible() -> None:
    model = model_of(*jobs(100))
    model.window(10)
    keys(model, "pagedown", "pagedown", "down")
    assert [shown.job.name for shown in model.window(10)][-1] == "job 00022"
    keys(model, "home")
    assert model.window(10)[0].job.name == "job 00001"
    keys(model, "G")
    assert model.window(10)[-1].job.name == "job 00100"


def test_a_screen_that_grows_shows_no_empty_lines_while_there_are_jobs() -> None:
    model = model_of(*jobs(30))
    model.window(10)
    keys(model, "end")
    assert len(model.window(10)) == 10
    assert len(model.window(25)) == 25


def test_filter_matches_all_words_in_host_name_state_and_id() -> None:
    model = model_of(row(1, name="Nightly A"), row(2, name="nightly b", host="web02"), row(3))
    keys(model, "/", *"NIGHT web02")
    assert (names(model), model.mode) == (["nightly b"], Mode.FILTER)
    keys(model, "c-u", *"00003", "enter")
    assert (names(model), model.mode) == (["job 00003"], Mode.LIST)
    keys(model, "escape")
    assert len(model.shown) == 3


def test_a_key_that_acts_is_a_letter_while_a_filter_is_typed() -> None:
    model = model_of(*jobs(3))
    assert keys(model, "/", *"rscxqp") == []
    assert model.filter == "rscxqp"


def test_errors_only_and_back() -> None:
    model = model_of(row(1), row(2, error=True), row(3, state=JobState.TRANSIENT_ERROR))
    keys(model, "e")
    assert names(model) == ["job 00002", "job 00003"]
    keys(model, "e")
    assert len(model.shown) == 3


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order.HOST, [1, 2, 3]),
        (Order.NAME, [3, 2, 1]),
        (Order.STATE, [2, 1, 3]),
        (Order.DONE, [3, 2, 1]),
        (Order.RATE, [1, 2, 3]),
        (Order.LEFT, [1, 2, 3]),
    ],
)
def test_every_order(order: Order, expected: list[int]) -> None:
    model = model_of(
        row(1, name="c", bytes_transferred=900, rate=5.0),
        row(2, name="B", bytes_transferred=500, error=True),
        row(3, name="a", bytes_transferred=1, state=JobState.SUSPENDED),
    )
    while model.order is not order:
        keys(model, "o")
    assert [int(shown.job.id[:8], 16) for shown in model.shown] == expected
    keys(model, "O")
    assert [int(shown.job.id[:8], 16) for shown in model.shown] == expected[::-1]


def test_a_job_of_unknown_size_is_last_by_progress() -> None:
    model = model_of(row(1, bytes_total=None), row(2))
    keys(model, "o", "o", "o")
    assert (model.order, names(model)) == (Order.DONE, ["job 00002", "job 00001"])


def test_a_command_acts_on_the_job_under_the_cursor() -> None:
    model = model_of(*jobs(3))
    (wish,) = keys(model, "down", "r")
    assert wish == (Command("resume", (row(2).job.id,), ("web01",)),)


def test_a_command_acts_on_the_marked_jobs_and_on_no_other() -> None:
    model = model_of(row(1), row(2), row(3, host="web02"))
    keys(model, " ", "down", " ")
    (wish,) = keys(model, "home", "x")
    assert isinstance(wish, tuple)
    (command,) = wish
    assert command.words == ("cancel", row(1).job.id, row(3).job.id, "-H", "web01", "-H", "web02")


def test_a_marked_job_that_is_not_shown_is_not_acted_on() -> None:
    model = model_of(row(1, name="x"), row(2, name="y"))
    keys(model, " ", "/", "y", "enter")
    assert keys(model, "x") == [()]
    assert "the filter hides the marked jobs" in model.message


def test_one_id_on_two_hosts_of_which_one_is_meant_is_sent_to_that_one_only() -> None:
    same = row(1).job.id
    model = model_of(row(1), row(2), row(3, host="web02", id=same), row(4, host="web02"))
    keys(model, "down", " ", " ")  # job 2 on web01, and web02's job of the same id as job 1
    (wish,) = keys(model, "s")
    assert wish == (
        Command("suspend", (row(2).job.id,), ("web01",)),
        Command("suspend", (same,), ("web02",)),
    ) or wish == (
        Command("suspend", (same,), ("web02",)),
        Command("suspend", (row(2).job.id,), ("web01",)),
    )


def test_mark_all_marks_what_is_shown_and_again_none() -> None:
    model = model_of(row(1), row(2, error=True))
    keys(model, "e", "a")
    assert model.marks == {key_of(row(2, error=True).job)}
    keys(model, "e", "a")
    assert len(model.marks) == 2
    keys(model, "a")
    assert not model.marks


def test_a_job_that_left_is_marked_no_more() -> None:
    model = model_of(*jobs(2))
    keys(model, "a")
    model.take(frame(jobs(1)))
    assert len(model.marks) == 1


def test_a_held_picture_stays_until_it_is_let_go_and_then_shows_the_newest() -> None:
    model = model_of(*jobs(1))
    keys(model, "p")
    model.take(frame(jobs(2)))
    model.take(frame(jobs(3)))
    assert len(model.rows) == 1
    keys(model, "p")
    assert len(model.rows) == 3


def test_rates_are_kept_for_a_sparkline_and_no_longer_than_it() -> None:
    model = Model()
    for number in range(HISTORY + 5):
        model.take(frame([row(1, rate=float(number)), row(2)]))
    assert model.rates_of(row(1).job) == tuple(float(n) for n in range(5, HISTORY + 5))
    assert model.rates_of(row(2).job) == ()
    model.take(frame([row(2)]))
    assert model.rates_of(row(1).job) == ()


def test_hosts_that_do_not_answer_are_kept_with_their_error() -> None:
    model = model_of(row(1))
    error = JobGone(host="web09")
    model.take(Outcome(host="web09", status=Status.FAILED, error=error))
    model.take(frame([row(1)], unreachable=("web07",)))
    assert model.silent == ("web09", "web07")
    assert "web09" in model.message


def test_a_job_that_gets_somewhere_is_said() -> None:
    model = Model()
    before, after = row(1).job, row(1, error=True)
    change = JobChange(
        at=frame([]).as_of,
        host="web01",
        job_id=before.id,
        before=before,
        after=after.job,
        error=after.error,
    )
    model.take(change)
    assert "job 00001 is ERROR, 0x80190194 BG_E_HTTP_ERROR_404" in model.message


def test_a_question_takes_an_answer_or_a_refusal() -> None:
    model = model_of(*jobs(1))
    model.ask("sure?", is_secret=False)
    assert keys(model, *"yex", "backspace", "s", "enter") == [Answer("yes")]
    assert model.mode is Mode.LIST
    model.ask("sure?", is_secret=False)
    assert keys(model, "y", "escape") == [Answer(None)]


@pytest.mark.parametrize("key", ["c-c", "<sigint>"])
@pytest.mark.parametrize("mode", list(Mode))
def test_ctrl_c_leaves_whatever_the_keys_mean(mode: Mode, key: str) -> None:
    model = model_of(*jobs(1))
    model.mode = mode
    assert keys(model, key) == [Leave(is_interrupt=True)]


def test_any_key_leaves_help_and_messages_and_does_nothing_else() -> None:
    model = model_of(*jobs(1))
    for key in ("?", "m"):
        assert keys(model, key, "x") == []
        assert model.mode is Mode.LIST


def test_messages_are_kept_in_order() -> None:
    model = Model()
    for text in ("one", "two\n three"):
        model.take(Notice(text))
    assert list(model.messages) == ["one", "two three"]


def test_every_key_of_a_single_letter_that_help_names_does_something() -> None:
    named = {part for shown, _ in HELP for part in shown.replace(",", "").split() if len(part) == 1}
    for key in named - {"q", "r", "s", "c", "x", "k", "j"}:
        model = model_of(*jobs(3))
        before = {k: v.copy() if isinstance(v, set) else v for k, v in vars(model).items()}
        keys(model, key)
        assert any(before[name] != value for name, value in vars(model).items()), key


@given(st.lists(st.sampled_from([*PRINTABLE, *NAMED]), max_size=40), st.integers(0, 12))
def test_no_keys_lose_the_cursor(pressed: list[str], count: int) -> None:
    model = model_of(*jobs(count))
    for key in pressed:
        keys(model, key)
        visible = model.window(4)
        assert len(visible) == min(4, len(model.shown))
        assert model.selected is None or model.selected in visible


@pytest.mark.parametrize("mode", [Mode.QUESTION, Mode.SECRET])
def test_what_is_pasted_at_a_question_is_typed_and_answers_nothing(mode: Mode) -> None:
    model = model_of(*jobs(3))
    model.ask("Password?", is_secret=mode is Mode.SECRET)
    keys(model, "p")
    paste(model, "w\r\x1b[Dé!\n")
    assert (model.mode, model.typed) == (mode, "pw[Dé!")


def test_what_is_pasted_into_the_filter_filters() -> None:
    model = model_of(*jobs(3))
    keys(model, "/")
    paste(model, "job 00002\n")
    assert (names(model), model.mode) == (["job 00002"], Mode.FILTER)


@pytest.mark.parametrize("mode", [Mode.LIST, Mode.HELP, Mode.MESSAGES])
def test_what_is_pasted_anywhere_else_does_nothing(mode: Mode) -> None:
    model = model_of(*jobs(3))
    model.mode = mode
    paste(model, "ac\nqO")
    assert (model.mode, model.marks, model.typed, model.filter) == (mode, set(), "", "")
    assert not model.is_reversed
