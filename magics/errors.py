"""What magics raise: real exceptions, shown in one to three lines.

An error that was only printed would let "Run all" and every runner go on. `_render_traceback_` is
what IPython asks an exception for; it gives the short form in terminal, kernel and saved notebook
alike. Each error that comes after something was sent carries the `result`, with all that arrived.

    MagicError
      BitsUsageError        it cannot be done as it was typed; nothing was sent
      NeedsPerson           a password is missing and nobody can be asked
        NeedsConfirmation   a yes is missing and nobody can be asked; nothing was sent
      Declined              a person said no; nothing was sent
      CommandFailed
        PartialFailure      some (host, job) pairs failed
        AllFailed           all of them did
      TimeLimitReached      only a time limit came first
    Interrupted             Ctrl-C; a KeyboardInterrupt, so that queued cells are dropped
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.commands import NeedsConfirmation as NobodyConfirms
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.render.errors import error_lines, folded_error_lines
from bitsshell.render.messages import counts
from bitsshell.render.text import prose
from bitsshell.results import Ending, Report, Summary, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from magics.objects import Result

_MAX_LINES = 3


class MagicError(BitsShellError):
    """Base of all of them but `Interrupted`.

    `result` holds what arrived (None when nothing was asked of a host), `errors` the errors of the
    hosts, or the one that was met before any was asked.
    """

    result: Result | None
    errors: tuple[BitsShellError, ...]
    said: tuple[str, ...]

    def __init__(
        self,
        said: Iterable[str],
        *,
        result: Result | None = None,
        errors: Sequence[BitsShellError] = (),
    ) -> None:
        """`said` are its lines, neutral already."""
        lines = tuple(said)[:_MAX_LINES]
        super().__init__(lines[0], said=lines, result=result, errors=tuple(errors))

    def lines(self) -> list[str]:
        """One to three lines for a person."""
        return list(self.said)

    def _render_traceback_(self) -> list[str]:
        return shown(self, self.said)


class BitsUsageError(MagicError):
    """What was typed cannot be done as it stands. Nothing was sent."""


class NeedsPerson(MagicError):
    """A password or user name is missing, and nobody can be asked."""


class NeedsConfirmation(NeedsPerson):
    """A plan needs a person's yes, and nobody can be asked. Nothing was sent."""


class Declined(MagicError):
    """A person said no. Nothing was sent."""


class CommandFailed(MagicError):
    """Something that was asked of a host failed."""


class PartialFailure(CommandFailed):
    """Some (host, job) pairs failed."""


class AllFailed(CommandFailed):
    """All of them failed."""


class TimeLimitReached(MagicError):
    """A time limit came before the command, or what it waited for, was done."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C. What arrived before it is in `result`."""

    def __init__(self, said: Sequence[str], *, result: Result | None = None) -> None:
        super().__init__("\n".join(said))
        self.said = tuple(said)
        self.result = result

    def _render_traceback_(self) -> list[str]:
        return shown(self, self.said)


def shown(error: BaseException, said: Sequence[str]) -> list[str]:
    """The lines as IPython shows them: its class leads, as Python has it."""
    first, *rest = said
    return [f"{type(error).__name__}: {first}", *rest]


def from_error(error: BitsShellError, result: Result | None = None) -> MagicError:
    """The exception for an error that came before anything was sent."""
    kind: type[MagicError] = AllFailed
    if isinstance(error, NobodyConfirms):
        kind = NeedsConfirmation
    elif isinstance(error, UsageError):
        kind = BitsUsageError
    return kind(error_lines(error), result=result, errors=[error])


def from_result(result: Result) -> MagicError | None:
    """The exception for a command that ran, or None when all is well."""
    report, summary = result.report, result.report.summary
    bad = summary.failed + summary.unknown + summary.not_sent
    if summary.ending is Ending.DECLINED:
        return Declined(["nothing was sent: the answer was no"], result=result)
    kind: type[MagicError]
    if summary.ending is Ending.NEEDS_PERSON:
        kind = NeedsPerson
    elif bad:
        kind = PartialFailure if summary.well or summary.unmet else AllFailed
    elif summary.unmet or summary.ending is Ending.TIME_LIMIT:
        kind = TimeLimitReached
    else:
        return None
    return kind(_said(report, summary), result=result, errors=report.errors)


def interrupted(result: Result, *, twice: bool = False) -> Interrupted:
    """The exception for Ctrl-C. After the second one nobody waited for what was under way."""
    report = result.report
    if twice:
        said = [f"{report.verb or 'bits'}: what was under way is UNKNOWN", "next: look: %bits_jobs"]
        return Interrupted(said, result=result)
    if report.notices and (report.view is View.WATCH or not report.outcomes):
        # The last that a verb which follows jobs said is what becomes of them.
        return Interrupted([f"{report.verb}: {prose(report.notices[-1])}"], result=result)
    if report.summary.ending is not Ending.INTERRUPTED:
        return Interrupted([f"{report.verb}: it had ended by then"], result=result)
    return Interrupted([f"{report.verb}: {counts(report.summary)}"], result=result)


def _said(report: Report, summary: Summary) -> list[str]:
    """The error itself where there is one, else the counts and the first of the errors."""
    lines = folded_error_lines(report.errors)
    if len(report.errors) == 1 and not summary.well:
        return lines
    return [f"{summary.verb}: {counts(summary)}", *lines]
