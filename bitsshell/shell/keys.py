"""Keys of our own: Tab that is heard however fast it comes, the editor, and F2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, get_common_complete_suffix
from prompt_toolkit.filters import emacs_mode, has_selection, vi_navigation_mode
from prompt_toolkit.key_binding import KeyBindings

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.key_binding import KeyPressEvent


def key_bindings(switch_toolbar: Callable[[], None] = lambda: None) -> KeyBindings:
    """Tab takes the only candidate, else what all have in common, and opens the menu.

    F2 switches the toolbar. Ctrl-X Ctrl-E, `v` in vi's mode, opens the line in `$EDITOR`.

    prompt_toolkit's own Tab is lost when it comes while the letters before it are still being
    completed. Our candidates come from memory, so they need not be waited for.
    """
    keys = KeyBindings()

    @keys.add("tab")
    def complete(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and len(buffer.complete_state.completions) > 1:
            buffer.complete_next()
            return
        document = buffer.document
        wanted = CompleteEvent(completion_requested=True)
        candidates = list(buffer.completer.get_completions(document, wanted))
        if len(candidates) == 1:
            buffer.apply_completion(candidates[0])
        elif candidates:
            buffer.insert_text(get_common_complete_suffix(document, candidates))
            buffer.start_completion(select_first=False)

    @keys.add("c-x", "c-e", filter=emacs_mode & ~has_selection)
    @keys.add("v", filter=vi_navigation_mode)
    def edit(event: KeyPressEvent) -> None:
        # prompt_toolkit's own key also runs the line when the editor is left, given up or not.
        event.current_buffer.open_in_editor(validate_and_handle=False)

    @keys.add("f2")
    def toolbar(event: KeyPressEvent) -> None:
        switch_toolbar()
        event.app.invalidate()

    return keys
