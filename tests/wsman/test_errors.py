"""Errors say what, where and what next in one to three lines, and survive pickling."""

from __future__ import annotations

import pickle

import pytest

from bitsshell import wsman
from bitsshell.errors import BitsShellError, UsageError
from bitsshell.wsman import (
    AnswerLost,
    AnswerTimeout,
    AuthenticationRejected,
    CallAborted,
    CertificateRejected,
    ConnectFailed,
    ConnectionStale,
    Fault,
    HttpFailure,
    MalformedAnswer,
    MissingExtra,
    NoTicket,
    RequestRefused,
    WSManError,
)
from bitsshell.wsman.texts import clean, snippet_of

AT = {"host": "srv01", "operation": "CreateJob"}

LINES: list[tuple[BitsShellError, list[str]]] = [
    (
        ConnectFailed("timeout", address="srv01:5985", timeout_s=5.0, host="srv01"),
        [
            "srv01: no answer to the connection to srv01:5985 within 5 s",
            "next: is it up, and is its firewall open for WinRM (5985, with TLS 5986)?",
        ],
    ),
    (
        ConnectFailed("name", address="srv01:5985", detail="Name or service not known"),
        [
            "the name in srv01:5985 is not known (Name or service not known)",
            "next: check the spelling and the name service",
        ],
    ),
    (
        CertificateRejected(address="srv01:5986", detail="certificate has expired"),
        [
            "the certificate of srv01:5986 is not accepted: certificate has expired",
            (
                "next: name its authority with --ca FILE, or pin the certificate with"
                " --tls-fingerprint SHA256"
            ),
        ],
    ),
    (
        AnswerTimeout(70.0, host="srv01", operation="Get Job"),
        [
            "srv01: no answer to Get Job within 70 s",
            "next: is it WinRM that listens there? If so, the host may be busy: try again later",
        ],
    ),
    (
        AnswerLost("Connection reset by peer", change=True, **AT),
        [
            (
                "srv01: the connection ended before the answer to CreateJob was here"
                " (Connection reset by peer)"
            ),
            "next: CreateJob may have been carried out: look before repeating it",
        ],
    ),
    (
        AuthenticationRejected(scheme="ntlm", offered=("Negotiate",), user="ann", host="srv01"),
        [
            "srv01: the host refused the sign-in for ann with ntlm",
            (
                "next: check the user name (DOMAIN\\name, or .\\name for a local account) and the"
                " password"
            ),
        ],
    ),
    (
        AuthenticationRejected(scheme="basic", offered=("Negotiate", "Kerberos"), host="srv01"),
        [
            "srv01: the host does not offer basic; it offers Negotiate, Kerberos",
            "next: choose with --auth: ntlm, kerberos",
        ],
    ),
    (
        AuthenticationRejected(scheme="basic", offered=("Bearer",), host="srv01"),
        [
            "srv01: the host does not offer basic; it offers Bearer",
            (
                "next: none of these is spoken here: is it WinRM that listens there (5985, with TLS"
                " 5986)?"
            ),
        ],
    ),
    (
        NoTicket(scheme="kerberos", host="srv01"),
        ["srv01: there is no usable Kerberos ticket", "next: get a ticket: kinit NAME@REALM"],
    ),
    (
        MissingExtra("kerberos", host="srv01"),
        [
            "srv01: kerberos authentication needs packages that are not installed",
            'next: pip install "bitsshell[kerberos]"',
        ],
    ),
    (
        HttpFailure(404, reason="Not Found", snippet="nginx", host="srv01"),
        [
            'srv01: something else than WinRM answers on this port: HTTP 404 Not Found ("nginx")',
            "next: check port (5985, with TLS 5986) and path (/wsman)",
        ],
    ),
    (
        HttpFailure(301, reason="Moved Permanently", location="https://b/", host="srv01"),
        [
            (
                "srv01: this is no WS-Management answer: HTTP 301 Moved Permanently, which points"
                ' to "https://b/"'
            ),
            "next: no redirect is followed; if WinRM answers there, give that URL as the host",
        ],
    ),
    (
        HttpFailure(500, reason="Internal Server Error", snippet="oops", host="srv01"),
        [
            ('srv01: this is no WS-Management answer: HTTP 500 Internal Server Error ("oops")'),
            (
                "next: is it WinRM that listens there (5985, with TLS 5986)? If so, see the host's"
                " event log"
            ),
        ],
    ),
    (
        MalformedAnswer("it is empty", **AT),  # type: ignore[arg-type]
        [
            "srv01: the answer to CreateJob cannot be used: it is empty",
            "next: does WinRM answer on this port (5985, with TLS 5986)?",
        ],
    ),
    (
        Fault(codes=(5,), subcode="AccessDenied", text="Zugriff verweigert ", **AT),  # type: ignore[arg-type]
        [
            "srv01: the host refused CreateJob: Zugriff verweigert (5, AccessDenied)",
            "next: the account must be in the host's Administrators group",
        ],
    ),
    (
        Fault(codes=(2150858752, 0x80200002), provider_text="a\nb\x1b[2J", host="srv01"),
        ["srv01: the host refused the request: a b [2J (0x80200002)"],
    ),
    (Fault(), ["the host refused the request: no reason given"]),
    (
        RequestRefused("DisplayName", "has a character that XML cannot carry (U+0000 at 0)"),
        ["DisplayName has a character that XML cannot carry (U+0000 at 0)"],
    ),
    (
        CallAborted(sent=True, change=True, **AT),
        [
            "srv01: CreateJob was stopped before its answer came",
            "next: CreateJob may have been carried out: look before repeating it",
        ],
    ),
    (ConnectionStale(host="srv01"), ["srv01: the host had closed the kept connection"]),
]


@pytest.mark.parametrize(("error", "lines"), LINES)
def test_an_error_says_what_where_and_what_next(error: BitsShellError, lines: list[str]) -> None:
    assert error.lines() == lines
    assert 1 <= len(error.lines()) <= 3
    assert str(error) == "\n".join(error.lines())


@pytest.mark.parametrize("error", [error for error, _ in LINES])
def test_an_error_survives_pickling(error: BitsShellError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert again == error
    assert type(again) is type(error)
    assert again.lines() == error.lines()


KINDS = [
    *("refused", "name", "timeout", "unreachable", "reset", "tls"),
    *("silent", "no-http", "open", "sign-in", "proxy", "other"),
]


def test_every_kind_of_failed_connection_has_a_sentence_of_its_own() -> None:
    sentences = {ConnectFailed(kind, address="h:1").what() for kind in KINDS}
    assert len(sentences) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_that_is_named_by_its_address_is_named_once(kind: str) -> None:
    assert ConnectFailed(kind, address="h:1", host="h:1").lines()[0].count("h:1") == 1
    assert ConnectFailed(kind, address="h:1", host="web").lines()[0].count("h:1") == 1


def test_the_certificate_of_a_host_that_is_named_by_its_address_names_it_once() -> None:
    error = CertificateRejected(address="h:1", detail="too old", host="h:1")
    assert error.lines()[0] == "h:1: its certificate is not accepted: too old"


@pytest.mark.parametrize("status", [*range(300, 309), *range(400, 432), *range(500, 512), 599])
@pytest.mark.parametrize("change", [False, True])
def test_every_http_failure_says_what_next(status: int, change: bool) -> None:
    assert len(HttpFailure(status, change=change).lines()) == 2


def test_what_a_host_offers_is_shown_clean_and_clipped() -> None:
    error = AuthenticationRejected(scheme="basic", offered=("\x1b[2J", "x" * 5000))
    assert "\x1b" not in str(error)
    assert len(str(error)) < 400


def test_every_error_class_is_exported_and_placed_in_the_tree() -> None:
    classes = [value for value in vars(wsman).values() if isinstance(value, type)]
    errors = {c for c in classes if issubclass(c, Exception)}
    assert errors - {RequestRefused} == {c for c in errors if issubclass(c, WSManError)}
    assert issubclass(RequestRefused, UsageError)
    assert {type(error) for error, _ in LINES} == errors - {WSManError}


def test_nothing_may_have_been_applied_by_a_read() -> None:
    for error, _ in LINES:
        if isinstance(error, WSManError):
            error.change = False
            assert not error.may_have_been_applied


def test_what_is_known_already_is_not_overwritten() -> None:
    error = AnswerLost(host="first", operation="Get")
    assert error.during("Put", change=False, host="second") is error
    assert (error.host, error.operation) == ("first", "Get")


def test_a_schemes_presence_is_unknown_where_the_host_names_none() -> None:
    assert AuthenticationRejected(scheme="ntlm").scheme_is_offered
    assert AuthenticationRejected(scheme="credssp", offered=("CredSSP",)).scheme_is_offered
    assert not AuthenticationRejected(scheme="credssp", offered=("Basic",)).scheme_is_offered


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<html><head><title>t</title></head><body><p>a<br>b &amp; c</p></body></html>", "a b & c"),
        ("<script>alert(1)</script>x<!-- y -->", "x"),
        ("x" * 500, "x" * 117 + "..."),
        ("a\u202eb\x00c\x9bd", "a b c d"),
        ("< not a tag", "< not a tag"),
        ("", ""),
    ],
)
def test_a_page_becomes_one_clean_line(page: str, text: str) -> None:
    assert snippet_of(page) == text


def test_a_text_is_cut_with_a_mark() -> None:
    assert clean("word " * 10, 12) == "word word..."
