"""`credentials`, `proxy`, `certificate`: what a job shows to servers, and which way it takes.

The provider sets and removes them; it tells none of them (wire.md 1.1), so nothing is compared
with what a job has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from bitsshell.bits import (
    AuthScheme,
    AuthTarget,
    CertStore,
    Effect,
    JobCredentials,
    JobState,
    Operation,
    ProxyUsage,
    RemoveClientCertificate,
    RemoveCredentials,
    SetClientCertificate,
    SetCredentials,
    SetProxySettings,
    limits,
)
from bitsshell.commands.arguments import jobs_argument
from bitsshell.commands.declare import Call, Change, option_group, verb
from bitsshell.commands.types import BadValue, Checked, Member
from bitsshell.errors import UsageError, shown
from bitsshell.results import Event, Notice, Plan, Step, View
from bitsshell.wsman import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bitsshell.bits import Job as BitsJob
    from bitsshell.fleet.references import Reference

credential_options = option_group(
    click.option(
        "--job-user",
        type=Checked("user name", limits.check_user),
        metavar="NAME",
        help="whom the job logs on as where its files are",
    ),
    click.option(
        "--scheme",
        type=Member(AuthScheme, "scheme"),
        default="negotiate",
        help="negotiate (default), ntlm, digest, basic, passport",
    ),
    click.option(
        "--target",
        type=Member(AuthTarget, "target"),
        default="server",
        help="who asks: server (default), proxy",
    ),
)
"""`--job-user`, `--scheme` and `--target`, for verbs that give jobs credentials."""


def asked_credentials(
    call: Call, user: str, scheme: AuthScheme, target: AuthTarget
) -> JobCredentials:
    """Credentials with the password from where passwords come from; a what-if needs none.

    Raises `NoCredential`.
    """
    password = "" if call.what_if else call.job_password(user)
    return JobCredentials(user, Secret(password), scheme, target)


@verb(
    "credentials",
    view=View.CHANGES,
    effect=Effect.CHANGE,
    examples=(
        r"credentials nightly --job-user 'CORP\reader'",
        "credentials %errors --job-user reader --scheme basic --yes",
        "credentials nightly --target proxy --scheme ntlm --remove",
    ),
)
@jobs_argument
@credential_options
@click.option("--remove", is_flag=True, help="take those of this target and scheme away")
def credentials(
    call: Call,
    jobs: tuple[Reference, ...],
    *,
    job_user: str | None,
    scheme: AuthScheme,
    target: AuthTarget,
    remove: bool,
) -> Change:
    """Give jobs a user and password for servers or proxies that ask.

    The password comes from BITSSHELL_JOB_PASSWORD, with --keyring from the system's keyring (the
    service bitsshell-jobs), or it is asked for. Those of another scheme or target stay. A job that
    has failed needs `resume` afterwards. What a job has cannot be read.
    """
    if remove and job_user is not None:
        raise UsageError("--remove takes no --job-user", hint="a target and a scheme say which")
    if not remove and job_user is None:
        hint = "--job-user NAME (--user is who logs on to the hosts), or --remove"
        raise UsageError("whose credentials?", hint=hint)
    if job_user is None:
        return _plan(
            call, jobs, lambda job: RemoveCredentials(job.id, scheme, target, job_name=job.name)
        )
    resolution = call.resolve(jobs)
    if not resolution.found:
        return Change(Plan(call.verb, (), resolution.failed))
    given = asked_credentials(call, job_user, scheme, target)
    steps = tuple(
        Step(
            host.name,
            SetCredentials(
                job.id, given, job_name=job.name, is_readable=_is_readable(job, scheme, target)
            ),
        )
        for host, job in resolution.found
    )
    return _with_word(call, Plan(call.verb, steps, resolution.failed))


def _is_readable(job: BitsJob, scheme: AuthScheme, target: AuthTarget) -> bool:
    """Whether a job would send such credentials as they are."""
    if scheme is not AuthScheme.BASIC:
        return False
    return target is AuthTarget.PROXY or any(
        file.url.lower().startswith("http://") for file in job.files
    )


class Entries(click.ParamType[tuple[str, ...]]):
    """Entries of a proxy or bypass list, with commas or blanks between them."""

    name = "hosts"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The entries."""
        if isinstance(value, tuple):
            return value
        entries = tuple(entry for entry in re.split(r"[,\s]+", str(value)) if entry)
        limits.check_proxies("proxy list", entries)
        return entries


_ENTRIES = Entries()


@verb(
    "proxy",
    view=View.CHANGES,
    effect=Effect.CHANGE,
    examples=(
        "proxy nightly --list proxy01:8080 --bypass '<local>,*.corp.example'",
        "proxy 'nightly*' --no-proxy --yes",
        "proxy nightly --preconfig",
    ),
)
@jobs_argument
@click.option("--no-proxy", is_flag=True, help="go straight to the server")
@click.option("--preconfig", is_flag=True, help="as the job's owner is configured (the default)")
@click.option("--autodetect", is_flag=True, help="find the proxy by itself (WPAD)")
@click.option(
    "--list", "proxies", type=_ENTRIES, metavar="HOST[,HOST]", help="these: [http=]server:port"
)
@click.option(
    "--bypass", type=_ENTRIES, metavar="HOST[,HOST]", help="with --list, servers without a proxy"
)
def proxy(
    call: Call,
    jobs: tuple[Reference, ...],
    *,
    no_proxy: bool,
    preconfig: bool,
    autodetect: bool,
    proxies: tuple[str, ...] | None,
    bypass: tuple[str, ...] | None,
) -> Change:
    """Say which proxy jobs go through.

    Jobs belong to service accounts, which have no proxy settings of a person. What a job has
    cannot be read. --proxy, without a verb of its own, is how this program reaches the hosts.
    """
    wanted = {
        ProxyUsage.NO_PROXY: no_proxy,
        ProxyUsage.PRECONFIG: preconfig,
        ProxyUsage.AUTODETECT: autodetect,
        ProxyUsage.OVERRIDE: proxies is not None,
    }
    chosen = [usage for usage, is_wanted in wanted.items() if is_wanted]
    if len(chosen) != 1:
        raise UsageError(
            "which proxy?" if not chosen else "only one way can be taken",
            hint="one of --list HOST, --no-proxy, --preconfig, --autodetect",
        )
    if bypass is not None and proxies is None:
        raise UsageError("--bypass goes with --list", hint="name the proxy: --list server:port")
    usage, entries, without = chosen[0], proxies or (), bypass or ()
    return _plan(
        call,
        jobs,
        lambda job: SetProxySettings(job.id, usage, entries, without, job_name=job.name),
    )


class Thumbprint(click.ParamType[bytes]):
    """The SHA-1 hash of a certificate, as certmgr and PowerShell show it."""

    name = "hash"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """The 20 bytes. Raises `BadValue` and `NotAccepted`."""
        if isinstance(value, bytes):
            return value
        digits = re.sub(r"[\s:\u200e]", "", str(value))
        try:
            digest = bytes.fromhex(digits)
        except ValueError:
            raise BadValue(
                f"{shown(str(value))} is no hash", hint="give the thumbprint: 40 hex digits"
            ) from None
        limits.check_digest(digest)
        return digest


@verb(
    "certificate",
    view=View.CHANGES,
    effect=Effect.CHANGE,
    examples=(
        "certificate nightly --subject web01.corp.example",
        "certificate nightly --store MY --hash 0123456789ABCDEF0123456789ABCDEF01234567",
        "certificate 'nightly*' --remove --yes",
    ),
)
@jobs_argument
@click.option(
    "--subject",
    type=Checked("subject", limits.check_subject),
    metavar="NAME",
    help="its simple subject name",
)
@click.option("--hash", "digest", type=Thumbprint(), metavar="SHA1", help="its thumbprint")
@click.option(
    "--store", type=Checked("store", limits.check_store), default="MY", help="its store (MY)"
)
@click.option(
    "--location",
    type=Member(CertStore, "location"),
    default="local-machine",
    help="of the store: local-machine (default), current-service, ...",
)
@click.option("--remove", is_flag=True, help="take the certificate away")
def certificate(
    call: Call,
    jobs: tuple[Reference, ...],
    *,
    subject: str | None,
    digest: bytes | None,
    store: str,
    location: CertStore,
    remove: bool,
) -> Change:
    """Say which client certificate jobs show to servers over HTTPS.

    The certificate lies in a store of the host, and the job's owner must be able to read its key.
    What a job has cannot be read. A job that has failed needs `resume` afterwards.
    """
    if remove + (subject is not None) + (digest is not None) != 1:
        raise UsageError("which certificate?", hint="one of --subject NAME, --hash SHA1, --remove")
    if remove:
        return _plan(call, jobs, lambda job: RemoveClientCertificate(job.id, job_name=job.name))
    return _plan(
        call,
        jobs,
        lambda job: SetClientCertificate(
            job.id, store, location, subject, digest, job_name=job.name
        ),
    )


def _plan(
    call: Call, references: tuple[Reference, ...], operation: Callable[[BitsJob], Operation]
) -> Change:
    """One operation a job."""
    resolution = call.resolve(references)
    steps = tuple(Step(host.name, operation(job)) for host, job in resolution.found)
    return _with_word(call, Plan(call.verb, steps, resolution.failed))


def _with_word(call: Call, plan: Plan) -> Change:
    """A change that says in the end which jobs it does not set going."""

    def run() -> Iterator[Event]:
        stopped = 0
        for outcome in call.carry_out(plan):
            stopped += any(job.state is JobState.ERROR for job in outcome.jobs)
            yield outcome
        if stopped:
            jobs = "it stands" if stopped == 1 else f"{stopped:,} of them stand"
            yield Notice(f"{jobs} in ERROR as before, and nothing moves until: resume JOB")

    return Change(plan, run)
