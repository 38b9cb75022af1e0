"""Colours while a line is typed: verbs, options, and what is not known.

All of it from memory. A host or job is only called unknown where the session could know it.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, repeat, takewhile
from typing import TYPE_CHECKING

import click
from prompt_toolkit.formatted_text.utils import split_lines
from prompt_toolkit.lexers import Lexer

from bitsshell.commands import VERBS
from bitsshell.commands.first_words import NO_VERBS
from bitsshell.commands.tokens import cut
from bitsshell.commands.types import Host, Job
from bitsshell.errors import UsageError
from bitsshell.fleet.references import Kind, parse_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from bitsshell.commands import VerbCommand
    from bitsshell.commands.tokens import Token
    from bitsshell.session import Session

UNKNOWN, VERB, OPTION, COMMENT = "class:unknown", "class:verb", "class:option", "class:comment"


class SessionLexer(Lexer):
    """Colours what is typed by what the session knows."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """The fragments of each line."""
        lines = list(split_lines(styled(document.text, self.session)))
        return lambda number: lines[number] if number < len(lines) else []


def styled(text: str, session: Session) -> StyleAndTextTuples:
    """The text in pieces, each with its style; together they are the text.

    The word that is still being typed (the last one, at the very end) is never called unknown while
    it could become something.
    """
    pieces: StyleAndTextTuples = []
    done = 0
    while done < len(text):
        end = _end_of_command(text, done)
        pieces.extend(_command(text[done:end], session, is_last=end == len(text)))
        done = end
    return pieces


def _end_of_command(text: str, start: int) -> int:
    """Where the command that begins here ends: behind a line break outside of quotes."""
    end = text.find("\n", start)
    while end >= 0:
        before = text[start:end]
        if cut(before).open_quote is None and not before.rstrip().endswith("`"):
            return end + 1
        end = text.find("\n", end + 1)
    return len(text)


def _command(text: str, session: Session, *, is_last: bool) -> Iterator[tuple[str, str]]:
    found = cut(text)
    own = tuple(takewhile(lambda token: text[token.start] not in "|>", found.tokens))
    styles = chain(_styles(own, session), repeat(""))  # the rest is another program's, or a file
    at = 0
    for token, style in zip(found.tokens, styles, strict=False):
        if token.start > at:
            yield "", text[at : token.start]
        is_typed = is_last and token.end == len(text)
        yield ("" if is_typed and style == UNKNOWN else style), text[token.start : token.end]
        at = token.end
    if at < len(text):
        yield (COMMENT if found.has_comment else ""), text[at:]


def _styles(tokens: tuple[Token, ...], session: Session) -> Iterator[str]:
    words = [token.value for token in tokens]
    command = VERBS.get(words[0]) if words else None
    if command is None:
        own = session.config
        is_own = bool(words) and (words[0] in own.aliases or words[0] in own.commands)
        yield from ((VERB if word in NO_VERBS or is_own else UNKNOWN) for word in words[:1])
        yield from ("" for _ in words[1:])
        return
    yield VERB
    option: click.Option | None = None  # whose value comes next
    given, may_be_option = 0, True
    for word in words[1:]:
        if option is not None:
            yield _value_style(option, word, session)
            option = None
        elif may_be_option and word == "--":
            may_be_option = False
            yield OPTION
        elif may_be_option and _is_option(word):
            name, has_value, value = word.partition("=")
            known = _options(command.name or "").get(name if word.startswith("--") else word[:2])
            style = OPTION if known is not None or name in {"--help", "-h", "-?"} else UNKNOWN
            if known is not None and not known.is_flag:
                if has_value and word.startswith("--"):
                    style = _value_style(known, value, session) or OPTION
                elif word.startswith("--") or len(word) == 2:
                    option = known
            yield style
        else:
            yield _argument_style(command, given, word, session)
            given += 1


def _is_option(word: str) -> bool:
    return word.startswith("-") and len(word) > 1 and not word[1].isdigit()


@lru_cache(maxsize=64)
def _options(verb: str) -> dict[str, click.Option]:
    return {
        name: option
        for option in VERBS[verb].params
        if isinstance(option, click.Option)
        for name in (*option.opts, *option.secondary_opts)
    }


def _argument_style(command: VerbCommand, given: int, word: str, session: Session) -> str:
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    if not arguments:
        return UNKNOWN  # the verb takes none
    return _value_style(arguments[min(given, len(arguments) - 1)], word, session)


def _value_style(param: click.Parameter, word: str, session: Session) -> str:
    if isinstance(param.type, Job):
        return "" if _may_be_job(word, session) else UNKNOWN
    if isinstance(param.type, Host) and param.name != "names":  # `use` is how hosts become known
        return "" if _are_hosts(word, session) else UNKNOWN
    return ""


def _may_be_job(word: str, session: Session) -> bool:
    """Whether a word can mean a job; True also where the session does not know all jobs."""
    try:
        reference = parse_reference(word)
    except UsageError:
        return False
    if reference.kind is Kind.ROWS:
        return max(reference.rows) <= len(session.listing)
    snapshot = session.snapshot
    hosts = [target.name for target in session.targets]
    if reference.kind in {Kind.GLOB, Kind.ERRORS} or any(h not in snapshot.read_at for h in hosts):
        return True
    if not hosts:
        return True
    return bool(snapshot.with_prefix(word.strip("}"), hosts=hosts, limit=1))


def _are_hosts(word: str, session: Session) -> bool:
    """Whether each of the hosts is known; what is more than a plain name is left to the session."""
    names = [name.strip().lower() for name in word.split(",")]
    plain = [name for name in names if name and name.replace("-", "").replace(".", "").isalnum()]
    known = session.addresses()
    return not known or all(name in known for name in plain)
