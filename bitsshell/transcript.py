"""A transcript of a session: what was typed and what came of it, as text or Markdown.

The dispatcher feeds it, so that it is the same whichever front end runs. It is drawn for a page of
fixed width without colours, and what looks like a secret is masked.
"""

from __future__ import annotations

import enum
import io
import os
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bitsshell.concealed import concealed, concealed_line
from bitsshell.errors import BitsShellError, UsageError, shown
from bitsshell.known_secrets import scrub
from bitsshell.render import Output, make_renderer
from bitsshell.render.errors import error_lines
from bitsshell.render.text import neutral
from bitsshell.render.units import timestamp
from bitsshell.results import Notice, Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from bitsshell.render import Renderer
    from bitsshell.results import Event

_WIDTH = 100


class TranscriptFormat(enum.StrEnum):
    """What `transcript start --format` takes."""

    TEXT = "text"
    MD = "md"


class Transcript:
    """Appends to a file that only its user can read. A command is written when it has ended.

    What cannot be written takes nothing from a command: it is said once, and kept as `problem`.
    """

    def __init__(self, path: Path, form: TranscriptFormat, clock: Callable[[], datetime]) -> None:
        """Raises UsageError when the file cannot be written."""
        self.path = path
        self.form = form
        self.clock = clock
        self.problem: str | None = None
        self._said: str | None = None
        title = f"bitsshell session, {timestamp(clock())}"
        try:
            self._append(f"# {title}\n" if form is TranscriptFormat.MD else f"{title}\n")
        except OSError as error:
            raise UsageError(
                f"the transcript {shown(str(path))} cannot be written: {error.strerror}",
                hint="name another file: transcript start FILE",
            ) from error

    def taking(self, command: str, events: Iterator[Event], output: Output) -> Iterator[Event]:
        """Pass events on, and write down what they say."""
        began, page = self.clock(), io.StringIO()
        renderer = make_renderer(output, out=page, err=page, width=_WIDTH, clock=self.clock)
        with ExitStack() as ending:
            ending.callback(self._end, command, renderer, page, began)
            try:
                for event in events:
                    renderer.feed(event)
                    if isinstance(event, Summary):  # it comes last, so all there is to say precedes
                        ending.close()
                        yield from map(Notice, self._news())
                    yield event
            except BitsShellError as error:
                page.write("".join(f"{line}\n" for line in error_lines(error, _WIDTH)))
                raise

    def refused(self, command: str, error: BitsShellError) -> None:
        """A command that could not even be read."""
        lines = "".join(f"{line}\n" for line in error_lines(error, _WIDTH))
        self._entry(command, lines, self.clock())

    def _end(self, command: str, renderer: Renderer, page: io.StringIO, began: datetime) -> None:
        renderer.close()
        self._entry(command, page.getvalue(), began)

    def _news(self) -> Iterator[str]:
        """What to say of a file that could not be written; once for each cause."""
        if self.problem is not None and self.problem != self._said:
            self._said = self.problem
            yield f"{self.problem}; transcript stop ends it"

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
            self._append(text)
        except OSError as error:
            path = shown(str(self.path))
            self.problem = f"not everything is in the transcript {path}: {error.strerror}"

    def _append(self, text: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(self.path, flags, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
