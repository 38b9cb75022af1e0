"""`bitsshell` in a terminal of its own, with an emulator as its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

COLUMNS, LINES = 110, 30
TIMEOUT_S = 60.0

_IN_THIS_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


class _Screen(pyte.Screen):
    """A screen that answers where its cursor is, as terminals do."""

    def __init__(self, master: int) -> None:
        super().__init__(COLUMNS, LINES)
        self.master = master

    def write_process_input(self, data: str) -> None:
        os.write(self.master, data.encode())


class PtyShell:
    """One run of a program, by default of ours. At the end of the context it is gone."""

    def __init__(
        self,
        folder: Path,
        arguments: Sequence[str] = (),
        *,
        program: Sequence[str] = (sys.executable, "-m", "bitsshell"),
        **environment: str,
    ) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        kept = {"PATH", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _IN_THIS_TERMINAL, *program, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={
                **{name: value for name, value in os.environ.items() if name in kept},
                "HOME": str(folder),
                "XDG_STATE_HOME": str(folder / "state"),
                "TERM": "xterm-256color",
                "PAGER": "",  # whole answers on the screen; what pages has tests of its own
                **environment,
            },
        )
        os.close(slave)
        self.raw = b""
        self.screen = _Screen(self.master)
        self._stream = pyte.ByteStream(self.screen)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    @property
    def last_line(self) -> str:
        """The line that the cursor is on."""
        return self.screen.display[self.screen.cursor.y].rstrip()

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.master, keys.encode())

    def see(self, *texts: str) -> None:
        """Wait until all of this is on the screen."""
        self.wait_for(lambda: all(text in self.text for text in texts), f"to see {texts}")

    def see_prompt(self) -> None:
        """Wait until the cursor stands behind an empty prompt."""
        self.wait_for(
            lambda: self.last_line.startswith("bits") and self.last_line.endswith(">"), "the prompt"
        )

    def run(self, line: str) -> None:
        """Type a line at the prompt, and wait for the next prompt."""
        self.see_prompt()
        self.type(line)
        self.wait_for(lambda: line[-20:] in self.text, f"the echo of {line}")
        self.type("\r")
        self.wait_for(lambda: not self.last_line.endswith(line[-20:]), f"{line} to be taken")
        self.see_prompt()

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Read what the program writes until the screen is as wanted."""
        end = time.monotonic() + TIMEOUT_S
        while not condition():
            if not self._read(end - time.monotonic()):
                raise AssertionError(f"waited for {what}; the screen is:\n{self.text}")

    def wait_for_end(self) -> int:
        """Read until the program ends; its exit code."""
        end = time.monotonic() + TIMEOUT_S
        while self._read(end - time.monotonic()):
            pass
        return self.process.wait(TIMEOUT_S)

    def _read(self, timeout_s: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], max(0.0, timeout_s))
        data = b""
        if ready:
            with suppress(OSError):  # Linux says EIO when nobody has the other end any more
                data = os.read(self.master, 65536)
        self.raw += data
        self._stream.feed(data)
        return bool(data)
