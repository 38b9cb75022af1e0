"""Sentences about a whole command: how it ended, and counts."""

from __future__ import annotations

from bitsshell.render.text import folded_names
from bitsshell.render.units import elapsed
from bitsshell.results import Ending, Summary


def ending_line(summary: Summary) -> str | None:
    """What a person must know of a command that did not run to its end, else None."""
    match summary.ending:
        case Ending.INTERRUPTED:
            return f"interrupted: {counts(summary)}" if _total(summary) else "interrupted"
        case Ending.TIME_LIMIT:
            return f"time limit reached after {elapsed(summary.elapsed_s)}: {counts(summary)}"
        case _:
            return None


def counts_line(summary: Summary) -> str | None:
    """`resume: 3 done, 1 failed in 0.4 s`, for more than one pair; else None.

    Nor of a change that was declined, when there is no more to say than that nothing was sent.
    """
    is_declined = summary.ending is Ending.DECLINED and summary.not_sent == _total(summary)
    if _total(summary) < 2 or is_declined:
        return None
    return f"{summary.verb}: {counts(summary)} in {elapsed(summary.elapsed_s)}"


def _total(summary: Summary) -> int:
    return summary.well + summary.failed + summary.not_sent + summary.unknown + summary.unmet


def counts(summary: Summary) -> str:
    """`3 done, 1 failed, 2 not sent`: only what there is."""
    parts = [
        (summary.well, "done"),
        (summary.failed, "failed"),
        (summary.unmet, "not met" if summary.verb == "check" else "not there yet"),
        (summary.unknown, "unknown"),
        (summary.not_sent, "not sent"),
    ]
    return ", ".join(f"{number:,} {word}" for number, word in parts if number) or "nothing done"


def partial_line(hosts: list[str]) -> str:
    """Said of hosts whose queue could not be enumerated (`JobList.partial`)."""
    return f"{folded_names(hosts)}: only known jobs, the whole queue cannot be read"
