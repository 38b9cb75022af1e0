"""Completion of what follows a magic's name, for terminal, kernel and JupyterLab alike.

The candidates come from the session's memory, so that a key press never waits for a host: a front
end drops what takes longer than a second.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from IPython.core.completer import SimpleCompletion, SimpleMatcherResult, context_matcher

from bitsshell.commands import cut
from bitsshell.commands.completion import Completion, complete
from magics.runner import MAGIC_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from IPython.core.completer import CompletionContext

    from bitsshell.session import Session

    Matcher = Callable[[CompletionContext], SimpleMatcherResult]

_LINE = re.compile(
    r"\s*(?:[^\W\d]\w*(?:\s*,\s*[^\W\d]\w*)*\s*=\s*)?%%?bits(?:_(?P<verb>[a-z_]+))?\s(?P<rest>.*)",
    re.DOTALL,
)


def make_matcher(session: Session) -> Matcher:
    """A matcher for one shell's `IPCompleter.custom_matchers`."""

    def match_bits(context: CompletionContext) -> SimpleMatcherResult:
        return _match(context.text_until_cursor, session)

    matcher: Matcher = context_matcher(identifier="bits.words", priority=100)(match_bits)
    return matcher


def _match(text: str, session: Session) -> SimpleMatcherResult:
    found = _LINE.fullmatch(text)
    if found is None:
        return {"completions": [], "suppress": False}
    verb = (found["verb"] or "").replace("_", "-")
    line = f"{verb} {found['rest']}" if verb else found["rest"].lstrip()
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
    own = [option.split()[0] for option in MAGIC_OPTIONS]
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
