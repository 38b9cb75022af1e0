"""`doctor`: what works and what does not, of this installation or of hosts, layer by layer."""

from __future__ import annotations

import os
import platform
import stat
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bitsshell import __version__
from bitsshell.bits import IdentifyHost
from bitsshell.commands.checking import host_checks
from bitsshell.commands.declare import Call, verb
from bitsshell.commands.types import Host
from bitsshell.config import user_file
from bitsshell.journal import JournalUnavailable
from bitsshell.results import Check, CheckState, Event, Outcome, Status, View
from bitsshell.state_files import history_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bitsshell.session import Session

_HERE = "this installation"
_PACKAGES = ("click", "clustershell", "lxml", "platformdirs", "prompt_toolkit", "pywinrm")
_EXTRAS = {
    "practice": ("aiohttp", "spnego"),
    "notebook": ("IPython", "ipykernel", "nbformat", "nbclient"),
    "kerberos": ("winkerberos" if sys.platform == "win32" else "kerberos",),
    "credssp": ("requests_credssp",),
    "keyring": ("keyring",),
    "dask": ("distributed",),
}
"""What each extra brings that can be imported."""


@verb(
    "doctor",
    view=View.CHECKS,
    examples=("doctor", "doctor web01", "doctor @web --user ADMIN"),
)
@click.argument("names", nargs=-1, type=Host())
def doctor(call: Call, names: tuple[str, ...]) -> Iterator[Event]:
    """Find out what is wrong: with this installation, or with the way to hosts.

    Of a host it goes from layer to layer: name, connection, TLS, WinRM, logon, access, provider,
    enumeration; the first one that fails says what to do next.
    """
    session = call.session
    if not (names or call.typed_hosts):
        yield from (_outcome(check) for check in installation_checks(session))
        return
    targets = session.select(
        (*names, *call.typed_hosts), exclude=call.excluded, logon=call.logon, many=call.yes
    )
    by_name = {target.name: target for target in targets}
    reached: dict[str, Outcome] = {}
    for outcome in session.ask(targets, IdentifyHost()):
        if outcome.error is None:
            reached[outcome.host] = outcome
        else:
            yield from map(_outcome, host_checks(by_name[outcome.host], outcome, None))
    for outcome in session.look([by_name[host] for host in reached]):
        checks = host_checks(by_name[outcome.host], reached[outcome.host], outcome)
        yield from map(_outcome, checks)


def _outcome(check: Check) -> Outcome:
    status = Status.FAILED if check.state is CheckState.FAILED else Status.DONE
    return Outcome(host=check.subject, status=status, value=check)


def installation_checks(session: Session) -> Iterator[Check]:
    """What this installation consists of; nothing is sent."""
    yield _ok("bitsshell", f"{__version__}, {Path(__file__).parents[1]}")
    yield _ok("Python", f"{platform.python_version()} on {platform.system() or sys.platform}")
    yield from _packages()
    yield from _extras()
    yield _configuration(session)
    yield _private("history", history_file())
    yield _journal(session)
    yield _terminal()


def _packages() -> Iterator[Check]:
    from importlib import metadata  # it takes longer than all other imports here

    for name in _PACKAGES:
        try:
            yield _ok(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield replace(
                _ok(name, "it is not installed"),
                state=CheckState.FAILED,
                next="install bitsshell anew: pip install --force-reinstall bitsshell",
            )


def _extras() -> Iterator[Check]:
    for name, modules in _EXTRAS.items():
        missing = [module for module in modules if find_spec(module) is None]
        if missing:
            yield Check(
                subject=_HERE,
                name=name,
                state=CheckState.NOTE,
                text=f"not installed ({', '.join(missing)})",
                next=f"if it is wanted: pip install 'bitsshell[{name}]'",
            )
        else:
            yield _ok(name, "installed")


def _configuration(session: Session) -> Check:
    config = session.config
    if config.problem is not None:
        return replace(
            _ok("config", config.problem.what()),
            state=CheckState.FAILED,
            next=config.problem.hint,
        )
    if config.files:
        return _ok("config", ", ".join(map(str, config.files)))
    return _ok("config", f"no file; config init makes {user_file()}")


def _private(name: str, path: Path) -> Check:
    """Whether a file of this person's is for nobody else."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return _ok(name, f"{path}, not there yet")
    except OSError as error:
        return replace(
            _ok(name, f"{path}: {error.strerror}"),
            state=CheckState.FAILED,
            next="look at the folder's permissions",
        )
    if sys.platform != "win32" and mode & 0o077:
        return replace(
            _ok(name, f"{path} can be read by others ({mode:o})"),
            state=CheckState.FAILED,
            next=f"chmod 600 '{path}'",
        )
    return _ok(name, str(path))


def _journal(session: Session) -> Check:
    """Where what is done is written down, and how."""
    try:
        standing = session.journal.standing()
    except JournalUnavailable as error:
        return replace(_ok("journal", error.what()), state=CheckState.FAILED, next=error.hint)
    place = f"{standing.place}, " if standing.is_kept else ""
    state = CheckState.OK if standing.is_usual else CheckState.NOTE
    return replace(_ok("journal", f"{place}{standing.mode}"), state=state)


def _terminal() -> Check:
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    if not is_terminal:
        return _ok("terminal", "none: output goes to a pipe or file")
    kind = os.environ.get("TERM") or platform.system()
    encoding = sys.stdout.encoding or "unknown encoding"
    plain = ", no colours (NO_COLOR)" if os.environ.get("NO_COLOR") else ""
    return _ok("terminal", f"{kind}, {encoding}{plain}")


def _ok(name: str, text: str) -> Check:
    return Check(subject=_HERE, name=name, state=CheckState.OK, text=text)
