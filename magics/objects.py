"""What a magic returns: an immutable value that a notebook shows as text, HTML and JSON."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from bitsshell.render import REPORT_MIME_TYPE, report_html, report_json, report_text
from bitsshell.render.listings import jobs_footer
from bitsshell.render.messages import counts
from bitsshell.render.text import counted
from bitsshell.results import Item, Report, View

if TYPE_CHECKING:
    from bitsshell.bits import Job
    from bitsshell.errors import BitsShellError

TEXT_WIDTH = 80
"""Columns of the plain text that a notebook keeps."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Result(Sequence[Item]):
    """What a verb gave: a sequence over jobs (or hosts, or explanations), with everything beside.

    It shows itself as a table and never changes. Hosts that failed are in `errors`; they never hide
    those that answered. `report` has the outcomes, the plan of a `--what-if`, the changes that a
    watch saw, and the summary.
    """

    report: Report

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All jobs in it."""
        return self.report.jobs

    @property
    def errors(self) -> tuple[BitsShellError, ...]:
        """What failed, with its host and job."""
        return self.report.errors

    @property
    def ok(self) -> bool:
        """Whether everything went well."""
        return self.report.ok

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Item, ...]: ...
    def __getitem__(self, index: int | slice) -> Item | tuple[Item, ...]:
        """An item by position."""
        return self.report[index]

    def __len__(self) -> int:
        """How many items."""
        return len(self.report)

    def __repr__(self) -> str:
        """One line: the verb and counts."""
        return f"<{self.report.verb}: {_counts(self.report)}>"

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, Any]:
        makers: dict[str, Callable[[], Any]] = {
            "text/plain": lambda: report_text(self.report, text_width()) or repr(self),
            "text/html": lambda: report_html(self.report),
            REPORT_MIME_TYPE: lambda: report_json(self.report),
        }
        return {
            mime_type: make()
            for mime_type, make in makers.items()
            if (not include or mime_type in include) and mime_type not in (exclude or ())
        }


def text_width() -> int:
    """Columns to write in: the terminal's, and elsewhere what a saved notebook should have."""
    if sys.stdout is not None and sys.stdout.isatty():
        return shutil.get_terminal_size((TEXT_WIDTH, 24)).columns
    return TEXT_WIDTH


def _counts(report: Report) -> str:
    if report.plan is not None:
        return f"{counted(len(report.plan.steps), 'step')} planned, nothing sent"
    match report.view:
        case View.JOBS:
            return jobs_footer(report.outcomes)
        case View.HOSTS:
            return counted(len(report.items), "host")
        case View.JOB | View.FILES:
            return counted(len(report.jobs), "job")
        case View.EXPLAIN:
            return counted(len(report.items), "explanation")
        case View.CHECKS:
            return counted(len(report.items), "check")
        case _:
            return counts(report.summary)
