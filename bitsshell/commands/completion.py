"""What could be typed next, for every front end: a line and a position in, candidates out.

The work is click's own resolution of what fits. The candidates come from the session's memory
(known hosts, snapshot, last listing), never from the network, so that it may be asked at every key.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, ShellComplete

from bitsshell.commands.declare import HELP_OPTIONS, VERBS
from bitsshell.commands.tokens import Line, Token, cut, quote, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bitsshell.session import Session

SHELL_WORDS = {
    "help": "list the verbs, or explain one",
    "exit": "leave",
}
"""First words that are no verbs, with their help."""

_HELP_WIDTH = 70


class CandidateKind(enum.StrEnum):
    """What a candidate is."""

    VERB = "verb"
    OPTION = "option"
    VALUE = "value"
    JOB = "job"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that fits. `text` replaces the line from `Completion.start` to the position.

    `text` is quoted where it must be. `help` may hold what a host said: neutralise it to show it.
    """

    text: str
    help: str
    kind: CandidateKind


@dataclass(frozen=True, slots=True)
class Completion:
    """What fits at a position of a line: candidates for the text from `start` to there."""

    start: int
    candidates: tuple[Candidate, ...] = ()


def complete(line: str, position: int, session: Session) -> Completion:
    """What could stand at a position of a line. Raises nothing, whatever the line is.

    Only what stands before the position counts. An open quote is closed by the candidates.
    """
    position = max(0, min(position, len(line)))
    found = cut(line[:position])
    if found.has_comment:
        return Completion(position)
    done, last = _split(found, position)
    if not done:
        return Completion(last.start, tuple(_first_words(last.value)))
    if done[0] == "help":
        verbs = tuple(_verbs(last.value)) if len(done) == 1 else ()
        return Completion(last.start, verbs)
    command = VERBS.get(done[0])
    if command is None:
        return Completion(last.start)
    items = _items(command, done, last.value, session)
    prefix = _option_prefix(last.value)
    opened = found.open_quote[0] if found.open_quote else None
    return Completion(last.start, tuple(_candidate(item, prefix, opened) for item in items))


def _split(found: Line, position: int) -> tuple[list[str], Token]:
    """The words that are complete, and the one that is being typed, which may be empty."""
    words = found.tokens
    if words and words[-1].end == position:
        return [word.value for word in words[:-1]], words[-1]
    return found.values, Token("", position, position)


def _first_words(typed: str) -> Iterator[Candidate]:
    yield from _verbs(typed)
    for word, help_text in SHELL_WORDS.items():
        if word.startswith(typed.lower()):
            yield Candidate(word, help_text, CandidateKind.VERB)


def _verbs(typed: str) -> Iterator[Candidate]:
    for name, command in VERBS.items():
        if name.startswith(typed.lower()):
            yield Candidate(name, command.get_short_help_str(_HELP_WIDTH), CandidateKind.VERB)


def _items(
    command: click.Command, done: list[str], typed: str, session: Session
) -> list[CompletionItem]:
    """What click finds; options of our dispatcher included."""
    name, *arguments = done
    is_option = typed.startswith("-") and "--" not in arguments
    if "=" in typed and not _takes_value(command, arguments, typed):
        return []
    found = ShellComplete(command, {"obj": session}, name, "").get_completions(arguments, typed)
    if is_option and HELP_OPTIONS[0].startswith(typed):
        found.append(CompletionItem(HELP_OPTIONS[0], help=f"explain {name}"))
    return found


def _takes_value(command: click.Command, arguments: list[str], typed: str) -> bool:
    """Whether a word with `=` is one that click cuts there, as it cuts it when it runs the line."""
    if not typed.startswith("-"):
        return typed != "="
    return "--" not in arguments and any(
        isinstance(option, click.Option)
        and not option.is_flag
        and typed.startswith("--")
        and typed.partition("=")[0] in option.opts
        for option in command.params
    )


def _option_prefix(typed: str) -> str:
    """The `--option=` that a value follows in the same word."""
    return typed.partition("=")[0] + "=" if typed.startswith("--") and "=" in typed else ""


def _candidate(item: CompletionItem, prefix: str, opened: str | None) -> Candidate:
    value = str(item.value)
    kind = CandidateKind(item.kind) if item.kind else _kind_of(value)
    text = prefix + value
    return Candidate(quoted(text, opened) if opened else quote(text), item.help or "", kind)


def _kind_of(value: str) -> CandidateKind:
    return CandidateKind.OPTION if value.startswith("-") else CandidateKind.VALUE
