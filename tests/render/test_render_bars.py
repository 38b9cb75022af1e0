"""Progress bars and sparklines."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from bitsshell.render.bars import progress_bar, sparkline


@given(
    st.one_of(st.none(), st.floats(-1, 2), st.just(math.nan)), st.integers(-1, 60), st.booleans()
)
def test_a_bar_has_exactly_its_width(fraction: float | None, width: int, blocks: bool) -> None:
    assert wcswidth(progress_bar(fraction, width, blocks=blocks)) == max(0, width)


def test_a_bar_grows_by_eighths_of_a_cell() -> None:
    shown = [progress_bar(eighths / 16, 2) for eighths in (0, 1, 8, 11, 16)]
    assert shown == ["░░", "▏░", "█░", "█▍", "██"]


def test_a_bar_is_full_only_at_the_end() -> None:
    assert progress_bar(0.9999, 10) != progress_bar(1.0, 10) == "█" * 10
    assert progress_bar(0.9999, 10, blocks=False) == "[#######-]"
    assert progress_bar(1.0, 10, blocks=False) == "[########]"


def test_a_bar_of_an_unknown_total_looks_like_neither_empty_nor_full() -> None:
    unknown = progress_bar(None, 10)
    assert unknown not in {progress_bar(0.0, 10), progress_bar(1.0, 10)}
    assert progress_bar(None, 10, blocks=False) == "[........]"


def test_a_sparkline_scales_from_zero_to_its_greatest_value() -> None:
    assert sparkline([0, 1, 4, 8, None, 8], 6) == "▁▁▄█ █"
    assert sparkline([0, 1, 4, 8], 4, blocks=False).isascii()


def test_a_sparkline_shows_the_newest_values() -> None:
    assert sparkline([8, 8, 0, 8], 2) == "▁█"
    assert sparkline([], 5) == ""
    assert sparkline([1, 2], 0) == ""
    assert sparkline([0, 0], 2) == "▁▁"


@given(st.lists(st.one_of(st.none(), st.floats()), max_size=50), st.integers(0, 40))
def test_a_sparkline_never_passes_its_width(values: list[float | None], width: int) -> None:
    assert wcswidth(sparkline(values, width)) == min(width, len(values))
