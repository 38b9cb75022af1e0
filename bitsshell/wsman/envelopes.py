"""Requests become SOAP envelopes here (wire.md 4.2 to 4.9): the bytes that go on the wire.

The same function makes the envelope that is shown instead of sent, with secrets masked.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from lxml import etree

from bitsshell.wsman import namespaces as ns
from bitsshell.wsman.errors import RequestRefused
from bitsshell.wsman.messages import (
    Arguments,
    Enumerate,
    Get,
    Identify,
    Invoke,
    Message,
    Pull,
    Put,
    Release,
    Selectors,
    class_of,
)
from bitsshell.wsman.values import UINT64_MAX, Instance, Secret, Value

MAX_ENVELOPE_BYTES = 512_000
"""What Windows accepts and sends since 2012 (MaxEnvelopeSizekb 500); older hosts use their 150."""

_PREFIXES = {"s": ns.SOAP, "a": ns.ADDRESSING, "w": ns.WSMAN, "p": ns.MS_WSMAN}
_ENUMERATION_PREFIXES = {**_PREFIXES, "n": ns.ENUMERATION}
_MUST_UNDERSTAND = f"{{{ns.SOAP}}}mustUnderstand"

# What XML 1.0 section 2.2 leaves out; a lone surrogate is outside too.
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def envelope(
    request: Message,
    *,
    to: str,
    message_id: str | None = None,
    operation_timeout_s: float = 60.0,
    locale: str = "en-US",
    max_envelope_bytes: int = MAX_ENVELOPE_BYTES,
    for_show: bool = False,
) -> bytes:
    """The envelope of a request, UTF-8; `for_show` indents it and masks every `Secret`.

    Raises `RequestRefused` for what XML 1.0 cannot carry. `message_id` is a fresh UUID by default.
    """
    if isinstance(request, Identify):
        return _bytes(_identify(), for_show)
    with_items = isinstance(request, Enumerate | Pull | Release)
    root = etree.Element(
        f"{{{ns.SOAP}}}Envelope", nsmap=_ENUMERATION_PREFIXES if with_items else _PREFIXES
    )
    resource = (
        request.enumeration.resource if isinstance(request, Pull | Release) else request.resource
    )
    selectors: Selectors = getattr(request, "selectors", ())
    header = _sub(root, ns.SOAP, "Header")
    _sub(header, ns.ADDRESSING, "To", to)
    _required(header, ns.WSMAN, "ResourceURI", resource)
    _required(_sub(header, ns.ADDRESSING, "ReplyTo"), ns.ADDRESSING, "Address", ns.ANONYMOUS)
    _required(header, ns.ADDRESSING, "Action", _action(request))
    _required(header, ns.WSMAN, "MaxEnvelopeSize", str(max_envelope_bytes))
    _sub(header, ns.ADDRESSING, "MessageID", message_id or _fresh_id())
    for space, name in ((ns.WSMAN, "Locale"), (ns.MS_WSMAN, "DataLocale")):
        language = _sub(header, space, name)
        language.set(ns.XML_LANG, locale)
        language.set(_MUST_UNDERSTAND, "false")
    if isinstance(request, Put) and request.fragment:
        _required(header, ns.WSMAN, "FragmentTransfer", request.properties[0][0])
    if selectors:
        selector_set = _sub(header, ns.WSMAN, "SelectorSet")
        for name, value in selectors:
            selector = _sub(selector_set, ns.WSMAN, "Selector", value, called=f"selector {name}")
            selector.set("Name", _sendable(name, "selector name"))
    _sub(header, ns.WSMAN, "OperationTimeout", _duration(operation_timeout_s))
    _fill_body(_sub(root, ns.SOAP, "Body"), request, masked=for_show)
    return _bytes(root, for_show)


def page_envelope(
    request: Enumerate | Pull, *, to: str, message_id: str | None = None, **settings: Any
) -> bytes:
    """`envelope` for what a watch sends over and over: only address, id and context made anew."""
    context = request.context if isinstance(request, Pull) else ""
    if not _NEEDS_NO_ESCAPE.fullmatch(to + context):
        return envelope(request, to=to, message_id=message_id, **settings)
    if isinstance(request, Pull):
        request = Pull(request.enumeration, _CONTEXT_HERE)
    made = _template(request, **settings).replace(_TO_HERE.encode(), to.encode())
    made = made.replace(_ID_HERE.encode(), (message_id or _fresh_id()).encode())
    return made.replace(_CONTEXT_HERE.encode(), context.encode())


@lru_cache(maxsize=64)
def _template(request: Enumerate | Pull, **settings: Any) -> bytes:
    return envelope(request, to=_TO_HERE, message_id=_ID_HERE, **settings)


# Random, so that nothing that is asked for can hold one of them.
_TO_HERE, _ID_HERE, _CONTEXT_HERE = (f"here-{uuid.uuid4()}" for _ in range(3))
_NEEDS_NO_ESCAPE = re.compile(r"[\w:/.\[\]{}%+=-]+", re.ASCII)


def _fresh_id() -> str:
    return f"uuid:{str(uuid.uuid4()).upper()}"


def _action(request: Message) -> str:
    match request:
        case Get():
            return f"{ns.TRANSFER}/Get"
        case Put():
            return f"{ns.TRANSFER}/Put"
        case Invoke():
            return f"{request.resource}/{request.method}"
        case _:
            return f"{ns.ENUMERATION}/{type(request).__name__}"


def _fill_body(body: etree._Element, request: Message, *, masked: bool) -> None:
    match request:
        case Put(fragment=True):
            fragment = _sub(body, ns.WSMAN, "XmlFragment", nsmap={"p": request.resource})
            _add_values(fragment, request.resource, request.properties, masked=masked)
        case Put():
            _add_container(
                body, class_of(request.resource), request.resource, request.properties, masked
            )
        case Invoke():
            _add_container(
                body, f"{request.method}_INPUT", request.resource, request.arguments, masked
            )
        case Enumerate():
            asked = _sub(body, ns.ENUMERATION, "Enumerate")
            _sub(asked, ns.WSMAN, "OptimizeEnumeration")
            _sub(asked, ns.WSMAN, "MaxElements", str(request.page_size))
            if request.wql is not None:
                wql = _sub(asked, ns.WSMAN, "Filter", request.wql, called="query")
                wql.set("Dialect", ns.WQL_DIALECT)
        case Pull():
            pull = _sub(body, ns.ENUMERATION, "Pull")
            _sub(pull, ns.ENUMERATION, "EnumerationContext", request.context)
            # The same number as in the Enumerate, else fault 2150859181.
            _sub(pull, ns.ENUMERATION, "MaxElements", str(request.enumeration.page_size))
        case Release():
            release = _sub(body, ns.ENUMERATION, "Release")
            _sub(release, ns.ENUMERATION, "EnumerationContext", request.context)
        case _:
            pass


def _add_container(
    body: etree._Element, name: str, resource: str, values: Arguments, masked: bool
) -> None:
    container = _sub(body, resource, name, nsmap={"p": resource})
    _add_values(container, resource, values, masked=masked)


def _add_values(
    parent: etree._Element, space: str, values: Sequence[tuple[str, Value]], *, masked: bool
) -> None:
    for name, value in values:
        _add_value(parent, space, name, value, masked=masked)


def _add_value(
    parent: etree._Element, space: str, name: str, value: Value, *, masked: bool
) -> None:
    if isinstance(value, Instance):
        _add_embedded(parent, space, name, value, masked=masked)
    elif isinstance(value, bytes):
        for byte in value:
            _sub(parent, space, name, str(byte))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for element in value:
            if isinstance(element, Sequence) and not isinstance(element, str):
                raise RequestRefused(name, "is an array in an array, which CIM does not have")
            _add_value(parent, space, name, element, masked=masked)
    elif value is None:
        _sub(parent, space, name, nsmap={"xsi": ns.XSI}).set(ns.XSI_NIL, "true")
    else:
        _sub(parent, space, name, _text_of(name, value, masked=masked))


def _add_embedded(
    parent: etree._Element, space: str, name: str, value: Instance, *, masked: bool
) -> None:
    inner = value.namespace or space
    element = _sub(parent, space, name, nsmap={"xsi": ns.XSI, "p1": inner})
    element.set(ns.XSI_TYPE, f"p1:{value.class_name}_Type")
    _add_values(element, inner, list(value.properties.items()), masked=masked)


def _text_of(name: str, value: str | int | bool | Secret, *, masked: bool) -> str:
    if isinstance(value, Secret):
        # Checked even when masked: what is shown is what could be sent.
        sendable = _sendable(value.value, name)
        return str(value) if masked else sendable
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if not -(2**63) <= value <= UINT64_MAX:
            raise RequestRefused(name, "is no 64-bit number")
        return str(value)
    if isinstance(value, str):
        return value
    raise RequestRefused(name, f"is of a kind that cannot be sent ({type(value).__name__})")


def _sub(
    parent: etree._Element,
    space: str,
    name: str,
    text: str | None = None,
    *,
    nsmap: dict[str, str] | None = None,
    called: str | None = None,
) -> etree._Element:
    try:
        element = etree.SubElement(parent, f"{{{space}}}{name}", nsmap=nsmap)
    except (ValueError, UnicodeError) as error:
        raise RequestRefused(called or repr(name), "is no name that XML can carry") from error
    if text is not None:
        element.text = _sendable(text, called or name)
    return element


def _required(parent: etree._Element, space: str, name: str, text: str) -> None:
    _sub(parent, space, name, text).set(_MUST_UNDERSTAND, "true")


def _sendable(text: str, called: str) -> str:
    found = _UNSENDABLE.search(text)
    if found:
        raise RequestRefused(
            called,
            f"has a character that XML cannot carry (U+{ord(found[0]):04X} at {found.start()})",
        )
    return text


def _duration(seconds: float) -> str:
    return f"PT{f'{seconds:.3f}'.rstrip('0').rstrip('.')}S"


def _identify() -> etree._Element:
    root = etree.Element(f"{{{ns.SOAP}}}Envelope", nsmap={"s": ns.SOAP, "wsmid": ns.IDENTITY})
    _sub(root, ns.SOAP, "Header")
    _sub(_sub(root, ns.SOAP, "Body"), ns.IDENTITY, "Identify")
    return root


def _bytes(root: etree._Element, for_show: bool) -> bytes:
    # libxml2 writes a carriage return as &#13;, which XML would otherwise read back as a line feed.
    return etree.tostring(root, encoding="UTF-8", pretty_print=for_show)
