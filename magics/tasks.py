"""Watches that outlive their cell: in the background, and the last one, to go on with it.

A thread polls and never prints: it updates one display by its id, which every front end shows in
the cell that the watch was started in. `%bits_wait` joins it and flushes the last frame.
"""

from __future__ import annotations

import uuid
from copy import copy
from typing import TYPE_CHECKING, Any

from IPython import display

from bitsshell.api.background import BackgroundWatch
from bitsshell.api.errors import MAX_LINES, Interrupted, TimeLimitReached, from_result
from bitsshell.api.running import Kept, Ran, Unseen
from bitsshell.api.sets import WatchResult
from bitsshell.bits import JobList
from bitsshell.commands import VERBS
from bitsshell.errors import UsageError, shown
from bitsshell.render.text import counted, neutral
from bitsshell.results import Frame
from magics.people import asking, is_kernel
from magics.tasklists import Joined, Task, TaskList
from magics.views import FRAME_INTERVAL_S, answer_bundle, frame_bundle

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bitsshell.api.errors import CommandError
    from bitsshell.api.running import LastWatch
    from bitsshell.session import Session
    from magics.core import Core
    from magics.words import Words

_BATCH_INTERVAL_S = 5.0
_TICK_S = 0.2
_DEFAULT_INTERVAL_S = 2.0
_LIMIT = next(option for option in VERBS["wait"].params if option.name == "timeout")
"""Who waits for a watch says for how long as who waits for a job does."""

_display: Any = display.display  # IPython has no types for it
_update: Any = display.update_display


class Tasks:
    """The background watches of one shell."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._watches: dict[str, BackgroundWatch] = {}
        self._displays: dict[str, _Place] = {}
        self._latest: BackgroundWatch | None = None
        self._before_latest: LastWatch | None = None

    @property
    def session(self) -> Session:
        """The session whose connections they use."""
        return self._core.session

    def close(self) -> None:
        """End all of them."""
        for watch in self._watches.values():
            watch.stop()

    # In the background

    def start(self, words: Words, typed: str) -> WatchResult:
        """Begin to watch in the background; what the first look saw.

        Raises:
            UsageError: a watch of that name goes on.
        """
        name = self._free(words.background or "")
        core = self._core
        interaction = asking(core.shell, core.session, is_batch=core.is_batch)
        dispatcher, invocation = core.engine.parse(words.words, interaction, typed)
        if invocation.context is None:
            raise UsageError("--bg needs a watch", hint="%bits_watch JOB --bg NAME")
        first = _first_look(dispatcher.events(invocation))
        answer = first.answer(core.session, core.engine.settings.row_limit)
        if not isinstance(answer, WatchResult) or answer.frame is None or not answer.ok:
            ran = Ran(answer, from_result(answer), is_in_sight=False)
            return core.finished(ran, words)  # type: ignore[no-any-return]
        is_over = answer.frame.is_final
        place = _Place(core, is_quiet=words.is_quiet or is_over)
        watch = BackgroundWatch(
            name,
            core.session,
            _words_for(answer, invocation.context.params, invocation.call),
            show=place.show,
            first=answer,
            row_limit=core.engine.settings.row_limit,
        )
        self._watches.pop(name, None)  # behind those that began before it
        self._watches[name], self._displays[name] = watch, place
        self._latest, self._before_latest = watch, core.engine.last_watch
        if words.into is not None:
            core.shell.user_ns[words.into] = answer
        if is_over:
            watch.finish()
        else:
            place.begin(answer)
            watch.start()
        if words.is_quiet or not is_over:
            core.in_sight = answer
        return answer

    def _free(self, name: str) -> str:
        """The name, which no watch has that goes on. Raises UsageError."""
        if name in self._watches and not self._watches[name].is_over:
            raise UsageError(
                f"a watch {shown(name)} goes on in the background",
                hint=f"%bits_wait {name} joins it, %bits_tasks --stop {name} ends it",
            )
        return name

    def meant(
        self, arguments: Sequence[str]
    ) -> tuple[Sequence[BackgroundWatch], float | None] | None:
        """The watches that `%bits_wait` with these words is for, and its time limit in seconds.

        None where it is for jobs: a word is no name of a watch, or an option is not `--timeout`.

        Raises:
            UsageError: the time limit is none.
        """
        read = _names_and_limit(arguments)
        if read is None:
            return None
        names, limit_s = read
        if not all(name in self._watches for name in names):
            return None
        return [self._watches[name] for name in names or self._watches], limit_s

    def join(self, watches: Sequence[BackgroundWatch], limit_s: float | None) -> Any:
        """Wait for background watches to end; what they saw, of several a tuple.

        Raises:
            CommandError: some of them did not end well, or the time limit came first.
            Interrupted: Ctrl-C; the watches go on.
        """
        if not watches:
            raise UsageError(
                "no watch was started in the background",
                hint="%bits_watch JOB --bg NAME; %bits_wait JOB waits for a job",
            )
        self._wait(watches, limit_s)
        for watch in watches:
            self._displays[watch.name].show(watch, is_last=True)
        if (problem := _problem_of(watches)) is not None:
            raise problem
        answers = Joined(watch.answer for watch in watches)
        return answers[0] if len(answers) == 1 else answers

    def _wait(self, watches: Sequence[BackgroundWatch], limit_s: float | None) -> None:
        clock, interrupts = self.session.clock, self.session.interrupts
        began_s = clock.monotonic()
        with interrupts.deferred():
            for watch in watches:
                while not watch.wait(_TICK_S):
                    if interrupts():
                        raise Interrupted([f"wait: {watch.name} goes on in the background"])
                    if limit_s is not None and clock.monotonic() - began_s >= limit_s:
                        raise _too_late(watch, limit_s)

    def named(self, name: str) -> BackgroundWatch | None:
        """The watch of this name."""
        return self._watches.get(name)

    def show(self, arguments: Sequence[str]) -> TaskList:
        """List them; `--stop NAME` ends one before. Raises UsageError."""
        for name in _stopped(arguments):
            watch = self._watches.get(name)
            if watch is None:
                known = ", ".join(self._watches) or "none was started"
                raise UsageError(f"there is no watch {shown(name)}", hint=f"there are: {known}")
            watch.stop()
            self._displays[name].show(watch, is_last=True)
        return TaskList(tuple(map(Task.of, self._watches.values())))

    # The last one

    def can_reattach(self) -> bool:
        """Whether there is a watch to go on with."""
        return self.last_answer() is not None

    def last_answer(self) -> WatchResult | None:
        """What the last watch saw, in the background or not."""
        if (latest := self._latest_background()) is not None:
            return latest.answer
        last = self._core.engine.last_watch
        return None if last is None else last.answer

    def _latest_background(self) -> BackgroundWatch | None:
        """The background watch that was begun last, if no other watch came after it."""
        is_last = self._core.engine.last_watch is self._before_latest
        return self._latest if is_last else None

    def reattach(self, words: Words, typed: str) -> Any:
        """Go on with the last watch in this cell, where it is. Raises as a watch does."""
        latest = self._latest_background()
        if latest is not None:
            if latest.is_over:
                return self._over(latest.answer, words)
            return self._attach(latest, words)
        last = self._core.engine.last_watch
        if last is None:
            raise UsageError("nothing was watched yet", hint="%bits_watch JOB")
        present = () if last.is_over else self._present(last.pending, last.hosts)
        if not present and not last.is_open:
            return self._over(last.answer, words)
        hosts = [word for host in last.hosts for word in ("--host", host)]
        interval = ["--interval", f"{last.interval_s:g}"] if last.interval_s else []
        ids = () if last.is_open else present
        again = type(words)(("watch", *hosts, *interval, *ids), words.is_quiet, words.into)
        return self._core.carry_out(again, typed, before=last.answer.samples)

    def _over(self, answer: WatchResult, words: Words) -> WatchResult:
        if not words.is_quiet:
            print(  # noqa: T201  # it stands above the answer
                "the last watch is over; whole queues are watched with any option: "
                "%bits_watch --interval 2"
            )
        self._core.kept(answer, words)
        return answer

    def _attach(self, watch: BackgroundWatch, words: Words) -> Any:
        """Show a background watch in this cell, too, until it ends."""
        place = self._displays[watch.name] = _Place(self._core, is_quiet=words.is_quiet)
        watch.show_with(place.show)
        place.begin(watch.answer)
        self._wait([watch], None)
        place.show(watch, is_last=True)
        if (problem := _problem_of([watch])) is not None:
            raise problem
        answer = watch.answer
        if words.into is not None:
            self._core.shell.user_ns[words.into] = answer
        self._core.in_sight = answer
        return answer

    def _present(self, ids: Collection[str], hosts: Sequence[str]) -> tuple[str, ...]:
        """Those of the jobs that are still in their queues."""
        session = self.session
        with session.interrupts.deferred():
            outcomes = list(session.look(session.select(hosts, many=True), ids=ids))
        found = {
            job.id
            for outcome in outcomes
            if isinstance(outcome.value, JobList)
            for job in outcome.value.jobs
        }
        if any(outcome.error is not None for outcome in outcomes):
            return tuple(ids)
        return tuple(job_id for job_id in ids if job_id in found)


class _Place:
    """Where a background watch is seen: one display, updated by its id."""

    def __init__(self, core: Core, *, is_quiet: bool) -> None:
        self._core = core
        self._is_seen = is_kernel(core.shell) and not is_quiet
        self._is_quiet = is_quiet
        self._id = f"bits-{uuid.uuid4().hex}"
        self._interval_s = _BATCH_INTERVAL_S if core.is_batch else FRAME_INTERVAL_S
        self._shown_s = core.session.clock.monotonic()
        self._is_done = False

    def begin(self, answer: WatchResult) -> None:
        """Show what there is to begin with; from here on updates find their place."""
        if self._is_seen and answer.frame is not None:
            bundle = frame_bundle(answer.frame, answer.samples.rates, self._core.engine.settings)
            _display(bundle, raw=True, display_id=self._id)
        elif not self._is_quiet:
            print(f"watching {counted(len(answer), 'job')} in the background")  # noqa: T201

    def show(self, watch: BackgroundWatch, *, is_last: bool = False) -> None:
        """Show what a watch saw last; from its thread at most once a second, and at its end."""
        if not self._is_seen or watch.frame is None or (self._is_done and not is_last):
            return
        now_s = self._core.session.clock.monotonic()
        is_over = watch.is_over or is_last
        if not is_over and now_s - self._shown_s < self._interval_s:
            return
        self._shown_s, self._is_done = now_s, is_over
        settings = self._core.engine.settings
        bundle = (
            answer_bundle(watch.answer)
            if is_over
            else frame_bundle(watch.frame, watch.rates, settings)
        )
        _update(bundle, raw=True, display_id=self._id)


def _first_look(events: Any) -> Kept:
    """The events of a watch up to its first frame; of one that ends at once, all of them."""
    kept = Kept(Unseen())
    try:
        for event in events:
            kept.take(event)
            if isinstance(event, Frame) and not event.is_final:
                break
    finally:
        events.close()
    return kept


def _words_for(answer: WatchResult, params: dict[str, Any], call: Any) -> list[str]:
    """The command for the background: the jobs that were found, by their ids."""
    words = ["watch", "--interval", f"{params.get('interval') or _DEFAULT_INTERVAL_S:g}"]
    if call.timeout_s is not None:
        words += ["--timeout", f"{call.timeout_s:g}"]
    named = bool(params.get("jobs"))
    hosts = answer.hosts if named and answer.hosts else [target.name for target in call.targets()]
    hosts = list(dict.fromkeys([*hosts, *(job.host for job in answer)])) if named else hosts
    words += [word for host in hosts for word in ("--host", host)]
    return [*words, *(job.id for job in answer)] if named else words


def _names_and_limit(arguments: Sequence[str]) -> tuple[list[str], float | None] | None:
    """Names, once each, and the time limit; None where there is an option that is another one."""
    names: dict[str, None] = {}
    limit_s: float | None = None
    left = iter(arguments)
    for word in left:
        option, equals, value = word.partition("=")
        if option == "--timeout":
            typed = value if equals else next(left, None)
            if typed is None:
                return None  # the verb says what is missing
            limit_s = _LIMIT.type.convert(typed, _LIMIT, None)
        elif word.startswith("-"):
            return None
        else:
            names[word] = None
    return list(names), limit_s


def _stopped(arguments: Sequence[str]) -> list[str]:
    """The names behind `--stop`. Raises UsageError for anything else."""
    names: list[str] = []
    left = iter(arguments)
    for word in left:
        if word != "--stop" and not word.startswith("--stop="):
            raise UsageError(f"%bits_tasks takes no {shown(word)}", hint="%bits_tasks --stop NAME")
        name = word.partition("=")[2] or next(left, "")
        if not name:
            raise UsageError("--stop needs a name", hint="%bits_tasks lists them")
        names.append(name)
    return names


def _problem_of(watches: Sequence[BackgroundWatch]) -> CommandError | None:
    """What to raise about watches that are over: the first problem, which names the others."""
    problems = {watch.name: watch.problem for watch in watches if watch.problem is not None}
    if not problems:
        return None
    first, *others = problems
    problem = copy(problems[first])  # the watch keeps its own, to be raised again as it is
    problem.__cause__ = problems[first].__cause__
    if len(watches) > 1:
        problem.at(first)
    if others:
        what, *more = problem.said
        problem.said = (what, f"{', '.join(others)} did not end well either", *more)[:MAX_LINES]
        problem.errors = tuple(error for one in problems.values() for error in one.errors)
    return problem


def _too_late(watch: BackgroundWatch, limit_s: float) -> BaseException:
    said = f"wait: {neutral(watch.name)} was not over after {limit_s:g} s; it goes on"
    return TimeLimitReached([said], result=watch.answer)
