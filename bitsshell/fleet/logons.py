"""Which passwords hosts have accepted and which they rejected, so that no account gets locked.

A password that no host has accepted yet goes to one host first; the others follow when it was
right. A rejected one goes nowhere any more and is forgotten, so that it is asked for again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell import wsman
from bitsshell.bits import AnswerWasLost, BitsError
from bitsshell.errors import BitsShellError

if TYPE_CHECKING:
    from bitsshell.fleet.channels import ChannelPool, Task
    from bitsshell.fleet.clock import Clock
    from bitsshell.fleet.credentials import Credential, Credentials
    from bitsshell.fleet.targets import Target
    from bitsshell.results import Outcome

STAGGER_S = 2.0
"""While no host has answered, one more is asked every so often: one that is down must not hold
the rest."""


class PasswordRejected(BitsShellError):
    """A password was rejected by the first host, so it was sent to no other."""

    default_hint = "give the right one and run it again; nothing was sent to this host"

    def what(self) -> str:
        """Say so."""
        return "another host rejected this account's password"


class RejectedHere(BitsShellError):
    """This host rejected the password before, although others accept it."""

    @property
    def hint(self) -> str | None:
        """Only a person sends it once more, or says another one."""
        return f"log on to it again, with this password or another one: login {self.host or 'HOST'}"

    def what(self) -> str:
        """Say so."""
        return "this host rejected this account's password before"


class Logons:
    """What a session knows of its logons. Any thread may ask it, and tell it of rejections.

    Args:
        credentials: forgets what was rejected.
        pool: knows which host has answered on a channel of its own.
        clock: for the pace at which unproven passwords are tried.
    """

    def __init__(self, credentials: Credentials, pool: ChannelPool, clock: Clock) -> None:
        self.credentials = credentials
        self.pool = pool
        self.clock = clock
        self.proven: set[Credential] = set()
        self._rejected_by: set[tuple[str, Credential]] = set()

    def accepted(self, target: Target) -> Credential | None:
        """What this host accepted for a command, unless somebody rejected it since."""
        credential = self.pool.proven(target)
        if credential is None or credential.password is None or credential in self.proven:
            return credential
        return None

    def is_rejected(self, target: Target, credential: Credential) -> bool:
        """Whether this host rejected it, so that sending it again brings the account nearer its
        lock.
        """
        return (target.url, credential) in self._rejected_by

    def check(self, target: Target, credential: Credential) -> None:
        """Raise `RejectedHere` where it was rejected."""
        if self.is_rejected(target, credential):
            raise RejectedHere(host=target.name)

    def begin_anew(self, target: Target, known: Credential) -> None:
        """Let this host be sent what it rejected, if a person types it again.

        What is `known`, so that nobody has to type it, stays rejected.
        """
        for url, credential in list(self._rejected_by):
            if url == target.url and credential != known:
                self._rejected_by.discard((url, credential))

    def note_typed(self, target: Target, credential: Credential) -> None:
        """A person was asked for this host's password and typed it, rejected or not."""
        self._rejected_by.discard((target.url, credential))

    def note_rejected(self, target: Target, credential: Credential) -> None:
        """This host does not take this password."""
        self._rejected_by.add((target.url, credential))

    def gate(self) -> PasswordGate:
        """The gate for one fan-out."""
        return PasswordGate(self)


class PasswordGate:
    """Lets tasks start as far as that can lock no account. See `fanout.Gate`."""

    def __init__(self, logons: Logons) -> None:
        self._logons = logons
        self._began_s: dict[Credential, float] = {}
        self._rejected: set[Credential] = set()

    def admits(self, credential: Credential, running: int) -> bool:
        """All at once where the password is proven or there is none, else one host first."""
        if credential.password is None or credential in self._logons.proven:
            return True
        now_s = self._logons.clock.monotonic()
        began_s = self._began_s.setdefault(credential, now_s)
        return running <= (now_s - began_s) // STAGGER_S

    def refuses(self, credential: Credential) -> type[BitsShellError] | None:
        """`PasswordRejected` where it was."""
        return PasswordRejected if credential in self._rejected else None

    def observe(self, task: Task, outcome: Outcome) -> None:
        """Learn from an outcome whether its password is right.

        A host that never took it may know the account by another password, and says nothing about
        the others, if these accepted it.
        """
        if isinstance(outcome.error, wsman.AuthenticationRejected):
            self._take_back(task, outcome.error)
        elif task.credential.password is not None and _proves_logon(outcome.error):
            self._logons.proven.add(task.credential)

    def _take_back(self, task: Task, error: wsman.AuthenticationRejected) -> None:
        target, credential, logons = task.target, task.credential, self._logons
        took_it = logons.pool.has_answered(target, credential)
        logons.pool.distrust(target, credential)
        if credential.password is None or not error.scheme_is_offered:
            return  # no password was found wrong
        logons.note_rejected(target, credential)
        if took_it or credential not in logons.proven:
            self._rejected.add(credential)
            logons.proven.discard(credential)
            logons.credentials.forget(credential)


def _proves_logon(error: BitsShellError | None) -> bool:
    """Whether nobody can have answered so who was not logged on to."""
    if error is None:
        return True
    return isinstance(error, BitsError | wsman.Fault) and not isinstance(error, AnswerWasLost)
