"""The configuration: what a file may say, what its mistakes say, and what wins over what."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.styles import Style

from bitsshell.bits import JobState
from bitsshell.config import Config, ConfigError, files_to_read, line_of, load, read, user_file
from bitsshell.config_text import TEMPLATE, shown_config
from bitsshell.errors import UsageError
from bitsshell.fleet.targets import Auth, LogonOptions
from bitsshell.render.paint import STATE_SGR, choose, state_sgr
from bitsshell.session import Session
from bitsshell.shell.live.drawing import STYLES, chosen_styles

if TYPE_CHECKING:
    from collections.abc import Iterator

FINGERPRINT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str | bytes, name: str = "config.toml") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


# What it says


def test_hosts_groups_and_defaults_say_how_to_log_on(write) -> None:
    path = write(
        """
[defaults]
user = "everybody"
auth = "ntlm"

[hosts]
Backup = "10.0.0.5"
edge = "https://edge.example.net:5986/wsman"

[hosts.files01]
address = "files01.corp.example"
tls = true
user = 'files01\\operator'

[groups]
web = "web[01-02]"

[groups.prod]
hosts = ["@web", "files01"]
user = "prod"
port = 15985
"""
    )
    inventory = read([path]).inventory
    backup = inventory.target("BACKUP")
    assert (backup.name, backup.url) == ("backup", "http://10.0.0.5:5985/wsman")
    assert backup.logon == LogonOptions(user="everybody", auth=Auth.NTLM)
    assert inventory.target("edge").url == "https://edge.example.net:5986/wsman"
    web = inventory.target("web01")
    assert (web.url, web.logon.user) == ("http://web01:15985/wsman", "prod")
    files = inventory.target("files01")
    assert files.url == "https://files01.corp.example:15985/wsman"
    assert files.logon.user == r"files01\operator"


def test_what_is_typed_wins_over_the_environment_and_that_over_the_files(write) -> None:
    user_file = write('[defaults]\nuser = "own"\noutput = "csv"\n[hosts.web01]\nport = 1\n')
    project = write('[defaults]\nuser = "project"\n[hosts.web01]\nport = 2\n', "bitsshell.toml")

    def user(paths: list[Path], environment: dict[str, str], typed: str | None = None) -> str:
        session = Session(config=read(paths, environment))
        session.logon = LogonOptions(user=typed)
        return str(session.target("web01").logon.user)

    assert user([user_file], {}) == "own"
    assert user([user_file, project], {}) == "project"
    assert user([user_file, project], {"BITSSHELL_USER": "set"}) == "set"
    assert user([user_file, project], {"BITSSHELL_USER": "set"}, "typed") == "typed"
    found = read([user_file, project], {"BITSSHELL_OUTPUT": "JSON", "BITSSHELL_AUTH": "basic"})
    assert found.output == "json"
    target = found.inventory.target("web01")
    assert (target.logon.auth, target.url) == (Auth.BASIC, "http://web01:2/wsman")


def test_a_file_that_is_named_stands_alone(write, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("[defaults]\nport = 2\n", "bitsshell.toml")
    named = write("[defaults]\nport = 3\n", "named.toml")
    other = write("", "other.toml")
    assert tmp_path / "bitsshell.toml" in files_to_read(None, {})
    assert files_to_read(None, {"BITSSHELL_CONFIG": str(named)}) == (named,)
    assert files_to_read(str(other), {"BITSSHELL_CONFIG": str(named)}) == (other,)
    with pytest.raises(ConfigError, match="there is no such file"):
        load(str(tmp_path / "gone.toml"), {})


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_project_file_that_anybody_may_write_is_refused(write, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("", "bitsshell.toml").chmod(0o666)
    with pytest.raises(ConfigError, match="anybody may write"):
        files_to_read(None, {})


@pytest.mark.parametrize("name", ["BITSSHELL_AUTH", "BITSSHELL_OUTPUT"])
def test_a_mistake_in_the_environment_names_the_variable(name: str) -> None:
    with pytest.raises(UsageError, match=f"(?s){name}.*one of"):
        read([], {name: "magic"})


def test_what_one_file_protects_another_does_not_lay_open(write) -> None:
    own = write("[defaults]\nreadonly = true\n")
    project = write("[defaults]\nreadonly = false\n", "bitsshell.toml")
    assert read([own, project]).is_read_only


def test_a_read_only_host_is_so_by_whatever_name_it_goes(write) -> None:
    path = write('[groups.prod]\nhosts = "web[01-02]"\nreadonly = true\n[hosts]\nfront = "web01"\n')
    inventory = read([path]).inventory
    for typed in ("web01", "WEB02", "http://web01:5985/wsman", "web01:5986", "front"):
        assert inventory.why_read_only(inventory.target(typed)) == "group @prod", typed
    assert inventory.why_read_only(inventory.target("web03")) is None


OWN_PROTECTION = """
[groups]
web = "web[01-02]"
[groups.prod]
hosts = ["q2", "@web"]
readonly = true
[hosts.vault]
address = "10.0.0.5"
readonly = true
"""


@pytest.mark.parametrize(
    "project",
    [
        "[groups.prod]\nhosts = ['other']\n",
        "[groups]\nprod = ['other']\n",
        "[groups.prod]\nhosts = ['other']\nreadonly = false\n",
        "[groups]\nweb = 'other'\n",
        "[hosts]\nq2 = 'q2.example'\nvault = 'other'\n",
        "[hosts.vault]\naddress = '10.0.0.5'\nreadonly = false\n[hosts]\nshadow = '10.0.0.5'\n",
        "[hosts]\nvault = 'other'\nshadow = '10.0.0.5'\n",
    ],
)
def test_a_project_file_lays_no_host_open(write, project: str) -> None:
    files = [write(OWN_PROTECTION), write(project, "bitsshell.toml")]
    inventory = read(files).inventory
    for typed in ("q2", "web01", "WEB02", "vault", "10.0.0.5", "http://10.0.0.5:5985/wsman"):
        assert inventory.why_read_only(inventory.target(typed)) is not None, typed
    if "shadow" in project:
        assert inventory.why_read_only(inventory.target("shadow")) == "host vault"


def test_an_entry_that_takes_the_place_of_a_read_only_one_is_read_only(write) -> None:
    own = write("[groups.prod]\nhosts = 'q2'\nreadonly = true\n")
    project = write("[groups]\nprod = 'other'\n", "bitsshell.toml")
    found = read([own, project])
    assert found.inventory.why_read_only(found.inventory.target("other")) == "group @prod"
    shown = shown_config(found)
    assert tomllib.loads(shown)["groups"]["prod"] == {"hosts": ["other"], "readonly": True}
    assert "# q2 (http://q2:5985/wsman) stays read-only: an earlier file says so of" in shown


def test_show_names_the_old_address_of_a_read_only_host(write) -> None:
    own = write("[hosts.vault]\naddress = '10.0.0.5'\nreadonly = true\n")
    shown = shown_config(read([own, write("[hosts]\nvault = '10.0.0.6'\n", "bitsshell.toml")]))
    assert "# vault (http://10.0.0.5:5985/wsman) stays read-only" in shown
    assert "stays read-only" not in shown_config(read([own]))


def test_a_read_only_machine_is_so_in_every_spelling(write) -> None:
    path = write(
        "[groups.prod]\nhosts = ['web01.example', '2001:db8::5', '10.0.0.7']\nreadonly = true\n"
    )
    inventory = read([path]).inventory
    for typed in ("web01.example.", "WEB01.Example.:5986", "[2001:DB8:0:0::5]", "::ffff:10.0.0.7"):
        assert inventory.why_read_only(inventory.target(typed)) == "group @prod", typed


def test_of_this_machine_the_port_that_was_named_is_read_only_in_every_spelling(write) -> None:
    path = write("[hosts.q2]\naddress = 'localhost:46001'\nreadonly = true\n")
    inventory = read([path]).inventory
    for typed in ("127.0.0.1:46001", "http://LOCALHOST:46001/WSMAN/", "[::1]:46001"):
        assert inventory.why_read_only(inventory.target(typed)) == "host q2", typed
    for typed in ("127.0.0.1:46002", "127.0.0.9:46001", "http://localhost:46001/other"):
        assert inventory.why_read_only(inventory.target(typed)) is None, typed


# Mistakes


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[defaults]\nuser = \n", 2, "Invalid value"),
        ("[defaults]\n\n  autth = 'ntlm'\n", 3, "did you mean auth?"),
        ("[defaults]\nauth = 'magic'\n", 2, "kerberos, ntlm, basic"),
        ("[defaults]\noutput = 'xml'\n", 2, "table, json, ndjson, csv"),
        ("[defaults]\nport = 70000\n", 2, "1 to 65535"),
        ("[defaults]\nport = true\n", 2, "1 to 65535"),
        ("[defaults]\nport = '5985'\n", 2, "1 to 65535"),
        ("[defaults]\ntls = 'yes'\n", 2, "true or false"),
        ("[defaults]\ninterval = '5 parsecs'\n", 2, "90s"),
        ("[defaults]\ninterval = true\n", 2, "90s"),
        ("[defaults]\ninterval = '0'\n", 2, "too short"),
        ("[defaults]\ninterval = '0.001s'\n", 2, "at least 0.05 s"),
        ("[defaults]\ninterval = 1e400\n", 2, "is no length of time"),
        ("[defaults]\ntimeout = 0\n", 2, "at least 0.1 s"),
        ("[defaults]\ntimeout = '999999999d'\n", 2, "too long"),
        ("[defaults]\nca = '~nobody-here/ca.pem'\n", 2, "without ~"),
        ("[defaults]\njournal = '~nobody-here/journal'\n", 2, "without ~"),
        ("[aliases]\nx = 'jobs \u202e'\n", 2, r"holds what nobody sees: jobs \\u202e"),
        ("[commands.x]\nrun = 'jobs'\nhelp = 'a\u009b31m'\n", 3, r"a\\x9b31m"),
        ("[defaults]\nca = '/no/such/file.pem'\n", 2, "PEM"),
        ("[defaults]\nfingerprint = 'ab'\n", 2, "SHA-256"),
        ("[shell]\nediting = 'vim'\n", 2, "emacs, vi"),
        ("[shell]\ntoolbar = 'off'\n", 2, "true or false"),
        ("[shell]\nrefesh = true\n", 2, "did you mean refresh?"),
        ("# one\n[default]\nport = 1\n", 2, "did you mean defaults?"),
        ("port = 1\n", 1, "is no table here"),
        ("hosts = 3\n", 1, r"write \[hosts\]"),
        ("[hosts]\na = 'x'\nb = 'http://'\n", 3, "names no host"),
        ("[hosts.web01]\nadress = 'x'\n", 2, "did you mean address?"),
        ('[hosts]\n"web[1-2]" = "x"\n', 2, r"ranges go into \[groups\]"),
        ("[hosts]\na = 3\n", 2, "is no table"),
        ("[groups]\nweb = 'web[1-'\n", 2, "never closed"),
        ("[groups]\nweb = '@db'\n", 2, "no group '@db'"),
        ("[groups]\na = '@b'\n\nb = '@a'\n", 2, "holds itself"),
        ("[groups]\nweb = 'w!w'\n", 2, "no host at all"),
        ("[groups]\nweb = 'a b'\n", 2, "blanks"),
        ("[groups]\nweb = [1]\n", 2, "is no list of hosts"),
        ("[groups.web]\nuser = 'x'\n", 1, "needs hosts"),
        (
            "[groups.Prod]\nhosts = 'q2'\nreadonly = true\n[groups]\nprod = 'q3'\n",
            5,
            "case are one",
        ),
        ("[hosts.Q2]\nreadonly = true\n[hosts.q2]\naddress = 'x'\n", 3, "make one entry"),
        ("[colours]\nerror = 'bold pink'\n", 2, "red, green, yellow"),
        ("[colours]\nerror = 'red blue'\n", 2, "is no colour"),
        ("[colours]\nerorr = 'red'\n", 2, "did you mean error?"),
        ("[aliases]\n'a b' = 'jobs'\n", 2, "is no word"),
        ("[aliases]\nbad = ''\n", 2, "is empty"),
        ("[commands.x]\nrun = 'jobs'\nhelp = 3\n", 3, "is no text"),
        ("[commands.x]\nruns = 'jobs'\n", 2, "did you mean run?"),
        ("[commands.x]\nhelp = 'jobs'\n", 1, "is no text"),
        ('[defaults]\nca = "C:\\tls\\ca.pem"\n', 2, "single quotes"),
        ('[defaults]\nca = "C:\\Users\\ca.pem"\n', 2, "single quotes"),
        (b"[defaults]\nuser = 'J\xfcrgen'\n", 2, "UTF-8"),
        (b"\xff\xfe[\x00", 1, "UTF-8"),
        ("[defaults]\nuser = 'a'\nuser = 'b'\n", 3, "overwrite"),
        ("[defaults\n", 1, "Expected"),
        ("[defaults]\nuser = '''never closed", 2, "config init"),
    ],
)
def test_a_mistake_names_file_line_and_what_is_allowed(write, text, line: int, says: str) -> None:
    path = write(text)
    with pytest.raises(ConfigError, match=says) as caught:
        read([path])
    assert str(caught.value).startswith(f"{path}:{line}: ")


@pytest.mark.parametrize("text", [f"a={'[' * 3000}", f"[a]\n{'.'.join('a' * 3000)} = 1\n"])
def test_what_is_nested_without_end_is_no_configuration(write, text: str) -> None:
    path = write(text)
    with pytest.raises(ConfigError, match="nested far too deeply") as caught:
        read([path])
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be taken away there")
def test_a_folder_that_was_taken_away_holds_no_file_of_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert files_to_read(None, {}) in ((), (user_file(),))


def test_a_name_that_no_file_can_have_is_no_configuration() -> None:
    with pytest.raises(ConfigError, match=r"there is no such file|cannot be read"):
        files_to_read("a" * 300)


@pytest.mark.parametrize(
    "text",
    [
        "[defaults]\npassword = 's3cret'\n",
        "[hosts.web01]\nuser = 'a'\nPassword = 's3cret'\n",
        "[hosts.web01]\nextra = { api_key = 's3cret' }\n",
        "[hosts]\nweb = 'http://ann:s3cret@web01:5985/wsman'\n",
        "[defaults]\nproxy = 'http://ann:s3cret@proxy:3128'\n",
        "[commands]\nx = 'jobs --password s3cret'\n",
        "[aliases]\nx = 'create http://ann:s3cret@files/a D:\\a'\n",
        "[groups]\nx = ['ok', 'http://ann:s3cret@web01']\n",
    ],
)
def test_secrets_are_refused_and_not_repeated(write, text: str) -> None:
    with pytest.raises(ConfigError, match=r"secret|password") as caught:
        read([write(text)])
    assert "s3cret" not in str(caught.value)
    assert caught.value.line is not None


def test_tabs_and_windows_line_ends_and_a_byte_order_mark_are_no_mistakes(write) -> None:
    path = write(b"\xef\xbb\xbf[defaults]\r\n\tuser\t=\t'ann'\t# who\r\n")
    assert read([path]).inventory.defaults.user == "ann"


def test_a_folder_or_a_monster_in_its_place_is_an_error(write, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read([tmp_path])
    with pytest.raises(ConfigError, match="too long"):
        read([write(b"#" * 5_000_000)])


def test_the_line_of_an_entry_is_found_in_every_form() -> None:
    text = '[a]\nx = 1\n[a."b.c"]\ny = 1\n[d]\ne.f = 1\ng = { h = 1 }\n'
    assert line_of(text, ("a", "x")) == 2
    assert line_of(text, ("a", "b.c")) == 3
    assert line_of(text, ("a", "b.c", "y")) == 4
    assert line_of(text, ("d", "e", "f")) == 6
    assert line_of(text, ("d", "g", "h")) == 7
    assert line_of(text, ("z",)) is None


@given(st.text(max_size=60) | st.from_regex(r"\[(hosts|groups|defaults)\]\n[a-z]+ = .{0,20}\n"))
def test_whatever_stands_in_a_file_gives_a_configuration_or_an_error_of_ours(text: str) -> None:
    path = Path(tempfile.gettempdir()) / f"bitsshell-fuzz-{os.getpid()}.toml"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    try:
        read([path])
    except ConfigError as error:
        assert str(path) in str(error)
    finally:
        path.unlink()


# The file that init writes, and what show says


def test_the_file_that_init_writes_says_nothing_yet(write) -> None:
    found = read([write(TEMPLATE)])
    assert found == Config(files=found.files)


def test_every_line_of_it_is_valid_when_it_is_taken_in(write, tmp_path: Path) -> None:
    ca = tmp_path / "site.pem"
    ca.write_text("")
    lines = [
        line.removeprefix("# ")
        for line in TEMPLATE.splitlines()
        if re.match(r"# (\[|[a-z_-]+ = )", line)
    ]
    found = read([write("\n".join(lines).replace("/etc/ssl/site.pem", str(ca)))])
    assert set(found.inventory.groups) == {"web", "db", "all", "prod"}
    assert found.inventory.groups["prod"].read_only
    assert set(found.inventory.hosts) == {"backup", "edge", "files01"}
    assert set(found.commands) == {"fetch", "tidy"}
    assert found.default_map == {"interval": "5s", "timeout": "2h"}
    assert found.shell == {"editing": "emacs", "toolbar": True, "refresh": True}


def test_what_show_says_is_a_file_that_says_the_same(write) -> None:
    first = read(
        [
            write(
                "[defaults]\nuser = 'CORP\\a'\noutput = 'csv'\n[hosts]\n'a.b' = 'x:1'\n"
                "[groups.g]\nhosts = ['a.b', '!c']\nreadonly = true\n"
                "[shell]\nediting = 'VI'\ntoolbar = false\n"
                "[colours]\ntransient-error = 'bold blue'\nsuspended = 'none'\n"
                "[aliases]\nl = \"jobs --name 'x'\"\n[commands]\nc = 'show <a>'\n"
            )
        ]
    )
    text = shown_config(first)
    again = read([write(text, "again.toml")])
    assert tomllib.loads(text)
    assert again.inventory == first.inventory
    assert again.colours == first.colours != {}
    assert again.shell == first.shell == {"editing": "vi", "toolbar": False}
    assert (again.aliases, again.commands) == (first.aliases, first.commands)


# Colours


def test_the_journal_may_stand_elsewhere(write) -> None:
    found = read([write("[defaults]\njournal = '/data/bits.sqlite'\n")])
    assert found.journal == "/data/bits.sqlite"
    assert 'journal = "/data/bits.sqlite"' in shown_config(found)
    assert read([write("[defaults]\ncolour = true\n")]).journal is None
    with pytest.raises(ConfigError, match="journal: 'True' is no text"):
        read([write("[defaults]\njournal = true\n")])


@pytest.fixture
def usual_colours() -> Iterator[None]:
    yield
    choose({})


def test_states_are_painted_as_a_person_chose(write, usual_colours: None) -> None:
    found = read([write("[colours]\nerror = 'bold blue'\nsuspended = 'none'\n")])
    choose(found.colours)
    assert state_sgr(JobState.ERROR) == "1;34"
    assert state_sgr(JobState.SUSPENDED) == ""
    assert state_sgr(JobState.TRANSFERRED) == STATE_SGR[JobState.TRANSFERRED]


def test_the_live_view_takes_the_same_colours(write) -> None:
    found = read([write("[colours]\nerror = 'bold blue'\nqueued = 'dim'\nconnecting = 'white'\n")])
    styles = chosen_styles(found.colours)
    assert styles == {
        "error": "bold ansiblue",
        "queued": "ansibrightblack",
        "connecting": "ansigray",
    }
    assert Style.from_dict({**STYLES, **styles})
