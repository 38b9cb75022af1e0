"""What looks like a secret in a line or an answer, so that nothing keeps it."""

from __future__ import annotations

import re

_WORDS = re.compile(r"passw|passphrase|secret|token|api[-_]?key|access[-_]?key", re.IGNORECASE)
_ACCOUNT = re.compile(r"(://)[^/\s@]*:[^/\s@…]*[@…]")
_SIGNED = re.compile(
    r"([?&;](?:sig|signature|x-amz-signature|x-amz-credential|key|code"
    r"|[^=&;?\s]{0,40}(?:passw|passphrase|secret|token|api[-_]?key|access[-_]?key)[^=&;?\s]{0,40}"
    r")=)[^&\s'\"]+",
    re.IGNORECASE,
)
"""Parameters of a URL that sign it, or are named after a secret."""


def may_hold_secret(line: str) -> bool:
    """Whether a line is better not kept."""
    return bool(_WORDS.search(line) or _ACCOUNT.search(line) or _SIGNED.search(line))


def concealed(text: str) -> str:
    """The text with accounts and signatures in URLs masked."""
    return _SIGNED.sub(r"\1***", _ACCOUNT.sub(r"\1***@", text))


def concealed_line(line: str) -> str:
    """A line as it may be kept: masked, or left out where masking is not sure enough."""
    masked = concealed(line)
    return "(a line that may hold a secret)" if _WORDS.search(masked) else masked
