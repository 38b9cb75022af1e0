"""A transcript of a session: what was typed and what came of it, as text or Markdown.

The dispatcher feeds it, so that it is the same whichever front end runs. It is drawn for a page of
fixed width without colours, and what looks like a secret is masked.
"""

from __future__ import annotations

import enum
import io
import os
import re
from typing import TYPE_CHECKING

from bitsshell.concealed import concealed, concealed_line
from bitsshell.errors import BitsShellError, UsageError, shown
from bitsshell.known_secrets import scrub
from bitsshell.render import Output, make_renderer
from bitsshell.render.errors import error_lines
from bitsshell.render.text import neutral
from bitsshell.render.units import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from bitsshell.results import Event

_WIDTH = 100


class TranscriptFormat(enum.StrEnum):
    """What `transcript start --format` takes."""

    TEXT = "text"
    MD = "md"


class Transcript:
    """Appends to a file that only its user can read. A command is written when it has ended."""

    def __init__(self, path: Path, form: TranscriptFormat, clock: Callable[[], datetime]) -> None:
        """Raises UsageError when the file cannot be written."""
        self.path = path
        self.form = form
        self.clock = clock
        title = f"bitsshell session, {timestamp(clock())}"
        self._write(f"# {title}\n" if form is TranscriptFormat.MD else f"{title}\n")

    def taking(self, command: str, events: Iterator[Event], output: Output) -> Iterator[Event]:
        """Pass events on, and write down what they say."""
        began, page = self.clock(), io.StringIO()
        renderer = make_renderer(output, out=page, err=page, width=_WIDTH, clock=self.clock)
        try:
            for event in events:
                renderer.feed(event)
                yield event
        except BitsShellError as error:
            page.write("".join(f"{line}\n" for line in error_lines(error, _WIDTH)))
            raise
        finally:
            renderer.close()
            self._entry(command, page.getvalue(), began)

    def refused(self, command: str, error: BitsShellError) -> None:
        """A command that could not even be read."""
        lines = "".join(f"{line}\n" for line in error_lines(error, _WIDTH))
        self._entry(command, lines, self.clock())

    def _entry(self, command: str, answer: str, at: datetime) -> None:
        line = neutral(concealed_line(scrub(command)))
        answer = concealed(scrub(answer))
        if self.form is TranscriptFormat.TEXT:
            self._write(f"\n{timestamp(at)} > {line}\n{answer}")
            return
        longest = max(map(len, re.findall("`+", f"{line}\n{answer}")), default=0)
        fence = "`" * max(3, longest + 1)  # a host cannot end the block
        self._write(f"\n## {timestamp(at)}\n\n{fence}text\n> {line}\n{answer}{fence}\n")

    def _write(self, text: str) -> None:
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            descriptor = os.open(self.path, flags, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError as error:
            raise UsageError(
                f"the transcript {shown(str(self.path))} cannot be written: {error.strerror}",
                hint="transcript stop ends it; transcript start FILE begins another",
            ) from error
