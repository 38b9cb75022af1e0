r"""Lines as people type them: quotes group, a backslash is a backslash, # begins a comment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.commands import OpenQuote, cut, quote, tokenize


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        (" \t ", []),
        ("jobs", ["jobs"]),
        ("  jobs   -H  web01 ", ["jobs", "-H", "web01"]),
        (r"create http://s/a C:\in\a.bin", ["create", "http://s/a", r"C:\in\a.bin"]),
        (r"create 'C:\Program Files\a'", ["create", r"C:\Program Files\a"]),
        (r'create "C:\Program Files\a\\"', ["create", "C:\\Program Files\\a\\\\"]),
        (r"\\server\share\file", [r"\\server\share\file"]),
        ('say "two words"', ["say", "two words"]),
        ("say 'it''s'", ["say", "its"]),
        ('say "a ""b"" c"', ["say", 'a "b" c']),
        ("""say 'a "b" c'""", ["say", 'a "b" c']),
        ('say """"', ["say", '"']),
        ("say ''", ["say", ""]),
        ('say ""', ["say", ""]),
        ("""a"b c"'d e'f""", ["ab cd ef"]),
        ("{9D5C4B47-36E2-4D5E-9A4F-1C2B3A495867}", ["{9D5C4B47-36E2-4D5E-9A4F-1C2B3A495867}"]),
        ("jobs # all of them", ["jobs"]),
        ("# nothing at all", []),
        ("jobs #'open", ["jobs"]),
        ("show nightly#2", ["show", "nightly#2"]),
        ("show '#2'", ["show", "#2"]),
        ("show ''#2", ["show", "#2"]),
        ("show %1-4 %errors", ["show", "%1-4", "%errors"]),
        ("show $HOME ~ * !x @y", ["show", "$HOME", "~", "*", "!x", "@y"]),
        ("a\u00a0b\u3000c", ["a", "b", "c"]),
    ],
)  # fmt: skip
def test_a_line_is_cut_into_these_words(line: str, words: list[str]) -> None:
    assert tokenize(line) == words


@pytest.mark.parametrize(
    ("line", "mark", "position"),
    [
        ("show 'night", "'", 6),
        ('set x --name "', '"', 14),
        ("a 'b' 'c", "'", 7),
        ("'it's'", "'", 6),
    ],
)
def test_an_open_quote_is_refused_and_located(line: str, mark: str, position: int) -> None:
    with pytest.raises(OpenQuote) as raised:
        tokenize(line)
    first, hint = raised.value.lines()
    assert first == f"the quote {mark} at character {position} is never closed"
    assert hint.startswith("next: ")


def test_a_line_that_is_still_typed_can_be_cut_too() -> None:
    line = cut("show 'two wor")
    assert line.values == ["show", "two wor"]
    assert line.open_quote == ("'", 5)


def test_tokens_know_where_they_stand_quotes_included() -> None:
    line = "set  'a b' x"
    assert [line[token.start : token.end] for token in cut(line).tokens] == ["set", "'a b'", "x"]


def test_a_comment_is_known_as_one() -> None:
    assert cut("jobs # x").has_comment
    assert not cut("jobs '#' x#y").has_comment


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("", "''"),
        (r"C:\in\a.bin", r"C:\in\a.bin"),
        (r"C:\Program Files\a", r"'C:\Program Files\a'"),
        ("it's", '"it\'s"'),
        ('it\'s "x"', '"it\'s ""x"""'),
        ("#1", "'#1'"),
        ("a#1", "a#1"),
        ("{GUID}", "{GUID}"),
    ],
)
def test_quotes_are_put_only_where_they_are_needed(text: str, quoted: str) -> None:
    assert quote(text) == quoted


@given(st.text())
def test_any_text_is_one_word_once_it_is_quoted(text: str) -> None:
    assert tokenize(quote(text)) == [text]


@given(st.lists(st.text(alphabet=st.sampled_from("ab \t\n'\"#\\{}%-"), max_size=12), max_size=6))
def test_any_words_survive_being_written_as_a_line(words: list[str]) -> None:
    assert tokenize(" ".join(quote(word) for word in words)) == words


@given(st.text(alphabet=st.sampled_from("ab '\"#\\"), max_size=30))
def test_any_line_can_be_cut_at_every_key(line: str) -> None:
    found = cut(line)
    ends = [0, *(edge for token in found.tokens for edge in (token.start, token.end)), len(line)]
    assert ends == sorted(ends)
