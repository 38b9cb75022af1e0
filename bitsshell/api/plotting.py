"""Bytes, rate and states over time as a picture, by matplotlib where it is installed."""

from __future__ import annotations

import base64
import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bitsshell.api.tabular import NotInstalled
from bitsshell.api.texts import bundle
from bitsshell.errors import UsageError, shown
from bitsshell.render.text import clip, counted, neutral

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from bitsshell.api.timeline import Sample, Samples

PANELS = ("bytes", "rate", "states")
BY = ("job", "host")

_MOST_LINES = 10
"""More lines than this cannot be told apart: jobs are drawn by host then, and the rest counted."""
_MIB = 1024 * 1024
_TITLES = {"bytes": "MiB transferred", "rate": "MiB/s", "states": "state"}


@dataclass(frozen=True, slots=True, repr=False)
class Plot:
    """A picture of a watch: it shows as PNG, as HTML with the same in a data URI, and as text."""

    png: bytes
    description: str

    @property
    def data_uri(self) -> str:
        """The picture for an `<img src>`."""
        return f"data:image/png;base64,{self._encoded}"

    @property
    def _encoded(self) -> str:
        return base64.b64encode(self.png).decode("ascii")

    def __repr__(self) -> str:
        """One line."""
        return f"<Plot: {self.description}>"

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, Any]:
        makers: dict[str, Callable[[], str]] = {
            "text/plain": lambda: repr(self),
            "text/html": lambda: f'<img src="{self.data_uri}" alt="{self.description}">',
            "image/png": lambda: self._encoded,
        }
        return bundle(makers, include, exclude)


def plot(samples: Samples, what: Sequence[str] = (), *, by: str | None = None) -> Plot:
    """Draw samples: panels one above the other, one line a job, or host where there are many.

    Raises:
        NotInstalled: matplotlib is not there.
        UsageError: there is nothing to draw, or something is asked for that is not drawn.
    """
    panels = tuple(dict.fromkeys(what)) or PANELS
    unknown = next((panel for panel in panels if panel not in PANELS), None)
    if unknown is not None:
        raise UsageError(f"{shown(unknown)} cannot be drawn", hint=f"one of {', '.join(PANELS)}")
    if by not in (None, *BY):
        raise UsageError(f"{shown(str(by))} is no line", hint=f"one line a {' or '.join(BY)}")
    if not samples:
        raise UsageError("there is nothing to draw yet", hint="watch jobs first: watch JOB")
    jobs = {(sample.host, sample.job_id) for sample in samples}
    grouping = by or ("job" if len(jobs) <= _MOST_LINES else "host")
    lines = _lines(samples, grouping)
    return Plot(_draw(lines, panels), _described(lines, panels, grouping))


@dataclass(frozen=True, slots=True)
class _Line:
    """One line: at each moment bytes, rate and the states of what it stands for."""

    label: str
    points: tuple[tuple[datetime, int, float | None, str], ...]


def _lines(samples: Samples, by: str) -> list[_Line]:
    has_hosts = len({sample.host for sample in samples}) > 1
    groups: dict[tuple[str, ...], dict[datetime, list[Sample]]] = {}
    labels: dict[tuple[str, ...], str] = {}
    for sample in samples:
        key = (sample.host,) if by == "host" else (sample.host, sample.job_id)
        groups.setdefault(key, {}).setdefault(sample.at, []).append(sample)
        name = f"{sample.name} on {sample.host}" if has_hosts else sample.name
        labels.setdefault(key, sample.host if by == "host" else name)
    return [
        _Line(labels[key], tuple(_point(at, polled) for at, polled in moments.items()))
        for key, moments in groups.items()
    ]


def _point(at: datetime, polled: Sequence[Sample]) -> tuple[datetime, int, float | None, str]:
    rates = [sample.rate_bytes_s for sample in polled if sample.rate_bytes_s is not None]
    # Of several jobs the one that is furthest from its end says the state.
    states = sorted((sample.state for sample in polled), key=_rank)
    done = sum(sample.bytes_transferred for sample in polled)
    return at, done, sum(rates) if rates else None, states[0]


_ORDER = [
    "ERROR", "TRANSIENT_ERROR", "SUSPENDED", "QUEUED", "CONNECTING", "TRANSFERRING",
    "TRANSFERRED", "ACKNOWLEDGED", "CANCELLED",
]  # fmt: skip


def _rank(state: str) -> int:
    return _ORDER.index(state) if state in _ORDER else len(_ORDER)


def _described(lines: Sequence[_Line], panels: Sequence[str], by: str) -> str:
    return f"{', '.join(panels)} of {counted(len(lines), by)} over time"


def _draw(lines: Sequence[_Line], panels: Sequence[str]) -> bytes:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NotInstalled("matplotlib", "a plot", "samples.records() has the numbers") from error
    # Neither pyplot nor its settings: what a person draws beside stays as it is.
    figure: Any = Figure(figsize=(8, 2.4 * len(panels)), layout="constrained")
    FigureCanvasAgg(figure)
    every = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(every, panels, strict=True):
        for line in lines[:_MOST_LINES]:
            _draw_line(axes, panel, line)
        axes.set_ylabel(_TITLES[panel])
        axes.grid(visible=True, alpha=0.3)
        if panel == "states":
            axes.set_yticks(range(len(_ORDER)), _ORDER, fontsize="x-small")
            axes.set_ylim(-0.5, len(_ORDER) - 0.5)
        else:
            axes.set_ylim(bottom=0)
    _label(every, lines)
    written = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of characters that its font lacks
        figure.savefig(written, format="png", dpi=90, metadata={"Software": None})
    return written.getvalue()


def _draw_line(axes: Any, panel: str, line: _Line) -> None:
    times = [at for at, *_ in line.points]
    # A dollar sign would begin a formula, and a leading underscore hides a line from the legend.
    label = clip(neutral(line.label), 40).replace("$", r"\$")
    label = f" {label}" if label.startswith("_") else label
    style: dict[str, Any] = {"label": label, "linewidth": 1.5, "marker": ".", "markersize": 3}
    match panel:
        case "bytes":
            axes.plot(times, [done / _MIB for _, done, _, _ in line.points], **style)
        case "rate":
            rates = [float("nan") if r is None else r / _MIB for _, _, r, _ in line.points]
            axes.plot(times, rates, **style)
        case _:
            ranks = [_rank(state) for *_, state in line.points]
            axes.plot(times, ranks, drawstyle="steps-post", **style)


def _label(every: Any, lines: Sequence[_Line]) -> None:
    from matplotlib import dates as untyped

    dates: Any = untyped
    more = len(lines) - _MOST_LINES
    title = f"and {more:,} more, not drawn" if more > 0 else None
    every[0].legend(loc="upper left", fontsize="x-small", title=title)
    locator = dates.AutoDateLocator()
    every[-1].xaxis.set_major_locator(locator)
    every[-1].xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    every[-1].set_xlabel("UTC")
