"""The interactive shell: one prompt after another over one session.

Lives here: the loop, reading lines (prompt_toolkit, or plain where there is no console), the
prompt's text, history, and how completion looks. May not live here: what a verb does, what fits at
a position (`commands.completion`), and how answers look (`render`).
"""

from __future__ import annotations

from bitsshell.shell.loop import run_shell

__all__ = ["run_shell"]
