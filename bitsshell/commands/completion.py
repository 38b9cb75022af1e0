"""What could be typed next, for every front end: a line and a position in, candidates out.

The work is click's own resolution of what fits. The candidates come from the session's memory
(known hosts, snapshot, last listing), never from the network, so that it may be asked at every key.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, ShellComplete

from bitsshell.commands.declare import HELP_OPTIONS, VERBS
from bitsshell.commands.expansion import expanded, own_help
from bitsshell.commands.first_words import NO_VERBS
from bitsshell.commands.tokens import Line, Token, cut, quote, quoted
from bitsshell.commands.topics import topic_lines
from bitsshell.commands.types import local_paths
from bitsshell.errors import UsageError
from bitsshell.fuzzy import fitting

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
    PATH = "path"


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
    opened = found.open_quote[0] if found.open_quote else None

    def written(text: str) -> str:
        return quoted(text, opened) if opened else quote(text)

    return Completion(
        last.start,
        tuple(
            candidate
            if candidate.kind is CandidateKind.VERB
            else Candidate(written(candidate.text), candidate.help, candidate.kind)
            for candidate in _of_line(line, found, done, last, session)
        ),
    )


def _of_line(
    line: str, found: Line, done: list[str], last: Token, session: Session
) -> list[Candidate]:
    """Behind `>` one file of this machine; behind `|` stands what only the OS shell knows."""
    for place, token in enumerate(found.tokens):
        operator = line[token.start]
        if operator == ">" and token.value in {">", ">>"} and place == len(done) - 1:
            return [Candidate(path, "", CandidateKind.PATH) for path in local_paths(last.value)]
        if operator in "|>":
            return []
    return complete_words(done, last.value, session)


def complete_words(done: list[str], typed: str, session: Session) -> list[Candidate]:
    """What fits after the words that are complete and what is typed of the next; not quoted.

    For a front end whose line another shell has cut.
    """
    if not done:
        return [*_first_words(typed), *_own_words(typed, session)]
    done = _expanded(done, session)
    if done[0] == "help":
        return _helped(typed, session) if len(done) == 1 else []
    command = VERBS.get(done[0])
    if command is None:
        return []
    items = _items(command, done, typed, session)
    prefix = _option_prefix(typed)
    return [_candidate(item, prefix) for item in items]


def _split(found: Line, position: int) -> tuple[list[str], Token]:
    """The words that are complete, and the one that is being typed, which may be empty."""
    words = found.tokens
    if words and words[-1].end == position:
        return [word.value for word in words[:-1]], words[-1]
    return found.values, Token("", position, position)


def _first_words(typed: str) -> list[Candidate]:
    words = [*_all_verbs(), *(Candidate(w, h, CandidateKind.VERB) for w, h in SHELL_WORDS.items())]
    return fitting(typed, words, _text)


def _own_words(typed: str, session: Session) -> list[Candidate]:
    """Aliases and saved commands of the configuration."""
    own = own_help(session.config, {*VERBS, *NO_VERBS})
    words = [Candidate(name, text, CandidateKind.VERB) for name, (_, text) in own.items()]
    return fitting(typed, words, _text)


def _expanded(done: list[str], session: Session) -> list[str]:
    """What the words stand for; as they are while that is nothing that can be run."""
    try:
        return expanded(done, session.config, VERBS) or done
    except UsageError:
        return done


def _helped(typed: str, session: Session) -> list[Candidate]:
    """What `help` explains: verbs, then what is configured, then topics."""
    topics = [Candidate(name, line, CandidateKind.VALUE) for name, line in topic_lines(VERBS)]
    own = _own_words("", session)
    return fitting(typed, [*_all_verbs(), *own, *topics], _text)


def _all_verbs() -> Iterator[Candidate]:
    for name, command in VERBS.items():
        yield Candidate(name, command.get_short_help_str(_HELP_WIDTH), CandidateKind.VERB)


_text = attrgetter("text")


def _items(
    command: click.Command, done: list[str], typed: str, session: Session
) -> list[CompletionItem]:
    """What click finds; options of our dispatcher included."""
    name, *arguments = done
    is_option = typed.startswith("-") and "--" not in arguments
    if "=" in typed and not _takes_value(command, arguments, typed):
        return []
    finder = ShellComplete(command, {"obj": session}, name, "")
    found = finder.get_completions(arguments, typed)
    own_help = CompletionItem(HELP_OPTIONS[0], help=f"explain {name}")
    if is_option and HELP_OPTIONS[0].startswith(typed):
        found.append(own_help)
    if not found and is_option and "=" not in typed:
        letters = typed.strip("-")
        every = [*finder.get_completions(arguments, "--"), own_help]
        found = fitting(letters, every, lambda item: str(item.value)[2:]) if letters else []
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


def _candidate(item: CompletionItem, prefix: str) -> Candidate:
    value = str(item.value)
    kind = CandidateKind(item.kind) if item.kind else _kind_of(value)
    return Candidate(prefix + value, item.help or "", kind)


def _kind_of(value: str) -> CandidateKind:
    return CandidateKind.OPTION if value.startswith("-") else CandidateKind.VALUE
