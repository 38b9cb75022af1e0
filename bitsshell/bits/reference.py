"""Our short mark in a job's Description, and the GUIDs that BITS gives its jobs.

Every create carries a reference, chosen before sending, so that a job whose creation was answered
by a broken connection can be found and adopted instead of being made twice.
"""

from __future__ import annotations

import re
import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_LENGTH = 10
_REFERENCE = re.compile(rf"[{_ALPHABET}]{{{_LENGTH}}}")
_MARK = re.compile(rf"(?:^|(?P<text>.*) )\[ref:(?P<reference>{_REFERENCE.pattern})\]", re.DOTALL)
_GUID = re.compile("-".join(rf"[0-9a-fA-F]{{{length}}}" for length in (8, 4, 4, 4, 12)))

SUFFIX_LENGTH = len(" [ref:]") + _LENGTH
"""How many characters of the Description the mark takes, its blank included."""


def new_reference() -> str:
    """Make a reference: ten characters of base 32, 50 random bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def is_reference(text: str) -> bool:
    """Whether this could be one of ours."""
    return _REFERENCE.fullmatch(text) is not None


def parse_mark(text: str) -> str | None:
    """The reference in `ref:7P4N...` or `[ref:7P4N...]`, in any case; None when it is none."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    prefix, _, reference = bare.upper().partition(":")
    return reference if prefix == "REF" and is_reference(reference) else None


def join_description(description: str, reference: str | None) -> str:
    """The whole Description as the host keeps it."""
    if reference is None:
        return description
    return f"{description} [ref:{reference}]" if description else f"[ref:{reference}]"


def split_description(whole: str | None) -> tuple[str, str | None]:
    """Take a Description apart into what its user wrote and the reference, if there is one."""
    if not whole:
        return "", None
    found = _MARK.fullmatch(whole)
    if found is None:
        return whole, None
    return found["text"] or "", found["reference"]


def canonical_job_id(text: str) -> str | None:
    """A GUID in upper case without braces, from any of its spellings; None when it is no GUID.

    Accepted are the five hyphenated groups, with or without braces, in any case.
    """
    bare = text.strip()
    if bare.startswith("{") and bare.endswith("}"):
        bare = bare[1:-1]
    return bare.upper() if _GUID.fullmatch(bare) else None


def wire_job_id(job_id: str) -> str:
    """The key selector as the provider wants it: the GUID in braces."""
    return f"{{{job_id}}}"
