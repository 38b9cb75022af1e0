"""The `bitsshell` command as a person runs it: a process of its own, with a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Said:
    """How the command ended, and what it said."""

    code: int
    out: str
    err: list[str]


class Shell:
    """Runs `bitsshell` with this environment, as the user whose home is `home`."""

    def __init__(self, home: Path, environment: Mapping[str, str] = os.environ) -> None:
        homes = ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_STATE_HOME", "XDG_CONFIG_HOME")
        self._environment = {
            **environment,
            **dict.fromkeys((*homes, "XDG_DATA_HOME", "XDG_CACHE_HOME"), str(home)),
            "PYTHONUTF8": "1",
        }
        self._environment.pop("BITSSHELL_PASSWORD", None)
        self._environment.pop("BITSSHELL_USER", None)

    def __call__(self, *words: str, password: str | None = None) -> Said:
        environment = dict(self._environment)
        if password is not None:
            environment["BITSSHELL_PASSWORD"] = password
        done = subprocess.run(
            [sys.executable, "-m", "bitsshell", *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )
        return Said(done.returncode, done.stdout, done.stderr.splitlines())
