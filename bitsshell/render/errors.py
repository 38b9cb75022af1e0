"""Errors for people: one to three clean lines each, and equal ones of many hosts folded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bitsshell.folding import natural
from bitsshell.known_secrets import scrub
from bitsshell.render.text import clip, folded_names, prose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bitsshell.bits import Explanation, JobError
    from bitsshell.errors import BitsShellError
    from bitsshell.results import Outcome

_LINES_OF_SCREEN = 5
_LEAST_WIDTH = 80
_MAX_LINES = 3
_MANY_HOSTS = 4
"""So many a person does not want to read one by one."""


def error_lines(error: BitsShellError, width: int = 80) -> list[str]:
    """What happened and where, then what to do next: one to three lines, neutralised.

    A line may wrap (a remedy that is cut off helps nobody), but what a host says cannot fill the
    screen: each is clipped to five times the width.
    """
    lines = [prose(line) for line in error.lines()]
    return [_clipped(line, width) for line in lines if line][:_MAX_LINES]


def folded_error_lines(errors: Iterable[BitsShellError], width: int = 80) -> list[str]:
    """Many errors, those that say the same of several hosts once: `srv01, srv02, … (18): text`.

    Those of many hosts that differ only in the host's own name or address say the same, too: it is
    HOST then, and what to do is left out where it is another for each. In the order of the hosts.
    """
    lines: list[str] = []
    in_order = sorted(errors, key=lambda error: natural(error.host or ""))
    for (what, hint), members in _same(in_order).items():
        hosts = list(dict.fromkeys(member.host for member in members if member.host))
        jobs = list(dict.fromkeys(member.job for member in members))
        if len(hosts) < 2:  # which jobs of one host it was, a person wants to know
            distinct = {member.job: member for member in members}.values()
            lines.extend(line for member in distinct for line in error_lines(member, width))
            continue
        where = folded_names(hosts)
        if len(jobs) > 1:
            where += f", {len(jobs):,} jobs"
        elif jobs[0]:
            where += f", job {prose(jobs[0])}"
        lines.append(_clipped(f"{where}: {prose(scrub(what))}", width))
        if hint:
            lines.append(_clipped(f"next: {prose(scrub(hint))}", width))
    return lines


def _same(errors: Iterable[BitsShellError]) -> dict[tuple[str, str | None], list[BitsShellError]]:
    """Errors by what they say and what to do."""
    alike: dict[str, list[BitsShellError]] = {}
    for error in errors:
        alike.setdefault(_without_host(error), []).append(error)
    groups: dict[tuple[str, str | None], list[BitsShellError]] = {}
    for what, members in alike.items():
        are_many = len({member.host for member in members}) >= _MANY_HOSTS
        hints = {member.hint for member in members}
        hint = next(iter(hints)) if len(hints) == 1 else None
        for member in members:
            own = member.what()
            key = (what, hint) if are_many and what != own else (own, member.hint)
            groups.setdefault(key, []).append(member)
    return groups


def _without_host(error: BitsShellError) -> str:
    what = error.what()
    for name in (error.host, getattr(error, "address", "")):
        if name:
            what = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", "HOST", what)
    return what


def failed_lines(outcomes: Iterable[Outcome], width: int = 80) -> list[str]:
    """Failed changes, summed up by cause: `failed: srv[01-18] (18): text`, then what to do."""
    by_status: dict[str, list[BitsShellError]] = {}
    for outcome in outcomes:
        if outcome.error is not None:
            by_status.setdefault(outcome.status.value, []).append(outcome.error)
    lines: list[str] = []
    for status, errors in by_status.items():
        lines.extend(
            line if line.startswith("next: ") else f"{status}: {line}"
            for line in folded_error_lines(errors, width)
        )
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
