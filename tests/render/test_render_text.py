"""Neutralising, measuring and clipping."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_things import any_text, assert_harmless, cells

from bitsshell.render.text import (
    clip,
    clip_middle,
    counted,
    display_width,
    folded_names,
    neutral,
    pad,
    prose,
)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("nightly", "nightly"),
        ("Übertragung 日本語", "Übertragung 日本語"),
        ("C:\\in\\new.bin", "C:\\in\\new.bin"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b31m", "\\x9b31m"),
        ("\x1b]52;c;eA==\x07", "\\x1b]52;c;eA==\\x07"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("a\u200bb\u200dc\ufeff", "a\\u200bb\\u200dc\\ufeff"),
        ("soft\u00adhyphen", "soft\\xadhyphen"),
        ("wide\u3000blank\u00a0", "wide\\u3000blank\\xa0"),
        ("filler\u3164\u2800", "filler\\u3164\\u2800"),
        ("heart❤\ufe0f", "heart❤\\ufe0f"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("lone\udc80", "lone\\udc80"),
        ("e\u0301", "e\u0301"),
        ("\u0301e", "\\u0301e"),
        (" \u0301", " \\u0301"),
        ("e" + "\u0301" * 6, "e" + "\u0301" * 4 + "\\u0301\\u0301"),
        ("\x00\x7f", "\\x00\\x7f"),
        ("", ""),
    ],
)
def test_what_is_unseen_or_acts_becomes_a_visible_escape(said: str, shown: str) -> None:
    assert neutral(said) == shown


@given(any_text)
def test_no_text_acts_on_a_terminal_once_it_is_neutral(text: str) -> None:
    assert_harmless(neutral(text))
    assert neutral(neutral(text)) == neutral(text)


@given(any_text)
def test_a_neutral_text_can_be_measured(text: str) -> None:
    shown = neutral(text)
    assert display_width(shown) == cells(shown)


def test_a_message_is_one_line_whatever_ends_windows_gives_its_lines() -> None:
    assert prose("Access is denied. \r\n  \t Ask.\r\n") == "Access is denied. Ask."
    assert prose("a\u2028b\x1b") == "a\\u2028b\\x1b"


@given(any_text, st.integers(-2, 60))
def test_clipped_text_is_never_wider_than_asked(text: str, width: int) -> None:
    for cut in (clip, clip_middle):
        assert display_width(cut(neutral(text), width)) <= max(0, width)


@given(any_text)
def test_text_that_fits_is_not_clipped(text: str) -> None:
    shown = neutral(text)
    assert clip(shown, display_width(shown)) == shown
    assert clip_middle(shown, display_width(shown)) == shown


def test_clipping_counts_cells_and_not_characters() -> None:
    assert clip("日本語の名前", 7) == "日本語…"
    assert clip("日本語の名前", 6) == "日本…"
    assert clip("e\u0301" * 10, 4) == "e\u0301" * 3 + "…"
    assert clip("abc", 1) == "…"
    assert clip("abc", 0) == ""


def test_the_middle_is_cut_so_that_both_ends_of_a_path_stay() -> None:
    cut = clip_middle("C:\\data\\incoming\\packages\\setup-2026.msi", 20)
    assert cut == "C:\\dat…etup-2026.msi"
    assert display_width(cut) == 20


@given(any_text, st.integers(1, 30))
def test_no_piece_starts_with_a_mark_that_would_join_the_text_before_it(
    text: str, width: int
) -> None:
    _, _, tail = clip_middle(neutral(text), width).partition("…")
    assert not tail or unicodedata.category(tail[0])[0] != "M" or "…" in neutral(text)


def test_padding_fills_cells() -> None:
    assert pad("日本", 6) == "日本  "
    assert pad("7", 3, "right") == "  7"
    assert pad("too long", 3) == "too long"


def test_things_are_counted_in_words() -> None:
    assert counted(1, "job") == "1 job"
    assert counted(0, "job") == "0 jobs"
    assert counted(10_000, "reply", "replies") == "10,000 replies"


def test_long_lists_of_hosts_are_folded_with_their_number() -> None:
    hosts = [f"srv{number:02}" for number in range(1, 19)]
    assert folded_names(hosts) == "srv[01-18] (18)"
    assert folded_names(hosts[:3]) == "srv01, srv02, srv03"
    assert folded_names(["srv10", "srv9", "db"]) == "db, srv9, srv10"
    assert folded_names(["\x1b[2J"]) == "\\x1b[2J"
