"""Answers as Python objects, and `connect`, which gives them.

Lives here: what a command gives as an immutable value that a notebook can show, what it raises, and
the Python API. The magics give the same objects. May not live here: anything of IPython, verbs, the
looks of text and HTML (`render`). pandas and matplotlib are imported where they are asked for.
"""

from __future__ import annotations

from bitsshell.api.answers import Answer
from bitsshell.api.connection import Connection, connect
from bitsshell.api.errors import (
    AllFailed,
    BitsUsageError,
    CheckFailed,
    CommandError,
    CommandFailed,
    Declined,
    Interrupted,
    LookupFailed,
    NeedsApproval,
    NeedsConfirmation,
    NeedsPerson,
    PartialFailure,
    TimeLimitReached,
)
from bitsshell.api.job import Job
from bitsshell.api.plotting import Plot
from bitsshell.api.sets import (
    Checks,
    Diagnosis,
    File,
    FileSet,
    HostSet,
    JobSet,
    Outcomes,
    UrlGroups,
    WatchResult,
)
from bitsshell.api.tabular import NotInstalled
from bitsshell.api.timeline import Sample, Samples
from bitsshell.results import Outcome

__all__ = [
    "AllFailed",
    "Answer",
    "BitsUsageError",
    "CheckFailed",
    "Checks",
    "CommandError",
    "CommandFailed",
    "Connection",
    "Declined",
    "Diagnosis",
    "File",
    "FileSet",
    "HostSet",
    "Interrupted",
    "Job",
    "JobSet",
    "LookupFailed",
    "NeedsApproval",
    "NeedsConfirmation",
    "NeedsPerson",
    "NotInstalled",
    "Outcome",
    "Outcomes",
    "PartialFailure",
    "Plot",
    "Sample",
    "Samples",
    "TimeLimitReached",
    "UrlGroups",
    "WatchResult",
    "connect",
]
