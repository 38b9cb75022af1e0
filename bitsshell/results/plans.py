"""What a changing verb would do, complete, before anything of it is sent."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitsshell.bits import Effect, Operation

if TYPE_CHECKING:
    from bitsshell.results.values import Outcome

Pair = tuple[str, str | None]
"""A host and a job on it, by label and id; None for a job that is not made yet."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on one host, before it is sent."""

    host: str
    operation: Operation

    @property
    def job_id(self) -> str | None:
        """The job concerned, None for one that is still to be created."""
        return getattr(self.operation, "job_id", None)

    @property
    def job_ids(self) -> tuple[str | None, ...]:
        """The job concerned, and those that it replaces."""
        return (self.job_id, *self.replaces)

    @property
    def replaces(self) -> tuple[str, ...]:
        """The jobs that a new one takes the place of, which are cancelled for it."""
        replaced: tuple[str, ...] = getattr(self.operation, "replaces", ())
        return replaced


@dataclass(frozen=True, slots=True)
class Plan:
    """What a changing verb would do, complete, before anything is sent.

    `found` are outcomes that stand already when the plan is made: hosts that could not be asked,
    and jobs that are as wanted. `policy` says in words what a long-running verb does later to the
    jobs that it `follows`, as (host, job id).
    """

    verb: str
    steps: tuple[Step, ...]
    found: tuple[Outcome, ...] = ()
    policy: str | None = None
    policy_effect: Effect = Effect.CHANGE
    follows: tuple[tuple[str, str], ...] = ()

    @property
    def effect(self) -> Effect:
        """The strongest effect of any step, or of the policy."""
        effects = {step.operation.effect for step in self.steps}
        if self.policy is not None:
            effects.add(self.policy_effect)
        for effect in (Effect.DESTROY, Effect.CHANGE):
            if effect in effects:
                return effect
        return Effect.READ

    @property
    def hosts(self) -> tuple[str, ...]:
        """Labels of the hosts concerned, in order, once each."""
        acted_on = [step.host for step in self.steps]
        return tuple(dict.fromkeys([*acted_on, *(host for host, _ in self.follows)]))

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The (host, job id) pairs that it touches, once each; a job still to be made has no id."""
        acted_on = [(step.host, job) for step in self.steps for job in step.job_ids]
        return tuple(dict.fromkeys([*acted_on, *self.follows]))

    @property
    def size(self) -> int:
        """How many (host, job) pairs it touches; every job still to be made is one.

        A job that is replaced is touched, too.
        """
        made = sum(1 for step in self.steps if step.job_id is None)
        return made + sum(1 for _, job_id in self.pairs if job_id is not None)

    @property
    def needs_confirmation(self) -> bool:
        """Whether a person must agree: something is destroyed, or more than one job changed."""
        if self.effect is Effect.DESTROY:
            return True
        return self.effect is Effect.CHANGE and self.size > 1


class PlanForm(enum.StrEnum):
    """How `--what-if` shows a plan (`--as`)."""

    WORDS = "words"
    POWERSHELL = "powershell"
    XML = "xml"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan as `--what-if` shows it: nothing of it was sent.

    Where the form is not words, `scripts` has one text for each of the plan's steps.
    """

    plan: Plan
    form: PlanForm = PlanForm.WORDS
    scripts: tuple[str, ...] = ()
