"""`hosts` and `use`: which hosts there are, and which ones the session acts on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bitsshell.bits import HostIdentity, IdentifyHost, JobList
from bitsshell.commands.declare import Call, verb
from bitsshell.commands.shape import Wanted, shaped
from bitsshell.commands.types import Host
from bitsshell.render.text import folded_names
from bitsshell.results import Event, HostStatus, Notice, Outcome, Shape, View
from bitsshell.wsman import ConnectFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bitsshell.errors import BitsShellError
    from bitsshell.fleet.targets import Target


@verb(
    "hosts",
    view=View.HOSTS,
    examples=("hosts", "hosts --check", "hosts --where 'state = failed' --cols host,jobs"),
)
@click.option("--check", is_flag=True, help="ask each host what it is")
@shaped(View.HOSTS)
def hosts(call: Call, *, check: bool, where: Wanted, shape: Shape) -> Iterator[Event]:
    """Show the known hosts and whether they are connected.

    Without --check nothing is sent.
    """
    del shape  # the renderer's matter
    now = call.session.clock.now()
    for event in _hosts(call, check=check):
        value = event.value if isinstance(event, Outcome) else None
        if not isinstance(value, HostStatus) or where(value, now):
            yield event


def _hosts(call: Call, *, check: bool) -> Iterator[Event]:
    session = call.session
    named = bool(call.typed_hosts)
    targets = call.targets() if named else session.all_hosts()
    if not targets:
        yield Notice("no host is known yet: use HOST")
    if not check:
        for target in targets:
            yield Outcome(host=target.name, value=session.host_status(target))
        return
    by_name = {target.name: target for target in targets}
    for outcome in session.ask(targets, IdentifyHost()):
        status = session.host_status(by_name[outcome.host])
        if isinstance(outcome.value, HostIdentity):
            yield replace(outcome, value=replace(status, product=outcome.value.version))
        else:
            yield outcome


@verb(
    "use",
    view=View.HOSTS,
    examples=(
        "use web01",
        "use web01 web02:5986 --user ADMIN --auth ntlm",
        "use https://web03:5986/wsman --ca site.pem",
        "use --none",
    ),
)
@click.argument("names", nargs=-1, type=Host())
@click.option("--none", is_flag=True, help="act on no host from now on")
def use(call: Call, names: tuple[str, ...], *, none: bool) -> Iterator[Event]:
    """Choose the hosts to act on from now on, and log on to them.

    The options for logging on that are given here hold for these hosts from now on. A host that
    does not answer is chosen all the same; where nobody knows any of the names, what was chosen
    before stays chosen.
    """
    session = call.session
    if none:
        session.targets = ()
        yield Notice("no host is chosen")
        return
    before = session.targets
    if names or call.typed_hosts:
        session.targets = session.select(
            (*names, *call.typed_hosts), exclude=call.excluded, logon=call.logon, many=call.yes
        )
    else:
        session.targets = call.targets()
    errors: list[BitsShellError | None] = []
    for outcome in log_on(call, session.targets):
        errors.append(outcome.error)
        yield outcome
    if before and errors and all(map(_is_unknown_name, errors)):
        for target in session.targets:
            session.known.pop(target.name, None)  # or it would be completed from now on
        session.targets = before
        yield Notice(f"chosen as before: {folded_names([target.name for target in before])}")


def _is_unknown_name(error: BitsShellError | None) -> bool:
    return isinstance(error, ConnectFailed) and error.kind == "name"


def log_on(call: Call, targets: tuple[Target, ...]) -> Iterator[Outcome]:
    """Read the queues, which logs on and fills the snapshot that completion looks into."""
    by_name = {target.name: target for target in targets}
    for outcome in call.session.look(targets):
        if isinstance(outcome.value, JobList):
            yield replace(outcome, value=call.session.host_status(by_name[outcome.host]))
        else:
            yield outcome
