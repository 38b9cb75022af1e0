"""What the journal costs: a look and a change, against the same commands with the journal off.

    python benchmarks/journal.py [--rounds 30]

All sessions act on the same practice host, which runs in a process of its own: one without a
journal, one with the usual file, one whose file takes no WAL (as on a network home). Their rounds
alternate, so that what disturbs the machine disturbs all of them. A look is `jobs`, a change
`set JOB --priority`; shown are the medians of wall clock and CPU milliseconds a command, and their
ratio to those without a journal. An intent waits for the disk, so that the wall clock of a change
tells of the disk more than of us.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bitsshell.fleet.credentials import PASSWORD_VARIABLE, Credentials
from bitsshell.fleet.targets import Auth, LogonOptions, Target
from bitsshell.journal import open_journal
from bitsshell.session import Session
from bitsshell.terminal import Asking, Terminal

COMMANDS_PER_ROUND = 5
JOBS = 20


@dataclass
class Contestant:
    """One session, and what its commands took."""

    name: str
    terminal: Terminal
    wall_ms: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)

    def round(self, kind: str, line: str) -> None:
        """Some commands, measured together."""
        wall, cpu = time.perf_counter(), time.process_time()
        for number in range(COMMANDS_PER_ROUND):
            self.terminal.out = self.terminal.err = io.StringIO()
            ended = self.terminal.run_line(line.format("high" if number % 2 else "low"))
            assert ended.error is None, ended.error
        per_command = 1000 / COMMANDS_PER_ROUND
        self.wall_ms.setdefault(kind, []).append((time.perf_counter() - wall) * per_command)
        self.cpu_ms.setdefault(kind, []).append((time.process_time() - cpu) * per_command)


def contestant(name: str, said: str, host: dict[str, str]) -> Contestant:
    """A session on the host with this journal."""
    session = Session(
        credentials=Credentials(environment={PASSWORD_VARIABLE: host["password"]}),
        journal=open_journal(None, {"BITSSHELL_JOURNAL": said}),
    )
    logon = LogonOptions(user=host["username"], auth=Auth.BASIC)
    session.targets = (session.remember(Target(name="bench", url=host["endpoint"], logon=logon)),)
    return Contestant(name, Terminal(session, Asking(None), out=io.StringIO(), err=io.StringIO()))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    rounds: int = parser.parse_args().rounds
    practice = subprocess.Popen(
        [sys.executable, "-m", "bitsshell", "practice", "--json"],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "BITSSHELL_JOURNAL": "off"},
    )
    with tempfile.TemporaryDirectory() as folder:
        try:
            assert practice.stdout is not None
            said = json.loads(practice.stdout.readline())
            host = {**said, **said["hosts"][0]}
            compare(host, Path(folder), rounds)
        finally:
            practice.terminate()
            practice.wait()


def compare(host: dict[str, str], folder: Path, rounds: int) -> None:
    """All contestants in turn, and what came of it."""
    contestants = [
        contestant("off", "off", host),
        contestant("WAL", str(folder / "wal.sqlite"), host),
    ]
    if sys.platform != "win32":
        uri = f"file:{folder}/dot.sqlite?vfs=unix-dotfile"
        contestants.append(contestant("no WAL", uri, host))
    maker = contestants[0].terminal
    for number in range(JOBS):
        maker.run_line(rf"create http://127.0.0.1:9/x C:\in\{number} --name n{number} --suspended")
    for turn in range(rounds + 1):
        for kind, line in (("look", "jobs"), ("change", "set n1 --priority {}")):
            first = turn % len(contestants)  # who comes behind whom must not count
            for one in contestants[first:] + contestants[:first]:
                one.round(kind, line)
        if turn == 0:  # connections and files are made in the first one
            for one in contestants:
                one.wall_ms.clear()
                one.cpu_ms.clear()
    print(f"{'':8}{'journal':>9}{'wall ms':>10}{'ratio':>8}{'CPU ms':>10}{'ratio':>8}")
    for kind in ("look", "change"):
        floor = contestants[0]
        for one in contestants:
            wall, cpu = (statistics.median(took[kind]) for took in (one.wall_ms, one.cpu_ms))
            wall_floor = statistics.median(floor.wall_ms[kind])
            cpu_floor = statistics.median(floor.cpu_ms[kind])
            print(
                f"{kind:8}{one.name:>9}{wall:>10.2f}{wall / wall_floor:>8.2f}"
                f"{cpu:>10.2f}{cpu / cpu_floor:>8.2f}"
            )


if __name__ == "__main__":
    main()
