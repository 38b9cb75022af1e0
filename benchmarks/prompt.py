"""Time to the prompt: from starting the program until its prompt stands on a terminal.

    python benchmarks/prompt.py [--rounds 15]

Every contestant runs in a pseudo-terminal that answers where its cursor is, as terminals do.
`bare prompt_toolkit` is a prompt and nothing else in this Python; litecli, ptpython and IPython are
measured where they are installed. The rounds of all alternate. Shown are the medians, their ratio
to the bare prompt, and the noise: half the distance between the quartiles, as a part of the median.
The budget for bitsshell is a ratio of 1.3. What it runs on is loaded behind its first prompt; a
row of its own says when all of it is there, which is when the toolbar is.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

TIMEOUT_S = 60.0
WHERE_IS_THE_CURSOR = b"\x1b[6n"
BARE = "from prompt_toolkit import PromptSession; PromptSession().prompt('ready> ')"


@dataclass
class Contestant:
    """A program, the text of its prompt, and the milliseconds that its rounds took."""

    name: str
    arguments: list[str]
    prompt: bytes
    taken_ms: list[float] = field(default_factory=list)


def time_to_prompt_ms(contestant: Contestant, home: Path) -> float:
    """Start it, wait for its prompt, end it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "TERM": "xterm-256color",
    }
    seen = b""
    began = time.perf_counter()
    process = subprocess.Popen(
        contestant.arguments,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env=environment,
    )
    os.close(slave)
    try:
        while contestant.prompt not in seen:
            ready, _, _ = select.select([master], [], [], TIMEOUT_S)
            data = b""
            if ready:
                with suppress(OSError):
                    data = os.read(master, 65536)
            if not data:
                raise SystemExit(f"{contestant.name} shows no prompt; it wrote {seen!r}")
            if WHERE_IS_THE_CURSOR in data:
                os.write(master, b"\x1b[1;1R")
            seen += data
        return (time.perf_counter() - began) * 1000
    finally:
        process.kill()
        process.wait()
        os.close(master)


def contestants() -> list[Contestant]:
    """Those that are installed; a line on each of the others."""
    python = sys.executable
    found = [
        Contestant("bare prompt_toolkit", [python, "-c", BARE], b"ready>"),
        Contestant("bitsshell", [python, "-m", "bitsshell"], b"bits>"),
        Contestant("bitsshell, all there", [python, "-m", "bitsshell"], b"no host chosen"),
    ]
    for name, arguments, prompt in (
        ("litecli", ["litecli", ":memory:"], b":memory:>"),
        ("ptpython", ["ptpython"], b">>>"),
        ("ipython", ["ipython", "--no-banner", "--colors=NoColor"], b"In [1]"),
    ):
        beside = Path(python).with_name(name)
        program = str(beside) if beside.is_file() else shutil.which(name)
        if program is None:
            print(f"{name} is not installed, and left out")
        else:
            found.append(Contestant(name, [program, *arguments[1:]], prompt))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    everybody = contestants()
    with tempfile.TemporaryDirectory() as home:
        for contestant in everybody:  # a first run compiles, and makes files
            time_to_prompt_ms(contestant, Path(home))
        for _ in range(rounds):
            for contestant in everybody:
                contestant.taken_ms.append(time_to_prompt_ms(contestant, Path(home)))
    floor = statistics.median(everybody[0].taken_ms)
    print(f"{'':22} {'median ms':>10} {'ratio':>7} {'noise':>7}")
    for contestant in everybody:
        median = statistics.median(contestant.taken_ms)
        first, _, third = statistics.quantiles(contestant.taken_ms, n=4)
        noise = (third - first) / 2 / median
        print(f"{contestant.name:22} {median:10.0f} {median / floor:7.2f} {noise:7.1%}")


if __name__ == "__main__":
    main()
