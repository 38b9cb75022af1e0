"""The secrets that this process learned, so that nothing it keeps or shows holds one.

Whoever learns a password calls `learn`; whoever keeps or shows text passes it through `scrub`.
A secret is found in every form in which texts carry it: URL-quoted, escaped for JSON, XML, Python
or a shell, in Base64 also behind a user name, broken across lines, and cut off by an ellipsis.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MASK = "***"

_LEAST = 4
"""A shorter secret is masked only where it stands alone: it is part of too many words."""
_BREAK = r"(?:\r?\n[ \t]{0,80})?"
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-")
_REST = re.compile(r"[A-Za-z0-9+/_-]*=*")
# Repetitions are bounded, so that a megabyte of anything is looked through in one go.


class KnownSecrets:
    """Secrets and the pattern that finds them. Safe to use from several threads."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._encoded: re.Pattern[str] | None = None
        self._guard = threading.Lock()

    def learn(self, *values: str | None) -> None:
        """Know secrets from now on. None and empty ones are no secrets."""
        with self._guard:
            new = {value for value in values if value and value not in MASK} - self._values
            if new:
                self._values |= new
                longest_first = sorted(self._values, key=len, reverse=True)
                cores = sorted({core for value in self._values for core in _base64_cores(value)})
                self._encoded = re.compile("|".join(cores)) if cores else None
                self._pattern = re.compile("|".join(map(_forms_of, longest_first)))

    def scrub(self, text: str) -> str:
        """The text with `***` in place of every known secret."""
        if self._pattern is None:
            return text
        if self._encoded is not None:
            text = _without_encoded(text, self._encoded)
        return self._pattern.sub(MASK, text)


_KNOWN = KnownSecrets()

learn = _KNOWN.learn
scrub = _KNOWN.scrub


def scrub_json(value: Any, mask: Callable[[str], str] = scrub) -> Any:
    """JSON that anybody made, as a cell that shows some, with every text masked: keys, too.

    For records of ours there is `scrub_record`, which leaves their structure alone.
    """
    match value:
        case str():
            return mask(value)
        case dict():
            return {scrub_json(key, mask): scrub_json(item, mask) for key, item in value.items()}
        case list() | tuple():
            return [scrub_json(item, mask) for item in value]
        case _:
            return value


_OUR_WORDS = frozenset(
    {
        "context", "effect", "ended", "ending", "event", "front", "kind", "mode", "operation",
        "previous_state", "priority", "recording", "state", "status", "type", "verb", "view",
        "at", "began", "ended_at",
        "hash", "machine", "root", "run", "session", "sha256",
    }
)  # fmt: skip
"""Keys of records whose values nobody types: words of ours, moments, ids, hashes."""
_NAMED_BY_LABEL = "known"
"""The key of a record whose keys are not ours, but the labels of hosts."""


def scrub_record(record: Any, mask: Callable[[str], str] = scrub) -> Any:
    """A record of ours, ready for JSON, with every free text masked.

    Its keys, and values out of a set of ours (a kind, a status, the verb of `words`), stay as they
    are: where a password is like one of them, masking it would hide nothing and make the record
    unreadable. For JSON of anybody else there is `scrub_json`.
    """
    match record:
        case str():
            return mask(record)
        case dict():
            return {str(key): _scrub_item(str(key), item, mask) for key, item in record.items()}
        case list() | tuple():
            return [scrub_record(item, mask) for item in record]
        case _:
            return record


def _scrub_item(key: str, item: Any, mask: Callable[[str], str]) -> Any:
    match item:
        case str() if key in _OUR_WORDS:
            return item
        case [verb, *words] if key == "words":
            return [verb, *scrub_record(words, mask)]
        case dict() if key == _NAMED_BY_LABEL:
            return {mask(str(label)): scrub_record(one, mask) for label, one in item.items()}
        case _:
            return scrub_record(item, mask)


def _without_encoded(text: str, cores: re.Pattern[str]) -> str:
    """The text with every run of Base64 masked in which one of these stands.

    Found from the inside, for a pattern that began with any letters would try each of them.
    """
    pieces: list[str] = []
    done = 0
    for found in cores.finditer(text):
        start = found.start()
        if start < done:
            continue
        while start > done and text[start - 1] in _BASE64:
            start -= 1
        pieces += [text[done:start], MASK]
        rest = _REST.match(text, found.end())
        done = found.end() if rest is None else rest.end()
    return "".join([*pieces, text[done:]])


def _forms_of(secret: str) -> str:
    """A pattern of every form in which a text may carry a secret."""
    letters = [_letter(character) for character in secret]
    whole = _BREAK.join(letters)
    if len(secret) < _LEAST:
        return rf"(?<!\w){whole}(?!\w)"
    kept = max(_LEAST, min(8, len(secret) // 2))
    cut_off = rf"{''.join(letters[:kept])}[^\n…]{{0,{len(secret)}}}…" if len(secret) > kept else ""
    return "|".join(filter(None, [whole, cut_off]))


def _letter(character: str) -> str:
    """One character in every way of writing it, each possibly escaped more than once."""
    from html.entities import codepoint2name

    code = ord(character)
    forms = [re.escape(character)]
    octets = character.encode("utf-8", errors="surrogatepass")
    forms.append("".join(f"%(?:25){{0,4}}{_hex(f'{octet:02x}')}" for octet in octets))
    units = character.encode("utf-16-be", errors="surrogatepass")
    forms.append(
        "".join(rf"\\{{1,8}}u{_hex(units[at : at + 2].hex())}" for at in range(0, len(units), 2))
    )
    forms += [
        rf"&(?:amp;){{0,4}}#0{{0,6}}{code};",
        rf"&(?:amp;){{0,4}}#[xX]0{{0,6}}{_hex(f'{code:x}')};",
    ]
    if code in codepoint2name:
        forms.append(rf"&(?:amp;){{0,4}}{codepoint2name[code]};")
    if code < 256:
        forms.append(rf"\\{{1,8}}x{_hex(f'{code:02x}')}")
    if code > 127:  # bytes, as Python writes them
        forms.append("".join(rf"\\{{1,8}}x{_hex(f'{octet:02x}')}" for octet in octets))
    if code > 0xFFFF:
        forms.append(rf"\\{{1,8}}U{_hex(f'{code:08x}')}")
    forms += _ESCAPES.get(character, [])
    return f"(?:{'|'.join(forms)})"


_ESCAPES: dict[str, list[str]] = {
    " ": [r"\+", r"\s{1,80}"],
    "\t": [r"\\{1,8}t"],
    "\n": [r"\\{1,8}n"],
    "\r": [r"\\{1,8}r"],
    "\b": [r"\\{1,8}b"],
    "\f": [r"\\{1,8}f"],
    "\\": [r"\\{1,8}"],
    "/": [r"\\{1,8}/"],
    '"': [r'\\{0,8}"{1,2}'],
    "'": [r"\\{0,8}'{1,2}", "&(?:amp;){0,4}apos;"],
}


def _hex(digits: str) -> str:
    return "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in digits)


def _base64_cores(secret: str) -> set[str]:
    """What is the same of a secret in Base64, wherever in a longer text it stands."""
    import base64
    from urllib.parse import quote

    cores: set[str] = set()
    for encoding in ("utf-8", "utf-16-le"):
        octets = secret.encode(encoding, errors="surrogatepass")
        for before in range(3):
            text = base64.b64encode(b"\0" * before + octets).decode()
            first = -(-before * 8 // 6)
            last = (before + len(octets)) * 8 // 6
            core = text[first:last]
            if len(core) >= _LEAST:
                cores.add(re.escape(core))
                cores.add(re.escape(core.replace("+", "-").replace("/", "_")))
                cores.add(quote(core, safe=""))
    return cores
