"""What the shell's tests share: typing through prompt_toolkit, and lines read from a list."""

from __future__ import annotations

import io
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from bitsshell.fleet.credentials import PASSWORD_VARIABLE, Credentials
from bitsshell.session import Session
from bitsshell.shell.bare import BarePrompt
from bitsshell.shell.loop import run_shell
from bitsshell.shell.readers import PromptReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.input import PipeInput

    from bitsshell.practice import PracticeHost

_PATIENCE_S = 60.0


@dataclass
class Ran:
    """What a shell left behind."""

    code: int
    out: str
    err: str
    session: Session

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Listed:
    """A reader that reads from a list; an exception in it is raised. At its end is the input's."""

    lines: list[str | type[BaseException]]
    secrets: list[str] = field(default_factory=list)
    notices: tuple[str, ...] = ()
    prompts: list[str] = field(default_factory=list)

    def read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        if not self.lines:
            raise EOFError
        line = self.lines.pop(0)
        if isinstance(line, str):
            return line
        raise line

    ask = read

    def ask_secret(self, prompt: str) -> str:
        self.prompts.append(prompt)
        if not self.secrets:
            raise EOFError
        return self.secrets.pop(0)

    def close(self) -> None:
        pass


def run_lines(
    *lines: str | type[BaseException],
    session: Session | None = None,
    reader: Listed | None = None,
) -> Ran:
    """Run lines in a shell that has no terminal."""
    session = session or Session(credentials=Credentials(environment={}))
    out, err = io.StringIO(), io.StringIO()
    try:
        code = run_shell(session, reader=reader or Listed(list(lines)), out=out, err=err)
    finally:
        session.close()
    return Ran(code, out.getvalue(), err.getvalue(), session)


@dataclass
class Step:
    """Keys, and what the line must look like before they are pressed."""

    when: Callable[[Buffer], bool]
    keys: str


def text_is(text: str) -> Callable[[Buffer], bool]:
    """The line reads like this."""
    return lambda buffer: buffer.text == text


def menu_has(*texts: str) -> Callable[[Buffer], bool]:
    """The menu of completions is open, with exactly these."""
    return lambda buffer: (
        buffer.complete_state is not None
        and [item.text for item in buffer.complete_state.completions] == list(texts)
    )


class Typist:
    """Presses keys, each time when the line has become what the next step waits for."""

    def __init__(self, reader: PromptReader, pipe: PipeInput, steps: list[Step]) -> None:
        self.pipe = pipe
        self.steps = list(steps)
        self.seen: list[str] = []
        app = reader._lines.app
        self.buffer = reader._lines.default_buffer
        app.after_render += lambda _: self._press()

    def _press(self) -> None:
        self.seen.append(self.buffer.text)
        if self.steps and self.steps[0].when(self.buffer):
            self.pipe.send_text(self.steps.pop(0).keys)


@contextmanager
def typing(session: Session, history: Path) -> Iterator[tuple[PromptReader, PipeInput]]:
    """A reader that takes its keys from a pipe. What waits for keys in vain is left at last."""
    with create_pipe_input() as pipe:
        reader = PromptReader(session, BarePrompt(history, input=pipe, output=DummyOutput()))
        giving_up = threading.Timer(_PATIENCE_S, pipe.send_text, ["\x03\x04\x04"])
        giving_up.start()
        try:
            yield reader, pipe
        finally:
            giving_up.cancel()
            reader.close()


def type_keys(session: Session, history: Path, *steps: Step | str) -> Ran:
    """Run a shell on keys. A text is what is typed at an empty line."""
    out, err = io.StringIO(), io.StringIO()
    made = [step if isinstance(step, Step) else Step(text_is(""), step) for step in steps]
    with typing(session, history) as (reader, pipe):
        typist = Typist(reader, pipe, made)
        code = run_shell(session, reader=reader, out=out, err=err)
        assert not typist.steps, f"never came to {typist.steps}; saw {typist.seen}"
    return Ran(code, out.getvalue(), err.getvalue(), session)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for what nobody announces. Raises AssertionError when it does not come about."""
    pause, end_s = threading.Event(), time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, f"waited in vain for {what}"
        pause.wait(0.005)


def session_for(host: PracticeHost) -> Session:
    """A session that has the password of the practice hosts, and nothing else."""
    return Session(credentials=Credentials(environment={PASSWORD_VARIABLE: host.password}))


def use(host: PracticeHost, auth: str = "basic") -> str:
    """The line that chooses a practice host."""
    return f"use {host.endpoint} --user {host.username} --auth {auth}"
