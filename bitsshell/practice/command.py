"""The command `bitsshell practice`: a practice fleet in the foreground."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .certificates import Tls
from .control import MAX_LINE_CHARS, Control, arm_as_told
from .fleet import MAX_HOSTS, PracticeFleet
from .settings import EngineSettings, PracticeSettings, WinRmSettings
from .winrm.auth_offers import kerberos_problem
from .winrm.texts import DEFAULT_LOCALE, LOCALES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

ENVIRONMENT_NAME = "BITSSHELL_PASSWORD"
_POLL_S = 0.5
_STDIN = 0
_EXPOSED = """\
Warning: the hosts can be reached from the network. Whoever knows the password can let them fetch
any address that this machine reaches, and write into their folder; basic authentication without
TLS sends the password in clear. The file, upload and compact servers ask for no password."""
_SCHEMES = ("basic", "negotiate", "kerberos", "credssp", "certificate")


@click.command(name="practice")
@click.option(
    "--hosts",
    "count",
    type=click.IntRange(1, MAX_HOSTS),
    default=3,
    show_default=True,
    help="How many practice hosts.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of a table.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the hosts write; kept at the end. Without it a temporary folder is used.",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the hosts' queues outlive this run; their files too, unless --folder is given.",
)
@click.option(
    "--tls",
    is_flag=False,
    flag_value=Tls.GOOD.value,
    type=click.Choice([kind.value for kind in Tls]),
    help="HTTPS, too, with a certificate that fits or one that does not.",
)
@click.option(
    "--auth",
    "schemes",
    multiple=True,
    type=click.Choice(_SCHEMES),
    help="A way to log on that the hosts take; may be given again. Without it: basic, negotiate, "
    "and kerberos if there is a keytab.",
)
@click.option(
    "--keytab",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keys of the services that Kerberos tickets are taken for (Linux).",
)
@click.option(
    "--encrypted-only",
    is_flag=True,
    help="Refuse plain messages over HTTP, as Windows does unless told otherwise.",
)
@click.option("--by-path", is_flag=True, help="All hosts on one port, told apart by the path.")
@click.option(
    "--bind",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on. Anything but loopback opens the hosts to the network.",
)
@click.option(
    "--locale",
    type=click.Choice(LOCALES),
    default=DEFAULT_LOCALE,
    show_default=True,
    help="Language of fault texts.",
)
@click.option(
    "--time-scale",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="How much faster than real BITS' timers run; 60 makes an hour a minute.",
)
@click.option(
    "--latency",
    "latency_s",
    type=click.FloatRange(0),
    default=0.0,
    help="Seconds that every answer of a host comes later.",
)
@click.option(
    "--pace",
    "pace_bytes_per_s",
    type=click.IntRange(1),
    help="Bytes a second that a transfer moves, so that it can be watched.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="[HOST:]NAME[,ARGUMENT=VALUE]...",
    help="A failure that is there from the start, such as provider-missing or "
    "html,status=503,times=2; may be given again.",
)
@click.option("--user", "username", help="Name of the hosts' account.")
def practice(
    *,
    count: int,
    as_json: bool,
    folder: Path | None,
    state: Path | None,
    tls: str | None,
    schemes: tuple[str, ...],
    keytab: Path | None,
    encrypted_only: bool,
    by_path: bool,
    bind: str,
    locale: str,
    time_scale: float,
    latency_s: float,
    pace_bytes_per_s: int | None,
    faults: tuple[str, ...],
    username: str | None,
) -> None:
    """Run practice hosts until interrupted.

    Each host is a WinRM endpoint with a BITS engine behind it that really downloads; a file
    server gives them something to fetch. The hosts' account is made up for this run. Set
    BITSSHELL_PASSWORD to choose its password.
    """
    if "certificate" in schemes and tls is None:
        raise click.UsageError("client certificates need --tls")
    problem = kerberos_problem(keytab) if "kerberos" in schemes else None
    if problem is not None:
        raise click.UsageError(f"Kerberos cannot be offered: {problem}")
    settings = PracticeSettings(
        engine=EngineSettings(transfer_bytes_per_s=pace_bytes_per_s),
        winrm=_winrm_settings(schemes, encrypted_only=encrypted_only),
    )
    with ExitStack() as stack:
        interrupted = stack.enter_context(_ended_by_signals())
        try:
            fleet = PracticeFleet(
                count,
                folder,
                by_path=by_path,
                bind=bind,
                locale=locale,
                time_scale=time_scale,
                settings=settings,
                username=username,
                password=os.environ.get(ENVIRONMENT_NAME) or None,
                latency_s=latency_s,
                state=state,
                tls=None if tls is None else Tls(tls),
                keytab=keytab,
            )
            stack.enter_context(fleet)
            for told in faults:
                arm_as_told(fleet, told)
        except (OSError, ValueError) as error:
            raise click.ClickException(f"the practice fleet cannot start: {error}") from error
        if not fleet.is_loopback:
            click.echo(_EXPOSED, err=True)
        click.echo(_line(fleet) if as_json else _page(fleet, settings.winrm))
        sys.stdout.flush()
        if _is_pipe(_STDIN):
            Control(fleet).serve_in_background(_lines(_STDIN), sys.stdout)
        while not interrupted.wait(_POLL_S):
            pass


def _winrm_settings(schemes: tuple[str, ...], *, encrypted_only: bool) -> WinRmSettings:
    allow_unencrypted = not encrypted_only
    if not schemes:
        return WinRmSettings(allow_unencrypted=allow_unencrypted)
    return WinRmSettings(
        basic="basic" in schemes,
        negotiate="negotiate" in schemes,
        kerberos="kerberos" in schemes,
        credssp="credssp" in schemes,
        certificate="certificate" in schemes,
        allow_unencrypted=allow_unencrypted,
    )


@contextmanager
def _ended_by_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM and a closed terminal set; the end of input means nothing."""
    event = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        event.set()

    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = [(number, signal.signal(number, end)) for number in numbers]
    try:
        yield event
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _is_pipe(descriptor: int) -> bool:
    """Whether commands may come from there; at a terminal nobody types JSON."""
    try:
        return stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _lines(descriptor: int) -> Iterator[str]:
    """Lines as they come. Not by `sys.stdin`, whose lock a waiting thread holds at the end."""
    waiting = b""
    while chunk := os.read(descriptor, MAX_LINE_CHARS):
        *whole, waiting = (waiting + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
    if waiting:
        yield waiting.decode("utf-8", "replace")


def _line(fleet: PracticeFleet) -> str:
    hosts = [
        {
            "name": host.name,
            "endpoint": host.endpoint,
            "username": host.username,
            "password": host.password,
            "root": str(host.root),
            "http_endpoint": host.http_endpoint,
        }
        for host in fleet.hosts
    ]
    told: dict[str, object] = {
        "hosts": hosts,
        "files": fleet.files_url,
        "uploads": fleet.uploads_url,
        "compact": fleet.compact_url,
    }
    certificate = fleet.hosts[0].certificate
    if certificate is not None:
        client = fleet.client_certificate()
        told["tls"] = {
            "ca": str(certificate.path),
            "fingerprint": certificate.fingerprint,
            "certificate": str(client.path),
            "certificate_key": str(client.key_path),
        }
    return json.dumps(told, separators=(",", ":"))


def _page(fleet: PracticeFleet, settings: WinRmSettings) -> str:
    first = fleet.hosts[0]
    width = max(len(host.endpoint) for host in fleet.hosts)
    rows = [f"  {host.name}  {host.endpoint:<{width}}  {host.root}" for host in fleet.hosts]
    files = [f"  {file.url}  {file.size_bytes} bytes" for file in fleet.files]
    example = fleet.files[-1]
    target = f"-H {first.endpoint} --user {first.username} --auth {_example(fleet, settings)}"
    if first.certificate is not None:
        target += f" --ca {first.certificate.path}"
    return "\n".join(
        [
            f"Practice hosts (user {first.username}, password {first.password}):",
            *rows,
            "Files to fetch:",
            *files,
            "Next, in another terminal:",
            f"  export BITSSHELL_PASSWORD={first.password}",
            f"  bitsshell jobs {target}",
            f"  bitsshell create {target} {example.url} 'C:\\in\\{example.name}'",
            "Ctrl-C ends the hosts.",
        ]
    )


def _example(fleet: PracticeFleet, settings: WinRmSettings) -> str:
    """A way to log on that these hosts take, as `bitsshell` names it."""
    is_tls = fleet.hosts[0].certificate is not None
    if settings.basic and (is_tls or settings.allow_unencrypted):
        return "basic"
    if settings.negotiate:
        return "ntlm"
    if settings.credssp:
        return "credssp"
    if settings.certificate:
        client = fleet.client_certificate()
        return f"certificate --certificate {client.path} --certificate-key {client.key_path}"
    return "kerberos"
