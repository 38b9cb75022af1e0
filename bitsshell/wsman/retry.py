"""When a call is sent again, and how long to wait before that."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Bounded repetition with growing, jittered pauses. Immutable; one serves any number of calls.

    attempts        how often a call is sent at most, the first time included
    first_delay_s   the first pause; each following one doubles, up to `max_delay_s`
    jitter          the part of a pause that is left to chance (0 none, 1 all of it), so that many
                    workers do not come back at the same moment
    budget_s        no pause is begun that would end later than this after the call began
    sleep           how to pause; None pauses in a way that `WSManClient.abort` ends at once
    """

    attempts: int = 4
    first_delay_s: float = 0.5
    max_delay_s: float = 8.0
    jitter: float = 0.5
    budget_s: float = 90.0
    sleep: Callable[[float], None] | None = None
    random: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic

    def delay_s(self, attempt: int, began: float) -> float | None:
        """The pause after attempt number `attempt` (from 1) failed; None when it was the last."""
        if attempt >= self.attempts:
            return None
        delay = min(self.first_delay_s * 2 ** (attempt - 1), self.max_delay_s)
        delay -= delay * self.jitter * self.random()
        return delay if self.clock() - began + delay <= self.budget_s else None


NEVER = Retry(attempts=1)
"""Send once, whatever the answer."""
