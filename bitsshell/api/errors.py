"""What the API and the magics raise: real exceptions, shown in one to three lines.

An error that was only printed would let "Run all" and every runner go on. `_render_traceback_` is
what IPython asks an exception for; it gives the short form in terminal, kernel and saved notebook
alike, and with `is_in_full` the whole traceback. Each error that comes after something was sent
carries the `result`, with all that arrived.

    CommandError
      BitsUsageError        it cannot be done as it was typed; nothing was sent
        LookupFailed        an answer has no such item, or several; a KeyError
      NeedsPerson           a password or an approval is missing and nobody can be asked
        NeedsApproval       a person's approval of a step is; nothing was sent
        NeedsConfirmation   a yes is missing and nobody can be asked; nothing was sent
      Declined              a person said no; nothing was sent
      CommandFailed
        PartialFailure      some (host, job) pairs failed
        AllFailed           all of them did
      TimeLimitReached      only a time limit came first
      CheckFailed           conditions of a check are not met
    Interrupted             Ctrl-C; a KeyboardInterrupt, so that queued cells are dropped
"""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Any, Self

from bitsshell.commands import NeedsConfirmation as NobodyConfirms
from bitsshell.commands.approvals import NeedsApproval as NobodyApproves
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.fleet.credentials import NoJobPassword
from bitsshell.known_secrets import scrub
from bitsshell.render.errors import error_lines, folded_error_lines
from bitsshell.render.messages import counts
from bitsshell.render.text import clip, counted, folded_names, prose
from bitsshell.results import ConditionResult, Ending, Report, Status, Summary, Verdict, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bitsshell.api.answers import Answer
    from bitsshell.results import Outcome

MAX_LINES = 3
"""Of an error, however much there is to say."""
_LINE_CELLS = 400
_MOST_MARKS = 8
"""So many jobs are named to look for; `errors` has them all."""


class CommandError(BitsShellError):
    """Base of all of them but `Interrupted`.

    `result` holds what arrived (None when nothing was asked of a host), `errors` the errors of the
    hosts, or the one that was met before any was asked.
    """

    result: Answer[Any] | None
    errors: tuple[BitsShellError, ...]
    said: tuple[str, ...]
    is_in_full = False

    def __init__(
        self,
        said: Iterable[str],
        *,
        result: Answer[Any] | None = None,
        errors: Sequence[BitsShellError] = (),
    ) -> None:
        """`said` are its lines, neutral already."""
        lines = tuple(map(scrub, said))[:MAX_LINES]
        super().__init__(lines[0], said=lines, result=result, errors=tuple(errors))

    def lines(self) -> list[str]:
        """One to three lines for a person."""
        return list(self.said)

    def at(self, where: str) -> Self:
        """The same error, which says where among several commands it was met."""
        self.said = (f"{where}: {self.said[0]}", *self.said[1:])
        return self

    def _render_traceback_(self) -> list[str]:
        return shown(self, self.said, in_full=self.is_in_full)


class BitsUsageError(CommandError):
    """What was typed cannot be done as it stands. Nothing was sent."""


class LookupFailed(BitsUsageError, KeyError):
    """An answer has no such item, or several of that name, or not one where one was wanted."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__([message, f"next: {hint}"])


class NeedsPerson(CommandError):
    """A password, a user name or an approval is missing, and nobody can be asked."""


class NeedsApproval(NeedsPerson):
    """A person has to approve of a step, and nobody can be asked. Nothing was sent."""


class NeedsConfirmation(NeedsPerson):
    """A plan needs a person's yes, and nobody can be asked. Nothing was sent."""


class Declined(CommandError):
    """A person said no. Nothing was sent."""


class CommandFailed(CommandError):
    """Something that was asked of a host failed."""


class PartialFailure(CommandFailed):
    """Some (host, job) pairs failed."""


class AllFailed(CommandFailed):
    """All of them failed."""


class TimeLimitReached(CommandError):
    """A time limit came before the command, or what it waited for, was done."""


class CheckFailed(CommandError):
    """Conditions of a check are not met. All of them are in `result`."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C. What arrived before it is in `result`, what was cut off or went wrong in `errors`."""

    is_in_full = False

    def __init__(self, said: Sequence[str], *, result: Answer[Any] | None = None) -> None:
        lines = tuple(map(scrub, said))[:MAX_LINES]
        super().__init__("\n".join(lines))
        self.said = lines
        self.result = result
        self.errors: tuple[BitsShellError, ...] = () if result is None else result.errors

    def __str__(self) -> str:
        return "\n".join(self.said)

    def _render_traceback_(self) -> list[str]:
        return shown(self, self.said, in_full=self.is_in_full)


def shown(error: BaseException, said: Sequence[str], *, in_full: bool = False) -> list[str]:
    """The lines as IPython shows them: its class leads, as Python has it."""
    if in_full:
        return [scrub(line) for line in "".join(traceback.format_exception(error)).splitlines()]
    first, *rest = said
    return [f"{type(error).__name__}: {first}", *rest]


def from_error(error: BitsShellError, result: Answer[Any] | None = None) -> CommandError:
    """The exception for an error that came before anything was sent."""
    if isinstance(error, CommandError):
        return error
    kind: type[CommandError] = AllFailed
    if isinstance(error, NobodyApproves):
        kind = NeedsApproval
    elif isinstance(error, NobodyConfirms):
        kind = NeedsConfirmation
    elif isinstance(error, NoJobPassword):
        kind = NeedsPerson
    elif isinstance(error, UsageError):
        kind = BitsUsageError
    return kind(error_lines(error), result=result, errors=[error])


_OF_VERDICT: dict[Verdict, type[CommandError]] = {
    Verdict.SOME_FAILED: PartialFailure,
    Verdict.USAGE: BitsUsageError,
    Verdict.ALL_FAILED: AllFailed,
    Verdict.NOT_MET: TimeLimitReached,
    Verdict.NEEDS_PERSON: NeedsPerson,
    Verdict.INTERRUPTED: CommandFailed,
}


def from_result(result: Answer[Any]) -> CommandError | None:
    """The exception for a command that ran, or None when all is well."""
    report, summary = result.report, result.report.summary
    bad = summary.failed + summary.unknown + summary.not_sent
    if summary.ending is Ending.DECLINED:
        return Declined(["nothing was sent: the answer was no"], result=result)
    kind: type[CommandError]
    if summary.verdict is not None:
        if summary.verdict is Verdict.WELL:
            return None
        kind = _OF_VERDICT[summary.verdict]
    elif summary.ending is Ending.NEEDS_PERSON:
        kind = NeedsPerson
    elif bad:
        kind = PartialFailure if summary.well or summary.unmet else AllFailed
    elif summary.unmet and report.view is View.CONDITIONS:
        kind = CheckFailed
    elif summary.unmet or summary.ending is Ending.TIME_LIMIT:
        kind = TimeLimitReached
    else:
        return None
    return kind(_said(report, summary), result=result, errors=report.errors)


def interrupted(result: Answer[Any], *, twice: bool = False) -> Interrupted:
    """The exception for Ctrl-C. After the second one nobody waited for what was under way."""
    report = result.report
    if twice:
        said = [f"{report.verb or 'bits'}: what was under way is UNKNOWN", "next: look: jobs"]
        return Interrupted(said, result=result)
    unknown = [one for one in report.outcomes if one.status is Status.UNKNOWN]
    if report.notices and (report.view is View.WATCH or not report.outcomes):
        # The last that a verb which follows jobs said is what becomes of them.
        what = prose(report.notices[-1])
    elif report.summary.ending is not Ending.INTERRUPTED:
        what = "it had ended by then"
    elif len(unknown) == len(report.outcomes) == 1:
        return Interrupted(_not_known(unknown), result=result)
    else:
        what = counts(report.summary)
    return Interrupted([f"{report.verb}: {what}", *_not_known(unknown)], result=result)


def _not_known(unknown: Sequence[Outcome]) -> list[str]:
    """Where it is not known what changes did that were cut off, and how to find it out."""
    errors = [one.error for one in unknown if one.error is not None]
    marks = list(dict.fromkeys(filter(None, map(_mark_of, unknown))))
    if len({error.what() for error in errors}) != 1 or not marks:
        return folded_error_lines(errors)
    hosts = folded_names(list(dict.fromkeys(one.host for one in unknown)))
    they = "it" if len(marks) == 1 else "them"
    if len(marks) > _MOST_MARKS:
        they = f"the first {_MOST_MARKS} of {len(marks):,}"
    look = f"next: look for {they}: show {' '.join(marks[:_MOST_MARKS])}"
    return [f"{hosts}: {prose(errors[0].what())}", look]


def _mark_of(outcome: Outcome) -> str | None:
    """By what its job is found: the mark of a create, which had no id yet, or else the id."""
    reference = getattr(outcome.error, "reference", None)
    return f"ref:{reference}" if reference else outcome.job_id


def in_calls(problem: BaseException) -> BaseException:
    """The same problem, which says how to look for jobs as a program does it: by a call."""
    if isinstance(problem, CommandError | Interrupted):
        problem.said = tuple(_LOOK.sub(_as_call, line) for line in problem.said)
    return problem


_LOOK = re.compile(r"(?<=: )(jobs|show(?= ))((?: [\w:-]+)*)$")


def _as_call(found: re.Match[str]) -> str:
    return f"{found[1]}({', '.join(map(repr, found[2].split()))})"


def _said(report: Report, summary: Summary) -> list[str]:
    """The error itself where there is one, else the counts and the first of the errors."""
    if report.conclusion is not None and report.conclusion.lines:
        return [f"{summary.verb}: {prose(line)}" for line in report.conclusion.lines[:1]]
    if report.view is View.CONDITIONS and summary.unmet:
        return _unmet(report)
    lines = folded_error_lines(report.errors)
    if len(report.errors) == 1 and not summary.well:
        return lines
    return [f"{summary.verb}: {counts(summary)}", *lines]


def _unmet(report: Report) -> list[str]:
    """How many conditions are not met, and the first of them with what was seen."""
    results = [one.value for one in report.outcomes if isinstance(one.value, ConditionResult)]
    unmet = [result for result in results if not result.is_met]
    lines = [f"{len(unmet):,} of {counted(len(results), 'condition')} not met"]
    for result in unmet[: MAX_LINES - 1]:
        where = f"{result.host}: " if result.host else ""
        name = f"{result.job_name}: " if result.job_name else ""
        seen = f" ({result.observed})" if result.observed else ""
        lines.append(clip(prose(f"{where}{name}{result.condition}{seen}"), _LINE_CELLS))
    return lines
