"""Plain data that every upper layer shares: outcomes, plans, events, summaries.

A verb yields `Event`s as they come and the dispatcher closes them with a `Summary`. Nothing here
prints or decides how things look. Everything is frozen and survives pickling.
"""

from __future__ import annotations

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
    "Check",
    "CheckState",
    "Ending",
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
    "Shape",
    "Status",
    "Step",
    "Summary",
    "Text",
    "Value",
    "View",
    "WatchRow",
    "listing_order",
]
