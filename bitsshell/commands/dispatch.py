"""The dispatcher: from words to events. Every front end goes through it, and only through it.

In this order, for every changing verb: read-only, what-if, confirmation, journal (intent),
execution, journal (outcome). A verb never prints, never asks and never writes the journal.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import click

from bitsshell.bits import Effect
from bitsshell.commands.canonical import host_words, taken_apart
from bitsshell.commands.declare import (
    HELP_OPTIONS,
    VERBS,
    Answer,
    Call,
    Change,
    Declined,
    HelpWanted,
    VerbCommand,
    common_values,
    logon_options,
)
from bitsshell.commands.expansion import expanded, own_help
from bitsshell.commands.first_words import NO_VERBS
from bitsshell.commands.pairs import folded as folded_outcomes
from bitsshell.commands.recipes import plan_scripts
from bitsshell.commands.shape import shape_of
from bitsshell.commands.tally import Tally
from bitsshell.commands.tokens import quote
from bitsshell.commands.topics import overview_lines, topic_lines, topic_text
from bitsshell.commands.types import Host
from bitsshell.commands.unsent import never_planned, not_agreed
from bitsshell.commands.writing import EntryWriter
from bitsshell.config import NO_CONFIG, Config
from bitsshell.errors import BitsShellError, UsageError, shown
from bitsshell.fleet.channels import InternalError
from bitsshell.fleet.credentials import JOB_PASSWORD_VARIABLE, PASSWORD_VARIABLE
from bitsshell.fleet.fanout import TimeLimit
from bitsshell.fleet.inventory import merge
from bitsshell.folding import folded
from bitsshell.render import question
from bitsshell.render.text import folded_names
from bitsshell.results import (
    Begin,
    Ending,
    Event,
    Notice,
    Output,
    Plan,
    PlanForm,
    Planned,
    Text,
    View,
)
from bitsshell.run_context import is_in_run, is_what_if_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bitsshell.session import Session


class Interaction(Protocol):
    """How a front end asks its person."""

    @property
    def is_attended(self) -> bool:
        """Whether somebody can be asked."""

    def confirm(self, plan: Plan) -> bool | None:
        """Whether the plan may be sent; None when nobody can be asked. May raise `Declined`."""

    def ask(self, question: str) -> str:
        """What the person types, empty where nothing is typed or nobody can be asked."""


class Nobody:
    """No person is there: nothing that needs one is sent."""

    is_attended = False

    def confirm(self, plan: Plan) -> bool | None:
        """Nobody can be asked."""
        del plan
        return None

    def ask(self, question: str) -> str:
        """Nobody can be asked."""
        del question
        return ""


class UnknownVerb(UsageError):
    """The first word is no verb."""

    typed: str

    def __init__(self, typed: str, verbs: Sequence[str], kind: str = "verb") -> None:
        near = difflib.get_close_matches(typed.lower(), verbs, n=2, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else "see them all: help"
        super().__init__(f"there is no {kind} {shown(typed)}", hint=hint, typed=typed)


class NeedsConfirmation(BitsShellError):
    """A plan needs a person's yes, and nobody can be asked. Nothing was sent (exit code 5)."""

    question: str

    def what(self) -> str:
        """Repeat the question."""
        return f"nothing was sent, for nobody can be asked: {self.question}"

    @property
    def hint(self) -> str | None:
        """Where the yes can be said."""
        if is_in_run():  # which takes no --yes for all of a notebook
            return "edit the cell: --yes in its command, best behind a %bits_approve"
        return "check it with --what-if, then add --yes"


class ReadOnly(UsageError):
    """A change was asked for where only looking is allowed. Nothing was sent."""

    verb: str
    hosts: tuple[str, ...]
    why: str

    def __init__(self, verb: str, hosts: tuple[str, ...], why: str) -> None:
        super().__init__(verb=verb, hosts=hosts, why=why)

    def what(self) -> str:
        """Say what is read-only, and that nothing was sent."""
        where = f" ({', '.join(folded(self.hosts))})" if self.hosts else ""
        return f"{self.why} is read-only{where}: {self.verb} was refused, nothing was sent"

    @property
    def hint(self) -> str | None:
        """Where that is said."""
        if self.why == "this session":
            return "readonly off lifts it"
        return "leave these hosts out with -x, or change it in the configuration: config path"


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
    notice: str = ""
    """Said before anything else."""
    more_help: str = ""
    """Of `help`, what comes after the help of the verb."""

    @property
    def output(self) -> Output | None:
        """The form that was asked for, None when nothing was said."""
        return self.call.output


class Dispatcher:
    """Runs verbs on a session. `interaction` asks where a person must agree."""

    def __init__(self, session: Session, interaction: Interaction | None = None) -> None:
        self.session = session
        self.interaction = interaction or Nobody()

    def parse(self, words: Sequence[str], typed: str | None = None) -> Invocation:
        """Turn words into an invocation. Raises UsageError; sends nothing.

        `typed` is the line for the journal where it was more than these words.
        """
        try:
            invocation = self._parsed(words, typed)
            return self._again(invocation) if _is_retry(invocation) else invocation
        except BitsShellError as error:
            if self.session.transcript is not None:
                self.session.transcript.refused(_typed(words), error)
            if words and words[0] in VERBS:  # any other word may be a password in the wrong place
                EntryWriter(self.session, typed or _typed(words)).refused(words[0], error)
            raise

    @property
    def _only_plans(self) -> bool:
        """Whether nothing may be sent: a run that the session began in may be over by now."""
        return self.session.what_if or is_what_if_run()

    def _again(self, retry: Invocation) -> Invocation:
        """The last command on the hosts that failed. Raises UsageError where there is none."""
        session, asked = self.session, retry.call
        if asked.typed_hosts:
            raise UsageError(
                "retry finds its hosts itself: those that failed",
                hint="leave some of them out with -x, or type the command again with -H",
            )
        if not session.last_words:
            raise UsageError("there is no command to repeat", hint="retry comes after a command")
        typed = _typed(session.last_words)
        if not session.failed_hosts:
            raise UsageError(
                f"no host failed in the last command: {typed}", hint="type it again to repeat it"
            )
        again = self._parsed(session.last_words, f"retry  # {typed}")
        call = again.call
        call.typed_hosts, call.excluded = session.failed_hosts, asked.excluded
        call.logon = merge(call.logon, asked.logon)
        call.what_if, call.form = call.what_if or asked.what_if, asked.form
        call.yes = call.yes or asked.yes
        call.output = asked.output or call.output
        call.timeout_s = asked.timeout_s or call.timeout_s
        return replace(again, notice=f"{typed}: again on {folded_names(session.failed_hosts)}")

    def _parsed(self, words: Sequence[str], command: str | None = None) -> Invocation:
        words = expanded(words, self.session.config, _own_words())
        name, *arguments = words or [""]
        command = command or _typed(words)
        entry = EntryWriter(self.session, command)
        call = Call(name, self.session, entry.carry_out)
        if self.interaction.is_attended:
            call.ask = lambda question: self._ask_person(question, call)
        if name == "help" or name in HELP_OPTIONS:
            return Invocation("help", View.TEXT, tuple(arguments), None, call)
        declared = find_verb(name, self.session.config)
        try:
            context = make_context(declared, arguments, call)
        except HelpWanted:
            more = declared.more_help(arguments, self.session) if declared.more_help else ""
            return Invocation("help", View.TEXT, (name,), None, call, more_help=more)
        values = common_values(context)
        call.typed_hosts = tuple(values["host"])
        call.excluded = tuple(values["exclude"])
        call.logon = logon_options(values)
        call.output = values["output"]
        call.form = values["form"] or PlanForm.WORDS
        is_said = values["what_if"] or values["form"] is not None
        call.what_if = is_said or self._only_plans
        call.may_follow = not (is_said or is_what_if_run())
        call.yes = values["yes"]
        call.timeout_s = values["timeout"]
        call.entry = entry
        view = declared.view if declared.view_of is None else declared.view_of(context)
        return Invocation(name, view, tuple(words), context, call)

    def events(self, invocation: Invocation) -> Iterator[Event]:
        """Run it; the stream opens with `Begin` and closes with `Summary`.

        Raises:
            UsageError: what was asked for cannot be done as it stands; nothing was sent.
            NeedsConfirmation: nobody could be asked; nothing was sent.
        """
        transcript = self.session.transcript
        events = self._events(invocation)
        if transcript is not None:
            output = invocation.output or Output.TABLE
            events = transcript.taking(_typed(invocation.words), events, output)
        recorder, entry = self.session.recorder, invocation.call.entry
        if recorder is not None and entry is not None and recorder.takes(invocation.verb):
            events = recorder.taking(entry, events)
        return events

    def _events(self, invocation: Invocation) -> Iterator[Event]:
        yield Begin(invocation.verb, invocation.view, shape_of(invocation.context))
        if invocation.notice:
            yield Notice(invocation.notice)
        began = self.session.clock.monotonic()
        tally = Tally(invocation.verb)
        entry = _described(invocation)
        try:
            yield from self._tallied(invocation, tally)
        except BitsShellError as error:
            entry.end(tally.summary(self._elapsed_s(began, invocation)), error=error)
            raise
        except Exception as defect:
            ours = InternalError(kind=type(defect).__name__, detail=str(defect))
            entry.end(tally.summary(self._elapsed_s(began, invocation)), error=ours)
            raise
        except BaseException as ending:
            if not (isinstance(ending, GeneratorExit) and entry.number is None):
                tally.ending = Ending.INTERRUPTED
            entry.end(tally.summary(self._elapsed_s(began, invocation)))
            raise
        self._remember(invocation, tally)
        summary = tally.summary(self._elapsed_s(began, invocation))
        entry.end(summary, failures=tally.failures)
        yield from map(Notice, entry.news())
        yield summary

    def _elapsed_s(self, began: float, invocation: Invocation) -> float:
        return self.session.clock.monotonic() - began - invocation.call.asking_s

    def _tallied(self, invocation: Invocation, tally: Tally) -> Iterator[Event]:
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
            if invocation.call.asked is not None:
                yield self._not_agreed(invocation.call, tally)
        except Declined as declined:
            tally.ending = Ending.DECLINED
            yield self._not_agreed(invocation.call, tally, str(declined))

    def _not_agreed(self, call: Call, tally: Tally, why: str = "") -> Notice:
        """Say that nothing was sent; what would have been is counted, and left for `retry`."""
        for outcome in not_agreed(call.asked) if call.asked is not None else ():
            tally.take(outcome)
        return Notice(f"nothing was sent: {why}" if why else "nothing was sent")

    def _remember(self, invocation: Invocation, tally: Tally) -> None:
        """Keep which hosts failed, and for `retry` a command that did not name its hosts itself.

        A change that failed somewhere is kept until the next one, whatever is looked at meanwhile.
        """
        if not tally.hosts or (invocation.call.what_if and tally.ending is Ending.COMPLETE):
            return
        session = self.session
        is_look = VERBS[invocation.verb].effect is Effect.READ
        if is_look and session.failed_hosts and _is_change(session.last_words):
            return
        session.failed_hosts = tally.failed_hosts
        command = invocation.context.command if invocation.context is not None else None
        names_hosts = command is not None and any(
            isinstance(param, click.Argument) and isinstance(param.type, Host)
            for param in command.params
        )
        session.last_words = () if names_hosts else invocation.words

    def _answer(self, invocation: Invocation) -> Iterator[Event]:
        context = invocation.context
        if context is None:
            yield Text(help_text(invocation.words, self.session.config))
            if invocation.more_help:
                yield Text(invocation.more_help)
            return
        if self.session.read_only and VERBS[invocation.verb].effect is not Effect.READ:
            raise ReadOnly(invocation.verb, (), "this session")
        with context:
            try:
                answer: Answer = context.command.invoke(context)
            except click.ClickException as error:
                raise usage_error(error) from error
            except (KeyboardInterrupt, TimeLimit) as ending:
                if VERBS[invocation.verb].effect is not Effect.READ:
                    invocation.call.unread += never_planned(invocation.call, ending)
                raise
            if isinstance(answer, Change):
                yield from self._change(answer, invocation)
            else:
                yield from answer

    def _change(self, change: Change, invocation: Invocation) -> Iterator[Event]:
        plan, call = change.plan, invocation.call
        if call.entry is not None:
            call.entry.show(plan)
        self._refuse_read_only(plan)
        if call.what_if:
            yield Planned(plan, call.form, plan_scripts(plan, call.form, self.session.known))
        # A job that is there already and is followed gets its outcome in the end, and only then.
        yield from (one for one in plan.found if (one.host, one.job_id) not in plan.follows)
        if call.what_if or not (plan.steps or plan.follows):
            return
        if plan.needs_confirmation and not call.yes:
            self._ask(plan, call)
        if call.entry is not None:
            call.entry.intend(plan)
        with self.session.within(call.timeout_s):  # a question takes nothing of the time
            yield from change.run() if change.run else folded_outcomes(plan, call.carry_out(plan))

    def _refuse_read_only(self, plan: Plan) -> None:
        """Raise `ReadOnly` where the plan would change a host that may only be looked at."""
        session = self.session
        reasons = {host: session.why_read_only(session.known[host]) for host in plan.hosts}
        refused = {host: why for host, why in reasons.items() if why is not None}
        if refused:
            raise ReadOnly(plan.verb, tuple(refused), next(iter(refused.values())))

    def _ask(self, plan: Plan, call: Call) -> None:
        """Return when a person agrees."""
        call.asked = plan
        clock = self.session.clock
        began = clock.monotonic()
        try:
            with self.session.interrupts.immediate():
                agreed = self.interaction.confirm(plan)
        finally:
            call.asking_s += clock.monotonic() - began
        if agreed is None:
            raise NeedsConfirmation(question=question(plan))
        if not agreed:
            raise Declined
        call.asked = None

    def _ask_person(self, question: str, call: Call) -> str:
        """What a person types. The time that it takes is theirs."""
        clock = self.session.clock
        began = clock.monotonic()
        with self.session.interrupts.immediate():
            typed = self.interaction.ask(question)
        call.asking_s += clock.monotonic() - began
        return typed


def _is_change(words: Sequence[str]) -> bool:
    """Whether these words, whose first is a verb, are those of a change."""
    return bool(words) and VERBS[words[0]].effect is not Effect.READ


def _is_retry(invocation: Invocation) -> bool:
    return invocation.verb == "retry" and invocation.context is not None


def _described(invocation: Invocation) -> EntryWriter:
    """The way into the journal of an invocation, told what it has to know; of help, none."""
    call, context = invocation.call, invocation.context
    if call.entry is None or context is None:
        return EntryWriter(call.session, "", is_off=True)
    command = VERBS[invocation.verb]
    parts = taken_apart(command, context)  # before the verb makes another listing
    call.entry.words = lambda: parts.words(host_words(call))
    call.entry.hosts = lambda: tuple(target.name for target in call.chosen)
    call.entry.is_what_if = call.what_if and command.effect is not Effect.READ
    return call.entry


def _typed(words: Sequence[str]) -> str:
    """The words as a line that can be typed."""
    return " ".join(quote(word) for word in words)


def find_verb(name: str, config: Config = NO_CONFIG) -> VerbCommand:
    """The verb of this name. Raises `UnknownVerb` with the nearest ones."""
    command = VERBS.get(name)
    if command is None:
        raise UnknownVerb(name, [*VERBS, *config.aliases, *config.commands, *NO_VERBS])
    return command


def make_context(command: VerbCommand, arguments: Sequence[str], call: Call) -> click.Context:
    """Parse a verb's words. Raises UsageError."""
    try:
        return command.make_context(
            command.name,
            list(arguments),
            obj=call,
            default_map=call.session.config.default_map,
        )
    except click.ClickException as error:
        raise usage_error(error) from error


def _own_words() -> set[str]:
    """First words that the configuration does not replace."""
    return {*VERBS, *NO_VERBS, *HELP_OPTIONS}


def help_text(verbs: Sequence[str] = (), config: Config = NO_CONFIG) -> str:
    """The list of verbs, or the help of those verbs and topics named. Raises `UnknownVerb`."""
    wanted = [verb for verb in verbs if verb not in {*NO_VERBS, *HELP_OPTIONS}]
    if not wanted:
        own = [f"  {usage:<20} {text}" for usage, text in own_help(config, _own_words()).values()]
        if own:
            own = ["", "Of your configuration:", *own]
        return "\n".join([*overview_lines(VERBS), *own])
    return "\n\n".join(_help_of(verb, config) for verb in wanted)


def _help_of(name: str, config: Config) -> str:
    own = own_help(config, _own_words()).get(name)
    if own is not None:
        return f"{own[0]}\n  {own[1]}"
    topic = None if name in VERBS else topic_text(name, VERBS)
    if topic is not None:
        return topic
    verb = VERBS.get(name)
    if verb is None:
        topics = [topic for topic, _ in topic_lines(VERBS)]
        raise UnknownVerb(
            name, [*VERBS, *config.aliases, *config.commands, *topics], "verb or topic"
        )
    return verb.get_help(click.Context(verb, info_name=verb.name, max_content_width=100))


def usage_error(error: click.ClickException, *, hint: str | None = None) -> UsageError:
    """What click says of wrong words, in our form. `hint` is for where nothing better is known."""
    if isinstance(error, click.NoSuchOption):
        message = f"there is no option {error.option_name}"
        near = [option for option in error.possibilities or [] if _is_near(option, error)]
        begun = [option for option in near if option.startswith(error.option_name)]
        if error.option_name.startswith(("--pass", "--pw")):
            of_job = error.ctx is not None and error.ctx.info_name == "credentials"
            hint = (
                "a password is never an argument: set "
                f"{JOB_PASSWORD_VARIABLE if of_job else PASSWORD_VARIABLE}, or wait to be asked; "
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
