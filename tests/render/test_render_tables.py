"""Tables fit, stay aligned, drop what matters least and fall back to blocks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render_things import (
    HOSTILE,
    NOW,
    any_text,
    assert_aligned,
    assert_harmless,
    cells,
    filetime,
    hostile_job,
    make_job,
    without_colour,
)

from bitsshell.bits import JobState, Priority
from bitsshell.render import listing_order, report_html
from bitsshell.render.cells import listed_files, numbered
from bitsshell.render.outcomes import change_line, changed_what, changes_lines
from bitsshell.render.tables import files_lines, hosts_lines, jobs_lines, short_id_length
from bitsshell.results import HostStatus, Outcome, Report, Summary, View


def table(*jobs: object, width: int = 80, colour: bool = False) -> list[str]:
    return jobs_lines(numbered(jobs), width=width, now=NOW, colour=colour)  # type: ignore[arg-type]


def test_rows_are_numbered_in_the_listing_order() -> None:
    young = make_job(1, created_filetime=filetime(NOW))
    old = make_job(2, created_filetime=filetime(NOW) - 10)
    elsewhere = make_job(3, host="srv00", created_filetime=filetime(NOW) + 10)
    twin = make_job(4, name="a", created_filetime=filetime(NOW))
    assert listing_order([young, old, elsewhere, twin]) == (elsewhere, old, twin, young)
    lines = table(young, old, elsewhere, twin, width=120)
    assert [line.split()[0] for line in lines[2:]] == ["1", "2", "3", "4"]
    assert [line.split()[1] for line in lines[2:]] == ["srv00", "srv01", "srv01", "srv01"]


def test_the_host_is_a_column_only_when_there_are_several() -> None:
    assert "host" not in table(make_job(1), make_job(2))[0]
    assert "host" in table(make_job(1), make_job(2, host="srv02"))[0]


def test_a_wide_terminal_shows_full_ids_and_a_usual_one_their_first_group() -> None:
    assert "00000001-1111-2222-3333-444444444444" in table(make_job(), width=200)[2]
    narrow = table(make_job(), width=80)[2]
    assert "00000001" in narrow
    assert "00000001-" not in narrow


def test_ids_are_as_long_as_it_takes_to_tell_them_apart() -> None:
    same = "00000001-1111-2222-3333-44444444444"
    assert short_id_length([make_job(1), make_job(2)]) == 8
    assert short_id_length([make_job(id=same + "4"), make_job(id=same + "5")]) == 36
    assert short_id_length([make_job(id="00000001-1111"), make_job(id="00000001-2222")]) == 13
    assert short_id_length([]) == 8


def test_columns_are_dropped_by_importance_until_the_rest_fits() -> None:
    titles = [table(make_job(), width=width)[0].split() for width in (200, 78, 70, 50, 30)]
    assert titles[0] == [
        "#", "id", "name", "state", "done", "size", "files", "priority", "age", "changed", "owner",
    ]  # fmt: skip
    for more, fewer in pairwise(titles):
        assert set(fewer) < set(more)
    assert titles[-1] == ["#", "name", "state"]


def test_a_long_name_is_clipped_before_the_state_is_lost() -> None:
    lines = table(make_job(name="x" * 10_000), width=60)
    assert_aligned(lines, 60)
    assert "…" in lines[2]
    assert "TRANSFERRING" in lines[2]


def test_too_narrow_a_terminal_gets_blocks_that_lose_nothing() -> None:
    text = "\n".join(table(make_job(), width=12))
    assert "#1 nightly 1 on srv01" in text
    assert "00000001-1111-2222-3333-444444444444" in text
    assert "C:\\in\\a.bin" in text


@pytest.mark.parametrize("name", ["1e5", "1E400", "True", "0x10", "nan", "007", "-0", "1_000"])
def test_names_that_look_like_numbers_stay_as_they_are(name: str) -> None:
    assert f"  {name}  " in table(make_job(name=name))[2]


@settings(max_examples=200, deadline=None)
@given(st.lists(any_text, min_size=1, max_size=4), st.integers(30, 220), st.booleans())
def test_columns_stay_aligned_whatever_a_host_says(
    texts: list[str], width: int, colour: bool
) -> None:
    jobs = [hostile_job(text, number) for number, text in enumerate(texts)]
    lines = [without_colour(line) for line in table(*jobs, width=width, colour=colour)]
    assert_harmless("\n".join(lines))
    assert_aligned(lines, width)
    assert len(lines) == len(texts) + 2


@pytest.mark.parametrize("text", HOSTILE)
def test_files_stay_aligned_whatever_a_host_says(text: str) -> None:
    rows = listed_files([hostile_job(text, 1), hostile_job("plain", 2, host="srv02")])
    for width in (60, 80, 200):
        lines = files_lines(rows, width=width)
        assert_harmless("\n".join(lines))
        assert_aligned(lines, width)


@pytest.mark.parametrize("text", HOSTILE)
def test_hosts_and_changes_stay_aligned_whatever_they_say(text: str) -> None:
    hosts = [
        HostStatus(name=text, endpoint=text, auth="ntlm", user=text, product=text, is_target=True),
        HostStatus(name="srv02", endpoint="http://srv02:5985/wsman", auth="kerberos"),
    ]
    outcomes = [Outcome(host=text, value=hostile_job(text), planned=text), Outcome(host="b")]
    for lines in (hosts_lines(hosts, width=80), changes_lines(outcomes, width=80)):
        assert_harmless("\n".join(lines))
        assert all(cells(line) <= 80 for line in lines)
        assert len(lines) == 4


def test_states_are_coloured_only_on_request() -> None:
    job = make_job(state=JobState.ERROR)
    assert "\x1b" not in "\n".join(table(job))
    coloured = table(job, colour=True)
    assert "\x1b[1;31mERROR\x1b[0m" in coloured[2]
    assert [without_colour(line) for line in coloured] == table(job)


def test_a_state_of_a_future_windows_is_shown_without_colour() -> None:
    assert "UNKNOWN_42" in table(make_job(state=JobState(42)), colour=True)[2]


def test_a_file_of_unknown_size_has_question_marks() -> None:
    (line,) = files_lines(listed_files([hostile_job("x")]), width=80)[3:]
    assert line.split()[-3:] == ["?", "?", "no"]


def test_a_change_is_one_line_of_80_columns_with_the_beginning_of_the_id() -> None:
    job = make_job(name="nightly", state=JobState.TRANSFERRING)
    done = Outcome(host="srv02", value=job)
    narrow, wide = change_line(done, width=80), change_line(done, width=120)
    assert len(narrow) <= 80 < len(wide)
    assert narrow.replace(job.id[:8], job.id) == wide


def test_a_change_shows_the_priority_and_repeats_neither_name_nor_id() -> None:
    job = make_job(name="nightly", priority=Priority.FOREGROUND)
    words = f"set the priority of 'nightly' {job.id} to foreground"
    done = Outcome(host="srv01", value=job, job_id=job.id, planned=words)
    *_, row = changes_lines([done], width=200)
    assert row.split("  ")[-2:] == ["foreground", "set the priority to foreground"]
    assert (row.count("nightly"), row.count(job.id[:8])) == (1, 1)
    assert "set the priority to foreground" in report_html(
        Report("set", View.CHANGES, (done,), Summary(verb="set", well=1))
    )


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("resume 'nightly' {id} (SUSPENDED)", "resume (SUSPENDED)"),
        ("add http://x/ -> C:\\a to 'nightly' {id}", "add http://x/ -> C:\\a"),
        (
            "create job 'nightly': http://x/ -> C:\\a, resume it",
            "create: http://x/ -> C:\\a, resume it",
        ),
        ("set the name of 'old' {id} to 'nightly'", "set the name of 'old' to 'nightly'"),
    ],
)
def test_what_was_done_is_said_without_name_and_id(words: str, what: str) -> None:
    job = make_job(name="nightly")
    done = Outcome(host="a", value=job, job_id=job.id, planned=words.format(id=job.id))
    assert changed_what(done) == what
