"""What looks like a secret in a line or an answer, so that nothing keeps it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from bitsshell.known_secrets import scrub, scrub_json, scrub_record

_WORDS = re.compile(r"passw|passphrase|secret|token|api[-_]?key|access[-_]?key", re.IGNORECASE)
_ACCOUNT = re.compile(r"(://)([^/\s@]*:[^/\s@…]*)[@…]")
_SIGNED = re.compile(
    r"([?&;](?:sig|signature|x-amz-signature|x-amz-credential|key|code"
    r"|[^=&;?\s]{0,40}(?:passw|passphrase|secret|token|api[-_]?key|access[-_]?key)[^=&;?\s]{0,40}"
    r")=)([^&\s'\"]+)",
    re.IGNORECASE,
)
"""Parameters of a URL that sign it, or are named after a secret."""


def may_hold_secret(line: str) -> bool:
    """Whether a line is better not kept."""
    return bool(_WORDS.search(line) or _ACCOUNT.search(line) or _SIGNED.search(line))


def concealed(text: str) -> str:
    """The text with accounts and signatures in URLs masked."""
    return _SIGNED.sub(r"\1***", _ACCOUNT.sub(r"\1***@", text))


def secrets_in_urls(text: str) -> tuple[str, ...]:
    """What `concealed` masks in the URLs of a text: passwords, signatures, tokens.

    Each as it stands there and unquoted, for `known_secrets.learn`: it may come back elsewhere,
    without its URL. The user of an account is no secret.
    """
    passwords = [account.partition(":")[2] for _, account in _ACCOUNT.findall(text)]
    values = [re.split("[;#]", value)[0] for _, value in _SIGNED.findall(text)]
    found = [*passwords, *values]
    return tuple(dict.fromkeys(filter(None, [*found, *map(unquote, found)])))


def concealed_line(line: str) -> str:
    """A line as it may be kept: masked, or left out where masking is not sure enough."""
    masked = concealed(line)
    return "(a line that may hold a secret)" if _WORDS.search(masked) else masked


def kept(record: Any) -> Any:
    """A record of ours as it may be kept: its texts without known secrets and those of URLs.

    Its structure is left alone, as `known_secrets.scrub_record` has it.
    """
    return scrub_record(record, _kept_text)


def kept_json(value: Any) -> Any:
    """The same of JSON that anybody made, keys included, as `known_secrets.scrub_json` has it."""
    return scrub_json(value, _kept_text)


def _kept_text(text: str) -> str:
    return concealed(scrub(text))
