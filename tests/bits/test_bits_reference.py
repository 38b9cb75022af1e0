"""Our mark in a description, and the ids of jobs."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.bits import canonical_job_id, new_reference
from bitsshell.bits.limits import MAX_DESCRIPTION, MAX_OWN_DESCRIPTION
from bitsshell.bits.reference import (
    SUFFIX_LENGTH,
    is_reference,
    join_description,
    split_description,
    wire_job_id,
)

REFERENCES = st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=10, max_size=10)
ID = "9D5C4B47-E79E-4090-BC3B-552578D0EC8C"


def test_references_are_ten_characters_and_do_not_repeat() -> None:
    made = {new_reference() for _ in range(1000)}
    assert len(made) == 1000
    assert all(is_reference(reference) for reference in made)


@given(st.text(), REFERENCES)
def test_any_description_and_its_reference_come_apart_as_they_were(
    text: str, reference: str
) -> None:
    assert split_description(join_description(text, reference)) == (text, reference)


@given(st.text())
def test_a_description_without_a_reference_stays_as_it_is_or_carries_one(text: str) -> None:
    own, reference = split_description(join_description(text, None))
    assert join_description(own, reference) == text or text.startswith(" [ref:")


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        (None, ("", None)),
        ("", ("", None)),
        ("plain", ("plain", None)),
        ("[ref:0123456789]", ("", "0123456789")),
        ("two\nlines [ref:0123456789]", ("two\nlines", "0123456789")),
        ("x [ref:AAAAAAAAAA] [ref:BBBBBBBBBB]", ("x [ref:AAAAAAAAAA]", "BBBBBBBBBB")),
        ("glued[ref:0123456789]", ("glued[ref:0123456789]", None)),
        ("x [ref:012345678]", ("x [ref:012345678]", None)),
        ("x [ref:012345678I]", ("x [ref:012345678I]", None)),
        ("x [ref:0123456789] ", ("x [ref:0123456789] ", None)),
        ("x [ref:0123456789]\n", ("x [ref:0123456789]\n", None)),
        ("x [REF:0123456789]", ("x [REF:0123456789]", None)),
    ],
)
def test_only_a_whole_mark_at_the_very_end_is_a_reference(
    whole: str | None, parts: tuple[str, str | None]
) -> None:
    assert split_description(whole) == parts


def test_the_mark_takes_what_a_description_leaves_for_it() -> None:
    longest = join_description("x" * MAX_OWN_DESCRIPTION, new_reference())
    assert len(longest) == MAX_DESCRIPTION
    assert SUFFIX_LENGTH == MAX_DESCRIPTION - MAX_OWN_DESCRIPTION


@pytest.mark.parametrize("text", ["", "012345678", "01234567890", "012345678U", "012345678\n"])
def test_what_is_no_reference(text: str) -> None:
    assert not is_reference(text)


@given(st.uuids(), st.booleans(), st.booleans(), st.sampled_from(["", " ", "\t\n"]))
def test_an_id_is_one_and_the_same_in_all_its_spellings(
    guid: uuid.UUID, upper: bool, braced: bool, around: str
) -> None:
    text = str(guid).upper() if upper else str(guid)
    text = f"{{{text}}}" if braced else text
    assert canonical_job_id(f"{around}{text}{around}") == str(guid).upper()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        ID[:-1],
        ID + "0",
        "{" + ID,
        ID + "}",
        "{{" + ID + "}}",
        ID.replace("-", ""),
        ID.replace("9", "G"),
        ID.replace("9", "\N{ARABIC-INDIC DIGIT NINE}"),
        ID.replace("-", "\N{EN DASH}"),
    ],
)
def test_what_is_no_id(text: str) -> None:
    assert canonical_job_id(text) is None


@given(st.text())
def test_nothing_that_is_typed_breaks_the_reading_of_ids(text: str) -> None:
    found = canonical_job_id(text)
    assert found is None or str(uuid.UUID(found)).upper() == found


def test_on_the_wire_an_id_stands_in_braces() -> None:
    assert wire_job_id(ID) == "{9D5C4B47-E79E-4090-BC3B-552578D0EC8C}"
