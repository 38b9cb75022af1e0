"""The hosts and groups that a configuration knows, and how to log on to each."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bitsshell.fleet.hostsets import HostSets
from bitsshell.fleet.targets import NO_OPTIONS, LogonOptions, Target, parse_target

if TYPE_CHECKING:
    from collections.abc import Mapping


_HERE = ("127.0.0.1", "::1")
"""Addresses of `localhost`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownHost:
    """A host of the configuration: what its endpoint is made from, and how to log on to it."""

    typed: str
    logon: LogonOptions = NO_OPTIONS
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group: its members as typed text, and what holds for all of them."""

    members: tuple[str, ...]
    logon: LogonOptions = NO_OPTIONS
    read_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """Hosts and groups by name in lower case, and the options for logging on.

    `defaults` hold for every host, those of its groups above them, its own above these, and
    `environment` above all. `under` is what weaker files said: hosts that are read-only there stay
    so, whatever their names and groups mean by now. No slots, so that what the groups mean is
    worked out once.
    """

    hosts: Mapping[str, KnownHost] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    defaults: LogonOptions = NO_OPTIONS
    environment: LogonOptions = NO_OPTIONS
    under: Inventory | None = None

    @cached_property
    def members(self) -> Mapping[str, tuple[str, ...]]:
        """The members of each group as typed text, for `HostSets`."""
        return {name: group.members for name, group in self.groups.items()}

    def target(self, typed: str, said: LogonOptions = NO_OPTIONS) -> Target:
        """The target for a name as typed, with what is said now on top. Raises `BadHost`."""
        name = typed.strip().lower()
        host = self.hosts.get(name)
        merged = merge(self._logon(name), said)
        if host is None:
            return parse_target(typed, merged)
        return replace(parse_target(host.typed, merged), name=name)

    def why_read_only(self, target: Target) -> str | None:
        """Which entry of the configuration makes a host read-only, by whatever name it goes."""
        by_name, by_machine = self._read_only
        found = by_name.get(target.name)
        if found is None and not target.is_loopback:
            found = by_machine.get(_machine(target))
        if found is None:
            found = by_machine.get(_endpoint(target))
        if found is None and self.under is not None:
            found = self.under.why_read_only(target)
        return found

    def read_only(self) -> dict[Target, str]:
        """Hosts that are read-only, as each file means them, and which entry makes them so."""
        below = {} if self.under is None else self.under.read_only()
        return {**below, **{self.target(name): why for name, why in self._read_only[0].items()}}

    def kept_read_only(self) -> dict[Target, str]:
        """Those of them that only weaker files make read-only."""
        own = {(name, self.target(name).url) for name in self._read_only[0]}
        return {
            target: why
            for target, why in self.read_only().items()
            if (target.name, target.url) not in own
        }

    def _logon(self, name: str) -> LogonOptions:
        options = merge(self.defaults, self._of_groups.get(name, NO_OPTIONS))
        host = self.hosts.get(name)
        if host is not None:
            options = merge(options, host.logon)
        return merge(options, self.environment)

    @cached_property
    def _of_groups(self) -> Mapping[str, LogonOptions]:
        """What its groups say of each host; of several groups the later one counts."""
        found: dict[str, LogonOptions] = {}
        sets = HostSets(self.members)
        for group_name, group in self.groups.items():
            if group.logon != NO_OPTIONS:
                for typed in sets.members(group_name):
                    name = typed.lower()
                    found[name] = merge(found.get(name, NO_OPTIONS), group.logon)
        return found

    @cached_property
    def _read_only(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Why hosts are read-only: by label, and by machine or endpoint."""
        typed = {name: f"host {name}" for name, host in self.hosts.items() if host.read_only}
        sets = HostSets(self.members)
        for group_name, group in self.groups.items():
            if group.read_only:
                for member in sets.members(group_name):
                    typed.setdefault(member, f"group @{group_name}")
        by_name: dict[str, str] = {}
        by_machine: dict[str, str] = {}
        for member, why in typed.items():
            target = self.target(member)
            by_name[target.name] = why
            by_machine[_machine(target)] = why
            by_machine[_endpoint(target)] = why
        return by_name, by_machine


def _machine(target: Target) -> str:
    """A machine's name or address in one form for all its spellings."""
    name = target.hostname.lower().rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name
    address = getattr(address, "ipv4_mapped", None) or address
    return "localhost" if str(address) in _HERE else str(address)


def _endpoint(target: Target) -> str:
    """Where it listens, in one form: on this machine every port may lead to another host."""
    parts = urlsplit(target.url)
    return f"{_machine(target)}:{parts.port}{parts.path.lower()}"


def merge(known: LogonOptions, said: LogonOptions) -> LogonOptions:
    """What is said now, on top of what is known."""
    changes = {
        option.name: getattr(said, option.name)
        for option in fields(LogonOptions)
        if getattr(said, option.name) != getattr(NO_OPTIONS, option.name)
    }
    return replace(known, **changes) if changes else known
