"""Numbers for people: sizes, rates, durations, ages, times, percentages, in fixed short forms."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from bitsshell.render.text import NOTHING, UNKNOWN

_BINARY_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400
_MAX_DAYS = 999


def size(size_bytes: float | None) -> str:
    """`512 B`, `1.5 MiB`, `120 GiB`: three digits at most; `?` while unknown."""
    if size_bytes is None:
        return UNKNOWN
    if size_bytes < 1000:
        return f"{size_bytes:.0f} B"
    value = float(size_bytes)
    for unit in _BINARY_UNITS:
        value /= 1024
        # 999.5 and not 1024, so that rounding never makes a fourth digit.
        if value < 999.5 or unit == _BINARY_UNITS[-1]:
            return f"{value:.1f} {unit}" if value < 99.95 else f"{value:.0f} {unit}"
    raise AssertionError("the last unit takes everything")


def rate(rate_bytes_s: float | None) -> str:
    """`1.5 MiB/s`; `-` while there is none, or when it is not a sensible number."""
    if rate_bytes_s is None or not math.isfinite(rate_bytes_s) or rate_bytes_s < 0:
        return NOTHING
    return f"{size(rate_bytes_s)}/s"


def duration(seconds: float | None) -> str:
    """`45s`, `2m 05s`, `1h 02m`, `3d 04h`: two units at most; `?` while unknown."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    whole = max(0, round(seconds))
    if whole < _MINUTE_S:
        return f"{whole}s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S}m {whole % _MINUTE_S:02d}s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S}h {whole % _HOUR_S // _MINUTE_S:02d}m"
    days = whole // _DAY_S
    if days > _MAX_DAYS:
        return f">{_MAX_DAYS}d"
    return f"{days}d {whole % _DAY_S // _HOUR_S:02d}h"


def elapsed(seconds: float) -> str:
    """A measured time: `0.4 s` below ten seconds, then as `duration`."""
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def time_left(seconds: float | None) -> str:
    """As `duration`, but `-` when nobody can tell."""
    return NOTHING if seconds is None or not math.isfinite(seconds) else duration(seconds)


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago, in one unit: `5s`, `12m`, `3h`, `8d`; `-` for never.

    A moment in the future (the host's clock runs ahead) is `0s`.
    """
    return ago(None if moment is None else (now - moment).total_seconds())


def ago(elapsed_s: float | None) -> str:
    """The same of seconds that have gone by since."""
    if elapsed_s is None:
        return NOTHING
    seconds = max(0, int(elapsed_s))
    for unit, length_s in (("d", _DAY_S), ("h", _HOUR_S), ("m", _MINUTE_S)):
        if seconds >= length_s:
            return f"{seconds // length_s}{unit}"
    return f"{seconds}s"


def timestamp(moment: datetime | None, *, local: bool = False) -> str:
    """`2026-11-22 12:30:04Z`, or the same in local time without the Z; `-` for never."""
    if moment is None:
        return NOTHING
    if local:
        return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def time_of_day(moment: datetime) -> str:
    """`12:30:04Z`."""
    return f"{moment.astimezone(UTC):%H:%M:%S}Z"


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with Z, as machine formats carry it; None for never."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def percent(fraction: float | None) -> str:
    """`42%`, rounded down so that 100% means all of it; `?` while the total is unknown."""
    if fraction is None:
        return UNKNOWN
    return f"{math.floor(min(1.0, max(0.0, fraction)) * 100)}%"
