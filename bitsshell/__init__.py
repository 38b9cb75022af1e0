"""bitsshell: BITS transfer jobs on remote Windows hosts, over WinRM.

The layers, lowest first: `errors`, `wsman`, `bits`, `results`, `fleet`, `journal`, `session`,
`commands`, and on top of them the front ends `cli`, `shell` and the package `magics`.
`practice` is a fleet of emulated hosts and shares no code with the client.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"


def load_ipython_extension(ipython: object) -> None:
    """`%load_ext bitsshell`: the same as `%load_ext magics`. Nothing else here knows of IPython."""
    importlib.import_module("magics").load_ipython_extension(ipython)


def unload_ipython_extension(ipython: object) -> None:
    """`%unload_ext bitsshell`."""
    importlib.import_module("magics").unload_ipython_extension(ipython)
