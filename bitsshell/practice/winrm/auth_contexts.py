"""Security contexts of a connection, by scheme: they take a client's tokens, then seal and open.

All are pyspnego's acceptors. Which of them exist on this platform is decided in `auth_offers`.
"""

from __future__ import annotations

import ssl
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import spnego
from spnego.exceptions import SpnegoError
from spnego.tls import CredSSPTLSContext, default_tls_context, generate_tls_certificate

if TYPE_CHECKING:
    from spnego.channel_bindings import GssChannelBindings

_NTLM_SIGNATURE = b"NTLMSSP\x00"
_CREDSSP_CIPHERS = "ECDHE+AESGCM"
CREDSSP_CHUNK_BYTES = 16_384


class UnsealError(Exception):
    """A sealed message that this connection's context cannot open."""


class SecurityContext(Protocol):
    """One logon by tokens, and afterwards what seals the messages of its connection."""

    protocol: str
    """The media type of a sealed part ([MS-WSMV] 2.2.9.1)."""
    chunk_bytes: int | None
    """How much of a message one sealed part holds; None is all of it."""

    @property
    def complete(self) -> bool:
        """Whether the logon came to its good end."""

    @property
    def mechanism(self) -> str | None:
        """`ntlm` or `kerberos`, once it is known."""

    @property
    def principal(self) -> str | None:
        r"""Who logged on: `MACHINE\user`, or `user@REALM`."""

    def step(self, token: bytes, bindings: GssChannelBindings | None) -> bytes | None:
        """Take a token and return the one that answers it. Raises what pyspnego raises."""

    def unseal(self, signature: bytes, data: bytes) -> bytes:
        """Open a message. Raises `UnsealError`."""

    def seal(self, data: bytes) -> tuple[bytes, bytes, int]:
        """Signature, sealed bytes and length of the padding."""


class GssContext:
    """NTLM or Kerberos, bare or inside SPNEGO."""

    chunk_bytes: int | None = None

    def __init__(self, context: spnego.ContextProxy, protocol: str) -> None:
        self.protocol = protocol
        self._context = context

    @property
    def complete(self) -> bool:
        """See `SecurityContext`."""
        return bool(self._context.complete)

    @property
    def mechanism(self) -> str | None:
        """See `SecurityContext`."""
        return self._context.negotiated_protocol

    @property
    def principal(self) -> str | None:
        """See `SecurityContext`."""
        return self._context.client_principal

    def step(self, token: bytes, bindings: GssChannelBindings | None) -> bytes | None:
        """See `SecurityContext`."""
        return self._context.step(token, channel_bindings=bindings)

    def unseal(self, signature: bytes, data: bytes) -> bytes:
        """See `SecurityContext`."""
        try:
            return self._context.unwrap_winrm(signature, data)
        except (SpnegoError, ValueError) as error:
            raise UnsealError(str(error)) from error

    def seal(self, data: bytes) -> tuple[bytes, bytes, int]:
        """See `SecurityContext`."""
        sealed = self._context.wrap_winrm(data)
        return sealed.header, sealed.data, sealed.padding_length


class CredSspContext(GssContext):
    """CredSSP: SPNEGO and the user's password inside a TLS that lives in the tokens ([MS-CSSP])."""

    chunk_bytes: int | None = CREDSSP_CHUNK_BYTES

    def step(self, token: bytes, bindings: GssChannelBindings | None) -> bytes | None:
        """See `SecurityContext`; the TLS inside is the binding."""
        del bindings
        return self._context.step(token)

    def unseal(self, signature: bytes, data: bytes) -> bytes:
        """See `SecurityContext`; Windows wants to know how long the record's end is."""
        if len(signature) != self._context.query_message_sizes().header:
            raise UnsealError("the length of the TLS trailer is wrong")
        return super().unseal(signature, data)


def negotiate(token: bytes) -> SecurityContext:
    """For the `Negotiate` scheme: NTLM as it is, or what SPNEGO finds.

    Always the portable implementation: the platform's own acceptor on Windows would check the
    accounts of the machine.
    """
    if token.startswith(_NTLM_SIGNATURE):
        context = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    else:
        context = _spnego()
    return GssContext(context, "application/HTTP-SPNEGO-session-encrypted")


def kerberos(token: bytes) -> SecurityContext:
    """For the `Kerberos` scheme."""
    del token
    context = spnego.server(
        protocol="kerberos",
        options=spnego.NegotiateOptions.use_gssapi | spnego.NegotiateOptions.wrapping_winrm,
    )
    return GssContext(context, "application/HTTP-Kerberos-session-encrypted")


def credssp(token: bytes) -> SecurityContext:
    """For the `CredSSP` scheme."""
    del token
    context = spnego.server(
        protocol="credssp", credssp_negotiate_context=_spnego(), credssp_tls_context=credssp_tls()
    )
    return CredSspContext(context, "application/HTTP-CredSSP-session-encrypted")


@cache
def credssp_tls() -> CredSSPTLSContext:
    """The TLS inside CredSSP, with a certificate of its own as on Windows; slow the first time."""
    made = default_tls_context(usage="accept")
    # As Windows up to Server 2019 does it; clients compute their trailer from the cipher's name.
    made.context.maximum_version = ssl.TLSVersion.TLSv1_2
    made.context.set_ciphers(_CREDSSP_CIPHERS)
    certificate, key, made.public_key = generate_tls_certificate()
    with tempfile.TemporaryDirectory(prefix="bitsshell-credssp-") as folder:
        file = Path(folder) / "identity.pem"
        file.write_bytes(certificate + key)
        made.context.load_cert_chain(file)
    return made


def _spnego() -> spnego.ContextProxy:
    return spnego.server(protocol="negotiate", options=spnego.NegotiateOptions.use_negotiate)
