"""What a failed cell means for the run as a whole, by the class of what it raised."""

from __future__ import annotations

from bitsshell.results import Verdict

VERDICTS = {
    "BitsUsageError": Verdict.USAGE,
    "LookupFailed": Verdict.USAGE,
    "UsageError": Verdict.USAGE,
    "PartialFailure": Verdict.SOME_FAILED,
    "AllFailed": Verdict.ALL_FAILED,
    "TimeLimitReached": Verdict.NOT_MET,
    "CheckFailed": Verdict.NOT_MET,
    "NeedsPerson": Verdict.NEEDS_PERSON,
    "NeedsConfirmation": Verdict.NEEDS_PERSON,
    "NeedsApproval": Verdict.NEEDS_PERSON,
    "Declined": Verdict.NEEDS_PERSON,
    "Interrupted": Verdict.INTERRUPTED,
    "KeyboardInterrupt": Verdict.INTERRUPTED,
}
"""By class name, which is all that comes out of a kernel. Any other exception: some failed."""

NOT_TOLD_YET = frozenset({Verdict.USAGE, Verdict.SOME_FAILED, Verdict.NOT_MET})
"""What a what-if may end in where a cell needs something that an earlier one would have made."""

_OF_HOSTS = frozenset({"PartialFailure"})


def verdict_of(error_type: str | None) -> Verdict:
    """The verdict on a cell that raised this."""
    return VERDICTS.get(error_type or "", Verdict.SOME_FAILED)


def is_not_told_yet(error_type: str | None) -> bool:
    """Whether, in a what-if after a planned change, this may only say that nothing was done yet."""
    return error_type not in _OF_HOSTS and verdict_of(error_type) in NOT_TOLD_YET
