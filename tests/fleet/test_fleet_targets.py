"""Hosts as they are typed."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.fleet.targets import BadHost, LogonOptions, Target, parse_target
from bitsshell.wsman import Endpoint

TLS = LogonOptions(tls=True)


@pytest.mark.parametrize(
    ("typed", "logon", "name", "url"),
    [
        ("web01", LogonOptions(), "web01", "http://web01:5985/wsman"),
        (" WEB01 ", LogonOptions(), "web01", "http://WEB01:5985/wsman"),
        ("web01.example.test.", LogonOptions(), "web01.example.test.", None),
        ("web_01", LogonOptions(), "web_01", "http://web_01:5985/wsman"),
        ("web01:80", LogonOptions(), "web01:80", "http://web01:80/wsman"),
        ("web01:5986", LogonOptions(), "web01:5986", "https://web01:5986/wsman"),
        ("web01:5986", LogonOptions(tls=False), "web01:5986", "http://web01:5986/wsman"),
        ("web01", TLS, "web01", "https://web01:5986/wsman"),
        ("web01", LogonOptions(port=8080), "web01", "http://web01:8080/wsman"),
        ("web01", LogonOptions(port=5986), "web01", "https://web01:5986/wsman"),
        ("web01:80", LogonOptions(port=81), "web01:80", "http://web01:80/wsman"),
        ("10.0.0.7", LogonOptions(), "10.0.0.7", "http://10.0.0.7:5985/wsman"),
        ("::1", LogonOptions(), "::1", "http://[::1]:5985/wsman"),
        ("[::1]", LogonOptions(), "[::1]", "http://[::1]:5985/wsman"),
        ("[fe80::1]:80", LogonOptions(), "[fe80::1]:80", "http://[fe80::1]:80/wsman"),
        ("http://web01", LogonOptions(), "web01:5985", "http://web01:5985/wsman"),
        ("HTTPS://Web01/", LogonOptions(), "web01:5986", "https://web01:5986/wsman"),
        ("http://web01:8080/wsman/", LogonOptions(), "web01:8080", "http://web01:8080/wsman"),
        ("http://web01:1/p/wsman", TLS, "web01:1/p/wsman", "http://web01:1/p/wsman"),
        ("http://[::1]:9/wsman", LogonOptions(), "[::1]:9", "http://[::1]:9/wsman"),
        ("https://web01", LogonOptions(port=443), "web01:443", "https://web01:443/wsman"),
    ],
)
def test_a_host_is_a_name_a_name_with_a_port_or_an_endpoint(
    typed: str, logon: LogonOptions, name: str, url: str | None
) -> None:
    target = parse_target(typed, logon)
    assert target.name == name
    assert url is None or target.url == url
    assert target.logon == logon
    assert Endpoint(url=target.url, auth="ntlm").url == target.url
    assert pickle.loads(pickle.dumps(target)) == target


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("web 01", "neither a machine's name nor an address"),
        ("web01/x", "neither"),
        ("-web01", "neither"),
        ("web01..example", "neither"),
        ("a" * 64, "neither"),
        ("10.0.0.256", "neither"),
        ("10.0.0", "neither"),
        ("12345", "neither"),
        ("[web01]:80", "neither"),
        ("[::1", "neither"),
        ("1::2::3", "neither"),
        ("b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher", "neither"),
        ("web[01-03]", "neither"),
        (":5985", "neither"),
        ("web01:", "no port"),
        ("web01:0", "no port"),
        ("web01:65536", "no port"),
        ("web01:http", "no port"),
        ("web01:\N{SUPERSCRIPT TWO}", "no port"),
        ("web01:" + "9" * 5000, "no port"),
        ("ftp://web01", "not ftp"),
        ("http://", "names no host"),
        ("http://web01:99999", "out of range"),
        ("http://web01/wsman?x=1", "ends with its path"),
        ("http://web01/wsman#x", "ends with its path"),
        ("http://web 01", "neither"),
        ("http://[::1/wsman", "Invalid IPv6"),
    ],
)
def test_what_is_no_host_says_why_and_what_is(typed: str, problem: str) -> None:
    with pytest.raises(BadHost, match="name, name:port, or the endpoint's URL") as caught:
        parse_target(typed)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "typed",
    [
        "http://ann:secret@web01",
        "http://ann:secret@web01:99999",
        "http://ann:secret/x@web01",
        "http://ann:se@secret@web01",
        "ann:secret@web01",
        "secret@web01",
    ],
)
def test_a_password_in_a_host_is_refused_and_not_repeated(typed: str) -> None:
    with pytest.raises(BadHost, match="account") as caught:
        parse_target(typed)
    assert "secret" not in str(caught.value) + repr(caught.value)
    assert "web01" in str(caught.value)


@given(st.text())
def test_nothing_that_is_typed_breaks_the_reading_of_hosts(typed: str) -> None:
    try:
        target = parse_target(typed)
    except BadHost as error:
        assert error.hint
        return
    assert target.hostname
    assert Endpoint(url=target.url, auth="ntlm")


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost/wsman", True),
        ("http://LOCALHOST:1/wsman", True),
        ("http://127.0.0.9/wsman", True),
        ("http://[::1]/wsman", True),
        ("http://localhost.example/wsman", False),
        ("http://10.0.0.1/wsman", False),
        ("http://127.example/wsman", False),
    ],
)
def test_loopback_is_where_nothing_leaves_the_machine(url: str, loopback: bool) -> None:
    assert Target(name="x", url=url).is_loopback is loopback


def test_encryption_of_the_transport_is_tls() -> None:
    assert Target(name="x", url="https://a/wsman").is_encrypted
    assert not Target(name="x", url="http://a/wsman").is_encrypted


def test_what_was_typed_does_not_make_another_target() -> None:
    assert parse_target("WEB01:5985").name == parse_target("http://web01:5985").name
    assert parse_target("web01") == parse_target(" web01 ")
