"""Hosts as they are typed, turned into targets: a label, an endpoint, and how to log on there.

A host is a name, `name:port`, or the URL of its WinRM endpoint.
"""

from __future__ import annotations

import enum
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bitsshell.errors import UsageError

HTTP_PORT = 5985
HTTPS_PORT = 5986
WSMAN_PATH = "/wsman"

_NAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*\.?"
)


_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.]*:[^\]]*)\](?::(.*))?")
_PORT = re.compile(r"[0-9]{1,5}")


class Auth(enum.StrEnum):
    """How to log on. `AUTO` is Kerberos where there is a ticket, else NTLM, never basic."""

    AUTO = "auto"
    KERBEROS = "kerberos"
    NTLM = "ntlm"
    BASIC = "basic"
    CERTIFICATE = "certificate"
    CREDSSP = "credssp"


class BadHost(UsageError):
    """What was typed is no host."""

    def __init__(self, typed: str, problem: str) -> None:
        super().__init__(
            f"{typed!r} is no host: {problem}",
            hint="give a name, name:port, or the endpoint's URL (https://name:5986/wsman)",
            typed=typed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogonOptions:
    """How to reach and log on to hosts, as far as it is said (None: not said).

    `ca_file` is a PEM file of authorities; `tls_fingerprint` the SHA-256 of the host's certificate.
    """

    user: str | None = None
    auth: Auth | None = None
    port: int | None = None
    tls: bool | None = None
    ca_file: str | None = None
    tls_fingerprint: str | None = None
    tls_verify: bool = True
    certificate: str | None = None
    certificate_key: str | None = None
    proxy: str | None = None
    allow_unencrypted: bool = False
    keyring: bool = False


NO_OPTIONS = LogonOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One host to act on: its label, the URL of its endpoint, and how to log on.

    `typed` is what it was made from, so that it can be made again with other options; a target of
    another making keeps its URL.
    """

    name: str
    url: str
    logon: LogonOptions = NO_OPTIONS
    typed: str = field(default="", compare=False)

    def is_same_host(self, other: Target) -> bool:
        """Whether both mean one host, which other options may have given another endpoint."""
        return self.url == other.url or self.name == other.name

    @property
    def hostname(self) -> str:
        """The machine's name or address in the URL."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_encrypted(self) -> bool:
        """Whether the transport itself is (TLS)."""
        return self.url.lower().startswith("https:")

    @property
    def is_loopback(self) -> bool:
        """Whether the traffic never leaves this machine."""
        host = self.hostname
        if host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def parse_target(typed: str, logon: LogonOptions = NO_OPTIONS) -> Target:
    """Turn what was typed into a target. Raises `BadHost`."""
    text = typed.strip()
    if not text:
        raise BadHost(typed, "it is empty")
    if "@" in text:
        # What stands before the last @ may be a password, and is not repeated.
        without = "...@" + text.rpartition("@")[2]
        raise BadHost(
            without, "an account does not belong there (--user, and a prompt or variable)"
        )
    if "://" in text:
        return _from_url(text, logon)
    name, port = _split_port(text)
    secure = bool(logon.tls)
    port = port or logon.port or (HTTPS_PORT if secure else HTTP_PORT)
    if logon.tls is None and port == HTTPS_PORT:
        secure = True
    scheme = "https" if secure else "http"
    url = f"{scheme}://{_bracketed(name)}:{port}{WSMAN_PATH}"
    return Target(name=text.lower(), url=url, logon=logon, typed=text)


def _from_url(text: str, logon: LogonOptions) -> Target:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadHost(text, str(error)) from error
    if parts.scheme.lower() not in {"http", "https"}:
        raise BadHost(text, f"WinRM is spoken over http or https, not {parts.scheme}")
    if not parts.hostname:
        raise BadHost(text, "the URL names no host")
    if parts.query or parts.fragment:
        raise BadHost(text, "the endpoint's URL ends with its path")
    _check_name(text, parts.hostname)
    scheme = parts.scheme.lower()
    port = port or logon.port or (HTTPS_PORT if scheme == "https" else HTTP_PORT)
    host = parts.hostname
    path = parts.path.rstrip("/") or WSMAN_PATH
    label = f"{_bracketed(host)}:{port}" + ("" if path == WSMAN_PATH else path)
    url = f"{scheme}://{_bracketed(host)}:{port}{path}"
    return Target(name=label.lower(), url=url, logon=logon, typed=text)


def _bracketed(host: str) -> str:
    """A host as a URL holds it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _split_port(text: str) -> tuple[str, int | None]:
    """`name`, `name:port`, an IPv6 address, or one in brackets with or without a port."""
    port: str | None = None
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed:
        name, port = bracketed[1], bracketed[2]
    elif text.count(":") == 1:
        name, _, port = text.partition(":")
    else:
        name = text
    _check_name(text, name)
    if port is None:
        return name, None
    if not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
        raise BadHost(text, f"{port!r} is no port (1 to 65535)")
    return name, int(port)


def _check_name(typed: str, name: str) -> None:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        if not _NAME.fullmatch(name) or name.rstrip(".").rpartition(".")[2].isdigit():
            problem = f"{name!r} is neither a machine's name nor an address"
            raise BadHost(typed, problem) from None
