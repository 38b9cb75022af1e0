"""What the tables of the configuration may hold, and how each value is checked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bitsshell.bits import JobState
from bitsshell.durations import MIN_INTERVAL_S, MIN_TIMEOUT_S, BadDuration, seconds_of
from bitsshell.errors import UsageError
from bitsshell.fleet.targets import Auth
from bitsshell.local_files import is_a_file, local_path
from bitsshell.render import Output
from bitsshell.render.paint import COLOURS, STATE_SGR
from bitsshell.render.text import neutral

if TYPE_CHECKING:
    from pathlib import Path

EDITING = ("emacs", "vi")
"""Whose keys the shell has."""

Fields = Mapping[str, Callable[[Any], Any]]
"""What turns each key's raw value into the one that is used. Raises `Bad`."""


class Bad(Exception):
    """A value that is not taken: what is wrong with it, and what is allowed."""

    def __init__(self, problem: str, allowed: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.allowed = allowed


def nearest(typed: str, known: Iterable[str]) -> str:
    """What to say of a key that is none: the nearest ones, else all."""
    names = list(known)
    near = difflib.get_close_matches(typed.lower(), names, n=2, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else "one of " + ", ".join(names)


def text_of(raw: Any) -> str:
    """A text on one line, nothing in it that is invisible or acts on a terminal."""
    if not isinstance(raw, str):
        raise Bad("is no text", "a text in quotes")
    if any(ord(character) < 32 or ord(character) == 127 for character in raw):
        # "C:\tls" in double quotes holds a tab.
        raise Bad("holds a control character", r"a Windows path in single quotes: 'C:\tls\ca.pem'")
    if (visible := neutral(raw)) != raw:
        raise Bad(f"holds what nobody sees: {visible}", "letters, signs and plain blanks")
    return raw


def _name_of(raw: Any) -> str:
    text = text_of(raw).strip()
    if not text:
        raise Bad("is empty", "a name")
    return text


def _switch(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise Bad("is no switch", "true or false")
    return raw


def _port(raw: Any) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or not 0 < raw < 65536:
        raise Bad("is no port", "a number from 1 to 65535")
    return raw


def _auth(raw: Any) -> Auth:
    allowed = ", ".join(Auth)
    try:
        return Auth(text_of(raw).lower())
    except ValueError:
        raise Bad("is no way to log on", f"one of {allowed}") from None


def _output(raw: Any) -> str:
    text = text_of(raw).lower()
    if text not in set(Output):
        raise Bad("is no output format", "one of " + ", ".join(Output))
    return text


def _editing(raw: Any) -> str:
    text = text_of(raw).lower()
    if text not in EDITING:
        raise Bad("is no way to edit a line", "one of " + ", ".join(EDITING))
    return text


def _duration(minimum_s: float) -> Callable[[Any], str]:
    """A length of time that every verb takes, as text."""

    def convert(raw: Any) -> str:
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            raise Bad("is no length of time", 'seconds, or "90s", "5m", "2h"')
        try:
            seconds_of(str(raw), minimum_s=minimum_s)
        except BadDuration as bad:
            raise Bad(bad.problem, bad.allowed) from bad
        return str(raw)

    return convert


def _file(raw: Any) -> str:
    path = _path_of(text_of(raw))
    if not is_a_file(path):
        raise Bad("is no file", "the path of a PEM file")
    return str(path)


def _journal(raw: Any) -> str:
    """A path, a `file:` URI or `off`, as it stands; whether it can be used is seen later."""
    text = _name_of(raw)
    _path_of(text)
    return text


def _path_of(text: str) -> Path:
    try:
        return local_path(text)
    except UsageError as error:
        raise Bad("is no path", error.hint or "a path of this system") from error


def _fingerprint(raw: Any) -> str:
    text = text_of(raw)
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", re.sub(r"[:\s]", "", text)):
        raise Bad("is no fingerprint", "the SHA-256 of the host's certificate in hexadecimal")
    return text


def _paint(raw: Any) -> str:
    words = text_of(raw).lower().split()
    colours = [word for word in words if word in COLOURS]
    others = [word for word in words if word not in {*COLOURS, "bold", "dim"}]
    if not words or len(colours) > 1 or (others and words != ["none"]):
        allowed = f"{', '.join(COLOURS)}, with bold or dim before it if wanted; or none"
        raise Bad("is no colour", allowed)
    return " ".join(words)


def _members(raw: Any) -> tuple[str, ...]:
    """Texts; each may hold ranges, groups and what is taken away."""
    items = [raw] if isinstance(raw, str) else raw
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise Bad("is no list of hosts", '"web[01-40]", or ["web[01-40]", "@db", "!web13"]')
    return tuple(text_of(item) for item in items)


_LOGON: Fields = {
    "user": _name_of,
    "auth": _auth,
    "port": _port,
    "tls": _switch,
    "ca": _file,
    "fingerprint": _fingerprint,
    "certificate": _file,
    "certificate_key": _file,
    "proxy": _name_of,
    "keyring": _switch,
}

LOGON_NAMES = {
    "user": "user",
    "auth": "auth",
    "port": "port",
    "tls": "tls",
    "ca": "ca_file",
    "fingerprint": "tls_fingerprint",
    "certificate": "certificate",
    "certificate_key": "certificate_key",
    "proxy": "proxy",
    "keyring": "keyring",
}
"""The keys about logging on, and the options of `LogonOptions` that they are."""

HOST_FIELDS: Fields = {
    "address": _name_of,
    "endpoint": _name_of,
    **_LOGON,
    "readonly": _switch,
}
GROUP_FIELDS: Fields = {"hosts": _members, **_LOGON, "readonly": _switch}
COLOURS_FIELDS: Fields = {
    state.name.lower().replace("_", "-"): _paint for state in JobState if state in STATE_SGR
}
DEFAULTS_FIELDS: Fields = {
    **_LOGON,
    "readonly": _switch,
    "output": _output,
    "interval": _duration(MIN_INTERVAL_S),
    "timeout": _duration(MIN_TIMEOUT_S),
    "colour": _switch,
    "journal": _journal,
}
SHELL_FIELDS: Fields = {"editing": _editing, "toolbar": _switch, "refresh": _switch}
