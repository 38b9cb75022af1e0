"""Credentials, proxy and certificate of a job: what is refused, sent and said of them."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import ID, LOST, ScriptedHost, fault, job, output

from bitsshell import wsman
from bitsshell.bits import (
    AuthScheme,
    AuthTarget,
    CodeError,
    CreateJob,
    FileSpec,
    JobCredentials,
    JobGone,
    NotAccepted,
    ProxyUsage,
    RemoveClientCertificate,
    RemoveCredentials,
    SetClientCertificate,
    SetCredentials,
    SetProxySettings,
)
from bitsshell.bits.limits import MAX_PASSWORD, MAX_PROXIES, MAX_USER

DIGEST = bytes(range(20))
READER = JobCredentials("reader", wsman.Secret("hunter2!"), AuthScheme.BASIC)


def asked(host: ScriptedHost, name: str) -> dict[str, str]:
    """The arguments of the only request of that name."""
    (found,) = [request for request in host.asked if request.name == name]
    return dict(found.arguments)


def test_credentials_go_in_the_numbers_of_wmi() -> None:
    host = ScriptedHost(output(), job())
    given = JobCredentials("reader", wsman.Secret("hunter2!"), AuthScheme.NTLM, AuthTarget.PROXY)
    done = host.provider.perform(SetCredentials(ID, given))
    assert host.names == ["SetCredentials", "Get"]
    assert asked(host, "SetCredentials") == {
        "Target": "1", "Scheme": "2", "UserName": "reader", "Password": "hunter2!",
    }  # fmt: skip
    assert done.value is not None
    assert not done.already


def test_credentials_are_taken_away_by_target_and_scheme() -> None:
    host = ScriptedHost(output(), job())
    host.provider.perform(RemoveCredentials(ID, AuthScheme.DIGEST))
    assert asked(host, "RemoveCredentials") == {"Target": "0", "Scheme": "1"}


def test_a_list_goes_with_a_proxy_and_with_nothing_else() -> None:
    host = ScriptedHost(output(), job(), output(), job())
    host.provider.perform(SetProxySettings(ID, ProxyUsage.OVERRIDE, ("a:80", "b:80"), ("<local>",)))
    assert asked(host, "SetProxySettings") == {
        "ProxyUsage": "2", "ProxyList": "a:80 b:80", "ProxyBypassList": "<local>",
    }  # fmt: skip
    host.asked.clear()
    host.provider.perform(SetProxySettings(ID, ProxyUsage.NO_PROXY))
    assert asked(host, "SetProxySettings") == {"ProxyUsage": "1"}


def test_a_hash_goes_byte_by_byte_and_a_subject_as_text() -> None:
    (by_hash,) = SetClientCertificate(ID, "MY", digest=DIGEST).requests()
    text = wsman.envelope(by_hash, to="http://srv01:5985/wsman").decode()
    assert [f"<p:CertHash>{byte}</p:CertHash>" in text for byte in DIGEST] == [True] * 20
    assert "<p:CertStoreLocation>1<" in text
    (by_name,) = SetClientCertificate(ID, "MY", subject="web01").requests()
    assert by_name.describe() == "SetClientCertificateByName"
    (removal,) = RemoveClientCertificate(ID).requests()
    assert removal.describe() == "RemoveClientCertificate"


@pytest.mark.parametrize(
    "operation",
    [
        SetCredentials(ID, READER),
        RemoveCredentials(ID, AuthScheme.BASIC),
        SetProxySettings(ID, ProxyUsage.NO_PROXY),
        SetClientCertificate(ID, "MY", subject="web01"),
        RemoveClientCertificate(ID),
    ],
)
class TestAnySetting:
    def test_is_sent_again_when_its_answer_was_lost(self, operation: SetCredentials) -> None:
        host = ScriptedHost(LOST(), output(), job())
        assert host.provider.perform(operation).value is not None
        assert host.names[0] == host.names[1]

    def test_is_refused_with_the_codes_meaning(self, operation: SetCredentials) -> None:
        host = ScriptedHost(output(0x80200040))
        with pytest.raises(CodeError, match="BG_E_INVALID_CREDENTIALS"):
            host.provider.perform(operation)

    def test_tells_a_job_that_is_gone(self, operation: SetCredentials) -> None:
        host = ScriptedHost(fault(0x80041002))
        host.steps.append(output())
        with pytest.raises(JobGone):
            host.provider.perform(operation)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: JobCredentials("", wsman.Secret("x")), "user name"),
        (lambda: JobCredentials("u" * (MAX_USER + 1), wsman.Secret("x")), "user name"),
        (lambda: JobCredentials("u", wsman.Secret("x" * (MAX_PASSWORD + 1))), "password"),
        (lambda: JobCredentials("u", wsman.Secret("a\0b")), "password"),
        (lambda: SetProxySettings(ID, ProxyUsage.OVERRIDE), "proxy list"),
        (lambda: SetProxySettings(ID, ProxyUsage.PRECONFIG, ("a:80",)), "proxy list"),
        (lambda: SetProxySettings(ID, ProxyUsage.OVERRIDE, ("a 80",)), "proxy list"),
        (lambda: SetProxySettings(ID, ProxyUsage.OVERRIDE, ("a" * MAX_PROXIES, "b")), "proxy list"),
        (lambda: SetClientCertificate(ID, "MY"), "certificate"),
        (lambda: SetClientCertificate(ID, "MY", subject="a", digest=DIGEST), "certificate"),
        (lambda: SetClientCertificate(ID, "", subject="a"), "store"),
        (lambda: SetClientCertificate(ID, "MY", subject=" "), "subject"),
        (lambda: SetClientCertificate(ID, "MY", digest=DIGEST[1:]), "hash"),
    ],
)
def test_what_bits_would_refuse_is_refused_before_it_is_sent(make: object, field: str) -> None:
    with pytest.raises(NotAccepted) as caught:
        make()  # type: ignore[operator]
    assert caught.value.field == field


passwords = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=8, max_size=40)


@given(passwords.filter(lambda text: not {"&", "<", ">"} & set(text)))
def test_a_password_is_in_nothing_that_is_said_and_in_what_is_sent(password: str) -> None:
    password = f"~{password}~"  # else a word of the plan itself may be drawn
    given_ = JobCredentials("u", wsman.Secret(password), AuthScheme.BASIC)
    files = (FileSpec("http://f/a", r"C:\in\a"),)
    for operation in (
        SetCredentials(ID, given_, "n", is_readable=True),
        CreateJob(name="n", files=files, reference="0123456789", credentials=given_),
    ):
        requests = operation.requests()
        said = [repr(operation), str(operation), operation.describe(), repr(requests)]
        said += [
            wsman.envelope(one, to="http://h/wsman", for_show=True).decode() for one in requests
        ]
        assert not any(password in text for text in said)
        sent = [wsman.envelope(one, to="http://h/wsman").decode() for one in requests]
        assert sum(f"<p:Password>{password}</p:Password>" in text for text in sent) == 1
        assert pickle.loads(pickle.dumps(operation)) == operation


def test_a_job_is_created_with_its_credentials_before_it_is_resumed() -> None:
    files = (FileSpec("http://f/a", r"C:\in\a"),)
    operation = CreateJob(name="n", files=files, reference="0123456789", credentials=READER)
    methods = [request.describe() for request in operation.requests()]
    assert methods == ["CreateJob", "SetCredentials", "SetJobState"]
    assert "give it the basic credentials of 'reader' for the server" in operation.describe()
