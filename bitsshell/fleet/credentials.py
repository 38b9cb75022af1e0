"""Where passwords come from, in order: environment, keyring (opt-in), a prompt without echo.

A password is never an argument, never printed, and no `repr` shows it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bitsshell.errors import BitsShellError
from bitsshell.fleet.targets import Auth, Target

USER_VARIABLE = "BITSSHELL_USER"
PASSWORD_VARIABLE = "BITSSHELL_PASSWORD"  # noqa: S105  # the variable's name
KEYRING_SERVICE = "bitsshell"


@dataclass(frozen=True, slots=True)
class Credential:
    """What to log on with. `auth` is settled, never AUTO; certificates carry their files."""

    auth: Auth
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class NoCredential(BitsShellError):
    """A password or user name is missing and nobody can be asked (exit code 5)."""


class NotEncrypted(BitsShellError):
    """Basic over plain HTTP to another machine would show the password to the network."""

    default_hint = (
        "use --auth ntlm or --tls; --allow-unencrypted accepts it for this command"
    )

    def what(self) -> str:
        """Say so."""
        return "basic authentication over plain HTTP would send the password readable; refused"


class Credentials:
    """Finds and remembers what to log on with, once for each user and way of logging on.

    Args:
        ask: asks a person for a text without echo; None when nobody can be asked. It is called
            from the thread that runs the command, never in the background.
        environment: where `BITSSHELL_USER` and `BITSSHELL_PASSWORD` are looked up.
    """

    def __init__(
        self,
        ask: Callable[[str], str] | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.ask = ask
        self.environment = environment
        self._known: dict[tuple[str, Auth], Credential] = {}

    def find(self, target: Target) -> Credential:
        """What to log on to this target with.

        Raises:
            NotEncrypted: basic over plain HTTP off loopback without leave.
            NoCredential: user or password is missing and nobody can be asked.
        """
        logon = target.logon
        auth = logon.auth or Auth.AUTO
        if auth is Auth.AUTO:
            auth = Auth.KERBEROS if _can_use_kerberos(target) else Auth.NTLM
        user = logon.user or self.environment.get(USER_VARIABLE)
        if auth is Auth.BASIC and not (
            target.is_encrypted or target.is_loopback or logon.allow_unencrypted
        ):
            raise NotEncrypted(host=target.name)
        if auth is Auth.CERTIFICATE:
            if not (logon.certificate and logon.certificate_key):
                raise NoCredential(
                    "certificate authentication needs the client's certificate and key",
                    host=target.name,
                    hint="give --certificate FILE and --certificate-key FILE (PEM)",
                )
            return Credential(auth, user)
        if auth is Auth.KERBEROS:
            return Credential(auth, user)
        if not user:
            raise NoCredential(
                f"{auth} needs a user name",
                host=target.name,
                hint=f"give --user NAME, or set {USER_VARIABLE}",
            )
        known = self._known.get((user.lower(), auth))
        if known is None:
            known = Credential(auth, user, self._password(target, user))
            self._known[user.lower(), auth] = known
        return known

    def forget(self, credential: Credential) -> None:
        """Drop a rejected password, so that it is asked for again and never sent again."""
        for key, known in list(self._known.items()):
            if known == credential:
                del self._known[key]

    def _password(self, target: Target, user: str) -> str:
        from_environment = self.environment.get(PASSWORD_VARIABLE)
        if from_environment is not None:
            return from_environment
        if target.logon.keyring:
            kept = _from_keyring(user)
            if kept is not None:
                return kept
        if self.ask is None:
            raise NoCredential(
                f"no password for {user!r}, and nobody can be asked",
                host=target.name,
                hint=f"set {PASSWORD_VARIABLE}, or run it in a terminal",
            )
        return self.ask(f"Password for {user}: ")


def _from_keyring(user: str) -> str | None:
    try:
        import keyring
    except ImportError as error:
        raise NoCredential(
            "--keyring needs the package keyring",
            hint="install it: pip install 'bitsshell[keyring]'",
        ) from error
    kept = keyring.get_password(KEYRING_SERVICE, user)
    return None if kept is None else str(kept)


def _can_use_kerberos(target: Target) -> bool:
    """Whether there is a ticket, the binding for it, and a name that Kerberos could know."""
    if target.is_loopback or target.logon.user or _is_address(target.hostname):
        return False
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


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
