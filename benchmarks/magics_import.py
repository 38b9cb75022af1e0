"""What `%load_ext bitsshell` imports, against what IPython's own magics need.

    python benchmarks/magics_import.py [--rounds 15]

Four programs start a new Python each, in turn: `from IPython.core.magic import Magics`, the
import of the extension alone, a bare IPython shell, and one that loads the extension. Shown are the
medians of the CPU time, the ratio to the first, and the noise: half the distance between the
quartiles, as a part of the median. The budget for the import is a ratio of 1.3.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

BUDGET = 1.3
_TIMED = """
import time
began = time.process_time()
{code}
print((time.process_time() - began) * 1000)
"""
_SHELL = "from IPython.core.interactiveshell import InteractiveShell\nInteractiveShell.instance()"
_LOAD = f"{_SHELL}.run_line_magic('load_ext', 'bitsshell')"


@dataclass
class Contestant:
    """A piece of Python, and the milliseconds that its rounds took."""

    name: str
    code: str
    taken_ms: list[float] = field(default_factory=list)


def contestants() -> list[Contestant]:
    """What is compared; the first is what the others are measured by."""
    return [
        Contestant("IPython.core.magic.Magics", "from IPython.core.magic import Magics"),
        Contestant("the extension", "import magics.extension"),
        Contestant("a bare shell", _SHELL),
        Contestant("a shell with %load_ext bitsshell", _LOAD),
    ]


def cpu_ms(code: str, environment: dict[str, str]) -> float:
    """CPU milliseconds that a new Python needs for it."""
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(code=code)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Run all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    compared = contestants()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "IPYTHONDIR": folder, "XDG_STATE_HOME": folder}
        for contestant in compared:
            cpu_ms(contestant.code, environment)  # writes what Python compiles once
        for _ in range(rounds):
            for contestant in compared:
                contestant.taken_ms.append(cpu_ms(contestant.code, environment))
    base = statistics.median(compared[0].taken_ms)
    for contestant in compared:
        low, middle, high = statistics.quantiles(contestant.taken_ms, n=4)
        noise = (high - low) / 2 / middle
        print(f"{contestant.name:<34}{middle:8.1f} ms  x {middle / base:5.2f}  ±{noise:.0%}")
    ratio = statistics.median(compared[1].taken_ms) / base
    print(f"the import of the extension: {ratio:.2f} of a budget of {BUDGET}")


if __name__ == "__main__":
    main()
