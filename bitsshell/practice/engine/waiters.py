"""Those who wait until the jobs are as they want them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Waiters:
    """Conditions, looked at after every change."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    async def wait(self, condition: Callable[[], bool]) -> None:
        """Return once the condition holds. What it raises, this raises."""
        if condition():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (condition, future)
        self._waiting.append(entry)
        try:
            await future
        finally:
            self._waiting.remove(entry)

    def look(self) -> None:
        """Something changed: wake those whose condition holds now."""
        for condition, future in self._waiting:
            if not future.done():
                _look(condition, future)

    def close(self) -> None:
        """Nothing changes any more."""
        for _, future in self._waiting:
            future.cancel()


def _look(condition: Callable[[], bool], future: asyncio.Future[None]) -> None:
    """Wake who waits; what its condition raises is its own, not that of the call under way."""
    try:
        if condition():
            future.set_result(None)
    except Exception as error:  # noqa: BLE001 - handed to the one who waits
        future.set_exception(error)
