"""Practice hosts as targets, and sessions on them, for tests of the fleet and the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.bits import CreateJob, FileSpec, Job, new_reference
from bitsshell.fleet.channels import Task
from bitsshell.fleet.credentials import PASSWORD_VARIABLE, Credential, Credentials
from bitsshell.fleet.fanout import TimeLimit
from bitsshell.fleet.targets import Auth, LogonOptions, Target
from bitsshell.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bitsshell.bits import Operation
    from bitsshell.practice import PracticeHost
    from bitsshell.results import Outcome


def target_of(host: PracticeHost, auth: Auth = Auth.BASIC) -> Target:
    logon = LogonOptions(user=host.username, auth=auth)
    return Target(name=host.name, url=host.endpoint, logon=logon)


def credential_of(host: PracticeHost, auth: Auth = Auth.BASIC) -> Credential:
    return Credential(auth, host.username, host.password)


def task_for(host: PracticeHost, operation: Operation, auth: Auth = Auth.BASIC) -> Task:
    return Task(target_of(host, auth), credential_of(host, auth), operation)


def creation(url: str, name: str = "nightly", *, suspended: bool = True) -> CreateJob:
    files = (FileSpec(url, rf"C:\in\{name}.bin"),)
    return CreateJob(name=name, files=files, reference=new_reference(), suspended=suspended)


def session_on(
    hosts: Iterable[PracticeHost], auth: Auth = Auth.BASIC, *, password: str | None = None
) -> Session:
    """A session whose targets are these hosts, and which has their password in its environment."""
    hosts = tuple(hosts)
    given = hosts[0].password if password is None else password
    session = Session(credentials=Credentials(environment={PASSWORD_VARIABLE: given}), user="me")
    session.targets = tuple(session.remember(target_of(host, auth)) for host in hosts)
    return session


def create(session: Session, url: str, name: str = "nightly", *, suspended: bool = True) -> Job:
    """A job on the first target."""
    operation = creation(url, name, suspended=suspended)
    (outcome,) = session.ask(session.targets[:1], operation)
    assert isinstance(outcome.value, Job), outcome
    return outcome.value


def taken(
    outcomes: Iterable[Outcome], into: list[Outcome] | None = None
) -> tuple[list[Outcome], type[BaseException] | None]:
    """All outcomes, and what ended them before their time."""
    found = [] if into is None else into
    try:
        for outcome in outcomes:
            found.append(outcome)
    except (KeyboardInterrupt, TimeLimit) as ending:
        return found, type(ending)
    return found, None
