"""The core that every front end shares: targets, sending, resolving, time."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from at_hand import create, creation, session_on, taken, target_of
from silent_hosts import SilentHosts

from bitsshell import wsman
from bitsshell.bits import (
    ChangeState,
    GetJob,
    IdentifyHost,
    Job,
    JobAction,
    JobGone,
    JobList,
    JobProperty,
    JobState,
    ListJobs,
    Operation,
    QueueUnreadable,
    SetProperty,
)
from bitsshell.fleet.channels import Task
from bitsshell.fleet.clock import SystemClock
from bitsshell.fleet.credentials import (
    PASSWORD_VARIABLE,
    USER_VARIABLE,
    Credential,
    Credentials,
    NoCredential,
)
from bitsshell.fleet.fanout import Interrupted, OutOfTime, TimeLimit
from bitsshell.fleet.references import (
    AmbiguousReference,
    BadReference,
    NoSuchJob,
    parse_reference,
)
from bitsshell.fleet.targets import Auth, BadHost, LogonOptions, Target
from bitsshell.practice import (
    PracticeFleet,
    PracticeHost,
    PracticeSettings,
    Tls,
    WinRmSettings,
)
from bitsshell.results import Outcome, Plan, Status, Step
from bitsshell.session import NoTarget, Resolution, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

NOBODY = "00000000-0000-4000-8000-000000000000"


class HandClock:
    """A clock that waiting moves on."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.waits: list[float] = []

    def now(self) -> datetime:
        return SystemClock().now()

    def monotonic(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now_s += seconds


class ClockThatEnds(HandClock):
    """A clock that stands until something has come about, and then is far past every limit."""

    def __init__(self, has_come: Callable[[], bool]) -> None:
        super().__init__()
        self.has_come = has_come

    def monotonic(self) -> float:
        return 3600.0 if self.has_come() else 0.0


# Targets, without any host


@pytest.fixture
def alone() -> Iterator[Session]:
    with closing(Session(credentials=Credentials(None, {}), user="me")) as session:
        yield session


def test_a_host_is_known_by_its_label_from_then_on(alone: Session) -> None:
    first = alone.target("WEB01", LogonOptions(user="ann"))
    assert alone.target("web01") is first
    assert alone.target("web01").logon.user == "ann"


def test_what_is_said_now_goes_on_top_of_what_is_known(alone: Session) -> None:
    alone.logon = LogonOptions(user="ann", auth=Auth.BASIC)
    target = alone.target("web01", LogonOptions(user="bob"))
    assert (target.logon.user, target.logon.auth) == ("bob", Auth.BASIC)
    target = alone.target("web01", LogonOptions(auth=Auth.NTLM))
    assert (target.logon.user, target.logon.auth) == ("bob", Auth.NTLM)


@pytest.mark.parametrize(
    ("typed", "said", "url"),
    [
        ("web01", LogonOptions(port=5986), "https://web01:5986/wsman"),
        ("web01", LogonOptions(tls=True), "https://web01:5986/wsman"),
        ("web01", LogonOptions(port=8080), "http://web01:8080/wsman"),
        ("web01:8080", LogonOptions(tls=True), "https://web01:8080/wsman"),
        ("http://web01/p/wsman", LogonOptions(tls=True), "http://web01:5985/p/wsman"),
        ("https://web01", LogonOptions(user="ann"), "https://web01:5986/wsman"),
    ],
)
def test_a_port_or_tls_said_later_changes_the_endpoint(
    alone: Session, typed: str, said: LogonOptions, url: str
) -> None:
    name = alone.target(typed).name
    assert alone.target(typed, said).url == url
    assert alone.target(name).url == url
    assert alone.target(name, said).name == name


def test_the_same_label_at_another_endpoint_is_another_host(alone: Session) -> None:
    alone.target("web01:5986")
    plain = alone.target("http://web01:5986")
    assert plain.url == "http://web01:5986/wsman"
    assert alone.known[plain.name] is plain


def test_those_typed_are_chosen_else_those_in_use(alone: Session) -> None:
    alone.targets = (alone.target("web01"), alone.target("web02"))
    assert [target.name for target in alone.select(())] == ["web01", "web02"]
    assert [target.name for target in alone.select(("web03", "web04"))] == ["web03", "web04"]
    assert [target.name for target in alone.select(("a, b", "c"))] == ["a", "b", "c"]


def test_those_excluded_are_left_out_by_whatever_name(alone: Session) -> None:
    alone.targets = (alone.target("web01"), alone.target("web02"))
    assert [t.name for t in alone.select((), exclude=("WEB01",))] == ["web02"]
    assert [t.name for t in alone.select((), exclude=("http://web02:5985/wsman",))] == ["web01"]
    assert "web09" not in alone.known
    alone.select((), exclude=("web09",))
    assert "web09" not in alone.known


def test_one_endpoint_by_several_names_is_one_host(alone: Session) -> None:
    names = ("web01", "WEB01", "web01:5985", "http://web01:5985/wsman")
    assert [target.name for target in alone.select(names)] == ["web01"]


def test_no_host_to_act_on_is_an_error(alone: Session) -> None:
    with pytest.raises(NoTarget, match="-H HOST"):
        alone.select(())
    with pytest.raises(NoTarget):
        alone.select(("web01",), exclude=("web01",))


@pytest.mark.parametrize("typed", ["", " ", ",", "web 01"])
def test_an_empty_or_bad_host_is_an_error_and_never_the_hosts_in_use(
    alone: Session, typed: str
) -> None:
    alone.targets = (alone.target("web01"),)
    with pytest.raises(BadHost):
        alone.select((typed,))
    with pytest.raises(BadHost):
        alone.select((), exclude=(typed,))


# On hosts


@pytest.fixture(scope="module")
def fleet() -> Iterator[PracticeFleet]:
    with PracticeFleet(hosts=3) as running:
        yield running


@pytest.fixture
def url(fleet: PracticeFleet) -> str:
    return fleet.files[0].url


@pytest.fixture
def session(fleet: PracticeFleet) -> Iterator[Session]:
    """A session on three hosts, which are empty and well before and after."""
    with closing(session_on(fleet.hosts)) as made:
        yield made
    for host in fleet.hosts:
        host.faults.disarm()
    with closing(session_on(fleet.hosts)) as cleaner:
        for outcome in list(cleaner.look(cleaner.targets)):
            for job in outcome.jobs:
                target = cleaner.known[outcome.host]
                list(cleaner.ask((target,), ChangeState(job.id, JobAction.CANCEL)))


def on(session: Session, number: int, url: str, name: str = "nightly") -> Job:
    """A job on one of the hosts."""
    (outcome,) = session.ask(session.targets[number : number + 1], creation(url, name))
    assert isinstance(outcome.value, Job), outcome
    return outcome.value


def resolved(session: Session, *typed: str) -> Resolution:
    return session.resolve([parse_reference(text) for text in typed], session.targets)


def pairs(resolution: Resolution) -> list[tuple[str, str]]:
    return [(target.name, job.id) for target, job in resolution.found]


def test_one_operation_goes_to_every_host(session: Session) -> None:
    outcomes = list(session.ask(session.targets, IdentifyHost()))
    assert {outcome.host for outcome in outcomes} == {target.name for target in session.targets}
    assert {outcome.status for outcome in outcomes} == {Status.DONE}


def test_each_host_may_have_an_operation_of_its_own(session: Session, url: str) -> None:
    outcomes = list(session.ask(session.targets, lambda target: creation(url, target.name)))
    assert {(job.host, job.name) for outcome in outcomes for job in outcome.jobs} == {
        (target.name, target.name) for target in session.targets
    }


def test_a_host_that_fails_never_hides_those_that_answer(
    session: Session, fleet: PracticeFleet
) -> None:
    fleet.hosts[1].faults.arm("garbage")
    outcomes = {outcome.host: outcome for outcome in session.look(session.targets)}
    assert [outcomes[host.name].status for host in fleet.hosts] == [
        Status.DONE,
        Status.FAILED,
        Status.DONE,
    ]


def test_a_host_without_a_credential_is_an_outcome_and_the_others_are_asked(
    session: Session,
) -> None:
    nameless = session.remember(Target(name="nameless", url="http://127.0.0.1:1/wsman"))
    first, *rest = session.ask((nameless, *session.targets), ListJobs())
    assert isinstance(first.error, NoCredential)
    assert (first.host, first.error.host) == ("nameless", "nameless")
    assert {outcome.status for outcome in rest} == {Status.DONE}
    assert len(rest) == 3


def test_an_interrupt_at_the_prompt_gives_every_task_its_outcome(fleet: PracticeFleet) -> None:
    def interrupt(_: str) -> str:
        raise KeyboardInterrupt

    with closing(Session(credentials=Credentials(interrupt, {}))) as session:
        targets = [session.remember(target_of(host)) for host in fleet.hosts]
        operation = ChangeState(NOBODY, JobAction.CANCEL)
        outcomes, ending = taken(session.ask(targets, operation))
    assert ending is KeyboardInterrupt
    assert [outcome.status for outcome in outcomes] == [Status.NOT_SENT] * 3
    assert all(isinstance(outcome.error, Interrupted) for outcome in outcomes)


def test_a_plan_is_carried_out_on_its_hosts(session: Session, url: str) -> None:
    jobs = [on(session, number, url) for number in range(2)]
    steps = tuple(
        Step(job.host, SetProperty(job.id, JobProperty.PRIORITY, number))
        for number, job in enumerate(jobs)
    )
    outcomes = list(session.carry_out(Plan("set", steps)))
    priorities = {job.host: job.priority.name for outcome in outcomes for job in outcome.jobs}
    assert priorities == {jobs[0].host: "FOREGROUND", jobs[1].host: "HIGH"}


# Learning


def test_what_is_read_and_changed_is_known_afterwards(session: Session, url: str) -> None:
    job = on(session, 0, url)
    assert session.snapshot.ids_on(job.host) == (job.id,)
    list(session.look(session.targets))
    assert set(session.snapshot.read_at) == {target.name for target in session.targets}
    list(session.ask(session.targets[:1], ChangeState(job.id, JobAction.CANCEL)))
    assert session.snapshot.ids_on(job.host) == ()


def test_what_is_known_of_a_host_is_told_without_asking_it(
    session: Session, fleet: PracticeFleet, url: str
) -> None:
    target = session.targets[0]
    before = session.host_status(target)
    assert (before.is_connected, before.jobs, before.is_target) == (False, None, True)
    on(session, 0, url)
    list(session.look(session.targets[:1]))
    asked = fleet.hosts[0].stats.requests
    after = session.host_status(target)
    assert (after.is_connected, after.jobs) == (True, 1)
    assert (after.auth, after.user) == ("basic", fleet.hosts[0].username)
    assert fleet.hosts[0].stats.requests == asked


def test_a_host_that_took_a_certificate_is_connected() -> None:
    settings = PracticeSettings(winrm=WinRmSettings(certificate=True))
    with (
        PracticeFleet(hosts=1, tls=Tls.GOOD, settings=settings) as fleet,
        closing(Session(credentials=Credentials(environment={}))) as session,
    ):
        host, mine = fleet.hosts[0], fleet.client_certificate()
        assert host.certificate is not None
        logon = LogonOptions(
            auth=Auth.CERTIFICATE,
            certificate=str(mine.path),
            certificate_key=str(mine.key_path),
            ca_file=str(host.certificate.path),
        )
        target = session.remember(Target(name=host.name, url=host.endpoint, logon=logon))
        assert not session.host_status(target).is_connected
        list(session.look([target]))
        status = session.host_status(target)
    assert (status.is_connected, status.auth, status.jobs) == (True, "certificate", 0)


def test_the_user_and_the_way_of_logging_on_are_those_that_the_host_accepted_last(
    fleet: PracticeFleet,
) -> None:
    host = fleet.hosts[0]
    environment = {USER_VARIABLE: host.username, PASSWORD_VARIABLE: host.password}
    with closing(Session(credentials=Credentials(environment=environment))) as session:
        target = session.remember(Target(name=host.name, url=host.endpoint))
        list(session.look([target]))
        status = session.host_status(target)
        assert (status.auth, status.user) == ("ntlm", host.username)
        for auth in (Auth.BASIC, Auth.CREDSSP, Auth.NTLM, Auth.KERBEROS):  # of other sessions
            session.logons.proven.add(Credential(auth, host.username, host.password))
        task = Task(target, Credential(Auth.BASIC, host.username, host.password), ListJobs())
        session.pool.perform(task)
        assert session.host_status(target).auth == "basic"


def test_what_is_said_of_a_host_later_holds_for_the_sessions_target_too(session: Session) -> None:
    name = session.targets[0].name
    said = session.target(name, LogonOptions(auth=Auth.NTLM))
    assert session.targets[0] is said
    (outcome,) = session.look(session.targets[:1])
    assert session.host_status(session.targets[0]).auth == "ntlm", outcome.error


def test_known_jobs_are_read_one_by_one_where_the_queue_cannot_be(
    session: Session, fleet: PracticeFleet, url: str
) -> None:
    job, other = on(session, 0, url), on(session, 0, url, "other")
    list(session.look(session.targets))
    with closing(session_on(fleet.hosts)) as stranger:
        third = on(stranger, 0, url, "third")
    fleet.hosts[0].faults.arm("enumerate-failed")
    outcomes = {outcome.host: outcome for outcome in session.look(session.targets, ids=[third.id])}
    value = outcomes[job.host].value
    assert isinstance(value, JobList)
    assert value.partial
    assert {known.id for known in value.jobs} == {job.id, other.id, third.id}


# Resolving


def test_a_full_id_acts_where_it_is_found(session: Session, url: str) -> None:
    job = on(session, 1, url)
    for typed in (job.id, f"{{{job.id.lower()}}}"):
        resolution = resolved(session, typed)
        assert pairs(resolution) == [(job.host, job.id)]
        assert resolution.failed == ()


def test_a_full_id_that_is_found_nowhere_fails(session: Session) -> None:
    with pytest.raises(NoSuchJob, match="on 3 hosts"):
        resolved(session, NOBODY)


def test_a_plain_name_means_one_job_on_each_host(session: Session, url: str) -> None:
    jobs = [on(session, number, url) for number in range(3)]
    assert sorted(pairs(resolved(session, "nightly"))) == sorted((j.host, j.id) for j in jobs)


def test_a_name_that_only_some_hosts_have_acts_there(session: Session, url: str) -> None:
    job = on(session, 2, url)
    assert pairs(resolved(session, "nightly")) == [(job.host, job.id)]


def test_a_name_of_two_jobs_on_one_host_lists_them(session: Session, url: str) -> None:
    on(session, 0, url)
    jobs = [on(session, 1, url) for _ in range(2)]
    with pytest.raises(AmbiguousReference) as caught:
        resolved(session, "nightly")
    assert {job.id for job in caught.value.candidates} == {job.id for job in jobs}
    assert caught.value.host == jobs[0].host
    assert len(pairs(resolved(session, "nightly*"))) == 3


def test_several_references_to_one_job_are_one(session: Session, url: str) -> None:
    job = on(session, 0, url)
    assert pairs(resolved(session, "nightly", "night*", job.id)) == [(job.host, job.id)]


def test_a_name_that_nobody_has_suggests_the_nearest(session: Session, url: str) -> None:
    on(session, 0, url)
    with pytest.raises(NoSuchJob, match="did you mean 'nightly'"):
        resolved(session, "nightyl")


def test_one_reference_that_means_nothing_stops_all(session: Session, url: str) -> None:
    on(session, 0, url)
    with pytest.raises(NoSuchJob):
        resolved(session, "nightly", "nothing")


def test_a_host_that_failed_is_told_and_keeps_back_no_such_job(
    session: Session, fleet: PracticeFleet, url: str
) -> None:
    job = on(session, 0, url)
    fleet.hosts[1].faults.arm("access-denied")
    resolution = resolved(session, "nightly")
    assert pairs(resolution) == [(job.host, job.id)]
    assert [outcome.host for outcome in resolution.failed] == [fleet.hosts[1].name]
    nothing = resolved(session, "nothing")
    assert (pairs(nothing), len(nothing.failed)) == ([], 1)


def test_every_change_is_resolved_against_a_fresh_read(
    session: Session, fleet: PracticeFleet, url: str
) -> None:
    list(session.look(session.targets))
    with closing(session_on(fleet.hosts)) as other:
        job = on(other, 0, url)
    assert pairs(resolved(session, "nightly")) == [(job.host, job.id)]


def test_who_watches_sees_what_each_host_answered(session: Session) -> None:
    seen: list[Outcome] = []
    with pytest.raises(NoSuchJob):
        session.resolve([parse_reference("x")], session.targets, observe=seen.append)
    assert len(seen) == 3


# Rows of the last listing


@pytest.fixture
def listed(session: Session, url: str) -> list[Job]:
    jobs = [on(session, 0, url, "a"), on(session, 1, url, "b"), on(session, 2, url, "c")]
    session.listing = tuple((job.host, job.id) for job in jobs)
    return jobs


def test_rows_mean_the_jobs_of_the_last_listing(session: Session, listed: list[Job]) -> None:
    assert pairs(resolved(session, "%2")) == [(listed[1].host, listed[1].id)]
    assert sorted(pairs(resolved(session, "%1-3"))) == sorted(session.listing)


def test_a_row_that_was_not_listed_is_an_error(session: Session, listed: list[Job]) -> None:
    for typed in ("%4", "%2-4"):
        with pytest.raises(BadReference, match="has 3 rows"):
            resolved(session, typed)


def test_a_listed_job_that_is_gone_is_told(session: Session, listed: list[Job]) -> None:
    first = listed[0]
    list(session.ask(session.targets[:1], ChangeState(first.id, JobAction.CANCEL)))
    resolution = resolved(session, "%1-2")
    assert pairs(resolution) == [(listed[1].host, listed[1].id)]
    (gone,) = resolution.failed
    assert gone.error == JobGone(host=first.host, job=first.id)
    with pytest.raises(NoSuchJob):
        resolved(session, "%1")


def test_errors_mean_listed_jobs_that_are_in_error_now(
    session: Session, fleet: PracticeFleet, listed: list[Job]
) -> None:
    failing = f"{fleet.files_url}there-is-no-such-file"
    bad = create(session, failing, "bad", suspended=False)
    fleet.hosts[0].wait_for(lambda jobs: any(job.state.name == "ERROR" for job in jobs))
    with pytest.raises(NoSuchJob):
        resolved(session, "%errors")
    session.listing = (*session.listing, (bad.host, bad.id))
    assert pairs(resolved(session, "%errors")) == [(bad.host, bad.id)]


def test_errors_without_a_listing_ask_for_one(session: Session) -> None:
    with pytest.raises(BadReference, match="list them first"):
        resolved(session, "%errors")


# Queues that can be read only in part


def test_what_cannot_be_known_of_a_queue_is_told_and_never_called_missing(
    session: Session, fleet: PracticeFleet, url: str
) -> None:
    job = on(session, 0, url)
    list(session.look(session.targets))
    fleet.hosts[0].faults.arm("enumerate-failed")
    unreadable = QueueUnreadable(host=job.host)
    for typed, found, told in (
        (job.id, True, False),
        ("nightly", True, False),
        ("night*", True, True),
        ("other", False, True),
    ):
        resolution = resolved(session, typed)
        assert pairs(resolution) == ([(job.host, job.id)] if found else []), typed
        errors = [outcome.error for outcome in resolution.failed]
        assert errors == ([unreadable] if told else []), typed
    with pytest.raises(NoSuchJob):
        resolved(session, NOBODY)


# Time and Ctrl-C


def test_what_hangs_is_cut_off_by_the_time_limit_with_an_outcome_for_each(
    session: Session,
) -> None:
    list(session.look(session.targets))  # so that the password is known to be right
    with SilentHosts(2) as silent:
        logon = session.targets[0].logon
        dead = [
            session.remember(Target(name=f"dead{number}", url=url, logon=logon))
            for number, url in enumerate(silent.urls)
        ]
        change = ChangeState(NOBODY, JobAction.SUSPEND)
        work: list[tuple[Target, Operation]] = [
            (dead[0], ListJobs()),
            (dead[1], ListJobs()),
            (dead[1], change),
        ]
        outcomes: list[Outcome] = []
        session.clock = ClockThatEnds(lambda: bool(outcomes) and silent.asked == 2)
        sent = session.send([(session.targets[0], ListJobs()), *work])
        with session.within(0.3):
            _, ending = taken(sent, outcomes)
    assert ending is TimeLimit
    assert outcomes[0].status is Status.DONE
    told = {(outcome.host, outcome.job_id): outcome for outcome in outcomes[1:]}
    assert {key: outcome.status for key, outcome in told.items()} == {
        ("dead0", None): Status.FAILED,
        ("dead1", None): Status.FAILED,
        ("dead1", NOBODY): Status.NOT_SENT,
    }
    assert all(isinstance(outcome.error, OutOfTime) for outcome in told.values())


def test_after_a_time_limit_there_is_none(session: Session) -> None:
    with session.within(0.0), pytest.raises(TimeLimit):
        list(session.look(session.targets))
    assert {o.status for o in session.look(session.targets)} == {Status.DONE}


def test_one_time_limit_inside_another_stands_in_its_place() -> None:
    clock = HandClock()
    with closing(Session(clock=clock, credentials=Credentials(None, {}))) as session:
        with session.within(10.0):
            with session.within(None):
                session.pause(20.0)
            with pytest.raises(TimeLimit):
                session.pause(1.0)
        session.pause(1.0)


def test_a_pause_waits_in_short_steps_and_ends_on_time() -> None:
    clock = HandClock()
    with closing(Session(clock=clock, credentials=Credentials(None, {}))) as session:
        session.pause(1.05)
    assert clock.now_s == pytest.approx(1.05)
    assert max(clock.waits) <= 0.1


def test_a_pause_hears_ctrl_c_and_the_time_limit() -> None:
    clock = HandClock()
    with closing(Session(clock=clock, credentials=Credentials(None, {}))) as session:
        with session.within(0.25), pytest.raises(TimeLimit):
            session.pause(5.0)
        assert clock.now_s == pytest.approx(0.3)
        session.interrupts.set()
        with pytest.raises(KeyboardInterrupt):
            session.pause(5.0)


def test_ctrl_c_while_hosts_hang_gives_every_one_its_outcome(session: Session) -> None:
    list(session.look(session.targets))
    with SilentHosts(2) as silent:
        logon = session.targets[0].logon
        dead = [
            session.remember(Target(name=f"dead{number}", url=url, logon=logon))
            for number, url in enumerate(silent.urls)
        ]

        def press() -> None:
            assert silent.wait_asked(2)
            session.interrupts.set()

        presser = threading.Thread(target=press)
        presser.start()
        outcomes, ending = taken(session.ask(dead, ChangeState(NOBODY, JobAction.CANCEL)))
        presser.join()
    assert ending is KeyboardInterrupt
    assert {outcome.host for outcome in outcomes} == {"dead0", "dead1"}
    assert {outcome.status for outcome in outcomes} == {Status.UNKNOWN}
    assert all(isinstance(outcome.error, Interrupted) for outcome in outcomes)


# Lasting


def test_twenty_commands_take_one_connection_and_one_logon_a_host(url: str) -> None:
    with PracticeFleet(hosts=2) as fleet:
        for auth in (Auth.BASIC, Auth.NTLM):
            with closing(session_on(fleet.hosts, auth)) as session:
                before = [(host.stats.connections, host.stats.logons) for host in fleet.hosts]
                for number in range(20):
                    operation = ListJobs() if number % 2 else creation(fleet.files[0].url)
                    outcomes = list(session.ask(session.targets, operation))
                    assert {outcome.status for outcome in outcomes} == {Status.DONE}
                after = [(host.stats.connections, host.stats.logons) for host in fleet.hosts]
            assert after == [(connections + 1, logons + 1) for connections, logons in before]


def test_a_job_that_leaves_while_it_is_looked_at_is_told(session: Session, url: str) -> None:
    job = on(session, 0, url)
    list(session.ask(session.targets[:1], ChangeState(job.id, JobAction.CANCEL)))
    (outcome,) = session.ask(session.targets[:1], GetJob(job.id))
    assert outcome.error == JobGone(host=job.host, job=job.id)


def test_a_closed_session_sends_nothing_more(fleet: PracticeFleet) -> None:
    session = session_on(fleet.hosts)
    session.close()
    outcomes = list(session.look(session.targets))
    assert {outcome.status for outcome in outcomes} == {Status.FAILED}


def test_a_wrong_port_says_what_listens_there(session: Session, fleet: PracticeFleet) -> None:
    logon = session.targets[0].logon
    files = session.remember(Target(name="files", url=f"{fleet.files_url}wsman", logon=logon))
    (outcome,) = session.ask((files,), ListJobs())
    assert isinstance(outcome.error, wsman.HttpFailure)
    assert outcome.error.host == "files"


def test_a_session_shows_no_secret(fleet: PracticeFleet) -> None:
    with closing(session_on(fleet.hosts)) as session:
        list(session.look(session.targets))
        shown = repr(session) + repr(session.logons.proven) + repr(session.credentials)
    assert fleet.hosts[0].password not in shown
    assert isinstance(next(iter(session.logons.proven)), Credential)


def test_the_states_of_a_practice_job_are_the_clients(
    session: Session, fleet: PracticeFleet, url: str
) -> None:
    job = create(session, url, suspended=False)
    host: PracticeHost = fleet.hosts[0]
    host.wait_for(lambda jobs: jobs[0].state.name == "TRANSFERRED")
    (outcome,) = session.ask(session.targets[:1], GetJob(job.id))
    assert outcome.jobs[0].state is JobState.TRANSFERRED
