"""The throw-away account of a practice fleet, and the file that its NTLM acceptor reads."""

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
    from collections.abc import Iterator
    from pathlib import Path

_LETTERS = string.ascii_letters + string.digits
_USER_FILE_VARIABLE = "NTLM_USER_FILE"
_ENVIRONMENT_LOCK = threading.Lock()
"""The acceptor finds its file by an environment variable, which the whole process shares."""


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

    The environment variable that names it is set only while the acceptor looks, so that a
    client's NTLM in the same process is not disturbed.
    """

    def __init__(self, folder: Path, account: Account, machines: tuple[str, ...]) -> None:
        self.path = folder / f"ntlm-{secrets.token_hex(8)}"
        domains = ("", ".", "WORKSTATION", *machines)
        lines = [f"{domain}:{account.username}:{account.password}\n" for domain in domains]
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(lines)

    @contextmanager
    def in_environment(self) -> Iterator[None]:
        """Let the acceptor find the file, for a moment."""
        with _ENVIRONMENT_LOCK:
            before = os.environ.get(_USER_FILE_VARIABLE)
            os.environ[_USER_FILE_VARIABLE] = str(self.path)
            try:
                yield
            finally:
                if before is None:
                    os.environ.pop(_USER_FILE_VARIABLE, None)
                else:
                    os.environ[_USER_FILE_VARIABLE] = before

    def remove(self) -> None:
        """Remove the file."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
