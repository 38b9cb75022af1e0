"""What can go wrong between this program and a host's WS-Management service.

    BitsShellError
      UsageError
        RequestRefused        a value that XML cannot carry; nothing was sent
      WSManError              carries host, operation and whether it was a change
        ConnectFailed         no connection; `kind` says why
          CertificateRejected the certificate is not trusted, not the host's, or not the pinned one
        ConnectionStale       the connection had ended before anything was sent
        AnswerTimeout         sent, and no answer in time
        AnswerLost            sent, and the connection ended before the whole answer was here
        CallAborted           stopped by this program itself
        AuthenticationRejected the host refused the account, after a fresh handshake
          NoTicket            Kerberos has no usable ticket
        MissingExtra          the chosen authentication needs a package that is not installed
        HttpFailure           an HTTP answer that is no WS-Management message
        MalformedAnswer       an answer that is not what the protocol promises
        Fault                 the host's own refusal, with every code in it (in `faults`)

Texts that a host sends may be in any language and never decide anything; codes do.
"""

from __future__ import annotations

from typing import Any, ClassVar

from bitsshell.errors import BitsShellError, UsageError
from bitsshell.wsman.texts import clean


class RequestRefused(UsageError):
    """A value that the wire cannot carry; nothing was sent. `name` is the property."""

    name: str
    reason: str

    def __init__(self, name: str, reason: str, **data: Any) -> None:
        super().__init__(f"{name} {reason}", name=name, reason=reason, **data)


class WSManError(BitsShellError):
    """Base: something went wrong on the way to a host, on it, or on the way back.

    `operation` is the short name of what was asked for (`CreateJob`); `change` says that it would
    have changed something.
    """

    _unknown_after_change: ClassVar[bool] = False

    def __init__(
        self,
        message: str = "",
        *,
        operation: str = "",
        change: bool = False,
        **data: Any,
    ) -> None:
        super().__init__(message, operation=operation, change=change, **data)

    operation: str
    change: bool

    @property
    def may_have_been_applied(self) -> bool:
        """Whether the host may have carried the change out although this error was the answer."""
        return self.change and self._unknown_after_change

    def during(self, operation: str, *, change: bool, host: str) -> WSManError:
        """Fill in what the place of the error did not know; return the error itself."""
        self.operation = self.operation or operation
        self.change = self.change or change
        self.host = self.host or host
        return self

    @property
    def hint(self) -> str | None:
        """What to do next; after a change whose result is unknown that comes first."""
        if self.may_have_been_applied:
            what = self.operation or "the change"
            return f"{what} may have been carried out: look before repeating it"
        return super().hint


class ConnectFailed(WSManError):
    """No connection to the host; nothing was sent.

    `kind` is one of `refused`, `name`, `timeout`, `unreachable`, `reset`, `tls`, `silent`,
    `no-http`, `open` (no sign-in is asked for), `sign-in` (it broke off, and says nothing about the
    password), `proxy`, `certificate`, `other`;
    `address` is `name:port`, `detail` the system's own words, `timeout_s` the time that was waited.
    `near` are known hosts of similar names, which whoever knows them fills in.
    """

    kind: str
    address: str
    detail: str
    timeout_s: float | None
    near: tuple[str, ...] = ()

    def __init__(
        self,
        kind: str = "other",
        *,
        address: str = "",
        detail: str = "",
        timeout_s: float | None = None,
        **data: Any,
    ) -> None:
        super().__init__(kind=kind, address=address, detail=detail, timeout_s=timeout_s, **data)

    def what(self) -> str:
        """One sentence of its own for each kind; without the address where that is the host."""
        address = self.address or "the host"
        it, on, to, called = address, f"on {address}", f"to {address}", f"the name in {address}"
        if self.is_named_by_address:
            it, on, to, called = "it", "there", "there", "this name"
        detail = f" ({self.detail})" if self.detail else ""
        waited = f" within {self.timeout_s:g} s" if self.timeout_s is not None else ""
        sentence = {
            "timeout": f"no answer to the connection {to}{waited}",
            "refused": f"nothing listens {on}",
            "name": f"{called} is not known{detail}",
            "unreachable": f"no route {to}{detail}",
            "reset": f"{it} closed the connection at once{detail}",
            "tls": f"{it} does not speak TLS as expected{detail}",
            "silent": f"{it} takes the connection and does not answer{waited}",
            "no-http": f"what answers {on} does not speak HTTP",
            "open": f"{it} answers without asking who you are",
            "sign-in": f"the sign-in {to} broke off{detail}",
            "proxy": f"the proxy did not connect {to}{detail}",
        }
        return sentence.get(self.kind, f"no connection {to}{detail}")

    @property
    def is_named_by_address(self) -> bool:
        """Whether the host's label says all that the address says."""
        return bool(self.address) and self.host == self.address

    @property
    def hint(self) -> str | None:
        """What to look at, by kind."""
        if self.near:
            return f"did you mean {' or '.join(self.near)}?"
        return self._hint or _CONNECT_HINTS.get(self.kind)


_CONNECT_HINTS = {
    "timeout": "is it up, and is its firewall open for WinRM (5985, with TLS 5986)?",
    "refused": "is WinRM on (winrm quickconfig there), and the port right (5985, with TLS 5986)?",
    "name": "check the spelling and the name service",
    "unreachable": "check the network and the address",
    "reset": "is the port right? 5985 speaks HTTP, 5986 TLS",
    "tls": "is the port right? 5985 speaks HTTP, 5986 TLS",
    "silent": "is it WinRM that listens there? If so, the host may be busy",
    "no-http": "is the port right? 5985 speaks HTTP, 5986 TLS",
    "open": "something else than WinRM? Check port (5985, with TLS 5986) and path (/wsman)",
    "sign-in": "is it WinRM that listens there (5985, with TLS 5986)? If so, try another --auth",
    "proxy": "check the proxy's address, or leave --proxy out",
}


class CertificateRejected(ConnectFailed):
    """The host's certificate is not accepted; nothing was sent. `detail` is TLS's own reason."""

    default_hint = (
        "name its authority with --ca FILE, or pin the certificate with --tls-fingerprint SHA256"
    )

    def __init__(self, **data: Any) -> None:
        data.pop("kind", None)
        super().__init__("certificate", **data)

    def what(self) -> str:
        """The certificate, and TLS's reason."""
        detail = f": {self.detail}" if self.detail else ""
        whose = f"the certificate of {self.address or 'the host'}"
        whose = "its certificate" if self.is_named_by_address else whose
        return f"{whose} is not accepted{detail}"

    @property
    def hint(self) -> str | None:
        """How a certificate becomes acceptable."""
        return self._hint or self.default_hint


class ConnectionStale(WSManError):
    """The kept connection had ended before anything was sent; a new one will do."""

    def what(self) -> str:
        """The end of an idle connection."""
        return "the host had closed the kept connection"


class AnswerTimeout(WSManError):
    """The request was sent and no (whole) answer came within `timeout_s` seconds."""

    _unknown_after_change = True
    default_hint = "is it WinRM that listens there? If so, the host may be busy: try again later"
    timeout_s: float | None

    def __init__(self, timeout_s: float | None = None, **data: Any) -> None:
        super().__init__(timeout_s=timeout_s, **data)

    def what(self) -> str:
        """The operation that got no answer, and the time that was waited."""
        within = f" within {self.timeout_s:g} s" if self.timeout_s is not None else ""
        return f"no answer{_to(self.operation)}{within}"


class AnswerLost(WSManError):
    """The request was sent and the connection ended before the whole answer was here."""

    _unknown_after_change = True
    default_hint = "try again"
    detail: str

    def __init__(self, detail: str = "", **data: Any) -> None:
        super().__init__(detail=detail, **data)

    def what(self) -> str:
        """The operation whose answer is missing."""
        detail = f" ({self.detail})" if self.detail else ""
        return f"the connection ended before the answer{_to(self.operation)} was here{detail}"


class CallAborted(WSManError):
    """The call was stopped by this program (`abort`). `sent` says whether the request was out."""

    sent: bool

    def __init__(self, *, sent: bool = False, **data: Any) -> None:
        super().__init__(sent=sent, **data)

    @property
    def may_have_been_applied(self) -> bool:
        """Only what was sent can have been applied."""
        return self.change and self.sent

    def what(self) -> str:
        """The operation that was stopped, and how far it had come."""
        where = "before its answer came" if self.sent else "before it was sent"
        return f"{self.operation or 'the call'} was stopped {where}"


class AuthenticationRejected(WSManError):
    """The host refused the account after a fresh handshake.

    `scheme` is the authentication that was tried, `offered` the schemes that the host names, `user`
    the account's name; `detail` is the library's own words, if any.
    """

    scheme: str
    offered: tuple[str, ...]
    user: str | None
    detail: str

    def __init__(
        self,
        *,
        scheme: str = "",
        offered: tuple[str, ...] = (),
        user: str | None = None,
        detail: str = "",
        **data: Any,
    ) -> None:
        super().__init__(scheme=scheme, offered=offered, user=user, detail=detail, **data)

    @property
    def scheme_is_offered(self) -> bool:
        """Whether the host names the scheme that was tried (or names none, so nobody knows)."""
        wanted = _SCHEME_HEADERS.get(self.scheme, frozenset())
        return not (wanted and self.offered) or any(o.lower() in wanted for o in self.offered)

    def what(self) -> str:
        """Refused account, or refused scheme."""
        if not self.scheme_is_offered:
            offered = clean(", ".join(self.offered), 120)
            return f"the host does not offer {self.scheme}; it offers {offered}"
        who = f" for {self.user}" if self.user else ""
        detail = f" ({self.detail})" if self.detail else ""
        return f"the host refused the sign-in{who} with {self.scheme or 'this account'}{detail}"

    @property
    def hint(self) -> str | None:
        """Another scheme where this one is off, else the account."""
        if self._hint:
            return self._hint
        if not self.scheme_is_offered:
            spoken = self._spoken_schemes()
            return f"choose with --auth: {', '.join(spoken)}" if spoken else _NONE_SPOKEN
        return _ACCOUNT_HINTS.get(self.scheme, _NAME_HINT)

    def _spoken_schemes(self) -> list[str]:
        """The ways to sign in by which one of the offered schemes is answered here."""
        offered = {scheme.lower() for scheme in self.offered}
        return [
            name for name, headers in _SCHEME_HEADERS.items() if not offered.isdisjoint(headers)
        ]


_NAME_HINT = "check the user name (DOMAIN\\name, or .\\name for a local account) and the password"
_NONE_SPOKEN = "none of these is spoken here: is it WinRM that listens there (5985, with TLS 5986)?"
_ACCOUNT_HINTS = {
    "kerberos": "name the host as its domain does, and look with klist whose tickets you have",
    "certificate": "is the certificate mapped to an account there, and Certificate sign-in on?",
}

# What stands in WWW-Authenticate for each way to sign in.
_SCHEME_HEADERS = {
    "basic": frozenset({"basic"}),
    "ntlm": frozenset({"ntlm", "negotiate"}),
    "kerberos": frozenset({"kerberos", "negotiate"}),
    "credssp": frozenset({"credssp"}),
}


class NoTicket(AuthenticationRejected):
    """Kerberos has no ticket, or only one that has run out; nothing was sent."""

    default_hint = "get a ticket: kinit NAME@REALM"

    def what(self) -> str:
        """The missing ticket, in the library's words where it has some."""
        return f"there is no usable Kerberos ticket{f' ({self.detail})' if self.detail else ''}"

    @property
    def hint(self) -> str | None:
        """`kinit`."""
        return self._hint or self.default_hint


class MissingExtra(WSManError):
    """The chosen authentication needs packages that are not installed. `extra` names them."""

    extra: str

    def __init__(self, extra: str = "", **data: Any) -> None:
        super().__init__(extra=extra, **data)

    def what(self) -> str:
        """The authentication that cannot be used."""
        return f"{self.extra} authentication needs packages that are not installed"

    @property
    def hint(self) -> str | None:
        """The command that installs them."""
        return self._hint or f'pip install "bitsshell[{self.extra}]"'


class HttpFailure(WSManError):
    """An HTTP answer that is no WS-Management message.

    `status` and `reason` are HTTP's, `snippet` is the start of the page as plain text, `location`
    where a redirect points.
    """

    # Told by the HTTP layer before WinRM's service looks at the message (wire.md 4.10).
    _not_processed: ClassVar[frozenset[int]] = frozenset(
        {301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 407, 411, 413, 415, 429, 503}
    )

    status: int
    reason: str
    snippet: str
    location: str

    def __init__(
        self,
        status: int = 0,
        *,
        reason: str = "",
        snippet: str = "",
        location: str = "",
        **data: Any,
    ) -> None:
        super().__init__(status=status, reason=reason, snippet=snippet, location=location, **data)

    @property
    def may_have_been_applied(self) -> bool:
        """Only after an answer that leaves it open."""
        return self.change and self.status not in self._not_processed

    def what(self) -> str:
        """Status, what it means here, where it points, and the start of the page."""
        status = f"HTTP {self.status}{f' {self.reason}' if self.reason else ''}"
        meaning = _STATUS_MEANINGS.get(self.status, "this is no WS-Management answer")
        if self.is_redirect and self.location:
            status += f', which points to "{self.location}"'
        snippet = f' ("{self.snippet}")' if self.snippet else ""
        return f"{meaning}: {status}{snippet}"

    @property
    def hint(self) -> str | None:
        """By status."""
        if self._hint or self.may_have_been_applied:
            return super().hint
        return _REDIRECT_HINT if self.is_redirect else _STATUS_HINTS.get(self.status, _PORT_HINT)

    @property
    def is_redirect(self) -> bool:
        """Whether the answer sends elsewhere; nothing is followed."""
        return 300 <= self.status < 400


_STATUS_MEANINGS = {
    400: "the host does not accept the message",
    403: "the host forbids this",
    404: "something else than WinRM answers on this port",
    405: "something else than WinRM answers on this port",
    407: "the proxy wants a sign-in",
    413: "the request is larger than the host accepts",
    503: "the host's WinRM service is not available",
}
_PORT_HINT = "check port (5985, with TLS 5986) and path (/wsman)"
_REDIRECT_HINT = "no redirect is followed; if WinRM answers there, give that URL as the host"
_STATUS_HINTS = {
    400: "check port, path (/wsman) and authentication",
    403: "check path (/wsman), and whether the account and this machine may use WinRM there",
    407: "leave --proxy out, or use one that wants no sign-in",
    413: "send less at once, or raise MaxEnvelopeSizekb on the host",
    500: "is it WinRM that listens there (5985, with TLS 5986)? If so, see the host's event log",
    503: "try again in a while; on the host: Get-Service WinRM",
}


class MalformedAnswer(WSManError):
    """An answer that is not what the protocol promises: no XML, cut off, unsafe or odd."""

    _unknown_after_change = True
    default_hint = "does WinRM answer on this port (5985, with TLS 5986)?"

    def what(self) -> str:
        """The answer, and what is wrong with it."""
        return f"the answer{_to(self.operation)} cannot be used: {self.message}"


def _to(operation: str) -> str:
    return f" to {operation}" if operation else ""
