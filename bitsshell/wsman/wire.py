"""The seam between WS-Management and what carries it: one exchange of bytes at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias
from urllib.parse import urlsplit

from bitsshell.wsman.errors import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

Auth: TypeAlias = Literal["basic", "ntlm", "kerberos", "certificate", "credssp"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, decrypted: status, headers (names in lower case) and body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Wire(Protocol):
    """One connection to one host, authenticated if need be, used by one thread at a time.

    A wire is made anew when it broke; it never repairs itself under its user.
    """

    def exchange(self, envelope: bytes, *, connect_s: float, read_s: float) -> Answer:
        """Send one envelope and return the answer, whatever its HTTP status.

        `connect_s` bounds making the connection where there is none yet, `read_s` every wait for
        bytes. Raises `ConnectFailed`, `ConnectionStale`, `NoTicket` and `MissingExtra` before
        anything of the envelope was sent, `AnswerTimeout`, `AnswerLost` and `MalformedAnswer`
        after.
        """

    def abort(self) -> None:
        """Close the connection under a blocked `exchange`, from another thread; never blocks."""

    def close(self) -> None:
        """Close the connection; the wire is not used again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a host listens, and how to sign in there. Pickles; secrets are not in its `repr`.

    `tls_fingerprint` is the SHA-256 of the host's certificate in hexadecimal, with or without
    colons; with it neither authority nor name is asked. `ca_file` replaces the known authorities.
    `certificate_pem` and `key_pem` are files for `auth="certificate"`. The environment's proxies,
    CA variables and .netrc are never used.
    """

    url: str
    auth: Auth
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    certificate_pem: str | None = None
    key_pem: str | None = None
    ca_file: str | None = None
    tls_verify: bool = True
    tls_fingerprint: str | None = None
    proxy: str | None = field(default=None, repr=False)
    kerberos_hostname: str | None = None
    kerberos_delegation: bool = False
    label: str | None = None
    """What errors call this host; the URL's own `name:port` when None."""

    def __post_init__(self) -> None:
        _check_url(self.url)
        pin = self.tls_fingerprint
        if pin is not None:
            bare = pin.replace(":", "").replace(" ", "").lower()
            if len(bare) != 64 or not set(bare) <= set("0123456789abcdef"):
                raise RequestRefused("tls_fingerprint", "is no SHA-256 in hexadecimal")
            object.__setattr__(self, "tls_fingerprint", bare)
        if self.auth == "certificate" and not self.url.lower().startswith("https:"):
            raise RequestRefused("auth", "certificate needs TLS (an https URL)")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise RequestRefused("endpoint", f"{url!r} is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RequestRefused("endpoint", f"{url!r} is no http or https URL")
    if parts.username is not None or parts.password is not None:
        raise RequestRefused("endpoint", "must not hold a user or password")


def address_of(url: str) -> str:
    """`name:port` of an endpoint's URL, as errors show it."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    name = parts.hostname or ""
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
