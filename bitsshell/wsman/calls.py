"""One call: an exchange over the current wire, its repetitions, and one typed error at the end.

What is sent again, and what never (design decisions 2 and 5, wire.md 4.10):

- the kept connection had ended before anything was sent: a new one, once, for any request
- 400 or 401 on a wire that worked before: the host no longer has the security context under which
  the body was sealed, or (basic) did not look at the body at all; a new wire, once, for any request
- an answer that proves that nothing was done (load quotas, 503): after a pause, for any request
- a lost answer, and the host's own "operation timed out": for reads only, after a pause; for a
  change that error is raised and says that the change may have been carried out
- an answer that did not come in time: never, since a host that is silent for the whole read
  time-out is silent in the next one, too, and nobody wants to wait for it twice
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from bitsshell.wsman import answers
from bitsshell.wsman.envelopes import MAX_ENVELOPE_BYTES, envelope, page_envelope
from bitsshell.wsman.errors import (
    AnswerLost,
    AnswerTimeout,
    AuthenticationRejected,
    CallAborted,
    ConnectionStale,
    HttpFailure,
    MalformedAnswer,
    WSManError,
)
from bitsshell.wsman.faults import Fault, fault_of
from bitsshell.wsman.messages import Enumerate, Message, Pull, Release
from bitsshell.wsman.texts import clean, snippet_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lxml import etree

    from bitsshell.wsman.retry import Retry
    from bitsshell.wsman.wire import Answer, Wire

_Result = TypeVar("_Result")
_RELEASE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What stays the same in every call to a host; the fields are `WSManClient`'s."""

    host: str
    to: str
    scheme: str
    user: str | None
    operation_timeout_s: float
    connect_s: float
    read_s: float
    locale: str
    max_envelope_bytes: int = MAX_ENVELOPE_BYTES


class Caller:
    """Keeps the current wire and performs one request at a time over it."""

    def __init__(self, connect: Callable[[], Wire], settings: Settings, retry: Retry) -> None:
        self.settings = settings
        self.retry = retry
        self.connections = 0
        self._connect = connect
        self._wire: Wire | None = None
        self._wire_worked = False
        self._lock = threading.Lock()
        self._call: Call | None = None

    def abort(self) -> None:
        """End the call that is under way, from another thread; never blocks."""
        with self._lock:
            if self._call is not None:
                self._call.aborted.set()
            wire = self._wire
        if wire is not None:
            wire.abort()

    def release(self, request: Release) -> None:
        """Tell the host that an enumeration is not read on: neither waits long, nor fails."""
        wire = self._wire
        if wire is None:
            return
        read_s = min(_RELEASE_S, self.settings.read_s)
        try:
            wire.exchange(self._envelope(request), connect_s=self.settings.connect_s, read_s=read_s)
        except WSManError:
            self.drop_wire()

    def perform(self, request: Message, reader: Callable[[etree._Element], _Result]) -> _Result:
        """Carry a request out and read its answer; the `WSManError`s say where and what."""
        with self.calling() as call:
            body = self._attempts(request, call)
        try:
            return reader(body)
        except MalformedAnswer as error:
            raise self.placed(error, request) from None

    def _attempts(self, request: Message, call: Call) -> etree._Element:
        began = self.retry.clock()
        attempt = 1
        renewed = False
        while True:
            worked = self._wire_worked
            try:
                return self._once(request, call)
            except WSManError as error:
                self.placed(error, request)
                if not isinstance(error, Fault):
                    self.drop_wire()
                self._stop_if_aborted(call, request, error)
                if not renewed and _is_worth_a_new_wire(error, request, worked=worked):
                    renewed = True
                    continue
                may_repeat = _is_proof_of_nothing_done(error) or _is_repeatable(error, request)
                delay = self.retry.delay_s(attempt, began) if may_repeat else None
                if delay is None:
                    raise
                attempt += 1
                self.pause(call, delay, request)

    def _once(self, request: Message, call: Call) -> etree._Element:
        message = self._envelope(request)
        wire = self._current_wire(call, request)
        try:
            answer = wire.exchange(
                message, connect_s=self.settings.connect_s, read_s=self.settings.read_s
            )
        except WSManError:
            raise
        except BaseException:
            # An interrupt in the middle of an exchange leaves half of it in the connection.
            self.drop_wire()
            raise
        body = self._understood(answer)
        self._wire_worked = True
        fault = fault_of(body)
        if fault is not None:
            raise fault
        return body

    def _understood(self, answer: Answer) -> etree._Element:
        content_type = answer.headers.get("content-type", "")
        if answer.status == 401:
            offered = schemes_of(answer.headers.get("www-authenticate", ""))
            raise AuthenticationRejected(
                scheme=self.settings.scheme, user=self.settings.user, offered=offered
            )
        try:
            body = answers.soap_body(answers.parse(answer.body, content_type))
        except MalformedAnswer:
            if 200 <= answer.status < 300:
                raise
            body = None
        if body is not None and (200 <= answer.status < 300 or fault_of(body) is not None):
            return body
        page = snippet_of(_page_text(answer.body, content_type))
        location = clean(answer.headers.get("location", ""), 200)
        raise HttpFailure(
            answer.status, reason=_phrase(answer.status), snippet=page, location=location
        )

    def _envelope(self, request: Message) -> bytes:
        settings: dict[str, Any] = {
            "to": self.settings.to,
            "operation_timeout_s": self.settings.operation_timeout_s,
            "locale": self.settings.locale,
            "max_envelope_bytes": self.settings.max_envelope_bytes,
        }
        if isinstance(request, Enumerate | Pull):
            return page_envelope(request, **settings)
        return envelope(request, **settings)

    def _current_wire(self, call: Call, request: Message) -> Wire:
        with self._lock:
            wire = self._wire
        if wire is None:
            wire = self._connect()
            with self._lock:
                self._wire = wire
                self._wire_worked = False
                self.connections += 1
        if call.aborted.is_set():
            raise self.placed(CallAborted(sent=False), request)
        return wire

    def drop_wire(self) -> None:
        """Close the current wire; the next call makes a new one."""
        with self._lock:
            wire, self._wire, self._wire_worked = self._wire, None, False
        if wire is not None:
            wire.close()

    # Aborting, and where an error happened.

    @contextmanager
    def calling(self) -> Iterator[Call]:
        """The time of one call, which `abort` can end."""
        call = Call()
        with self._lock:
            self._call = call
        try:
            yield call
        finally:
            with self._lock:
                self._call = None

    def _stop_if_aborted(self, call: Call, request: Message, error: WSManError) -> None:
        if call.aborted.is_set():
            sent = isinstance(error, AnswerLost | AnswerTimeout | MalformedAnswer)
            raise self.placed(CallAborted(sent=sent), request) from None

    def pause(self, call: Call, delay_s: float, request: Message) -> None:
        """Wait before a repetition; raises `CallAborted` when `abort` ended the wait."""
        if self.retry.sleep is not None:
            self.retry.sleep(delay_s)
        else:
            call.aborted.wait(delay_s)
        if call.aborted.is_set():
            raise self.placed(CallAborted(sent=False), request)

    def placed(self, error: WSManError, request: Message) -> WSManError:
        """The error, with operation and host filled in."""
        return error.during(request.describe(), change=not request.is_read, host=self.settings.host)


class Call:
    """A call under way, so that another thread can end it."""

    __slots__ = ("aborted",)

    def __init__(self) -> None:
        self.aborted = threading.Event()


def _is_worth_a_new_wire(error: WSManError, request: Message, *, worked: bool) -> bool:
    """Whether the error may only mean that the kept connection was dead."""
    if isinstance(error, ConnectionStale):
        return True
    if not worked:
        return False
    if isinstance(error, AnswerLost):
        return _is_repeatable(error, request)
    return isinstance(error, AuthenticationRejected) or (
        isinstance(error, HttpFailure) and error.status == HTTPStatus.BAD_REQUEST
    )


def _is_proof_of_nothing_done(error: WSManError) -> bool:
    if isinstance(error, Fault):
        return error.is_quota
    return isinstance(error, HttpFailure) and error.status == HTTPStatus.SERVICE_UNAVAILABLE


def _is_repeatable(error: WSManError, request: Message) -> bool:
    """Whether a read may simply be sent again. A pull may only when it was answered."""
    if isinstance(error, Fault):
        return request.is_read and error.is_timed_out
    lost = isinstance(error, AnswerLost)
    return lost and request.is_read and not isinstance(request, Pull)


def schemes_of(www_authenticate: str) -> tuple[str, ...]:
    """The schemes that `WWW-Authenticate` headers (joined by commas) offer, in their order."""
    schemes: dict[str, None] = {}
    for part in www_authenticate.split(","):
        word, _, rest = part.strip().partition(" ")
        # What has a "=" in its first word continues the parameters of the scheme before it.
        if word and "=" not in word and not rest.startswith("="):
            schemes[word] = None
    return tuple(schemes)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _page_text(body: bytes, content_type: str) -> str:
    """A page in whatever encoding, for reading only: never fails."""
    start = body[:16_000]
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return start.decode("utf-16", "replace")
    charset = answers.charset_of(content_type)
    for encoding in (charset, "utf-8"):
        try:
            if encoding is not None:
                return start.decode(encoding)
        except (LookupError, ValueError):
            continue
    return start.decode("cp1252", "replace")
