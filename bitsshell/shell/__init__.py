"""The interactive shell: one prompt after another over one session.

Lives here: the loop, reading lines (prompt_toolkit, or plain where there is no console), the
prompt's text, history, and how completion looks. May not live here: what a verb does, what fits at
a position (`commands.completion`), and how answers look (`render`).

Nothing is imported here, for a shell's first prompt stands before the rest is loaded (`opening`).
"""
