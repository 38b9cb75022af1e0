"""The configuration: one commented TOML file, read, checked and turned into values.

A mistake is an error that names file, line and what is allowed; none is passed over, for a group
that is read-only must not become writable by a slip. Secrets do not belong in it and are refused.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from bitsshell.bits import JobState
from bitsshell.config_fields import (
    COLOURS_FIELDS,
    DEFAULTS_FIELDS,
    GROUP_FIELDS,
    HOST_FIELDS,
    LOGON_NAMES,
    SHELL_FIELDS,
    Bad,
    Fields,
    nearest,
    text_of,
)
from bitsshell.errors import BitsShellError, UsageError, shown
from bitsshell.fleet.credentials import USER_VARIABLE
from bitsshell.fleet.hostsets import HostSets
from bitsshell.fleet.inventory import Group, Inventory, KnownHost, merge
from bitsshell.fleet.targets import Auth, LogonOptions, parse_target
from bitsshell.local_files import local_path
from bitsshell.render import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from enum import StrEnum

FILE_VARIABLE = "BITSSHELL_CONFIG"
AUTH_VARIABLE = "BITSSHELL_AUTH"
OUTPUT_VARIABLE = "BITSSHELL_OUTPUT"
PROJECT_FILE = "bitsshell.toml"
"""What is read from the current folder, on top of the person's own file."""

_MAX_BYTES = 4 * 1024 * 1024
_TABLES = ("defaults", "shell", "hosts", "groups", "aliases", "commands", "colours")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_SECRET_KEY = re.compile(r"passw|passphrase|pwd|secret|token|api[-_]?key", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"://[^/\s@]*:[^/\s@]*@|--?pass|passw\w*\s*=", re.IGNORECASE)


class ConfigError(UsageError):
    """A configuration file cannot be taken as it stands (exit code 2)."""

    path: str
    line: int | None

    def __init__(
        self, path: Path, line: int | None, problem: str, *, hint: str | None = None
    ) -> None:
        where = f"{path}:{line}" if line else f"{path}"
        super().__init__(f"{where}: {problem}", hint=hint, path=str(path), line=line)


@dataclass(frozen=True, slots=True)
class SavedCommand:
    """A command under a name of one's own: a line with `<places>` for its arguments."""

    line: str
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All that the files say. `files` are those that were read, the weaker first."""

    inventory: Inventory = field(default_factory=Inventory)
    aliases: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, SavedCommand] = field(default_factory=dict)
    output: str | None = None
    interval: str | None = None
    timeout: str | None = None
    colour: bool = True
    colours: Mapping[JobState, str] = field(default_factory=dict)
    shell: Mapping[str, str | bool] = field(default_factory=dict)
    """What `[shell]` says: `editing`, `toolbar`, `refresh`."""
    is_read_only: bool = False
    journal: str | None = None
    """Where what is done is written down: a file, or `off`; None for the usual place."""
    files: tuple[Path, ...] = ()
    given: str | None = None
    """The file that was named in place of the usual ones."""
    problem: ConfigError | None = None
    """Why nothing was read, where a verb runs all the same."""

    @property
    def default_map(self) -> dict[str, str]:
        """What verbs take where nothing is said, by the names of their parameters."""
        said = {"interval": self.interval, "timeout": self.timeout}
        return {name: value for name, value in said.items() if value is not None}


NO_CONFIG = Config()
"""What holds where there is no file."""


def user_file() -> Path:
    """The person's own file, in the platform's place; it need not be there."""
    from platformdirs import user_config_path

    return user_config_path("bitsshell", appauthor=False) / "config.toml"


def files_to_read(
    given: str | None = None, environment: Mapping[str, str] = os.environ
) -> tuple[Path, ...]:
    """The files that count, the weaker first.

    One that is named, by `--config` or `BITSSHELL_CONFIG`, stands alone; else the person's own and
    the project's are read, where they are there.

    Raises:
        ConfigError: the file that is named is not there, or the project's belongs to others.
    """
    named = given or environment.get(FILE_VARIABLE)
    if named:
        path = local_path(named)
        if not _is_there(path):
            raise ConfigError(path, None, "there is no such file", hint="config init makes one")
        return (path,)
    found = [path for path in (user_file(),) if _is_there(path)]
    project = _project_file()
    if project is not None and _is_there(project):
        _check_owner(project)
        found.append(project)
    return tuple(found)


def _project_file() -> Path | None:
    """Where the project's file would be; None in a folder that was taken away."""
    try:
        return Path.cwd() / PROJECT_FILE
    except FileNotFoundError:
        return None


def _is_there(path: Path) -> bool:
    """Whether there is such a file. Raises `ConfigError` where that cannot be told."""
    try:
        return path.is_file()
    except OSError as error:
        raise ConfigError(path, None, f"it cannot be read ({error.strerror})") from error


def load(given: str | None = None, environment: Mapping[str, str] = os.environ) -> Config:
    """Read the files that count, and the environment. Raises `ConfigError`."""
    found = read(files_to_read(given, environment), environment)
    return replace(found, given=given or environment.get(FILE_VARIABLE) or None)


def read(paths: Sequence[Path], environment: Mapping[str, str] = MappingProxyType({})) -> Config:
    """Read these files, the weaker first. Raises `ConfigError`."""
    config = Config(files=tuple(paths))
    for path in paths:
        try:
            config = _Reading(path).onto(config)
        except RecursionError:
            raise ConfigError(path, None, "tables and lists are nested far too deeply") from None
    inventory = replace(config.inventory, environment=_from_environment(environment))
    output = environment.get(OUTPUT_VARIABLE, "").strip().lower() or config.output
    _check_choice(OUTPUT_VARIABLE, output, Output)
    return replace(config, inventory=inventory, output=output)


def mistake_in(
    config: Config, where: tuple[str, str], problem: str, hint: str | None
) -> ConfigError:
    """A mistake in the entry of this table and name, at the strongest file that has it."""
    for path in reversed(config.files):
        reading = _Reading(path)
        if where[1] in reading.tables.get(where[0], {}):
            return reading.bad(where, problem, hint)
    return ConfigError(config.files[-1] if config.files else user_file(), None, problem, hint=hint)


def _from_environment(environment: Mapping[str, str]) -> LogonOptions:
    auth = environment.get(AUTH_VARIABLE, "").strip().lower() or None
    _check_choice(AUTH_VARIABLE, auth, Auth)
    return LogonOptions(
        user=environment.get(USER_VARIABLE) or None, auth=Auth(auth) if auth else None
    )


def _check_choice(variable: str, value: str | None, choices: type[StrEnum]) -> None:
    if value is not None and value not in set(choices):
        allowed = ", ".join(choices)
        raise UsageError(f"{variable}: {shown(value)} is not known", hint=f"one of {allowed}")


def _check_owner(path: Path) -> None:
    """A file that somebody else put into the current folder must not say where logons go."""
    if sys.platform == "win32":
        return
    found = path.stat()
    if found.st_uid not in {os.getuid(), 0}:
        problem = "this file belongs to somebody else, so it is not read"
    elif found.st_mode & stat.S_IWOTH:
        problem = "anybody may write this file, so it is not read"
    else:
        return
    raise ConfigError(path, None, problem, hint="take it away, or name it with --config")


class _Reading:
    """One file, on its way to values."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = _text(path)
        self.tables = self._parsed()

    def onto(self, config: Config) -> Config:
        """The configuration with this file on top. Raises `ConfigError`."""
        self._refuse_secrets(self.tables, ())
        for name in self.tables:
            if name not in _TABLES:
                raise self.bad((name,), f"{shown(name)} is no table here", nearest(name, _TABLES))
        defaults = self._fields(("defaults",), self._table("defaults"), DEFAULTS_FIELDS)
        old = config.inventory
        inventory = replace(
            old,
            hosts={**old.hosts, **_protected(old.hosts, self._hosts())},
            groups={**old.groups, **_protected(old.groups, self._groups())},
            defaults=merge(old.defaults, _logon(defaults)),
            under=old if old.hosts or old.groups else None,
        )
        self._check_groups(inventory)
        return replace(
            config,
            inventory=inventory,
            aliases={**config.aliases, **self._aliases()},
            commands={**config.commands, **self._commands()},
            output=defaults.get("output", config.output),
            interval=defaults.get("interval", config.interval),
            timeout=defaults.get("timeout", config.timeout),
            colour=defaults.get("colour", config.colour),
            journal=defaults.get("journal", config.journal),
            colours={**config.colours, **self._colours()},
            shell={**config.shell, **self._fields(("shell",), self._table("shell"), SHELL_FIELDS)},
            # What one file protects, another does not lay open.
            is_read_only=config.is_read_only or defaults.get("readonly", False),
        )

    # Tables

    def _hosts(self) -> dict[str, KnownHost]:
        hosts: dict[str, KnownHost] = {}
        for name, value in self._table("hosts").items():
            where = ("hosts", name)
            self._check_name(where, name, hosts)
            if isinstance(value, str):
                value = {"address": value}
            entry = self._fields(where, value, HOST_FIELDS)
            typed = entry.get("endpoint") or entry.get("address") or name
            options = _logon(entry)
            try:
                parse_target(typed, options)
            except BitsShellError as error:
                raise self.bad(where, error.what(), error.hint) from error
            hosts[name.lower()] = KnownHost(
                typed=typed, logon=options, read_only=entry.get("readonly", False)
            )
        return hosts

    def _groups(self) -> dict[str, Group]:
        groups: dict[str, Group] = {}
        for name, value in self._table("groups").items():
            where = ("groups", name)
            self._check_name(where, name, groups)
            if isinstance(value, str | list):
                value = {"hosts": value}
            entry = self._fields(where, value, GROUP_FIELDS)
            if not entry.get("hosts"):
                raise self.bad(where, "a group needs hosts", 'such as "web[01-40]"')
            groups[name.lower()] = Group(
                members=entry["hosts"], logon=_logon(entry), read_only=entry.get("readonly", False)
            )
        return groups

    def _check_groups(self, inventory: Inventory) -> None:
        sets = HostSets(inventory.members)
        for name in self._table("groups"):
            try:
                for member in sets.members(name.lower()):
                    inventory.hosts.get(member.lower()) or parse_target(member)
            except BitsShellError as error:
                raise self.bad(("groups", name), error.what(), error.hint) from error

    def _aliases(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in self._table("aliases").items():
            self._check_word(("aliases", name), name)
            found[name] = self._line(("aliases", name), value)
        return found

    def _commands(self) -> dict[str, SavedCommand]:
        found: dict[str, SavedCommand] = {}
        for name, value in self._table("commands").items():
            where = ("commands", name)
            self._check_word(where, name)
            if not isinstance(value, Mapping):
                value = {"run": value}
            for key in value:
                if key not in {"run", "help"}:
                    raise self.bad(
                        (*where, key), f"{shown(key)} is no key here", nearest(key, ("run", "help"))
                    )
            line = self._line((*where, "run"), value.get("run"))
            help_text = self._checked((*where, "help"), value.get("help", ""), text_of)
            found[name] = SavedCommand(line, help_text)
        return found

    def _colours(self) -> dict[JobState, str]:
        said = self._fields(("colours",), self._table("colours"), COLOURS_FIELDS)
        return {JobState[name.upper().replace("-", "_")]: words for name, words in said.items()}

    # Values

    def _table(self, name: str) -> Mapping[str, Any]:
        value = self.tables.get(name, {})
        if not isinstance(value, Mapping):
            raise self.bad((name,), f"{name} is a table", f"write [{name}], then its entries")
        return value

    def _fields(self, where: tuple[str, ...], value: object, known: Fields) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise self.bad(where, f"{shown(str(value))} is no table", "see config init")
        found: dict[str, Any] = {}
        for key, raw in value.items():
            if key not in known:
                raise self.bad((*where, key), f"{shown(key)} is no key here", nearest(key, known))
            found[key] = self._checked((*where, key), raw, known[key])
        return found

    def _checked(self, where: tuple[str, ...], raw: object, convert: Callable[[Any], Any]) -> Any:
        try:
            return convert(raw)
        except Bad as bad:
            problem = f"{where[-1]}: {shown(str(raw))} {bad.problem}"
            raise self.bad(where, problem, bad.allowed) from bad

    def _line(self, where: tuple[str, ...], value: object) -> str:
        line: str = self._checked(where, value, text_of)
        if not line.strip():
            raise self.bad(where, "the command is empty", "a line as it is typed in the shell")
        return line

    def _check_name(self, where: tuple[str, ...], name: str, taken: Container[str]) -> None:
        if not _NAME.fullmatch(name):
            problem = f"{shown(name)} is no name for a host or group"
            raise self.bad(where, problem, "letters, digits, - _ and .; ranges go into [groups]")
        if name.lower() in taken:
            problem = f"{shown(name)} stands in [{where[0]}] already, in other letters"
            raise self.bad(where, problem, "upper and lower case are one: make one entry of both")

    def _check_word(self, where: tuple[str, ...], name: str) -> None:
        if not _WORD.fullmatch(name):
            raise self.bad(where, f"{shown(name)} is no word", "letters, digits, - and _")

    # Mistakes

    def _parsed(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
            problem = re.sub(r" \(at .*\)", "", str(error))
            hint = "see config init for the form"
            if "escape" in problem or "Unescaped" in problem or "hex" in problem:
                hint = r"write a Windows path in single quotes: 'C:\tls\site.pem'"
            line = int(found[1]) if found else self.text.count("\n") + 1
            at = f"column {found[2]}: " if found else ""
            raise ConfigError(self.path, line, f"{at}{problem}", hint=hint) from error

    def _refuse_secrets(self, value: object, where: tuple[str, ...]) -> None:
        hint = (
            "set BITSSHELL_PASSWORD, use the keyring (login --keyring --save), or let it be asked"
        )
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if _SECRET_KEY.search(key) and where[:1] not in {("aliases",), ("commands",)}:
                    problem = f"{shown(key)}: secrets do not belong into this file"
                    raise self.bad(
                        (*where, key), problem, f"{hint}; change the one that stood here"
                    )
                self._refuse_secrets(inner, (*where, key))
        elif isinstance(value, list):
            for inner in value:
                self._refuse_secrets(inner, where)
        elif isinstance(value, str) and _SECRET_TEXT.search(value):
            raise self.bad(where, "there is a password in it; secrets do not belong here", hint)

    def bad(self, where: tuple[str, ...], problem: str, hint: str | None) -> ConfigError:
        """A mistake at an entry of this file."""
        return ConfigError(self.path, line_of(self.text, where), problem, hint=hint)


_Entry = TypeVar("_Entry", KnownHost, Group)


def _protected(old: Mapping[str, _Entry], new: Mapping[str, _Entry]) -> dict[str, _Entry]:
    """New entries, read-only also where the one was that they take the place of."""
    return {
        name: replace(entry, read_only=entry.read_only or (name in old and old[name].read_only))
        for name, entry in new.items()
    }


def _logon(entry: Mapping[str, Any]) -> LogonOptions:
    """The part of a table that says how to log on."""
    said = {option: entry[name] for name, option in LOGON_NAMES.items() if name in entry}
    return LogonOptions(**said)


def _text(path: Path) -> str:
    """The file as text. Raises `ConfigError`."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(path, None, "the file is far too long for a configuration")
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(path, None, f"it cannot be read ({error.strerror})") from error
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        problem = f"byte {error.start + 1} is no UTF-8 ({error.reason})"
        raise ConfigError(path, line, problem, hint="save the file as UTF-8") from error


_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?")
_ENTRY = re.compile(
    r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*="""
)


def line_of(text: str, where: tuple[str, ...]) -> int | None:
    """The line where an entry stands, or else what it is part of; None where nothing is found.

    `tomllib` keeps no positions. Lines within texts of several lines are taken for entries, too.
    """
    best: tuple[int, int | None] = (0, None)
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        here = table
        if header := _HEADER.fullmatch(line):
            here = table = _parts(header[1])
        elif entry := _ENTRY.match(line):
            here = (*table, *_parts(entry[1]))
        if len(here) > best[0] and here == where[: len(here)]:
            best = (len(here), number)
    return best[1]


def _parts(dotted: str) -> tuple[str, ...]:
    found = re.findall(r'"([^"]*)"|\'([^\']*)\'|([\w-]+)', dotted)
    return tuple("".join(part) for part in found)
