"""bitsshell: BITS transfer jobs on remote Windows hosts, over WinRM.

The layers, lowest first: `errors`, `wsman`, `bits`, `results`, `fleet`, `journal`, `session`,
`commands`, and on top of them the front ends `cli`, `shell` and the package `magics`.
`practice` is a fleet of emulated hosts and shares no code with the client.
"""

from __future__ import annotations

__version__ = "0.1.0"
