"""Kerberos: a real KDC, hosts with a keytab, and clients with tickets, each a process of its own.

libkrb5 reads its configuration once a process, so that nothing here happens in the tests' own.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from practice_kdc import MISSING, REALM, Kdc
from practice_shell import Said, Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.kerberos,
    pytest.mark.skipif(bool(MISSING), reason=f"Kerberos needs {', '.join(MISSING)}"),
]

USER, PASSWORD = "practice", "Pass-1"
HOSTNAME = socket.gethostname()
FOLDER = Path(__file__).parent
SPNEGO = "application/HTTP-SPNEGO-session-encrypted"


@dataclass(frozen=True)
class Fleet:
    """A fleet of one host in another process; its addresses, by name as a ticket wants it."""

    told: dict[str, object]

    def url(self, scheme: str = "http", name: str = "localhost") -> str:
        key = "endpoint" if scheme == "https" else "http_endpoint"
        return str(self.told["hosts"][0][key]).replace("127.0.0.1", name)  # type: ignore[index]

    @property
    def authority(self) -> str:
        return str(self.told["tls"]["ca"])  # type: ignore[index]


@pytest.fixture(scope="module")
def kdc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kdc]:
    # pypsrp asks for the service "host" unless told otherwise, the others for "HTTP".
    names = {
        f"{service}/{name}" for service in ("HTTP", "host") for name in ("localhost", HOSTNAME)
    }
    with Kdc(tmp_path_factory.mktemp("kdc"), sorted(names)) as running:
        running.add_user(USER, PASSWORD)
        running.add_user("stranger", "Pass-2")
        yield running


@pytest.fixture(scope="module")
def ticket(kdc: Kdc) -> dict[str, str]:
    """The environment of the account's owner, who has run kinit."""
    return kdc.tickets(USER, PASSWORD)


@contextmanager
def running(kdc: Kdc, *options: str) -> Iterator[Fleet]:
    words = ["--hosts", "1", "--json", "--tls", "--keytab", str(kdc.keytab), *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "bitsshell.practice", *words],
        env={**kdc.environment, "BITSSHELL_PASSWORD": PASSWORD},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Fleet(json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="module")
def fleet(kdc: Kdc) -> Iterator[Fleet]:
    """Refuses plain messages over HTTP: what works there was sealed."""
    with running(
        kdc, "--encrypted-only", "--auth", "negotiate", "--auth", "kerberos", "--auth", "credssp"
    ) as started:
        yield started


def client(
    kind: str, url: str, environment: dict[str, str], **options: object
) -> dict[str, object] | str:
    """What the client answered, or the last line of what it complained about."""
    done = subprocess.run(
        [sys.executable, str(FOLDER / "kerberos_client.py"), kind, url, json.dumps(options)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode == 0:
        answer: dict[str, object] = json.loads(done.stdout)
        assert set(answer.pop("texts")) == {"d" * 1000}  # type: ignore[call-overload]
        return answer
    return done.stderr.strip().splitlines()[-1]


# --- pypsrp ---


@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
@pytest.mark.parametrize("name", ["localhost", HOSTNAME])
def test_pypsrp_seals_over_http(fleet: Fleet, ticket: dict[str, str], auth: str, name: str) -> None:
    answer = client("pypsrp", fleet.url(name=name), ticket, auth=auth)
    assert answer == {"sealing": SPNEGO, "mechanism": "kerberos"}


@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
@pytest.mark.parametrize("encryption", ["auto", "always"])
def test_pypsrp_over_tls(fleet: Fleet, ticket: dict[str, str], auth: str, encryption: str) -> None:
    answer = client(
        *("pypsrp", fleet.url("https"), ticket),
        auth=auth,
        encryption=encryption,
        cert_validation=fleet.authority,
    )
    sealing = SPNEGO if encryption == "always" else None
    assert answer == {"sealing": sealing, "mechanism": "kerberos"}


def test_pypsrp_uses_the_scheme_kerberos_where_negotiate_is_not_offered(
    kdc: Kdc, ticket: dict[str, str]
) -> None:
    with running(kdc, "--encrypted-only", "--auth", "kerberos") as fleet:
        answer = client("pypsrp", fleet.url(), ticket, auth="kerberos")
        sealing = "application/HTTP-Kerberos-session-encrypted"
        assert answer == {"sealing": sealing, "mechanism": "kerberos"}


@pytest.mark.parametrize(("mechanism", "settled"), [("kerberos", "kerberos"), ("ntlm", "ntlm")])
def test_pypsrp_delegates_by_credssp(fleet: Fleet, kdc: Kdc, mechanism: str, settled: str) -> None:
    username = f"{USER}@{REALM}" if mechanism == "kerberos" else USER
    answer = client(
        *("pypsrp", fleet.url(), kdc.environment),
        auth="credssp",
        username=username,
        password=PASSWORD,
        credssp_auth_mechanism=mechanism,
    )
    sealing = "application/HTTP-CredSSP-session-encrypted"
    assert answer == {"sealing": sealing, "mechanism": settled}


def test_pypsrp_gets_its_ticket_by_a_password(fleet: Fleet, kdc: Kdc) -> None:
    who = {"username": f"{USER}@{REALM}", "password": PASSWORD}
    answer = client("pypsrp", fleet.url(), kdc.environment, auth="kerberos", **who)
    assert answer == {"sealing": SPNEGO, "mechanism": "kerberos"}


def test_negotiate_settles_on_ntlm_without_a_ticket(fleet: Fleet, kdc: Kdc) -> None:
    who = {"username": USER, "password": PASSWORD}
    url = fleet.url(name="127.0.0.1")
    answer = client("pypsrp", url, kdc.environment, auth="negotiate", **who)
    assert answer == {"sealing": SPNEGO, "mechanism": "ntlm"}


def test_a_host_that_lost_its_keys_refuses_the_ticket(
    kdc: Kdc, ticket: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "other.keytab"
    kdc.add_user("elsewhere", "x")
    kdc.keys_of("elsewhere", other)
    with running(kdc, "--keytab", str(other)) as fleet:
        answer = client("pypsrp", fleet.url(), ticket, auth="kerberos")
        assert isinstance(answer, str)
        assert "AuthenticationError" in answer


# --- pywinrm ---


@pytest.mark.parametrize("encryption", ["auto", "always"])
def test_pywinrm_over_http(fleet: Fleet, ticket: dict[str, str], encryption: str) -> None:
    answer = client(
        *("pywinrm", fleet.url(), ticket),
        auth_method="kerberos",
        service="HTTP",
        message_encryption=encryption,
    )
    assert answer == {"sealing": SPNEGO}


@pytest.mark.parametrize(("encryption", "sealing"), [("auto", None), ("always", SPNEGO)])
@pytest.mark.parametrize("send_cbt", [True, False])
def test_pywinrm_over_tls(
    fleet: Fleet, ticket: dict[str, str], encryption: str, sealing: str | None, send_cbt: bool
) -> None:
    answer = client(
        *("pywinrm", fleet.url("https"), ticket),
        auth_method="kerberos",
        service="HTTP",
        message_encryption=encryption,
        ca_trust_path=fleet.authority,
        send_cbt=send_cbt,
    )
    assert answer == {"sealing": sealing}


# --- bitsshell ---


def jobs(home: Path, environment: dict[str, str], *words: str) -> Said:
    return Shell(home, environment)("jobs", *words)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", ["localhost", HOSTNAME])
def test_bitsshell_with_a_ticket(
    tmp_path: Path, fleet: Fleet, ticket: dict[str, str], scheme: str, name: str
) -> None:
    lines = [
        rf"create http://127.0.0.1:9/a C:\in\a --name made --suspended --description {'d' * 900}",
        "jobs",
        "cancel made --yes",
    ]
    target = ["-H", fleet.url(scheme, name), "--auth", "kerberos", "--ca", fleet.authority]
    words = [word for line in lines for word in ("-c", line)]
    said = Shell(tmp_path, ticket)(*target, "-o", "ndjson", *words)
    assert (said.code, said.err) == (0, [])
    assert "d" * 900 in said.out


def test_bitsshell_knows_that_it_is_connected_by_a_ticket(
    tmp_path: Path, fleet: Fleet, ticket: dict[str, str]
) -> None:
    target = ["-H", fleet.url("https"), "--auth", "kerberos", "--ca", fleet.authority]
    said = Shell(tmp_path, ticket)(*target, "-o", "ndjson", "-c", "jobs", "-c", "hosts")
    (host,) = [json.loads(line) for line in said.out.splitlines()]
    assert (host["is_connected"], host["auth"]) == (True, "kerberos")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_bitsshell_uses_the_scheme_kerberos_where_negotiate_is_not_offered(
    tmp_path: Path, kdc: Kdc, ticket: dict[str, str], scheme: str
) -> None:
    with running(kdc, "--encrypted-only", "--auth", "kerberos") as fleet:
        target = ["-H", fleet.url(scheme), "--auth", "kerberos", "--ca", fleet.authority]
        said = Shell(tmp_path, ticket)(*target, "-c", "jobs", "-c", "jobs")
        assert (said.code, said.err) == (0, [])
        missing = jobs(tmp_path, kdc.environment, *target)
        assert missing.err[1:] == ["next: get a ticket: kinit NAME@REALM"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_bitsshell_takes_kerberos_by_itself_where_there_is_a_ticket(
    tmp_path: Path, kdc: Kdc, scheme: str
) -> None:
    # Nobody gave a name or a password: it cannot have been NTLM. The host has another name than
    # localhost, where a person on the practice fleet of this machine means its own account.
    if HOSTNAME in {"localhost", ""}:
        pytest.skip("this machine has no name of its own")
    address = socket.gethostbyname(HOSTNAME)
    environment = kdc.tickets(USER, PASSWORD)
    with running(kdc, "--encrypted-only", "--bind", address) as fleet:
        url = fleet.url(scheme).replace(address, HOSTNAME).replace("localhost", HOSTNAME)
        said = jobs(tmp_path, environment, "-H", url, "--ca", fleet.authority)
    assert (said.code, said.err) == (0, [])


def test_bitsshell_takes_ntlm_by_itself_where_there_is_no_ticket(
    tmp_path: Path, fleet: Fleet, kdc: Kdc
) -> None:
    url = fleet.url(name=HOSTNAME)
    said = Shell(tmp_path, kdc.environment)("jobs", "-H", url, "--user", USER, password=PASSWORD)
    assert (said.code, said.err) == (0, [])


def test_bitsshell_says_kinit_where_there_is_no_ticket(
    tmp_path: Path, fleet: Fleet, kdc: Kdc
) -> None:
    said = jobs(tmp_path, kdc.environment, "-H", fleet.url(), "--auth", "kerberos")
    assert said.code == 3
    assert "there is no usable Kerberos ticket" in said.err[0]
    assert said.err[1:] == ["next: get a ticket: kinit NAME@REALM"]


def test_bitsshell_says_kinit_where_the_ticket_has_run_out(
    tmp_path: Path, fleet: Fleet, kdc: Kdc
) -> None:
    environment = kdc.expired_tickets(USER, PASSWORD)
    said = jobs(tmp_path, environment, "-H", fleet.url(), "--auth", "kerberos")
    assert said.code == 3
    assert "there is no usable Kerberos ticket" in said.err[0]
    assert said.err[1:] == ["next: get a ticket: kinit NAME@REALM"]


def test_somebody_else_with_a_ticket_may_do_nothing(tmp_path: Path, fleet: Fleet, kdc: Kdc) -> None:
    environment = kdc.tickets("stranger", "Pass-2")
    said = jobs(tmp_path, environment, "-H", fleet.url(), "--auth", "kerberos")
    assert said.code == 3
    assert "access is denied (0x00000005" in said.err[0]


def test_a_host_that_the_realm_does_not_know(
    tmp_path: Path, fleet: Fleet, ticket: dict[str, str]
) -> None:
    said = jobs(tmp_path, ticket, "-H", fleet.url(name="127.0.0.1"), "--auth", "kerberos")
    assert said.code == 3
    assert "refused the sign-in with kerberos" in said.err[0]
    assert "HTTP/127.0.0.1" in said.err[0]
    assert "name the host as its domain does" in said.err[1]


def test_a_host_without_a_keytab_does_not_take_tickets(
    tmp_path: Path, kdc: Kdc, ticket: dict[str, str]
) -> None:
    # Not even with the machine's own keys at hand.
    environment = {**kdc.environment, "KRB5_KTNAME": f"FILE:{kdc.keytab}"}
    process = subprocess.Popen(
        [sys.executable, "-m", "bitsshell.practice", "--hosts", "1", "--json"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    fleet = Fleet(json.loads(process.stdout.readline()))
    said = jobs(tmp_path, ticket, "-H", fleet.url(), "--auth", "kerberos")
    process.terminate()
    process.communicate(timeout=20)
    assert said.code == 3
    assert "refused the sign-in with kerberos" in said.err[0]


def test_the_tests_own_process_is_in_no_realm(kdc: Kdc) -> None:
    assert os.environ.get("KRB5_CONFIG") != kdc.environment["KRB5_CONFIG"]
