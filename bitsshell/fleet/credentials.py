"""Where passwords come from, in order: environment, keyring (opt-in), a prompt without echo.

A password is never an argument, never printed, and no `repr` shows it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bitsshell.errors import BitsShellError, shown
from bitsshell.fleet.targets import Auth
from bitsshell.known_secrets import learn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bitsshell.fleet.targets import Target

USER_VARIABLE = "BITSSHELL_USER"
PASSWORD_VARIABLE = "BITSSHELL_PASSWORD"  # noqa: S105  # the variable's name
KEYRING_SERVICE = "bitsshell"
JOB_PASSWORD_VARIABLE = "BITSSHELL_JOB_PASSWORD"  # noqa: S105  # the variable's name
JOB_KEYRING_SERVICE = "bitsshell-jobs"
"""Under this name the keyring has the passwords that jobs show to servers and proxies."""
_TICKET_KEPT_S = 10.0
"""How long an answer about a Kerberos ticket holds, so that a thousand hosts ask once."""


_WITHOUT_PASSWORD = (Auth.KERBEROS, Auth.CERTIFICATE)


@dataclass(frozen=True, slots=True)
class Credential:
    """What to log on with. `auth` is settled, never AUTO; certificates carry their files."""

    auth: Auth
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class NoCredential(BitsShellError):
    """A password or user name is missing and nobody can be asked (exit code 5)."""


class NoJobPassword(NoCredential):
    """The password that a job is to show is missing and nobody can be asked. Nothing was sent."""


class NotEncrypted(BitsShellError):
    """Basic over plain HTTP to another machine would show the password to the network."""

    default_hint = "use --auth ntlm or --tls; --allow-unencrypted accepts it"

    def what(self) -> str:
        """Say so."""
        return "basic authentication over plain HTTP would send the password readable; refused"


class Credentials:
    """Finds and remembers what to log on with, once for each user and way of logging on.

    Args:
        ask: asks a person for a text without echo; None when nobody can be asked. It is called
            from the thread that runs the command, never in the background.
        environment: where `BITSSHELL_USER` and `BITSSHELL_PASSWORD` are looked up.
        has_ticket: whether Kerberos can be used now, for `Auth.AUTO`.
    """

    def __init__(
        self,
        ask: Callable[[str], str] | None = None,
        environment: Mapping[str, str] = os.environ,
        has_ticket: Callable[[], bool] | None = None,
    ) -> None:
        self.ask = ask
        self.environment = environment
        learn(environment.get(PASSWORD_VARIABLE), environment.get(JOB_PASSWORD_VARIABLE))
        self._has_ticket = has_ticket or _Ticket()
        self._known: dict[tuple[str, Auth], Credential] = {}
        self._of_host: dict[tuple[str, str, Auth], Credential] = {}
        """What single hosts, by their URLs, know an account by that others know by another."""
        self._rejected: set[Credential] = set()

    def find(
        self, target: Target, typed: Callable[[Credential], object] = lambda _: None
    ) -> Credential:
        """What to log on to this target with.

        `typed` is told of what a person was just asked for and typed, for this target.

        Raises:
            NotEncrypted: basic over plain HTTP off loopback without leave.
            NoCredential: user or password is missing and nobody can be asked.
        """
        found = self.at_hand(target)
        if found.password is not None or found.auth in _WITHOUT_PASSWORD:
            return found
        user = found.username or ""
        asked = replace(found, password=self._asked(target, found))
        learn(asked.password)
        self._known[user.lower(), found.auth] = asked
        typed(asked)
        return asked

    def at_hand(self, target: Target) -> Credential:
        """The same as far as nobody has to be asked: the password may be None.

        Raises as `find` does, except where only the password is missing.
        """
        account = self._account(target)
        if account.auth in _WITHOUT_PASSWORD:
            return account
        user = account.username or ""
        key = (user.lower(), account.auth)
        known = self._of_host.get((target.url, *key)) or self._known.get(key)
        if known is None:
            known = replace(account, password=self._from_sources(target, user, account.auth))
            if known.password is not None:
                learn(known.password)
                self._known[key] = known
        return known

    def _account(self, target: Target) -> Credential:
        """As whom and how to log on to this target, without a password."""
        logon = target.logon
        user = logon.user or self.environment.get(USER_VARIABLE) or None
        auth = logon.auth or Auth.AUTO
        if auth is Auth.AUTO:
            # Whoever names a user has a password to go with it.
            is_kerberos = user is None and _is_known_by_name(target) and self._has_ticket()
            auth = Auth.KERBEROS if is_kerberos else Auth.NTLM
        if auth is Auth.BASIC and _is_readable_by_others(target):
            raise NotEncrypted(host=target.name)
        if auth is Auth.CERTIFICATE and not (logon.certificate and logon.certificate_key):
            raise NoCredential(
                "certificate authentication needs the client's certificate and key",
                host=target.name,
                hint="give --certificate FILE and --certificate-key FILE (PEM)",
            )
        if not user and auth not in _WITHOUT_PASSWORD:
            raise NoCredential(
                f"{auth} needs a user name",
                host=target.name,
                hint=f"give --user NAME, or set {USER_VARIABLE}",
            )
        return Credential(auth, user)

    def ask_again(self, target: Target, rejected: Credential) -> Credential:
        """Ask for the password that this target knows the account of a rejected one by.

        Other hosts keep theirs.

        Raises:
            NoCredential: none was given, or nobody can be asked.
        """
        user = rejected.username or ""
        credential = replace(rejected, password=self._asked(target, rejected))
        learn(credential.password)
        self._of_host[target.url, user.lower(), rejected.auth] = credential
        return credential

    def forget(self, credential: Credential) -> None:
        """Drop a rejected password. It is not taken from where it came from again; who is asked
        may still say the same.
        """
        self._rejected.add(credential)
        for key, known in list(self._known.items()):
            if known == credential:
                self._known.pop(key, None)  # the background may have been faster
        for place, known in list(self._of_host.items()):
            if known == credential:
                self._of_host.pop(place, None)

    def forget_logon(self, target: Target, *, keyring: bool = False) -> list[Credential]:
        """Forget what was used for a target; return what that was. What was rejected stays so."""
        user = target.logon.user or self.environment.get(USER_VARIABLE) or None
        if user is None:
            return []
        keys = [key for key in self._known if key[0] == user.lower()]
        places = [key for key in self._of_host if key[:2] == (target.url, user.lower())]
        if keyring:
            _out_of_keyring(user)
        return [
            *(self._known.pop(key) for key in keys),
            *(self._of_host.pop(place) for place in places),
        ]

    def save(self, credential: Credential) -> str | None:
        """Keep a password in the keyring and return its user; None where there is no password.

        Raises:
            NoCredential: there is no keyring, or it takes nothing.
        """
        user, password = credential.username, credential.password
        if user is None or password is None:
            return None
        with _keyring() as keyring:
            keyring.set_password(KEYRING_SERVICE, user, password)
        return user

    def job_password(self, user: str, *, keyring: bool = False) -> str:
        """The password that jobs are to show to a server or proxy; it is not remembered.

        Raises:
            NoJobPassword: there is none, and nobody can be asked.
            NoCredential: the keyring cannot be asked.
        """
        password = self.environment.get(JOB_PASSWORD_VARIABLE)
        if password is None and keyring:
            password = _from_keyring(user, JOB_KEYRING_SERVICE)
        if password is None:
            if self.ask is None:
                raise NoJobPassword(
                    f"no password for the jobs' user {shown(user)}, and nobody can be asked",
                    hint=f"set {JOB_PASSWORD_VARIABLE}, or run it in a terminal",
                )
            try:
                password = self.ask(f"Password of {user} for jobs: ")
            except EOFError:
                password = ""
        if not password:
            raise NoJobPassword(
                f"no password was given for the jobs' user {shown(user)}", hint="run it again"
            )
        learn(password)
        return password

    def _from_sources(self, target: Target, user: str, auth: Auth) -> str | None:
        """The first password that is found somewhere and was not rejected."""
        sources: list[Callable[[], str | None]] = [
            lambda: self.environment.get(PASSWORD_VARIABLE),
        ]
        if target.logon.keyring:
            sources.append(lambda: _from_keyring(user))
        for source in sources:
            password = source()
            if password is not None and Credential(auth, user, password) not in self._rejected:
                return password
        return None

    def _asked(self, target: Target, wanted: Credential) -> str:
        user = wanted.username or ""
        if self.ask is None:
            raise NoCredential(
                f"the password for {shown(user)} was rejected before, and nobody can be asked"
                if any((one.username, one.auth) == (user, wanted.auth) for one in self._rejected)
                else f"no password for {shown(user)}, and nobody can be asked",
                host=target.name,
                hint=f"set {PASSWORD_VARIABLE} to the right one, or run it in a terminal",
            )
        try:
            password = self.ask(f"Password for {user} on {target.name}: ")
        except EOFError:
            password = ""
        if not password:
            raise NoCredential(
                f"no password was given for {shown(user)}", host=target.name, hint="run it again"
            )
        return password


@contextmanager
def _keyring() -> Iterator[Any]:
    """The keyring, imported on use; what it cannot do is our error."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise NoCredential(
            "--keyring needs the package keyring",
            hint="install it: pip install 'bitsshell[keyring]'",
        ) from error
    try:
        yield keyring
    except KeyringError as error:
        raise NoCredential(
            f"the keyring gives nothing ({error})", hint="unlock it, or leave --keyring out"
        ) from error


def _from_keyring(user: str, service: str = KEYRING_SERVICE) -> str | None:
    with _keyring() as keyring:
        kept = keyring.get_password(service, user)
    return None if kept is None else str(kept)


def _out_of_keyring(user: str) -> None:
    with _keyring() as keyring:
        if keyring.get_password(KEYRING_SERVICE, user) is not None:
            keyring.delete_password(KEYRING_SERVICE, user)


def _is_readable_by_others(target: Target) -> bool:
    """Whether what is not sealed could be read on its way, which through a proxy it always can."""
    logon = target.logon
    stays_here = target.is_loopback and logon.proxy is None
    return not (target.is_encrypted or stays_here or logon.allow_unencrypted)


def _is_known_by_name(target: Target) -> bool:
    """Whether Kerberos could know the host: it names machines, not addresses."""
    host = target.hostname
    return not (target.is_loopback or ":" in host or host.replace(".", "").isdigit())


class _Ticket:
    """Whether there is a ticket and the binding for it; asked for again after a while."""

    def __init__(self) -> None:
        self._answer = False
        self._until_s = 0.0

    def __call__(self) -> bool:
        now_s = time.monotonic()
        if now_s >= self._until_s:
            self._answer, self._until_s = _has_ticket(), now_s + _TICKET_KEPT_S
        return self._answer


def _has_ticket() -> bool:
    binding = "winkerberos" if sys.platform == "win32" else "kerberos"
    try:
        __import__(binding)
    except ImportError:
        return False
    klist = shutil.which("klist")
    if sys.platform == "win32" or klist is None:
        return sys.platform == "win32" and "USERDNSDOMAIN" in os.environ
    probe = subprocess.run([klist, "-s"], check=False, capture_output=True)  # noqa: S603
    return probe.returncode == 0
