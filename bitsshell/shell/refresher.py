"""Reading the chosen hosts again while the shell waits at its prompt.

A thread of its own, on channels of their own. It reads only hosts that have already answered a
command, with the credential that they accepted, and it asks nobody for a password. One that is
rejected, here or by a command, it sends to no host again until a command was accepted with it. One
host at a time, so that a password that was changed meanwhile is sent wrong once, not forty times.
While a command runs it rests.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitsshell import wsman
from bitsshell.bits import ListJobs
from bitsshell.fleet.channels import Purpose, Task
from bitsshell.render.text import folded_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bitsshell.fleet.credentials import Credential
    from bitsshell.fleet.followed import News
    from bitsshell.fleet.targets import Target
    from bitsshell.results import Outcome
    from bitsshell.session import Session

INTERVAL_S = 30.0
FOLLOWED_INTERVAL_S = 5.0
"""For a host with a job that this shell set going."""
MAX_BACKOFF_S = 600.0
_HOLDING_S = 3.0
"""So long news wait for those of hosts that are read next, so that what many say is said once."""
_CLOSING_S = 0.2


@dataclass(slots=True)
class _Turn:
    """When a host is to be read again, and how often it failed since it last answered."""

    due_s: float
    failures: int = 0


def news_lines(news: Iterable[News]) -> list[str]:
    """News as lines; what many hosts say is one: `srv[01-18] (18): 'nightly' is TRANSFERRED`."""
    said: Counter[News] = Counter()
    hosts: dict[tuple[str, int], list[str]] = {}
    for one in news:
        said[one] += 1  # two jobs of one name on a host are two lines
        hosts.setdefault((one.what, said[one]), []).append(one.host)
    return [f"{folded_names(names)}: {what}" for (what, _), names in hosts.items()]


class Refresher:
    """Keeps the session's snapshot young.

    Args:
        session: whose targets are read, and which learns.
        news: gets what is worth a line; called from the thread.
        learned: called after each host, from the thread.
        clock_s: seconds that never run backwards.
    """

    def __init__(
        self,
        session: Session,
        *,
        news: Callable[[str], None] = lambda _: None,
        learned: Callable[[], None] = lambda: None,
        clock_s: Callable[[], float] | None = None,
    ) -> None:
        self._session = session
        self._news, self._learned = news, learned
        self._clock_s = clock_s or session.clock.monotonic
        self._turns: dict[Target, _Turn] = {}
        self._held: list[News] = []
        self._held_since_s = 0.0
        self._may_run = threading.Event()
        self._wake = threading.Event()
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def resume(self) -> None:
        """The shell waits at its prompt: go on."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="bitsshell-refresher", daemon=True
            )
            self._thread.start()
        self._may_run.set()
        self._wake.set()

    def pause(self) -> None:
        """A command runs: begin nothing."""
        self._may_run.clear()

    def close(self) -> None:
        """End. A call that is under way is not waited for: its thread is a daemon."""
        self._is_closed = True
        self._may_run.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_CLOSING_S)

    def _run(self) -> None:
        while True:
            self._may_run.wait()
            if self._is_closed:
                return
            wait_s = INTERVAL_S
            with suppress(Exception):  # whatever it is, it must not end the refreshing
                wait_s = self.step()
            self._wake.wait(wait_s)
            self._wake.clear()  # after the wait: who woke it meanwhile must not be forgotten

    def step(self) -> float:
        """Read the host whose turn it is, if it is any's; seconds until the next turn."""
        now_s = self._clock_s()
        ready = self._ready()
        if not ready:
            self._tell_before(math.inf)
            return INTERVAL_S
        due = {target: self._turn(target, now_s).due_s for target, _ in ready}
        target, credential = min(ready, key=lambda pair: due[pair[0]])
        if due[target] > now_s:
            self._tell_before(due[target])
            return due[target] - now_s
        if self._is_closed or not self._may_run.is_set():
            return INTERVAL_S
        self._read(target, credential)
        self._tell_before(min((due[other] for other in due if other != target), default=math.inf))
        return 0.0

    def _tell_before(self, next_s: float) -> None:
        """Say the news that were held, unless those of the next host come soon enough to join."""
        if max(next_s, self._clock_s()) < self._held_since_s + _HOLDING_S:
            return
        held, self._held = self._held, []
        for line in news_lines(held):
            self._news(line)

    def _ready(self) -> list[tuple[Target, Credential]]:
        """The chosen hosts and those of followed jobs, as far as a credential is proven there."""
        session = self._session
        followed = session.followed.hosts
        known = [target for name, target in list(session.known.items()) if name in followed]
        found = []
        for target in dict.fromkeys((*session.targets, *known)):
            credential = session.logons.accepted(target)
            if credential is not None:
                found.append((target, credential))
        return found

    def _turn(self, target: Target, now_s: float) -> _Turn:
        """When a host is due. One that a command read since then has its turn later."""
        turn = self._turns.get(target)
        interval_s = self._interval_s(target)
        read_at = self._session.snapshot.read_at.get(target.name)
        age_s = (
            interval_s if read_at is None else (self._session.clock.now() - read_at).total_seconds()
        )
        if turn is None:
            turn = self._turns[target] = _Turn(now_s + interval_s)
        if not turn.failures:
            turn.due_s = now_s + max(0.0, interval_s - age_s)
        return turn

    def _interval_s(self, target: Target) -> float:
        return FOLLOWED_INTERVAL_S if target.name in self._session.followed.hosts else INTERVAL_S

    def _read(self, target: Target, credential: Credential) -> None:
        session = self._session
        asked_at = session.clock.now()
        ids = session.snapshot.ids_on(target.name)
        task = Task(target, credential, ListJobs(None, ids), Purpose.BACKGROUND)
        outcome = session.pool.perform(task)
        if self._is_closed:
            return
        news = session.learn(outcome, asked_at=asked_at)
        self._schedule(task, outcome)
        session.snapshot.prepare()
        if news and not self._held:
            self._held_since_s = self._clock_s()
        self._held += news
        self._learned()

    def _schedule(self, task: Task, outcome: Outcome) -> None:
        turn = self._turns[task.target]
        if outcome.error is None:
            turn.failures = 0
            return
        if isinstance(outcome.error, wsman.AuthenticationRejected):
            self._session.logons.gate().observe(task, outcome)
        turn.failures += 1
        backoff_s = self._interval_s(task.target) * 2.0**turn.failures
        turn.due_s = self._clock_s() + min(backoff_s, MAX_BACKOFF_S)
