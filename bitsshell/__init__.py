"""bitsshell: BITS transfer jobs on remote Windows hosts, over WinRM.

The layers, lowest first: `errors`, `wsman`, `bits`, `results`, `fleet`, `journal`, `session`,
`commands`, `api`, and on top of them the front ends `cli`, `shell` and the package `magics`.
`practice` is a fleet of emulated hosts and shares no code with the client.

    with bitsshell.connect("srv01", user="ADMIN") as bits:
        print(bits.jobs(state="error").names)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bitsshell.api import connect as connect

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`connect`, whose module is imported when somebody asks for it."""
    if name != "connect":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bitsshell.api import connect

    return connect


def load_ipython_extension(ipython: object) -> None:
    """`%load_ext bitsshell`: the same as `%load_ext magics`. Nothing else here knows of IPython."""
    importlib.import_module("magics").load_ipython_extension(ipython)


def unload_ipython_extension(ipython: object) -> None:
    """`%unload_ext bitsshell`."""
    importlib.import_module("magics").unload_ipython_extension(ipython)
