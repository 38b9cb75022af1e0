"""The WS-Management client: requests in, plain values or one typed error out.

How a single call is repeated or given up stands in `calls`; here are the requests that need several
calls: a put that has to fall back to the whole instance, and an enumeration with its pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from bitsshell.wsman import answers
from bitsshell.wsman.calls import Caller, Settings
from bitsshell.wsman.envelopes import MAX_ENVELOPE_BYTES
from bitsshell.wsman.errors import AnswerLost, MalformedAnswer, WSManError
from bitsshell.wsman.faults import Fault
from bitsshell.wsman.messages import (
    PAGE_SIZE,
    Arguments,
    Enumerate,
    Get,
    Identify,
    Invoke,
    Pull,
    Put,
    Release,
    Request,
    Selectors,
)
from bitsshell.wsman.retry import Retry
from bitsshell.wsman.winrm_wire import WinRMWire
from bitsshell.wsman.wire import Endpoint, Wire, address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lxml import etree

    from bitsshell.wsman.values import Identity, Instance, Value

# A host that never ends an enumeration must not hold us for ever.
MAX_EMPTY_PAGES = 100
MAX_ITEMS = 1_000_000

_INVALID_CONTEXT = 2150858779
# Fragment transfer is refused, by code or (OMI, which has no codes) by subcode.
_NO_FRAGMENTS_CODES = frozenset(
    {2150858818, 2150858841, 2150858871, 2150858896, 2150858898, 2150858899, 2150859010}
)
_NO_FRAGMENTS_SUBCODES = frozenset({"UnsupportedFeature"})

# The read time-out exceeds the operation time-out, so that the host's own answer can arrive.
_READ_MARGIN_S = 10.0


class WSManClient:
    """Calls one host over one wire at a time, which `connect` makes when there is none.

    One thread at a time; only `abort` may come from another. `host` is the label in errors, `to`
    the URL for the envelope's `a:To`; `scheme` and `user` are for the error that a refused sign-in
    makes. `connections` counts the wires that were made.
    """

    def __init__(
        self,
        connect: Callable[[], Wire],
        *,
        host: str,
        to: str,
        scheme: str = "",
        user: str | None = None,
        operation_timeout_s: float = 60.0,
        connect_s: float = 5.0,
        read_s: float | None = None,
        locale: str = "en-US",
        max_envelope_bytes: int = MAX_ENVELOPE_BYTES,
        retry: Retry | None = None,
    ) -> None:
        settings = Settings(
            host=host,
            to=to,
            scheme=scheme,
            user=user,
            operation_timeout_s=operation_timeout_s,
            connect_s=connect_s,
            read_s=operation_timeout_s + _READ_MARGIN_S if read_s is None else read_s,
            locale=locale,
            max_envelope_bytes=max_envelope_bytes,
        )
        self._caller = Caller(connect, settings, retry or Retry())
        self._fragments_refused = False

    @property
    def host(self) -> str:
        """The label of the host."""
        return self._caller.settings.host

    @property
    def connections(self) -> int:
        """How many wires were made so far."""
        return self._caller.connections

    @classmethod
    def at(cls, endpoint: Endpoint, **options: Any) -> WSManClient:
        """A client over `WinRMWire`s to an endpoint; `options` as for the class itself."""
        host = endpoint.label or address_of(endpoint.url)
        return cls(
            lambda: WinRMWire(endpoint),
            host=host,
            to=endpoint.url,
            scheme=endpoint.auth,
            user=endpoint.username,
            **options,
        )

    def get(self, resource: str, selectors: Selectors = ()) -> Instance:
        """One instance. Raises `Fault` when it is not there, or another `WSManError`."""
        return self.send(Get(resource, selectors))

    def put(
        self, resource: str, selectors: Selectors, properties: Mapping[str, Value]
    ) -> Instance | None:
        """Change properties, one fragment each; what the host says they (or all) are afterwards.

        A host that refuses fragments, which is remembered, gets the whole instance read, changed
        and written back. Several properties are several calls: an error may come after the first.
        """
        changed: Instance | None = None
        for name, value in properties.items():
            changed = self.send(Put(resource, selectors, ((name, value),)))
        return changed

    def invoke(
        self, resource: str, method: str, arguments: Arguments = (), *, selectors: Selectors = ()
    ) -> Instance:
        """Call a method; its output, with `return_value` as the provider gave it."""
        return self.send(Invoke(resource, method, arguments, selectors))

    def enumerate(
        self, resource: str, *, wql: str | None = None, page_size: int = PAGE_SIZE
    ) -> list[Instance]:
        """All instances. Begins anew, within the retry policy, when its context was lost."""
        return self.send(Enumerate(resource, wql, page_size))

    def iterate(
        self, resource: str, *, wql: str | None = None, page_size: int = PAGE_SIZE
    ) -> Iterator[Instance]:
        """All instances as their pages come.

        Closing the iterator early tells the host. A context that is lost half-way raises, since
        what was handed out cannot be taken back.
        """
        try:
            for page in self._pages(Enumerate(resource, wql, page_size)):
                yield from page.items
        except _PullFailed as failed:
            raise failed.error from None

    def identify(self) -> Identity:
        """What the host says it is."""
        return self.send(Identify())

    @overload
    def send(self, request: Get | Invoke) -> Instance: ...
    @overload
    def send(self, request: Put) -> Instance | None: ...
    @overload
    def send(self, request: Enumerate) -> list[Instance]: ...
    @overload
    def send(self, request: Identify) -> Identity: ...
    @overload
    def send(self, request: Request) -> Instance | Identity | list[Instance] | None: ...
    def send(self, request: Request) -> Instance | Identity | list[Instance] | None:
        """Carry a request out; the result by kind.

        Raises `RequestRefused` before anything is sent, else a `WSManError` that names host and
        operation.
        """
        match request:
            case Get() | Invoke():
                return self._caller.perform(request, answers.instance_of)
            case Put():
                return self._put(request)
            case Enumerate():
                return self._enumerate(request)
            case Identify():
                return self._caller.perform(request, answers.identity_of)

    def abort(self) -> None:
        """End the call that is under way, from another thread, with `CallAborted`; never blocks."""
        self._caller.abort()

    def close(self) -> None:
        """Close the connection. A later call makes a new one."""
        self._caller.drop_wire()

    # Requests that need more than one exchange.

    def _put(self, request: Put) -> Instance | None:
        if request.fragment and self._fragments_refused:
            return self._put_whole(request)
        try:
            return self._caller.perform(request, _put_result)
        except Fault as fault:
            if not (request.fragment and _refuses_fragments(fault)):
                raise
            self._fragments_refused = True
        return self._put_whole(request)

    def _put_whole(self, request: Put) -> Instance | None:
        current = self.get(request.resource, request.selectors)
        merged: dict[str, Value] = {**current.properties, **dict(request.properties)}
        whole = Put(request.resource, request.selectors, tuple(merged.items()), fragment=False)
        return self._caller.perform(whole, _put_result)

    def _enumerate(self, request: Enumerate) -> list[Instance]:
        # A pull cannot be sent again after its answer was lost: the host has moved on. The whole
        # enumeration can, since it only reads.
        began = self._caller.retry.clock()
        attempt = 1
        while True:
            try:
                return [item for page in self._pages(request) for item in page.items]
            except _PullFailed as failed:
                delay = (
                    self._caller.retry.delay_s(attempt, began) if failed.context_is_lost else None
                )
                if delay is None:
                    raise failed.error from None
                attempt += 1
                with self._caller.calling() as call:
                    self._caller.pause(call, delay, request)

    def _pages(self, request: Enumerate) -> Iterator[answers.Page]:
        page = self._caller.perform(request, answers.page_of)
        context = page.context
        empty = items = 0
        while True:
            empty = 0 if page.items else empty + 1
            items += len(page.items)
            self._check_progress(request, context, page, empty=empty, items=items)
            try:
                yield page
            except GeneratorExit:
                if context is not None and not page.ended:
                    self._caller.release(Release(request, context))
                raise
            if page.ended or context is None:
                return
            try:
                page = self._caller.perform(Pull(request, context), answers.page_of)
            except WSManError as error:
                raise _PullFailed(error) from None
            # The newest context counts; one that is not named again stays as it was.
            context = page.context or context

    def _check_progress(
        self, request: Enumerate, context: str | None, page: answers.Page, *, empty: int, items: int
    ) -> None:
        wrong = ""
        if context is None and not page.ended:
            wrong = "the enumeration neither ends nor says how it goes on"
        elif not page.ended and empty >= MAX_EMPTY_PAGES:
            wrong = f"{empty} pages in a row were empty and the enumeration does not end"
        elif items > MAX_ITEMS:
            wrong = f"there are more than {MAX_ITEMS:,} instances"
        if wrong:
            raise self._caller.placed(MalformedAnswer(wrong), request)


class _PullFailed(Exception):
    """Inside this module only: a page after the first did not come."""

    def __init__(self, error: WSManError) -> None:
        super().__init__(error)
        self.error = error

    @property
    def context_is_lost(self) -> bool:
        """Whether beginning the enumeration anew can help."""
        if isinstance(self.error, Fault):
            codes, subcode = self.error.codes, self.error.subcode
            return _INVALID_CONTEXT in codes or subcode == "InvalidEnumerationContext"
        return isinstance(self.error, AnswerLost)


def _refuses_fragments(fault: Fault) -> bool:
    return (
        not _NO_FRAGMENTS_CODES.isdisjoint(fault.codes)
        or fault.subcode in _NO_FRAGMENTS_SUBCODES
        or fault.soap_code == "MustUnderstand"
    )


def _put_result(body: etree._Element) -> Instance | None:
    return answers.instance_of(body) if len(body) else None
