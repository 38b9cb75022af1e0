"""Whether a person is there, and how to ask them.

A kernel says with every request whether its front end can answer questions. JupyterLab can;
nbclient, papermill and `jupyter execute` cannot, and there nothing is ever asked.
"""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from bitsshell.terminal import Asking

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from bitsshell.session import Session


def is_kernel(shell: InteractiveShell) -> bool:
    """Whether the shell is a kernel's: its displays can be updated in place."""
    return _kernel(shell) is not None


def is_attended(shell: InteractiveShell) -> bool:
    """Whether somebody can answer a question right now."""
    kernel = _kernel(shell)
    if kernel is not None:
        return bool(getattr(kernel, "_allow_stdin", False))
    return sys.stdin is not None and sys.stdin.isatty()


def _kernel(shell: InteractiveShell) -> object | None:
    return getattr(shell, "kernel", None)


def asking(shell: InteractiveShell, session: Session, *, is_batch: bool = False) -> Asking:
    """Who answers the questions of the command that runs now; passwords too. In a batch nobody."""
    if is_batch or not is_attended(shell):
        session.credentials.ask = None
        return Asking(None)
    session.credentials.ask = _ask_password
    return Asking(_read_line)


def _read_line(prompt: str) -> str:
    # Looked up now: a kernel puts functions of its own in place of both while a cell runs.
    return input(prompt)


def _ask_password(prompt: str) -> str:
    return getpass.getpass(prompt)
