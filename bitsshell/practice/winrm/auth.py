"""Authentication of a connection, for every scheme that WinRM has.

A security context belongs to its connection: it is made there and dies there. The schemes are
those of a current Windows host's `WWW-Authenticate`; a client certificate is not among them, it is
claimed by a header of its own ([DSP0226] C.3.3).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spnego.channel_bindings import GssChannelBindings

from ..certificates import user_of
from . import auth_contexts
from .auth_bindings import names_a_channel
from .auth_contexts import SecurityContext, UnsealError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..accounts import Account, AccountFile
    from ..settings import WinRmSettings

__all__ = ["Accepted", "Authenticator", "Gate", "Refused", "UnsealError"]

MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request is authenticated. `fresh` on the first one of a logon."""

    fresh: bool = False
    token: str | None = None
    """A last token for the client, as a WWW-Authenticate value."""
    is_administrator: bool = True
    """Whether it is the fleet's account; another one that Kerberos knows may do nothing."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Not (yet) authenticated: 401 with these WWW-Authenticate values."""

    challenges: tuple[str, ...]
    failed: bool = False
    """Credentials were offered and are wrong."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What decides who may log on at a host's listener."""

    machine: str
    account: Account
    account_file: AccountFile
    settings: WinRmSettings
    channel_bindings: bytes | None = None
    """Of a TLS listener's certificate ([RFC 5929]); None is plain HTTP."""

    @property
    def tls(self) -> bool:
        """Whether the listener speaks TLS."""
        return self.channel_bindings is not None


class Authenticator:
    """The security state of one connection.

    Args:
        gate: who may log on.
        certificate: the client's certificate (DER) that its TLS showed, if any.
    """

    def __init__(self, gate: Gate, certificate: bytes | None = None) -> None:
        self._gate = gate
        self._certificate = certificate
        self._context: SecurityContext | None = None
        self._scheme = ""
        self._is_known = False

    @property
    def context(self) -> SecurityContext | None:
        """What seals and opens this connection's messages, after a logon by tokens."""
        return self._context if self._context is not None and self._context.complete else None

    @property
    def offers(self) -> tuple[str, ...]:
        """The schemes that a 401 offers; basic only where plain messages are allowed."""
        basic = ('Basic realm="WSMAN"',) if self._basic_allowed else ()
        # In the order of a Windows host.
        before = [scheme for scheme in ("Negotiate", "Kerberos") if scheme.lower() in self._makers]
        after = ["CredSSP"] if "credssp" in self._makers else []
        return (*before, *basic, *after)

    def authenticate(self, authorization: str | None) -> Accepted | Refused:
        """Take a request's Authorization header into account."""
        if authorization is None:
            context = self.context
            if context is None:
                return Refused(self.offers)
            return Accepted(is_administrator=self._is_account(context))
        scheme, _, value = authorization.strip().partition(" ")
        if scheme == MUTUAL:
            return self._by_certificate()
        if scheme.lower() == "basic" and self._basic_allowed:
            return self._basic(value)
        maker = self._makers.get(scheme.lower())
        if maker is not None:
            return self._by_token(scheme, value, maker)
        return Refused(self.offers, failed=True)

    @property
    def _basic_allowed(self) -> bool:
        settings = self._gate.settings
        return settings.basic and (self._gate.tls or settings.allow_unencrypted)

    @property
    def _makers(self) -> dict[str, Callable[[bytes], SecurityContext]]:
        """The schemes by token that are switched on."""
        settings = self._gate.settings
        makers = {
            "negotiate": (settings.negotiate, auth_contexts.negotiate),
            "ntlm": (settings.negotiate, auth_contexts.negotiate),  # not offered, but curl's
            "kerberos": (settings.kerberos, auth_contexts.kerberos),
            "credssp": (settings.credssp, auth_contexts.credssp),
        }
        return {scheme: maker for scheme, (is_on, maker) in makers.items() if is_on}

    def _basic(self, value: str) -> Accepted | Refused:
        plain = _decoded(value)
        if plain is None:
            return Refused(self.offers, failed=True)
        try:
            text = plain.decode("utf-8")
        except UnicodeDecodeError:
            text = plain.decode("latin-1")
        username, _, password = text.partition(":")
        if not self._gate.account.accepts(username, password, self._gate.machine):
            return Refused(self.offers, failed=True)
        return self._known()

    def _by_certificate(self) -> Accepted | Refused:
        user = None if self._certificate is None else user_of(self._certificate)
        mapped = f"{self._gate.account.username}@localhost"
        if not self._gate.settings.certificate or user is None or user.lower() != mapped.lower():
            return Refused(self.offers, failed=True)
        return self._known()

    def _known(self) -> Accepted:
        fresh, self._is_known = not self._is_known, True
        return Accepted(fresh=fresh)

    def _by_token(
        self, scheme: str, value: str, maker: Callable[[bytes], SecurityContext]
    ) -> Accepted | Refused:
        token = _decoded(value)
        if token is None:
            return Refused(self.offers, failed=True)
        try:
            with self._gate.account_file.in_environment():
                context = self._context
                if context is None or context.complete or self._scheme != scheme.lower():
                    context = self._context = maker(token)
                    self._scheme = scheme.lower()
                answer = context.step(token, self._bindings(token))
        except Exception:  # noqa: BLE001 - acceptors read what strangers send, and raise what they like
            self._context = None
            return Refused(self.offers, failed=True)
        encoded = f"{scheme} {base64.b64encode(answer).decode()}" if answer else None
        if not context.complete:
            if encoded is None:
                self._context = None
            return Refused((encoded,) if encoded else self.offers)
        if context.mechanism == "kerberos" and not self._gate.settings.kerberos:
            self._context = None
            return Refused(self.offers, failed=True)
        return Accepted(fresh=True, token=encoded, is_administrator=self._is_account(context))

    def _bindings(self, token: bytes) -> GssChannelBindings | None:
        """The channel that the logon must be made for, where the client names one."""
        expected = self._gate.channel_bindings
        if expected is None or not names_a_channel(token):
            return None
        return GssChannelBindings(application_data=expected)

    def _is_account(self, context: SecurityContext) -> bool:
        """Whether the one who logged on is the account; NTLM knows nobody else."""
        if context.mechanism != "kerberos":
            return True
        name = (context.principal or "").rpartition("@")[0]
        return name.lower() == self._gate.account.username.lower()


def _decoded(value: str) -> bytes | None:
    try:
        return base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
