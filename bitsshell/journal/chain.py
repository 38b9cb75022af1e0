"""Events in a chain of hashes, and entries made from them.

Every session writes one chain: the hash of an event is SHA-256 over the hash of the event before
it and the event itself as canonical JSON (sorted keys, no blanks, UTF-8). Whoever knows the last
hash, the root, can tell whether anything before it was changed, added or taken away.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bitsshell.results.entries import Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bitsshell.journal.protocol import Draft

BEGIN, EXTEND, OUTCOME, END, WHOLE, OUTPUT = (
    "begin", "extend", "outcome", "end", "whole", "output",
)  # fmt: skip
"""What events say: an intent, more of it, an outcome, the end; an entry at once; what was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that was written. `body` is ready for JSON, `at` ISO 8601 in UTC.

    `sequence` counts the events of the session, from 1; `previous` and `hash` are hexadecimal.
    """

    session: str
    sequence: int
    entry: int
    kind: str
    at: str
    body: Mapping[str, Any]
    previous: str
    hash: str

    def computed(self) -> str:
        """The hash that it must have."""
        return event_hash(self, self.previous)


def event_hash(event: Event, previous: str) -> str:
    """The hash of an event behind another one's."""
    said = {
        "session": event.session,
        "sequence": event.sequence,
        "entry": event.entry,
        "kind": event.kind,
        "at": event.at,
        "body": event.body,
    }
    return hashlib.sha256(f"{previous}{canonical_json(said)}".encode()).hexdigest()


def linked(
    previous: Event | None, *, session: str, entry: int, kind: str, at: str, body: Mapping[str, Any]
) -> Event:
    """The next event of a session."""
    before = "" if previous is None else previous.hash
    sequence = 1 if previous is None else previous.sequence + 1
    bare = Event(
        session=session, sequence=sequence, entry=entry, kind=kind, at=at, body=body,
        previous=before, hash="",
    )  # fmt: skip
    return Event(
        session=session, sequence=sequence, entry=entry, kind=kind, at=at, body=body,
        previous=before, hash=event_hash(bare, before),
    )  # fmt: skip


def canonical_json(value: Any) -> str:
    """A value as the one JSON text for it."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # Half of a surrogate pair, which a host's name may hold, has no UTF-8.
    return text.encode("utf-8", errors="backslashreplace").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What came of checking a chain. `problem` is None where all is as it was written."""

    session: str
    events: int
    root: str
    problem: str | None = None


def verified(session: str, events: Iterable[Event]) -> Verified:
    """Check one chain from its beginning."""
    root, count = "", 0
    for count, event in enumerate(events, 1):
        where = f"event {count} of session {session} (entry {event.entry})"
        if event.sequence > count:
            problem = f"{where}: {event.sequence - count} before it are missing"
        elif event.sequence < count:
            problem = f"{where} is not as it was written: it is numbered {event.sequence}"
        elif event.previous != root:
            problem = f"{where} does not follow the one before it"
        elif event.hash != event.computed():
            problem = f"{where} is not as it was written"
        else:
            root = event.hash
            continue
        return Verified(session=session, events=count, root=root, problem=problem)
    return Verified(session=session, events=count, root=root)


# Entries


def draft_body(draft: Draft) -> dict[str, Any]:
    """What an event says of an entry that begins; what is empty is left out."""
    said = {
        "user": draft.user,
        "front": draft.front,
        "kind": draft.kind.value,
        "run": draft.run,
        "step": draft.step,
        "typed": draft.typed,
        "words": list(draft.words),
        "hosts": list(draft.hosts),
        "effect": draft.effect,
        "what_if": draft.is_what_if,
        "plan": draft.plan,
        "data": draft.data,
        "pid": draft.pid,
        "machine": draft.machine,
    }
    return {key: value for key, value in said.items() if value not in (None, [], "", False)}


def folded_entry(events: Sequence[Event], *, is_alive: bool) -> Entry | None:
    """The entry that events, in order, are about; None where its beginning is not among them."""
    if not events or events[0].kind not in {BEGIN, WHOLE}:
        return None
    first, body = events[0], dict(events[0].body)
    outcomes = list(body.get("outcomes", ()))
    for event in events[1:]:
        match event.kind:
            case "extend":
                body["plan"] = _with_steps(body.get("plan"), event.body["plan"])
            case "outcome":
                outcomes.append(event.body)
            case "end":
                body |= event.body
            case _:
                body["output"] = event.body["output"]
    ended_at = body.get("ended_at")
    return Entry(
        number=first.entry,
        session=first.session,
        at=moment(first.at),
        ended_at=None if ended_at is None else moment(ended_at),
        user=body.get("user", ""),
        front=body.get("front", ""),
        kind=EntryKind(body.get("kind", EntryKind.COMMAND)),
        run=body.get("run"),
        step=body.get("step"),
        typed=body.get("typed", ""),
        words=tuple(body.get("words", ())),
        hosts=tuple(body.get("hosts", ())),
        effect=body.get("effect", "read"),
        is_what_if=body.get("what_if", False),
        plan=body.get("plan"),
        outcomes=tuple(outcomes),
        summary=body.get("summary"),
        error=body.get("error"),
        output=body.get("output"),
        data=body.get("data"),
        pid=body.get("pid", 0),
        machine=body.get("machine", ""),
        is_alive=is_alive and ended_at is None,
    )


def _with_steps(plan: Mapping[str, Any] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    if plan is None:
        return dict(more)
    return {**plan, "steps": [*plan.get("steps", ()), *more.get("steps", ())]}


def stamp(at: datetime) -> str:
    """A moment as events carry it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The moment of an event. Raises ValueError where it is none, or says no time zone."""
    at = datetime.fromisoformat(text)
    if at.utcoffset() is None:
        raise ValueError(f"{text} is in no time zone")
    return at
