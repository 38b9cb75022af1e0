"""A run's evidence with what is never the same taken out, so that two of them can be compared.

Ids of jobs become `job#1`, `job#2` by step, host and name, references `ref#1`; hosts become
`host#1` where the two runs went to different ones, each for itself where a range names them; values
of parameters that differ become the parameter's name in braces; the port of a URL on the loopback
becomes `port#1`, as a practice file server has another one each time. Times, durations and rates
are left out; sizes stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from bitsshell.errors import BitsShellError
from bitsshell.fleet.hostsets import names_in

Record = Mapping[str, Any]

_GUID = re.compile(r"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?")
_REFERENCE = re.compile(r"\bref:([0-9A-Z]{10})\b")
_NUMBERED_JOB = re.compile(r"job#\d+")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?")
_LOOPBACK = re.compile(r"(?<=://)(127\.0\.0\.1|localhost|\[::1\]):(\d+)")
_LEAST_PART = 6
"""A shorter value of a parameter is found only where it is a whole word."""
_UNDER_WAY = {"QUEUED", "CONNECTING", "TRANSFERRING"}
_MOVED = {"under way", "TRANSFERRED"}
_SET_GOING = {"create", "resume"}
"""What answers while the job that it set going may have failed already, or not yet."""
_MADE = "create job "


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one (host, job): `code` is the error's class or code."""

    host: str
    job: str
    status: str
    state: str
    code: str

    def is_as(self, other: Result) -> bool:
        """Whether it is the same. How far a transfer had got is a matter of the moment."""
        if (self.host, self.job, self.status, self.code) != (
            other.host, other.job, other.status, other.code,
        ):  # fmt: skip
            return False
        return self.state == other.state or {self.state, other.state} <= _MOVED

    def __str__(self) -> str:
        said = [self.host, self.job, self.status, self.state, self.code]
        return " ".join(part for part in said if part)


@dataclass(frozen=True, slots=True)
class NormalStep:
    """One step, ready to be compared."""

    id: str
    title: str
    status: str
    error: str
    source: str
    commands: tuple[str, ...]
    results: tuple[Result, ...]
    states: tuple[Result, ...]
    """Of the run's own jobs, as the step showed them last."""
    sizes: Mapping[str, str]
    """How large those are that were transferred."""
    checks: tuple[tuple[str, bool, str], ...]


@dataclass(slots=True)
class Normaliser:
    """Turns the steps of one run into what is compared.

    References and ports are numbered as they come, jobs by `number_jobs`, since hosts answer in
    any order. `own_jobs` are the names, by id, of jobs that the run itself made or changed. Where
    another number of hosts is compared, all `is_one_host`: jobs of one name are one, and so are
    results.
    """

    hosts: Mapping[str, str]
    values: Mapping[str, str]
    own_jobs: Mapping[str, str]
    is_one_host: bool = False
    jobs: dict[str, str] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    ports: dict[str, str] = field(default_factory=dict)

    def number_jobs(self, steps: Iterable[Record]) -> None:
        """Number the run's own jobs, before its steps are turned: by step, host and name."""
        for step in steps:
            outcomes = [
                one
                for entry in step.get("commands") or ()
                for one in entry.get("outcomes") or ()
                if str(one.get("job_id") or "").upper() in self.own_jobs
            ]
            for one in sorted(outcomes, key=self._place):
                self._job(one["job_id"])

    def _place(self, outcome: Record) -> tuple[int, str, str]:
        host, guid = str(outcome.get("host") or ""), str(outcome.get("job_id") or "").upper()
        number = list(self.hosts).index(host) if host in self.hosts else -1
        name = str(self.own_jobs.get(guid) or outcome.get("job_name") or "")
        return number, host, "" if name.upper() == guid else self._word(name)

    def step(self, step: Record) -> NormalStep:
        """One step."""
        error = step.get("error") or {}
        entries = list(step.get("commands") or ())
        results = self._unique(self._results(entries))  # first, so that jobs are counted by host
        moving = _moving(entries)
        return NormalStep(
            id=str(step["id"]),
            title=str(step["title"]),
            status=str(step["status"]),
            error=str(error.get("type") or ""),
            source=str(step.get("source") or ""),
            commands=tuple(self._command(entry) for entry in entries if entry.get("words")),
            results=results,
            states=self._unique(self._states(step.get("jobs") or (), moving)),
            sizes=self._sizes(step.get("jobs") or ()),
            checks=tuple(dict.fromkeys(map(self._check, step.get("checks") or ()))),
        )

    def _check(self, one: Record) -> tuple[str, bool, str]:
        where = " ".join(filter(None, (one.get("host"), one.get("job_id"))))
        return self.text(where), bool(one["is_met"]), self.text(str(one["label"]))

    def text(self, text: str) -> str:
        """A text with all that may differ replaced."""
        return _TIME.sub("TIME", self._numbered(" ".join(map(self._word, text.split(" ")))))

    def _word(self, word: str) -> str:
        if word in self.hosts:
            return self.hosts[word]
        if word in self.values:
            return self.values[word]
        for value, name in self.values.items():
            if len(value) >= _LEAST_PART:
                word = word.replace(value, name)
        for host, name in self.hosts.items():
            if len(host) >= _LEAST_PART:
                word = word.replace(host, name)
        return word

    def _numbered(self, text: str) -> str:
        text = _GUID.sub(lambda found: self._job(found[1]), text)
        text = _LOOPBACK.sub(lambda found: f"{found[1]}:{self._port(found[2])}", text)
        return _REFERENCE.sub(
            lambda found: self.references.setdefault(found[1], f"ref#{len(self.references) + 1}"),
            text,
        )

    def _port(self, port: str) -> str:
        return self.ports.setdefault(port, f"port#{len(self.ports) + 1}")

    def _job(self, guid: str) -> str:
        guid = guid.upper()
        key = self.own_jobs.get(guid, guid) if self.is_one_host else guid
        return self.jobs.setdefault(key, f"job#{len(self.jobs) + 1}")

    def _command(self, entry: Record) -> str:
        """The words, of which the same host or job is said once; chosen hosts lead, by number."""
        verb, *rest = map(str, entry["words"])
        chosen: set[str] = set()
        words: list[str] = []
        waiting = iter(rest)
        for word in waiting:
            if word == "--host":
                chosen.update(self._texts(next(waiting, "")))
                continue
            words += [t for t in self._texts(word) if not (_is_once(t) and t in words)]
        hosts = sorted(chosen, key=lambda name: (len(name), name))
        said = [self.text(verb), *(word for name in hosts for word in ("--host", name)), *words]
        return " ".join(_jobs_in_order(said))

    def _texts(self, word: str) -> list[str]:
        """A word as it is compared; of a range of the run's hosts, each of them."""
        if not (self.hosts and "[" in word):
            return [self.text(word)]
        try:
            names = names_in(word)
        except BitsShellError:  # no range of hosts
            return [self.text(word)]
        known = names if self.hosts.keys() >= set(names) else [word]
        return list(dict.fromkeys(map(self.text, known)))

    def _results(self, entries: Iterable[Record]) -> Iterator[Result]:
        for entry in entries:
            outcomes = list(entry.get("outcomes") or ())
            passing = [_is_passing(entry, one, outcomes[at:]) for at, one in enumerate(outcomes, 1)]
            pairs = zip(outcomes, passing, strict=True)
            for one, is_passing in sorted(pairs, key=lambda pair: self._place(pair[0])):
                error = one.get("error") or {}
                yield Result(
                    host=self._word(str(one.get("host") or "")),
                    job=self._job(one["job_id"]) if one.get("job_id") else "",
                    status=str(one.get("status") or ""),
                    state="" if is_passing else _state(one.get("state")),
                    code=str(error.get("code") or error.get("type") or ""),
                )

    def _unique(self, results: Iterable[Result]) -> tuple[Result, ...]:
        return tuple(dict.fromkeys(results))

    def _states(self, jobs: Iterable[Record], moving: set[str]) -> Iterator[Result]:
        for job in jobs:
            guid = str(job.get("id") or "").upper()
            if guid in self.own_jobs:
                host = self._word(str(job.get("host") or ""))
                is_moving = guid in moving
                state = "" if is_moving else _state(job.get("state"))
                code = "" if is_moving else str(job.get("error") or "")
                yield Result(host, self._job(guid), "", state, code)

    def _sizes(self, jobs: Iterable[Record]) -> dict[str, str]:
        return {
            self._job(guid): f"{job.get('files_total')} files {job.get('bytes_total')} B"
            for job in jobs
            if (guid := str(job.get("id") or "").upper()) in self.own_jobs
            and str(job.get("state")) in {"TRANSFERRED", "ACKNOWLEDGED"}
        }


def _state(state: object) -> str:
    said = str(state or "")
    return "under way" if said in _UNDER_WAY else said


def _sets_going(entry: Record) -> bool:
    return next(iter(entry.get("words") or ()), "") in _SET_GOING


def _is_passing(entry: Record, outcome: Record, later: Iterable[Record]) -> bool:
    """Whether an outcome's state is only that of the moment in which it was answered."""
    if outcome.get("status") != "done":
        return False
    if _sets_going(entry) or str(outcome.get("planned") or "").startswith(_MADE):
        return True
    which = (outcome.get("host"), outcome.get("job_id"))
    return any((one.get("host"), one.get("job_id")) == which for one in later)


def _moving(entries: Iterable[Record]) -> set[str]:
    """The ids of jobs that a step set going and did not look at afterwards."""
    found: set[str] = set()
    for entry in entries:
        if _sets_going(entry):
            found |= {str(one.get("job_id")).upper() for one in entry.get("outcomes") or ()}
        elif entry.get("words"):
            found.clear()
    return found


def _is_once(text: str) -> bool:
    """Whether a word stands for a host or a job, which need be said only once."""
    return text.startswith(("host#", "job#"))


def _jobs_in_order(words: Iterable[str]) -> Iterator[str]:
    """Jobs that stand side by side by their number: hosts tell them in any order."""
    for is_job, group in groupby(words, key=lambda word: bool(_NUMBERED_JOB.fullmatch(word))):
        some = list(group)
        yield from sorted(some, key=lambda word: int(word[4:])) if is_job else some


def own_jobs(evidence: Record) -> dict[str, str]:
    """The names, by id, of jobs that changes of this run touched; other jobs are somebody's.

    An outcome of a failure may lack the name; of a job that no outcome names, it is the id.
    """
    found: dict[str, str] = {}
    for step in evidence["steps"]:
        for entry in step.get("commands") or ():
            for one in (entry.get("outcomes") or ()) if entry.get("effect") != "read" else ():
                if guid := str(one.get("job_id") or "").upper():
                    name = str(one.get("job_name") or "")
                    found[guid] = name or found.get(guid, "")
    return {guid: name or guid for guid, name in found.items()}


def hosts_of(evidence: Record) -> list[str]:
    """The hosts in the order in which commands name them; endpoints that answered behind them."""
    named = [
        str(host)
        for step in evidence["steps"]
        for entry in step.get("commands") or ()
        for host in entry.get("hosts") or ()
    ]
    where = [str(one["name"]) for one in (evidence.get("end") or {}).get("where") or ()]
    return list(dict.fromkeys([*named, *where]))


def endpoints_of(evidence: Record) -> dict[str, str]:
    """The endpoint of each host, by its name."""
    where = (evidence.get("end") or {}).get("where") or ()
    return {str(one["name"]): str(one["endpoint"]) for one in where}
