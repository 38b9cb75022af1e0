"""The options that say what `manage` and `transfer` do about a job in trouble."""

from __future__ import annotations

import click

from bitsshell.commands.declare import option_group
from bitsshell.commands.judges import OnError, OnTransient
from bitsshell.commands.types import Duration, Member
from bitsshell.durations import MIN_INTERVAL_S

INTERVAL = Duration(minimum_s=MIN_INTERVAL_S)

policy_options = option_group(
    click.option(
        "--on-error",
        type=Member(OnError, "choice"),
        default="keep",
        help="at ERROR: keep (default), cancel, resume",
    ),
    click.option(
        "--on-transient",
        type=Member(OnTransient, "choice"),
        default="wait",
        help="at TRANSIENT_ERROR: wait (default), cancel, resume",
    ),
    click.option("--interval", type=INTERVAL, default=5.0, help="between polls (5s)"),
)
"""`--on-error`, `--on-transient` and `--interval`."""
