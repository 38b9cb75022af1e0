"""`python -m bitsshell`."""

from __future__ import annotations

from bitsshell.cli import main

main()
