"""What of a recording becomes a parameter of its notebook, and its commands written with them.

Proposed are the hosts, what is fetched from where to where, job names, and jobs that were there
before. A job that the recording made itself is no parameter: the command that makes it puts it into
a variable (`--into job`), and what comes later says `{job}`. Every other word stays as it was.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitsshell.bits import canonical_job_id
from bitsshell.commands.magicline import escaped
from bitsshell.known_secrets import MASK
from bitsshell.runbooks.creations import Creation, creations_of, ids_in
from bitsshell.runbooks.parameters import Kind, Parameter
from bitsshell.runbooks.roles import Part, Role, parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bitsshell.results.entries import Entry
    from bitsshell.runbooks.recordings import Recording

HOSTS = "hosts"
_CHOOSING = frozenset({"use", "login", "logout", "hosts", "doctor"})
"""Verbs about hosts: what they name does not tell on which hosts the work was done."""


@dataclass(frozen=True, slots=True)
class Written:
    """A command as its cell has it: words with names in braces, other braces doubled.

    `into` names the variable that takes what it made.
    """

    verb: str
    words: tuple[str, ...]
    into: str | None = None
    job: str = ""
    """The name of the one job that it is about, where there is just one that has a name."""
    job_words: str = ""
    """The same as words with names in braces; empty where no parameter says it."""


@dataclass(frozen=True, slots=True)
class Proposals:
    """The parameters of a recording, and its commands written with them, in the same order."""

    parameters: tuple[Parameter, ...]
    commands: tuple[Written, ...]
    hosts: tuple[str, ...]
    """Labels of the hosts that the parameter `hosts` stands for."""
    others: tuple[tuple[str, str], ...] = ()
    """Labels of other hosts that a command acted on, each with its parameter."""


def proposed(recording: Recording) -> Proposals:
    """The parameters to propose for a recording, and its commands written with them."""
    return _Proposer(recording).proposals()


class _Names:
    """Names of variables, each given out once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, name: str) -> str:
        """This name, or it with a number."""
        found, number = name, 1
        while found in self._taken:
            number += 1
            found = f"{name}_{number}"
        self._taken.add(found)
        return found


class _Proposer:
    """Goes through the commands twice: for what recurs, and to write them."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._entries = [step.entry for step in recording.steps]
        self._parts = [_parts(entry) for entry in self._entries]
        self._creations = creations_of(self._entries)
        self._names = _Names()
        self._parameters: list[Parameter] = []
        self._texts: dict[tuple[Role, str], str] = {}
        """What stands in place of a value of a role: words with names in braces."""
        self._hosts = self._most_used_hosts()
        self._others: dict[str, str] = {}
        self._into: dict[int, str] = {}

    def proposals(self) -> Proposals:
        """Both."""
        if self._hosts:
            self._propose(HOSTS, [self._typable(h) for h in self._hosts], "the hosts to act on")
        self._propose_places(
            Role.URL, ("url", "the file's URL"), ("source", "the URL of the files' folder")
        )
        self._propose_places(
            Role.PATH,
            ("path", "the file on the hosts"),
            ("folder", "the files' folder on the hosts"),
        )
        for name in self._values(Role.NAME):
            self._place(Role.NAME, name, "job_name", "the job's name")
        words = [self._words(number) for number in range(len(self._entries))]
        commands = [
            Written(entry.verb, words[number], self._into.get(number), *self._job_of(number))
            for number, entry in enumerate(self._entries)
        ]
        others = tuple(self._others.items())
        return Proposals(tuple(self._parameters), tuple(commands), self._hosts, others)

    # What is proposed

    def _most_used_hosts(self) -> tuple[str, ...]:
        """The set of hosts that most commands acted on; of equals the first."""
        counts: Counter[frozenset[str]] = Counter()
        first: dict[frozenset[str], tuple[str, ...]] = {}
        for entry in self._entries:
            if entry.hosts and entry.verb not in _CHOOSING:
                counts[frozenset(entry.hosts)] += 1
                first.setdefault(frozenset(entry.hosts), entry.hosts)
        return first[max(counts, key=counts.__getitem__)] if counts else self._recording.chosen

    def _typable(self, host: str) -> str:
        return self._recording.reached.get(host, host)

    def _propose(self, name: str, value: str | list[str], help_text: str) -> str:
        """A new parameter; its name. A value of which something was masked has to be given."""
        name = self._names.new(name)
        is_masked = MASK in str(value)
        kind = Kind.STR if isinstance(value, str) else Kind.LIST
        if is_masked:
            help_text += "; it held a secret, which was not recorded"
        self._parameters.append(
            Parameter(
                name, kind, None if is_masked else value, is_required=is_masked, help=help_text
            )
        )
        return name

    def _place(self, role: Role, value: str, name: str, help_text: str) -> None:
        self._texts[role, value] = f"{{{self._propose(name, value, help_text)}}}"

    def _values(self, role: Role) -> list[str]:
        """The values of a role, in order, once each."""
        return list(dict.fromkeys(p.text for parts in self._parts for p in parts if p.role is role))

    def _propose_places(self, role: Role, one: tuple[str, str], several: tuple[str, str]) -> None:
        """One place is a parameter itself; of several it is the folders that some share.

        One that is masked behind its folder has to be given whole.
        """
        values = self._values(role)
        folders = {value: _folder(value) for value in values}
        for value, folder in list(folders.items()):
            if MASK in value.removeprefix(folder):
                self._place(role, value, *one)
                values.remove(value)
                del folders[value]
        if len(values) > 1 and len(set(folders.values())) < len(values) and all(folders.values()):
            for folder in dict.fromkeys(folders.values()):
                name = self._propose(several[0], folder, several[1])
                for value in values:
                    if folders[value] == folder:
                        rest = escaped(value.removeprefix(folder))
                        self._texts[role, value] = f"{{{name}}}{rest}"
            return
        for value in values:
            self._place(role, value, *one)

    # How commands are written

    def _words(self, number: int) -> tuple[str, ...]:
        entry = self._entries[number]
        hosts = entry.hosts
        options: list[str] = []
        arguments: list[str] = []
        names_hosts = False
        for part in self._parts[number]:
            if part.role is Role.HOST:
                names_hosts = names_hosts or not part.option
            elif part.option:
                options += _option(part.option, self._text(part))
            elif part.role is Role.FLAG:
                options += [] if part.text == "--" else [escaped(part.text)]
            elif part.role is Role.JOB or self._made(number, part.text) is not None:
                text, hosts = self._job(number, part.text, hosts)
                # Several ids of what was made at once are one variable.
                arguments += [] if text in arguments else [text]
            else:
                arguments.append(self._text(part))
        if entry.is_what_if and not {"--what-if", "--as"} & set(entry.words):
            options.append("--what-if")
        if names_hosts:
            arguments += self._host_words(hosts) or [f"{{{HOSTS}}}"]
        else:
            options += [word for host in self._host_words(hosts) for word in ("--host", host)]
        if "--" in entry.words:
            return (*options, "--", *arguments)
        return (*arguments, *options)

    def _job_of(self, number: int) -> tuple[str, str]:
        """The one job that a command is about: its name as recorded, and as it is written."""
        found: dict[str, str] = {}
        for part in self._parts[number]:
            made = None if part.option else self._made(number, part.text)
            if made is not None:
                found[made.name] = self._texts.get((Role.NAME, made.name), "")
            elif part.role in {Role.JOB, Role.NAME} and self._entries[number].verb != "set":
                found[part.text] = self._texts.get((part.role, part.text), "")
        if len(found) != 1:
            return "", ""
        name, words = next(iter(found.items()))
        is_name = canonical_job_id(name) is None and not name.startswith("%") and MASK not in name
        return (name, words) if is_name else ("", words)

    def _text(self, part: Part) -> str:
        if MASK in part.text and (part.role, part.text) not in self._texts:
            name = re.sub(r"\W", "_", part.option.lstrip("-")) or "value"
            self._place(part.role, part.text, name, "as it was typed")
        return self._texts.get((part.role, part.text), escaped(part.text))

    def _made(self, number: int, text: str) -> Creation | None:
        """What made the job that a reference of a command means."""
        earlier = (made for made in reversed(self._creations) if made.step < number)
        return next((made for made in earlier if made.has(text)), None)

    def _job(self, number: int, text: str, hosts: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        """A reference to jobs as it is written, and the hosts to look for them on."""
        made = self._made(number, text)
        if made is not None:
            return self._made_job(made, number, text, hosts)
        if text.startswith("%"):  # a row of a listing
            return escaped(text), hosts
        if (Role.JOB, text) not in self._texts:
            help_text = "a job that is there already"
            if canonical_job_id(text) is not None:
                help_text += "; on another host its id is another one"
            elif set(text) & set("*?["):
                help_text = "jobs that are there already, by a pattern of their names"
            self._place(Role.JOB, text, "existing_job", help_text)
        return self._texts[Role.JOB, text], hosts

    def _made_job(
        self, made: Creation, number: int, text: str, hosts: tuple[str, ...]
    ) -> tuple[str, tuple[str, ...]]:
        """A reference to a job that the recording made."""
        name = self._into.setdefault(made.step, "")
        if not name:
            name = self._into[made.step] = self._names.new("job")
        asked = {p.text for p in self._parts[number] if not p.option and made.has(p.text)}
        if made.is_all_of(asked, hosts) or self._was_all_of(made, number):
            return f"{{{name}}}", hosts
        # A part of it, or perhaps more than it: by name, on the hosts that were meant.
        named = self._texts.get((Role.NAME, made.name), f"{{{name}.jobs[0].name}}")
        return named, made.hosts_of(text) or hosts

    def _was_all_of(self, made: Creation, number: int) -> bool:
        """Whether a command changed all that was made then, and nothing that was there before."""
        changed = ids_in(self._entries[number])
        own = {job_id for creation in self._creations for job_id in creation.hosts}
        return changed >= made.hosts.keys() and changed <= own

    def _host_words(self, hosts: Sequence[str]) -> list[str]:
        """Nothing for the usual hosts; else each of them, as one of the usual ones where it is."""
        if set(hosts) == set(self._hosts):
            return []
        words: list[str] = []
        for host in hosts:
            if host in self._hosts:
                words.append(f"{{{HOSTS}[{self._hosts.index(host)}]}}")
                continue
            if host not in self._others:
                self._others[host] = self._propose("other_host", self._typable(host), "a host")
            words.append(f"{{{self._others[host]}}}")
        return words


def _parts(entry: Entry) -> tuple[Part, ...]:
    return parts_of(entry.words) if entry.words else ()


def _option(option: str, text: str) -> list[str]:
    return [f"{option}={text}"] if text.startswith("-") else [option, text]


def _folder(place: str) -> str:
    """What is before the last part of a URL or path, its separator left behind; else nothing."""
    separator = "/" if "/" in place else "\\"
    before, found, after = place.rpartition(separator)
    return before if found and after and not before.endswith(("/", ":/")) else ""
