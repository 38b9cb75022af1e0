"""Arguments that several verbs take."""

from __future__ import annotations

import click

from bitsshell.commands.types import Job, complete_pairs

jobs_argument = click.argument("jobs", nargs=-1, required=True, type=Job(), metavar="JOB...")
some_jobs_argument = click.argument("jobs", nargs=-1, type=Job(), metavar="[JOB]...")
"""The same for verbs that do without: they mean all jobs, or those that an option chooses."""
pairs_argument = click.argument(
    "pairs",
    nargs=-1,
    required=True,
    metavar="URL PATH [URL PATH]...",
    shell_complete=complete_pairs,
)
