"""The dispatcher: from words to events. Every front end goes through it, and only through it.

In this order, for every changing verb: what-if, confirmation, journal (intent), execution, journal
(outcome). A verb never prints, never asks and never writes the journal.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import click

from bitsshell.commands.declare import (
    HELP_OPTIONS,
    VERBS,
    Answer,
    Call,
    Change,
    HelpWanted,
    VerbCommand,
    common_values,
    logon_options,
)
from bitsshell.commands.folding import folded
from bitsshell.commands.outcomes import NotReached
from bitsshell.commands.tokens import quote
from bitsshell.errors import BitsShellError, UsageError, shown
from bitsshell.fleet.credentials import PASSWORD_VARIABLE, NoCredential
from bitsshell.fleet.fanout import OutOfTime, TimeLimit
from bitsshell.render import question
from bitsshell.results import (
    Begin,
    Ending,
    Event,
    Notice,
    Outcome,
    Output,
    Plan,
    Planned,
    Status,
    Summary,
    Text,
    View,
)
from bitsshell.wsman import CallAborted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bitsshell.session import Session


class Interaction(Protocol):
    """How a front end asks its person."""

    def confirm(self, plan: Plan) -> bool | None:
        """Whether the plan may be sent; None when nobody can be asked."""


class Nobody:
    """No person is there: nothing that needs one is sent."""

    def confirm(self, plan: Plan) -> bool | None:
        """Nobody can be asked."""
        del plan
        return None


class UnknownVerb(UsageError):
    """The first word is no verb."""

    typed: str

    def __init__(self, typed: str, verbs: Sequence[str]) -> None:
        near = difflib.get_close_matches(typed.lower(), verbs, n=2, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else "see them all: help"
        super().__init__(f"there is no verb {shown(typed)}", hint=hint, typed=typed)


class NeedsConfirmation(BitsShellError):
    """A plan needs a person's yes, and nobody can be asked. Nothing was sent (exit code 5)."""

    question: str
    default_hint = "check it with --what-if, then add --yes"

    def what(self) -> str:
        """Repeat the question."""
        return f"nothing was sent, for nobody can be asked: {self.question}"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One verb with its words, parsed and converted; nothing is sent yet.

    Of `help`, `words` are the verbs to explain, and there is no context.
    """

    verb: str
    view: View
    words: tuple[str, ...]
    context: click.Context | None
    call: Call

    @property
    def output(self) -> Output | None:
        """The form that was asked for, None when nothing was said."""
        return self.call.output


class Dispatcher:
    """Runs verbs on a session. `interaction` asks where a person must agree."""

    def __init__(self, session: Session, interaction: Interaction | None = None) -> None:
        self.session = session
        self.interaction = interaction or Nobody()

    def parse(self, words: Sequence[str]) -> Invocation:
        """Turn words into an invocation. Raises UsageError; sends nothing."""
        name, *arguments = words or [""]
        command = " ".join(quote(word) for word in words)
        call = Call(name, self.session, lambda plan: self._journaled(plan, command))
        if name == "help" or name in HELP_OPTIONS:
            return Invocation("help", View.TEXT, tuple(arguments), None, call)
        declared = find_verb(name)
        try:
            context = make_context(declared, arguments, call)
        except HelpWanted:
            return Invocation("help", View.TEXT, (name,), None, call)
        values = common_values(context)
        call.typed_hosts = tuple(values["host"])
        call.excluded = tuple(values["exclude"])
        call.logon = logon_options(values)
        call.output = values["output"]
        call.what_if = values["what_if"]
        call.yes = values["yes"]
        call.timeout_s = values["timeout"]
        return Invocation(name, declared.view, tuple(words), context, call)

    def events(self, invocation: Invocation) -> Iterator[Event]:
        """Run it; the stream opens with `Begin` and closes with `Summary`.

        Raises:
            UsageError: what was asked for cannot be done as it stands; nothing was sent.
            NeedsConfirmation: nobody could be asked; nothing was sent.
        """
        yield Begin(invocation.verb, invocation.view)
        began = self.session.clock.monotonic()
        tally = _Tally(invocation.verb)
        try:
            with (
                self.session.interrupts.deferred(),
                self.session.within(invocation.call.timeout_s),
            ):
                for event in self._answer(invocation):
                    tally.take(event)
                    yield event
        except (KeyboardInterrupt, TimeLimit) as ending:
            is_late = isinstance(ending, TimeLimit)
            tally.ending = Ending.TIME_LIMIT if is_late else Ending.INTERRUPTED
            for outcome in invocation.call.unread:
                tally.take(outcome)
                yield outcome
        except _Declined:
            tally.ending = Ending.DECLINED
            yield Notice("nothing was sent")
        elapsed_s = self.session.clock.monotonic() - began - invocation.call.asking_s
        yield tally.summary(elapsed_s)

    def _answer(self, invocation: Invocation) -> Iterator[Event]:
        context = invocation.context
        if context is None:
            yield Text(help_text(invocation.words))
            return
        with context:
            try:
                answer: Answer = context.command.invoke(context)
            except click.ClickException as error:
                raise usage_error(error) from error
            if isinstance(answer, Change):
                yield from self._change(answer, invocation)
            else:
                yield from answer

    def _change(self, change: Change, invocation: Invocation) -> Iterator[Event]:
        plan, call = change.plan, invocation.call
        if call.what_if:
            yield Planned(plan)
        # A job that is there already and is followed gets its outcome in the end, and only then.
        yield from (one for one in plan.found if (one.host, one.job_id) not in plan.follows)
        if call.what_if or not (plan.steps or plan.follows):
            return
        if plan.needs_confirmation and not call.yes:
            self._ask(plan, call)
        with self.session.within(call.timeout_s):  # a question takes nothing of the time
            yield from change.run() if change.run else folded(plan, call.carry_out(plan))

    def _ask(self, plan: Plan, call: Call) -> None:
        """Return when a person agrees."""
        clock = self.session.clock
        began = clock.monotonic()
        with self.session.interrupts.immediate():
            agreed = self.interaction.confirm(plan)
        call.asking_s = clock.monotonic() - began
        if agreed is None:
            raise NeedsConfirmation(question=question(plan))
        if not agreed:
            raise _Declined

    def _journaled(self, plan: Plan, command: str) -> Iterator[Outcome]:
        """Carry out a plan, written down before and after."""
        journal = self.session.journal
        number = journal.intend(
            at=self.session.clock.now(), user=self.session.user, command=command, plan=plan
        )
        began = self.session.clock.monotonic()
        tally = _Tally(plan.verb)
        try:
            for outcome in self.session.carry_out(plan):
                tally.take(outcome)
                journal.record(number, outcome)
                yield outcome
        except KeyboardInterrupt:
            tally.ending = Ending.INTERRUPTED
            raise
        except TimeLimit:
            tally.ending = Ending.TIME_LIMIT
            raise
        finally:
            journal.close(number, tally.summary(self.session.clock.monotonic() - began))


def find_verb(name: str) -> VerbCommand:
    """The verb of this name. Raises `UnknownVerb` with the nearest ones."""
    command = VERBS.get(name)
    if command is None:
        raise UnknownVerb(name, [*VERBS, "help", "exit"])
    return command


def make_context(command: VerbCommand, arguments: Sequence[str], call: Call) -> click.Context:
    """Parse a verb's words. Raises UsageError."""
    try:
        return command.make_context(command.name, list(arguments), obj=call)
    except click.ClickException as error:
        raise usage_error(error) from error


def help_text(verbs: Sequence[str] = ()) -> str:
    """The list of verbs, or the help of those named. Raises `UnknownVerb`."""
    named = [find_verb(verb) for verb in verbs if verb not in {"help", "exit", *HELP_OPTIONS}]
    if not named:
        rows = [f"  {name:<10}{verb.get_short_help_str(68)}" for name, verb in VERBS.items()]
        return "\n".join(["help VERB says more of each:", *rows, *_MORE_HELP])
    return "\n\n".join(
        verb.get_help(click.Context(verb, info_name=verb.name, max_content_width=100))
        for verb in named
    )


_MORE_HELP = (
    "",
    "Hosts: -H HOST with any verb, or once for all: use HOST.",
    "HOST is a name, name:port, or the URL of its WinRM endpoint.",
    "Jobs: an id or its beginning, a name, a pattern ('nightly*'), the reference of",
    "its create (ref:7P4N0C2R9K), or %3, %1-4, %errors for rows of the last listing",
    "(in the shell and in notebooks).",
    "Quotes group words, a backslash is a backslash, # begins a comment.",
    "--what-if shows what a change would do. A change that destroys something,",
    "or touches several jobs, asks first; --yes answers.",
)


def usage_error(error: click.ClickException, *, hint: str | None = None) -> UsageError:
    """What click says of wrong words, in our form. `hint` is for where nothing better is known."""
    if isinstance(error, click.NoSuchOption):
        message = f"there is no option {error.option_name}"
        near = [option for option in error.possibilities or [] if _is_near(option, error)]
        begun = [option for option in near if option.startswith(error.option_name)]
        if error.option_name.startswith(("--pass", "--pw")):
            hint = (
                f"a password is never an argument: set {PASSWORD_VARIABLE}, or wait to be asked; "
                "change the one that you just typed"
            )
        elif near:
            hint = f"did you mean {' or '.join(begun or near)}?"
    elif isinstance(error, click.MissingParameter):
        name = error.param.human_readable_name if error.param else "argument"
        message = f"{name.upper()} is missing"
    else:
        message = error.format_message().rstrip(".")
        message = message[:1].lower() + message[1:]
    context = getattr(error, "ctx", None)
    if hint is None and context is not None:
        usage = " ".join(context.command.collect_usage_pieces(context))
        hint = f"{context.info_name} {usage}; see help {context.info_name}"
    return UsageError(message, hint=hint)


def _is_near(option: str, error: click.NoSuchOption) -> bool:
    """Whether an option may have been meant. The dashes, which all begin with, say nothing."""
    typed = error.option_name
    return option.startswith(typed) or bool(
        difflib.get_close_matches(typed.lstrip("-"), [option.lstrip("-")], cutoff=0.6)
    )


class _Declined(Exception):
    """A person said no."""


class _Tally:
    """Counts a stream over (host, job) pairs: of several outcomes of a pair the worst counts."""

    def __init__(self, verb: str) -> None:
        self.verb = verb
        self.ending = Ending.COMPLETE
        self._pairs: dict[tuple[str, str | None], Outcome] = {}

    def take(self, event: object) -> None:
        """Count an event. What was only planned is well."""
        match event:
            case Outcome():
                self._count(event)
            case Planned(plan=plan):
                for host, job_id in plan.pairs:
                    self._count(Outcome(host=host, status=Status.PLANNED, job_id=job_id))

    def _count(self, outcome: Outcome) -> None:
        key = (outcome.host, outcome.job_id)
        known = self._pairs.get(key)
        if known is None or known.status.is_well:
            self._pairs[key] = outcome
        if isinstance(outcome.error, NoCredential):
            self.ending = Ending.NEEDS_PERSON
        elif isinstance(outcome.error, NotReached) and self.ending is Ending.COMPLETE:
            self.ending = Ending.TIME_LIMIT

    def summary(self, elapsed_s: float) -> Summary:
        """The counts."""
        summary = Summary(verb=self.verb, ending=self.ending, elapsed_s=elapsed_s)
        for outcome in self._pairs.values():
            if self._is_unmet(outcome):
                summary = replace(summary, unmet=summary.unmet + 1)
            else:
                summary = summary.counting(outcome)
        return summary

    def _is_unmet(self, outcome: Outcome) -> bool:
        """Whether it only missed a limit; a call that was aborted at the limit did just that.

        A change whose outcome is unknown did more than that: somebody has to look.
        """
        if outcome.status is Status.UNKNOWN:
            return False
        if isinstance(outcome.error, CallAborted):
            return self.ending is Ending.TIME_LIMIT
        return isinstance(outcome.error, NotReached | OutOfTime)
