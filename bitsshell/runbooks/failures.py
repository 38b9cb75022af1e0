"""What a failed cell says to a person, in a few lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bitsshell.render.text import clip, neutral, prose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from bitsshell.runbooks.kernel import CellResult

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_CELL_LINE = re.compile(r"(?:Cell In\s*\[\d+\]|<ipython-input[^>]*>).*?line:? (\d+)")
_OVERWRITTEN = re.compile(r"[^\n]*\r(?=[^\n\r])")
_SHORT = 6
"""So many lines, and no Python traceback: an error of ours, which says all there is."""
_WIDTH = 240


def error_lines(result: CellResult, source: str) -> tuple[str, ...]:
    """The error of a cell: ours as it stands, another one with its line in the cell."""
    if result.error_type is None:
        return ()
    traceback = _ANSI.sub("", "\n".join(result.traceback))
    lines = [line.rstrip() for line in traceback.splitlines() if line.strip()]
    lines = list(dict.fromkeys(lines)) if len(lines) <= _SHORT else lines  # IPython's come twice
    is_ours = lines and lines[0].startswith(f"{result.error_type}: ") and len(lines) <= _SHORT
    if is_ours:
        return tuple(clip(neutral(line), _WIDTH) for line in lines)
    first = next(iter(result.error.splitlines()), "")
    said = [clip(f"{result.error_type}: {prose(first)}".rstrip(": "), _WIDTH)]
    place = _place(traceback, source)
    return (*said, place) if place else tuple(said)


def _place(traceback: str, source: str) -> str:
    found = _CELL_LINE.findall(traceback)
    lines = source.splitlines()
    number = int(found[-1]) if found else 0
    if not 0 < number <= len(lines):
        return ""
    return f"in line {number} of the cell: {clip(prose(lines[number - 1].strip()), 120)}"


def shown_text(outputs: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a cell showed as text, errors aside: its lines."""
    found: list[str] = []
    for output in joined_streams(outputs):
        match output.get("output_type"):
            case "stream":
                found.append(output["text"])
            case "display_data" | "execute_result":
                found.append(_joined((output.get("data") or {}).get("text/plain", "")))
            case _:
                pass
    text = _ANSI.sub("", "\n".join(part.rstrip("\n") for part in found if part.strip()))
    return [neutral(line) for line in text.splitlines()]


def joined_streams(outputs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    r"""The outputs of a cell in their order, with what a kernel sent in pieces put together.

    Of a line that was written over again and again (`\\r`) the last state stays.
    """
    found: list[dict[str, Any]] = []
    for output in outputs:
        one = dict(output)
        if one.get("output_type") == "stream":
            one["text"] = _joined(one.get("text", ""))
            last = found[-1] if found else {}
            if (last.get("output_type"), last.get("name")) == ("stream", one.get("name")):
                last["text"] = _OVERWRITTEN.sub("", last["text"] + one["text"])
                continue
            one["text"] = _OVERWRITTEN.sub("", one["text"])
        found.append(one)
    return found


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
