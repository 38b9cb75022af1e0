"""What a job has beside its properties: credentials, proxy and client certificate, as operations.

The provider can only set and remove them. None of the three can be read back (wire.md 1.1), so
nothing here can tell what a job has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from bitsshell.bits import limits
from bitsshell.bits.elements import Effect, invoke, name_in_words
from bitsshell.bits.enums import AuthScheme, AuthTarget, CertStore, ProxyUsage
from bitsshell.errors import shown

if TYPE_CHECKING:
    from bitsshell import wsman


@dataclass(frozen=True, slots=True)
class JobCredentials:
    """What a job shows to a server or proxy that asks. The password is in no `repr`."""

    user: str
    password: wsman.Secret
    scheme: AuthScheme = AuthScheme.NEGOTIATE
    target: AuthTarget = AuthTarget.SERVER

    def __post_init__(self) -> None:
        """Raise `NotAccepted` for what BITS would refuse (bits-semantics 137)."""
        limits.check_user(self.user)
        limits.check_password(self.password.value)

    def describe(self) -> str:
        """`the basic credentials of 'reader' for the server`."""
        scheme, target = self.scheme.name.lower(), self.target.name.lower()
        return f"the {scheme} credentials of {shown(self.user)} for the {target}"

    @property
    def arguments(self) -> tuple[tuple[str, wsman.Value], ...]:
        """As SetCredentials takes them."""
        return (
            ("Target", int(self.target)),
            ("Scheme", int(self.scheme)),
            ("UserName", self.user),
            ("Password", self.password),
        )


@dataclass(frozen=True, slots=True)
class SetCredentials:
    """Give a job credentials; those of the same target and scheme are replaced.

    `is_readable` says that they would go over the network as they are (basic without TLS).
    """

    effect: ClassVar[Effect] = Effect.CHANGE
    action: ClassVar[str] = "set the credentials"
    job_id: str
    credentials: JobCredentials
    job_name: str = field(default="", compare=False)
    is_readable: bool = field(default=False, compare=False)

    def describe(self) -> str:
        """In words, without the password."""
        name = name_in_words(self.job_id, self.job_name)
        readable = ", which will cross the network readable" if self.is_readable else ""
        return f"give {name} {self.credentials.describe()}{readable}"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One SetCredentials."""
        return (invoke("SetCredentials", self.job_id, self.credentials.arguments),)


@dataclass(frozen=True, slots=True)
class RemoveCredentials:
    """Take a job's credentials of one target and scheme away. There need be none."""

    effect: ClassVar[Effect] = Effect.CHANGE
    action: ClassVar[str] = "remove the credentials"
    job_id: str
    scheme: AuthScheme
    target: AuthTarget = AuthTarget.SERVER
    job_name: str = field(default="", compare=False)

    def describe(self) -> str:
        """In words."""
        name = name_in_words(self.job_id, self.job_name)
        scheme, target = self.scheme.name.lower(), self.target.name.lower()
        return f"take the {scheme} credentials for the {target} from {name}"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One RemoveCredentials."""
        arguments = (("Target", int(self.target)), ("Scheme", int(self.scheme)))
        return (invoke("RemoveCredentials", self.job_id, arguments),)


@dataclass(frozen=True, slots=True)
class SetProxySettings:
    """Say which proxy a job takes. `proxies` and `bypass` are for OVERRIDE only."""

    effect: ClassVar[Effect] = Effect.CHANGE
    action: ClassVar[str] = "set the proxy"
    job_id: str
    usage: ProxyUsage
    proxies: tuple[str, ...] = ()
    bypass: tuple[str, ...] = ()
    job_name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Raise `NotAccepted` for what BITS would refuse (bits-semantics 21)."""
        limits.check_proxies("proxy list", self.proxies)
        limits.check_proxies("bypass list", self.bypass)
        is_override = self.usage is ProxyUsage.OVERRIDE
        if is_override and not self.proxies:
            raise limits.NotAccepted("proxy list", "is empty", hint="name a proxy: server:port")
        if not is_override and (self.proxies or self.bypass):
            raise limits.NotAccepted(
                "proxy list", "goes with no other way", hint="leave the lists out, or the other way"
            )

    def describe(self) -> str:
        """In words."""
        name = name_in_words(self.job_id, self.job_name)
        how = _PROXY_WORDS[self.usage].format(proxies=" ".join(self.proxies))
        bypass = f", but not for {' '.join(self.bypass)}" if self.bypass else ""
        return f"let {name} {how}{bypass}"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One SetProxySettings; a list that must be NULL is left out."""
        arguments: list[tuple[str, wsman.Value]] = [("ProxyUsage", int(self.usage))]
        if self.proxies:
            arguments.append(("ProxyList", " ".join(self.proxies)))
        if self.bypass:
            arguments.append(("ProxyBypassList", " ".join(self.bypass)))
        return (invoke("SetProxySettings", self.job_id, tuple(arguments)),)


_PROXY_WORDS = {
    ProxyUsage.PRECONFIG: "take its owner's proxy settings",
    ProxyUsage.NO_PROXY: "take no proxy",
    ProxyUsage.OVERRIDE: "take the proxy {proxies}",
    ProxyUsage.AUTODETECT: "find its proxy by itself",
}


@dataclass(frozen=True, slots=True)
class SetClientCertificate:
    """Say which certificate a job shows to a server, by its hash or by its subject.

    `digest` is the certificate's SHA-1 hash, 20 bytes; `subject` its simple subject name.
    """

    effect: ClassVar[Effect] = Effect.CHANGE
    action: ClassVar[str] = "set the client certificate"
    job_id: str
    store: str
    location: CertStore = CertStore.LOCAL_MACHINE
    subject: str | None = None
    digest: bytes | None = None
    job_name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Raise `NotAccepted` for what BITS would refuse."""
        limits.check_store(self.store)
        if (self.subject is None) == (self.digest is None):
            raise limits.NotAccepted(
                "certificate", "is named by its subject or by its hash", hint="give one of the two"
            )
        if self.subject is not None:
            limits.check_subject(self.subject)
        if self.digest is not None:
            limits.check_digest(self.digest)

    def describe(self) -> str:
        """In words."""
        name = name_in_words(self.job_id, self.job_name)
        which = self.digest.hex().upper() if self.digest else shown(self.subject or "")
        where = f"{self.location.name.lower().replace('_', '-')}\\{self.store}"
        return f"let {name} show the certificate {which} of {where}"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One SetClientCertificateById or SetClientCertificateByName."""
        place: tuple[tuple[str, wsman.Value], ...] = (
            ("CertStoreLocation", int(self.location)),
            ("StoreName", self.store),
        )
        if self.digest is not None:
            named = (*place, ("CertHash", self.digest))
            return (invoke("SetClientCertificateById", self.job_id, named),)
        named = (*place, ("SubjectName", self.subject))
        return (invoke("SetClientCertificateByName", self.job_id, named),)


@dataclass(frozen=True, slots=True)
class RemoveClientCertificate:
    """Take a job's client certificate away."""

    effect: ClassVar[Effect] = Effect.CHANGE
    action: ClassVar[str] = "remove the client certificate"
    job_id: str
    job_name: str = field(default="", compare=False)

    def describe(self) -> str:
        """In words."""
        return f"take the client certificate from {name_in_words(self.job_id, self.job_name)}"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One RemoveClientCertificate."""
        return (invoke("RemoveClientCertificate", self.job_id, ()),)


JobSetting = (
    SetCredentials
    | RemoveCredentials
    | SetProxySettings
    | SetClientCertificate
    | RemoveClientCertificate
)
"""One method call on one job, which does no harm when it is sent twice."""
