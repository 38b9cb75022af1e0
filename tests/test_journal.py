"""What was done, written down before and after."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from bitsshell.bits import ChangeState, JobAction
from bitsshell.journal import Entry, MemoryJournal
from bitsshell.results import Ending, Outcome, Plan, Step, Summary

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = Plan("resume", (Step("a", ChangeState("1", JobAction.RESUME)),))


def begun(journal: MemoryJournal, command: str = "resume 1") -> int:
    return journal.intend(at=NOW, user="ann", command=command, plan=PLAN)


def test_an_entry_stands_before_anything_is_sent() -> None:
    journal = MemoryJournal()
    assert journal.entries() == ()
    number = begun(journal)
    assert journal.entries() == (
        Entry(number=number, at=NOW, user="ann", command="resume 1", plan=PLAN),
    )


def test_outcomes_are_added_as_they_come_and_the_summary_in_the_end() -> None:
    journal = MemoryJournal()
    number = begun(journal)
    journal.record(number, Outcome(host="a"))
    (before,) = journal.entries()
    journal.record(number, Outcome(host="b"))
    journal.close(number, Summary(verb="resume", well=2))
    (after,) = journal.entries()
    assert [outcome.host for outcome in before.outcomes] == ["a"], "what was read does not change"
    assert [outcome.host for outcome in after.outcomes] == ["a", "b"]
    assert after.summary == Summary(verb="resume", well=2)


def test_an_entry_that_was_cut_off_has_no_summary() -> None:
    journal = MemoryJournal()
    cut_off, whole = begun(journal, "one"), begun(journal, "two")
    journal.record(cut_off, Outcome(host="a"))
    journal.close(whole, Summary(verb="resume", ending=Ending.INTERRUPTED))
    first, second = journal.entries()
    assert (first.command, first.summary, len(first.outcomes)) == ("one", None, 1)
    assert second.summary is not None
    assert [entry.number for entry in journal.entries() if entry.summary is None] == [cut_off]


def test_entries_come_in_the_order_in_which_they_were_begun() -> None:
    journal = MemoryJournal()
    numbers = [begun(journal, str(number)) for number in range(5)]
    for number in reversed(numbers):
        journal.close(number, Summary(verb="x"))
    assert [entry.number for entry in journal.entries()] == numbers == sorted(set(numbers))


def test_several_threads_may_write_at_once() -> None:
    journal = MemoryJournal()
    together = threading.Barrier(8, timeout=20)

    def work(thread: int) -> None:
        together.wait()
        for _ in range(50):
            number = begun(journal, str(thread))
            for host in ("a", "b"):
                journal.record(number, Outcome(host=f"{thread}{host}"))
            journal.close(number, Summary(verb="x"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = journal.entries()
    assert [entry.number for entry in entries] == list(range(1, 401))
    for entry in entries:
        assert [outcome.host for outcome in entry.outcomes] == [
            f"{entry.command}a",
            f"{entry.command}b",
        ]
        assert entry.summary is not None
