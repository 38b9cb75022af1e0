"""The options before the verb: `bitsshell -H web01 -c 'jobs'`. They hold for every line."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bitsshell.commands.declare import (
    common_options,
    common_values,
    help_option,
    logon_options,
)
from bitsshell.commands.dispatch import usage_error
from bitsshell.commands.own_lines import checked
from bitsshell.config import Config, ConfigError, load
from bitsshell.errors import UsageError, shown
from bitsshell.results import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitsshell.session import Session


@dataclass(frozen=True, slots=True)
class Front:
    """What stands before and after them: lines of `-c`, or the words of one command."""

    lines: tuple[str, ...]
    words: tuple[str, ...]
    output: Output | None
    keeps_going: bool = False


def front_command() -> click.Command:
    """What stands before the verb, as click takes it: options, and then the words."""
    return click.Command(
        "bitsshell",
        params=[
            click.Option(["-c", "--command"], multiple=True),
            click.Option(["--keep-going"], is_flag=True),
            click.Option(["--config"], metavar="FILE"),
            *(option for option in common_options() if option.name not in _OF_A_VERB),
            help_option(),
            click.Argument(["words"], nargs=-1, type=click.UNPROCESSED),
        ],
        callback=lambda **values: values,
        add_help_option=False,
        context_settings={"allow_interspersed_args": False},
    )


def front_options(arguments: Sequence[str], session: Session) -> Front:
    """Read the options, and let the session know.

    `--exclude`, `--what-if`, `--yes` and `--timeout` belong to a verb and are not taken here.

    Raises:
        UsageError: what stands there is no option, or none for all lines.
        HelpWanted: a help option is among them.
    """
    try:
        context = front_command().make_context("bitsshell", list(arguments))
    except click.NoSuchOption as error:
        raise _no_such_option(error) from error
    except click.ClickException as error:
        raise usage_error(error, hint=_HINT) from error
    values = common_values(context)
    words = tuple(context.params["words"])
    session.configure(_config(context.params["config"], words))
    session.logon = logon_options(values)
    if values["host"]:
        session.targets = session.select(values["host"])
    lines = tuple(context.params["command"])
    if lines and words:
        raise UsageError(
            f"-c and {shown(words[0])} exclude each other",
            hint="put everything into -c lines, or nothing",
        )
    configured = session.config.output
    output = values["output"] or (Output(configured) if configured else None)
    return Front(lines, words, output, keeps_going=context.params["keep_going"])


_REPAIRING = {"config", "doctor", "help"}
"""Verbs that run although the configuration has a mistake."""


def _config(given: str | None, words: tuple[str, ...]) -> Config:
    try:
        return checked(load(given))
    except ConfigError as error:
        if words[:1] and words[0] in _REPAIRING:
            return Config(given=given, problem=error)
        raise


_OF_A_VERB = {"exclude", "what_if", "form", "yes", "timeout"}
_HINT = "bitsshell [OPTIONS] VERB ...; see bitsshell --help"


def _no_such_option(error: click.NoSuchOption) -> UsageError:
    names = {
        name for option in common_options() if option.name in _OF_A_VERB for name in option.opts
    }
    if error.option_name in names:
        return UsageError(
            f"{error.option_name} belongs to a verb",
            hint=f"put it behind the verb: bitsshell VERB {error.option_name} ...",
        )
    if difflib.get_close_matches(error.option_name, ["--version"]):
        return UsageError(f"there is no option {error.option_name}", hint="did you mean --version?")
    return usage_error(error, hint=_HINT)
