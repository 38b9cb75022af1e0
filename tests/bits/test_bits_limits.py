"""What is refused before anything is sent, each with its field, its reason and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.bits import NotAccepted
from bitsshell.bits.limits import (
    MAX_OWN_DESCRIPTION,
    check_description,
    check_name,
    check_path,
    check_seconds,
    check_text,
    check_url,
    utf16_length,
)
from bitsshell.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

EMOJI = "\N{GRINNING FACE}"


def refusal(check: Callable[[str], object], text: str) -> NotAccepted:
    with pytest.raises(NotAccepted) as caught:
        check(text)
    error = caught.value
    assert isinstance(error, UsageError)
    assert error.field
    assert error.problem
    assert error.hint
    assert str(error).startswith(f"{error.field}: ")
    assert error.problem in error.message
    return error


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "http://files/a.bin",
        "HTTP://files/a.bin",
        "https://files.example.test:8443/a%20b.bin?x=1&y=2#z",
        "http://[::1]:8080/a",
        "http://127.0.0.1/",
        "http://xn--bcher-kva.example/a",
        "http://files/\N{LATIN SMALL LETTER U WITH DIAERESIS}",
        "file://server/share/a.bin",
        r"\\server\share\a.bin",
        r"\\server\share\folder with blanks\a.bin",
        "http://files/" + "a" * 260,
        "http://files/" + "/".join(["a" * 100] * 20),
    ],
)
def test_a_url_that_bits_takes_stays_as_it_is(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "is not http, https or SMB"),
        ("a.bin", "is not http, https or SMB"),
        ("ftp://files/a", "is not http, https or SMB"),
        (r"C:\a.bin", "is not http, https or SMB"),
        ("javascript:alert(1)", "is not http, https or SMB"),
        ("//files/a", "is not http, https or SMB"),
        ("http:/files/a", "names no server"),
        ("http://", "names no server"),
        ("http://:80/a", "names no server"),
        ("file:///C:/a.bin", "names no server"),
        ("http://files/a b", "contains a blank"),
        ("http://files/a\tb", "contains a blank"),
        ("http://files/a\n", "contains a blank"),
        (" http://files/a", "contains a blank"),
        ("http://files/a\N{NO-BREAK SPACE}b", "contains a blank"),
        ("http://b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher/a", "is not ASCII"),
        ("http://files:99999/a", "cannot be read"),
        ("http://files:http/a", "cannot be read"),
        ("http://[::1/a", "cannot be read"),
        (r"\\server", "is no UNC name"),
        (r"\\server\share", "is no UNC name"),
        (r"\\server\share" + "\\", "is no UNC name"),
        (r"\\server\share\*.bin", "is no UNC name"),
        (r"\\?\C:\a.bin", "is no UNC name"),
        (r"\\server\share\a" + "\n", "is no UNC name"),
        ("http://files/" + "a" * 261, "over 260 characters"),
        (r"\\server\share" + "\\" + "a" * 261, "over 260 characters"),
        ("http://files/\x00", "U+0000"),
        ("http://files/\ud800", "U+D800"),
        ("http://files/\uffff", "U+FFFF"),
    ],
)
def test_a_url_that_bits_does_not_take_is_refused_with_the_reason(url: str, problem: str) -> None:
    error = refusal(check_url, url)
    assert error.field == "URL"
    assert problem in error.problem


@pytest.mark.parametrize(
    "url",
    [
        "http://ann:secret@files/a",
        "http://ann:secret@files:99999/a",
        "https://ann:secret@[::1/a",
        "ftp://ann:secret@files/a",
        "http://secret@files/a b",
        "http://ann:secret\N{FULLWIDTH COMMERCIAL AT}x@files/",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    error = refusal(check_url, url)
    assert "secret" not in str(error) + repr(error)
    assert "holds an account" in error.problem


def test_a_url_may_have_2200_characters_and_not_one_more() -> None:
    start = "http://files/"
    longest = start + "/".join("a" * 200 for _ in range(20))[: 2200 - len(start)]
    assert len(longest) == 2200
    assert check_url(longest) == longest
    error = refusal(check_url, longest + "a")
    assert "2,201" in error.problem
    assert "2,200" in str(error.hint)


# Paths


@pytest.mark.parametrize(
    "path",
    [
        r"C:\a",
        r"z:\in\a.bin",
        r"C:\in\ leading blank.bin",
        r"C:\in\a..b",
        r"C:\in\.hidden",
        r"\\server\share\a.bin",
        r"C:\in\console.txt",
        r"C:\in\com10.txt",
        r"C:\in\a.nul",
        r"C:\in\%TEMP%[1]{2}.bin",
        "C:\\in\\\N{LATIN SMALL LETTER U WITH DIAERESIS}.bin",
        "C:\\" + "a" * 256,
    ],
)
def test_a_path_that_bits_takes_stays_as_it_is(path: str) -> None:
    assert check_path(path) == path


FULL = "is not a full path"
FOLDER = "names a folder"
PART = "has an empty part or one that ends in a dot or blank"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", FULL),
        ("a.bin", FULL),
        (r"in\a.bin", FULL),
        (r"\in\a.bin", FULL),
        ("C:a.bin", FULL),
        ("C:", FULL),
        (r"\\server", FULL),
        (r"\\server\share", FULL),
        (r"%TEMP%\a", FULL),
        ("C:\\", FOLDER),
        ("C:\\in\\", FOLDER),
        ("\\\\server\\share\\", FOLDER),
        ("C:/in/a.bin", "contains a slash"),
        ("/etc/passwd", "contains a slash"),
        (r"\\?\C:\in\a.bin", "has a prefix"),
        (r"\\.\C:\in\a.bin", "has a prefix"),
        (r"C:\in\*.bin", "contains '*'"),
        (r"C:\in\a?.bin", "contains '?'"),
        (r"C:\in\<a>.bin", "contains '<'"),
        (r"C:\in\a|b", "contains '|'"),
        ('C:\\in\\"a"', "contains '\"'"),
        (r"\\ser*ver\share\a.bin", "contains '*'"),
        (r"C:\in\a.bin:stream", "alternate stream"),
        (r"\\server\share\a:b", "alternate stream"),
        ("C:\\in\\a\nb", "control character"),
        ("C:\\in\\a\x7f", "control character"),
        (r"C:\in\\a.bin", PART),
        (r"C:\in\..\a.bin", PART),
        (r"C:\in\.\a.bin", PART),
        (r"C:\in.\a.bin", PART),
        (r"C:\in\a.bin ", PART),
        (r"C:\in\a.bin.", PART),
        (r"C:\in\nul", "names the device 'nul'"),
        (r"C:\in\CON.txt", "names the device"),
        (r"C:\in\con .txt", "names the device"),
        (r"C:\in\Lpt9.tar.gz", "names the device"),
        (r"C:\com1\a.bin", "names the device 'com1'"),
        ("C:\\in\\com\N{SUPERSCRIPT ONE}", "names the device"),
        (r"C:\CONIN$", "names the device"),
        ("C:\\in\\\x01", "U+0001"),
        ("C:\\in\\\udc00", "U+DC00"),
    ],
)
def test_a_path_that_bits_does_not_take_is_refused_with_the_reason(path: str, problem: str) -> None:
    error = refusal(check_path, path)
    assert error.field == "path"
    assert problem in error.problem


def test_a_path_may_have_259_characters_and_not_one_more() -> None:
    longest = "C:\\" + "a" * 100 + "\\" + "b" * 155
    assert len(longest) == 259
    check_path(longest)
    assert "260 characters" in refusal(check_path, longest + "b").problem


# Names and descriptions


def test_lengths_are_counted_in_utf_16_as_windows_does() -> None:
    assert utf16_length("a" + EMOJI) == 3
    assert check_name(EMOJI * 128) == EMOJI * 128
    assert "257" in refusal(check_name, EMOJI * 128 + "a").problem
    assert check_name("a" * 256)
    assert "257" in refusal(check_name, "a" * 257).problem


@pytest.mark.parametrize("name", ["", " ", "\t\n"])
def test_a_name_that_cannot_be_seen_is_refused(name: str) -> None:
    assert "empty" in refusal(check_name, name).problem


def test_a_description_leaves_room_for_the_reference() -> None:
    assert check_description("a" * 1007)
    assert MAX_OWN_DESCRIPTION == 1007
    assert "1,008" in refusal(check_description, "a" * 1008).problem
    assert check_description("") == ""
    assert check_description("a" * 1024, limit=1024)


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x08", "\x0b", "\x0c", "\x1f", chr(0xD800), chr(0xDFFF), "\ufffe", "\uffff"],
)
def test_a_character_that_xml_cannot_carry_is_refused_with_its_place(character: str) -> None:
    for check in (check_name, check_description):
        error = refusal(check, f"ab{character}c")
        assert f"U+{ord(character):04X} at position 3" in error.problem
    assert character not in str(error)


@given(st.text())
def test_what_passes_can_stand_in_xml(text: str) -> None:
    from lxml import etree

    try:
        check_text("text", text)
    except NotAccepted:
        with pytest.raises(ValueError, match="XML"):
            etree.Element("a").text = text
    else:
        etree.Element("a").text = text


@pytest.mark.parametrize("seconds", [None, 0, 1, 2**32 - 1])
def test_times_that_fit_are_taken(seconds: int | None) -> None:
    check_seconds("retry delay", seconds)


@pytest.mark.parametrize("seconds", [-1, 2**32, 2**64])
def test_times_that_do_not_fit_are_refused(seconds: int) -> None:
    with pytest.raises(NotAccepted, match="out of range") as caught:
        check_seconds("retry delay", seconds)
    assert caught.value.field == "retry delay"
    assert "4,294,967,295" in str(caught.value.hint)


@given(st.text(), st.sampled_from([check_url, check_path, check_name, check_description]))
def test_any_text_is_taken_unchanged_or_refused(text: str, check: Callable[[str], str]) -> None:
    try:
        assert check(text) == text
    except NotAccepted as error:
        assert error.hint
        assert len(error.lines()) == 2


SHAPED = st.from_regex(
    re.compile(r"(https?|file|ftp)://[^\s]{0,30}|[A-Za-z]:\\.{0,30}|\\\\.{0,30}")
)


@given(SHAPED)
def test_text_of_nearly_the_right_shape_breaks_nothing(text: str) -> None:
    for check in (check_url, check_path):
        try:
            assert check(text) == text
        except NotAccepted as error:
            assert error.problem
