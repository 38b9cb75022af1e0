"""Reading a request's envelope and writing the answer's (`wire.md` 4.2)."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from . import faults, names
from .names import q
from .numbers import unsigned
from .xmltext import element, text_element

if TYPE_CHECKING:
    from collections.abc import Mapping

MIN_ENVELOPE_BYTES = 8_192
DEFAULT_TIMEOUT_S = 60.0

_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_UNDERSTOOD = frozenset(
    {
        q(names.ADDRESSING, name)
        for name in ("To", "Action", "ReplyTo", "FaultTo", "From", "MessageID", "RelatesTo")
    }
    | {
        q(names.WSMAN, name)
        for name in (
            "ResourceURI",
            "SelectorSet",
            "OptionSet",
            "MaxEnvelopeSize",
            "OperationTimeout",
            "Locale",
            "FragmentTransfer",
            "RequestEPR",
            "RequestTotalItemsCountEstimate",
        )
    }
    | {
        q(names.MS_WSMAN, name)
        for name in ("DataLocale", "SessionId", "OperationID", "SequenceId", "ActivityId")
    }
)


class NotSoapError(Exception):
    """The body is no SOAP envelope at all: answered by HTTP 400."""


class NotUnderstoodError(Exception):
    """A header marked mustUnderstand that the service does not know."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        name = etree.QName(tag)
        self.namespace = name.namespace or ""
        self.local = name.localname


@dataclass(frozen=True, slots=True)
class Request:
    """What a request's headers say, and its body."""

    action: str
    resource_uri: str
    message_id: str
    selectors: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case: Windows compares selectors without case."""
    options: tuple[tuple[str, str], ...] = ()
    locale: str | None = None
    max_envelope_bytes: int | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S
    fragment_path: str | None = None
    body: etree._Element | None = None
    """The one child of the SOAP body, None for an empty body."""
    identify: bool = False


def parse(data: bytes, charset: str) -> etree._Element:
    """The document's root, safe against entities, DTDs, depth and the network.

    Raises:
        NotSoapError: not well-formed, or not an envelope.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    if charset.lower().startswith("utf-16") and data[:2] not in {b"\xff\xfe", b"\xfe\xff"}:
        data = b"\xff\xfe" + data
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotSoapError("not well-formed") from error
    document = root.getroottree().docinfo
    if document.internalDTD is not None or root.tag != q(names.SOAP, "Envelope"):
        raise NotSoapError("no SOAP 1.2 envelope")
    return root


def read_request(root: etree._Element) -> Request:
    """The request that an envelope carries.

    Raises:
        NotSoapError: no body.
        NotUnderstoodError: an unknown header marked mustUnderstand.
        SoapFaultError: a header is missing or has an impossible value.
    """
    body = root.find(q(names.SOAP, "Body"))
    if body is None:
        raise NotSoapError("no body")
    content = body[0] if len(body) else None
    header = root.find(q(names.SOAP, "Header"))
    if content is not None and content.tag == q(names.IDENTITY, "Identify"):
        return Request("", "", "", body=content, identify=True)
    if header is None:
        raise faults.missing_header()
    for child in header:
        if child.tag not in _UNDERSTOOD and _must_understand(child):
            raise NotUnderstoodError(str(child.tag))
    message_id = _text(header, names.ADDRESSING, "MessageID")
    action = _text(header, names.ADDRESSING, "Action")
    if not message_id or not action or header.find(q(names.ADDRESSING, "ReplyTo")) is None:
        raise faults.missing_header()
    _check_reply_to(header)
    locale = header.find(q(names.WSMAN, "Locale"))
    fragment = header.find(q(names.WSMAN, "FragmentTransfer"))
    return Request(
        action=action,
        resource_uri=_text(header, names.WSMAN, "ResourceURI"),
        message_id=message_id,
        selectors=_selectors(header),
        options=_options(header),
        locale=locale.get(q(names.XML, "lang")) if locale is not None else None,
        max_envelope_bytes=_envelope_size(header),
        timeout_s=_timeout(header),
        fragment_path=None if fragment is None else (fragment.text or "").strip(),
        body=content,
    )


def _must_understand(header: etree._Element) -> bool:
    return header.get(q(names.SOAP, "mustUnderstand"), "").strip().lower() in {"true", "1"}


def _text(header: etree._Element, namespace: str, name: str) -> str:
    return (header.findtext(q(namespace, name)) or "").strip()


def _check_reply_to(header: etree._Element) -> None:
    address = header.findtext(f"{q(names.ADDRESSING, 'ReplyTo')}/{q(names.ADDRESSING, 'Address')}")
    if (address or "").strip() != names.ANONYMOUS:
        raise faults.SoapFaultError(
            2150858771,
            "w:UnsupportedFeature",
            detail=f"{names.FAULT_DETAIL}/AddressingMode",
        )


def _selectors(header: etree._Element) -> dict[str, str]:
    path = f"{q(names.WSMAN, 'SelectorSet')}/{q(names.WSMAN, 'Selector')}"
    return {
        (item.get("Name") or "").lower(): (item.text or "").strip()
        for item in header.iterfind(path)
    }


def _options(header: etree._Element) -> tuple[tuple[str, str], ...]:
    path = f"{q(names.WSMAN, 'OptionSet')}/{q(names.WSMAN, 'Option')}"
    return tuple(
        (item.get("Name") or "", (item.text or "").strip()) for item in header.iterfind(path)
    )


def _envelope_size(header: etree._Element) -> int | None:
    text = _text(header, names.WSMAN, "MaxEnvelopeSize")
    if not text:
        return None
    size = unsigned(text)
    if size is None:
        raise faults.invalid_header("MaxEnvelopeSize")
    if size < MIN_ENVELOPE_BYTES:
        raise faults.SoapFaultError(
            2150858878, "w:EncodingLimit", detail=f"{names.FAULT_DETAIL}/MinimumEnvelopeLimit"
        )
    return size


def _timeout(header: etree._Element) -> float:
    text = _text(header, names.WSMAN, "OperationTimeout")
    if not text:
        return DEFAULT_TIMEOUT_S
    match = _DURATION.fullmatch(text)
    if match is None or text in {"P", "PT"}:
        raise faults.invalid_header("timeout")
    days, hours, minutes, seconds = (
        float(match[name] or 0) for name in ("days", "hours", "minutes", "seconds")
    )
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def envelope(
    action: str, relates_to: str, body: str, *, prefixes: str, locale: str, header: str = ""
) -> str:
    """An answer as Windows lays it out. `prefixes` are the declared ones, such as `"saxwp"`."""
    declared = {"xml:lang": locale} | {f"xmlns:{p}": names.PREFIXES[p] for p in prefixes}
    headers = (
        text_element("a:Action", action),
        text_element("a:MessageID", f"uuid:{str(uuid.uuid4()).upper()}"),
        text_element("a:To", names.ANONYMOUS),
        text_element("a:RelatesTo", relates_to) if relates_to else "",
        header,
    )
    return element("s:Envelope", element("s:Header", headers) + element("s:Body", body), declared)
