"""Rows, frames and models for the tests of the live view."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bitsshell.bits import ErrorContext, Job, JobError, JobState
from bitsshell.results import Frame, WatchRow
from bitsshell.shell.live.drawing import draw
from bitsshell.shell.live.keys import press
from bitsshell.shell.live.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bitsshell.shell.live.keys import Wish

NOW = datetime(2026, 11, 22, 12, 30, 4, tzinfo=UTC)


def row(number: int, *, rate: float | None = None, error: bool = False, **changes: Any) -> WatchRow:
    values: dict[str, Any] = {
        "host": "web01",
        "id": f"{number:08X}-1111-2222-3333-444444444444",
        "name": f"job {number:05}",
        "state": JobState.ERROR if error else JobState.TRANSFERRING,
        "bytes_total": 1000,
        "bytes_transferred": number % 1000,
        "files_total": 1,
    }
    job = Job(**{**values, **changes})
    failed = JobError(
        host=job.host, job_id=job.id, code=0x80190194, context=ErrorContext.REMOTE_FILE
    )
    return WatchRow(job, rate_bytes_s=rate, error=failed if error else None)


def frame(rows: Iterable[WatchRow], **changes: Any) -> Frame:
    return Frame(tuple(rows), NOW, **changes)


def model_of(*rows: WatchRow) -> Model:
    model = Model()
    model.take(frame(rows))
    return model


def jobs(count: int, **changes: Any) -> list[WatchRow]:
    return [row(number, **changes) for number in range(1, count + 1)]


def keys(model: Model, *pressed: str) -> list[Wish]:
    """Press keys; what they gave that the model alone cannot do."""
    wishes = [press(model, key) for key in pressed]
    return [wish for wish in wishes if wish is not None]


def names(model: Model) -> list[str]:
    return [shown.job.name for shown in model.shown]


def screen(model: Model, width: int = 120, height: int = 24) -> list[str]:
    """The lines as text."""
    lines = draw(model, width, height)
    return ["".join(text for _, text in line) for line in lines]
