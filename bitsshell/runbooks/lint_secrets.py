"""Literals in a notebook that look like secrets: in its code, its prose and its outputs.

And what stands in the place of one: a URL that was masked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bitsshell.concealed import concealed
from bitsshell.known_secrets import MASK, scrub
from bitsshell.runbooks.findings import Finding, error
from bitsshell.runbooks.steps import source_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = r"[\w.\-\[\]'\"]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key)\w*"
_VALUE = r"(?P<quote>['\"])(?!\*+(?P=quote))[^'\"{}\s]{3,}(?P=quote)"
_ASSIGNED = re.compile(
    rf"{_NAME}['\"\]]*\s*(?::\s*[\w\[\]| ]+)?\s*[=:]\s*[rRbBuUfF]*{_VALUE}", re.IGNORECASE
)
_PWD = re.compile(
    rf"(?:\b|_)pwd\w*['\"\]]*\s*(?::\s*[\w\[\]| ]+)?\s*[=:]\s*(?!['\"](?:[/.~]|\w:)){_VALUE}",
    re.IGNORECASE,
)
"""A password, where it is no working directory."""
_GIVEN = re.compile(
    r"--(?:password|passwd|passphrase|secret|token)[= ]+(?!\{)\S+|"
    r"(?:%env|%set_env|export|set)\s+\w*(?:passw(?:or)?d|secret|token)\w*\s*[= ]\s*[^\s{$%]\S*",
    re.IGNORECASE,
)
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_TOKEN = re.compile(
    r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|xox[baprs]-[A-Za-z0-9-]{10,}|"
    r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{5,})"
)
_SAID = re.compile(
    r"\b(?:password|passwd|passphrase|pwd|secret|token|(?:api|access)[ _-]?key)[`'\"*_]*"
    r"(?:\s+(?:is|are|was)\b|\s*[:=])[\s`'\"*_]*(?![\s`'\"*_]|ref:|0x|\w+://|[{$<%(\[])"
    r"(?=[^\s`(]*[A-Za-z])(?=[^\s`(]*[0-9#$^&+@~])[^\s`(]{6,}(?!\S*\()",
    re.IGNORECASE,
)
"""A secret in prose: a word with a digit or a sign in it, where a plain word would be said."""
_COMMENT = re.compile(r"(?:^|\s)#(.*)")
_MASKED_URL = re.compile(rf"^(?!\s*#).*://[^\s'\"]*{re.escape(MASK)}")


def secrets_in(cell_id: str, cell: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each line of a cell, and of what it showed, that holds what looks secret."""
    is_code = cell["cell_type"] == "code"
    for number, line in enumerate(source_of(cell).splitlines(), 1):
        what = _what(line, is_code=is_code) or _said(line, is_code=is_code)
        if what is not None:
            yield _finding(cell_id, number, what)
        if is_code and _MASKED_URL.match(line):
            yield error(
                cell_id,
                number,
                f"{MASK} stands in a URL, where an account or a signature was masked",
                "make the URL a parameter without a default (url: str), to be given for a run",
            )
    for output in cell.get("outputs", ()):
        for text in _texts(output):
            if (what := _what(text, is_code=False)) is not None:
                yield _finding(cell_id, 0, f"{what}, in what the cell showed")
                break


def _finding(cell_id: str, line: int, what: str) -> Finding:
    return error(
        cell_id,
        line,
        what,
        "take it out and change it, for it was written down; BITSSHELL_PASSWORD, the keyring or a "
        "prompt gives it to a run",
    )


def _what(text: str, *, is_code: bool) -> str | None:
    """What a text holds that looks secret, in words that do not repeat it."""
    if scrub(text) != text:
        return "a password that is in use stands here"
    if concealed(text) != text:
        return "a URL holds an account or a signature"
    if _KEY.search(text) or _TOKEN.search(text):
        return "a private key or an access token stands here"
    if is_code and any(form.search(text) for form in (_ASSIGNED, _PWD, _GIVEN)):
        return "what looks like a secret stands here as a literal"
    return None


def _said(line: str, *, is_code: bool) -> str | None:
    """What a line of prose, or the comment on a line of code, tells of a secret."""
    comment = _COMMENT.search(line) if is_code else None
    prose = (comment[1] if comment else "") if is_code else line
    return "what looks like a secret is said here" if _SAID.search(prose) else None


def _texts(output: Mapping[str, Any]) -> Iterator[str]:
    """The texts of an output, each whole."""
    found: list[Any] = [output.get("text"), output.get("traceback"), output.get("evalue")]
    found += list((output.get("data") or {}).values())
    for value in found:
        if isinstance(value, list):
            yield "\n".join(map(str, value))
        elif isinstance(value, str):
            yield value
