"""Completion at 1,000 hosts and 50,000 cached jobs: milliseconds from a key to its candidates.

    python benchmarks/completion.py [--hosts 1000] [--jobs 50000] [--rounds 40]

Every line is completed as often as there are rounds, the lines in turn; before each round one host
is read again, as a background refresh does, so that what that costs is in the numbers. Shown are
median, 95th percentile and maximum for each line, and of all together. The budget is a 95th
percentile under 10 ms.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import uuid
from datetime import UTC, datetime
from types import MappingProxyType

from bitsshell.bits import Job, JobFile, JobState
from bitsshell.commands.completion import complete
from bitsshell.fleet.snapshot import Snapshot
from bitsshell.session import Session

LINES = (
    "",
    "resu",
    "rsm",
    "jobs --st",
    "jobs --fngr",
    "jobs --state er",
    "jobs -H ",
    "jobs -H host0",
    "jobs -H hst99",
    "show ",
    "show n",
    "show nightly-012",
    "show ngt12",
    "show zzzzzz",
    "show nnnnnnnn",
    "show 9d5",
    "show {9d5",
    "show %49",
    "explain 0x80",
    "create http://files/",
    "create http://files/a D:\\in",
)


def session_of(hosts: int, jobs: int) -> Session:
    """A session that knows so many hosts, and jobs spread over them."""
    chance = random.Random(1)
    session = Session(user="bench")
    names = [f"host{number:04}" for number in range(hosts)]
    session.targets = tuple(session.target(name) for name in names)
    kinds = ("nightly", "backup", "sql dump", "windows-update", "image")
    queues: dict[str, list[Job]] = {name: [] for name in names}
    for number in range(jobs):
        name = names[number % hosts]
        file = JobFile(f"http://files/{number % 400}/a.iso", f"D:\\in\\{number % 300}\\a.iso")
        queues[name].append(
            Job(
                host=name,
                id=str(uuid.UUID(int=chance.getrandbits(128))).upper(),
                name=f"{kinds[number % len(kinds)]}-{number:05}",
                state=JobState(number % 7),
                bytes_total=1000,
                bytes_transferred=number % 1000,
                created_filetime=133_500_000_000_000_000 + number,
                files=(file,),
            )
        )
    now = datetime.now(UTC)
    session.snapshot = Snapshot(
        MappingProxyType({name: tuple(queue) for name, queue in queues.items()}),
        MappingProxyType(dict.fromkeys(names, now)),
    )
    session.listing = tuple((job.host, job.id) for queue in queues.values() for job in queue)
    for queue in queues.values():
        session.places.learn(queue)
    return session


def p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=40)
    wanted = parser.parse_args()
    session = session_of(wanted.hosts, wanted.jobs)
    began = time.perf_counter()
    session.snapshot.prepare()
    print(f"first index: {(time.perf_counter() - began) * 1000:.0f} ms, once, in the background")
    for line in LINES:
        complete(line, len(line), session)
    taken: dict[str, list[float]] = {line: [] for line in LINES}
    learning: list[float] = []
    names = list(session.known)
    for number in range(wanted.rounds):
        name = names[number % len(names)]
        queue = session.snapshot.jobs[name]
        began = time.perf_counter()
        session.snapshot = session.snapshot.with_host(name, queue[1:], at=datetime.now(UTC))
        learning.append((time.perf_counter() - began) * 1000)
        for line in LINES:
            began = time.perf_counter()
            complete(line, len(line), session)
            taken[line].append((time.perf_counter() - began) * 1000)
    print(f"{'line':28} {'median':>8} {'p95':>8} {'max':>8}  ms")
    everything = [value for values in taken.values() for value in values]
    for name, values in (*taken.items(), ("all", everything), ("one host read again", learning)):
        row = (statistics.median(values), p95(values), max(values))
        print(f"{name or '(nothing typed)':28} " + " ".join(f"{value:8.2f}" for value in row))


if __name__ == "__main__":
    main()
