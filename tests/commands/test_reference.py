"""The table of verbs in docs/shell.md is what the declarations say."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitsshell.commands import VERBS
from bitsshell.commands.reference import form, reference, with_reference
from bitsshell.commands.topics import GROUPS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "shell.md"


def test_the_page_is_as_the_declarations_say() -> None:
    page = PAGE.read_text("utf-8")
    assert page == with_reference(page), "run: python -m bitsshell.commands.reference docs/shell.md"


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_has_one_row_with_form_example_and_exit_codes(verb: str) -> None:
    (row,) = (
        line for line in reference().splitlines() if line.startswith((f"| `{verb} ", f"| `{verb}`"))
    )
    cells = row.replace("\\|", "").split(" | ")
    assert len(cells) == 4
    assert all(cells)
    assert form(VERBS[verb]).startswith(verb)


def test_the_groups_of_help_name_no_verb_twice() -> None:
    named = [name for _, names in GROUPS.values() for name in names]
    assert len(named) == len(set(named))


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="the page has no"):
        with_reference("nothing here")
