"""`login` and `logout`: log on now, and forget it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bitsshell.commands.declare import Call, verb
from bitsshell.commands.targets import log_on
from bitsshell.commands.types import Host
from bitsshell.errors import UsageError
from bitsshell.results import Event, Notice, Outcome, View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bitsshell.fleet.targets import Target


@verb(
    "login",
    view=View.HOSTS,
    examples=(
        "login",
        "login web01 --user ADMIN",
        "login @web --user CORP\\admin --keyring --save",
    ),
)
@click.argument("names", nargs=-1, type=Host())
@click.option("--save", is_flag=True, help="keep an accepted password in the keyring (--keyring)")
def login(call: Call, names: tuple[str, ...], *, save: bool) -> Iterator[Event]:
    """Log on to hosts now, so that nothing is asked later.

    Which hosts the session acts on stays as it is. The password of a host that rejected it is asked
    for again, and what is typed is sent, the same or another one; other hosts keep theirs. With
    `--keyring --save` the passwords that were accepted are kept in the system's keyring, for
    `--keyring` to find next time.
    """
    if save and not call.logon.keyring:
        raise UsageError("--save needs --keyring", hint="login --keyring --save")
    targets = _targets(call, names)
    call.session.ask_again(targets)
    by_name = {target.name: target for target in targets}
    accepted: list[Target] = []
    for outcome in log_on(call, targets):
        if isinstance(outcome, Outcome) and outcome.error is None:
            accepted.append(by_name[outcome.host])
        yield outcome
    if save:
        kept = call.session.save_passwords(accepted)
        said = ", ".join(kept) if kept else "nothing, for no password was accepted"
        yield Notice(f"kept in the keyring: {said}")


@verb(
    "logout",
    view=View.HOSTS,
    examples=("logout", "logout web01", "logout --keyring"),
)
@click.argument("names", nargs=-1, type=Host())
def logout(call: Call, names: tuple[str, ...]) -> Iterator[Event]:
    """Close the connections to hosts and forget what was used to log on.

    Without hosts that is all of them. The next command asks again, unless BITSSHELL_PASSWORD or
    the keyring has the password; `--keyring` takes it out of the keyring, too.
    """
    session = call.session
    is_all = not (names or call.typed_hosts)
    targets = tuple(session.known.values()) if is_all else _targets(call, names)
    session.log_out(targets, keyring=call.logon.keyring)
    for target in targets:
        yield Outcome(host=target.name, value=session.host_status(target))
    if not targets:
        yield Notice("no host is known, so there is nothing to forget")


def _targets(call: Call, names: tuple[str, ...]) -> tuple[Target, ...]:
    if not names:
        return call.targets()
    return call.session.select(
        (*names, *call.typed_hosts), exclude=call.excluded, logon=call.logon, many=call.yes
    )
