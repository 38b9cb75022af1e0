"""Completion as prompt_toolkit wants it, from the completion that all front ends share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion

from bitsshell.commands.completion import complete
from bitsshell.render.text import neutral

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prompt_toolkit.document import Document

    from bitsshell.session import Session


class SessionCompleter(Completer):
    """Offers what the session knows. It is from memory, so that no thread is needed."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """What fits at the cursor, with what is known of each beside it."""
        del complete_event
        found = complete(document.text, document.cursor_position, self.session)
        typed = document.text[found.start : document.cursor_position]
        if [candidate.text for candidate in found.candidates] == [typed]:
            return  # a menu that has only what stands there already is in the way
        for candidate in found.candidates:
            yield Completion(
                candidate.text,
                start_position=found.start - document.cursor_position,
                display=neutral(candidate.text),
                display_meta=neutral(candidate.help),
            )
