"""Plain data that every upper layer shares: outcomes, plans, events, summaries.

A verb yields `Event`s as they come and the dispatcher closes them with a `Summary`. Nothing here
prints or decides how things look. Everything is frozen and survives pickling.
"""

from __future__ import annotations

from bitsshell.results.entries import Ended, Entry, EntryKind, StartedJob
from bitsshell.results.events import (
    USUAL,
    Begin,
    Ending,
    Event,
    Notice,
    Shape,
    Summary,
    Text,
)
from bitsshell.results.plans import Pair, Plan, PlanForm, Planned, Step
from bitsshell.results.report import Report, listing_order
from bitsshell.results.runs import (
    Changed,
    Conclusion,
    ConditionResult,
    Difference,
    Running,
    StepRun,
    StepStatus,
    Verdict,
)
from bitsshell.results.values import (
    Check,
    CheckState,
    HostStatus,
    Item,
    Outcome,
    Output,
    Status,
    Value,
    View,
)
from bitsshell.results.watching import Frame, JobChange, WatchRow

__all__ = [
    "USUAL",
    "Begin",
    "Changed",
    "Check",
    "CheckState",
    "Conclusion",
    "ConditionResult",
    "Difference",
    "Ended",
    "Ending",
    "Entry",
    "EntryKind",
    "Event",
    "Frame",
    "HostStatus",
    "Item",
    "JobChange",
    "Notice",
    "Outcome",
    "Output",
    "Pair",
    "Plan",
    "PlanForm",
    "Planned",
    "Report",
    "Running",
    "Shape",
    "StartedJob",
    "Status",
    "Step",
    "StepRun",
    "StepStatus",
    "Summary",
    "Text",
    "Value",
    "Verdict",
    "View",
    "WatchRow",
    "listing_order",
]
