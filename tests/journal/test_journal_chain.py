"""What was done, written down before and after: the same in memory and in a file."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from journal_things import MADE, NOW, STEP, WELL, draft, look

from bitsshell.errors import UsageError
from bitsshell.journal import Ended, EntryKind, MemoryJournal, Wanted, started_jobs
from bitsshell.journal.chain import canonical_json, linked, verified
from bitsshell.journal.database import DatabaseJournal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bitsshell.journal import Journal

LATER = NOW + timedelta(seconds=3)


@pytest.fixture(params=["memory", "file", "no WAL"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    path = tmp_path / "deep" / "journal.sqlite"
    opened: Journal
    match request.param:
        case "memory":
            opened = MemoryJournal()
        case "file":
            opened = DatabaseJournal(str(path))
        case _:
            opened = DatabaseJournal(f"file:{path.as_posix()}?vfs=unix-dotfile")
    yield opened
    opened.close()


def test_a_journal_that_was_never_written_is_empty(journal: Journal) -> None:
    assert journal.entries() == ()
    assert journal.entry(1) is None
    assert list(journal.events()) == []
    assert (journal.root(), journal.sessions(), journal.verify()) == ("", [], [])
    assert journal.standing().entries == 0


def test_an_intent_stands_before_anything_is_sent(journal: Journal) -> None:
    number = journal.begin(draft("create x"))
    (entry,) = journal.entries()
    assert entry == journal.entry(number)
    assert (entry.typed, entry.user, entry.front) == ("create x", "ann", "shell")
    assert (entry.at, entry.ended_at, entry.summary) == (NOW, None, None)
    assert entry.plan is not None
    assert entry.plan["steps"] == [STEP]
    assert entry.ended is Ended.RUNNING, "this process is alive"


def test_outcomes_are_added_as_they_come_and_the_summary_in_the_end(journal: Journal) -> None:
    number = journal.begin(draft())
    journal.record(number, MADE)
    before = journal.entry(number)
    journal.record(number, {**MADE, "host": "web02"})
    journal.end(number, LATER, summary=WELL)
    after = journal.entry(number)
    assert before is not None
    assert after is not None
    assert [outcome["host"] for outcome in before.outcomes] == ["web01"]
    assert [outcome["host"] for outcome in after.outcomes] == ["web01", "web02"]
    assert (after.summary, after.ended, after.elapsed_s) == (WELL, Ended.WELL, 3.0)


def test_what_more_is_meant_joins_the_plan(journal: Journal) -> None:
    number = journal.begin(draft())
    more = {**STEP, "operation": "ChangeState", "job_id": "1"}
    journal.extend(number, {"verb": "transfer", "steps": [more]})
    entry = journal.entry(number)
    assert entry is not None
    assert entry.plan is not None
    assert entry.plan["steps"] == [STEP, more]


def test_a_look_is_one_event(journal: Journal) -> None:
    number = journal.write(look(), LATER, summary=WELL)
    (event,) = journal.events()
    assert (event.entry, event.kind) == (number, "whole")
    entry = journal.entry(number)
    assert entry is not None
    assert (entry.ended, entry.is_change, entry.verb) == (Ended.WELL, False, "jobs")


def test_what_was_shown_is_kept_with_its_entry(journal: Journal) -> None:
    number = journal.write(look(), LATER, summary=WELL)
    journal.attach(number, {"text/plain": "1 job"})
    entry = journal.entry(number)
    assert entry is not None
    assert entry.output == {"text/plain": "1 job"}


@pytest.mark.parametrize(
    ("ending", "ended"),
    [
        ({"summary": WELL}, Ended.WELL),
        ({"summary": {**WELL, "failed": 1}}, Ended.FAILED),
        ({"summary": {**WELL, "unknown": 1}}, Ended.FAILED),
        ({"summary": {**WELL, "not_sent": 1}}, Ended.FAILED),
        ({"summary": {**WELL, "unmet": 1}}, Ended.UNMET),
        ({"summary": {**WELL, "ending": "time limit"}}, Ended.UNMET),
        ({"summary": {**WELL, "ending": "interrupted", "failed": 1}}, Ended.INTERRUPTED),
        ({"summary": {**WELL, "ending": "declined"}}, Ended.DECLINED),
        ({"error": {"message": "no"}}, Ended.FAILED),
        ({}, Ended.WELL),
    ],
)
def test_an_entry_says_how_it_ended(journal: Journal, ending: dict, ended: Ended) -> None:
    number = journal.write(look(), LATER, **ending)
    entry = journal.entry(number)
    assert entry is not None
    assert entry.ended is ended


def test_an_entry_of_a_process_that_is_gone_was_cut_off(journal: Journal) -> None:
    for number in (journal.begin(draft(pid=2**22 + 1)), journal.begin(draft(machine="elsewhere"))):
        entry = journal.entry(number)
        assert entry is not None
        assert entry.ended is Ended.CUT_OFF


def test_a_process_of_somebody_else_is_there_all_the_same(journal: Journal) -> None:
    """The system's first one; unless we are its superuser, it may not be asked anything."""
    first = 4 if sys.platform == "win32" else 1
    entry = journal.entry(journal.begin(draft(pid=first)))
    assert entry is not None
    assert entry.ended is Ended.RUNNING


def test_entries_are_chosen(journal: Journal) -> None:
    journal.write(look("jobs", hosts=("web01", "web02")), LATER, summary=WELL)
    changed = journal.begin(draft("create x", run="r1"))
    journal.record(changed, MADE)
    journal.end(changed, LATER, summary={**WELL, "failed": 1})
    journal.write(look("", kind=EntryKind.NOTE, data={"text": "hm"}, at=LATER, hosts=()), LATER)

    def found(**wanted: object) -> list[int]:
        return [entry.number for entry in journal.entries(Wanted(**wanted))]  # type: ignore[arg-type]

    assert found() == [1, 2, 3]
    assert found(limit=2) == [2, 3]
    assert found(changes=True) == [2]
    assert found(failed=True) == [2]
    assert found(run="r1") == [2]
    assert found(run="r") == []
    assert found(hosts=("WEB02",)) == [1]
    assert found(hosts=("web02", "web01")) == [1, 2]
    assert found(since=LATER) == [3]
    assert found(kinds=(EntryKind.NOTE,)) == [3]
    assert found(numbers=(2, 9), limit=1) == [3]
    assert found(job="Nightly") == found(job="7P4N0C2R9K") == found(job="{1}") == [2]
    assert found(session=journal.session[:6].upper()) == [1, 2, 3]
    assert found(session="nobody") == []


def test_since_when_is_a_moment_with_a_time_zone(journal: Journal) -> None:
    journal.write(look(), LATER)
    with pytest.raises(UsageError, match="no time zone") as caught:
        journal.entries(Wanted(since=NOW.replace(tzinfo=None)))
    assert "astimezone" in (caught.value.hint or "")
    assert len(journal.entries(Wanted(since=NOW.astimezone()))) == 1


def test_several_threads_may_write_at_once(journal: Journal) -> None:
    together = threading.Barrier(4, timeout=20)

    def work(thread: int) -> None:
        together.wait()
        for _ in range(5):
            number = journal.begin(draft(str(thread)))
            for host in ("a", "b"):
                journal.record(number, {**MADE, "host": f"{thread}{host}"})
            journal.end(number, LATER, summary=WELL)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = journal.entries()
    assert [entry.number for entry in entries] == list(range(1, 21))
    for entry in entries:
        assert [outcome["host"] for outcome in entry.outcomes] == [
            f"{entry.typed}a",
            f"{entry.typed}b",
        ]
        assert entry.ended is Ended.WELL
    (chain,) = journal.verify()
    assert (chain.events, chain.problem, chain.root) == (80, None, journal.root())


# The chain


def test_a_root_stands_for_all_that_is_before_it(journal: Journal) -> None:
    roots = []
    for number in range(3):
        journal.write(look(f"jobs {number}"), LATER)
        roots.append(journal.root())
    assert len(set(roots)) == 3
    events = list(journal.events())
    assert [event.hash for event in events] == roots
    assert [event.previous for event in events] == ["", *roots[:-1]]


def test_every_tampering_is_found(journal: Journal) -> None:
    for number in range(4):
        journal.write(look(f"jobs {number}"), LATER)
    events = list(journal.events())
    assert verified("s", events).problem is None
    for at, event in enumerate(events):
        for changed in (
            replace(event, body={**event.body, "typed": "cancel *"}),
            replace(event, at="2026-01-01T00:00:00Z"),
            replace(event, entry=event.entry + 1),
            replace(event, sequence=event.sequence - 1),
            replace(event, sequence=event.sequence + 1),
            replace(event, kind="begin"),
            replace(event, session="another"),
            replace(event, previous="0" * 64),
        ):
            found = verified("s", [*events[:at], changed, *events[at + 1 :]])
            assert found.problem is not None
            assert f"event {at + 1} of" in found.problem
        gone = [*events[:at], *events[at + 1 :]]
        is_last = at == len(events) - 1
        assert (verified("s", gone).problem is None) is is_last, (
            "an end is missed by its root alone"
        )
        assert verified("s", gone).root != events[-1].hash


def test_an_event_is_hashed_as_written_here() -> None:
    """The form is a promise: evidence that was kept must stay checkable."""
    event = linked(None, session="s", entry=1, kind="whole", at="t", body={"b": "ä", "a": [1]})
    assert canonical_json({"b": "ä", "a": [1]}) == '{"a":[1],"b":"ä"}'
    said = '{"at":"t","body":{"a":[1],"b":"ä"},"entry":1,"kind":"whole","sequence":1,"session":"s"}'
    assert event.hash == hashlib.sha256(said.encode()).hexdigest()
    assert linked(event, session="s", entry=2, kind="end", at="t", body={}).previous == event.hash
    assert json.loads(canonical_json({"x": "\ud800"})) == {"x": "\ud800"}


# What is open


def test_a_job_is_open_until_it_is_completed_or_cancelled(journal: Journal) -> None:
    number = journal.begin(draft())
    journal.record(number, MADE)
    journal.end(number, LATER, summary=WELL)
    (job,) = started_jobs(journal.entries())
    assert (job.host, job.job_id, job.name, job.what) == ("web01", "1", "nightly", "created")
    assert job.is_sure
    step = {**STEP, "operation": "ChangeState", "job_id": "1", "reference": None}
    number = journal.begin(draft("complete 1", plan={"effect": "change", "steps": [step]}))
    journal.record(number, {**MADE, "state": "ACKNOWLEDGED"})
    journal.end(number, LATER, summary=WELL)
    assert started_jobs(journal.entries()) == ()


def test_a_creation_that_failed_left_nothing(journal: Journal) -> None:
    number = journal.begin(draft())
    journal.record(number, {"host": "web01", "job_id": None, "status": "failed"})
    journal.end(number, LATER, summary={**WELL, "failed": 1})
    assert started_jobs(journal.entries()) == ()


@pytest.mark.parametrize("outcome", [None, {**MADE, "job_id": None, "status": "unknown"}])
def test_a_creation_without_an_answer_is_open_and_not_sure(
    journal: Journal, outcome: dict | None
) -> None:
    number = journal.begin(draft(pid=2**22 + 1))
    if outcome is not None:
        journal.record(number, outcome)
        journal.end(number, LATER, summary={**WELL, "unknown": 1})
    (job,) = started_jobs(journal.entries())
    assert (job.job_id, job.reference, job.is_sure) == (None, "7P4N0C2R9K", False)
    assert job.what == ("no answer" if outcome else "cut off") + ": create job 'nightly'"


def test_what_was_only_shown_or_refused_is_not_open(journal: Journal) -> None:
    journal.write(draft(effect="read", is_what_if=True), LATER, summary=WELL)
    journal.write(draft(effect="read"), LATER, error={"message": "nobody can be asked"})
    assert started_jobs(journal.entries()) == ()
