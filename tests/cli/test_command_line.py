"""The command `bitsshell` in this process: lines, scripts, standard input, options in front."""

from __future__ import annotations

import errno
import getpass
import io
import sys
from typing import TYPE_CHECKING

import pytest
from consoles import Ran

from bitsshell.cli import BROKEN_PIPE, run
from bitsshell.fleet.credentials import PASSWORD_VARIABLE
from bitsshell.practice import JobState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consoles import Site

    Bitsshell = Callable[..., Ran]


@pytest.fixture
def bitsshell(
    site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Bitsshell:
    """Runs `bitsshell ARGUMENTS` with a standard input that is no terminal."""
    monkeypatch.setenv(PASSWORD_VARIABLE, site.host.password)

    def call(*arguments: str, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = run(list(arguments))
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return call


NOBODYS = "~nobody-here/file"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", NOBODYS, "jobs"],
        ["jobs", "--ca", NOBODYS],
        ["-c", f"help > {NOBODYS}"],
        ["config", "init", NOBODYS],
        ["config", "path", NOBODYS],
        ["transcript", "start", NOBODYS],
        ["record", "save", f"{NOBODYS}.ipynb"],
        ["run", f"{NOBODYS}.ipynb"],
        ["config", "init", "a\0b"],
        ["jobs", "--ca", "a" * 300],
        ["x" * 300],
        ["./" + "x" * 300],
    ],
)
def test_a_path_that_can_be_none_is_said_in_a_line_or_two(
    bitsshell: Bitsshell, arguments: list[str]
) -> None:
    ran = bitsshell(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("words", [["exit"], ["exit", "0"], ["quit", "now"]])
def test_leaving_is_no_verb_and_no_mistake(bitsshell: Bitsshell, words: list[str]) -> None:
    assert bitsshell(*words) == Ran(0, "", "")
    assert bitsshell("-c", " ".join(words), "-c", "nonsense") == Ran(0, "", "")
    assert bitsshell("-", stdin=f"{' '.join(words)}\nnonsense\n") == Ran(0, "", "")


def test_a_folder_is_no_script(bitsshell: Bitsshell, tmp_path: Path) -> None:
    ran = bitsshell(str(tmp_path))
    assert (ran.code, "no script that can be read" in ran.err) == (2, True)


@pytest.fixture
def at(site: Site) -> list[str]:
    """The options that say where to and who."""
    return ["-H", site.host.endpoint, "--user", site.host.username, "--auth", "basic"]


def test_version_and_help_need_nothing(bitsshell: Bitsshell) -> None:
    assert bitsshell("--version").out.startswith("bitsshell ")
    for ask in (["--help"], ["-h"], ["-H", "web01", "--help"]):
        ran = bitsshell(*ask)
        assert ran.code == 0
        assert ran.out.startswith("usage: bitsshell [OPTIONS]")
        assert max(map(len, ran.out.splitlines())) <= 80


def test_a_verb_is_run_with_options_before_or_behind_it(
    bitsshell: Bitsshell, at: list[str]
) -> None:
    assert bitsshell("jobs", *at, "-o", "json").out == "[]\n"
    assert bitsshell(*at, "-o", "json", "jobs").out == "[]\n"


def test_lines_share_their_options_and_one_logon(
    site: Site, bitsshell: Bitsshell, at: list[str]
) -> None:
    before = site.host.stats.logons
    ran = bitsshell(*at, "-c", rf"create {site.url} 'C:\in\a' --suspended", "-c", "jobs", "-c", "")
    assert ran.code == 0
    assert "1 job on 1 host" in ran.out
    assert site.host.stats.logons == before + 1


def test_lines_stop_at_the_first_that_fails_and_give_its_code(
    site: Site, bitsshell: Bitsshell, at: list[str]
) -> None:
    ran = bitsshell(*at, "-c", "jobs", "-c", "show nope", "-c", "explain 0x80200010")
    assert ran.code == 2
    assert "NETWORK_DISCONNECTED" not in ran.out
    assert "stopped at line 2 of -c: show nope" in ran.err


def test_use_in_a_line_holds_for_the_lines_behind_it(site: Site, bitsshell: Bitsshell) -> None:
    use = f"use {site.host.endpoint} --user {site.host.username} --auth ntlm"
    assert bitsshell("-c", use, "-c", "jobs").code == 0


@pytest.mark.parametrize("source", ["-", "nothing", "script"])
def test_lines_come_from_a_script_or_standard_input(
    site: Site, bitsshell: Bitsshell, at: list[str], tmp_path: Path, source: str
) -> None:
    lines = rf"""# what is done every night

create {site.url} 'C:\in\a' --name nightly --suspended
resume nightly   # and off it goes
wait nightly --interval 0.05
complete nightly
exit
no verb at all
"""
    script = tmp_path / "nightly.bits"
    script.write_text("\ufeff" + lines, encoding="utf-8")
    match source:
        case "-":
            ran = bitsshell(*at, "-", stdin="\ufeff" + lines)
        case "nothing":
            ran = bitsshell(*at, stdin=lines.replace("\n", "\r\n"))
        case _:
            ran = bitsshell(*at, str(script))
    assert ran.code == 0, ran.err
    assert site.arrived("a").is_file()


def test_a_script_stops_where_it_fails_and_says_where(bitsshell: Bitsshell, tmp_path: Path) -> None:
    script = tmp_path / "x.bits"
    script.write_text("# one\n\njbos -H x\nexplain 0x80200010\n")
    ran = bitsshell(str(script))
    assert ran.code == 2
    assert f"stopped at line 3 of {script}: jbos -H x" in ran.err
    assert len(ran.err.splitlines()) == 3
    assert ran.out == ""


@pytest.mark.parametrize("word", ["nowhere.bits", "./nowhere", r"C:\nowhere", "."])
def test_a_script_that_cannot_be_read_is_named(bitsshell: Bitsshell, word: str) -> None:
    ran = bitsshell(word)
    assert ran.code == 2
    assert f"'{word}' is no verb, and no script that can be read" in ran.err


def test_a_script_that_is_no_text_is_refused(bitsshell: Bitsshell, tmp_path: Path) -> None:
    script = tmp_path / "x.bits"
    script.write_bytes("explain 0x80200010 # f\xfcr\n".encode("latin-1"))
    ran = bitsshell(str(script))
    assert ran.code == 2
    assert "is no text in utf-8" in ran.err
    assert "save it as UTF-8" in ran.err


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("source", ["file", "-"])
def test_a_script_that_powershell_5_wrote_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd, encoding: str, source: str
) -> None:
    lines = "\ufeffexplain 0x80200010\r\nexplain 0x80200011 # für\r\n"
    script = tmp_path / "x.bits"
    script.write_bytes(lines.encode(encoding))
    with script.open(encoding="utf-8", errors="surrogateescape") as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        code = run(["-" if source == "-" else str(script)])
    sys.stdout.flush()
    out, err = capfd.readouterr()
    assert code == 0, err
    assert "0x80200010" in out
    assert "0x80200011" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--yes", "jobs"], "--yes belongs to a verb"),
        (["--what-if", "-c", "jobs"], "put it behind the verb"),
        (["--versoin"], "did you mean --version?"),
        (["--usr", "x", "jobs"], "did you mean --user"),
        (["-c"], "requires an argument"),
        (["-c", "jobs", "jobs"], "-c and 'jobs' exclude each other"),
        (["-H", "a b", "jobs"], "'a b' is no host"),
        (["-o", "yaml", "jobs"], "'yaml' is no output format"),
        (["jobs"], "no host to act on"),
        ([""], "there is no verb ''"),
    ],
)
def test_what_cannot_be_understood_is_code_2(
    bitsshell: Bitsshell, arguments: list[str], said: str
) -> None:
    ran = bitsshell(*arguments)
    assert ran.code == 2
    assert said in ran.err
    assert len(ran.err.splitlines()) <= 3
    assert ran.out == ""


def test_exit_is_well(bitsshell: Bitsshell) -> None:
    assert bitsshell("exit").code == 0
    assert bitsshell("-c", "exit # now", "-c", "frobnicate").code == 0
    assert bitsshell(stdin="").code == 0


def test_nobody_is_asked_where_standard_input_is_no_terminal(
    site: Site, bitsshell: Bitsshell, at: list[str]
) -> None:
    bitsshell("create", *at, site.url, r"C:\in\a", "--name", "nightly", "--suspended")
    ran = bitsshell("cancel", *at, "nightly", stdin="y\n")
    assert ran.code == 5
    assert len(site.host.jobs()) == 1
    assert bitsshell("cancel", *at, "nightly", "--yes").code == 0
    assert not site.host.jobs()


def test_no_password_and_nobody_to_ask_is_code_5(
    bitsshell: Bitsshell, at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE)
    ran = bitsshell("jobs", *at)
    assert ran.code == 5
    assert PASSWORD_VARIABLE in ran.err


def test_three_hosts_one_down_all_down(site: Site, bitsshell: Bitsshell) -> None:
    who = ["--user", site.host.username, "--auth", "basic"]
    well = ",".join(host.endpoint for host in site.hosts[:2])
    assert bitsshell("jobs", "-H", f"{well},http://127.0.0.1:9/wsman", *who).code == 1
    dead = "http://127.0.0.1:9/wsman,http://127.0.0.1:7/wsman"
    assert bitsshell("jobs", "-H", dead, *who).code == 3
    assert bitsshell("jobs", "-H", well, *who).code == 0


def test_a_time_limit_is_code_4(site: Site, bitsshell: Bitsshell, at: list[str]) -> None:
    bitsshell("create", *at, site.url, r"C:\in\a", "--name", "nightly", "--suspended")
    ran = bitsshell("wait", *at, "nightly", "--interval", "0.05", "--timeout", "0.2")
    assert ran.code == 4
    assert site.only_job().state is JobState.SUSPENDED


@pytest.mark.parametrize("code", [errno.EPIPE, errno.EINVAL])
def test_a_reader_that_went_away_is_no_traceback(
    site: Site, bitsshell: Bitsshell, at: list[str], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(code, "nobody reads")

    monkeypatch.setattr("bitsshell.readers_gone.IS_WINDOWS", code == errno.EINVAL)
    monkeypatch.setattr(sys, "stdout", Closed())
    assert run(["jobs", *at]) == BROKEN_PIPE


def test_an_account_without_a_name_is_no_obstacle(
    bitsshell: Bitsshell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert bitsshell("explain", "0x80200010").code == 0


def test_no_standard_input_at_all_is_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert run(["-"]) == 0
