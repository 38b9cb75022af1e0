"""Bad input, of every kind that is known: what, where and what next, in one to three lines.

Nothing of it is half made, nothing is a traceback, and the exit code says of which kind it is.
"""

from __future__ import annotations

import importlib.util
from functools import partial
from typing import TYPE_CHECKING

import pytest
from wrong_hosts import banner_server, black_hole, closed_port, silent_server

from bitsshell.bits.limits import MAX_OWN_DESCRIPTION
from bitsshell.fleet import channels
from bitsshell.fleet.targets import Auth
from bitsshell.journal import Wanted
from bitsshell.wsman import client
from bitsshell.wsman.retry import Retry

if TYPE_CHECKING:
    from consoles import Ran, Site


def in_order(ran: Ran, code: int, *said: str) -> None:
    """The error is one to three lines that say these things."""
    lines = ran.err.splitlines()
    assert 1 <= len(lines) <= 3, ran.err
    assert "Traceback" not in ran.err
    assert "internal error" not in ran.err
    for text in said:
        assert text in ran.err
    assert ran.code == code, ran.err
    assert ran.out in {"", "[]\n"}


CREATE = "create http://s/a "
LONG = "x" * 3000


@pytest.mark.parametrize(
    ("line", "said"),
    [
        # verbs and options
        ("jbos", ["there is no verb 'jbos'", "did you mean jobs?"]),
        ("frobnicate", ["there is no verb 'frobnicate'", "see them all: help"]),
        ("help wheer", ["there is no verb or topic 'wheer'", "did you mean where?"]),
        ("JOBS", ["there is no verb 'JOBS'", "jobs"]),
        ("jobs --stat error", ["there is no option --stat", "did you mean --state?"]),
        ("set x --prority low", ["there is no option --prority", "--priority"]),
        ("jobs --password hunter2", ["--password", "BITSSHELL_PASSWORD", "change the one"]),
        ("jobs -z", ["there is no option -z", "help jobs"]),
        ("jobs --state", ["--state", "requires an argument"]),
        ("jobs --port 99999", ["'99999' is no port", "1 to 65535"]),
        ("jobs --port x", ["'x' is no port"]),
        ("jobs -o yaml", ["'yaml' is no output format", "ndjson"]),
        ("jobs --auth magic", ["'magic' is no auth", "kerberos"]),
        ("jobs --ca nowhere.pem", ["there is no file 'nowhere.pem'", "PEM"]),
        ("watch x --interval soon", ["--interval: 'soon' is no length of time", "5m"]),
        ("watch x --interval 0", ["--interval: '0' is too short", "0.05"]),
        ("jobs --timeout -5", ["no length of time"]),
        ("watch x --interval " + "9" * 400, ["is too long"]),
        ("show 'open", ["the quote ' at character 6 is never closed", "close it"]),
        # missing arguments
        ("show", ["JOB... is missing", "show [OPTIONS] JOB..."]),
        ("create", ["URL PATH", "is missing"]),
        ("create http://s/a", ["a path is missing after 'http://s/a'", "in pairs"]),
        ("add nightly", ["is missing"]),
        ("explain", ["is missing"]),
        ("hosts extra", ["extra"]),
        # local paths
        (CREATE + r"in\a.bin", [r"'in\a.bin'", r"C:\folder"]),
        (CREATE + "C:/in/a.bin", ["'C:/in/a.bin'", "backslash"]),
        (CREATE + r"C:\in" + "\\", [r"'C:\in" + "\\'", "folder"]),
        (CREATE + r"C:a.bin", ["'C:a.bin'"]),
        (CREATE + r"C:\in\a?.bin", ["'?'"]),
        (CREATE + r"C:\in\con", ["device"]),
        (CREATE + r"C:\in\a:b", ["stream"]),
        (CREATE + r"\\?\C:\in\a", [r"'\\?\C:\in\a'"]),
        (CREATE + r"C:\in\a..", [r"C:\in\a.."]),
        (CREATE + "C:\\" + LONG, ["path", "259"]),
        # URLs
        (r"create ftp://s/a C:\a", ["'ftp://s/a'", "http"]),
        (r"create C:\b C:\a", [r"'C:\b'"]),
        (r"create http:// C:\a", ["'http://'"]),
        (r"create 'http://s/a b' C:\a", ["%20"]),
        (r"create \\server C:\a", [r"'\\server'"]),
        (rf"create http://s/{LONG} C:\a", ["URL", "2,200"]),
        # names and descriptions
        (CREATE + rf"C:\a --name {LONG}", ["name", "3,000", "256"]),
        (CREATE + r"C:\a --name ''", ["name"]),
        (CREATE + rf"C:\a --description {LONG}", ["description", f"{MAX_OWN_DESCRIPTION:,}"]),
        ("set x --name " + LONG, ["name", "256"]),
        (CREATE + "C:\\a --name 'a\x00b'", ["U+0000"]),
        (CREATE + "C:\\a --name '\x1b[31m'", ["U+001B"]),
        # jobs, states, priorities
        ("show {9D5C4B47-36E2}", ["'{9D5C4B47-36E2}'", "8-4-4-4-12"]),
        ("show 9D5C4B47-36E2-4D5E-9A4F-1C2B3A49586", ["no job"]),
        ("cancel 'nothing*' --yes", ["no job 'nothing*'", "see what is there: jobs"]),
        ("show ''", ["empty"]),
        ("show %0", ["'%0' is no row", "from 1"]),
        ("show %x", ["'%x' is no row"]),
        ("jobs --state broken", ["'broken' is no state", "transient-error"]),
        ("wait x --until done", ["'done' is no state", "acknowledged"]),
        ("set x --priority urgent", ["'urgent' is no priority", "foreground, high, normal, low"]),
        (CREATE + r"C:\a --if-exists maybe", ["'maybe' is no", "reuse"]),
        ("manage x --on-error retry", ["'retry' is no", "keep, cancel, resume"]),
        (CREATE + r"C:\a --account me", ["'me' is no account", "local-system"]),
        # hosts
        ("jobs -H 'a b'", ["'a b' is no host"]),
        ("jobs -H web01:99999", ["'99999' is no port"]),
        ("jobs -H ftp://web01/", ["http or https, not ftp"]),
        ("jobs -H http://u:secret@web01/", ["account does not belong"]),
        ("jobs -x practice01", ["no host to act on", "-H HOST"]),
    ],
)
def test_what_cannot_be_understood_is_explained_and_nothing_is_changed(
    site: Site, line: str, said: list[str]
) -> None:
    console = site.console()
    ran = console(line)
    in_order(ran, 2, *said)
    assert "secret" not in ran.err
    assert len(max(ran.err.splitlines(), key=len)) <= 600
    assert not site.host.jobs()
    assert not console.session.journal.entries(Wanted(changes=True))


def test_paths_are_shown_as_they_were_typed(site: Site) -> None:
    ran = site.console()(CREATE + r"a\b\c.bin")
    assert r"a\b\c.bin" in ran.err
    assert r"a\\b" not in ran.err


def test_an_ambiguous_name_lists_its_candidates(site: Site) -> None:
    console = site.console()
    for _ in range(2):
        console(rf"create {site.url} C:\in\a --name nightly --suspended --if-exists new")
    ran = console("cancel nightly --yes")
    in_order(ran, 2, "'nightly' matches 2 jobs", "give the id of one")
    for job in site.host.jobs():
        assert job.id.strip("{}") in ran.err


def test_an_id_with_a_slip_in_it_is_suggested_and_nothing_is_changed(site: Site) -> None:
    console = site.console()
    console(f"create {site.url} C:\\in\\a --name nightly --suspended")
    right = site.only_job().id.strip("{}").upper()
    wrong = ("0" if right[0] != "0" else "1") + right[1:]
    for typed in (wrong, f"'{{{wrong}}}'"):
        ran = console(f"cancel {typed} --yes")
        in_order(ran, 2, "no job", f"did you mean '{right}'?")
    assert len(site.host.jobs()) == 1


def test_a_name_that_is_nearly_right_is_suggested(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly --suspended")
    in_order(console("resume nihgtly"), 2, "no job 'nihgtly' on practice01", "'nightly'")


def test_a_description_over_the_limit_of_a_job_with_a_reference_is_refused(site: Site) -> None:
    console = site.console()
    console(rf"create {site.url} C:\in\a --name nightly --suspended --description old")
    text = "x" * (MAX_OWN_DESCRIPTION + 1)
    in_order(console(f"set nightly --description {text}"), 2, "description", "1,007")
    assert site.only_job().description.startswith("old [ref:")


# Hosts that are not as they should be


def elsewhere(site: Site, url: str, line: str = "jobs", **settings: object) -> Ran:
    """A line on a host at some URL, and on no other."""
    console = site.console(auth=Auth.BASIC)
    console.session.targets = ()
    console.add_host("web01", url, **settings)
    return console(line)


def test_a_host_on_which_nothing_listens(site: Site) -> None:
    with closed_port() as address:
        ran = elsewhere(site, f"http://{address}/wsman")
    in_order(ran, 3, f"web01: nothing listens on {address}", "winrm quickconfig")


def test_a_host_whose_name_nobody_knows(site: Site) -> None:
    ran = elsewhere(site, "http://no-such-host.invalid:5985/wsman", allow_unencrypted=True)
    in_order(ran, 3, "web01: the name in no-such-host.invalid:5985 is not known", "spelling")


def test_of_a_host_whose_name_nobody_knows_a_known_one_is_suggested(site: Site) -> None:
    console = site.console()
    console("jobs")
    ran = console("jobs -H practice01.invalid --user tester --auth ntlm")
    assert ran.code == 3
    assert "did you mean practice01?" in ran.err


def test_a_port_on_which_a_web_server_answers(site: Site) -> None:
    ran = elsewhere(site, f"{site.fleet.files_url}wsman")
    in_order(ran, 3, "web01: something else than WinRM answers on this port", "5985")


def test_a_port_on_which_something_answers_that_is_not_http(site: Site) -> None:
    with banner_server(b"SSH-2.0-OpenSSH_9.6\r\n") as address:
        ran = elsewhere(site, f"http://{address}/wsman")
    in_order(ran, 3, "web01: ", "no HTTP (SSH-2.0-OpenSSH_9.6)", "port (5985, with TLS 5986)?")


def test_tls_to_a_port_that_speaks_plain_http(site: Site) -> None:
    ran = elsewhere(site, site.host.endpoint.replace("http:", "https:"))
    in_order(ran, 3, "does not speak TLS", "is the port right?")


def test_a_black_hole_is_given_up_soon(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert channels.CONNECT_S <= 5
    monkeypatch.setattr(channels, "CONNECT_S", 0.3)
    with black_hole() as address:
        ran = elsewhere(site, f"http://{address}/wsman")
    in_order(ran, 3, f"web01: no answer to the connection to {address} within 0.3 s", "firewall")


def test_a_host_that_never_answers_ends_with_the_time_limit(site: Site) -> None:
    with silent_server() as (address, _):
        ran = elsewhere(site, f"http://{address}/wsman", "jobs --timeout 0.3")
    assert ran.code == 4
    assert "web01" in ran.err
    assert "time limit" in ran.err
    assert len(ran.err.splitlines()) <= 3


@pytest.mark.parametrize("auth", [Auth.BASIC, Auth.NTLM])
def test_a_wrong_password(site: Site, auth: Auth) -> None:
    ran = site.console(auth=auth, password="wrong")("jobs")
    in_order(ran, 3, "practice01: the host refused the sign-in for practice", "password")


def test_a_wrong_password_is_tried_on_one_host_only(site: Site) -> None:
    before = [host.stats.requests for host in site.hosts]
    ran = site.console(3, password="wrong")("jobs")
    assert ran.code == 3
    assert "rejected this account's password" in ran.err
    asked = [host.stats.requests > b for host, b in zip(site.hosts, before, strict=True)]
    assert asked.count(True) == 1


def test_no_password_and_nobody_to_ask(site: Site) -> None:
    console = site.console()
    console.session.credentials.environment = {}
    in_order(console("jobs"), 5, "no password for 'practice'", "BITSSHELL_PASSWORD")


def test_kerberos_without_its_extra_or_without_a_ticket(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRB5CCNAME", "FILE:no-such-cache")
    ran = elsewhere(site, site.host.endpoint, auth=Auth.KERBEROS)
    if importlib.util.find_spec("kerberos") or importlib.util.find_spec("winkerberos"):
        in_order(ran, 3, "web01: there is no usable Kerberos ticket", "kinit")
    else:
        in_order(ran, 3, "web01: kerberos", "not installed", 'pip install "bitsshell[kerberos]"')


def test_basic_to_another_machine_without_encryption_is_refused(site: Site) -> None:
    ran = elsewhere(site, "http://web01.example:5985/wsman")
    in_order(ran, 3, "web01: basic authentication over plain HTTP", "--allow-unencrypted")


def test_a_host_without_the_provider(site: Site) -> None:
    site.host.faults.arm("provider-missing")
    ran = site.console()("jobs")
    in_order(ran, 3, "practice01: ", "Install-WindowsFeature BITS-Compact-Server")


def test_an_account_that_may_not(site: Site) -> None:
    site.host.faults.arm("access-denied")
    in_order(site.console()("jobs"), 3, "practice01: ", "access is denied", "Administrators")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("garbage", "cannot be used"),
        ("html", "HTTP 503"),
        ("half-answer", "practice01: "),
        ("no-answer", "the connection ended before the answer"),
    ],
)
@pytest.mark.parametrize("line", ["jobs", "resume nightly", r"create http://s/a C:\in\a"])
def test_a_host_that_answers_garbage_or_half_or_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, fault: str, said: str, line: str
) -> None:
    monkeypatch.setattr(client, "Retry", partial(Retry, first_delay_s=0.01))
    site.host.faults.arm(fault)
    in_order(site.console()(line), 3, said)
    site.host.faults.disarm()
    assert not site.host.jobs()


@pytest.mark.parametrize("fault", ["half-answer", "no-answer", "quota", "timed-out"])
def test_a_read_that_failed_once_is_repeated(
    site: Site, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(client, "Retry", partial(Retry, first_delay_s=0.01))
    site.host.faults.arm(fault, operation="Enumerate", times=1)
    assert site.console()("jobs").code == 0


def test_an_idle_connection_that_died_is_made_anew(site: Site) -> None:
    console = site.console(auth=Auth.NTLM)
    assert console("jobs").code == 0
    assert site.host.drop_idle_connections() == 1
    assert console(rf"create {site.url} C:\in\a --suspended").code == 0
    assert len(site.host.jobs()) == 1


# Three hosts, one or all of them down


@pytest.mark.parametrize(("down", "code"), [((), 0), ((1,), 1), ((0, 2), 1), ((0, 1, 2), 3)])
@pytest.mark.parametrize(
    "line", ["jobs", "show nightly", "resume nightly --yes", "hosts --check", "suspend nightly"]
)
def test_hosts_that_fail_never_hide_those_that_answer(
    site: Site, line: str, down: tuple[int, ...], code: int
) -> None:
    console = site.console(3)
    console(rf"create {site.url} C:\in\a --name nightly --suspended --yes")
    for index in down:
        site.hosts[index].faults.arm("access-denied")
        site.hosts[index].faults.arm("html", status=404)
    ran = console(line)
    assert ran.code == code, ran.err
    for index, host in enumerate(site.hosts):
        assert (host.name in ran.err) == (index in down), ran.err
