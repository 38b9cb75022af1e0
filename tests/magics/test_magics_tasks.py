"""Background watches in an IPython shell of this process: named, waited for, kept quiet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from IPython.utils.capture import capture_output

from bitsshell.api import Plot, WatchResult, errors

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from bitsshell.practice import PracticeFleet

Run = Callable[[str], Any]


@pytest.fixture
def watched(run: Run) -> Run:
    """A shell in which `w` watches a job that does not move."""
    run("%bits_create {url} {path} --suspended --name nightly -q")
    run("%bits_watch nightly --bg w --interval 0.1 -q")
    return run


@pytest.mark.parametrize(
    "words",
    ["w --timeout 0.2", "--timeout 0.2 w", "w w --timeout=0.2", "--timeout 0.2", "--timeout=0.2"],
)
def test_a_limit_stands_before_or_behind_the_names_of_watches_or_alone(
    watched: Run, words: str
) -> None:
    error = watched(f"%bits_wait {words}")
    assert type(error) is errors.TimeLimitReached
    assert str(error) == "wait: w was not over after 0.2 s; it goes on"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("w -t 5", "no option -t"),
        ("w --timeout", "--timeout"),
        ("w --timeout soon", "--timeout: 'soon' is no length of time"),
        ("w --timeout 0", "--timeout: '0' is too short"),
        ("-- w", "no job 'w'"),
        ("w other", "no job 'w'"),
        ("w --until error --timeout 0.2", "no job 'w'"),
    ],
)
def test_what_waits_for_no_watch_is_read_as_the_verb_reads_it(
    watched: Run, words: str, says: str
) -> None:
    error = watched(f"%bits_wait {words}")
    assert type(error) is errors.BitsUsageError
    assert says in str(error)


def test_all_watches_that_did_not_end_well_are_named(run: Run, fleet: PracticeFleet) -> None:
    for name in ("a", "b", "c"):
        url = fleet.files[-2].url if name == "b" else f"{fleet.files_url}gone.bin"
        run(rf"%bits_create {url} C:\in\{name}.bin --suspended --name {name} -q")
        run(f"%bits_watch {name} --bg {name} --interval 0.05 -q")
    run("%bits_resume * --yes -q")
    error = run("%bits_wait --timeout 60")
    assert type(error) is errors.AllFailed
    first, second, _ = error.lines()
    assert first.startswith("a: ")
    assert second == "c did not end well either"
    assert len(error.errors) == 2
    alone = run("%bits_wait c")
    assert type(alone) is errors.AllFailed
    assert not alone.lines()[0].startswith("c: ")
    assert alone.lines() == run("%bits_wait c").lines()


def test_a_quiet_magic_returns_its_value_and_shows_nothing(
    watched: Run, shell: InteractiveShell
) -> None:
    watched("%bits_watch nightly --bg v --interval 0.1 -q")
    tasks = watched("x = %bits_tasks --stop w --stop v -q\nx")
    assert [task.name for task in tasks] == ["w", "v"]
    for line, kind in [
        ("%bits_tasks -q", type(tasks)),
        ("%bits_wait w -q", WatchResult),
        ("%bits_wait -q", tuple),
    ]:
        with capture_output() as captured:
            value = watched(line)
        assert isinstance(value, kind), line
        assert captured.outputs == [], line
        assert len(captured.stdout.splitlines()) <= 1, line  # what stands behind `Out`
    with capture_output() as captured:
        watched("%bits_tasks -q --into kept")
        watched("kept")
    assert "w: stopped, 1 job" in captured.stdout


def test_a_quiet_plot_is_returned_and_not_shown(watched: Run) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is no dependency")
    with capture_output() as captured:
        assert isinstance(watched("%bits_plot w -q"), Plot)
    assert captured.outputs == []


def test_a_watch_is_looked_up_in_the_list_by_position_and_by_name(watched: Run) -> None:
    tasks = watched("%bits_tasks -q")
    assert tasks["w"] is tasks[0]
    with pytest.raises(errors.LookupFailed, match="there is no watch 'nope' here") as caught:
        tasks["nope"]
    assert isinstance(caught.value, KeyError)
    assert "there are: w" in str(caught.value)


def test_a_list_without_watches_says_how_one_is_begun(run: Run) -> None:
    with pytest.raises(KeyError, match="--bg NAME"):
        run("%bits_tasks -q")["w"]
