"""What was entered, as lines; and the prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.commands.first_words import is_leaving
from bitsshell.fleet.targets import parse_target
from bitsshell.shell.lines import split_block
from bitsshell.shell.prompt import prompt_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  \n\n", []),
        ("jobs", ["jobs"]),
        ("jobs\nshow x\n", ["jobs", "show x"]),
        ("jobs\r\nshow x", ["jobs", "show x"]),
        ("set x --description 'two\nlines'\njobs", ["set x --description 'two\nlines'", "jobs"]),
        ("# it's a comment\njobs", ["# it's a comment", "jobs"]),
        ("show 'half\njobs", ["show 'half\njobs"]),
        ("show a\u2028b", ["show a\u2028b"]),
    ],
)
def test_a_block_is_cut_at_line_breaks_outside_quotes(text: str, expected: list[str]) -> None:
    assert split_block(text) == expected


@given(st.lists(st.text("ab '\"#", min_size=1), max_size=5))
def test_no_character_of_a_block_is_lost(lines: list[str]) -> None:
    block = "\n".join(lines)
    kept = "".join("".join(split_block(block)).split())
    assert kept == "".join(block.split())


@pytest.mark.parametrize("line", ["exit", "quit", " exit ", "exit # bye", "exit now", "'exit'"])
def test_exit_and_quit_leave(line: str) -> None:
    assert is_leaving(line)


@pytest.mark.parametrize("line", ["", "jobs exit", "exits", "# exit", "EXIT2"])
def test_nothing_else_leaves(line: str) -> None:
    assert not is_leaving(line)


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ([], "bits> "),
        (["web01"], "bits web01> "),
        (["web01", "web02", "web03"], "bits 3 hosts> "),
    ],
)
def test_the_prompt_names_the_target_set(hosts: list[str], expected: str) -> None:
    assert prompt_text([parse_target(host) for host in hosts]) == expected


def test_a_long_host_name_leaves_room_for_the_command() -> None:
    target = parse_target("a" * 60 + "." + "b" * 60)
    assert len(prompt_text([target])) < 50
