"""The throw-away account of a practice fleet, and the files that its acceptors read."""

from __future__ import annotations

import hmac
import os
import secrets
import string
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_LETTERS = string.ascii_letters + string.digits
_USER_FILE_VARIABLE = "NTLM_USER_FILE"
_KEYTAB_VARIABLE = "KRB5_KTNAME"
_ENVIRONMENT_LOCK = threading.Lock()
"""The acceptors find their files by environment variables, which the whole process shares."""
_users_of_environment = 0
_inherited: dict[str, str | None] = {}


@dataclass(frozen=True, slots=True)
class Account:
    """Who may log on to the fleet. Names are compared without case."""

    username: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        for text in (self.username, self.password):
            if not text or any(ch in text for ch in ":\r\n\0"):
                raise ValueError(
                    "the practice account's name and password must not be empty nor hold a colon "
                    "or a line break"
                )
        if "\\" in self.username or "@" in self.username:
            raise ValueError("the practice account is a local one: no domain in its name")

    @classmethod
    def generate(cls) -> Account:
        """An account that nobody has seen before."""
        return cls("practice", "".join(secrets.choice(_LETTERS) for _ in range(20)))

    def accepts(self, username: str, password: str, machine: str) -> bool:
        r"""Whether these are its credentials; `MACHINE\user` and `.\user` are the same user."""
        domain, _, name = username.rpartition("\\")
        local = domain.lower() in {"", ".", machine.lower()}
        same_user = name.lower() == self.username.lower()
        same_password = hmac.compare_digest(password.encode(), self.password.encode())
        return local and same_user and same_password


class AccountFile:
    """The account where the NTLM acceptor looks for it: mode 0600, gone when the fleet ends.

    The environment variables that name it, and the Kerberos acceptor's keytab, have a value only
    while the acceptor looks, so that a client in the same process is not disturbed. Else they are
    there and empty, as long as any fleet is: one that vanished would break whoever walks the
    environment just then.

    Args:
        folder: where the file is written.
        account: the one account.
        machines: the names of the hosts.
        keytab: the Kerberos acceptor's; None lets it find none, not even the machine's own.
    """

    def __init__(
        self,
        folder: Path,
        account: Account,
        machines: tuple[str, ...],
        keytab: Path | None = None,
    ) -> None:
        self.path = folder / f"ntlm-{secrets.token_hex(8)}"
        domains = ("", ".", "WORKSTATION", *machines)
        lines = [f"{domain}:{account.username}:{account.password}\n" for domain in domains]
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(lines)
        self._variables = {
            _USER_FILE_VARIABLE: str(self.path),
            _KEYTAB_VARIABLE: f"FILE:{keytab or folder / 'no-keytab'}",
        }
        self._is_removed = False
        _enter_environment(self._variables)

    @contextmanager
    def in_environment(self) -> Iterator[None]:
        """Let the acceptors find their files, for a moment."""
        with _ENVIRONMENT_LOCK:
            before = {name: os.environ.get(name, "") for name in self._variables}
            os.environ.update(self._variables)
            try:
                yield
            finally:
                os.environ.update(before)

    def remove(self) -> None:
        """Remove the file, and the variables with the last one."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        if not self._is_removed:
            self._is_removed = True
            _leave_environment()


def _enter_environment(names: Iterable[str]) -> None:
    global _users_of_environment  # the environment is the process's, not a fleet's
    with _ENVIRONMENT_LOCK:
        if not _users_of_environment:
            _inherited.update({name: os.environ.get(name) for name in names})
            for name, value in _inherited.items():
                os.environ.setdefault(name, value or "")
        _users_of_environment += 1


def _leave_environment() -> None:
    global _users_of_environment
    with _ENVIRONMENT_LOCK:
        _users_of_environment -= 1
        if not _users_of_environment:
            for name, value in _inherited.items():
                if value is None:
                    os.environ.pop(name, None)
