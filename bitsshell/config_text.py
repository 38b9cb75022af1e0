"""The configuration as text: the file that `config init` writes, and what `config show` says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bitsshell.config_fields import LOGON_NAMES
from bitsshell.fleet.targets import NO_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bitsshell.bits import JobState
    from bitsshell.config import Config
    from bitsshell.fleet.targets import LogonOptions

TEMPLATE = r"""# bitsshell: configuration. Take the # away from what you need.
#
# What is typed wins over the environment (BITSSHELL_USER, BITSSHELL_AUTH,
# BITSSHELL_OUTPUT, BITSSHELL_EDITING, ...), that over bitsshell.toml in the current
# folder, that over this file. `bitsshell config check` names file and line of a mistake.
#
# No passwords here: they come from BITSSHELL_PASSWORD, from the system's keyring, or
# they are asked for. Windows paths go into single quotes: 'C:\tls\site.pem'.

#:[defaults]                     # what holds where nothing else is said
#:user = 'CORP\admin'
#:auth = "auto"                  # auto, kerberos, ntlm, basic, certificate, credssp
#:port = 5986
#:tls = true
#:ca = '/etc/ssl/site.pem'       # authorities to trust (PEM)
#:keyring = false                # look for passwords in the system's keyring
#:output = "table"               # table, json, ndjson, csv, tsv, vertical
#:interval = "5s"                # between two looks of watch, wait and manage
#:timeout = "2h"                 # of every command
#:colour = true
#:readonly = false               # true: refuse every change until `readonly off`
#:journal = '~/bits.sqlite'      # what is done is written there; "off" keeps nothing

#:[shell]                        # how it behaves under the fingers
#:editing = "emacs"              # emacs, vi
#:toolbar = true                 # false: begin without the line at the bottom (F2)
#:refresh = true                 # false: read nothing while the prompt waits

#:[hosts]                        # name = where it is
#:backup = "10.0.0.5"
#:edge = "https://edge.example.net:5986/wsman"

#:[hosts.files01]                # or with more to say
#:address = "files01.corp.example"
#:port = 5986
#:tls = true
#:user = 'files01\operator'
#:auth = "ntlm"
#:fingerprint = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#:[groups]                       # @web; hosts need not stand under [hosts]
#:web = "web[01-40]"
#:db = ["db01", "db02"]
#:all = ["@web", "@db", "!web13"]

#:[groups.prod]                  # what is said here holds for each of its hosts
#:hosts = ["@web", "@db"]
#:user = 'PROD\admin'
#:readonly = true                # every change to them is refused

#:[colours]                      # of states: bold or dim, and a colour; or none
#:error = "bold red"
#:transient-error = "yellow"
#:suspended = "dim"

#:[aliases]                      # a word for the beginning of a line
#:bad = "jobs --state error,transient-error"

#:[commands]                     # lines with <places> for arguments, <name=default>
#:fetch = 'create <url> C:\in\<name> --name <name>'

#:[commands.tidy]
#:run = "complete '<pattern=*>'"
#:help = "complete what has arrived"
""".replace("#:", "# ")


def shown_config(config: Config) -> str:
    """What holds now, in the form of the file, with the files that it comes from."""
    return "\n".join(_lines(config))


def _lines(config: Config) -> Iterator[str]:
    if not config.files:
        yield "# no file was read"
    for path in config.files:
        yield f"# read: {path}"
    inventory = config.inventory
    yield "[defaults]"
    yield from _pairs(_logon(inventory.defaults))
    yield from _pairs(
        {
            "output": config.output,
            "interval": config.interval,
            "timeout": config.timeout,
            "colour": config.colour,
            "readonly": config.is_read_only,
            "journal": config.journal,
        }
    )
    if config.shell:
        yield "[shell]"
        yield from _pairs(config.shell)
    for name, host in sorted(inventory.hosts.items()):
        yield f"[hosts.{_key(name)}]"
        readonly = host.read_only or None
        yield from _pairs({"address": host.typed, **_logon(host.logon), "readonly": readonly})
    for name, group in sorted(inventory.groups.items()):
        yield f"[groups.{_key(name)}]"
        readonly = group.read_only or None
        hosts = list(group.members)
        yield from _pairs({"hosts": hosts, **_logon(group.logon), "readonly": readonly})
    for target, why in inventory.kept_read_only().items():
        yield f"# {target.name} ({target.url}) stays read-only: an earlier file says so of {why}"
    if config.colours:
        yield "[colours]"
        yield from _pairs({_state(state): words for state, words in config.colours.items()})
    if config.aliases:
        yield "[aliases]"
        yield from _pairs(config.aliases)
    for name, command in config.commands.items():
        yield f"[commands.{name}]"
        yield from _pairs({"run": command.line, "help": command.help or None})


def _logon(options: LogonOptions) -> dict[str, object]:
    return {
        name: getattr(options, option)
        for name, option in LOGON_NAMES.items()
        if getattr(options, option) != getattr(NO_OPTIONS, option)
    }


def _pairs(values: Mapping[str, object]) -> Iterator[str]:
    for name, value in values.items():
        if value is not None:
            # JSON's texts, numbers, switches and lists are TOML's, too.
            yield f"{name} = {json.dumps(value, ensure_ascii=False)}"


def _state(state: JobState) -> str:
    return state.name.lower().replace("_", "-")


def _key(name: str) -> str:
    return json.dumps(name) if "." in name else name
