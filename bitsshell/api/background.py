"""A watch in a thread of its own, which asks nobody and writes nowhere."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from bitsshell.api.errors import CommandError, from_error, from_result
from bitsshell.api.running import Kept, Unseen
from bitsshell.commands import Dispatcher
from bitsshell.errors import BitsShellError
from bitsshell.fleet.channels import InternalError, Purpose
from bitsshell.fleet.credentials import Credential, Credentials, NoCredential
from bitsshell.results import Begin, Frame, View
from bitsshell.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from bitsshell.api.sets import WatchResult
    from bitsshell.bits import Operation
    from bitsshell.fleet.fanout import Steps
    from bitsshell.fleet.followed import News
    from bitsshell.fleet.logons import Logons
    from bitsshell.fleet.targets import Target
    from bitsshell.results import Event, Outcome

_JOIN_S = 2.0


class BackgroundWatch:
    """Watches jobs from a daemon thread.

    Args:
        name: what it goes by.
        session: whose connections it uses, on channels of their own. It reads only hosts that have
            accepted a logon already, and what it learns the session learns.
        words: the command, which only looks.
        show: called from the thread with every frame and at the end.
        first: what was seen when it began, which it goes on from.
    """

    def __init__(
        self,
        name: str,
        session: Session,
        words: Sequence[str],
        *,
        show: Callable[[BackgroundWatch], None] = lambda _: None,
        first: WatchResult,
        row_limit: int = 50,
    ) -> None:
        self.name = name
        self.words = tuple(words)
        self.began_at = session.clock.now()
        self.problem: CommandError | None = None
        self.is_stopped = False
        self._session = _BackgroundSession(session)
        self._row_limit = row_limit
        self._show = show
        self._first = first
        self._kept = Kept(Unseen(), first.samples)
        self._kept.take(Begin(first.verb, View.WATCH, first.report.shape))
        self._done = threading.Event()
        self._guard = threading.Lock()
        self._thread = threading.Thread(
            target=self._run, name=f"bitsshell-watch-{name}", daemon=True
        )

    @property
    def is_over(self) -> bool:
        """Whether it came to its end, or was stopped."""
        return self._done.is_set()

    @property
    def frame(self) -> Frame | None:
        """What it saw last."""
        return self._kept.frame or self._first.frame

    @property
    def rates(self) -> Sequence[float | None]:
        """Bytes per second of all its jobs together, one value a poll."""
        with self._guard:
            return tuple(self._kept.timeline.rates)

    @property
    def answer(self) -> WatchResult:
        """What it saw until now."""
        with self._guard:
            if self._kept.frame is None:
                return self._first
            answer = self._kept.answer(self._session, self._row_limit)
        return cast("WatchResult", answer)  # for that is what it began as

    def show_with(self, show: Callable[[BackgroundWatch], None]) -> None:
        """Show it there from now on."""
        self._show = show

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self) -> None:
        """Be over without having begun, where the first look saw the end."""
        self._done.set()

    def wait(self, seconds: float) -> bool:
        """Let it go on for so long at most; whether it is over."""
        return self._done.wait(seconds)

    def stop(self) -> None:
        """End it; its jobs go on. Returns when its thread has ended, or soon after."""
        self.is_stopped = self.is_stopped or not self.is_over
        self._session.interrupts.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        try:
            self.problem = self._problem()
        finally:
            self._done.set()
            self._shown()

    def _problem(self) -> CommandError | None:
        """Watch to the end; what is to be raised about it where it is joined."""
        try:
            self._watch()
        except BitsShellError as error:
            return from_error(error, self.answer)
        except KeyboardInterrupt:
            return None
        except Exception as defect:  # noqa: BLE001  # nobody sees what a thread raises
            ours = InternalError(kind=type(defect).__name__, detail=str(defect))
            problem = from_error(ours, self.answer)
            problem.__cause__ = defect
            return problem
        return None if self.is_stopped else from_result(self.answer)

    def _watch(self) -> None:
        """Take the events of the command to their end. Raises what the dispatcher raises."""
        dispatcher = Dispatcher(self._session)
        try:
            for event in dispatcher.events(dispatcher.parse(self.words)):
                if self.is_stopped:
                    self._session.interrupts.set()
                if _is_stopped(event) and self._kept.frame is None:
                    continue
                with self._guard:
                    self._kept.take(event)
                if isinstance(event, Frame):
                    self._shown()
        finally:
            self._come_to_rest()

    def _come_to_rest(self) -> None:
        """What it saw last, or the first look where it saw nothing itself, is live no more."""
        last = self.frame
        with self._guard:
            if last is not None and not last.is_final:
                self._kept.frame = replace(last, is_final=True, is_stopped=True)

    def _shown(self) -> None:
        """Let the front end show it. Its mistakes do not end the watch."""
        with suppress(Exception):
            self._show(self)


def _is_stopped(event: Event) -> bool:
    return isinstance(event, Frame) and event.is_stopped


class _BackgroundSession(Session):
    """A session beside another one: the same connections and knowledge, and nobody to ask."""

    def __init__(self, main: Session) -> None:
        super().__init__(
            credentials=_Proven(main.logons),
            pool=main.pool,
            executor=main.executor,
            journal=main.journal,
            front=main.front,
            clock=main.clock,
            user=main.user,
            config=main.config,
        )
        self._main, self.logons = main, main.logons
        self.known = dict(main.known)
        self.targets, self.logon, self.snapshot = main.targets, main.logon, main.snapshot

    def steps(
        self, work: Iterable[tuple[Target, Operation]], *, purpose: Purpose = Purpose.BACKGROUND
    ) -> Steps:
        """As a command does, on the channels of the background."""
        del purpose
        return super().steps(work, purpose=Purpose.BACKGROUND)

    def learn(self, outcome: Outcome, *, asked_at: datetime | None = None) -> tuple[News, ...]:
        """What is learned here, the other one knows."""
        return self._main.learn(outcome, asked_at=asked_at)


class _Proven(Credentials):
    """Only what hosts have accepted already."""

    def __init__(self, logons: Logons) -> None:
        super().__init__(ask=None)
        self._logons = logons

    def find(
        self, target: Target, typed: Callable[[Credential], object] = lambda _: None
    ) -> Credential:
        """The one that this host accepted. Raises `NoCredential` where it accepted none."""
        del typed  # nobody is asked
        found = self._logons.accepted(target)
        if found is None:
            raise NoCredential(
                "it is not logged on to, and the background asks nobody",
                host=target.name,
                hint=f"log on first: use {target.name}",
            )
        return found
