"""A session on practice hosts whose lines write into strings, for tests of what a person types."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bitsshell.cli import exit_code
from bitsshell.fleet.credentials import PASSWORD_VARIABLE, Credentials
from bitsshell.fleet.targets import Auth, LogonOptions, Target
from bitsshell.session import Session
from bitsshell.terminal import Asking, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from bitsshell.practice import PracticeFile, PracticeFleet, PracticeHost, PracticeJob
    from bitsshell.results import Output


@dataclass(frozen=True, slots=True)
class Ran:
    """What a line gave."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> Any:
        """The JSON on standard output."""
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lines of JSON on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def states(self) -> list[str]:
        """The states of a watched job, one after the other, without repetition."""
        seen = [event["state"] for event in self.events if event["event"] != "outcome"]
        return [now for now, before in zip(seen, [None, *seen], strict=False) if now != before]


@dataclass
class Console:
    """Runs lines as a terminal does. `answers` are typed at questions; None is nobody there."""

    hosts: tuple[PracticeHost, ...]
    answers: Iterable[str] | None = None
    auth: Auth = Auth.BASIC
    password: str | None = None
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        first = self.hosts[0]
        password = first.password if self.password is None else self.password
        self.session = Session(
            credentials=Credentials(environment={PASSWORD_VARIABLE: password}), user="tester"
        )
        logon = LogonOptions(user=first.username, auth=self.auth)
        for host in self.hosts:
            self.session.remember(Target(name=host.name, url=host.endpoint, logon=logon))
        self.session.targets = tuple(self.session.known.values())
        self.logon = logon
        self.terminal = Terminal(
            self.session,
            Asking(None if self.answers is None else self._reader(iter(self.answers))),
            out=io.StringIO(),
            err=io.StringIO(),
            environment={},
        )

    def _reader(self, answers: Iterable[str]) -> Callable[[str], str]:
        waiting = iter(answers)

        def read(question: str) -> str:
            self.asked.append(question)
            try:
                return next(waiting)
            except StopIteration:
                raise EOFError from None

        return read

    def add_host(self, name: str, url: str, **logon: Any) -> None:
        """Act on one more host, whatever answers at its URL."""
        options = LogonOptions(**{"user": self.logon.user, "auth": self.auth, **logon})
        self.session.targets += (self.session.remember(Target(name=name, url=url, logon=options)),)

    def __call__(self, line: str, *, output: Output | None = None) -> Ran:
        """Run a line as typed."""
        out, err = io.StringIO(), io.StringIO()
        self.terminal.out, self.terminal.err = out, err
        self.terminal.output = output
        ended = self.terminal.run_line(line)
        return Ran(exit_code(ended), out.getvalue(), err.getvalue())

    def words(self, *words: str) -> Ran:
        """Run words, as a command line of an OS shell gives them."""
        out, err = io.StringIO(), io.StringIO()
        self.terminal.out, self.terminal.err = out, err
        ended = self.terminal.run(words)
        return Ran(exit_code(ended), out.getvalue(), err.getvalue())

    def close(self) -> None:
        self.session.close()


@dataclass
class Site:
    """Practice hosts with empty queues and nothing wrong, and consoles on them."""

    fleet: PracticeFleet
    consoles: list[Console] = field(default_factory=list)

    @property
    def hosts(self) -> tuple[PracticeHost, ...]:
        return self.fleet.hosts

    @property
    def host(self) -> PracticeHost:
        """The first one."""
        return self.fleet.hosts[0]

    def file(self, name: str = "hello.txt") -> PracticeFile:
        """One of the files that the fleet's file server has."""
        return next(file for file in self.fleet.files if file.name == name)

    @property
    def url(self) -> str:
        """Of a small file."""
        return self.file().url

    @property
    def missing(self) -> str:
        """A URL that answers 404: a job with it goes to ERROR at once."""
        return f"{self.fleet.files_url}missing.bin"

    def console(self, hosts: int = 1, **settings: Any) -> Console:
        """A console on the first hosts."""
        console = Console(self.fleet.hosts[:hosts], **settings)
        self.consoles.append(console)
        return console

    def arrived(self, name: str, host: PracticeHost | None = None) -> Path:
        r"""Where `C:\in\name` of a host really stands."""
        return (host or self.host).path(f"C:\\in\\{name}")

    def only_job(self, host: PracticeHost | None = None) -> PracticeJob:
        (job,) = (host or self.host).jobs()
        return job

    def clear(self) -> None:
        """Empty the queues and folders, and let every host be well."""
        for console in self.consoles:
            console.close()
        self.consoles.clear()
        for host in self.fleet.hosts:
            host.faults.disarm()
            engine = host._machine.engine
            for job in host.jobs():
                cancel_job(host, job.id)
            for path in sorted(engine.files.paths.resolve("C:\\in").iterdir()):
                path.unlink()


def cancel_job(host: PracticeHost, job_id: str) -> None:
    """Cancel a job as somebody at the host itself would."""
    engine = host._machine.engine
    host._on_loop(lambda: engine.cancel(engine.find(job_id)))


def resume_job(host: PracticeHost, job_id: str) -> None:
    """Resume a job as somebody at the host itself would."""
    engine = host._machine.engine
    host._on_loop(lambda: engine.resume(engine.find(job_id)))


def complete_job(host: PracticeHost, job_id: str) -> None:
    """Complete a job as somebody at the host itself would."""
    engine = host._machine.engine
    host._on_loop(lambda: engine.complete(engine.find(job_id)))
