"""What is said of background watches: the list of them, and what several saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bitsshell.api.errors import LookupFailed
from bitsshell.api.sets import WatchResult
from bitsshell.render.text import counted
from bitsshell.render.units import timestamp

if TYPE_CHECKING:
    from bitsshell.api.background import BackgroundWatch


@dataclass(frozen=True, slots=True)
class Task:
    """One background watch as it stood at a moment."""

    name: str
    state: str
    jobs: int
    began: str
    as_of: str

    @classmethod
    def of(cls, watch: BackgroundWatch) -> Task:
        """The watch as it stands now."""
        frame = watch.frame
        state = "running"
        if watch.is_over:
            state = "stopped" if watch.is_stopped else "failed" if watch.problem else "final"
        return cls(
            name=watch.name,
            state=state,
            jobs=0 if frame is None else len(frame.rows),
            began=timestamp(watch.began_at),
            as_of="" if frame is None else timestamp(frame.as_of),
        )

    def __str__(self) -> str:
        """One line."""
        as_of = f", as of {self.as_of}" if self.as_of else ""
        return f"{self.name}: {self.state}, {counted(self.jobs, 'job')}, began {self.began}{as_of}"


@dataclass(frozen=True, slots=True, repr=False)
class TaskList(Sequence[Task]):
    """The background watches of a session."""

    tasks: tuple[Task, ...]

    def __getitem__(self, index: Any) -> Any:
        """One by position, or by name.

        Raises:
            LookupFailed: a `KeyError` that names those that there are: none is called so.
        """
        if not isinstance(index, str):
            return self.tasks[index]
        found = next((task for task in self.tasks if task.name == index), None)
        if found is None:
            names = ", ".join(task.name for task in self.tasks)
            hint = f"there are: {names}" if names else "%bits_watch JOB --bg NAME starts one"
            raise LookupFailed(f"there is no watch {index!r} here", hint=hint)
        return found

    def __len__(self) -> int:
        """How many."""
        return len(self.tasks)

    def __repr__(self) -> str:
        """One line: how many."""
        return f"<TaskList: {counted(len(self), 'background watch', 'background watches')}>"

    def __str__(self) -> str:
        """One line each."""
        return "\n".join(map(str, self.tasks)) or "no watch was started in the background"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        del cycle
        printer.text(str(self))


class Joined(tuple[WatchResult, ...]):
    """What several background watches saw, in the order in which they were named, or begun."""

    __slots__ = ()
