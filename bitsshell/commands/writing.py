"""How one command gets into the journal: what is meant before it is sent, what came of it after.

A change that cannot be written down beforehand is not sent. What comes afterwards, and a command
that only looks, is written where that can be done, and said where it cannot.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bitsshell import run_context
from bitsshell.bits import Effect
from bitsshell.commands.outcomes import JobFailed, LeftTheQueue, NotReached
from bitsshell.errors import BitsShellError
from bitsshell.journal import Draft, EntryKind, JournalUnavailable, NotJournaled
from bitsshell.render.records import (
    exception_record,
    outcome_record,
    step_record,
    summary_record,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from bitsshell.results import Outcome, Plan, Step, Summary
    from bitsshell.session import Session

_MOST_FAILURES = 100
"""So many failures of a command that only looks are kept; its summary counts them all."""


class RunOver(BitsShellError):
    """A change was about to be sent for a run whose runner is gone. Nothing of it was sent."""

    default_hint = "look at what the run left in its evidence, and run the notebook again"

    def what(self) -> str:
        """Why it may not be sent."""
        return "nothing was sent, for the run that this is part of is over: nobody writes it down"


class EntryWriter:
    """Writes the entry of one command.

    Args:
        session: what runs it.
        typed: the line as it was typed.
        is_off: write nothing, as of `help`.
    """

    def __init__(self, session: Session, typed: str, *, is_off: bool = False) -> None:
        self.session = session
        self.typed = typed
        self.words: Callable[[], tuple[str, ...]] = tuple
        """The command in canonical form, with the targets that are known by now."""
        self.hosts: Callable[[], tuple[str, ...]] = tuple
        self.is_what_if = False
        self.kind = EntryKind.COMMAND
        self.data: Mapping[str, Any] | None = None
        """What a verb has to say of an entry that is no mere command."""
        self.number: int | None = None
        """The entry's, once it is written."""
        self.problem: JournalUnavailable | None = None
        """Why not everything was written."""
        self._began: datetime = session.clock.now()
        self._shown: Plan | None = None
        self._meant: list[Step] = []
        self._failed: set[tuple[str, str | None]] = set()
        self._is_ended = is_off

    def news(self) -> Iterator[str]:
        """What to say of an entry that is not, or not wholly, written; once for each cause."""
        if self.problem is None:
            return
        text = f"not written down: {self.problem.what()}"
        if text != self.session.said_of_journal:
            self.session.said_of_journal = text
            yield f"{text}; {self.problem.hint}"

    def refused(self, verb: str, error: BitsShellError) -> None:
        """Write down words that were not understood."""
        self.kind, self.words = EntryKind.REFUSED, lambda: (verb,)
        self.end(None, error=error)

    def show(self, plan: Plan) -> None:
        """Take a plan that may only be shown, or have nothing to send."""
        self._shown = plan

    def intend(self, plan: Plan) -> None:
        """Write down what is about to be sent.

        Raises `NotJournaled` and `RunOver`: it may not be sent then.
        """
        self._mean(plan)
        self._meant += plan.steps

    def _mean(self, plan: Plan) -> None:
        if plan.effect is Effect.READ:
            return
        if run_context.is_what_if_run():
            raise RunOver()
        try:
            if self.number is None:
                self.number = self.session.journal.begin(self._draft(plan, plan.effect))
            else:
                self.session.journal.extend(self.number, plan_body(plan, self.session))
        except JournalUnavailable as error:
            raise NotJournaled(error) from error

    def carry_out(self, plan: Plan) -> Iterator[Outcome]:
        """Send what a plan holds, written down before; each outcome is added as it comes.

        Of a verb that acts several times, what was not meant at its beginning is written now.
        Raises as `intend` does.
        """
        new: list[Step] = []
        for step in plan.steps:
            if step in self._meant:
                self._meant.remove(step)
            else:
                new.append(step)
        if new:
            self._mean(replace(plan, steps=tuple(new)))
        for outcome in self.session.carry_out(plan):
            self._record(outcome)
            yield outcome

    def end(
        self,
        summary: Summary | None,
        *,
        failures: Iterable[Outcome] = (),
        error: BitsShellError | None = None,
    ) -> None:
        """Write how it ended, once; of a command that only looks, the whole entry."""
        if self._is_ended:
            return
        self._is_ended = True
        ending = {
            "summary": None if summary is None else summary_record(summary),
            "error": None if error is None else exception_record(error),
        }
        now = self.session.clock.now()
        if self.number is not None:
            for outcome in failures:  # of what was never sent, and of jobs that failed afterwards
                if (outcome.host, outcome.job_id) not in self._failed:
                    self._record(outcome)
            try:
                self.session.journal.end(self.number, now, **ending)
            except JournalUnavailable as problem:
                self.problem = problem
            return
        failed = [outcome_body(outcome) for outcome in failures][:_MOST_FAILURES]
        try:
            draft = self._draft(self._shown, Effect.READ)  # whatever it meant, it sent nothing
            self.number = self.session.journal.write(draft, now, **ending, outcomes=failed)
        except JournalUnavailable as problem:
            self.problem = problem

    def _record(self, outcome: Outcome) -> None:
        if self.number is None:
            return
        if not outcome.status.is_well:
            self._failed.add((outcome.host, outcome.job_id))
        try:
            self.session.journal.record(self.number, outcome_body(outcome))
        except JournalUnavailable as problem:
            self.problem = problem

    def _draft(self, plan: Plan | None, effect: Effect) -> Draft:
        run = run_context.current()
        hosts = self.hosts() or (() if plan is None else plan.hosts)
        return Draft(
            at=self._began,
            user=self.session.user,
            front=self.session.front,
            kind=self.kind,
            run=run.run if run else None,
            step=run.step if run else None,
            typed=self.typed,
            words=self.words(),
            hosts=hosts,
            effect=effect.value,
            is_what_if=self.is_what_if,
            plan=None if plan is None else plan_body(plan, self.session),
            data=self.data,
        )


def plan_body(plan: Plan, session: Session) -> dict[str, Any]:
    """A plan as the journal keeps it: what would be done to which job, in words and as data."""
    return {
        "verb": plan.verb,
        "effect": plan.effect.value,
        "policy": plan.policy,
        "follows": [list(pair) for pair in plan.follows],
        "steps": [_step_body(plan, step, session) for step in plan.steps],
    }


def _step_body(plan: Plan, step: Step, session: Session) -> dict[str, Any]:
    operation: Any = step.operation
    job = session.snapshot.job(step.host, step.job_id) if step.job_id else None
    files = getattr(operation, "files", ())
    more = {
        "job_name": getattr(operation, "name", None) or (job.name if job else None),
        "reference": getattr(operation, "reference", None),
        "replaces": list(step.replaces),
        "files": [{"url": file.url, "path": file.path} for file in files],
    }
    return step_record(plan, step) | {key: value for key, value in more.items() if value}


def outcome_body(outcome: Outcome) -> dict[str, Any]:
    """An outcome as the journal keeps it: with the job's id, name, reference and state."""
    body = outcome_record(outcome)
    job = outcome.jobs[0] if outcome.jobs else None
    reference = job.reference if job else getattr(outcome.error, "reference", None)
    if job is not None:
        body |= {"job_id": outcome.job_id or job.id, "job_name": job.name, "state": job.state.name}
    elif isinstance(outcome.error, JobFailed | NotReached):
        body |= {"job_name": outcome.error.name, "state": outcome.error.state.name}
    elif isinstance(outcome.error, LeftTheQueue):
        body |= {"job_name": outcome.error.name}
    return body | ({"reference": reference} if reference else {})
