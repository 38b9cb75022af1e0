"""Which words fit what was typed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bitsshell.fuzzy import fitting, has_letters, line_pattern

LETTERS = st.text(alphabet="abß-.*[]^\\Aé ", max_size=6)


def fit(typed: str, *words: str) -> list[str]:
    return fitting(typed, words, str)


def test_words_that_begin_with_it_hide_those_that_only_have_its_letters() -> None:
    assert fit("re", "resume", "remove", "explore") == ["resume", "remove"]


def test_where_nothing_begins_so_the_letters_in_order_are_enough() -> None:
    assert fit("rsm", "resume", "suspend", "room") == ["resume"]


def test_the_closest_comes_first_one_piece_before_scattered_early_before_late() -> None:
    assert fit("ight", "i-g-h-t", "the night", "night") == ["night", "the night", "i-g-h-t"]


def test_one_letter_is_not_enough_for_guessing() -> None:
    assert fit("x", "proxy") == []


def test_the_case_does_not_matter() -> None:
    assert fit("RSM", "Resume") == ["Resume"]


def naive(letters: str, word: str) -> bool:
    rest = iter(word)
    return bool(letters) and all(letter in rest for letter in letters)


@given(letters=LETTERS, word=LETTERS)
def test_letters_are_found_as_going_through_the_word_finds_them(letters: str, word: str) -> None:
    folded = letters.casefold()
    assert has_letters(folded, word) == naive(folded, word.casefold())


@given(letters=LETTERS.filter(bool), words=st.lists(LETTERS, max_size=5))
def test_the_search_in_many_lines_finds_what_the_search_in_each_does(
    letters: str, words: list[str]
) -> None:
    folded = letters.casefold()
    lines = [word.casefold() for word in words]
    found = [match[0][1:] for match in line_pattern(folded).finditer("\n" + "\n".join(lines))]
    assert found == [line for line in lines if naive(folded, line)]
