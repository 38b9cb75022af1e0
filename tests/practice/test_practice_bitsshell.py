"""`bitsshell` itself logs on to practice hosts, in every way that it has.

Kerberos is in `test_practice_kerberos.py`. The hosts over HTTP refuse plain messages, so that what
works there was sealed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from practice_shell import Said, Shell

from bitsshell.practice import PracticeFleet, PracticeHost, PracticeSettings, Tls, WinRmSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def fleet() -> Iterator[PracticeFleet]:
    settings = PracticeSettings(
        winrm=WinRmSettings(allow_unencrypted=False, credssp=True, certificate=True)
    )
    with PracticeFleet(hosts=1, tls=Tls.GOOD, settings=settings) as running:
        yield running


@pytest.fixture
def host(fleet: PracticeFleet) -> PracticeHost:
    return fleet.hosts[0]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def authority(host: PracticeHost) -> str:
    assert host.certificate is not None
    return str(host.certificate.path)


def created_and_cancelled(shell: Shell, host: PracticeHost, target: list[str]) -> None:
    """A job is made, listed and cancelled; its long description goes there and back."""
    text = "d" * 900
    lines = [
        rf"create http://127.0.0.1:9/a C:\in\a.bin --name made --description {text} --suspended",
        "jobs",
        "cancel made --yes",
    ]
    words = [word for line in lines for word in ("-c", line)]
    before = host.stats.calls.get("CreateJob", 0)
    said = shell(*target, "-o", "ndjson", *words, password=host.password)
    assert (said.code, said.err) == (0, [])
    assert text in said.out
    assert host.stats.calls["CreateJob"] == before + 1
    assert host.jobs() == ()


@pytest.mark.parametrize("auth", ["ntlm", "credssp", "auto"])
def test_every_sealing_over_http(shell: Shell, host: PracticeHost, auth: str) -> None:
    target = ["-H", host.http_endpoint, "--user", host.username, "--auth", auth]
    created_and_cancelled(shell, host, target)


@pytest.mark.parametrize("auth", ["basic", "ntlm", "credssp", "auto"])
def test_every_password_over_tls(shell: Shell, host: PracticeHost, auth: str) -> None:
    target = ["-H", host.endpoint, "--user", host.username, "--auth", auth]
    created_and_cancelled(shell, host, [*target, "--ca", authority(host)])


def test_a_certificate_over_tls(shell: Shell, fleet: PracticeFleet, host: PracticeHost) -> None:
    mine = fleet.client_certificate()
    shown = ["--certificate", str(mine.path), "--certificate-key", str(mine.key_path)]
    target = ["-H", host.endpoint, "--auth", "certificate", *shown, "--ca", authority(host)]
    created_and_cancelled(shell, host, target)


def test_basic_over_http_on_loopback(shell: Shell) -> None:
    with PracticeFleet(hosts=1) as fleet:
        host = fleet.hosts[0]
        target = ["-H", host.endpoint, "--user", host.username, "--auth", "basic"]
        created_and_cancelled(shell, host, target)


def test_a_large_listing_comes_in_many_sealed_parts(shell: Shell, host: PracticeHost) -> None:
    target = ["-H", host.http_endpoint, "--user", host.username, "--auth", "credssp"]
    line = rf"create http://127.0.0.1:9/a C:\in\a --suspended --description {'d' * 900} --name n"
    lines = [word for number in range(25) for word in ("-c", f"{line}{number}")]
    assert shell(*target, *lines, password=host.password).code == 0
    listed = shell("jobs", "-o", "json", *target, password=host.password)
    assert listed.out.count("d" * 900) == 25  # 16 KB and more
    assert shell("cancel", "n*", "--yes", *target, password=host.password).code == 0


# --- what is refused, in three lines at most ---


def refused(said: Said, *parts: str) -> None:
    """It says what happened and what to do, and nothing else."""
    assert said.code == 3
    assert said.out == ""
    assert 1 <= len(said.err) <= 3
    whole = "\n".join(said.err)
    for part in parts:
        assert part in whole
    assert "Traceback" not in whole


@pytest.mark.parametrize("auth", ["ntlm", "credssp", "auto", "basic"])
def test_a_wrong_password(shell: Shell, host: PracticeHost, auth: str) -> None:
    target = ["-H", host.endpoint, "--user", host.username, "--auth", auth]
    said = shell("jobs", *target, "--ca", authority(host), password="Wrong-1")
    refused(said, "refused the sign-in for practice", "check the user name")
    assert "Wrong-1" not in "".join(said.err)


def test_the_certificate_of_nobody_there(
    shell: Shell, fleet: PracticeFleet, host: PracticeHost
) -> None:
    other = fleet.client_certificate("stranger")
    shown = ["--certificate", str(other.path), "--certificate-key", str(other.key_path)]
    said = shell(
        *["jobs", "-H", host.endpoint, "--auth", "certificate", *shown, "--ca", authority(host)]
    )
    refused(said, "refused the sign-in with certificate", "mapped to an account")


@pytest.mark.parametrize(("auth", "offered"), [("basic", "Negotiate"), ("credssp", "Negotiate")])
def test_a_scheme_that_the_host_does_not_offer(shell: Shell, auth: str, offered: str) -> None:
    settings = PracticeSettings(winrm=WinRmSettings(allow_unencrypted=False))
    with PracticeFleet(hosts=1, settings=settings) as fleet:
        host = fleet.hosts[0]
        target = ["-H", host.endpoint, "--user", host.username, "--auth", auth]
        said = shell("jobs", *target, password=host.password)
    refused(said, f"does not offer {auth}; it offers {offered}", "--auth")


def test_an_authority_that_nobody_named(shell: Shell, host: PracticeHost) -> None:
    target = ["-H", host.endpoint, "--user", host.username, "--auth", "ntlm"]
    said = shell("jobs", *target, password=host.password)
    refused(said, "is not accepted: self-signed certificate", "--ca FILE")


@pytest.mark.parametrize(
    ("kind", "problem", "remedy"),
    [
        (Tls.WRONG_NAME, "not valid for '127.0.0.1'", "use the name that the certificate"),
        (Tls.EXPIRED, "certificate has expired", "renew the certificate there"),
    ],
)
def test_a_certificate_that_does_not_fit(
    shell: Shell, kind: Tls, problem: str, remedy: str
) -> None:
    with PracticeFleet(hosts=1, tls=kind) as fleet:
        host = fleet.hosts[0]
        assert host.certificate is not None
        jobs = ["jobs", "-H", host.endpoint, "--user", host.username, "--auth", "ntlm"]
        said = shell(*jobs, "--ca", authority(host), password=host.password)
        refused(said, problem, remedy)
        for trust in (["--tls-no-verify"], ["--tls-fingerprint", host.certificate.fingerprint]):
            assert shell(*jobs, *trust, password=host.password).code == 0


def test_a_pinned_certificate_is_trusted_and_no_other(shell: Shell, host: PracticeHost) -> None:
    assert host.certificate is not None
    jobs = ["jobs", "-H", host.endpoint, "--user", host.username, "--auth", "basic"]
    pin = host.certificate.fingerprint.upper()
    assert shell(*jobs, "--tls-fingerprint", pin, password=host.password).code == 0
    other = shell(*jobs, "--tls-fingerprint", "0" * 64, password=host.password)
    refused(other, "not the pinned one", "pin the new certificate")


def test_tls_where_there_is_none_and_the_other_way_round(shell: Shell, host: PracticeHost) -> None:
    user = ["--user", host.username, "--auth", "ntlm"]
    over_tls = host.http_endpoint.replace("http:", "https:")
    said = shell("jobs", "-H", over_tls, *user, "--tls-no-verify", password=host.password)
    refused(said, "does not speak TLS", "is the port right?")
    in_clear = host.endpoint.replace("https:", "http:")
    said = shell("jobs", "-H", in_clear, *user, password=host.password)
    refused(said, "closed the connection at once", "is the port right?")
