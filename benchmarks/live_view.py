"""The live view with many jobs: time of a frame, of taking in a poll, and cost of an idle watch.

    python benchmarks/live_view.py [--jobs 10000] [--rounds 60] [--idle-s 10]

A frame is all that happens between a key and the bytes for the terminal: the key is taken, the
lines are drawn, prompt_toolkit lays them out and writes the difference. It is measured with the
cursor moving, so that the list scrolls. Beside it stands the same screen with 60 jobs: the ratio
says what the number of jobs costs. `taking in` is what a new poll costs the screen's thread,
filter and order included. Shown are medians of milliseconds of CPU and the noise, half the
distance between the quartiles as a part of the median.

The idle watch runs on a practice fleet in a process of its own, 50 suspended jobs on one host, a
poll every two seconds as by default: its CPU as a part of one core, threads and all.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prompt_toolkit.application.current import set_app
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from bitsshell.bits import CreateJob, FileSpec, Job, JobState, new_reference
from bitsshell.commands import Dispatcher
from bitsshell.fleet.credentials import PASSWORD_VARIABLE, Credentials
from bitsshell.fleet.targets import Auth, LogonOptions, Target
from bitsshell.results import Frame, WatchRow
from bitsshell.session import Session
from bitsshell.shell.live import LiveView

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS, LINES = 160, 50
BUDGET_FRAME_MS, BUDGET_IDLE = 20.0, 0.05


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--jobs", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=60)
    options.add_argument("--idle-s", type=float, default=10.0)
    chosen = options.parse_args()
    print(f"{COLUMNS} columns, {LINES} lines, {chosen.rounds} rounds\n")
    print(f"{'':<44}{'median ms':>10}{'noise':>8}")
    few = frames(60, chosen.rounds, "scrolling, 60 jobs")
    many = frames(chosen.jobs, chosen.rounds, f"scrolling, {chosen.jobs:,} jobs")
    taking(chosen.jobs, chosen.rounds)
    print(f"\na frame at {chosen.jobs:,} jobs: {many / few:.2f} x that at 60", end="")
    print(f", {many / BUDGET_FRAME_MS:.2f} x its budget of {BUDGET_FRAME_MS:.0f} ms")
    part = idle(chosen.idle_s)
    print(f"an idle watch of 50 jobs: {part:.1%} of a core, {part / BUDGET_IDLE:.2f} x its budget")


def rows(count: int, moved: int = 0) -> tuple[WatchRow, ...]:
    states = (JobState.TRANSFERRING, JobState.QUEUED, JobState.SUSPENDED, JobState.TRANSFERRED)
    return tuple(
        WatchRow(
            Job(
                host=f"web{number % 40:02}",
                id=f"{number:08X}-1111-2222-3333-444444444444",
                name=f"nightly {number:05}",
                state=states[number % 4],
                bytes_total=4_000_000,
                bytes_transferred=(number * 397 + moved * 10_007) % 4_000_000,
                files_total=3,
            ),
            rate_bytes_s=float(number % 1000) * 1000 if number % 4 == 0 else None,
        )
        for number in range(count)
    )


def frame(count: int, moved: int = 0) -> Frame:
    return Frame(rows(count, moved), datetime.now(UTC))


def frames(count: int, rounds: int, title: str) -> float:
    with create_pipe_input() as pipe:
        screen = io.StringIO()
        output = Vt100_Output(screen, lambda: Size(LINES, COLUMNS), term="xterm-256color")
        view = LiveView(Session(), input=pipe, output=output)
        view.model.take(frame(count))
        app = view.application
        keys = ["down", "pagedown", "down", "down", "up", "end", "home"]

        def one(number: int) -> None:
            view.press(keys[number % len(keys)])
            app.renderer.render(app, app.layout)

        with set_app(app):
            return measured(title, one, rounds)


def taking(count: int, rounds: int) -> None:
    view = LiveView(Session())
    polls = [frame(count, number) for number in range(3)]
    measured(f"taking in {count:,} jobs", lambda n: view.model.take(polls[n % 3]), rounds)
    view.model.set_filter("web 1")
    view.model.sort_by_next()
    title = f"taking in {count:,} jobs, filtered and by name"
    measured(title, lambda n: view.model.take(polls[n % 3]), rounds)


def measured(title: str, work: Callable[[int], None], rounds: int) -> float:
    spent: list[float] = []
    for number in range(rounds + 5):
        began = time.process_time()
        work(number)
        spent.append((time.process_time() - began) * 1000)
    low, median, high = statistics.quantiles(spent[5:], n=4)
    print(f"{title:<44}{median:>10.2f}{(high - low) / 2 / median:>8.0%}")
    return median


def idle(seconds: float) -> float:
    command = [sys.executable, "-m", "bitsshell.practice", "--hosts", "1", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as fleet:
        try:
            assert fleet.stdout is not None
            found = json.loads(fleet.stdout.readline())
            return idle_watch(found["hosts"][0], found["files"], seconds)
        finally:
            fleet.terminate()


def idle_watch(host: dict[str, str], files_url: str, seconds: float) -> float:
    session = Session(credentials=Credentials(environment={PASSWORD_VARIABLE: host["password"]}))
    logon = LogonOptions(user=host["username"], auth=Auth.BASIC)
    session.targets = (
        session.remember(Target(name=host["name"], url=host["endpoint"], logon=logon)),
    )
    for number in range(50):
        made = CreateJob(
            name=f"job {number}",
            files=(FileSpec(f"{files_url}hello.txt", rf"C:\in\{number}.txt"),),
            reference=new_reference(),
            suspended=True,
        )
        assert all(outcome.status.is_well for outcome in session.ask(session.targets, made))
    dispatcher = Dispatcher(session)
    with create_pipe_input() as pipe:
        output = Vt100_Output(io.StringIO(), lambda: Size(LINES, COLUMNS), term="xterm-256color")
        view = LiveView(session, input=pipe, output=output)
        invocation = dispatcher.parse(["watch", "--timeout", f"{seconds:g}"])
        began, at = time.process_time(), time.monotonic()
        for _ in view.watch(invocation):
            pass
        part = (time.process_time() - began) / (time.monotonic() - at)
    session.close()
    return part


if __name__ == "__main__":
    main()
