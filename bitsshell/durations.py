"""Lengths of time as a person writes them: 0.5, 90s, 5m, 2h, 3d, 1h30m."""

from __future__ import annotations

import re

MAX_DURATION_S = 2**32 - 1
"""What the provider's numbers of seconds can hold."""
MIN_INTERVAL_S = 0.05
"""The least time between two polls."""
MIN_TIMEOUT_S = 0.1
"""The least limit of a command."""

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class BadDuration(ValueError):
    """A text that is no length of time, or none that is taken: why, and what is allowed."""

    def __init__(self, problem: str, allowed: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.allowed = allowed


def seconds_of(typed: str, *, minimum_s: float = 0.0) -> float:
    """The seconds that a text stands for. Raises `BadDuration`."""
    text = typed.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?|\.\d+", text):
        seconds = float(text)
    elif re.fullmatch(r"(\d+(\.\d+)?[smhd])+", text):
        seconds = sum(
            float(number) * _UNITS_S[unit]
            for number, unit in re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
        )
    else:
        raise BadDuration("is no length of time", "write 0.5, 90s, 5m, 2h or 1h30m")
    if seconds < minimum_s:
        raise BadDuration("is too short", f"at least {minimum_s:g} s")
    if seconds > MAX_DURATION_S:
        raise BadDuration("is too long", f"at most {MAX_DURATION_S} s")
    return seconds
