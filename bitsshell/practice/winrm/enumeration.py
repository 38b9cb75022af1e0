"""Enumerate, Pull and Release as the WMI plug-in does them (`wire.md` 4.7)."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import faults, names
from .names import q
from .numbers import unsigned
from .xmltext import element, empty, text_element

if TYPE_CHECKING:
    from lxml import etree

    from ..clock import Clock
    from .soap import Request

_DEFAULT_BATCH = 1
_OVERHEAD_CHARS = 1_500
MAX_CONTEXTS = 1_000

Item = Callable[[], str | None]
"""Renders one item when it is its turn; None if it has gone by then."""


@dataclass(slots=True)
class _Sequence:
    """What is left of one enumeration."""

    items: deque[Item]
    resource_uri: str
    max_elements: int | None
    max_envelope: int | None
    expires_s: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the body of an Enumerate request asks for."""

    optimise: bool
    max_elements: int | None
    """None when the request does not say; then a pull may ask for what it likes."""
    mode: str
    filter_text: str | None
    dialect: str | None


def read_enumerate(body: etree._Element | None) -> Wanted:
    """The body of an Enumerate request."""
    if body is None or body.tag != q(names.ENUMERATION, "Enumerate"):
        raise faults.schema_error("Enumerate")
    optimise = body.find(q(names.WSMAN, "OptimizeEnumeration")) is not None
    text = body.findtext(q(names.WSMAN, "MaxElements"))
    query = body.find(q(names.WSMAN, "Filter"))
    if query is None:
        query = body.find(q(names.ENUMERATION, "Filter"))
    mode = (body.findtext(q(names.WSMAN, "EnumerationMode")) or "EnumerateObject").strip()
    return Wanted(
        optimise=optimise,
        max_elements=None if text is None else _count(text),
        mode=mode,
        filter_text=None if query is None else (query.text or ""),
        dialect=None if query is None else query.get("Dialect", names.WQL_DIALECT),
    )


def _count(text: str | None) -> int:
    if text is None:
        return _DEFAULT_BATCH
    count = unsigned(text.strip())
    if not count:
        raise faults.schema_error("MaxElements")
    return count


class Enumerations:
    """The open enumerations of one host. A context is good for one answer only."""

    def __init__(self, clock: Clock, timeout_s: float, max_batch_items: int) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._max_batch = max_batch_items
        self._open: dict[str, _Sequence] = {}

    def start(self, request: Request, wanted: Wanted, items: Iterable[Item]) -> str:
        """The body of an EnumerateResponse.

        An optimised first answer carries exactly one item while more are left; only a result of
        at most one is finished in one go.
        """
        waiting = deque(items)
        if not wanted.optimise:
            context = self._keep(request, wanted, waiting)
            return _response("Enumerate", context, "", end=False, namespace="w")
        first: list[str] = []
        while waiting and not first:
            item = waiting.popleft()()
            if item is not None:
                first.append(item)
        context = self._keep(request, wanted, waiting) if waiting else ""
        items_xml = element("w:Items", first)
        return _response("Enumerate", context, items_xml, end=not waiting, namespace="w")

    def pull(self, request: Request, envelope_limit: int) -> str:
        """The body of a PullResponse: as many items as asked for, and as the envelope holds.

        Raises:
            SoapFaultError: unknown or stale context; parameters other than those of Enumerate; one
                item alone is too large.
        """
        body = request.body
        if body is None or body.tag != q(names.ENUMERATION, "Pull"):
            raise faults.schema_error("Pull")
        sequence = self._find(body)
        wanted = _count(body.findtext(q(names.ENUMERATION, "MaxElements")))
        same = sequence.max_elements in {None, wanted}
        if not same or request.max_envelope_bytes != sequence.max_envelope:
            raise faults.SoapFaultError(2150859181, "w:InvalidParameter")
        if request.resource_uri.lower() != sequence.resource_uri.lower():
            raise faults.SoapFaultError(2150858779, "n:InvalidEnumerationContext")
        rendered = self._batch(sequence, wanted, envelope_limit)
        self._take(body)
        context = ""
        if sequence.items:
            sequence.expires_s = self._clock.now_s() + self._timeout_s
            context = self._register(sequence)
        items_xml = element("n:Items", rendered)
        return _response("Pull", context, items_xml, end=not context, namespace="n")

    def release(self, request: Request) -> None:
        """Forget an enumeration."""
        body = request.body
        if body is None or body.tag != q(names.ENUMERATION, "Release"):
            raise faults.schema_error("Release")
        self._take(body)

    def _batch(self, sequence: _Sequence, wanted: int, envelope_limit: int) -> list[str]:
        """The cap counts UTF-16: half of the negotiated size in characters."""
        room = envelope_limit // 2 - _OVERHEAD_CHARS
        rendered: list[str] = []
        while sequence.items and len(rendered) < min(wanted, self._max_batch):
            item = sequence.items[0]()
            if item is not None:
                if len(item) > room:
                    if not rendered:
                        raise faults.encoding_limit()
                    break
                room -= len(item)
                rendered.append(item)
            sequence.items.popleft()
        return rendered

    def _keep(self, request: Request, wanted: Wanted, items: deque[Item]) -> str:
        return self._register(
            _Sequence(
                items,
                request.resource_uri,
                wanted.max_elements,
                request.max_envelope_bytes,
                self._clock.now_s() + self._timeout_s,
            )
        )

    def _register(self, sequence: _Sequence) -> str:
        now_s = self._clock.now_s()
        for stale in [c for c, s in self._open.items() if s.expires_s <= now_s]:
            del self._open[stale]
        if len(self._open) >= MAX_CONTEXTS:
            raise faults.quota()
        context = f"uuid:{str(uuid.uuid4()).upper()}"
        self._open[context] = sequence
        return context

    def _find(self, body: etree._Element) -> _Sequence:
        sequence = self._open.get(_context_of(body))
        if sequence is None or sequence.expires_s <= self._clock.now_s():
            raise faults.SoapFaultError(2150858779, "n:InvalidEnumerationContext")
        return sequence

    def _take(self, body: etree._Element) -> None:
        self._find(body)
        del self._open[_context_of(body)]


def _context_of(body: etree._Element) -> str:
    return (body.findtext(q(names.ENUMERATION, "EnumerationContext")) or "").strip()


def _response(kind: str, context: str, items: str, *, end: bool, namespace: str) -> str:
    """In EnumerateResponse the items and the end are in w:, in PullResponse both are in n:."""
    ending = empty(f"{namespace}:EndOfSequence") if end else ""
    given = text_element("n:EnumerationContext", context) if context or kind == "Enumerate" else ""
    return element(f"n:{kind}Response", given + items + ending)
