"""The options before the verb: `bitsshell -H web01 --user u -c 'jobs'`. They hold for every line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click

from bitsshell.commands.declare import common_options, common_values, logon_options
from bitsshell.commands.dispatch import usage_error
from bitsshell.errors import UsageError
from bitsshell.render import Output
from bitsshell.session import Session


@dataclass(frozen=True, slots=True)
class Front:
    """What stands before and after them: lines of `-c`, or the words of one command."""

    lines: tuple[str, ...]
    words: tuple[str, ...]
    output: Output | None


def front_options(arguments: Sequence[str], session: Session) -> Front:
    """Read the options, and let the session know. Raises UsageError.

    `--exclude`, `--what-if`, `--yes` and `--timeout` belong to a verb and are not taken here.
    """
    of_a_verb = {"exclude", "what_if", "yes", "timeout"}
    command = click.Command(
        "bitsshell",
        params=[
            click.Option(["-c", "--command"], multiple=True),
            *(option for option in common_options() if option.name not in of_a_verb),
            click.Argument(["words"], nargs=-1, type=click.UNPROCESSED),
        ],
        callback=lambda **values: values,
        add_help_option=False,
        context_settings={"allow_interspersed_args": False},
    )
    try:
        context = command.make_context("bitsshell", list(arguments))
    except click.ClickException as error:
        raise usage_error(error) from error
    values = common_values(context)
    session.logon = logon_options(values)
    if values["host"]:
        session.targets = session.select(values["host"])
    words = tuple(context.params["words"])
    lines = tuple(context.params["command"])
    if lines and words:
        raise UsageError(
            f"-c and {words[0]!r} exclude each other", hint="put everything into -c lines, or nothing"
        )
    return Front(lines, words, values["output"])
