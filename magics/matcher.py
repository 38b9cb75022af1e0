"""Completion of what follows a magic's name, for terminal, kernel and JupyterLab alike.

The candidates come from the session's memory, so that a key press never waits for a host: a front
end drops what takes longer than a second. In the body of a cell magic each line is completed as
what it stands for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

from magics.verbs import VERBS, Body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from IPython.core.completer import CompletionContext, SimpleMatcherResult

    from bitsshell.commands.completion import Completion
    from bitsshell.session import Session

    Matcher = Callable[[CompletionContext], SimpleMatcherResult]

_LINE = re.compile(
    r"\s*(?:[^\W\d]\w*(?:\s*,\s*[^\W\d]\w*)*\s*=\s*)?%%?bits(?:_(?P<verb>[a-z_]+))?\s(?P<rest>.*)",
    re.DOTALL,
)
_CELL = re.compile(r"\s*%%bits(?:_(?P<verb>[a-z_]+))?(?:[ \t][^\n]*)?\n")


def as_matcher(match: Callable[[CompletionContext], Any]) -> Matcher:
    """A function as one of `IPCompleter.custom_matchers`."""

    def match_bits(context: CompletionContext) -> SimpleMatcherResult:
        found: SimpleMatcherResult = match(context)
        return found

    matcher: Matcher = context_matcher(identifier="bits.words", priority=100)(match_bits)
    return matcher


def matched(context: CompletionContext, session: Callable[[], Session]) -> SimpleMatcherResult:
    """What fits at the cursor; nothing where it is in no magic of ours."""
    line = _command(context)
    if line is None:
        return {"completions": [], "suppress": False}  # IPython writes into it
    return _matched(line, session())


def _command(context: CompletionContext) -> str | None:
    """The command up to the cursor as the shell has it; None where there is none."""
    found = _LINE.fullmatch(context.text_until_cursor)
    if found is not None:
        verb = (found["verb"] or "").replace("_", "-")
        return f"{verb} {found['rest']}" if verb else str(found["rest"]).lstrip()
    cell = _CELL.match(context.full_text)
    if cell is None or context.cursor_line == 0:
        return None
    return _in_body((cell["verb"] or "").replace("_", "-"), context.text_until_cursor)


def _in_body(verb: str, line: str) -> str | None:
    """A line of a body up to the cursor, as the command that it is a part of."""
    if not verb:
        bare = re.sub(r"^%bits[_ ]", "", line.lstrip())
        return None if bare.startswith("#") else bare
    match VERBS.get(verb, Body.NONE):
        case Body.PAIRS:
            job = "job " if verb == "add" else ""
            url, arrow, path = line.partition("->")
            if not arrow:
                return f"{verb} {job}{url.lstrip()}"
            return f"{verb} {job}{url.strip() or 'URL'} {path.lstrip()}"
        case Body.VALUES:
            return f"{verb} {line.lstrip()}"
        case _:
            return None


def _matched(line: str, session: Session) -> SimpleMatcherResult:
    from bitsshell.commands.completion import complete

    completion = complete(line, len(line), session)
    typed = line[completion.start :]
    candidates = list(_candidates(completion, line, typed))
    if not candidates and not typed:
        # Nothing is known of what comes here, such as a URL; the options are, at least.
        candidates = list(_candidates(complete(f"{line}-", len(line) + 1, session), line, "-"))
    if not candidates:
        # Without any, IPython would ask its other matchers, which know Python's words only.
        candidates = [SimpleCompletion(text=typed, type="value")]
    return {
        "completions": candidates,
        "matched_fragment": typed,
        "suppress": True,
        "ordered": True,
    }


def _candidates(completion: Completion, line: str, typed: str) -> Iterator[SimpleCompletion]:
    from bitsshell.commands import cut
    from magics.helping import BACKGROUND_OPTION, MAGIC_OPTIONS

    options = MAGIC_OPTIONS | (BACKGROUND_OPTION if line.startswith("watch ") else {})
    own = [option.split()[0] for option in options]
    if not (typed.startswith("-") and len(cut(line).tokens) > 1):
        own = []
    own = [name for name in own if name.startswith(typed)]
    for candidate in completion.candidates:
        # What only resembles the letters is for where nothing begins with them.
        if own and not candidate.text.startswith(typed):
            continue
        # A host may name a job as it likes; what cannot be seen is not inserted unseen.
        if candidate.text.isprintable():
            yield SimpleCompletion(text=candidate.text, type=str(candidate.kind))
    for name in own:
        yield SimpleCompletion(text=name, type="option")
