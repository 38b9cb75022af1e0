"""`docs/practice.md` says nothing that is not so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from bitsshell.practice import FILE_MODES, KINDS, WinRmSettings
from bitsshell.practice.command import practice

PAGE = (Path(__file__).parents[2] / "docs" / "practice.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) \| ([DHTOIU]+) \| [^|]+ \| (.+) \|$", PAGE, re.MULTILINE)


def test_every_statement_has_its_row_and_a_test_or_a_reason() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 163))
    assert all(len(cell) > 10 for _, _, cell in ROWS)


def test_every_test_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    source = "".join(p.read_text(encoding="utf-8") for p in Path(__file__).parent.glob("test_*.py"))
    assert named
    assert {name for name in named if f"def {name}(" not in source} == set()


def test_every_fault_mode_and_option_is_on_the_page() -> None:
    names = [f"`{name}`" for name in (*KINDS, *FILE_MODES)]
    options = [option.opts[0] for option in practice.params]
    assert [text for text in (*names, *options) if text not in PAGE] == []


def test_every_limit_is_on_the_page_with_its_default() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (\d+)", PAGE, re.MULTILINE))
    limits = {
        field.name: f"{field.default:.0f}"
        for field in fields(WinRmSettings)
        if type(field.default) in {int, float} and field.name != "unencrypted_status"
    }
    assert told == told | limits
