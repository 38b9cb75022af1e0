"""Authentication of a connection: basic, NTLM and Negotiate with message encryption.

An NTLM context belongs to its connection ([MS-NLMP] over HTTP): it is made there and dies there.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

import spnego
from spnego.exceptions import SpnegoError

if TYPE_CHECKING:
    from ..accounts import Account, AccountFile
    from ..settings import WinRmSettings

_NTLM_SIGNATURE = b"NTLMSSP\x00"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request is authenticated. `fresh` on the first one of a logon."""

    fresh: bool = False
    token: str | None = None
    """A last token for the client, as a WWW-Authenticate value."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Not (yet) authenticated: 401 with these WWW-Authenticate values."""

    challenges: tuple[str, ...]
    failed: bool = False
    """Credentials were offered and are wrong."""


class UnsealError(Exception):
    """A sealed message that this connection's context cannot open."""


class Authenticator:
    """The security state of one connection."""

    def __init__(
        self,
        account: Account,
        account_file: AccountFile,
        machine: str,
        settings: WinRmSettings,
        *,
        tls: bool,
    ) -> None:
        self._account = account
        self._account_file = account_file
        self._machine = machine
        self._settings = settings
        self._tls = tls
        self._context: spnego.ContextProxy | None = None
        self._basic_known = False

    @property
    def can_seal(self) -> bool:
        """Whether the connection has a context that seals and opens messages."""
        return self._context is not None and self._context.complete

    @property
    def offers(self) -> tuple[str, ...]:
        """The schemes that a 401 offers; basic only where plain messages are allowed."""
        offers = ["Negotiate"] if self._settings.negotiate else []
        if self._basic_allowed:
            offers.append('Basic realm="WSMAN"')
        return tuple(offers)

    @property
    def _basic_allowed(self) -> bool:
        return self._settings.basic and (self._tls or self._settings.allow_unencrypted)

    def authenticate(self, authorization: str | None) -> Accepted | Refused:
        """Take a request's Authorization header into account."""
        if authorization is None:
            return Accepted() if self.can_seal else Refused(self.offers)
        scheme, _, value = authorization.strip().partition(" ")
        if scheme.lower() == "basic" and self._basic_allowed:
            return self._basic(value)
        if scheme.lower() in {"ntlm", "negotiate"} and self._settings.negotiate:
            return self._negotiate(scheme, value)
        return Refused(self.offers, failed=True)

    def unseal(self, signature: bytes, data: bytes) -> bytes:
        """Open a message.

        Raises:
            UnsealError: it was sealed under another context, or was changed.
        """
        if self._context is None or not self._context.complete:
            raise UnsealError("no context")
        try:
            return self._context.unwrap_winrm(signature, data)
        except (SpnegoError, ValueError) as error:
            raise UnsealError(str(error)) from error

    def seal(self, data: bytes) -> tuple[bytes, bytes, int]:
        """Signature, sealed bytes and length of the padding."""
        if self._context is None:
            raise UnsealError("no context")
        sealed = self._context.wrap_winrm(data)
        return sealed.header, sealed.data, sealed.padding_length

    def _basic(self, value: str) -> Accepted | Refused:
        try:
            plain = base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            return Refused(self.offers, failed=True)
        try:
            text = plain.decode("utf-8")
        except UnicodeDecodeError:
            text = plain.decode("latin-1")
        username, _, password = text.partition(":")
        if not self._account.accepts(username, password, self._machine):
            return Refused(self.offers, failed=True)
        fresh, self._basic_known = not self._basic_known, True
        return Accepted(fresh=fresh)

    def _negotiate(self, scheme: str, value: str) -> Accepted | Refused:
        try:
            token = base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            return Refused(self.offers, failed=True)
        try:
            with self._account_file.in_environment():
                context = self._context
                if context is None or context.complete:
                    context = self._context = _acceptor(token)
                answer = context.step(token)
        except (SpnegoError, ValueError, IndexError, OSError):
            self._context = None
            return Refused(self.offers, failed=True)
        encoded = f"{scheme} {base64.b64encode(answer).decode()}" if answer else None
        if context.complete:
            return Accepted(fresh=True, token=encoded)
        return Refused((encoded,) if encoded else self.offers)


def _acceptor(token: bytes) -> spnego.ContextProxy:
    """NTLM as it is, or inside SPNEGO; always the portable implementation.

    On Windows the platform's own acceptor would check the accounts of the machine.
    """
    if token.startswith(_NTLM_SIGNATURE):
        return spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    return spnego.server(protocol="negotiate", options=spnego.NegotiateOptions.use_negotiate)
