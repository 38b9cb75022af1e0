"""How a command ends, counted from the stream of its events."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bitsshell.commands.outcomes import NotReached
from bitsshell.fleet.credentials import NoCredential
from bitsshell.fleet.fanout import OutOfTime
from bitsshell.results import (
    Conclusion,
    ConditionResult,
    Ending,
    Outcome,
    Planned,
    Status,
    Summary,
    Verdict,
)
from bitsshell.wsman import CallAborted

if TYPE_CHECKING:
    from collections.abc import Iterator


class Tally:
    """Counts a stream over (host, job) pairs: of several outcomes of a pair the worst counts."""

    def __init__(self, verb: str) -> None:
        self.verb = verb
        self.ending = Ending.COMPLETE
        self.verdict: Verdict | None = None
        self._pairs: dict[tuple[str, str | None], Outcome] = {}

    def take(self, event: object) -> None:
        """Count an event. What was only planned is well."""
        match event:
            case Outcome():
                self._count(event)
            case Planned(plan=plan):
                for host, job_id in plan.pairs:
                    self._count(Outcome(host=host, status=Status.PLANNED, job_id=job_id))
            case Conclusion(verdict=verdict):
                self.verdict = verdict

    @property
    def failures(self) -> Iterator[Outcome]:
        """What is not well."""
        return (outcome for outcome in self._pairs.values() if not outcome.status.is_well)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that anything came from, once each."""
        return tuple(dict.fromkeys(host for host, _ in self._pairs if host))

    @property
    def failed_hosts(self) -> tuple[str, ...]:
        """Those with anything that is not well."""
        bad = (host for (host, _), outcome in self._pairs.items() if not outcome.status.is_well)
        return tuple(dict.fromkeys(host for host in bad if host))

    def _count(self, outcome: Outcome) -> None:
        key = (outcome.host, outcome.job_id)
        if isinstance(outcome.value, ConditionResult):  # of which a job may have several
            key = (outcome.host, f"{outcome.job_id} {outcome.value.condition}")
        known = self._pairs.get(key)
        if known is None or known.status.is_well:
            self._pairs[key] = outcome
        if isinstance(outcome.error, NoCredential):
            self.ending = Ending.NEEDS_PERSON
        elif isinstance(outcome.error, NotReached) and self.ending is Ending.COMPLETE:
            self.ending = Ending.TIME_LIMIT

    def summary(self, elapsed_s: float) -> Summary:
        """The counts."""
        summary = Summary(
            verb=self.verb, ending=self.ending, elapsed_s=elapsed_s, verdict=self.verdict
        )
        for outcome in self._pairs.values():
            if self._is_unmet(outcome):
                summary = replace(summary, unmet=summary.unmet + 1)
            else:
                summary = summary.counting(outcome)
        return summary

    def _is_unmet(self, outcome: Outcome) -> bool:
        """Whether it only missed a limit; a call that was aborted at the limit did just that.

        A change whose outcome is unknown did more than that: somebody has to look.
        """
        if isinstance(outcome.value, ConditionResult):
            return not outcome.value.is_met
        if outcome.status is Status.UNKNOWN:
            return False
        if isinstance(outcome.error, CallAborted):
            return self.ending is Ending.TIME_LIMIT
        return isinstance(outcome.error, NotReached | OutOfTime)
