"""How a verb is declared, once: its click command, view and options, what it gets and returns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bitsshell.bits import Effect
from bitsshell.commands.types import Duration, Host, LocalFile, Member
from bitsshell.durations import MIN_TIMEOUT_S
from bitsshell.errors import UsageError, shown
from bitsshell.fleet.fanout import TimeLimit
from bitsshell.fleet.targets import Auth, LogonOptions, Target
from bitsshell.results import Event, Outcome, Output, Plan, PlanForm, View
from bitsshell.session import Resolution, Session

if TYPE_CHECKING:
    from bitsshell.bits import ReadOperation
    from bitsshell.commands.writing import EntryWriter
    from bitsshell.fleet.references import Reference


@dataclass(frozen=True, slots=True)
class Change:
    """What a changing verb returns: the plan, and what to do once it is agreed to.

    `run` is for verbs that live longer than their plan; others just have their plan carried out.
    """

    plan: Plan
    run: Callable[[], Iterator[Event]] | None = None


Answer = Iterable[Event] | Change

Declared = TypeVar("Declared", bound=Callable[..., Answer])


def option_group(
    *decorators: Callable[[Declared], Declared],
) -> Callable[[Declared], Declared]:
    """Options that several verbs take, as one decorator; in help they stand in this order."""

    def decorate(function: Declared) -> Declared:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


@dataclass(slots=True)
class Call:
    """One call of a verb: the session, and the options that every verb takes.

    `unread` are the hosts that nothing was sent to because the command was cut off while it was
    planned, `asked` is the plan that a person is asked about, or did not agree to, and `asking_s`
    is how long a person took to answer. `pause` lets the time between two polls pass,
    in place of the session's own, for a front end that does something else meanwhile; it raises as
    `Session.pause` does.
    """

    verb: str
    session: Session
    carry_out: Callable[[Plan], Iterator[Outcome]]
    typed_hosts: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    logon: LogonOptions = field(default_factory=LogonOptions)
    output: Output | None = None
    what_if: bool = False
    may_follow: bool = True
    """Whether a verb that only looks may stay with jobs. A what-if of the session lets it, for that
    is about changes; one of the command itself, or of the run that it is part of, does not."""
    form: PlanForm = PlanForm.WORDS
    yes: bool = False
    timeout_s: float | None = None
    unread: list[Outcome] = field(default_factory=list)
    asked: Plan | None = None
    asking_s: float = 0.0
    pause: Callable[[float], None] | None = None
    ask: Callable[[str], str] | None = None
    """Puts a question to the person and gives what is typed; None when nobody can be asked."""
    chosen: tuple[Target, ...] = ()
    """The hosts that it acts on, once they are selected."""
    entry: EntryWriter | None = None
    """The way into the journal; None where nothing is written down."""

    def targets(self) -> tuple[Target, ...]:
        """The hosts to act on. Raises `NoTarget` and `BadHost`."""
        self.chosen = self.session.select(
            self.typed_hosts, exclude=self.excluded, logon=self.logon, many=self.yes
        )
        return self.chosen

    def job_password(self, user: str) -> str:
        """The password that jobs are to show as this user. The time to type it is the person's.

        Raises:
            NoJobPassword: there is none, and nobody can be asked.
            NoCredential: the keyring cannot be asked.
        """
        clock = self.session.clock
        began = clock.monotonic()
        with self.session.interrupts.immediate():
            password = self.session.credentials.job_password(user, keyring=self.logon.keyring)
        self.asking_s += clock.monotonic() - began
        return password

    def resolve(self, references: Sequence[Reference]) -> Resolution:
        """What references mean on the targets right now, in the order of the targets.

        Raises as `Session.resolve` does.
        """
        targets = self.targets()
        with self._reading() as observe:
            resolution = self.session.resolve(references, targets, observe=observe)
        place = {target.name: index for index, target in enumerate(targets)}
        return Resolution(
            tuple(sorted(resolution.found, key=lambda pair: place[pair[0].name])),
            tuple(sorted(resolution.failed, key=lambda outcome: place[outcome.host])),
        )

    def look(self, targets: Sequence[Target]) -> list[Outcome]:
        """Read the queues, for a plan, in the order of the targets."""
        return self._read(targets, self.session.look(targets))

    def read(self, targets: Sequence[Target], operation: ReadOperation) -> list[Outcome]:
        """Ask the hosts something, for a plan, in the order of the targets."""
        return self._read(targets, self.session.ask(targets, operation))

    def _read(self, targets: Sequence[Target], answers: Iterable[Outcome]) -> list[Outcome]:
        outcomes: dict[str, Outcome] = {}
        with self._reading() as observe:
            for outcome in answers:
                observe(outcome)
                outcomes[outcome.host] = outcome
        return [outcomes[target.name] for target in targets]

    @contextmanager
    def _reading(self) -> Iterator[Callable[[Outcome], None]]:
        seen: list[Outcome] = []
        try:
            yield seen.append
        except (KeyboardInterrupt, TimeLimit):
            self.unread.extend(outcome for outcome in seen if outcome.error is not None)
            raise


HELP_OPTIONS = ("--help", "-h", "-?")


class Declined(Exception):
    """A person said no: nothing is sent. An ending, as KeyboardInterrupt is.

    Its text says why what was typed was no yes, if that is not plain.
    """


class HelpWanted(Exception):
    """A help option stands where an option may stand."""


def help_option() -> click.Option:
    """The option that asks for help before anything else is looked at; completion adds its own."""

    def ask(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            raise HelpWanted

    return click.Option(
        HELP_OPTIONS, is_flag=True, is_eager=True, expose_value=False, hidden=True, callback=ask
    )


class VerbCommand(click.Command):
    """A click command that is run by our dispatcher, never by `main()`."""

    view: View
    effect: Effect
    examples: tuple[str, ...]
    takes_codes: bool
    more_help: Callable[[Sequence[str], Session], str] | None = None
    """What the words behind the verb add to its help."""
    view_of: Callable[[click.Context], View] | None = None
    """The view where it depends on the words; else it is `view`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take words apart. No option is a number: `-2145386480` is a code, as Windows has it."""
        if self.takes_codes:
            args = [f"0x{int(a) & 0xFFFFFFFF:08X}" if _NEGATIVE.fullmatch(a) else a for a in args]
        ctx.meta[TYPED_WORDS] = tuple(args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verb's own options, then those of every verb."""
        for title, exposed in (("Options", True), ("Options of every verb", False)):
            rows = [
                row
                for param in self.get_params(ctx)
                if isinstance(param, click.Option)
                and param.expose_value is exposed
                and not (self.effect is Effect.READ and param.name in _FOR_CHANGES)
                and (row := param.get_help_record(ctx)) is not None
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows, col_max=26)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, one a line, never wrapped: they are there to be copied."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


TYPED_WORDS = "bitsshell.words"
"""Under this name a parsed command's context keeps the words behind the verb."""

VERBS: dict[str, VerbCommand] = {}
"""Every verb by name, in the order of declaration."""


def verb(
    name: str,
    *,
    view: View,
    effect: Effect = Effect.READ,
    examples: Iterable[str],
    takes_codes: bool = False,
) -> Callable[[Callable[..., Answer]], VerbCommand]:
    """Declare a verb. The function gets its `Call` and its own parameters, and returns events.

    Its docstring is the help text: a first line for the list of verbs, then the rest. A verb that
    `takes_codes` has signed decimal codes among its words.
    """

    def declare(function: Callable[..., Answer]) -> VerbCommand:
        own: list[click.Parameter] = list(reversed(getattr(function, "__click_params__", [])))
        command = VerbCommand(
            name,
            callback=click.pass_obj(function),
            params=[
                *own,
                *common_options(live=any(p.name == "interval" for p in own)),
                help_option(),
            ],
            help=function.__doc__,
            add_help_option=False,
        )
        command.view, command.effect, command.examples = view, effect, tuple(examples)
        command.takes_codes = takes_codes
        VERBS[name] = command
        return command

    return declare


def common_options(*, live: bool = False) -> list[click.Parameter]:
    """The options that every verb takes. `common_values` reads them, not the verb."""
    limit = "follow the jobs for this long at most" if live else "stop after this long"

    def option(*names: str, **settings: Any) -> click.Option:
        return click.Option(names, expose_value=False, callback=_keep, **settings)

    return [
        option("-H", "--host", type=Host(), multiple=True, help="act on this host (repeatable)"),
        option("-x", "--exclude", type=Host(), multiple=True, help="but not on this one"),
        option("--user", metavar="NAME", help="log on as (DOMAIN\\name or name@domain)"),
        option("--auth", type=Member(Auth, "auth"), help="auto, kerberos, ntlm, basic, ..."),
        option("--port", type=_PORT, metavar="PORT", help="WinRM port (5985, with TLS 5986)"),
        option("--tls/--no-tls", default=None, help="speak HTTPS"),
        option("--ca", type=_EXISTING, help="authorities to trust (PEM)"),
        option("--tls-fingerprint", metavar="SHA256", help="trust just this certificate"),
        option("--tls-no-verify", is_flag=True, help="trust any certificate"),
        option("--certificate", type=_EXISTING, help="client certificate (PEM)"),
        option("--certificate-key", type=_EXISTING, help="its key (PEM)"),
        option("--proxy", metavar="URL", help="reach the hosts through this proxy"),
        option("--allow-unencrypted", is_flag=True, help="accept basic over plain HTTP"),
        option("--keyring", is_flag=True, help="look for the password in the system's keyring"),
        option(
            "-o",
            "--output",
            type=Member(Output, "output format"),
            metavar="FORMAT",
            help="table, json, ndjson, csv, tsv, vertical",
        ),
        option("--what-if", is_flag=True, help="show what would be done, and send nothing"),
        option(
            "--as",
            "form",
            type=Member(PlanForm, "form"),
            metavar="FORM",
            help="what-if in this form: words, powershell, xml",
        ),
        option("-y", "--yes", is_flag=True, help="do not ask"),
        option("--timeout", type=Duration(minimum_s=MIN_TIMEOUT_S), help=limit),
    ]


class _Port(click.ParamType[int]):
    name = "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number. Raises UsageError."""
        text = str(value)
        if not re.fullmatch("[0-9]{1,5}", text) or not 0 < int(text) < 65536:
            raise UsageError(f"{shown(text)} is no port", hint="a port is a number from 1 to 65535")
        return int(text)


_EXISTING = LocalFile()
_PORT = _Port()
_FOR_CHANGES = {"what_if", "yes"}
"""Options that every verb takes, and that mean nothing to one that only reads."""
_NEGATIVE = re.compile(r"-[0-9]{1,10}")
_KEPT = "bitsshell.common"


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    ctx.meta.setdefault(_KEPT, {})[param.name] = value


def common_values(ctx: click.Context) -> dict[str, Any]:
    """What the common options of a parsed command were given, by parameter name."""
    values: dict[str, Any] = ctx.meta.get(_KEPT, {})
    return values


def logon_options(values: dict[str, Any]) -> LogonOptions:
    """The part of them that says how to reach and log on to hosts."""
    return LogonOptions(
        user=values["user"],
        auth=values["auth"],
        port=values["port"],
        tls=values["tls"],
        ca_file=values["ca"],
        tls_fingerprint=values["tls_fingerprint"],
        tls_verify=not values["tls_no_verify"],
        certificate=values["certificate"],
        certificate_key=values["certificate_key"],
        proxy=values["proxy"],
        allow_unencrypted=values["allow_unencrypted"],
        keyring=values["keyring"],
    )
