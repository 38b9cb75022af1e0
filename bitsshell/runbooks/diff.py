"""`run --diff A B`: two pieces of evidence by what came of them, not by their text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from bitsshell.render.text import counted
from bitsshell.results import Changed, Conclusion, Difference, Outcome, Verdict
from bitsshell.runbooks.evidence import read_evidence
from bitsshell.runbooks.normal import (
    Normaliser,
    NormalStep,
    Result,
    endpoints_of,
    hosts_of,
    own_jobs,
)
from bitsshell.runbooks.parameters import INJECTED_TAG, PARAMETERS_TAG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bitsshell.results import Event

    Record = Mapping[str, Any]

_NOT_COMPARED = {INJECTED_TAG, PARAMETERS_TAG}


def diff(first: Path, second: Path) -> Iterator[Event]:
    """Compare them. Raises `NoEvidence`."""
    before, after = read_evidence(first), read_evidence(second)
    found = differences(before, after)
    for number, difference in enumerate(found):
        yield Outcome(host="", value=difference, job_id=str(number))
    yield _conclusion(found, after)


def differences(before: Record, after: Record) -> list[Difference]:
    """Everything that is not the same, parameters first, then step by step."""
    one, other = _normalisers(before, after)
    left = {step["id"]: one.step(step) for step in before["steps"]}
    right = {step["id"]: other.step(step) for step in after["steps"]}
    found = [*_parameters(before, after), *_mode(before, after)]
    for name in dict.fromkeys([*left, *right]):
        if name in _NOT_COMPARED:
            continue
        if name not in right:
            found.append(Difference(kind=Changed.MISSING, where=name, what=left[name].title))
        elif name not in left:
            found.append(Difference(kind=Changed.ADDED, where=name, what=right[name].title))
        else:
            found.extend(_step(left[name], right[name]))
    return found


def _conclusion(found: Sequence[Difference], after: Record) -> Conclusion:
    real = [difference for difference in found if difference.counts]
    steps = len([step for step in after["steps"] if step["id"] not in _NOT_COMPARED])
    if not real:
        line = f"same: {counted(steps, 'step')} with the same commands, outcomes and checks"
        return Conclusion(Verdict.WELL, (line,), {"same": True, "differences": 0})
    where = len({difference.where for difference in real})
    line = f"different: {counted(len(real), 'difference')} in {counted(where, 'place')}"
    return Conclusion(Verdict.SOME_FAILED, (line,), {"same": False, "differences": len(real)})


# What may differ


def _normalisers(before: Record, after: Record) -> tuple[Normaliser, Normaliser]:
    first, second = hosts_of(before), hosts_of(after)
    is_same = sorted(first) == sorted(second)
    is_as_many = len(first) == len(second)
    return (
        _normaliser(before, after, first, is_same=is_same, is_as_many=is_as_many),
        _normaliser(after, before, second, is_same=is_same, is_as_many=is_as_many),
    )


def _normaliser(
    evidence: Record, other: Record, hosts: Sequence[str], *, is_same: bool, is_as_many: bool
) -> Normaliser:
    """Hosts by their number; of another number of hosts all are one, and outcomes a set."""
    names: dict[str, str] = {}
    if not is_same:
        endpoints = endpoints_of(evidence)
        for number, host in enumerate(hosts, 1):
            names[host] = f"host#{number}" if is_as_many else "host#n"
            if host in endpoints:
                names[endpoints[host]] = names[host]
    normaliser = Normaliser(
        names,
        _changed_values(evidence, other),
        own_jobs(evidence),
        is_one_host=not (is_same or is_as_many),
    )
    normaliser.number_jobs(evidence["steps"])
    return normaliser


def _changed_values(evidence: Record, other: Record) -> dict[str, str]:
    """The values of parameters that are others in the other run, with the parameter's name."""
    theirs = other["begin"]["parameters"]
    values: dict[str, str] = {}
    for name, value in evidence["begin"]["parameters"].items():
        if name in theirs and theirs[name] == value:
            continue
        parts = value if isinstance(value, list) else [value]
        values.update({str(part): f"{{{name}}}" for part in parts if str(part)})
    return dict(sorted(values.items(), key=lambda pair: -len(pair[0])))


def _parameters(before: Record, after: Record) -> Iterator[Difference]:
    first, second = before["begin"]["parameters"], after["begin"]["parameters"]
    for name in dict.fromkeys([*first, *second]):
        if first.get(name) != second.get(name):
            yield Difference(
                kind=Changed.PARAMETER,
                where=name,
                what="another value",
                first=_written(first, name),
                second=_written(second, name),
                counts=False,
            )


def _written(parameters: Mapping[str, Any], name: str) -> str:
    value = parameters.get(name, "(none)")
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _mode(before: Record, after: Record) -> Iterator[Difference]:
    first, second = before["begin"]["mode"], after["begin"]["mode"]
    if first != second:
        yield Difference(
            kind=Changed.STATUS, where="run", what="another mode", first=first, second=second
        )
    for evidence, which in ((before, "first"), (after, "second")):
        if evidence.get("end") is None:
            yield Difference(kind=Changed.STATUS, where="run", what=f"the {which} was cut off")


# One step


def _step(left: NormalStep, right: NormalStep) -> Iterator[Difference]:
    if (left.status, left.error) != (right.status, right.error):
        yield Difference(
            kind=Changed.STATUS,
            where=left.id,
            what="another status",
            first=f"{left.status} {left.error}".strip(),
            second=f"{right.status} {right.error}".strip(),
        )
    yield from _listed(Changed.COMMAND, left.id, "another command", left.commands, right.commands)
    yield from _results(left.id, "another outcome", left.results, right.results)
    yield from _results(left.id, "another state", left.states, right.states)
    yield from _sizes(left, right)
    yield from _checks(left, right)
    if left.source != right.source and left.commands == right.commands:
        yield Difference(
            kind=Changed.COMMAND, where=left.id, what="its source was edited", counts=False
        )


def _listed(
    kind: Changed, where: str, what: str, left: Sequence[str], right: Sequence[str]
) -> Iterator[Difference]:
    """What stands only on one side, pair by pair."""
    only_left = list((Counter(left) - Counter(right)).elements())
    only_right = list((Counter(right) - Counter(left)).elements())
    for number in range(max(len(only_left), len(only_right))):
        yield Difference(
            kind=kind,
            where=where,
            what=what,
            first=only_left[number] if number < len(only_left) else None,
            second=only_right[number] if number < len(only_right) else None,
        )


def _results(
    where: str, what: str, left: Sequence[Result], right: Sequence[Result]
) -> Iterator[Difference]:
    first = [str(one) for one in left if not any(one.is_as(two) for two in right)]
    second = [str(two) for two in right if not any(two.is_as(one) for one in left)]
    yield from _listed(Changed.OUTCOME, where, what, first, second)


def _sizes(left: NormalStep, right: NormalStep) -> Iterator[Difference]:
    """Jobs that both saw finished: in one that was under way still, the size was not known yet."""
    for job in sorted(left.sizes.keys() & right.sizes.keys()):
        first, second = f"{job} {left.sizes[job]}", f"{job} {right.sizes[job]}"
        yield from _listed(Changed.OUTCOME, left.id, "another size", [first], [second])


def _checks(left: NormalStep, right: NormalStep) -> Iterator[Difference]:
    def said(step: NormalStep) -> list[str]:
        return [
            f"{where} {label}: {'met' if is_met else 'NOT met'}".strip()
            for where, is_met, label in step.checks
        ]

    yield from _listed(Changed.CHECK, left.id, "another result", said(left), said(right))
