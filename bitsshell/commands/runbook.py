"""`run`: a notebook as a runbook.

What `run` does is in `bitsshell.runbooks`, a layer above this one, which a front end gives to its
session (`Session.runbooks`). Here is only what can be typed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import click
from click.shell_completion import CompletionItem

from bitsshell.bits import Effect
from bitsshell.commands.declare import Call, verb
from bitsshell.commands.types import Duration, local_paths, session_of
from bitsshell.durations import MIN_TIMEOUT_S
from bitsshell.errors import UsageError, shown
from bitsshell.fleet.targets import LogonOptions
from bitsshell.local_files import local_path
from bitsshell.results import Event, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bitsshell.commands.recording import SaveRequest
    from bitsshell.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What `run NOTEBOOK` was asked for. `parameters` are texts as typed, `approvals` who agreed.

    `timeout_s` is for the whole run, `step_timeout_s` for each of its steps; None is no limit.
    """

    notebook: Path
    parameters: tuple[tuple[str, str], ...] = ()
    parameters_file: Path | None = None
    evidence: Path | None = None
    from_step: str | None = None
    approvals: tuple[tuple[str, str], ...] = ()
    junit: Path | None = None
    what_if: bool = False
    timeout_s: float | None = None
    step_timeout_s: float | None = None


class Named(enum.Enum):
    """What an option names of a notebook."""

    PARAMETER = enum.auto()
    STEP = enum.auto()
    APPROVAL = enum.auto()


class Runbooks(Protocol):
    """What the layer above does for the verbs `run` and `record`."""

    def run(self, call: Call, request: RunRequest) -> Iterator[Event]:
        """Run a notebook and keep the evidence. Raises UsageError before anything starts."""

    def lint(self, notebook: Path) -> Iterator[Event]:
        """Look a notebook over without running it."""

    def diff(self, first: Path, second: Path) -> Iterator[Event]:
        """Compare two pieces of evidence by outcome."""

    def verify(self, folder: Path) -> Iterator[Event]:
        """Whether evidence is as it was written."""

    def described(self, notebook: Path) -> str:
        """The parameters of a notebook, for its help."""

    def named(self, notebook: Path, what: Named) -> tuple[tuple[str, str], ...]:
        """What can be named of a notebook, each with a word about it; nothing of a bad one."""

    def save(self, session: Session, request: SaveRequest) -> Iterator[Event]:
        """Save a recording as a notebook. Raises UsageError where there is none."""


def runbooks_of(session: Session) -> Runbooks:
    """The layer above, as the front end gave it. Raises UsageError where it gave none."""
    if session.runbooks is None:
        raise UsageError("there are no runbooks here", hint="use the command line: bitsshell run")
    return cast("Runbooks", session.runbooks())


class _Place(click.ParamType[str]):
    """A file or folder of this machine, which need not be there."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The path as given."""
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Files and folders of the folder that was typed so far."""
        return [CompletionItem(path, kind="path") for path in local_paths(incomplete)]


def _candidates(
    ctx: click.Context, incomplete: str, what: Named, *, sign: str = ""
) -> list[CompletionItem]:
    """What the notebook that was typed before has of that kind."""
    session = session_of(ctx)
    # Behind an option without its value click leaves the arguments where they are.
    loose = (word for word in ctx.args if word.endswith(".ipynb"))
    notebook = ctx.params.get("notebook") or next(loose, None)
    if session is None or session.runbooks is None or not notebook:
        return []
    try:
        found = runbooks_of(session).named(local_path(notebook), what)
    except UsageError:  # no path, or not yet
        return []
    return [
        CompletionItem(f"{name}{sign}", help=text)
        for name, text in found
        if name.casefold().startswith(incomplete.casefold())
    ]


class _StepId(click.ParamType[str]):
    """The id of a step."""

    name = "step"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The steps of the notebook."""
        return _candidates(ctx, incomplete, Named.STEP)


class _Pair(click.ParamType[tuple[str, str]]):
    """NAME=VALUE, where NAME is something of the notebook."""

    name = "pair"

    def __init__(self, what: Named) -> None:
        self.what = what

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names of the notebook; what follows the sign is anybody's word."""
        return _candidates(ctx, incomplete, self.what, sign="=") if "=" not in incomplete else []

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """The name, without blanks around it, and the value as it stands. Raises UsageError."""
        if isinstance(value, tuple):
            return value
        name, sign, text = str(value).partition("=")
        option = param.opts[0] if param is not None else "-p"
        if not (sign and name.strip()):
            what = param.metavar if param is not None else "NAME=VALUE"
            raise UsageError(f"{option} {shown(str(value))} is not {what}")
        return name.strip(), text


def _view_of_run(context: click.Context) -> View:
    given = context.params
    if given.get("diff"):
        return View.DIFFERENCES
    return View.CHECKS if given.get("verify") or given.get("check") else View.RUN


def _help_of_notebook(words: Sequence[str], session: Session) -> str:
    """The parameters of the notebook that is among the words."""
    named = [word for word in words if word.endswith(".ipynb")]
    return runbooks_of(session).described(local_path(named[0])) if named else ""


_PLACE = _Place()


@verb(
    "run",
    view=View.RUN,
    effect=Effect.CHANGE,
    examples=(
        "run deploy.ipynb --help",
        "run deploy.ipynb -p hosts=web01,web02 --what-if",
        "run deploy.ipynb -p hosts=web01 --evidence out --approve go=Maria",
        "run deploy.ipynb -p hosts=web01 --from-step s07-resume",
        "run deploy.ipynb --check",
        "run --diff monday tuesday",
        "run --verify out",
    ),
)
@click.argument("notebook", required=False, type=_PLACE)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    type=_Pair(Named.PARAMETER),
    multiple=True,
    metavar="NAME=VALUE",
    help="a value for a parameter (repeatable)",
)
@click.option(
    "-f",
    "--parameters-file",
    type=_PLACE,
    metavar="FILE",
    help="values for parameters, in TOML",
)
@click.option(
    "--evidence", type=_PLACE, metavar="DIR", help="keep the evidence there (NOTEBOOK-TIME)"
)
@click.option(
    "--from-step",
    type=_StepId(),
    metavar="ID",
    help="skip the steps before this one, setup aside",
)
@click.option(
    "--approve",
    "approvals",
    type=_Pair(Named.APPROVAL),
    multiple=True,
    metavar="NAME=WHO",
    help="WHO agrees to the approval (repeatable)",
)
@click.option(
    "--step-timeout",
    type=Duration(minimum_s=MIN_TIMEOUT_S),
    metavar="TIME",
    help="stop a step after this long",
)
@click.option("--junit", type=_PLACE, metavar="FILE", help="write the steps as JUnit XML, too")
@click.option("--check", is_flag=True, help="look the notebook over, and run nothing")
@click.option("--diff", type=_PLACE, nargs=2, metavar="A B", help="compare two pieces of evidence")
@click.option("--verify", type=_PLACE, metavar="DIR", help="whether evidence is as it was written")
def run(
    call: Call,
    *,
    notebook: str | None,
    parameters: tuple[tuple[str, str], ...],
    parameters_file: str | None,
    evidence: str | None,
    from_step: str | None,
    approvals: tuple[tuple[str, str], ...],
    step_timeout: float | None,
    junit: str | None,
    check: bool,
    diff: tuple[str, str] | None,
    verify: str | None,
) -> Iterator[Event]:
    """Run a notebook as a runbook, and keep the evidence.

    Its cells run one after the other in a kernel of their own; the first that fails ends the run.
    What comes out is a folder: the executed notebook, evidence.json and report.html. The notebook
    itself is never written to. NOTEBOOK --help lists its parameters.
    """
    work = runbooks_of(call.session)
    if sum(map(bool, (notebook, diff, verify))) != 1:
        raise UsageError(
            "run takes one notebook, or --diff A B, or --verify DIR", hint="see help run"
        )
    if diff:
        return work.diff(local_path(diff[0]), local_path(diff[1]))
    if verify:
        return work.verify(local_path(verify))
    if check:
        return work.lint(local_path(notebook or ""))
    _refuse_what_is_the_notebooks(call)
    request = RunRequest(
        notebook=local_path(notebook or ""),
        parameters=parameters,
        parameters_file=local_path(parameters_file) if parameters_file else None,
        evidence=local_path(evidence) if evidence else None,
        from_step=from_step,
        approvals=approvals,
        junit=local_path(junit) if junit else None,
        what_if=call.what_if,
        timeout_s=call.timeout_s,
        step_timeout_s=step_timeout,
    )
    return work.run(call, request)


run.view_of = _view_of_run
run.more_help = _help_of_notebook


def _refuse_what_is_the_notebooks(call: Call) -> None:
    """Raise UsageError for options of every verb that would change nothing in the notebook."""
    if call.typed_hosts or call.excluded or call.logon != LogonOptions():
        raise UsageError(
            "a notebook chooses its hosts, and how to log on to them, itself",
            hint="give them as its parameters: -p hosts=web01; run NOTEBOOK --help lists them",
        )
    if call.yes:
        raise UsageError(
            "--yes answers for one command, and a notebook has many",
            hint="the commands in it say --yes themselves; --approve NAME=WHO gives approvals",
        )
