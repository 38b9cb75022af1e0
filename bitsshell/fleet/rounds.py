"""Reading many hosts again and again, without waiting for the slowest of them each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.fleet.fanout import Pending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bitsshell.fleet.clock import Clock
    from bitsshell.fleet.fanout import Steps
    from bitsshell.fleet.targets import Target
    from bitsshell.results import Outcome

PATIENCE_S = 2.0
"""A round waits so long for the hosts that it asked, or one interval if that is longer."""


class Rounds:
    """Reads hosts round by round. A host that takes long joins a later round.

    It is not asked anew before it has answered or its call has failed.

    Args:
        clock: the time.
        patience_s: how long a round waits for the hosts that it asked.
    """

    def __init__(self, clock: Clock, patience_s: float) -> None:
        self._clock = clock
        self._patience_s = patience_s
        self._open: dict[Steps, frozenset[str]] = {}

    @property
    def late(self) -> frozenset[str]:
        """Labels of the hosts that still have to answer."""
        return frozenset().union(*self._open.values())

    def round(
        self, targets: Sequence[Target], read: Callable[[Sequence[Target]], Steps]
    ) -> Iterator[Outcome]:
        """Ask those that are not late; what came of all until the patience is over.

        Args:
            targets: the hosts.
            read: reads some of them, as `Session.look_patiently` does.

        Raises:
            KeyboardInterrupt, TimeLimit: as a fan-out does, after the outcomes of what it cut off.
        """
        late, earlier = self.late, list(self._open)
        fresh = [target for target in targets if target.name not in late]
        if fresh:
            yield from self._drain(read(fresh), self._clock.monotonic() + self._patience_s)
        for steps in earlier:
            yield from self._drain(steps, self._clock.monotonic())

    def _drain(self, steps: Steps, until_s: float) -> Iterator[Outcome]:
        self._open.setdefault(steps, frozenset())
        for step in steps:
            if not isinstance(step, Pending):
                yield step
                continue
            self._open[steps] = step.hosts
            if self._clock.monotonic() >= until_s:
                return
        del self._open[steps]

    def close(self) -> None:
        """Break off what is still under way."""
        while self._open:
            steps, _ = self._open.popitem()
            steps.close()
