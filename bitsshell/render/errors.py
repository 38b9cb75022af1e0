"""Errors for people: one to three clean lines each, and equal ones of many hosts folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.render.text import clip, folded_names, prose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bitsshell.bits import Explanation, JobError
    from bitsshell.errors import BitsShellError

_LINES_OF_SCREEN = 5
_LEAST_WIDTH = 80
_MAX_LINES = 3


def error_lines(error: BitsShellError, width: int = 80) -> list[str]:
    """What happened and where, then what to do next: one to three lines, neutralised.

    A line may wrap (a remedy that is cut off helps nobody), but what a host says cannot fill the
    screen: each is clipped to five times the width.
    """
    lines = [prose(line) for line in error.lines()]
    return [_clipped(line, width) for line in lines if line][:_MAX_LINES]


def folded_error_lines(errors: Iterable[BitsShellError], width: int = 80) -> list[str]:
    """Many errors, those that say the same of several hosts once: `srv01, srv02, … (18): text`."""
    groups: dict[tuple[str, str | None, str | None], list[BitsShellError]] = {}
    for error in errors:
        groups.setdefault((error.what(), error.hint, error.job), []).append(error)
    lines: list[str] = []
    for (what, hint, job), members in groups.items():
        hosts = list(dict.fromkeys(member.host for member in members if member.host))
        if len(hosts) < 2:
            lines.extend(error_lines(members[0], width))
            continue
        where = folded_names(hosts) + (f", job {prose(job)}" if job else "")
        lines.append(_clipped(f"{where}: {prose(what)}", width))
        if hint:
            lines.append(_clipped(f"next: {prose(hint)}", width))
    return lines


def job_error_lines(error: JobError, width: int = 80) -> list[str]:
    """What BITS says of a job: the code with its meaning, the context, then what to do."""
    known = error.explanation
    meaning = prose(known.meaning or error.description) or "no table explains this code"
    context = error.context.name
    said = prose(error.context_description)
    lines = [f"{known.title}: {meaning}", f"context: {context}" + (f" ({said})" if said else "")]
    if known.remedy:
        lines.append(f"next: {prose(known.remedy)}")
    return [_clipped(line, width) for line in lines]


def explanation_pairs(known: Explanation) -> list[tuple[str, str]]:
    """A code as names and values."""
    return [
        ("code", f"{known.hex} ({known.code})"),
        ("symbol", known.symbol or "-"),
        ("meaning", prose(known.meaning) or "no table explains this code"),
        ("remedy", prose(known.remedy) or "-"),
    ]


def warning_line(known: Explanation) -> str:
    """A success that carries a warning."""
    return f"warning: {known.title}. {prose(known.meaning)}".rstrip(". ")


def _clipped(line: str, width: int) -> str:
    return clip(line, max(width, _LEAST_WIDTH) * _LINES_OF_SCREEN)
