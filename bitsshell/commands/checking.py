"""What `doctor` makes of a host's answers: which layer works, and at which one it ends.

Pure functions of what was answered, so that every layer's failure can be tested by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell import wsman
from bitsshell.bits import AccessDenied, HostIdentity, JobList, ProviderMissing
from bitsshell.fleet.credentials import NoCredential, NotEncrypted
from bitsshell.results import Check, CheckState

if TYPE_CHECKING:
    from bitsshell.errors import BitsShellError
    from bitsshell.fleet.targets import Target
    from bitsshell.results import Outcome

LAYERS = (
    "name",
    "connection",
    "TLS",
    "WinRM",
    "logon",
    "access",
    "provider",
    "enumeration",
)
"""Each needs the ones before it."""

_OF_CONNECTING = {"name": "name", "tls": "TLS", "certificate": "TLS", "no-http": "WinRM"}


def host_checks(target: Target, identify: Outcome, listing: Outcome | None) -> list[Check]:
    """The layers of a host, from what Identify and the enumeration answered.

    `listing` is None when it was not asked for, since Identify had failed.
    """
    said = _said(target, identify, listing)
    error = identify.error or (listing.error if listing is not None else None)
    if error is None:
        return [_check(target, layer, CheckState.OK, said) for layer in _layers(target)]
    failed = LAYERS.index(_layer_of(error, is_listing=identify.error is None))
    checks = []
    for layer in _layers(target):
        place = LAYERS.index(layer)
        if place < failed and not _was_tried(error):
            checks.append(_check(target, layer, CheckState.NOT_TRIED, {}))
        elif place < failed:
            checks.append(_check(target, layer, CheckState.OK, said))
        elif place == failed:
            checks.append(
                Check(
                    subject=target.name,
                    name=layer,
                    state=CheckState.FAILED,
                    text=error.what(),
                    next=error.hint,
                )
            )
        else:
            checks.append(_check(target, layer, CheckState.NOT_TRIED, {}))
    return checks


def _layers(target: Target) -> list[str]:
    return [layer for layer in LAYERS if layer != "TLS" or target.is_encrypted]


def _check(target: Target, layer: str, state: CheckState, said: dict[str, str]) -> Check:
    return Check(subject=target.name, name=layer, state=state, text=said.get(layer, ""))


def _said(target: Target, identify: Outcome, listing: Outcome | None) -> dict[str, str]:
    said = {"name": target.hostname, "connection": target.url}
    if isinstance(identify.value, HostIdentity):
        said["WinRM"] = identify.value.version
        user = f" as {target.logon.user}" if target.logon.user else ""
        said["logon"] = f"{target.logon.auth or 'auto'}{user}"
    if listing is not None and isinstance(listing.value, JobList):
        count = len(listing.value.jobs)
        partial = ", not all of them could be read" if listing.value.partial else ""
        said["enumeration"] = f"{count:,} {'job' if count == 1 else 'jobs'}{partial}"
        said["provider"] = "BitsClientJob"
    return said


def _was_tried(error: BitsShellError) -> bool:
    """Whether anything went to the host before this error."""
    return not isinstance(error, NoCredential | NotEncrypted | wsman.NoTicket | wsman.MissingExtra)


def _layer_of(error: BitsShellError, *, is_listing: bool) -> str:
    """The layer at which an error ends the way."""
    match error:
        case wsman.ConnectFailed(kind=kind):
            return _OF_CONNECTING.get(kind, "connection")
        case wsman.AuthenticationRejected() | NoCredential() | NotEncrypted():
            return "logon"
        case wsman.MissingExtra():
            return "logon"
        case AccessDenied():
            return "access"
        case ProviderMissing():
            return "provider"
        case _:
            return "enumeration" if is_listing else "WinRM"
