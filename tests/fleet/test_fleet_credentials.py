"""Where passwords come from, and where they must not go."""

from __future__ import annotations

import pickle
import sys
from types import ModuleType

import pytest

from bitsshell.bits import ListJobs
from bitsshell.fleet.channels import Task, endpoint_of
from bitsshell.fleet.credentials import (
    Credential,
    Credentials,
    NoCredential,
    NotEncrypted,
)
from bitsshell.fleet.targets import Auth, LogonOptions, Target, parse_target

SECRET = "s3cr3t-\N{EURO SIGN}"
REMOTE = "web01.example.test"


def target(typed: str = REMOTE, **options: object) -> Target:
    return parse_target(typed, LogonOptions(**options))  # type: ignore[arg-type]


def credentials(
    *answers: str, environment: dict[str, str] | None = None, ticket: bool = False
) -> tuple[Credentials, list[str]]:
    """Credentials with a person who gives these answers, and what that person was asked."""
    asked: list[str] = []
    waiting = list(answers)

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return waiting.pop(0)

    found = Credentials(ask, environment if environment is not None else {}, lambda: ticket)
    return found, asked


class Keyring(ModuleType):
    """Stands where the package keyring would."""

    def __init__(self, kept: dict[str, str], error: Exception | None = None) -> None:
        super().__init__("keyring")
        self.kept = kept
        self.error = error
        self.asked: list[tuple[str, str]] = []

    def get_password(self, service: str, user: str) -> str | None:
        self.asked.append((service, user))
        if self.error is not None:
            raise self.error
        return self.kept.get(user)

    def set_password(self, service: str, user: str, password: str) -> None:
        assert service == "bitsshell"
        if self.error is not None:
            raise self.error
        self.kept[user] = password

    def delete_password(self, service: str, user: str) -> None:
        del self.kept[user]


class KeyringError(Exception):
    """keyring's own."""


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    module = Keyring({"ann": "from-keyring"})
    errors = ModuleType("keyring.errors")
    errors.KeyringError = KeyringError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return module


# Order


def test_the_environment_comes_first(keyring: Keyring) -> None:
    found, asked = credentials("typed", environment={"BITSSHELL_PASSWORD": "from-environment"})
    credential = found.find(target(user="ann", keyring=True))
    assert credential == Credential(Auth.NTLM, "ann", "from-environment")
    assert (asked, keyring.asked) == ([], [])


def test_the_keyring_is_asked_only_when_it_is_wanted(keyring: Keyring) -> None:
    found, asked = credentials("typed")
    assert found.find(target(user="ann")).password == "typed"
    assert keyring.asked == []
    found, asked = credentials("typed")
    assert found.find(target(user="ann", keyring=True)).password == "from-keyring"
    assert keyring.asked == [("bitsshell", "ann")]
    assert asked == []


def test_a_person_is_asked_last_and_once_for_each_user(keyring: Keyring) -> None:
    found, asked = credentials("one", "two")
    for host in ("web01", "web02"):
        assert found.find(target(host, user="bob", keyring=True)).password == "one"
    assert found.find(target("web01", user="BOB", keyring=True)).password == "one"
    assert found.find(target("web01", user="eve", keyring=True)).password == "two"
    assert asked == ["Password for bob on web01: ", "Password for eve on web01: "]


def test_the_user_may_come_from_the_environment() -> None:
    found, _ = credentials(environment={"BITSSHELL_USER": "ann", "BITSSHELL_PASSWORD": "x"})
    assert found.find(target()).username == "ann"
    assert found.find(target(user="bob")).username == "bob"


def test_a_keyring_that_is_not_installed_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    found, _ = credentials("typed")
    with pytest.raises(NoCredential, match=r"pip install 'bitsshell\[keyring\]'"):
        found.find(target(user="ann", keyring=True))


def test_a_keyring_that_is_locked_says_so(keyring: Keyring) -> None:
    keyring.error = KeyringError("locked")
    found, _ = credentials("typed")
    with pytest.raises(NoCredential, match="locked"):
        found.find(target(user="ann", keyring=True))


# Nobody there


def test_without_a_user_there_is_nothing_to_log_on_with() -> None:
    found, asked = credentials("typed")
    with pytest.raises(NoCredential, match="BITSSHELL_USER") as caught:
        found.find(target(auth=Auth.NTLM))
    assert caught.value.host == REMOTE
    assert asked == []


def test_without_a_person_the_environment_is_the_way() -> None:
    with pytest.raises(NoCredential, match="BITSSHELL_PASSWORD") as caught:
        Credentials(None, {}).find(target(user="ann"))
    assert "nobody can be asked" in str(caught.value)


def test_a_person_who_says_nothing_gives_no_password() -> None:
    found, _ = credentials("")
    with pytest.raises(NoCredential, match="no password was given"):
        found.find(target(user="ann"))

    def end_of_input(_: str) -> str:
        raise EOFError

    with pytest.raises(NoCredential, match="no password was given"):
        Credentials(end_of_input, {}).find(target(user="ann"))


def test_a_person_who_interrupts_is_heard() -> None:
    def interrupt(_: str) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Credentials(interrupt, {}).find(target(user="ann"))


# Rejected


def test_a_rejected_password_is_asked_for_again() -> None:
    found, asked = credentials("wrong", "right")
    first = found.find(target(user="ann"))
    found.forget(first)
    assert found.find(target(user="ann")).password == "right"
    assert len(asked) == 2


def test_a_rejected_password_is_not_taken_from_its_source_again(keyring: Keyring) -> None:
    environment = {"BITSSHELL_PASSWORD": "wrong"}
    found, asked = credentials("right", environment=environment)
    options = target(user="ann", keyring=True)
    for source in ("wrong", "from-keyring", "right"):
        credential = found.find(options)
        assert credential.password == source
        if source != "right":
            found.forget(credential)
    assert len(asked) == 1


def test_a_rejected_password_that_nobody_can_replace_is_not_sent_again() -> None:
    found = Credentials(None, {"BITSSHELL_PASSWORD": "wrong"})
    found.forget(found.find(target(user="ann")))
    with pytest.raises(NoCredential, match="rejected before"):
        found.find(target(user="ann"))
    assert found.find(target(user="bob")).password == "wrong", "another account, another matter"


# Ways of logging on


@pytest.mark.parametrize(
    ("typed", "user", "ticket", "auth"),
    [
        (REMOTE, None, True, Auth.KERBEROS),
        (REMOTE, "ann", True, Auth.NTLM),
        (REMOTE, "ann", False, Auth.NTLM),
        ("10.0.0.7", "ann", True, Auth.NTLM),
        ("10.0.0.7", None, True, None),
        ("fe80::1", None, True, None),
        ("localhost", None, True, None),
        (REMOTE, None, False, None),
    ],
)
def test_auto_is_kerberos_where_there_is_a_ticket_else_ntlm_and_never_basic(
    typed: str, user: str | None, ticket: bool, auth: Auth | None
) -> None:
    found, _ = credentials("x", ticket=ticket)
    if auth is None:  # NTLM, which needs a user
        with pytest.raises(NoCredential, match="ntlm needs a user name"):
            found.find(target(typed, user=user))
    else:
        assert found.find(target(typed, user=user)).auth is auth


def test_a_user_in_the_environment_means_that_its_password_counts() -> None:
    environment = {"BITSSHELL_USER": "ann", "BITSSHELL_PASSWORD": "x"}
    found, _ = credentials(environment=environment, ticket=True)
    assert found.find(target()) == Credential(Auth.NTLM, "ann", "x")


def test_kerberos_never_asks_for_a_password() -> None:
    found, asked = credentials("typed", environment={"BITSSHELL_PASSWORD": "x"})
    assert found.find(target(auth=Auth.KERBEROS, user="ann")) == Credential(Auth.KERBEROS, "ann")
    assert asked == []


def test_a_certificate_needs_its_two_files() -> None:
    found, asked = credentials("typed")
    both = {"certificate": "c.pem", "certificate_key": "k.pem"}
    assert found.find(target(auth=Auth.CERTIFICATE, **both)) == Credential(Auth.CERTIFICATE)
    for one in both:
        with pytest.raises(NoCredential, match="--certificate-key"):
            found.find(target(auth=Auth.CERTIFICATE, **{one: "x.pem"}))
    assert asked == []


@pytest.mark.parametrize(
    ("typed", "options", "refused"),
    [
        (REMOTE, {}, True),
        (REMOTE, {"tls": True}, False),
        (f"https://{REMOTE}", {}, False),
        (REMOTE, {"allow_unencrypted": True}, False),
        ("localhost", {}, False),
        ("127.0.0.1", {}, False),
        ("[::1]:5985", {}, False),
        ("127.0.0.1", {"proxy": "http://proxy:3128"}, True),
    ],
)
def test_basic_over_plain_http_is_refused_where_others_could_read_it(
    typed: str, options: dict[str, object], refused: bool
) -> None:
    found, asked = credentials("typed")
    options = {"auth": Auth.BASIC, "user": "ann", **options}
    if refused:
        with pytest.raises(NotEncrypted, match="--allow-unencrypted") as caught:
            found.find(target(typed, **options))
        assert caught.value.host
        assert asked == [], "nobody is asked for what is not sent"
    else:
        assert found.find(target(typed, **options)).auth is Auth.BASIC


# Secrets


def test_a_secret_is_in_no_text_of_anything_that_holds_it() -> None:
    found, _ = credentials(SECRET)
    options = target(user="ann")
    credential = found.find(options)
    task = Task(options, credential, ListJobs())
    holders = (credential, task, endpoint_of(options, credential), found, options, [task])
    for holder in holders:
        assert "s3cr3t" not in repr(holder) + str(holder)
    assert pickle.loads(pickle.dumps(task)) == task


def test_a_logon_is_forgotten_and_asked_for_again(keyring: Keyring) -> None:
    found, _ = credentials("first", "second")
    first = found.find(target(user="ann"))
    assert found.forget_logon(target(user="Ann")) == [first]
    assert found.find(target(user="ann")).password == "second"
    assert found.forget_logon(target()) == []
    assert keyring.kept == {"ann": "from-keyring"}


def test_a_password_is_kept_in_the_keyring_and_taken_out_of_it(keyring: Keyring) -> None:
    found, _ = credentials()
    assert found.save(Credential(Auth.NTLM, "bob", "word")) == "bob"
    assert keyring.kept["bob"] == "word"
    assert found.save(Credential(Auth.KERBEROS)) is None
    found.forget_logon(target(user="bob"), keyring=True)
    found.forget_logon(target(user="bob"), keyring=True)
    assert keyring.kept == {"ann": "from-keyring"}
    keyring.error = KeyringError("locked")
    with pytest.raises(NoCredential, match="locked"):
        found.save(Credential(Auth.NTLM, "bob", "word"))
