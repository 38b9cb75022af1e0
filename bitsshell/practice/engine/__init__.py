"""A BITS engine: jobs, their state machine, and transfers that really move bytes.

Follows the numbered statements of the BITS facts; comments and docstrings cite them. It knows
nothing of WinRM: the provider in `bitsshell.practice.winrm` calls it as WMI calls the service.
"""

from __future__ import annotations
