"""`bitsshell.connect`: every verb as a method, on the same path as in the shell.

A method raises where the shell would exit with a code; what arrived until then is in `result` of
the exception. Nothing is printed, and nobody is asked unless `ask` or `confirm` is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

from bitsshell import config
from bitsshell.api.arguments import argument, words_of
from bitsshell.api.errors import from_error, in_calls
from bitsshell.api.running import Engine, EventView, Settings, Unseen
from bitsshell.commands import Dispatcher
from bitsshell.commands.own_lines import checked
from bitsshell.commands.policy import INTERVAL
from bitsshell.commands.types import Duration
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.fleet.credentials import Credentials
from bitsshell.journal import open_journal
from bitsshell.render import question
from bitsshell.session import Session

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import timedelta
    from types import TracebackType

    from bitsshell.api.answers import Answer
    from bitsshell.api.job import Job
    from bitsshell.api.sets import (
        Checks,
        Diagnosis,
        FileSet,
        HostSet,
        JobSet,
        Outcomes,
        UrlGroups,
        WatchResult,
    )
    from bitsshell.bits import JobState
    from bitsshell.commands import Interaction
    from bitsshell.fleet.targets import Auth
    from bitsshell.results import Plan

    JobLike = str | Job | Iterable[str | Job]
    """A job as typed (id, name, pattern, reference), as it was read, or several."""
    Span = float | str | timedelta
    """Seconds, `"5m"`, or a timedelta."""


def connect(
    *hosts: str,
    user: str | None = None,
    auth: str | Auth | None = None,
    port: int | None = None,
    tls: bool | None = None,
    ca: str | os.PathLike[str] | None = None,
    tls_fingerprint: str | None = None,
    tls_no_verify: bool = False,
    certificate: str | os.PathLike[str] | None = None,
    certificate_key: str | os.PathLike[str] | None = None,
    proxy: str | None = None,
    allow_unencrypted: bool = False,
    keyring: bool = False,
    ask: Callable[[str], str] | None = None,
    confirm: Callable[[str], bool] | None = None,
    what_if: bool = False,
    yes: bool = False,
    timeout: Span | None = None,
    interval: Span | None = None,
    config_file: str | os.PathLike[str] | None = None,
) -> Connection:
    """A connection to hosts, for `with`. Nothing is sent before the first method is called.

    Args:
        hosts: names, ranges (`web[01-40]`), groups (`@web`) or endpoints, as `-H` takes them.
        user: and what follows, to `keyring`: how to log on, as the options of these names say it.
        ask: gets a prompt and returns a password, such as `getpass.getpass`; without it, passwords
            come from BITSSHELL_PASSWORD, or from the keyring with `keyring=True`.
        confirm: gets the question about a plan that needs a yes and answers it.
        what_if: change nothing, only plan.
        yes: agree to every plan.
        timeout: for every method that is told none; 0.1 s at least.
        interval: between two polls, for every method that is told none; 0.05 s at least.
        config_file: in place of the usual configuration files.

    Raises:
        BitsUsageError: something of it is no host or group, or no value of its option.
    """
    logon = {
        "user": user, "auth": auth, "port": port, "tls": tls, "no_tls": tls is False, "ca": ca,
        "tls_fingerprint": tls_fingerprint, "tls_no_verify": tls_no_verify,
        "certificate": certificate, "certificate_key": certificate_key, "proxy": proxy,
        "allow_unencrypted": allow_unencrypted, "keyring": keyring,
    }  # fmt: skip
    try:
        settings = Settings(
            timeout_s=_seconds("timeout", timeout, Duration(minimum_s=0.1)),
            interval_s=_seconds("interval", interval, INTERVAL),
        )
        session = _session(hosts, logon, config_file, ask)
    except BitsShellError as error:
        raise from_error(error) from error
    session.what_if = session.what_if or what_if
    return Connection(session, settings, _Answering(confirm), yes=yes)


def _session(
    hosts: Sequence[str],
    logon: Mapping[str, Any],
    config_file: str | os.PathLike[str] | None,
    ask: Callable[[str], str] | None,
) -> Session:
    """A session that acts on the hosts and logs on so. Raises BitsShellError, with none open."""
    loaded = checked(config.load(None if config_file is None else str(config_file)))
    session = Session(
        credentials=Credentials(ask=ask),
        config=loaded,
        journal=open_journal(loaded.journal),
        front="api",
    )
    try:
        session.logon = Dispatcher(session).parse(words_of("hosts", (), logon)).call.logon
        if hosts:
            session.targets = session.select(hosts, many=True)
    except BitsShellError:
        session.close()
        raise
    return session


def _seconds(name: str, span: Span | None, kind: Duration) -> float | None:
    """A span of time in seconds. Raises UsageError, which says what it was given for."""
    if span is None:
        return None
    try:
        return kind.convert(argument(span), None, None)
    except UsageError as error:
        raise UsageError(f"{name}: {error.what()}", hint=error.hint) from error


class _Answering:
    """Answers with a function of the program's own."""

    def __init__(self, confirm: Callable[[str], bool] | None) -> None:
        self._confirm = confirm
        self.is_attended = False

    def confirm(self, plan: Plan) -> bool | None:
        """What the function says; None where there is none."""
        return None if self._confirm is None else self._confirm(question(plan))

    def ask(self, question: str) -> str:
        """Nobody is there."""
        del question
        return ""


class Connection:
    """Hosts, and every verb as a method on them. One thread at a time may use it.

    Every method takes the options of its verb by name (`on_error="cancel"`), and with `host` one
    command's own hosts. It raises `CommandError`: see `bitsshell.api.errors`.
    """

    def __init__(
        self,
        session: Session,
        settings: Settings,
        interaction: Interaction,
        *,
        yes: bool = False,
    ) -> None:
        self.session = session
        self._engine = Engine(session, settings)
        self._interaction = interaction
        self._yes = yes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def __repr__(self) -> str:
        """One line: the hosts."""
        return f"<Connection to {', '.join(self.hosts) or 'no host'}>"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that methods act on where nothing else is said."""
        return tuple(target.name for target in self.session.targets)

    def run(
        self, verb: str, *arguments: Any, view: EventView | None = None, **options: Any
    ) -> Answer[Any]:
        """Any verb, also one that has no method here, with its options by name.

        `view` sees the events as they come, for a program that shows progress.
        """
        if self._yes:
            options.setdefault("yes", True)
        try:
            words = words_of(verb, arguments, options)
        except BitsShellError as error:
            raise from_error(error) from error
        dispatcher, invocation = self._engine.parse(words, self._interaction)
        ran = self._engine.run(dispatcher, invocation, view or Unseen())
        if ran.problem is not None:
            raise in_calls(ran.problem)
        return ran.answer

    # Look

    def jobs(
        self, *jobs: JobLike, state: str | Iterable[str | JobState] | None = None, **options: Any
    ) -> JobSet:
        """The jobs of the hosts, or those named, of these states."""
        return cast("JobSet", self.run("jobs", *jobs, state=state, **options))

    def job(self, job: str | Job, **options: Any) -> Job:
        """One job in full, with its files and its error. Raises `LookupFailed` for several."""
        return self.show(job, **options).one()

    def show(self, *jobs: JobLike, **options: Any) -> JobSet:
        """Jobs in full, with their files and errors."""
        return cast("JobSet", self.run("show", *jobs, **options))

    def files(self, *jobs: JobLike, **options: Any) -> FileSet:
        """The files of jobs with their progress."""
        return cast("FileSet", self.run("files", *jobs, **options))

    def explain(self, *what: JobLike | int, **options: Any) -> Diagnosis:
        """What the errors of jobs, or codes, mean."""
        texts = [f"0x{one & 0xFFFFFFFF:08X}" if isinstance(one, int) else one for one in what]
        return cast("Diagnosis", self.run("explain", *texts, **options))

    def status(self, **options: Any) -> HostSet:
        """The known hosts; with `check=True` each is asked what it is."""
        return cast("HostSet", self.run("hosts", **options))

    def doctor(self, *hosts: str, **options: Any) -> Checks:
        """Check hosts step by step."""
        return cast("Checks", self.run("doctor", *hosts, **options))

    # Make

    def create(self, *pairs: str, **options: Any) -> Outcomes:
        """A job on each host, with files as `URL, PATH, URL, PATH ...`; resumed unless `suspended`.

        Where a job of that name is there, `if_exists` says what to do: `"error"` (default),
        `"reuse"`, `"replace"`, `"new"`.
        """
        return cast("Outcomes", self.run("create", *pairs, **options))

    def add(self, job: JobLike, *pairs: str, **options: Any) -> Outcomes:
        """Add files to a job, as `URL, PATH, URL, PATH ...`."""
        return cast("Outcomes", self.run("add", job, *pairs, **options))

    def transfer(self, *pairs: str, view: EventView | None = None, **options: Any) -> WatchResult:
        """Create a job, follow it, complete it, and verify the result."""
        return cast("WatchResult", self.run("transfer", *pairs, view=view, **options))

    # Change

    def set(self, *jobs: JobLike, **options: Any) -> Outcomes:  # the verb's name
        """Change properties: `priority`, `name`, `description`, `retry_delay`, ..."""
        return cast("Outcomes", self.run("set", *jobs, **options))

    def resume(self, *jobs: JobLike, **options: Any) -> Outcomes:
        """Resume jobs, or all of a `state`."""
        return cast("Outcomes", self.run("resume", *jobs, **options))

    def suspend(self, *jobs: JobLike, **options: Any) -> Outcomes:
        """Suspend jobs, or all of a `state`."""
        return cast("Outcomes", self.run("suspend", *jobs, **options))

    def complete(self, *jobs: JobLike, **options: Any) -> Outcomes:
        """Complete jobs. For one that is not finished `yes=True` is needed."""
        return cast("Outcomes", self.run("complete", *jobs, **options))

    def cancel(self, *jobs: JobLike, **options: Any) -> Outcomes:
        """Cancel jobs. It needs `yes=True`."""
        return cast("Outcomes", self.run("cancel", *jobs, **options))

    def credentials(self, *jobs: JobLike, **options: Any) -> Outcomes:
        """Give jobs credentials (`job_user`, `scheme`, `target`), or `remove=True`.

        The password comes from BITSSHELL_JOB_PASSWORD, or from the keyring with `keyring=True`.
        """
        return cast("Outcomes", self.run("credentials", *jobs, **options))

    def proxy(self, *jobs: JobLike, **options: Any) -> Outcomes:
        """Which proxy jobs take: `list` (and `bypass`), `no_proxy`, `preconfig`, `autodetect`."""
        return cast("Outcomes", self.run("proxy", *jobs, **options))

    def certificate(self, *jobs: JobLike, **options: Any) -> Outcomes:
        """Which client certificate jobs show: `subject` or `hash`, or `remove=True`."""
        return cast("Outcomes", self.run("certificate", *jobs, **options))

    # Serve files

    def publish(self, *pairs: str, **options: Any) -> Outcomes:
        """Let files of the hosts be fetched, as `URL, PATH, URL, PATH ...`."""
        return cast("Outcomes", self.run("publish", *pairs, **options))

    def unpublish(self, *urls: str, **options: Any) -> Outcomes:
        """Take URLs back, or with `group` and `all=True` a whole group, which needs `yes=True`."""
        return cast("Outcomes", self.run("unpublish", *urls, **options))

    def published(self, *urls: str, **options: Any) -> UrlGroups:
        """The URL groups of the hosts, or whether URLs are published."""
        return cast("UrlGroups", self.run("published", *urls, **options))

    # Follow

    def watch(self, *jobs: JobLike, view: EventView | None = None, **options: Any) -> WatchResult:
        """Watch jobs to their end; without any, whole queues until `timeout`."""
        return cast("WatchResult", self.run("watch", *jobs, view=view, **options))

    def wait(self, *jobs: JobLike, **options: Any) -> Outcomes:
        """Wait until jobs are TRANSFERRED, or in one of the states of `until`."""
        return cast("Outcomes", self.run("wait", *jobs, **options))

    def manage(self, *jobs: JobLike, view: EventView | None = None, **options: Any) -> WatchResult:
        """Stay with jobs to their end and act on their state."""
        return cast("WatchResult", self.run("manage", *jobs, view=view, **options))
