"""`create`, `add`, `transfer`: verbs that make jobs and put files into them."""

from __future__ import annotations

import enum
import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import click

from bitsshell.bits import (
    AddFile,
    ChangeState,
    CreateJob,
    Effect,
    FileSpec,
    JobAction,
    JobList,
    JobState,
    JobType,
    Operation,
    Priority,
    QueueUnreadable,
    ServiceAccount,
    new_reference,
)
from bitsshell.bits import Job as BitsJob
from bitsshell.bits.limits import MAX_NAME, check_description, check_name, utf16_length
from bitsshell.commands.arguments import pairs_argument
from bitsshell.commands.declare import Call, Change, option_group, verb
from bitsshell.commands.following import Follower
from bitsshell.commands.judges import ManagePolicy, OnError, OnTransferred, OnTransient, verified
from bitsshell.commands.outcomes import JobExists
from bitsshell.commands.policy import policy_options
from bitsshell.commands.settings import asked_credentials, credential_options
from bitsshell.commands.types import (
    PRIORITY,
    Checked,
    Duration,
    Job,
    Member,
    file_pairs,
)
from bitsshell.errors import UsageError, shown
from bitsshell.fleet.fanout import TimeLimit
from bitsshell.results import Event, Notice, Outcome, Plan, Status, Step, View

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from bitsshell.bits import AuthScheme, AuthTarget, JobCredentials
    from bitsshell.fleet.references import Reference


class IfExists(enum.StrEnum):
    """What `create` does about a live job of the same name on a host."""

    ERROR = "error"
    REUSE = "reuse"
    REPLACE = "replace"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The job that `create` and `transfer` were asked for, on each of several hosts."""

    files: tuple[FileSpec, ...]
    name: str
    description: str
    priority: Priority
    account: ServiceAccount
    type: JobType
    suspended: bool
    credentials: JobCredentials | None
    retry_delay_s: int | None
    no_progress_timeout_s: int | None
    if_exists: IfExists

    def operation(self, *, replaces: Sequence[str] = ()) -> CreateJob:
        """The operation for one host, with a reference of its own."""
        return CreateJob(
            name=self.name,
            files=self.files,
            reference=new_reference(),
            description=self.description,
            account=self.account,
            type=self.type,
            priority=self.priority,
            retry_delay_s=self.retry_delay_s,
            no_progress_timeout_s=self.no_progress_timeout_s,
            suspended=self.suspended,
            credentials=self.credentials,
            replaces=tuple(replaces),
        )


_creation_options = option_group(
    pairs_argument,
    click.option(
        "--name",
        type=Checked("name", check_name),
        help="the job's name (that of the URL's file)",
    ),
    click.option(
        "--description",
        type=Checked("description", check_description),
        default="",
        help="free text",
    ),
    click.option(
        "--priority", type=PRIORITY, default="normal", help="foreground, high, normal, low"
    ),
    click.option(
        "--account",
        type=Member(ServiceAccount, "account"),
        default="network-service",
        help="owner: network-service, local-service, local-system",
    ),
    click.option("--upload", is_flag=True, help="send PATH to URL instead"),
    click.option("--retry-delay", type=Duration(), help="before BITS tries again (10m)"),
    click.option(
        "--no-progress-timeout", type=Duration(), help="without progress until ERROR (14d)"
    ),
    click.option(
        "--if-exists",
        type=Member(IfExists, "choice"),
        default="error",
        help="a live job of that name: error, reuse, replace, new",
    ),
)
"""The arguments and options that `create` and `transfer` share."""


def _wanted(
    call: Call,
    pairs: tuple[str, ...],
    *,
    name: str | None,
    description: str,
    priority: Priority,
    account: ServiceAccount,
    upload: bool,
    retry_delay: float | None,
    no_progress_timeout: float | None,
    if_exists: IfExists,
    suspended: bool,
    job_user: str | None,
    scheme: AuthScheme,
    target: AuthTarget,
) -> Wanted:
    if job_user is not None and if_exists is IfExists.REUSE:
        raise UsageError(
            "a job that is reused keeps its credentials",
            hint=f"give them to it: credentials JOB --job-user {job_user}",
        )
    files = file_pairs(pairs)
    wanted = Wanted(
        files=files,
        name=name or name_for(files[0].url),
        description=description,
        priority=priority,
        account=account,
        type=JobType.UPLOAD if upload else JobType.DOWNLOAD,
        suspended=suspended,
        credentials=None,
        retry_delay_s=None if retry_delay is None else round(retry_delay),
        no_progress_timeout_s=None if no_progress_timeout is None else round(no_progress_timeout),
        if_exists=if_exists,
    )
    wanted.operation()  # what BITS would refuse is refused before any host is asked
    if job_user is None:
        return wanted
    return replace(wanted, credentials=asked_credentials(call, job_user, scheme, target))


def name_for(url: str) -> str:
    """A job's name when none is given: the URL's file, else its server, cut to 256 characters."""
    if url.startswith("\\\\"):
        last, server = url.rpartition("\\")[2], ""
    else:
        parts = urlsplit(url)
        last = unquote(posixpath.basename(parts.path.rstrip("/")))
        server = parts.hostname or ""
    printable = "".join(character for character in last if character.isprintable()).strip()
    name = (printable or server or "transfer")[:MAX_NAME]
    while utf16_length(name) > MAX_NAME:
        name = name[:-1]
    return name


@verb(
    "create",
    view=View.CHANGES,
    effect=Effect.CHANGE,
    examples=(
        r"create http://files/a.iso 'D:\in\a.iso'",
        r"create http://files/a.iso D:\in\a.iso http://files/b.iso D:\in\b.iso --name nightly",
        r"create http://files/a.iso D:\in\a.iso --suspended --priority foreground -o json",
    ),
)
@_creation_options
@credential_options
@click.option("--suspended", is_flag=True, help="do not resume it")
def create(call: Call, pairs: tuple[str, ...], **options: object) -> Change:
    """Create a job on each host, and resume it unless told not to.

    PATH is a full path as the host sees it; its folder must exist there. A job that cannot be
    finished after it was created is cancelled again.
    """
    wanted = _wanted(call, pairs, **options)  # type: ignore[arg-type]  # click made them what they are
    return Change(plan_creation(call, "create", wanted))


def plan_creation(call: Call, verb_name: str, wanted: Wanted) -> Plan:
    """One CreateJob a host, unless a job of that name is there: then as `--if-exists` says."""
    targets = call.targets()
    if wanted.if_exists is IfExists.NEW:
        return Plan(verb_name, tuple(Step(t.name, wanted.operation()) for t in targets))
    steps: list[Step] = []
    found: list[Outcome] = []
    for outcome in call.look(targets):
        if not isinstance(outcome.value, JobList):
            found.append(_unreadable(outcome))
            continue
        if outcome.value.partial:
            error = QueueUnreadable(host=outcome.host, hint=_PARTIAL_HINT)
            found.append(Outcome(host=outcome.host, status=Status.FAILED, error=error))
            continue
        same = [job for job in outcome.value.jobs if job.name == wanted.name]
        planned = _for_host(outcome.host, same, wanted)
        if isinstance(planned, Outcome):
            found.append(planned)
        else:
            steps.append(Step(outcome.host, planned))
    return Plan(verb_name, tuple(steps), tuple(found))


_PARTIAL_HINT = "whether a job of that name exists cannot be told; --if-exists new does not ask"


def _unreadable(outcome: Outcome) -> Outcome:
    if isinstance(outcome.error, QueueUnreadable):
        error = QueueUnreadable(host=outcome.host, hint=_PARTIAL_HINT)
        return Outcome(host=outcome.host, status=Status.FAILED, error=error)
    return outcome


def _for_host(host: str, same: list[BitsJob], wanted: Wanted) -> Operation | Outcome:
    if not same:
        return wanted.operation()
    if wanted.if_exists is IfExists.REPLACE:
        return wanted.operation(replaces=[job.id for job in same])
    first = same[0]
    if wanted.if_exists is IfExists.ERROR:
        error = JobExists(first)
    elif len(same) > 1:
        error = JobExists(first, f", and {len(same) - 1} more of that name")
    elif {(file.url, file.path) for file in first.files} != {
        (file.url, file.path) for file in wanted.files
    }:
        error = JobExists(first, ", with other files, so it cannot be reused")
    elif first.state in {JobState.SUSPENDED, JobState.ERROR} and not wanted.suspended:
        return ChangeState(
            first.id, JobAction.RESUME, planned_state=first.state, job_name=first.name
        )
    else:
        return Outcome(host=host, status=Status.ALREADY, value=first, job_id=first.id)
    return Outcome(host=host, status=Status.FAILED, error=error, job_id=first.id)


@verb(
    "add",
    view=View.CHANGES,
    effect=Effect.CHANGE,
    examples=(r"add nightly http://files/c.iso D:\in\c.iso",),
)
@click.argument("job", type=Job())
@pairs_argument
def add(call: Call, job: Reference, pairs: tuple[str, ...]) -> Change:
    """Add files to a job. A finished or failed job needs `resume` afterwards."""
    files = file_pairs(pairs)
    resolution = call.resolve([job])
    steps = tuple(
        Step(target.name, AddFile(found.id, file, found.name))
        for target, found in resolution.found
        for file in files
    )
    return Change(Plan("add", steps, resolution.failed))


@verb(
    "transfer",
    view=View.WATCH,
    effect=Effect.CHANGE,
    examples=(
        r"transfer http://files/a.iso D:\in\a.iso",
        r"transfer http://files/a.iso D:\in\a.iso --timeout 2h --on-error cancel --yes",
    ),
)
@_creation_options
@credential_options
@policy_options
def transfer(
    call: Call,
    pairs: tuple[str, ...],
    *,
    on_error: OnError,
    on_transient: OnTransient,
    interval: float,
    **options: object,
) -> Change:
    """Create a job, follow it, complete it, and verify the result.

    Verified is that every file was transferred in full, that nothing was dropped at `complete`,
    and that the job left the queue. BITS tells no checksum.
    """
    wanted = _wanted(call, pairs, suspended=False, **options)  # type: ignore[arg-type]  # click made them
    policy = ManagePolicy(OnTransferred.COMPLETE, on_error, on_transient)
    creation = plan_creation(call, "transfer", wanted)
    reused = [outcome for outcome in creation.found if outcome.jobs]
    plan = Plan(
        "transfer",
        creation.steps,
        creation.found,
        policy.describe(),
        policy.effect,
        follows=tuple((job.host, job.id) for outcome in reused for job in outcome.jobs),
    )

    def run() -> Iterator[Event]:
        for outcome in reused:
            yield Notice(f"{outcome.host}: {shown(wanted.name)} is there already and is followed")
        jobs = yield from _created(call, creation, reused)
        if jobs:
            targets = [call.session.known[job.host] for job in jobs]
            follower = Follower(call, targets, jobs, policy, interval_s=interval)
            yield from _verified(follower.run())

    return Change(plan, run)


def _verified(events: Iterator[Event]) -> Iterator[Event]:
    """The events with their outcomes checked, and a line on those that passed."""
    hosts: list[str] = []
    for event in events:
        if not isinstance(event, Outcome):
            yield event
            continue
        checked = verified(event)
        if checked.status.is_well:
            hosts.append(checked.host)
        yield checked
    if hosts:
        where = hosts[0] if len(hosts) == 1 else f"{len(hosts):,} hosts"
        yield Notice(f"verified on {where}: every file is there in full")


def _created(
    call: Call, creation: Plan, reused: Sequence[Outcome]
) -> Generator[Event, None, list[BitsJob]]:
    """Carry out a creation; the jobs to follow. Those that nobody will follow are said now."""
    made = list(reused)
    try:
        for outcome in call.carry_out(creation) if creation.steps else ():
            if outcome.status.is_well:
                made.append(outcome)
            else:
                yield outcome
    except (KeyboardInterrupt, TimeLimit):
        yield from made
        raise
    return [job for outcome in made for job in outcome.jobs]
