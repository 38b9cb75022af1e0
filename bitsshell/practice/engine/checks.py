"""What BITS refuses before it does anything: names, URLs, numbers and their limits."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TypeVar
from urllib.parse import urlsplit

from ..paths import MAX_PATH, is_full_path
from .codes import AuthScheme, AuthTarget, BitsCallError, Hr, ProxyUsage

MAX_URL_CHARS = 2_200
MAX_NAME_CHARS = 256
MAX_DESCRIPTION_CHARS = 1_024
MAX_PROXY_LIST_CHARS = 4_000
MAX_PROXY_BYTES = 32 * 1024
MAX_USER_CHARS = 300
MAX_PASSWORD_CHARS = 65_535
MIN_RETRY_DELAY_S = 5

_ROOTED_DRIVE = re.compile(r"\\?[A-Za-z]:")
_E = TypeVar("_E", bound=IntEnum)


def utf16_units(text: str) -> int:
    """Length as Windows counts it."""
    return len(text) + sum(ord(ch) > 0xFFFF for ch in text)


def member(kind: type[_E], value: int, hresult: int = Hr.NOT_IMPLEMENTED) -> _E:
    """The enum's member, or the error that BITS has for an undefined number (20)."""
    try:
        return kind(value)
    except ValueError:
        raise BitsCallError(hresult) from None


def check_name(name: str | None) -> str:
    """A display name: present and at most 256 characters (16)."""
    if name is None or utf16_units(name) > MAX_NAME_CHARS:
        raise BitsCallError(Hr.INVALID_ARGUMENT)
    return name


def check_description(text: str | None) -> str:
    """A description: present and at most 1024 characters (17)."""
    if text is None:
        raise BitsCallError(Hr.INVALID_ARGUMENT)
    if utf16_units(text) > MAX_DESCRIPTION_CHARS:
        raise BitsCallError(Hr.STRING_TOO_LONG)
    return text


def check_local(path: str) -> None:
    """A destination: full path, no wildcard, no stream, within MAX_PATH (41, 42)."""
    if not is_full_path(path):
        raise BitsCallError(Hr.INVALID_ARGUMENT)


def check_remote(url: str, too_long: int = Hr.INVALID_ARGUMENT) -> None:
    """A remote name: http, https or SMB, within its limits (40, 43, 44)."""
    if utf16_units(url) > MAX_URL_CHARS:
        raise BitsCallError(too_long)
    if not url or any(ord(ch) < 0x20 for ch in url):
        raise BitsCallError(Hr.INVALID_ARGUMENT)
    if any(utf16_units(part) > MAX_PATH for part in url.replace("\\", "/").split("/")):
        raise BitsCallError(Hr.INVALID_ARGUMENT)
    if is_smb(url):
        return
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise BitsCallError(Hr.INVALID_ARGUMENT) from None
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or not port_is_valid:
        raise BitsCallError(Hr.INVALID_ARGUMENT)
    if not host.isascii():
        raise BitsCallError(Hr.INVALID_ARGUMENT)


def is_smb(url: str) -> bool:
    r"""Whether the remote name is a file: UNC, `file://` or a drive path (44)."""
    return is_full_path(share_path(url))


def share_path(remote: str) -> str:
    r"""The Windows path behind a remote name that is a file: `file://srv/s/x` is `\\srv\s\x`."""
    if remote[:7].lower() != "file://":
        return remote
    name = remote[7:].replace("/", "\\")
    if _ROOTED_DRIVE.match(name):
        return name.lstrip("\\")
    return "\\\\" + name.lstrip("\\")


def check_proxy(usage: int, servers: str | None, bypass: str | None) -> ProxyUsage:
    """Proxy settings: a list with OVERRIDE, none otherwise, within limits (21)."""
    kind = member(ProxyUsage, usage)
    if kind is ProxyUsage.OVERRIDE:
        if not servers:
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        if len(servers.encode("utf-16-le")) > MAX_PROXY_BYTES:
            raise BitsCallError(Hr.PROXY_LIST_TOO_LARGE)
        if bypass and len(bypass.encode("utf-16-le")) > MAX_PROXY_BYTES:
            raise BitsCallError(Hr.PROXY_BYPASS_LIST_TOO_LARGE)
        if max(utf16_units(servers), utf16_units(bypass or "")) > MAX_PROXY_LIST_CHARS:
            raise BitsCallError(Hr.INVALID_ARGUMENT)
    elif servers is not None or bypass is not None:
        raise BitsCallError(Hr.INVALID_ARGUMENT)
    return kind


def check_auth(target: int, scheme: int) -> tuple[AuthTarget, AuthScheme]:
    """Target and scheme of credentials (137)."""
    return (
        member(AuthTarget, target, Hr.INVALID_AUTH_TARGET),
        member(AuthScheme, scheme, Hr.INVALID_AUTH_SCHEME),
    )


def check_secret(scheme: AuthScheme, username: str | None, password: str | None) -> None:
    """User name and password within their limits, and there when the scheme needs them (137)."""
    if username is not None and utf16_units(username) > MAX_USER_CHARS:
        raise BitsCallError(Hr.USERNAME_TOO_LARGE)
    if password is not None and utf16_units(password) > MAX_PASSWORD_CHARS:
        raise BitsCallError(Hr.PASSWORD_TOO_LARGE)
    needs_both = scheme in {AuthScheme.BASIC, AuthScheme.DIGEST}
    if needs_both and (username is None or password is None):
        raise BitsCallError(Hr.INVALID_ARGUMENT)
    if username is None and password is not None:
        raise BitsCallError(Hr.INVALID_ARGUMENT)
