"""The jobs that a recording made itself: which command made them, and how they are spoken of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitsshell.bits import canonical_job_id
from bitsshell.errors import UsageError
from bitsshell.fleet.references import Kind, parse_reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bitsshell.results.entries import Entry, Record

_MAKING = frozenset({"create", "transfer"})
_WELL = frozenset({"done", "already"})


@dataclass(frozen=True, slots=True)
class Creation:
    """One command that made a job on each of some hosts; `step` is its place in the recording.

    `hosts` has the host of each job by its id, `marks` the job of each reference.
    """

    step: int
    name: str
    hosts: Mapping[str, str]
    marks: Mapping[str, str]

    def ids_of(self, text: str) -> frozenset[str]:
        """The ids of the jobs of it that a reference can mean."""
        job_id = canonical_job_id(text)
        if job_id is not None:
            return frozenset({job_id.lower()} & self.hosts.keys())
        try:
            reference = parse_reference(text)
        except UsageError:
            return frozenset()
        if reference.kind is Kind.MARK:
            made = self.marks.get((reference.mark or "").lower())
            return frozenset({made} - {None})  # type: ignore[arg-type]
        if reference.kind is not Kind.NAME:
            return frozenset()
        folded = text.casefold()
        if folded == self.name.casefold():
            return frozenset(self.hosts)
        prefix = folded.lstrip("{")
        return frozenset(i for i in self.hosts if len(prefix) > 3 and i.startswith(prefix))

    def has(self, text: str) -> bool:
        """Whether a reference can mean a job of it."""
        return bool(self.ids_of(text))

    def is_all_of(self, texts: set[str], hosts: Sequence[str]) -> bool:
        """Whether references on these hosts mean just what it made.

        An id means the same wherever it is looked for, a name only on the very same hosts.
        """
        by_id = {text for text in texts if text.casefold() != self.name.casefold()}
        if frozenset().union(*map(self.ids_of, by_id)) == frozenset(self.hosts):
            return True
        return by_id != texts and set(hosts) == set(self.hosts.values())

    def hosts_of(self, text: str) -> tuple[str, ...]:
        """The hosts that a job's id stands for; none where a name is all that was said."""
        if text.casefold() == self.name.casefold():
            return ()
        return tuple(sorted({self.hosts[job_id] for job_id in self.ids_of(text)}))


def ids_in(entry: Entry) -> set[str]:
    """The ids of the jobs that a command changed, as it said."""
    return {_bare(one) for one in entry.outcomes if one.get("job_id")}


def creations_of(entries: Sequence[Entry]) -> tuple[Creation, ...]:
    """What made jobs, in order; what was only planned made none."""
    found: list[Creation] = []
    for number, entry in enumerate(entries):
        made = [o for o in entry.outcomes if o.get("job_id") and o.get("status") in _WELL]
        if entry.verb not in _MAKING or entry.is_what_if or not made:
            continue
        marks = {str(one["reference"]).lower(): _bare(one) for one in made if one.get("reference")}
        hosts = {_bare(one): str(one["host"]) for one in made}
        found.append(Creation(number, str(made[0].get("job_name") or ""), hosts, marks))
    return tuple(found)


def _bare(outcome: Record) -> str:
    return str(outcome["job_id"]).strip("{}").lower()
