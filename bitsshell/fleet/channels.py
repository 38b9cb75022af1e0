"""Channels: one authenticated connection to one host, made once and kept.

A host has a command channel and, lazily, a background channel, each with a lock of its own and one
call at a time. The pool performs tasks; a task is plain data, so that any executor can carry it.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bitsshell import wsman
from bitsshell.bits import AnswerWasLost, BitsError, BitsProvider, Done, Effect, Operation
from bitsshell.errors import BitsShellError
from bitsshell.results import Outcome, Status

if TYPE_CHECKING:
    from bitsshell.fleet.credentials import Credential
    from bitsshell.fleet.targets import Target

CONNECT_S = 5.0
"""How long a host may take to accept a connection. Short and of its own: a black hole is common."""


class Purpose(enum.StrEnum):
    """What a channel is for. The background never gets in the way of a command."""

    COMMAND = "command"
    BACKGROUND = "background"


@dataclass(frozen=True, slots=True)
class Task:
    """One operation on one host, with all that is needed to carry it out anywhere. Pickles."""

    target: Target
    credential: Credential
    operation: Operation
    purpose: Purpose = Purpose.COMMAND

    @property
    def is_change(self) -> bool:
        """Whether it would change something."""
        return self.operation.effect is not Effect.READ


class InternalError(BitsShellError):
    """Something that should not happen, in this program. `kind` and `detail` are for a report."""

    kind: str
    detail: str
    default_hint = "this is a defect: please report it, with what you typed"

    def what(self) -> str:
        """Say so."""
        return f"internal error ({self.kind}: {self.detail})"


WireFactory = Callable[[wsman.Endpoint], wsman.Wire]


def endpoint_of(target: Target, credential: Credential) -> wsman.Endpoint:
    """What the wire needs to know."""
    logon = target.logon
    auth: wsman.Auth = credential.auth.value  # type: ignore[assignment]  # AUTO is settled before
    return wsman.Endpoint(
        url=target.url,
        auth=auth,
        username=credential.username,
        password=credential.password,
        certificate_pem=logon.certificate,
        key_pem=logon.certificate_key,
        ca_file=logon.ca_file,
        tls_verify=logon.tls_verify,
        tls_fingerprint=logon.tls_fingerprint,
        proxy=logon.proxy,
        label=target.name,
    )


class _Channel:
    def __init__(self, target: Target, endpoint: wsman.Endpoint, make_wire: WireFactory) -> None:
        self.lock = threading.Lock()
        self.client = wsman.WSManClient(
            lambda: make_wire(endpoint),
            host=target.name,
            to=target.url,
            scheme=endpoint.auth,
            user=endpoint.username,
            connect_s=CONNECT_S,
        )
        self.provider = BitsProvider(self.client, host=target.name)
        self.has_answered = False


class ChannelPool:
    """Keeps the channels and performs tasks on them.

    A pool that is pickled becomes the pool of the process that it arrives in, so that a task's
    worker elsewhere keeps channels of its own.
    """

    def __init__(self, make_wire: WireFactory = wsman.WinRMWire) -> None:
        self._make_wire = make_wire
        self._channels: dict[tuple[Target, Credential, Purpose], _Channel] = {}
        self._guard = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return (process_pool, ())

    def perform(self, task: Task) -> Outcome:
        """Carry out a task. Errors come back as outcomes; this raises nothing."""
        job_id = getattr(task.operation, "job_id", None)
        planned = task.operation.describe() if task.is_change else None
        try:
            done = self._performed(task)
        except BitsShellError as error:
            error.located(host=task.target.name)
            return Outcome(
                host=task.target.name,
                status=_status_of(error, task),
                error=_as_data(error),
                job_id=job_id or error.job,
                planned=planned,
            )
        except Exception as error:  # noqa: BLE001  # a worker must return, whatever happens
            return Outcome(
                host=task.target.name,
                status=Status.UNKNOWN if task.is_change else Status.FAILED,
                error=InternalError(
                    host=task.target.name, kind=type(error).__name__, detail=str(error)
                ),
                job_id=job_id,
                planned=planned,
            )
        return Outcome(
            host=task.target.name,
            status=Status.ALREADY if done.already else Status.DONE,
            value=done.value,
            warning=done.warning,
            job_id=job_id or getattr(done.value, "id", None),
            planned=planned,
        )

    def _performed(self, task: Task) -> Done:
        channel = self._channel(task)
        with channel.lock:
            try:
                done = channel.provider.perform(task.operation)
            except BitsError as error:
                channel.has_answered |= not isinstance(error, AnswerWasLost)
                raise
            channel.has_answered = True
            return done

    def has_answered(self, target: Target, credential: Credential) -> bool:
        """Whether this host has accepted this credential on a channel that is kept."""
        return any(channel.has_answered for channel in self._channels_of(target, credential))

    def distrust(self, target: Target, credential: Credential) -> None:
        """This host rejects the credential now, whatever it said of it before."""
        for channel in self._channels_of(target, credential):
            channel.has_answered = False

    def proven(self, target: Target) -> Credential | None:
        """The last credential that this host accepted for a command, None before that."""
        with self._guard:
            accepted = [
                credential
                for (known, credential, purpose), channel in self._channels.items()
                if known == target and purpose is Purpose.COMMAND and channel.has_answered
            ]
        return accepted[-1] if accepted else None

    def abort(self) -> None:
        """Break every call under way, from another thread; the next call connects anew."""
        with self._guard:
            channels = [channel for channel in self._channels.values() if channel.lock.locked()]
        for channel in channels:
            channel.client.abort()

    def close(self) -> None:
        """Close every channel that is not in use, and break those that are."""
        with self._guard:
            channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            if channel.lock.acquire(blocking=False):
                try:
                    channel.client.close()
                finally:
                    channel.lock.release()
            else:
                channel.client.abort()

    def drop(self, target: Target) -> None:
        """Close the channels to one host (`logout`), made with whatever options."""
        with self._guard:
            keys = [key for key in self._channels if target.is_same_host(key[0])]
            dropped = [self._channels.pop(key) for key in keys]
        for channel in dropped:
            channel.client.abort()

    def _channels_of(self, target: Target, credential: Credential) -> list[_Channel]:
        """Those to one host with this credential, made with whatever options."""
        with self._guard:
            return [
                channel
                for (known, used, _), channel in self._channels.items()
                if used == credential and known.is_same_host(target)
            ]

    def _channel(self, task: Task) -> _Channel:
        key = (task.target, task.credential, task.purpose)
        with self._guard:
            channel = self._channels.get(key)
            if channel is None:
                endpoint = endpoint_of(task.target, task.credential)
                channel = self._channels[key] = _Channel(task.target, endpoint, self._make_wire)
            return channel


_PROCESS_POOL = ChannelPool()


def process_pool() -> ChannelPool:
    """The pool of this process, for tasks that came from another one."""
    return _PROCESS_POOL


def _as_data(error: BitsShellError) -> BitsShellError:
    """The error without the frames and errors that led to it: some schedulers pickle those too."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _status_of(error: BitsShellError, task: Task) -> Status:
    if not task.is_change:
        return Status.FAILED
    if isinstance(error, AnswerWasLost):
        return Status.UNKNOWN
    if isinstance(error, wsman.WSManError) and error.may_have_been_applied:
        return Status.UNKNOWN
    return Status.FAILED
