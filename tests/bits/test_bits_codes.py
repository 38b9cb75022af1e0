"""The table of codes, and codes as people write them."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.bits import Explanation, explain, parse_code
from bitsshell.bits.codes import table

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = files("bitsshell.bits")
ROWS = list(csv.DictReader(PACKAGE.joinpath("codes.csv").read_text("utf-8").splitlines()))
SYMBOLS = [
    line.split("\t")
    for line in PACKAGE.joinpath("wsman-codes.tsv").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


def test_the_table_ships_whole() -> None:
    assert len(ROWS) == 379
    assert len(SYMBOLS) == 509
    assert len({row["code_hex"] for row in ROWS}) == 379
    shared = {int(row["code_hex"], 16) for row in ROWS} & {int(row[0]) for row in SYMBOLS}
    assert len(table()) == 379 + 509 - len(shared)


def test_the_table_is_the_one_that_was_researched(captures: Path) -> None:
    """Codes, symbols and sources as they were found; what they mean is told in words of our own."""
    research = captures.parent / "spec"
    with (research / "bits-errors.csv").open(encoding="utf-8", newline="") as file:
        researched = list(csv.DictReader(file))
    columns = ("code_hex", "symbol", "source")
    assert [[row[column] for column in columns] for row in ROWS] == [
        [row[column] for column in columns] for row in researched
    ]
    symbols = "wsman-codes.tsv"
    assert PACKAGE.joinpath(symbols).read_bytes() == (research / symbols).read_bytes()


def test_every_row_is_found_by_number_hex_decimal_and_symbol() -> None:
    for row in ROWS:
        code = int(row["code_hex"], 16)
        found = explain(code)
        assert found == Explanation(code, row["symbol"], row["meaning"], row["remedy"])
        assert found.symbol
        assert found.meaning
        assert found.remedy
        for text in (found.hex, found.hex.lower(), found.hex[2:], str(code), row["symbol"]):
            assert parse_code(text) == code, text
        assert parse_code(row["symbol"].lower()) == code
        if code >= 2**31:
            assert parse_code(str(code - 2**32)) == code
            assert explain(code - 2**32) == found


def test_every_symbol_of_the_ws_man_service_is_found() -> None:
    for decimal, hexadecimal, symbol, *_ in SYMBOLS:
        code = int(decimal)
        assert int(hexadecimal, 16) == code
        assert explain(code).symbol == symbol
        assert parse_code(symbol) == code


@pytest.mark.parametrize(
    ("code", "symbol"),
    [
        (0x80200001, "BG_E_NOT_FOUND"),
        (0x00200017, "BG_S_PARTIAL_COMPLETE"),
        (0x80190194, "BG_E_HTTP_ERROR_404"),
        (0x80072EE7, "ERROR_WINHTTP_NAME_NOT_RESOLVED"),
        (2150858752, "ERROR_WSMAN_RESOURCE_NOT_FOUND"),
        (0x80041001, "WBEM_E_FAILED"),
    ],
)
def test_well_known_codes(code: int, symbol: str) -> None:
    assert explain(code).symbol == symbol
    assert explain(code).title == f"0x{code:08X} {symbol}"


@pytest.mark.parametrize("status", [100, 302, 418, 451, 507, 599])
def test_an_http_status_without_a_row_of_its_own_is_explained_as_one(status: int) -> None:
    found = explain(0x80190000 + status)
    assert str(status) in found.meaning
    assert found.remedy


def test_numbers_in_the_http_facility_that_are_no_status_stay_unknown() -> None:
    for number in (0, 99, 600, 0xFFFF):
        assert explain(0x80190000 + number).meaning == ""


@pytest.mark.parametrize("low", [2, 3, 5, 32, 112])
def test_a_bare_win32_code_is_explained_by_its_hresult(low: int) -> None:
    assert explain(low).symbol == explain(0x80070000 | low).symbol != ""
    assert explain(low).code == low


def test_an_unknown_code_is_shown_in_hex_and_nothing_is_made_up() -> None:
    found = explain(0x80AB1234)
    assert (found.title, found.meaning, found.remedy) == ("0x80AB1234", "", "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0x80200010", 0x80200010),
        ("0X80200010", 0x80200010),
        ("80200010", 0x80200010),
        (" 80190194 ", 0x80190194),
        ("2149580816", 0x80200010),
        ("-2145386480", 0x80200010),
        ("bg_e_network_disconnected", 0x80200010),
        ("0x5", 5),
        ("5", 5),
        ("12345678", 12345678),
        ("4294967295", 0xFFFFFFFF),
        ("-2147483648", 0x80000000),
    ],
)
def test_codes_are_read_as_people_write_them(text: str, code: int) -> None:
    assert parse_code(text) == code


@pytest.mark.parametrize(
    "text",
    ["", "0x", "0x123456789", "4294967296", "-2147483649", "deadbeef", "9D5C4B47", "BG_E_", "1.5"],
)
def test_what_is_no_code_is_none(text: str) -> None:
    assert parse_code(text) is None


@given(st.text())
def test_nothing_that_is_typed_breaks_the_reading_of_codes(text: str) -> None:
    code = parse_code(text)
    assert code is None or 0 <= code < 2**32


@given(st.integers())
def test_every_number_can_be_explained(code: int) -> None:
    assert explain(code).code == code & 0xFFFFFFFF
