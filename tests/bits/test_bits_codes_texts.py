"""The words of the table of codes: help for whoever reads them, not notes about the codes."""

from __future__ import annotations

import csv
import re
from importlib.resources import files

import pytest

from bitsshell.commands import VERBS

TEXT = files("bitsshell.bits").joinpath("codes.csv").read_text("utf-8")
ROWS = list(csv.DictReader(TEXT.splitlines()))
COLUMNS = ["code_hex", "symbol", "source", "meaning", "remedy"]
SAID = [(row["code_hex"], row[column]) for row in ROWS for column in ("meaning", "remedy")]

NOTES = {
    "a code repeated in decimal": r"\(decimal",
    "a Win32 number in front": r"^\(\d+\)",
    "where it was seen": r"\b[Ss]een (from|with|in|on)\b|\binferred\b|\bunverified\b",
    "a source": r"\bW32\b|\bGH\b|\bTN\b|\bSDK\b|\bKB\d|wsmerror|winerror|#\d",
    "another row instead of words": r"\b[Aa]s above\b|\b[Ss]ame as\b",
    "the state machine in shorthand": r"\bFatal\b|\bTransient\b|job goes to|TRANSIENT_ERROR",
    "the API in place of the verbs": r"\bAddFile\b|\bSetJobState\b|\bGetError\b|\bE_[A-Z]+\b",
    "a knob that is not there": r"concurrency",
    "the HRESULT in the text": r"0x[0-9A-Fa-f]{8}",
    "shouting": r"!",
    "two spaces": r"  ",
}
LONGEST = 220


def test_the_table_has_its_columns_and_every_code_of_the_research() -> None:
    assert len(ROWS) == 379
    codes = {row["code_hex"]: row["symbol"] for row in ROWS}
    assert len(codes) == 379
    for row in ROWS:
        assert list(row) == COLUMNS
        assert re.fullmatch(r"0x[0-9A-F]{8}", row["code_hex"])
        assert row["source"]
    for code, symbol in {
        "0x80200001": "BG_E_NOT_FOUND",
        "0x80200076": "BG_E_ERROR_CONTEXT_SERVER_CERTIFICATE_CALLBACK",
        "0x00200017": "BG_S_PARTIAL_COMPLETE",
        "0x80190194": "BG_E_HTTP_ERROR_404",
        "0x801901FF": "(HTTP 511, no symbol)",
        "0x80072EE7": "ERROR_WINHTTP_NAME_NOT_RESOLVED",
        "0x80070002": "ERROR_FILE_NOT_FOUND",
        "0x800704DD": "ERROR_NOT_LOGGED_ON",
        "0x8004100E": "WBEM_E_INVALID_NAMESPACE",
        "0x803381A6": "ERROR_WSMAN_QUOTA_MAX_OPERATIONS",
        "0x00000B60": "VMM error 2912",
    }.items():
        assert codes[code] == symbol


def test_every_symbol_belongs_to_one_code() -> None:
    symbols = [row["symbol"] for row in ROWS]
    assert sorted(set(symbols)) == sorted(symbols)


def test_a_text_is_whole_sentences_of_bounded_length() -> None:
    bad = [
        (code, text)
        for code, text in SAID
        if not re.fullmatch(r"['A-Z][\x20-\x7e]*[^.\s]\.", text) or not 8 <= len(text) <= LONGEST
    ]
    assert bad == []


@pytest.mark.parametrize("kind", NOTES)
def test_no_text_is_a_research_note(kind: str) -> None:
    assert [(code, text) for code, text in SAID if re.search(NOTES[kind], text)] == []


def test_the_notes_of_old_are_recognised() -> None:
    for note in (
        "Operation quota reached. (decimal 2150859174)",
        "(3) Destination folder does not exist (seen from Start-BitsTransfer).",
        "Lower concurrency.",
        "As above.",
        "HTTP 410 Gone: resource removed on purpose. Fatal (job goes to ERROR).",
    ):
        assert any(re.search(pattern, note) for pattern in NOTES.values()), note


def test_a_remedy_is_more_than_the_word_none() -> None:
    assert not [row["code_hex"] for row in ROWS if len(row["remedy"].split()) < 3]


def test_a_remedy_names_only_verbs_that_there_are() -> None:
    verbs = {*VERBS, "help"}
    named = {
        quoted.split()[0]
        for row in ROWS
        for quoted in re.findall(r"(?<!\w)'([a-z][^']*)'", row["remedy"])
    }
    assert "resume" in named
    assert named <= verbs


def test_a_web_status_is_named_in_the_text_of_its_code() -> None:
    for row in ROWS:
        status = int(row["code_hex"], 16) - 0x80190000
        if 100 <= status < 600:
            assert f"HTTP {status}" in row["meaning"]


@pytest.mark.parametrize("status", [404, 403, 401, 407, 405, 501, 505])
def test_a_final_web_status_says_that_bits_does_not_retry_it(status: int) -> None:
    assert "BITS does not retry it." in _meaning(0x80190000 + status)


@pytest.mark.parametrize(
    "code",
    [0x80190198, 0x80190199, 0x801901F7, 0x80072EE7, 0x80072EFD, 0x80072EE2, 0x80072EFE],
)
def test_a_passing_error_says_that_bits_tries_again(code: int) -> None:
    assert "BITS tries again" in _meaning(code)


def _meaning(code: int) -> str:
    return next(row["meaning"] for row in ROWS if int(row["code_hex"], 16) == code)
