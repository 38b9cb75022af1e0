"""Exit codes, counted over (host, job) pairs, and those of errors before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from bitsshell.cli import exit_code
from bitsshell.commands import NeedsConfirmation, UnknownVerb
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.fleet.references import AmbiguousReference, NoSuchJob
from bitsshell.results import Ending, Summary
from bitsshell.terminal import Ended


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ({}, 0),
        ({"well": 1}, 0),
        ({"well": 40}, 0),
        ({"well": 2, "failed": 1}, 1),
        ({"well": 2, "unknown": 1}, 1),
        ({"well": 2, "not_sent": 1}, 1),
        ({"failed": 1}, 3),
        ({"failed": 3}, 3),
        ({"unknown": 1}, 3),
        ({"not_sent": 2, "failed": 1}, 3),
        ({"unmet": 1}, 4),
        ({"well": 5, "unmet": 1}, 4),
        ({"unmet": 1, "failed": 1}, 1),
        ({"well": 1, "unmet": 1, "failed": 1}, 1),
        ({"ending": Ending.TIME_LIMIT}, 4),
        ({"ending": Ending.TIME_LIMIT, "unmet": 2}, 4),
        ({"ending": Ending.TIME_LIMIT, "unmet": 2, "failed": 1}, 1),
        ({"ending": Ending.TIME_LIMIT, "failed": 1}, 3),
        ({"ending": Ending.NEEDS_PERSON, "failed": 1}, 5),
        ({"ending": Ending.NEEDS_PERSON, "failed": 1, "well": 2}, 5),
        ({"ending": Ending.DECLINED}, 5),
        ({"ending": Ending.INTERRUPTED}, 130),
        ({"ending": Ending.INTERRUPTED, "well": 3, "failed": 1}, 130),
    ],
)
def test_a_summary_has_this_exit_code(counts: dict[str, Any], code: int) -> None:
    assert exit_code(Ended(summary=Summary(verb="resume", **counts))) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("nothing to set"), 2),
        (UnknownVerb("jbos", ["jobs"]), 2),
        (NoSuchJob("nightly", hosts=["web01"]), 2),
        (AmbiguousReference("nightly", [], host="web01"), 2),
        (NeedsConfirmation(question="cancel 3 jobs on web01"), 5),
        (BitsShellError("something else"), 3),
    ],
)
def test_an_error_before_anything_was_sent_has_this_exit_code(
    error: BitsShellError, code: int
) -> None:
    assert exit_code(Ended(error=error)) == code


def test_an_empty_line_is_well() -> None:
    assert exit_code(Ended()) == 0
