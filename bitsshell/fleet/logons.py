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
        return "not sent: another host rejected this account's password"


class RejectedHere(BitsShellError):
    """This host rejected the password before, although others accept it."""

    default_hint = "it may know the account by another password: ask it in a session of its own"

    def what(self) -> str:
        """Say so."""
        return "not sent: this host rejected this account's password before"


class Logons:
    """What a session knows of its logons.

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

    def check(self, target: Target, credential: Credential) -> None:
        """Raise `RejectedHere` where trying again would only bring the account nearer its lock."""
        if (target.url, credential) in self._rejected_by:
            raise RejectedHere(host=target.name)

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
        credential, logons = task.credential, self._logons
        if credential.password is None:
            return
        if _is_rejected(outcome.error):
            logons.note_rejected(task.target, credential)
            took_it = logons.pool.has_answered(task.target, credential)
            if took_it or credential not in logons.proven:
                self._rejected.add(credential)
                logons.proven.discard(credential)
                logons.credentials.forget(credential)
        elif _proves_logon(outcome.error):
            logons.proven.add(credential)


def _is_rejected(error: BitsShellError | None) -> bool:
    """Whether the account was refused, not only the way of logging on."""
    return isinstance(error, wsman.AuthenticationRejected) and error.scheme_is_offered


def _proves_logon(error: BitsShellError | None) -> bool:
    """Whether nobody can have answered so who was not logged on to."""
    if error is None:
        return True
    return isinstance(error, BitsError | wsman.Fault) and not isinstance(error, AnswerWasLost)
