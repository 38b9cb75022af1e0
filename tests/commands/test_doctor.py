"""`doctor`: the installation, and the way to a host layer by layer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from wrong_hosts import banner_server, closed_port

from bitsshell.bits import HostIdentity
from bitsshell.cli import ALL_FAILED, OK, SOME_FAILED
from bitsshell.commands.checking import LAYERS, host_checks
from bitsshell.config import Config, ConfigError
from bitsshell.fleet.credentials import NoCredential
from bitsshell.fleet.targets import parse_target
from bitsshell.results import CheckState, Outcome
from bitsshell.wsman import CertificateRejected, ConnectFailed, MissingExtra, WSManError

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Console, Site

    from bitsshell.errors import BitsShellError


def states(console: Console, line: str = "doctor practice01") -> dict[str, str]:
    return {one["check"]: one["state"] for one in console(f"{line} -o json").records}


def ends_at(layer: str, *, tls: bool = False) -> dict[str, str]:
    """All before it are well, all behind it were not tried."""
    layers = [name for name in LAYERS if tls or name != "TLS"]
    place = layers.index(layer)
    return {
        name: "ok" if index < place else "failed" if index == place else "not tried"
        for index, name in enumerate(layers)
    }


def test_a_host_that_is_well_is_well_in_every_layer(site: Site) -> None:
    console = site.console()
    found = states(console)
    assert set(found.values()) == {"ok"}
    assert list(found) == [layer for layer in LAYERS if layer != "TLS"]
    ran = console("doctor practice01")
    assert ran.code == OK
    assert "0 jobs" in ran.out


@pytest.mark.parametrize(
    ("fault", "layer", "says"),
    [
        ("garbage", "WinRM", "5985"),
        ("expired-password", "logon", "the password"),
        ("access-denied", "access", "Administrators"),
        ("provider-missing", "provider", "Install-WindowsFeature"),
        ("enumerate-failed", "enumeration", "owner no longer exists"),
    ],
)
def test_the_first_layer_that_fails_says_what_to_do(
    site: Site, fault: str, layer: str, says: str
) -> None:
    console = site.console()
    site.host.faults.arm(fault)
    assert states(console) == ends_at(layer)
    ran = console("doctor practice01")
    assert ran.code == ALL_FAILED
    assert says in " ".join(ran.out.split())


def test_what_is_no_winrm_is_told_from_what_does_not_answer(site: Site) -> None:
    console = site.console()
    with banner_server(b"SSH-2.0-OpenSSH_9.6\r\n") as address:
        console.add_host("ssh", f"http://{address}/wsman")
        assert states(console, "doctor ssh") == ends_at("WinRM")
    with closed_port() as address:
        console.add_host("closed", f"http://{address}/wsman")
        assert states(console, "doctor closed") == ends_at("connection")
        ran = console("doctor practice01 closed")
        assert ran.code == SOME_FAILED
        assert "nothing listens" in ran.out
        assert "not tried" in ran.out


def test_a_wrong_password_ends_at_the_logon(site: Site) -> None:
    console = site.console(password="wrong")
    assert states(console) == ends_at("logon")


@pytest.mark.parametrize(
    ("error", "layer"),
    [
        (ConnectFailed("name", address="web01:5986"), "name"),
        (ConnectFailed("timeout", address="web01:5986"), "connection"),
        (ConnectFailed("unreachable", address="web01:5986"), "connection"),
        (ConnectFailed("tls", address="web01:5986"), "TLS"),
        (CertificateRejected(address="web01:5986"), "TLS"),
        (WSManError(), "WinRM"),
    ],
)
def test_an_error_of_connecting_belongs_to_its_layer(error: BitsShellError, layer: str) -> None:
    target = parse_target("https://web01:5986/wsman")
    checks = host_checks(target, Outcome(host="web01", error=error), None)
    assert {check.name: check.state.value for check in checks} == ends_at(layer, tls=True)


@pytest.mark.parametrize("error", [NoCredential("no user"), MissingExtra()])
def test_what_fails_before_anything_is_sent_says_nothing_of_the_host(error: BitsShellError) -> None:
    checks = host_checks(parse_target("web01"), Outcome(host="web01", error=error), None)
    assert {c.state for c in checks if c.name != "logon"} == {CheckState.NOT_TRIED}
    (logon,) = [c for c in checks if c.name == "logon"]
    assert logon.state is CheckState.FAILED


def test_a_listing_that_is_lost_after_identify_is_no_fault_of_winrm() -> None:
    identify = Outcome(
        host="web01",
        value=HostIdentity(version="OS: 10"),
    )
    listing = Outcome(host="web01", error=WSManError())
    checks = {c.name: c for c in host_checks(parse_target("web01"), identify, listing)}
    assert checks["WinRM"].text == "OS: 10"
    assert checks["enumeration"].state is CheckState.FAILED


# The installation


def test_the_installation_is_looked_at_and_nothing_is_sent(site: Site) -> None:
    console = site.console()
    before = site.host.stats.requests
    ran = console("doctor")
    assert ran.code == OK
    for word in ("Python", "pywinrm", "clustershell", "practice", "config", "history", "terminal"):
        assert word in ran.out
    assert site.host.stats.requests == before


def test_a_broken_configuration_and_an_open_history_are_found(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform == "win32":
        pytest.skip("permissions of POSIX")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    from platformdirs import user_state_path

    history = user_state_path("bitsshell", appauthor=False) / "history"
    history.parent.mkdir(parents=True)
    history.write_text("")
    history.chmod(0o644)
    console = site.console()
    problem = ConfigError(tmp_path / "c.toml", 7, "broken", hint="mend it")
    console.session.configure(Config(problem=problem))
    ran = console("doctor")
    assert ran.code == ALL_FAILED
    words = " ".join(ran.out.split())
    assert "c.toml:7: broken next: mend it" in words
    assert "can be read by others (644)" in words
    assert "chmod 600" in words


def test_every_form_has_the_checks(site: Site) -> None:
    console = site.console()
    assert console("doctor -o csv").out.startswith("subject,check,state,text,next")
    assert console("doctor -o ndjson").events[0]["check"] == "bitsshell"
    assert "Python" in console("doctor -o vertical").out
