"""What a numeric code means: symbol, meaning, remedy.

The tables ship with the package: `codes.csv` (BITS, HTTP, WinHTTP, Win32 and WMI codes that jobs
and the provider give) and `wsman-codes.tsv` (the symbols of the WS-Management service). Codes are
unsigned 32 bit numbers, as on the wire.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HTTP_FACILITY = 0x80190000
_WIN32_FACILITY = 0x80070000

BG_S_PARTIAL_COMPLETE = 0x00200017
"""Complete kept what was transferred and deleted the rest."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code, explained. `symbol` is empty when no table knows the code."""

    code: int
    symbol: str
    meaning: str
    remedy: str

    @property
    def hex(self) -> str:
        """The code as people search for it: 0x and eight digits."""
        return f"0x{self.code:08X}"

    @property
    def title(self) -> str:
        """Hex and symbol, or the hex alone."""
        return f"{self.hex} {self.symbol}".rstrip()


@cache
def table() -> Mapping[int, Explanation]:
    """All known codes by number, from both tables; the BITS table wins where both know one."""
    package = files("bitsshell.bits")
    known: dict[int, Explanation] = {}
    for line in package.joinpath("wsman-codes.tsv").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        decimal, _hex, symbol, *_soap = line.split("\t")
        known[int(decimal)] = Explanation(int(decimal), symbol, "", "")
    rows = package.joinpath("codes.csv").read_text("utf-8").splitlines()
    for row in csv.DictReader(rows):
        code = int(row["code_hex"], 16)
        known[code] = Explanation(code, row["symbol"], row["meaning"], row["remedy"])
    return known


@cache
def _by_symbol() -> Mapping[str, int]:
    return {entry.symbol.upper(): code for code, entry in table().items() if entry.symbol}


def explain(code: int) -> Explanation:
    """Explain a code; one that no table knows is explained by its facility as far as possible."""
    code &= 0xFFFFFFFF
    found = table().get(code)
    if found is not None:
        return found
    if code & 0xFFFF0000 == _HTTP_FACILITY and 100 <= code & 0xFFFF < 600:
        status = code & 0xFFFF
        phrase = next((s.phrase for s in HTTPStatus if s.value == status), "no standard phrase")
        return Explanation(
            code,
            "",
            f"The server answered with HTTP status {status} ({phrase}).",
            "Ask for the URL from the host itself and read the web server's log.",
        )
    if 0 < code < 0x10000:
        win32 = table().get(_WIN32_FACILITY | code)
        if win32 is not None:
            return Explanation(code, win32.symbol, win32.meaning, win32.remedy)
    return Explanation(code, "", "", "")


def parse_code(text: str) -> int | None:
    """Read a code as people write it: 0x80200010, 80200010, 2149580816, -2145386480 or a symbol.

    Eight hex digits without 0x are a code only when a table knows it, for they may as well be the
    beginning of a job's id. None when the text is no code.
    """
    text = text.strip()
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}", text):
        return int(text, 16)
    if re.fullmatch(r"[0-9a-fA-F]{8}", text) and int(text, 16) in table():
        return int(text, 16)
    if re.fullmatch(r"-?\d{1,10}", text) and -(2**31) <= int(text) < 2**32:
        return int(text) & 0xFFFFFFFF
    return _by_symbol().get(text.upper())
