"""What a step is called, and what is said of it in prose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bitsshell.commands import VERBS
from bitsshell.render.messages import counts
from bitsshell.render.text import folded_names, neutral
from bitsshell.render.units import elapsed, time_of_day
from bitsshell.results import Summary
from bitsshell.results.entries import Ended, EntryKind

if TYPE_CHECKING:
    from bitsshell.results.entries import Entry

_TITLES = {
    "add": "Add files to the job",
    "approve": "Get a person's approval",
    "cancel": "Cancel the job",
    "check": "Check what must be so",
    "complete": "Complete the job",
    "create": "Create the job",
    "doctor": "Find out what is wrong",
    "explain": "Explain what went wrong",
    "files": "List the files of the job",
    "hosts": "Look at the hosts",
    "jobs": "List the jobs",
    "manage": "Stay with the job to its end",
    "resume": "Resume the job",
    "set": "Change the job's properties",
    "show": "Show the job in full",
    "suspend": "Suspend the job",
    "transfer": "Transfer the files",
    "use": "Choose the hosts",
    "wait": "Wait for the job",
    "watch": "Watch the job",
}

_JOB = re.compile(r"\bthe job\b(?!')")

_ENDINGS = {
    Ended.INTERRUPTED: "interrupted",
    Ended.DECLINED: "the answer was no, nothing was sent",
    Ended.RUNNING: "it had not ended",
    Ended.CUT_OFF: "its end was not recorded",
}


def title_of(verb: str, job: str = "") -> str:
    """What a step with this verb is called, with the job that it is about."""
    command = VERBS.get(verb)
    if verb in _TITLES or command is None:
        title = _TITLES.get(verb, "A line that was not understood")
    else:
        title = (command.help or verb).splitlines()[0].rstrip(".")
    return _JOB.sub(lambda found: f"{found[0]} {job}", title, count=1) if job else title


def code(text: str) -> str:
    """A text as inline code of Markdown: nothing in it means anything there."""
    bare = neutral(text)
    longest = max(map(len, re.findall("`+", bare)), default=0)
    fence = "`" * (longest + 1)
    blank = " " if bare.startswith("`") or bare.endswith("`") else ""
    return f"{fence}{blank}{bare}{blank}{fence}"


def outcome_of(entry: Entry) -> str:
    """When it was recorded, where, and what came of it."""
    hosts = f" on {code(folded_names(entry.hosts))}" if entry.hosts else ""
    took = "" if entry.elapsed_s is None else f" in {elapsed(entry.elapsed_s)}"
    return f"*Recorded at {time_of_day(entry.at)}{hosts}: {_ending(entry)}{took}.*"


def _ending(entry: Entry) -> str:
    if entry.kind is EntryKind.REFUSED:
        return "not understood"
    if entry.error is not None:
        return "it failed"
    if entry.ended in _ENDINGS:
        return _ENDINGS[entry.ended]
    if entry.is_what_if:
        return "only planned, nothing sent"
    summary = entry.summary or {}
    if not entry.is_change and entry.ended is Ended.WELL:
        return "answered"
    well, failed, not_sent, unknown, unmet = (int(summary.get(name) or 0) for name in _COUNTS)
    return counts(
        Summary(
            verb=entry.verb,
            well=well,
            failed=failed,
            not_sent=not_sent,
            unknown=unknown,
            unmet=unmet,
        )
    )


_COUNTS = ("well", "failed", "not_sent", "unknown", "unmet")
