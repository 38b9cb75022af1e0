"""What benchmarks of CPU time share: somebody who does the work, the rounds, and their table."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass
class Contestant:
    """One way of doing the work, and the CPU milliseconds a call that its rounds took."""

    name: str
    call: Callable[[], object]
    cpu_ms: list[float] = field(default_factory=list)

    def round(self, calls: int) -> None:
        """Some calls, measured together, because one may be shorter than the clock is good."""
        began = time.process_time()
        for _ in range(calls):
            self.call()
        self.cpu_ms.append((time.process_time() - began) / calls * 1000)

    @property
    def median_ms(self) -> float:
        return statistics.median(self.cpu_ms)

    @property
    def noise(self) -> float:
        """Half the distance between the quartiles, as a part of the median."""
        low, _, high = statistics.quantiles(self.cpu_ms, n=4)
        return (high - low) / 2 / self.median_ms


def compete(contestants: Sequence[Contestant], rounds: int, *, calls: int = 1) -> None:
    """A round to warm up, then rounds that alternate: what disturbs the machine disturbs all."""
    for contestant in contestants:
        contestant.round(calls)
        contestant.cpu_ms.clear()
    for _ in range(rounds):
        for contestant in contestants:
            contestant.round(calls)


def print_heads() -> None:
    print(f"{'':<32}{'CPU ms':>8}{'ratio':>8}{'noise':>8}")


def print_rows(contestants: Sequence[Contestant]) -> None:
    """Medians, their ratio to the first one's, and the noise."""
    base = contestants[0].median_ms
    for one in contestants:
        print(f"{one.name:<32}{one.median_ms:>8.2f}{one.median_ms / base:>8.2f}{one.noise:>7.0%}")
