"""The canonical form of a command means the same as what was typed, for every verb."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitsshell.commands import VERBS, Dispatcher
from bitsshell.commands.canonical import canonical
from bitsshell.commands.declare import HELP_OPTIONS, VerbCommand
from bitsshell.commands.types import Host, Job, LocalFile
from bitsshell.config import Config
from bitsshell.errors import UsageError
from bitsshell.fleet.credentials import Credentials
from bitsshell.fleet.inventory import Group, Inventory, KnownHost
from bitsshell.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from consoles import Site

    from bitsshell.commands import Invocation

IDS = [f"9D5C4B47-E79E-4090-BC3B-55257A000{number:03}" for number in range(4)]

VALUES: dict[str, list[str]] = {
    "text": ["nightly", "a b", "it's", 'a "b"', "-x", "--", "", "#1", "ü{x}", "C:\\in\\a", "%1"],
    "job": ["nightly", "'a b'", IDS[0], "9D5C4B47", "%1", "%2-3", "night*", "ref:7P4N0C2R9K"],
    "host": ["web01", "web[01-03]", "@web", "https://web09:5986/wsman", "db,web02"],
    "duration": ["5", "90s", "1h30m", "2.5"],
    "state": ["error", "transferred"],
    "states": ["error", "error,transient-error"],
    "priority": ["high", "foreground"],
    "auth": ["ntlm", "BASIC"],
    "output format": ["json", "table"],
    "form": ["words", "xml"],
    "port": ["5985", "443"],
    "columns": ["host,name"],
    "order": ["-name,host:desc"],
    "where": ["state = error", "name ~ 'a*'", "not done < 50%"],
    "moment": ["2h", "2026-11-22"],
    "integer range": ["1", "12"],
    "integer": ["1"],
    "scheme": ["basic", "NTLM", "1"],
    "target": ["proxy", "server"],
    "hosts": ["p:80", "http=p:80,q:80 <local>"],
    "hash": ["0123456789abcdef0123456789ABCDEF01234567", "01 23" * 10],
    "location": ["local-machine", "CURRENT_USER"],
    "choice": ["error", "replace", "reuse"],
    "URL group": ["http://+:8080/packages", "https://*/x"],
}


def session_with_hosts() -> Session:
    names = ("web01", "web02", "web03", "db")
    inventory = Inventory(
        hosts={name: KnownHost(typed=name) for name in names},
        groups={"web": Group(members=("web[01-03]",))},
    )
    session = Session(
        credentials=Credentials(environment={}), config=Config(inventory=inventory), user="tester"
    )
    session.listing = tuple(("web01", job_id) for job_id in IDS)
    return session


def value_of(draw: st.DrawFn, param: click.Parameter, file: str) -> str:
    kind = param.type
    if isinstance(kind, LocalFile):
        return file
    if isinstance(kind, click.Choice):
        return str(draw(st.sampled_from(list(kind.choices))))
    for known, name in ((Host, "host"), (Job, "job")):
        if isinstance(kind, known):
            return draw(st.sampled_from(VALUES[name]))
    return draw(st.sampled_from([*VALUES.get(kind.name, []), *VALUES["text"]]))


@st.composite
def typed(draw: st.DrawFn, command: VerbCommand, file: str) -> list[str]:
    """Words for a verb: some of its options in any order and spelling, and arguments."""
    words: list[list[str]] = []
    options = [p for p in command.params if isinstance(p, click.Option)]
    options = [option for option in options if option.opts[0] not in HELP_OPTIONS]
    for option in draw(st.lists(st.sampled_from(options), max_size=5)):
        name = draw(st.sampled_from([*option.opts, *option.secondary_opts]))
        if option.is_flag:
            words.append([name])
            continue
        value = value_of(draw, option, file)
        joined = name.startswith("--") and draw(st.booleans())
        words.append([f"{name}={value}"] if joined else [name, value])
    for param in command.params:
        if isinstance(param, click.Argument):
            least = 1 if param.required else 0
            count = draw(st.integers(least, 3 if param.nargs == -1 else 1))
            words += [[value_of(draw, param, file)] for _ in range(count)]
    order = draw(st.permutations(words)) if draw(st.booleans()) else words
    return [command.name or "", *(word for part in order for word in part)]


def meaning(invocation: Invocation) -> dict[str, Any]:
    """What a parsed command has been told."""
    assert invocation.context is not None
    call = invocation.call
    try:
        targets: object = sorted(target.url for target in call.targets())
    except UsageError as error:
        targets = type(error).__name__
    return {
        "verb": invocation.verb,
        "params": {name: _plain(value) for name, value in invocation.context.params.items()},
        "logon": call.logon,
        "output": call.output,
        "form": call.form,
        "what_if": call.what_if,
        "yes": call.yes,
        "timeout": call.timeout_s,
        "targets": targets,
    }


def _plain(value: Any) -> Any:
    """Rows of a listing as the jobs that they are; conditions as what was written."""
    if isinstance(value, (tuple, list)):
        plain = [_plain(item) for item in value]
        return [inner for item in plain for inner in (item if isinstance(item, list) else [item])]
    rows = getattr(value, "rows", ())
    if rows:
        return [IDS[row - 1] if row <= len(IDS) else f"row {row}" for row in rows]
    if getattr(value, "job_id", None):
        return [value.job_id.strip("{}")]
    is_of_now = isinstance(value, datetime)  # so long ago is another moment every time
    return repr(type(value)) if callable(value) or is_of_now else value


def parsed(session: Session, words: list[str]) -> Invocation | None:
    try:
        invocation = Dispatcher(session).parse(words)
    except UsageError:
        return None
    return invocation if invocation.context is not None else None


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("pem") / "a b.pem"
    path.write_text("x")
    return str(path)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "retry"])
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_it_parses_to_the_same_invocation(verb: str, pem: str, data: st.DataObject) -> None:
    words = data.draw(typed(VERBS[verb], pem))
    session = session_with_hosts()
    session.targets = (session.target("db"),)
    first = parsed(session, words)
    if first is None:
        return
    said = meaning(first)
    found = canonical(VERBS[verb], first.context)  # type: ignore[arg-type]
    assert all(isinstance(word, str) for word in found)
    assert found[0] == verb
    again = parsed(session, list(found))
    assert again is not None, f"{words} became {found}, which is not understood"
    assert meaning(again) == said
    assert canonical(VERBS[verb], again.context) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (["jobs"], "jobs --host db"),
        (
            ["jobs", "-H", "@web", "-x", "web02", "-o", "json"],
            "jobs --host web[01,03] --output json",
        ),
        (["jobs", "-Hweb01", "-H", "db"], "jobs --host web01 --host db"),
        (["resume", "%2", "-y"], f"resume --host db --yes {IDS[1]}"),
        (["resume", "%1-2", "x"], f"resume --host db {IDS[0]} {IDS[1]} x"),
        (["show", "--", "-x"], "show --host db -- -x"),
        (["jobs", "--no-tls", "--user=bob"], "jobs --host db --user bob --no-tls"),
        (["explain", "-2145386480"], "explain --host db 0x80200010"),
        (["whatif", "on"], "whatif on"),
        (["config", "show"], "config show"),
    ],
)
def test_it_reads_like_this(line: list[str], expected: str) -> None:
    session = session_with_hosts()
    session.targets = (session.target("db"),)
    invocation = parsed(session, line)
    assert invocation is not None
    if invocation.verb not in {"whatif", "config"}:
        invocation.call.targets()
    found = canonical(VERBS[invocation.verb], invocation.context)  # type: ignore[arg-type]
    assert " ".join(found) == expected


def test_what_the_configuration_adds_is_written_down() -> None:
    session = session_with_hosts()
    session.configure(Config(interval="7s", timeout="2h"))
    invocation = parsed(session, ["watch", "nightly"])
    assert invocation is not None
    found = canonical(VERBS["watch"], invocation.context)  # type: ignore[arg-type]
    assert set(pairwise(found)) >= {("--interval", "7s"), ("--timeout", "2h")}


def test_the_journal_keeps_it(site: Site, tmp_path: Path) -> None:
    console = site.console(2)
    console(rf"create {site.url} C:\in\a --name 'a b' --suspended --yes")
    console("jobs")
    console("resume %1 -y -o json")
    made, looked, resumed = console.session.journal.entries()
    assert made.words == (
        "create", "--host", "practice[01-02]", "--name", "a b", "--suspended", "--yes",
        site.url, r"C:\in\a",
    )  # fmt: skip
    assert looked.words == ("jobs", "--host", "practice[01-02]")
    assert resumed.words[:3] == ("resume", "--host", "practice[01-02]")
    assert resumed.words[-1] == site.only_job().id.strip("{}")
    assert made.hosts == ("practice01", "practice02")


def test_a_retry_is_kept_as_the_command_that_it_repeats(site: Site) -> None:
    console = site.console(2)
    site.hosts[1].faults.arm("html", status=404, times=9)
    assert console("jobs").code == 1
    site.hosts[1].faults.disarm()
    assert console("retry").code == 0
    entry = console.session.journal.entries()[-1]
    assert entry.typed == "retry  # jobs"
    assert entry.words == ("jobs", "--host", "practice02")
