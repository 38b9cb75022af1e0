"""What was done: entries of the journal as a table, in full, and what of it is still open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bitsshell.folding import folded
from bitsshell.render import units
from bitsshell.render.grid import block_lines
from bitsshell.render.paint import DIM, GREEN, RED, YELLOW, painted
from bitsshell.render.text import NOTHING, counted, neutral, prose
from bitsshell.results.entries import Ended, Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitsshell.results.entries import Record, StartedJob

_SGR = {
    Ended.WELL: GREEN,
    Ended.FAILED: RED,
    Ended.CUT_OFF: RED,
    Ended.UNMET: YELLOW,
    Ended.INTERRUPTED: YELLOW,
    Ended.RUNNING: YELLOW,
    Ended.DECLINED: DIM,
}


def entry_sgr(entry: Entry) -> str | None:
    """The colour of how an entry stands."""
    return _SGR[entry.ended]


def command_text(entry: Entry) -> str:
    """What an entry is about, on one line: as typed, else in its own words."""
    data = entry.data or {}
    match entry.kind:
        case EntryKind.COMMAND | EntryKind.REFUSED:
            return entry.typed or " ".join(entry.words)
        case EntryKind.NOTE:
            return f"note: {data.get('text', '')}"
        case EntryKind.APPROVAL:
            return f"approval {data.get('name', '')}: {data.get('claimed_by') or 'nobody'}"
        case EntryKind.CHECK:
            return entry.typed or f"check: {data.get('title', '')}"


def hosts_text(entry: Entry) -> str:
    """The hosts, folded."""
    return ",".join(folded(entry.hosts))


def counts_text(summary: Record | None) -> str:
    """`3 well, 1 failed`; nothing where nothing was counted."""
    if summary is None:
        return ""
    words = ("well", "failed", "not_sent", "unknown", "unmet")
    return ", ".join(
        f"{summary[word]} {word.replace('_', ' ')}" for word in words if summary.get(word)
    )


def entries_footer(entries: Sequence[Entry]) -> str:
    """`12 entries of 2 sessions: 3 failed`."""
    sessions = len({entry.session for entry in entries})
    text = f"{counted(len(entries), 'entry', 'entries')} of {counted(sessions, 'session')}"
    bad = [entry for entry in entries if entry.ended in {Ended.FAILED, Ended.CUT_OFF}]
    return f"{text}: {len(bad)} failed or cut off" if bad else text


def started_footer(rows: Sequence[StartedJob]) -> str:
    """`3 jobs on 2 hosts, 1 not sure`."""
    hosts = len({row.host for row in rows})
    unsure = sum(not row.is_sure for row in rows)
    text = f"{counted(len(rows), 'open end')} on {counted(hosts, 'host')}"
    return f"{text}, {unsure} of them not sure" if unsure else text


def entry_lines(entries: Sequence[Entry], *, width: int, colour: bool = False) -> list[str]:
    """Entries in full: what was meant, step by step, and what came of it."""
    lines: list[str] = []
    for entry in entries:
        lines += [*_head(entry, colour), *_plan_lines(entry), *_outcome_lines(entry, colour), ""]
        if entry.output is not None:
            text = str(entry.output.get("text/plain", ""))
            lines[-1:] = ["  shown:", *(f"    {prose(line)}" for line in text.splitlines()), ""]
    del width  # what was done is never cut
    return lines[:-1]


def _head(entry: Entry, colour: bool) -> list[str]:
    took = NOTHING if entry.elapsed_s is None else units.elapsed(entry.elapsed_s)
    status = painted(entry.ended.value, _SGR[entry.ended], colour=colour)
    counts = counts_text(entry.summary)
    pairs = [
        ("entry", f"{entry.number}, {entry.kind}{', what-if' if entry.is_what_if else ''}"),
        ("status", f"{status}{f' ({counts})' if counts else ''}"),
        ("at", f"{units.timestamp(entry.at)}, took {took}"),
        ("by", f"{neutral(entry.user)}, {neutral(entry.front)}, session {entry.session}"),
    ]
    if entry.run:
        step = f", step {neutral(entry.step)}" if entry.step else ""
        pairs.append(("run", f"{neutral(entry.run)}{step}"))
    if entry.typed:
        pairs.append(("typed", neutral(entry.typed)))
    if entry.words:
        pairs.append(("command", neutral(" ".join(map(_quoted, entry.words)))))
    if entry.hosts:
        pairs.append(("hosts", neutral(hosts_text(entry))))
    if entry.data:
        pairs += [(neutral(str(key)), neutral(str(value))) for key, value in entry.data.items()]
    if entry.error is not None:
        pairs.append(("error", prose(str(entry.error.get("message", "")))))
    return block_lines(pairs)


def _plan_lines(entry: Entry) -> list[str]:
    plan = entry.plan
    if plan is None:
        return []
    lines = [f"  meant ({plan.get('effect', 'read')}):"]
    lines += [
        f"    {neutral(step['host'])}: {prose(step['description'])}"
        for step in plan.get("steps", ())
    ]
    if plan.get("policy"):
        lines.append(f"    then {prose(plan['policy'])}")
    return lines if len(lines) > 1 else []


def _outcome_lines(entry: Entry, colour: bool) -> list[str]:
    if not entry.outcomes:
        return []
    return ["  came of it:", *(f"    {_outcome_line(one, colour)}" for one in entry.outcomes)]


def _outcome_line(outcome: Record, colour: bool) -> str:
    status = str(outcome["status"]).replace("_", " ")
    is_well = status in {"done", "already", "planned"}
    parts = [painted(status, GREEN if is_well else RED, colour=colour)]
    name, job_id = outcome.get("job_name"), outcome.get("job_id")
    if name or job_id:
        parts.append(neutral(f"{name or ''} {job_id or ''}".strip()))
    if outcome.get("state"):
        parts.append(str(outcome["state"]))
    error: Any = outcome.get("error")
    if error:
        parts.append(prose(str(error["message"])))
    return f"{neutral(outcome['host'])}: {', '.join(parts)}"


def _quoted(word: str) -> str:
    return f"'{word}'" if not word or any(c.isspace() for c in word) else word
