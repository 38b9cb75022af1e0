"""The IPython extension: `%load_ext bitsshell` or `%load_ext magics`.

Lives here: what makes the verbs of `bitsshell.commands` into magics, their values into objects
that a notebook shows, and their endings into exceptions that a runner believes. May not live here:
verbs, rendering, anything that talks to a host. Nothing of IPython is imported before the extension
is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Add `%bits` and `%bits_VERB` to a shell. A second time, by either name, changes nothing."""
    from magics.extension import load

    load(ipython)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """Take them away again, and close the connections."""
    from magics.extension import unload

    unload(ipython)
