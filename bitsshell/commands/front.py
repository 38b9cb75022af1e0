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
from bitsshell.errors import UsageError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitsshell.results import Output
    from bitsshell.session import Session


@dataclass(frozen=True, slots=True)
class Front:
    """What stands before and after them: lines of `-c`, or the words of one command."""

    lines: tuple[str, ...]
    words: tuple[str, ...]
    output: Output | None


def front_options(arguments: Sequence[str], session: Session) -> Front:
    """Read the options, and let the session know.

    `--exclude`, `--what-if`, `--yes` and `--timeout` belong to a verb and are not taken here.

    Raises:
        UsageError: what stands there is no option, or none for all lines.
        HelpWanted: a help option is among them.
    """
    command = click.Command(
        "bitsshell",
        params=[
            click.Option(["-c", "--command"], multiple=True),
            *(option for option in common_options() if option.name not in _OF_A_VERB),
            help_option(),
            click.Argument(["words"], nargs=-1, type=click.UNPROCESSED),
        ],
        callback=lambda **values: values,
        add_help_option=False,
        context_settings={"allow_interspersed_args": False},
    )
    try:
        context = command.make_context("bitsshell", list(arguments))
    except click.NoSuchOption as error:
        raise _no_such_option(error) from error
    except click.ClickException as error:
        raise usage_error(error, hint=_HINT) from error
    values = common_values(context)
    session.logon = logon_options(values)
    if values["host"]:
        session.targets = session.select(values["host"])
    words = tuple(context.params["words"])
    lines = tuple(context.params["command"])
    if lines and words:
        raise UsageError(
            f"-c and {shown(words[0])} exclude each other",
            hint="put everything into -c lines, or nothing",
        )
    return Front(lines, words, values["output"])


_OF_A_VERB = {"exclude", "what_if", "yes", "timeout"}
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
