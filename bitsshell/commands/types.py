"""What arguments may be: syntax only, so that completion may convert at every key.

Candidates for completion come from the session's snapshot, never from the network.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from enum import Enum
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from bitsshell.bits import FileSpec, JobState, Priority
from bitsshell.bits import Job as BitsJob
from bitsshell.bits.codes import table
from bitsshell.durations import BadDuration, seconds_of
from bitsshell.errors import UsageError, shown
from bitsshell.fleet.references import Kind, Reference, parse_reference
from bitsshell.fuzzy import fitting
from bitsshell.local_files import is_a_file, local_path
from bitsshell.render import units
from bitsshell.render.text import folded_names, neutral
from bitsshell.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

MAX_CANDIDATES = 200
"""Nobody reads more; the rest comes with the next letter."""

_MOST_ALIKE = 20
"""Of one name on many hosts no more are looked at, so that there is room for other names."""

_MAX_FUZZY = 50
"""Of jobs that only have the letters, the closest are enough."""

_MAX_ENTRIES = 5_000
"""Of a larger folder the rest is not looked at, for it is read at every key."""

_MIN_CODE = 3
"""So that 0x and BG alone do not bring up hundreds of codes."""

E = TypeVar("E", bound=Enum)


class BadValue(UsageError):
    """A value that an option or argument does not take."""


def session_of(ctx: click.Context) -> Session | None:
    """The session that completion may look into; None where there is none (an OS shell)."""
    found = ctx.find_object(object)
    session = getattr(found, "session", found)
    return session if isinstance(session, Session) else None


class Host(click.ParamType[str]):
    """One host, or several with commas; parsed when the session selects them."""

    name = "host"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Known hosts, after the last comma, by label or by the URL of their endpoint."""
        session = session_of(ctx)
        if session is None:
            return []
        done, comma, last = incomplete.rpartition(",")
        if last[:1] in {"@", "!"}:
            return _groups(session, f"{done}{comma}", last)
        if last.startswith("%"):
            is_it = session.failed_hosts and "%failed-hosts".startswith(last.lower())
            help_text = folded_names(session.failed_hosts)
            return [CompletionItem("%failed-hosts", help=help_text, kind="host")] if is_it else []
        return [
            CompletionItem(f"{done}{comma}{value}", help=meta, kind="host")
            for value, meta in _hosts(session, last)
        ]


def _hosts(session: Session, typed: str) -> list[tuple[str, str]]:
    """Hosts that begin like this, each with what else it is called: by label, else by URL."""
    hosts = sorted(session.addresses().items())
    if not typed:
        return hosts[:MAX_CANDIDATES]
    named = fitting(typed, hosts, lambda host: host[0])
    folded = typed.casefold()
    by_url = [(url, name) for name, url in hosts if url.casefold().startswith(folded)]
    if by_url:  # else what was typed is no URL, and the names are all there is
        named = [host for host in named if host[0].casefold().startswith(folded)]
        names = {name for name, _ in named}
        by_url = [host for host in by_url if host[1] not in names]
    return [*named, *by_url][:MAX_CANDIDATES]


def _groups(session: Session, done: str, typed: str) -> list[CompletionItem]:
    """Groups of the configuration, after `@` or `!@`."""
    sign = "!" if typed.startswith("!") else ""
    groups = session.config.inventory.groups
    found = fitting(typed.lstrip("!@"), sorted(groups), str)
    return [
        CompletionItem(f"{done}{sign}@{name}", help=",".join(groups[name].members), kind="host")
        for name in found
    ][:MAX_CANDIDATES]


class Job(click.ParamType[Reference]):
    """A reference to jobs: id, its beginning, name, pattern, ref:..., %3, %1-4, %errors."""

    name = "job"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Reference:
        """Tell what the reference is by its form."""
        return value if isinstance(value, Reference) else parse_reference(str(value))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Jobs of the snapshot by name, else by id; rows of the last listing after `%`."""
        session = session_of(ctx)
        if session is None:
            return []
        if incomplete.startswith("%"):
            found = _rows(session, incomplete)
        else:
            found = _jobs(session, incomplete, ctx.params.get("states"))
        return [CompletionItem(value, help=meta, kind="job") for value, meta in found.items()]


def _jobs(session: Session, typed: str, states: tuple[JobState, ...] | None) -> dict[str, str]:
    """References to jobs that begin like this, with what is known of each.

    Where the line has a `--state` already, only jobs in those states.

    A name stands for its job only where it would be read as this name and is alone on its host;
    else the id does.
    """
    hosts = [target.name for target in session.targets] or None
    brace = "{" if typed.startswith("{") else ""
    folded = typed.casefold().lstrip("{")
    jobs = session.snapshot.with_prefix(
        typed, hosts=hosts, states=states, limit=MAX_CANDIDATES, alike=_MOST_ALIKE
    )
    is_fuzzy = not (jobs or brace or folded.startswith("0x"))  # that begins a code
    if is_fuzzy:
        jobs = session.snapshot.with_letters(typed, hosts=hosts, states=states, limit=_MAX_FUZZY)
    names = Counter((host, name) for host, name, _ in {(j.host, j.name, j.id) for j in jobs})
    now = session.clock.now()
    found: dict[str, str] = {}
    on: dict[str, set[str]] = {}
    for job in jobs:
        by_name = is_fuzzy or (not brace and job.name.casefold().startswith(folded))
        if by_name and is_plain_name(job.name) and names[job.host, job.name] == 1:
            value, meta = job.name, _meta(job, now)
        else:
            value, meta = (f"{{{job.id}}}" if brace else job.id), f"{_meta(job, now)} {job.name}"
        found.setdefault(value, meta)
        on.setdefault(value, set()).add(job.host)
    return {value: meta + _others(len(on[value]) - 1) for value, meta in found.items()}


def _others(hosts: int) -> str:
    """What is said of a name that jobs on other hosts have, too."""
    if not hosts:
        return ""
    number = "many" if hosts >= _MOST_ALIKE - 1 else f"{hosts}"
    return f", and on {number} more"


def _rows(session: Session, typed: str) -> dict[str, str]:
    """Rows of the last listing that begin like this; the jobs themselves are in the snapshot."""
    now = session.clock.now()
    found: dict[str, str] = {}
    for row in islice(_numbers_like(typed[1:], len(session.listing)), MAX_CANDIDATES):
        host, job_id = session.listing[row - 1]
        job = session.snapshot.job(host, job_id)
        found[f"%{row}"] = host if job is None else f"{_meta(job, now)} {job.name}"
    if session.listing and "%errors".startswith(typed.lower()):
        found["%errors"] = "those of the last listing that are in an error state"
    return found


def _numbers_like(digits: str, last: int) -> Iterator[int]:
    """The numbers from 1 to `last` that begin with these digits, in order."""
    if not digits:
        yield from range(1, last + 1)
    elif re.fullmatch(r"[1-9][0-9]{0,9}", digits):
        first, count = int(digits), 1
        while first <= last:
            yield from range(first, min(first + count, last + 1))
            first, count = first * 10, count * 10


def _meta(job: BitsJob, now: datetime) -> str:
    """State, host, progress and age, as far as they are known."""
    parts = [job.state.name, job.host]
    fraction, created_at = job.fraction, job.created_at  # worked out at each look
    if fraction is not None:
        parts.append(units.percent(fraction))
    if created_at is not None:
        parts.append(units.age(created_at, now))
    return " ".join(parts)


def is_plain_name(name: str) -> bool:
    """Whether a job's name, typed as it is, is read as this name and hides nothing."""
    if name.startswith("-") or neutral(name) != name:
        return False
    try:
        reference = parse_reference(name)
    except UsageError:
        return False
    return reference.kind is Kind.NAME and reference.typed == name


def complete_job_or_code(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Jobs, and the codes of the tables once enough of a symbol or of 0x... is typed."""
    found = Job().shell_complete(ctx, param, incomplete)
    if len(incomplete) >= _MIN_CODE:
        folded = incomplete.upper()
        codes = ((value, help_) for upper, value, help_ in _codes() if upper.startswith(folded))
        room = max(0, MAX_CANDIDATES - len(found))
        found += [CompletionItem(value, help=help_) for value, help_ in islice(codes, room)]
    return found[:MAX_CANDIDATES]


@cache
def _codes() -> tuple[tuple[str, str, str], ...]:
    """Every symbol and number of the tables: in capitals, as it is written, and the other one."""
    return tuple(
        (value.upper(), value, other)
        for known in table().values()
        for value, other in ((known.symbol, known.hex), (known.hex, known.symbol))
    )


class Member(click.ParamType[Any]):
    """One of an enumeration's names, in any case, with `-` or `_`; its number is taken too."""

    def __init__(self, enumeration: type[E], name: str, *, only: Iterable[E] | None = None) -> None:
        self.name = name
        members = list(enumeration if only is None else only)
        self.members: dict[str, Enum] = {
            member.name.lower().replace("_", "-"): member for member in members
        }

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The member."""
        if isinstance(value, Enum):
            return value
        text = str(value).strip().lower().replace("_", "-")
        if text in self.members:
            return self.members[text]
        for member in self.members.values():
            if text == str(member.value):
                return member
        raise BadValue(
            f"{shown(str(value))} is no {self.name}", hint="one of " + ", ".join(self.members)
        )

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names that begin with it."""
        folded = incomplete.lower().replace("_", "-")
        return [CompletionItem(name) for name in fitting(folded, self.members, str)]


class Several(click.ParamType[tuple[Any, ...]]):
    """Values with commas between them, each of another type."""

    def __init__(self, item: click.ParamType[Any]) -> None:
        self.item = item
        self.name = f"{item.name},..."

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Any, ...]:
        """All of them."""
        if isinstance(value, tuple):
            return value
        return tuple(self.item.convert(part, param, ctx) for part in str(value).split(","))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The last of them, which is none of those before."""
        done, comma, last = incomplete.rpartition(",")
        before = done.lower().replace("_", "-").split(",")
        return [
            CompletionItem(f"{done}{comma}{item.value}", help=item.help)
            for item in self.item.shell_complete(ctx, param, last)
            if item.value not in before
        ]


class Duration(click.ParamType[float]):
    """A length of time in seconds, or with a unit: 0.5, 90s, 5m, 2h, 3d, 1h30m."""

    name = "duration"

    def __init__(self, *, minimum_s: float = 0.0) -> None:
        self.minimum_s = minimum_s

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds."""
        if isinstance(value, int | float):
            return float(value)
        try:
            return seconds_of(str(value), minimum_s=self.minimum_s)
        except BadDuration as bad:
            where = f"{param.opts[0]}: " if param is not None else ""
            raise BadValue(f"{where}{shown(str(value))} {bad.problem}", hint=bad.allowed) from bad


class Checked(click.ParamType[str]):
    """A text that a check of `bits.limits` lets pass."""

    def __init__(self, name: str, check: Callable[[str], str]) -> None:
        self.name = name
        self.check = check

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, unchanged."""
        return self.check(str(value))


class LocalFile(click.ParamType[str]):
    """A file of this machine that is there."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The path as given. Raises UsageError when no such file can be read."""
        path = local_path(str(value))
        if not is_a_file(path):
            raise UsageError(
                f"there is no file {shown(str(value))}", hint="give the path of a PEM file"
            )
        return str(path)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Files and folders of the folder that was typed so far."""
        return [CompletionItem(path, kind="path") for path in local_paths(incomplete)]


def local_paths(typed: str) -> list[str]:
    """Paths of this machine that begin with what was typed; folders end with a separator."""
    folder, name = os.path.split(typed)
    try:
        with os.scandir(local_path(folder or os.curdir)) as entries:
            found = [
                os.path.join(folder, entry.name) + (os.sep if _is_folder(entry) else "")  # noqa: PTH118  # as typed, `./` and `~` included
                for entry in islice(entries, _MAX_ENTRIES)
                if not entry.name.startswith(".") or name.startswith(".")
            ]
    except (OSError, UsageError):  # no such folder; a NUL; `~nobody`
        return []
    return fitting(typed, sorted(found), str)[:MAX_CANDIDATES]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def complete_pairs(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """URLs and remote folders that were seen in jobs, in turn."""
    session = session_of(ctx)
    if session is None:
        return []
    given = ctx.params.get(param.name or "") or ()
    seen = session.places.folders if len(given) % 2 else session.places.urls
    return [
        CompletionItem(place, help="seen in a job", kind="path")
        for place in fitting(incomplete, seen, str)[:MAX_CANDIDATES]
        if neutral(place) == place
    ]


PRIORITY = Member(Priority, "priority")
STATE = Member(JobState, "state")
STATES = Several(STATE)


def file_pairs(texts: tuple[str, ...]) -> tuple[FileSpec, ...]:
    """`URL PATH [URL PATH]...` as files. Raises `BadValue` and `NotAccepted`."""
    pairs = in_pairs(texts, r"http://server/a.bin 'C:\in\a.bin'")
    return tuple(FileSpec(url, path) for url, path in pairs)


def in_pairs(texts: tuple[str, ...], example: str) -> Iterator[tuple[str, str]]:
    """Words two by two, as in the example. Raises `BadValue` where the last one has no path."""
    if len(texts) % 2:
        raise BadValue(
            f"a path is missing after {shown(texts[-1])}",
            hint=f"give URL and path in pairs: {example}",
        )
    return zip(texts[::2], texts[1::2], strict=True)
