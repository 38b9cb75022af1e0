"""A listing of 1,000 known jobs as the lines of a table, against tabulate alone on its strings.

    python benchmarks/listing.py [--jobs 1000] [--hosts 20] [--rounds 30]

The peer gets the finished cells of the very table that we print, and does with them what any
program does that calls tabulate. Ours begins with the jobs: it puts them in order, makes the cells
harmless, chooses the columns that fit and clips them, and counts below. The rounds of both
alternate. Shown are medians of CPU milliseconds, the ratio, and the noise: half the distance
between the quartiles, as a part of the median.
"""

from __future__ import annotations

import argparse
import random
import re
import uuid
from datetime import UTC, datetime

from contestants import Contestant, compete, print_heads, print_rows
from tabulate import tabulate

from bitsshell.bits import Job, JobList, JobState
from bitsshell.render import listings
from bitsshell.results import Outcome, View

WIDTHS = (80, 120, 200)
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--jobs", type=int, default=1_000)
    options.add_argument("--hosts", type=int, default=20)
    options.add_argument("--rounds", type=int, default=30)
    chosen = options.parse_args()
    outcomes = known(chosen.jobs, chosen.hosts)
    print(f"{chosen.jobs:,} jobs of {chosen.hosts} hosts, {chosen.rounds} rounds")
    print_heads()
    for width in WIDTHS:
        compare(outcomes, width, chosen.rounds)


def known(jobs: int, hosts: int) -> list[Outcome]:
    """What hosts answered, as a session keeps it."""
    chance = random.Random(1)
    queues: dict[str, list[Job]] = {f"host{number:02}": [] for number in range(hosts)}
    names = list(queues)
    for number in range(jobs):
        host = names[number % hosts]
        total = chance.choice((None, 5_000, 3_000_000, 7_000_000_000))
        queues[host].append(
            Job(
                host=host,
                id=str(uuid.UUID(int=chance.getrandbits(128))).upper(),
                name=f"{chance.choice(('nightly', 'backup', 'windows-update'))}-{number:05}",
                state=JobState(number % 7),
                owner="NT AUTHORITY\\NETWORK SERVICE",
                bytes_total=total,
                bytes_transferred=(total or 0) // 3,
                files_total=2,
                created_filetime=134_000_000_000_000_000 + number * 10**10,
                modified_filetime=134_010_000_000_000_000 + number * 10**10,
            )
        )
    return [Outcome(host=name, value=JobList(tuple(queue))) for name, queue in queues.items()]


def compare(outcomes: list[Outcome], width: int, rounds: int) -> None:
    def ours() -> list[str]:
        return listings.listing_lines(View.JOBS, outcomes, width=width, now=NOW)

    # No cell is empty or holds two blanks in a row, and between two of them there are two at least.
    *table, _ = ours()
    rows = [re.split(" {2,}", line.strip()) for line in table]

    def alone() -> str:
        return tabulate(rows, tablefmt="plain", disable_numparse=True)

    contestants = [
        Contestant(f"tabulate alone, {width} columns", alone),
        Contestant(f"bitsshell, {width} columns", ours),
    ]
    compete(contestants, rounds)
    print_rows(contestants)


if __name__ == "__main__":
    main()
