"""Passwords and accounts: one host first, a rejected one goes nowhere, a right one everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from at_hand import credential_of, session_on, target_of
from silent_hosts import SilentHosts
from wrong_hosts import web_server

from bitsshell import wsman
from bitsshell.bits import AnswerWasLost, GetJob, JobGone, JobList, ListJobs
from bitsshell.errors import UsageError
from bitsshell.fleet.channels import ChannelPool, Task
from bitsshell.fleet.credentials import Credential, Credentials
from bitsshell.fleet.logons import STAGGER_S, Logons, PasswordRejected, RejectedHere
from bitsshell.fleet.targets import Auth, LogonOptions, Target
from bitsshell.practice import PracticeFleet, PracticeSettings, WinRmSettings
from bitsshell.results import Outcome, Status
from bitsshell.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bitsshell.errors import BitsShellError

ID = "9D5C4B47-E79E-4090-BC3B-552578D0EC8C"
ANN = Credential(Auth.NTLM, "ann", "x")
KERBEROS = Credential(Auth.KERBEROS)


@pytest.fixture
def fleet() -> Iterator[PracticeFleet]:
    with PracticeFleet(hosts=10) as running:
        yield running


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def now(self) -> datetime:
        raise NotImplementedError

    def monotonic(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        raise NotImplementedError


def requests(fleet: PracticeFleet) -> list[int]:
    return sorted((host.stats.requests for host in fleet.hosts), reverse=True)


# On practice hosts


@pytest.mark.parametrize(("auth", "handshake"), [(Auth.BASIC, 1), (Auth.NTLM, 3)])
def test_a_wrong_password_is_rejected_by_one_host_and_sent_to_no_other(
    fleet: PracticeFleet, auth: Auth, handshake: int
) -> None:
    session = session_on(fleet.hosts, auth, password="wrong")
    outcomes = list(session.ask(session.targets, ListJobs()))
    assert len(outcomes) == 10
    rejected = [outcome for outcome in outcomes if outcome.status is Status.FAILED]
    assert [type(outcome.error) for outcome in rejected] == [wsman.AuthenticationRejected]
    others = [outcome for outcome in outcomes if outcome.status is Status.NOT_SENT]
    assert [type(outcome.error) for outcome in others] == [PasswordRejected] * 9
    assert requests(fleet) == [handshake] + [0] * 9, "one logon was tried"
    session.close()


def test_a_rejected_password_is_asked_for_again_and_then_works_everywhere(
    fleet: PracticeFleet,
) -> None:
    answers = ["wrong", fleet.hosts[0].password]
    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return answers.pop(0)

    session = Session(credentials=Credentials(ask, {}))
    session.targets = tuple(session.remember(target_of(host)) for host in fleet.hosts)
    assert {o.status for o in session.ask(session.targets, ListJobs())} != {Status.DONE}
    assert {o.status for o in session.ask(session.targets, ListJobs())} == {Status.DONE}
    assert {o.status for o in session.ask(session.targets, ListJobs())} == {Status.DONE}
    assert len(asked) == 2
    assert [host.stats.logons for host in fleet.hosts] == [1] * 10
    session.close()


def test_a_password_that_changes_under_a_session_is_sent_in_no_later_command(
    fleet: PracticeFleet,
) -> None:
    session = session_on(fleet.hosts)
    assert {o.status for o in session.ask(session.targets, ListJobs())} == {Status.DONE}
    for host in fleet.hosts:
        host.faults.arm("expired-password")
    assert Status.DONE not in {o.status for o in session.ask(session.targets, ListJobs())}
    before = sum(requests(fleet))
    outcomes = list(session.ask(session.targets, ListJobs()))
    assert all("rejected before" in str(outcome.error) for outcome in outcomes)
    assert sum(requests(fleet)) == before
    session.close()


def test_a_host_that_rejects_what_others_accept_is_not_tried_again(fleet: PracticeFleet) -> None:
    session = session_on(fleet.hosts[:3])
    other = fleet.hosts[1]
    other.faults.arm("expired-password")
    list(session.ask(session.targets[:1], ListJobs()))
    for _ in range(3):
        outcomes = {o.host: o for o in session.ask(session.targets, ListJobs())}
        assert outcomes[other.name].status is Status.FAILED
        assert [o.status for o in outcomes.values()].count(Status.DONE) == 2
    assert isinstance(outcomes[other.name].error, RejectedHere)
    assert other.stats.requests == 1, "one logon was tried"
    session.close()


def typing(fleet: PracticeFleet, *passwords: str) -> tuple[Session, list[str]]:
    """A session on three hosts whose person types these passwords; the prompts."""
    answers, asked = list(passwords), list[str]()

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return answers.pop(0)

    session = Session(credentials=Credentials(ask, {}))
    session.targets = tuple(session.remember(target_of(host)) for host in fleet.hosts[:3])
    return session, asked


def log_on(session: Session, *names: str) -> dict[str, BitsShellError | None]:
    """What `login` does."""
    targets = [session.known[name] for name in names]
    session.ask_again(targets)
    return {outcome.host: outcome.error for outcome in session.ask(targets, ListJobs())}


def test_what_is_typed_at_a_login_is_sent_also_where_it_was_rejected(fleet: PracticeFleet) -> None:
    first, other, third = fleet.hosts[:3]
    session, asked = typing(fleet, first.password, first.password, first.password)
    other.faults.arm("expired-password")
    list(session.ask(session.targets, ListJobs()))
    assert type(log_on(session, other.name)[other.name]) is wsman.AuthenticationRejected
    sent = other.stats.requests
    outcomes = {o.host: o.error for o in session.ask(session.targets, ListJobs())}
    assert type(outcomes[other.name]) is RejectedHere, "never again by itself"
    assert f"login {other.name}" in str(outcomes[other.name])
    assert other.stats.requests == sent
    other.faults.disarm()
    assert log_on(session, other.name) == {other.name: None}
    assert [o.error for o in session.ask(session.targets, ListJobs())] == [None] * 3
    user = first.username
    assert asked == [f"Password for {user} on {name}: " for name in (first.name, *[other.name] * 2)]
    assert third.stats.logons == 1
    session.close()


def test_a_host_that_knows_the_account_by_another_password_gets_it_and_the_rest_keep_theirs(
    fleet: PracticeFleet,
) -> None:
    first, other, _ = fleet.hosts[:3]
    session, asked = typing(fleet, first.password, "another")
    other.faults.arm("expired-password")
    list(session.ask(session.targets, ListJobs()))
    other.faults.disarm()
    assert type(log_on(session, other.name)[other.name]) is wsman.AuthenticationRejected
    outcomes = {o.host: o.error for o in session.ask(session.targets, ListJobs())}
    assert type(outcomes.pop(other.name)) is RejectedHere, "what the others use was rejected there"
    assert set(outcomes.values()) == {None}
    assert len(asked) == 2
    session.close()


def test_logout_and_login_begin_anew_after_every_host_rejected_it(fleet: PracticeFleet) -> None:
    hosts = fleet.hosts[:3]
    session, asked = typing(fleet, hosts[0].password, hosts[0].password)
    list(session.ask(session.targets, ListJobs()))
    for host in hosts:
        host.faults.arm("expired-password")
    list(session.ask(session.targets, ListJobs()))
    for host in hosts:
        host.faults.disarm()
    session.log_out(session.targets)
    assert log_on(session, *(host.name for host in hosts)) == {host.name: None for host in hosts}
    assert len(asked) == 2
    session.close()


def test_a_password_of_the_environment_that_a_host_rejected_is_not_sent_again_by_a_login(
    fleet: PracticeFleet,
) -> None:
    host, other = fleet.hosts[:2]
    session, asked = typing(fleet, "")
    session.credentials.environment = {"BITSSHELL_PASSWORD": host.password}
    other.faults.arm("expired-password")
    list(session.ask(session.targets, ListJobs()))
    sent = other.stats.requests
    assert type(log_on(session, other.name)[other.name]) is RejectedHere
    assert (len(asked), other.stats.requests) == (1, sent)
    session.close()


def test_a_host_that_does_not_offer_basic_says_nothing_about_the_password() -> None:
    settings = PracticeSettings(winrm=WinRmSettings(basic=False))
    with PracticeFleet(hosts=3, settings=settings) as fleet:
        session = session_on(fleet.hosts)
        outcomes = list(session.ask(session.targets, ListJobs()))
        assert [type(outcome.error) for outcome in outcomes] == [wsman.AuthenticationRejected] * 3
        assert all("does not offer basic" in str(outcome.error) for outcome in outcomes)
        session.close()


@pytest.mark.parametrize("auth", [Auth.BASIC, Auth.NTLM])
def test_a_first_host_that_is_no_winrm_does_not_stop_the_others(
    fleet: PracticeFleet, auth: Auth
) -> None:
    with web_server(b"hello") as address:
        session = session_on(fleet.hosts[:2], auth)
        logon = session.targets[0].logon
        odd = session.remember(Target(name="odd", url=f"http://{address}/wsman", logon=logon))
        first, *others = session.ask((odd, *session.targets), ListJobs())
        session.close()
    assert first.host == "odd"
    assert not isinstance(first.error, wsman.AuthenticationRejected | None)
    assert [outcome.status for outcome in others] == [Status.DONE] * 2


@pytest.mark.parametrize("auth", [Auth.BASIC, Auth.NTLM])
def test_a_first_host_that_answers_garbage_does_not_stop_the_others(
    fleet: PracticeFleet, auth: Auth
) -> None:
    fleet.hosts[0].faults.arm("garbage")
    session = session_on(fleet.hosts[:3], auth)
    first, *others = session.ask(session.targets, ListJobs())
    session.close()
    assert first.host == fleet.hosts[0].name
    assert not isinstance(first.error, wsman.AuthenticationRejected | None)
    assert [outcome.status for outcome in others] == [Status.DONE] * 2


def test_a_silent_first_host_holds_the_others_only_for_a_while(fleet: PracticeFleet) -> None:
    with SilentHosts(1) as silent:
        session = session_on(fleet.hosts[:3])
        logon = session.targets[0].logon
        dead = session.remember(Target(name="dead", url=silent.urls[0], logon=logon))
        outcomes = session.ask((dead, *session.targets), ListJobs())
        first_three = [next(outcomes) for _ in range(3)]
        assert {outcome.status for outcome in first_three} == {Status.DONE}
        session.pool.abort()
        assert next(outcomes).host == "dead"
        session.close()


def test_accounts_do_not_wait_for_each_other(fleet: PracticeFleet) -> None:
    with SilentHosts(1) as silent:
        session = session_on(fleet.hosts[:1])
        other = LogonOptions(user="somebody-else", auth=Auth.BASIC)
        dead = session.remember(Target(name="dead", url=silent.urls[0], logon=other))
        outcomes = session.ask((dead, *session.targets), ListJobs())
        assert isinstance(next(outcomes).value, JobList)
        session.pool.abort()
        assert next(outcomes).host == "dead"
        session.close()


# The gate


def logons() -> tuple[Logons, HandClock]:
    clock = HandClock()
    return Logons(Credentials(None, {}), ChannelPool(), clock), clock


def task(credential: Credential = ANN) -> Task:
    return Task(Target(name="a", url="http://a/wsman"), credential, ListJobs())


def failed(error: BitsShellError) -> Outcome:
    return Outcome(host="a", status=Status.FAILED, error=error)


def test_a_new_password_goes_to_one_more_host_every_two_seconds() -> None:
    known, clock = logons()
    gate = known.gate()
    assert gate.admits(ANN, 0)
    assert not gate.admits(ANN, 1)
    clock.now_s += STAGGER_S
    assert gate.admits(ANN, 1)
    assert not gate.admits(ANN, 2)
    clock.now_s += 10 * STAGGER_S
    assert gate.admits(ANN, 11)
    assert not gate.admits(ANN, 12)


def test_a_password_that_was_right_goes_everywhere_also_in_the_next_command() -> None:
    known, _ = logons()
    gate = known.gate()
    gate.observe(task(), Outcome(host="a"))
    assert gate.admits(ANN, 1000)
    assert known.gate().admits(ANN, 1000)
    assert not known.gate().admits(Credential(Auth.NTLM, "ann", "y"), 1)


def test_who_has_no_password_waits_for_nobody() -> None:
    known, _ = logons()
    gate = known.gate()
    assert gate.admits(KERBEROS, 1000)
    gate.observe(task(KERBEROS), failed(wsman.NoTicket(scheme="kerberos")))
    assert gate.refuses(KERBEROS) is None


PROOFS: list[BitsShellError] = [JobGone(), wsman.Fault(codes=(5,))]
NO_PROOFS: list[BitsShellError] = [
    wsman.ConnectFailed("refused"),
    wsman.ConnectFailed("open"),
    wsman.ConnectFailed("sign-in"),
    wsman.AnswerTimeout(),
    wsman.HttpFailure(404),
    wsman.MalformedAnswer("?"),
    AnswerWasLost("create"),
    UsageError("?"),
]


@pytest.mark.parametrize("error", PROOFS)
def test_a_refusal_by_bits_proves_the_password(error: BitsShellError) -> None:
    known, _ = logons()
    known.gate().observe(task(), failed(error))
    assert known.proven == {ANN}


@pytest.mark.parametrize("error", NO_PROOFS)
def test_what_may_come_from_anybody_proves_nothing(error: BitsShellError) -> None:
    known, _ = logons()
    gate = known.gate()
    gate.observe(task(), failed(error))
    assert known.proven == set()
    assert gate.refuses(ANN) is None


def test_a_rejected_password_closes_the_gate_and_is_forgotten() -> None:
    known, _ = logons()
    gate = known.gate()
    gate.observe(task(), failed(wsman.AuthenticationRejected(scheme="ntlm", offered=("NTLM",))))
    assert gate.refuses(ANN) is PasswordRejected
    assert ANN in known.credentials._rejected


def test_one_host_with_another_password_for_that_account_does_not_stop_the_rest() -> None:
    known, _ = logons()
    gate = known.gate()
    gate.observe(task(), Outcome(host="a"))
    gate.observe(task(), failed(wsman.AuthenticationRejected(scheme="ntlm")))
    assert gate.refuses(ANN) is None
    assert known.proven == {ANN}


def test_a_host_that_took_the_password_before_and_rejects_it_now_stops_the_rest(
    fleet: PracticeFleet,
) -> None:
    host = fleet.hosts[0]
    pool = ChannelPool()
    known = Logons(Credentials(None, {}), pool, HandClock())
    gate = known.gate()
    work = Task(target_of(host), credential_of(host), GetJob(ID))
    gate.observe(work, pool.perform(work))
    assert known.proven == {work.credential}
    host.faults.arm("expired-password")
    gate.observe(work, pool.perform(work))
    assert gate.refuses(work.credential) is PasswordRejected
    assert known.proven == set()
    pool.close()


def test_a_host_that_rejects_the_scheme_now_is_logged_on_to_no_more(fleet: PracticeFleet) -> None:
    host, pool = fleet.hosts[0], ChannelPool()
    known = Logons(Credentials(None, {}), pool, HandClock())
    work = Task(target_of(host), credential_of(host), ListJobs())
    known.gate().observe(work, pool.perform(work))
    assert known.accepted(work.target) == work.credential
    error = wsman.AuthenticationRejected(scheme="basic", offered=("Negotiate",))
    known.gate().observe(work, failed(error))
    assert known.accepted(work.target) is None
    assert known.proven == {work.credential}, "the password was not looked at"
    pool.close()


def test_what_one_host_rejects_is_accepted_by_none_until_it_is_proven_again(
    fleet: PracticeFleet,
) -> None:
    pool = ChannelPool()
    known = Logons(Credentials(None, {}), pool, HandClock())
    first, second = [
        Task(target_of(host), credential_of(host), ListJobs()) for host in fleet.hosts[:2]
    ]
    for work in (first, second):
        known.gate().observe(work, pool.perform(work))
    fleet.hosts[0].faults.arm("expired-password")
    known.gate().observe(first, pool.perform(first))
    assert [known.accepted(work.target) for work in (first, second)] == [None, None]
    known.gate().observe(second, pool.perform(second))
    assert [known.accepted(work.target) for work in (first, second)] == [None, second.credential]
    pool.close()
