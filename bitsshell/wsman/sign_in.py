"""What the sign-in libraries leave behind: a security context, or an error of their own.

requests-ntlm, requests-credssp and pywinrm's Kerberos raise what they like. Only what they say of
the account itself is a refusal of it: a password that is taken for wrong is sent to no other host.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bitsshell.wsman.errors import AuthenticationRejected, NoTicket
from bitsshell.wsman.texts import clean

if TYPE_CHECKING:
    from bitsshell.wsman.wire import Endpoint

# By name, since not all of these packages are always installed: the package and the class that
# mean the account itself. NTLM needs none: there a refusal is a 401 after the last leg.
_REFUSALS = frozenset(
    {
        ("requests_credssp", "AuthenticationException"),
        ("requests_credssp", "NTStatusException"),
        ("winrm", "KerberosExchangeError"),
        ("kerberos", "GSSError"),
        ("winkerberos", "GSSError"),
        ("spnego", "NoCredentialError"),
        ("spnego", "InvalidCredentialError"),
        ("spnego", "CredentialsExpiredError"),
    }
)
_NUMBER = re.compile(r"-?\b\d{5,}\b")
# No credentials, credentials expired (GSS-API); no cache, nothing in it, ticket expired (MIT).
_NO_TICKET = frozenset(
    code & 0xFFFFFFFF
    for code in (7 << 16, 11 << 16, -1765328189, -1765328243, -1765328352, 39756033, 39756044)
)


def has_context(auth: Any) -> bool:
    """Whether a sign-in has taken place, which pywinrm's sealing takes for granted.

    `auth` is the session's. Kerberos' library insists on the host's own proof and needs no check.
    """
    if hasattr(auth, "session_security"):
        return auth.session_security is not None
    return bool(getattr(auth, "contexts", True))


def refusal_of(
    error: Exception, endpoint: Endpoint, offered: tuple[str, ...]
) -> AuthenticationRejected | None:
    """What a library's error says of the account; None where it says nothing of it.

    A password that was not even tried, as where NTLM's challenge is broken, is not refused.
    """
    kinds = {(each.__module__.partition(".")[0], each.__name__) for each in type(error).__mro__}
    if kinds.isdisjoint(_REFUSALS):
        return None
    detail = clean(str(error), 160)
    if endpoint.auth == "kerberos" and not _NO_TICKET.isdisjoint(_numbers_in(str(error))):
        return NoTicket(scheme="kerberos", user=endpoint.username, detail=detail)
    return AuthenticationRejected(
        scheme=endpoint.auth,
        offered=offered,
        user=endpoint.username,
        detail=detail or type(error).__name__,
    )


def is_from_sign_in(error: Exception) -> bool:
    """Whether an error of requests' family is none of its own: Kerberos inherits from it."""
    return not type(error).__module__.startswith("requests.")


def named(error: Exception) -> str:
    """An unforeseen error with its type; it may hold anything but the password."""
    return clean(f"{type(error).__name__}: {error}".removesuffix(": "), 160)


def _numbers_in(text: str) -> frozenset[int]:
    return frozenset(int(number) & 0xFFFFFFFF for number in _NUMBER.findall(text))
