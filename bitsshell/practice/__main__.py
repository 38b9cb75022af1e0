"""`python -m bitsshell.practice`: the same as `bitsshell practice`."""

from __future__ import annotations

from .command import practice

if __name__ == "__main__":
    practice(prog_name="python -m bitsshell.practice")
