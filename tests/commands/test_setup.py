"""What a person sets up: configuration, aliases, saved commands, read-only, logging on and off."""

from __future__ import annotations

import stat
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from bitsshell.cli import ALL_FAILED, OK, USAGE
from bitsshell.commands.completion import complete
from bitsshell.commands.own_lines import checked
from bitsshell.config import Config, ConfigError, SavedCommand, read
from bitsshell.fleet.channels import ChannelPool
from bitsshell.fleet.inventory import Group, Inventory, KnownHost
from bitsshell.session import Session
from bitsshell.shell.lexer import styled

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Console, Site


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own folder, with nothing in it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.delenv("BITSSHELL_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# The file


def test_init_writes_a_file_for_its_owner_alone_and_never_over_one(
    site: Site, tmp_path: Path
) -> None:
    console = site.console()
    path = tmp_path / "new" / "config.toml"
    ran = console(f"config init {path}")
    assert (ran.code, ran.out) == (OK, f"{path}\n")
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("[defaults]\nuser = 'ann'\n")
    again = console(f"config init {path}")
    assert again.code == USAGE
    assert "is there already" in again.err
    assert "ann" in path.read_text()


def test_path_and_check_say_where_the_file_is_and_that_it_is_well(site: Site, home: Path) -> None:
    console = site.console()
    ran = console("config path")
    assert ran.out.strip().endswith("config.toml")
    assert "not there yet" in ran.err
    assert "config init" in console("config check").err
    assert console("config init").code == OK
    ran = console("config check")
    assert (ran.code, ran.out) == (OK, f"{console('config path').out.strip()}: well\n")


def test_check_names_the_mistake(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[defaults]\n\nauht = 'ntlm'\n")
    ran = site.console()(f"config check {path}")
    assert ran.code == USAGE
    assert f"{path}:3: " in ran.err.replace("\n  ", " ")
    assert "did you mean auth?" in ran.err


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[aliases]\n\njobs = 'hosts'\n", 3, "is a verb's name"),
        ("[commands.quit]\nrun = 'jobs'\n", 1, "is a verb's name"),
        ("[aliases]\nx = 'jbos'\n", 2, "runs 'jbos', which is no verb"),
        ("[aliases]\nx = 'exit'\n", 2, "runs 'exit', which is no verb"),
        ("[commands]\ny = 'jobs'\nx = 'jbos <a>'\n", 3, "no verb"),
        ("[aliases]\na = 'b'\nb = 'a'\n", 2, "'a' leads back to itself: a > b > a"),
        ("[commands]\nok = 'jobs'\nf = \"jobs 'x\"\n", 3, "is never closed"),
        ("[aliases]\nx = '# nothing'\n", 2, "no command in it"),
        ("[commands]\nx = 'jobs | wc -l'\n", 2, "| cannot stand in it"),
        ("[commands]\nx = 'jobs > file'\n", 2, "> cannot stand in it"),
        ("[commands.x]\nrun = 'show \"<Pa th>\"'\n", 1, "'<Pa th>' is no place for an argument"),
    ],
)
def test_a_mistake_in_a_line_of_ones_own_names_file_and_line(
    site: Site, tmp_path: Path, text: str, line: int, says: str
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    ran = site.console()(f"config check {path}")
    assert ran.code == USAGE
    assert f"{path}:{line}: " in ran.err.replace("\n  ", " ")
    assert says in " ".join(ran.err.split())


def test_lines_that_only_look_wrong_are_taken(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        "[aliases]\nl = 'f'\nh = 'help jobs'\n[commands]\n"
        "f = 'create <url> <path=D:\\a.iso>'\n"
        "q = 'jobs --where \"size <done and age >2h\"'\np = \"show '|'\"\n"
    )
    ran = site.console()(f"config check {path}")
    assert ran.code == OK
    assert "0 hosts, 0 groups, 2 aliases, 3 commands" in ran.err


def test_one_of_each_is_counted_as_one(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[hosts]\nh = 'x'\n[groups]\ng = 'h'\n[aliases]\na = 'jobs'\n")
    ran = site.console()(f"config check {path}")
    assert "1 host, 1 group, 1 alias, 0 commands" in ran.err


def test_the_file_that_said_it_last_is_named(tmp_path: Path) -> None:
    own, project = tmp_path / "own.toml", tmp_path / "bitsshell.toml"
    own.write_text("[aliases]\nbad = 'jobs'\n")
    project.write_text("[aliases]\n\nbad = 'jbos'\n")
    with pytest.raises(ConfigError) as caught:
        checked(read([own, project]))
    assert (caught.value.path, caught.value.line) == (str(project), 3)


# Aliases and saved commands


@pytest.fixture
def console(site: Site) -> Console:
    """One that knows an alias and saved commands."""
    console = site.console()
    console.session.configure(
        Config(
            aliases={"bad": "jobs --state error", "worse": "bad", "jobs": "cancel '*' --yes"},
            commands={
                "fetch": SavedCommand(r"create <url> 'C:\in\<name>' --name <name> --suspended"),
                "look": SavedCommand("show '<job=*>'", help="look closely"),
                "loop": SavedCommand("loop"),
            },
        )
    )
    return console


def test_an_alias_stands_for_the_beginning_of_a_line(console: Console, site: Site) -> None:
    assert console(rf"create {site.missing} C:\in\gone --name gone").code == OK
    assert console(f"create {site.url} C:\\in\\a --name a --suspended").code == OK
    for line in ("bad -o csv", "worse -o csv"):
        rows = console(line).out.splitlines()[1:]
        assert [row.split(",")[2] for row in rows] == ["gone"], line


def test_a_verb_is_never_replaced(console: Console, site: Site) -> None:
    console(f"create {site.url} C:\\in\\a --suspended")
    assert console("jobs").code == OK
    assert len(site.host.jobs()) == 1


def test_a_saved_command_takes_arguments_and_options(console: Console, site: Site) -> None:
    ran = console(f"fetch {site.url} 'two words' --priority high -o json")
    assert ran.code == OK
    (job,) = ran.records
    assert (job["name"], job["priority"]) == ("two words", "HIGH")
    assert job["files"][0]["path"] == r"C:\in\two words"
    (shown,) = console("look -o json").records
    assert shown["name"] == "two words"


def test_an_argument_cannot_become_an_option_or_another_word(console: Console, site: Site) -> None:
    ran = console(f'fetch {site.url} "x --priority high \'" -o json')
    (job,) = ran.records
    assert (job["name"], job["priority"]) == ("x --priority high '", "NORMAL")


def test_a_missing_argument_says_how_the_command_is_typed(console: Console) -> None:
    ran = console("fetch http://files/a")
    assert ran.code == USAGE
    assert "NAME is missing" in ran.err
    assert "fetch URL NAME" in ran.err


def test_a_command_that_leads_back_to_itself_is_an_error(console: Console) -> None:
    ran = console("loop")
    assert ran.code == USAGE
    assert "leads back to itself" in ran.err


def test_help_and_completion_know_them(console: Console) -> None:
    assert "fetch URL NAME" in console("help").out
    assert "look closely" in console("help").out
    assert "runs: create <url>" in console("help fetch").out
    assert "alias of: jobs --state error" in console("help bad").out

    def texts(line: str) -> list[str]:
        return [one.text for one in complete(line, len(line), console.session).candidates]

    assert "fetch" in texts("fet")
    assert "--state" not in texts("bad --sta")  # the alias has it already
    assert "--output" in texts("bad --outp")
    assert "--priority" in texts("fetch a b --prio")


@pytest.mark.parametrize("run", ["jobs 'x", '"', "", "# x", "loop", "broken <a", "<", "'' x"])
def test_typing_goes_on_whatever_a_line_of_ones_own_is(console: Console, run: str) -> None:
    session = console.session
    session.configure(Config(aliases={"ali": run}, commands={"broken": SavedCommand(run)}))
    for line in ("", "b", "bro", "broken ", "ali ", "ali x --", "help bro", "broken 'x"):
        complete(line, len(line), session)
        assert "".join(text for _, text, *_ in styled(line, session)) == line
    assert "broken" in console("help").out


def test_defaults_hold_where_nothing_is_said(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[defaults]\ninterval = '7s'\ntimeout = '0.1s'\n")
    console = site.console()
    console.session.configure(read([path]))
    console(f"create {site.url} C:\\in\\a --name a --suspended --timeout 30")
    # Without the 0.1 s of the file this would wait for ever.
    assert console("wait a --until transferred").code == 4


# Only looking


def test_a_read_only_session_refuses_every_change_before_anything_is_asked(site: Site) -> None:
    console = site.console()
    console(f"create {site.url} C:\\in\\a --name a --suspended")
    assert console("readonly on").code == OK
    before = site.host.stats.requests
    for line in ("resume a", "cancel a --yes", "cancel a --what-if", "set a --priority high",
                 f"transfer {site.url} C:\\in\\b"):  # fmt: skip
        ran = console(line)
        assert ran.code == USAGE, line
        assert "this session is read-only" in ran.err
        assert "readonly off" in ran.err
    assert site.host.stats.requests == before
    assert console("jobs").code == OK
    console("readonly off")
    assert console("resume a").code == OK


def test_a_read_only_group_is_never_changed_and_the_others_are(site: Site) -> None:
    console = site.console(hosts=2)
    first, second = site.hosts[:2]
    console.session.configure(
        Config(
            inventory=Inventory(
                hosts={first.name: KnownHost(typed=first.endpoint)},
                groups={"prod": Group(members=(first.name,), read_only=True)},
            )
        )
    )
    line = f"create {site.url} C:\\in\\a --name a --suspended --yes"
    by_url = f"{line} -H {first.endpoint} --user {first.username} --auth basic"
    for asked in (line, f"{line} --what-if", by_url):
        ran = console(asked)
        assert ran.code == USAGE, asked
        assert "group @prod is read-only" in ran.err
    assert first.jobs() == second.jobs() == ()
    assert console(f"{line} -x @prod").code == OK
    assert (len(first.jobs()), len(second.jobs())) == (0, 1)


# Sets of hosts


def test_groups_and_ranges_choose_hosts_and_take_them_away(site: Site) -> None:
    console = site.console(hosts=3)
    names = [host.name for host in site.hosts]
    console.session.configure(
        Config(inventory=Inventory(groups={"all": Group(members=tuple(names))}))
    )
    ran = console(f"jobs -H @all -x {names[1]} -o json")
    assert ran.code == OK
    assert console(f"use @all!{names[0]}").code == OK
    assert [target.name for target in console.session.targets] == names[1:]
    ran = console("jobs -H @al")
    assert ran.code == USAGE
    assert "did you mean @all?" in ran.err


def test_a_long_range_is_not_taken_unasked() -> None:
    session = Session()
    with pytest.raises(Exception, match="--yes"):
        session.select(("web[0001-2000]",))
    assert not session.known
    assert len(session.select(("web[0001-2000]",), many=True)) == 2000


def test_groups_are_completed() -> None:
    session = Session(config=Config(inventory=Inventory(groups={"web": Group(members=("w1",))})))

    def texts(line: str) -> list[str]:
        return [one.text for one in complete(line, len(line), session).candidates]

    assert texts("jobs -H @w") == ["@web"]
    assert texts("use a,@") == ["a,@web"]
    assert texts("use a,!@w") == ["a,!@web"]


# Logging on and off


def test_logout_closes_connections_and_forgets_the_password(site: Site) -> None:
    console = site.console()
    assert console("login -o csv").code == OK
    assert ",true," in console("hosts -o csv").out.lower()
    ran = console("logout -o csv")
    assert ran.code == OK
    assert ",true,false," in ran.out.lower()
    console.session.credentials.environment = {}
    assert console("jobs").code == 5
    console.session.credentials.ask = lambda prompt: site.host.password
    assert console("login").code == OK


def test_login_leaves_the_hosts_in_use_as_they_are(site: Site) -> None:
    console = site.console(hosts=2)
    console("use --none")
    assert console(f"login {site.hosts[1].name}").code == OK
    assert console.session.targets == ()


def test_login_without_the_right_password_says_so(site: Site) -> None:
    console = site.console(password="wrong")
    ran = console("login")
    assert ran.code == ALL_FAILED
    assert "refused the sign-in" in ran.err


def test_save_needs_the_keyring(site: Site) -> None:
    ran = site.console()("login --save")
    assert ran.code == USAGE
    assert "login --keyring --save" in ran.err


class Keyring(ModuleType):
    """Stands where the package keyring would."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.kept: dict[str, str] = {}

    def get_password(self, service: str, user: str) -> str | None:
        return self.kept.get(user)

    def set_password(self, service: str, user: str, password: str) -> None:
        self.kept[user] = password

    def delete_password(self, service: str, user: str) -> None:
        del self.kept[user]


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    module = Keyring()
    errors = ModuleType("keyring.errors")
    errors.KeyringError = OSError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return module


def test_only_an_accepted_password_is_kept_in_the_keyring(site: Site, keyring: Keyring) -> None:
    ran = site.console(password="wrong")("login --keyring --save")
    assert ran.code == ALL_FAILED
    assert keyring.kept == {}
    console = site.console()
    ran = console("login --keyring --save")
    assert ran.code == OK
    assert f"kept in the keyring: {site.host.username}" in ran.err
    assert site.host.password not in ran.out + ran.err
    assert keyring.kept == {site.host.username: site.host.password}
    console("logout")
    console.session.credentials.environment = {}
    assert console("jobs --keyring").code == OK
    console("logout --keyring")
    assert keyring.kept == {}
    assert console("jobs --keyring").code == 5


def test_a_pool_keeps_the_channels_of_other_hosts(site: Site) -> None:
    console = site.console(hosts=2)
    console("login")
    console(f"logout {site.hosts[0].name}")
    assert isinstance(console.session.pool, ChannelPool)
    assert {target.name for target, _, _ in console.session.pool._channels} == {site.hosts[1].name}
