"""The command `bitsshell` with a configuration file: what it takes from there, and what wins."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from bitsshell.cli import OK, USAGE, run
from bitsshell.fleet.credentials import PASSWORD_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consoles import Ran, Site

    Bitsshell = Callable[..., Ran]


@pytest.fixture
def file(tmp_path: Path, site: Site) -> Path:
    """A configuration that names the practice hosts."""
    path = tmp_path / "fleet.toml"
    names = "\n".join(f"{host.name} = '{host.endpoint}'" for host in site.hosts)
    path.write_text(
        f"""
[defaults]
user = '{site.host.username}'
auth = "basic"
output = "csv"
[hosts]
{names}
[groups]
all = ['{site.hosts[0].name}', '{site.hosts[1].name}']
[groups.prod]
hosts = '{site.hosts[2].name}'
readonly = true
[aliases]
ll = "jobs"
[commands]
put = 'create <url> C:\\in\\<name> --name <name> --suspended --yes'
"""
    )
    return path


@pytest.fixture
def bitsshell(
    site: Site, file: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Bitsshell:
    monkeypatch.setenv(PASSWORD_VARIABLE, site.host.password)
    monkeypatch.setenv("BITSSHELL_CONFIG", str(file))

    def call(*arguments: str, stdin: str = "") -> Ran:
        from consoles import Ran

        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = run(list(arguments))
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return call


def test_hosts_groups_logon_and_output_come_from_the_file(bitsshell: Bitsshell, site: Site) -> None:
    ran = bitsshell("put", site.url, "a", "-H", "@all")
    assert ran.code == OK
    rows = sorted(row.split(",")[1] for row in ran.out.splitlines()[1:])
    assert rows == ["practice01", "practice02"]
    assert len(bitsshell("ll", "-H", "@all,practice03").out.splitlines()) == 3
    assert len(bitsshell("ll", "-H", "practice[01-03]", "-x", "@all").out.splitlines()) == 1


def test_configured_hosts_are_listed_before_anything_was_sent(
    bitsshell: Bitsshell, site: Site
) -> None:
    before = site.host.stats.requests
    rows = bitsshell("hosts").out.splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["practice01", "practice02", "practice03"]
    assert site.host.stats.requests == before


def test_what_is_typed_wins(bitsshell: Bitsshell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bitsshell("ll", "-H", "practice01", "-o", "json").out.strip() == "[]"
    assert bitsshell("-o", "json", "-H", "practice01", "ll").out.strip() == "[]"
    monkeypatch.setenv("BITSSHELL_OUTPUT", "json")
    assert bitsshell("ll", "-H", "practice01").out.strip() == "[]"
    ran = bitsshell("hosts", "-H", "practice01", "--user", "ann", "-o", "csv")
    assert ",basic,ann," in ran.out
    ran = bitsshell("-H", "practice01", "--user", "ann", "hosts", "-o", "csv")
    assert ",basic,ann," in ran.out
    monkeypatch.setenv("BITSSHELL_USER", "bob")
    assert ",basic,bob," in bitsshell("hosts", "-H", "practice01", "-o", "csv").out


def test_an_option_names_another_file(bitsshell: Bitsshell, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("[hosts]\nweb01 = 'web01.example'\n")
    ran = bitsshell("--config", str(other), "hosts", "-H", "web01", "-o", "csv")
    assert "http://web01.example:5985/wsman" in ran.out
    ran = bitsshell("--config", str(tmp_path / "gone.toml"), "hosts")
    assert ran.code == USAGE
    assert "there is no such file" in ran.err
    assert bitsshell("--config", str(other), "config", "path").out == f"{other}\n"


def test_a_file_that_is_named_and_not_there_yet_can_be_made(
    bitsshell: Bitsshell, tmp_path: Path
) -> None:
    new = tmp_path / "new.toml"
    assert bitsshell("--config", str(new), "config", "init").out == f"{new}\n"
    assert bitsshell("--config", str(new), "config", "check").out == f"{new}: well\n"


def test_a_read_only_group_is_refused_on_the_command_line(bitsshell: Bitsshell, site: Site) -> None:
    ran = bitsshell("put", site.url, "a", "-H", "@prod,@all")
    assert ran.code == USAGE
    assert "group @prod is read-only (practice03)" in ran.err
    assert not any(host.jobs() for host in site.hosts)


def test_with_a_mistake_in_the_file_nothing_runs_but_what_repairs_it(
    bitsshell: Bitsshell, file: Path, site: Site
) -> None:
    file.write_text("[groups.prod]\nhosts = 'practice01'\nreadonly = maybe\n")
    for words in (["jobs"], ["-c", "jobs"], ["put", "x", "y"]):
        ran = bitsshell("-H", site.host.endpoint, *words)
        assert ran.code == USAGE
        assert f"{file}:3: " in ran.err.replace("\n  ", " ")
    ran = bitsshell("config", "check")
    assert ran.code == USAGE
    assert f"{file}:3: " in ran.err.replace("\n  ", " ")
    assert bitsshell("config", "path").out == f"{file}\n"
    assert bitsshell("config", "show").code == USAGE
    assert bitsshell("help", "config").code == OK
    assert "fleet.toml:3:" in "".join(bitsshell("doctor").out.split())


@pytest.mark.parametrize("own", ["jobs = 'hosts'", "ls = 'jbos'", 'f = "jobs \'x"', "x = 'x'"])
def test_with_a_mistake_in_an_alias_nothing_runs_either(
    bitsshell: Bitsshell, file: Path, site: Site, own: str
) -> None:
    file.write_text(f"[aliases]\n{own}\n")
    for words in (["jobs"], ["-c", "jobs"], ["ls"]):
        ran = bitsshell("-H", site.host.endpoint, *words)
        assert (ran.code, ran.out) == (USAGE, "")
        assert f"{file}:2: " in ran.err.replace("\n  ", " ")
    assert bitsshell("config", "check").code == USAGE
    assert bitsshell("help").code == OK
    assert "fleet.toml:2:" in "".join(bitsshell("doctor").out.split())


def test_a_long_range_is_refused_on_the_command_line(bitsshell: Bitsshell) -> None:
    ran = bitsshell("hosts", "-H", "web[1-5000]")
    assert ran.code == USAGE
    assert "5,000 hosts" in ran.err
    assert len(bitsshell("hosts", "-H", "web[1-5000]", "--yes").out.splitlines()) == 5001
