"""A watch in a thread of its own: how it ends, and what it has then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bitsshell.api import AllFailed, WatchResult
from bitsshell.api.background import BackgroundWatch
from bitsshell.fleet.clock import SystemClock
from bitsshell.results import Frame, Report, Summary, View, WatchRow
from bitsshell.session import Session

if TYPE_CHECKING:
    from consoles import Site

    from bitsshell.api import Connection

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class BrokenClock(SystemClock):
    """A clock that tells the time of day, and counts no seconds."""

    def monotonic(self) -> float:
        raise RuntimeError("it stands still")


def first_look(*rows: WatchRow) -> WatchResult:
    frame = Frame(rows, as_of=NOW)
    report = Report("watch", View.WATCH, (), Summary(verb="watch"), last_frame=frame)
    return WatchResult(report, NOW)


def ended(watch: BackgroundWatch) -> BackgroundWatch:
    """The same watch, begun and over."""
    watch.start()
    assert watch.wait(30)
    return watch


def test_a_defect_in_its_thread_is_the_problem_of_the_watch() -> None:
    session = Session(clock=BrokenClock())
    watch = ended(BackgroundWatch("w", session, ["watch", "x"], first=first_look()))
    problem = watch.problem
    assert isinstance(problem, AllFailed)
    assert str(problem).startswith("internal error (RuntimeError: it stands still)\nnext: ")
    assert isinstance(problem.__cause__, RuntimeError)
    assert isinstance(problem.result, WatchResult)
    assert problem.result._repr_mimebundle_()["text/plain"].startswith("stopped, as of")


def test_what_cannot_even_begin_is_the_problem_of_the_watch() -> None:
    watch = ended(BackgroundWatch("w", Session(), ["watch", "--nonsense"], first=first_look()))
    assert "there is no option --nonsense" in str(watch.problem)
    assert watch.answer._repr_mimebundle_()["text/plain"].startswith("stopped, as of")


def test_stopped_before_it_saw_anything_a_watch_has_what_its_first_look_saw(
    bits: Connection, site: Site
) -> None:
    here = {"host": site.host.endpoint}
    bits.create(site.url, r"C:\in\a.bin", suspended=True, name="nightly", **here)
    seen = WatchRow(bits.jobs(**here).one())
    words = ["watch", "nightly", "--host", site.host.endpoint]
    watch = BackgroundWatch("w", bits.session, words, first=first_look(seen))
    site.host.faults.arm("hang", times=1)
    watch.start()
    while site.host.faults.armed:
        assert not watch.is_over
    watch.stop()
    assert watch.wait(30)
    assert (watch.problem, watch.is_stopped) == (None, True)
    assert watch.answer.frame == Frame((seen,), as_of=NOW, is_final=True, is_stopped=True)
