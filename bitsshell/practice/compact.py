"""The BITS Compact Server of a host: URL groups, and what they publish.

All of it lives in memory: every setting vanishes when its service or the machine restarts, as the
documentation says. What the documentation leaves open is inferred, and marked so here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from .engine.codes import BitsCallError, Hr
from .engine.localfiles import os_hresult

if TYPE_CHECKING:
    from pathlib import Path

    from .paths import HostPaths

UNLIMITED = 0xFFFF_FFFF
"""Of both limits, as HTTP.sys has it; inferred."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PREFIX = re.compile(
    r"(?P<scheme>https?)://(?P<host>\+|\*|\[[0-9A-Fa-f:.]+\]|[^/:\[\]?#\s]+)"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#]*)?",
    re.IGNORECASE,
)
_HASH_BYTES = 20
_SCHEMES = frozenset({0, 1})
"""Negotiate and NTLM; 2 is reserved."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """A URL prefix in the form of HTTP.sys: `http://+:80/packages`."""

    scheme: str
    host: str
    """In lower case; `+` and `*` are any name of the machine."""
    port: int
    path: str
    """Begins with a slash and ends without one."""

    @classmethod
    def parse(cls, text: str) -> Prefix:
        """The prefix behind the text.

        Raises:
            BitsCallError: it is none. That a port may be left out is inferred.
        """
        match = _PREFIX.fullmatch(text)
        if match is None:
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        scheme = match["scheme"].lower()
        port = int(match["port"] or _DEFAULT_PORTS[scheme])
        if not 0 < port < 65_536:
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        return cls(scheme, match["host"].lower(), port, (match["path"] or "").rstrip("/"))


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate that a port is to show."""

    store: str
    digest: tuple[int, ...]


@dataclass(slots=True, eq=False)
class UrlGroup:
    """One group, and the files that it publishes."""

    text: str
    """The prefix as it was given: the key."""
    prefix: Prefix
    urls: dict[str, str] = field(default_factory=dict)
    """Source files by suffix in lower case."""
    limits: dict[str, int] = field(
        default_factory=lambda: {"ConnectionLimit": UNLIMITED, "BandwidthLimit": UNLIMITED}
    )
    enabled: set[int] = field(default_factory=set)
    """Authentication schemes that are switched on; kept, not asked for."""
    transfers: int = 0


class CompactServer:
    """The service of one host. Errors are `BitsCallError`; which codes it uses is inferred."""

    def __init__(self, machine: str, paths: HostPaths) -> None:
        self.machine = machine
        self._paths = paths
        self._groups: dict[str, UrlGroup] = {}
        self._certificates: dict[int, Certificate] = {}

    def restart(self) -> None:
        """Stop the service and start it again: nothing is left."""
        self._groups.clear()
        self._certificates.clear()

    # --- groups ---

    def groups(self) -> list[UrlGroup]:
        """The groups, oldest first."""
        return list(self._groups.values())

    def find(self, text: str) -> UrlGroup | None:
        """The group of that prefix, in any letter case, with or without a slash at its end."""
        return self._groups.get(_normal(text))

    def create(self, text: str) -> UrlGroup:
        """Make a group."""
        if self.find(text) is not None:
            raise BitsCallError(Hr.ALREADY_EXISTS)
        group = self._groups[_normal(text)] = UrlGroup(text, Prefix.parse(text))
        return group

    def delete(self, text: str) -> None:
        """Remove a group and all that it publishes."""
        if self._groups.pop(_normal(text), None) is None:
            raise BitsCallError(Hr.FILE_NOT_FOUND)

    # --- URLs ---

    def publish(self, text: str, suffix: str, source: str) -> None:
        """Let a file be fetched; a group that is not there is made."""
        prefix = Prefix.parse(text)
        if not suffix.strip("/") or any(ch in suffix for ch in "?#\r\n"):
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        try:
            there = self._paths.resolve(source).is_file()
        except OSError as error:
            raise BitsCallError(os_hresult(error)) from error
        if not there:
            raise BitsCallError(Hr.FILE_NOT_FOUND)
        group = self._groups.setdefault(_normal(text), UrlGroup(text, prefix))
        if _suffix(suffix) in group.urls:
            raise BitsCallError(Hr.ALREADY_EXISTS)
        group.urls[_suffix(suffix)] = source

    @staticmethod
    def unpublish(group: UrlGroup, suffix: str) -> None:
        """Take a file back."""
        if group.urls.pop(_suffix(suffix), None) is None:
            raise BitsCallError(Hr.FILE_NOT_FOUND)

    @staticmethod
    def is_published(group: UrlGroup, suffix: str) -> bool:
        """Whether the group has that suffix."""
        return _suffix(suffix) in group.urls

    def route(self, path: str, port: int | None) -> tuple[UrlGroup, Path] | None:
        """The group and the file behind a path of this machine; None is any port.

        The longest prefix wins, as in HTTP.sys. Groups over HTTPS are kept, but not served.
        """
        names = {"+", "*", self.machine.lower()}
        found: tuple[UrlGroup, str] | None = None
        for group in self._groups.values():
            prefix = group.prefix
            is_here = port is None or (prefix.port == port and prefix.host in names)
            head, slash, suffix = path.lower().partition(f"{prefix.path.lower()}/")
            source = group.urls.get(suffix) if slash and not head else None
            if source is None or not is_here or prefix.scheme != "http":
                continue
            if found is None or len(prefix.path) > len(found[0].prefix.path):
                found = group, source
        return None if found is None else (found[0], self._paths.resolve(found[1]))

    # --- limits, authentication, certificates ---

    @staticmethod
    def limit(group: UrlGroup, name: str) -> int:
        """`ConnectionLimit` or `BandwidthLimit`."""
        if name not in group.limits:
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        return group.limits[name]

    @staticmethod
    def set_limit(group: UrlGroup, name: str, value: int) -> None:
        """The number of transfers at once is kept to; the bandwidth is only told."""
        if name not in group.limits:
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        group.limits[name] = value

    @staticmethod
    def set_authentication(group: UrlGroup, scheme: int, *, enable: bool) -> None:
        """Switch a scheme on or off."""
        if scheme not in _SCHEMES:
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        (group.enabled.add if enable else group.enabled.discard)(scheme)

    @staticmethod
    def authentication(group: UrlGroup, scheme: int) -> bool:
        """Whether a scheme is on."""
        if scheme not in _SCHEMES:
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        return scheme in group.enabled

    def set_certificate(self, port: int, store: str, digest: tuple[int, ...]) -> None:
        """Bind a certificate to a port."""
        if not port or not store or len(digest) != _HASH_BYTES:
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        self._certificates[port] = Certificate(store, digest)

    def certificate(self, port: int) -> Certificate:
        """What is bound to a port."""
        if port not in self._certificates:
            raise BitsCallError(Hr.FILE_NOT_FOUND)
        return self._certificates[port]

    def remove_certificate(self, port: int) -> None:
        """Unbind it."""
        if self._certificates.pop(port, None) is None:
            raise BitsCallError(Hr.FILE_NOT_FOUND)


def _normal(text: str) -> str:
    return text.strip().rstrip("/").lower()


def _suffix(text: str) -> str:
    return unquote(text).strip("/").lower()
