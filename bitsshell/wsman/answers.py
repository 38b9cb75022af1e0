"""Answers become plain values here: bytes to a safe tree, the tree to instances and pages.

Nothing is trusted. Document types, and with them entities, are refused; depth and size are bounded;
nothing is fetched. Prefixes never matter, comments and processing instructions are dropped.
"""

from __future__ import annotations

import codecs
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from bitsshell.wsman import namespaces as ns
from bitsshell.wsman.errors import MalformedAnswer
from bitsshell.wsman.texts import clean, snippet_of
from bitsshell.wsman.values import Identity, Instance, Property

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_NESTING = 32
"""Embedded instances in embedded instances; WMI itself stops far earlier (WMI_MAX_NESTED)."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of an enumeration. `context` is None when the answer names none."""

    items: tuple[Instance, ...]
    context: str | None
    ended: bool


def parse(body: bytes, content_type: str = "") -> etree._Element:
    """The root of an answer; raises `MalformedAnswer` for whatever is no safe XML."""
    octets = _utf8(body, content_type)
    _refuse_doctype(octets)
    try:
        # Our own encoding wins over the one that the text declares: it is UTF-8 by now.
        return etree.fromstring(octets, _parser())
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        why = _why_not_xml(body, octets, error)
    # Out here, so that it does not carry lxml's own error, which does not pickle.
    raise MalformedAnswer(why)


def soap_body(root: etree._Element) -> etree._Element:
    """The Body of an envelope; raises `MalformedAnswer` when the root is no SOAP 1.2 envelope."""
    if local_name(root).lower() == "html":
        text = clean(" ".join(map(str, root.itertext())), 120)
        raise MalformedAnswer(f'it is a web page ("{text}")')
    if root.tag != f"{{{ns.SOAP}}}Envelope":
        raise MalformedAnswer(f"it is XML, but no SOAP 1.2 envelope ({local_name(root)})")
    body = root.find(f"{{{ns.SOAP}}}Body")
    if body is None:
        raise MalformedAnswer("the envelope has no body")
    return body


def instance_of(body: etree._Element) -> Instance:
    """The one element of a Body; raises `MalformedAnswer` when it is not one."""
    if len(body) != 1:
        raise MalformedAnswer(f"one element was expected and {len(body)} came")
    if local_name(body[0]) in _PAGE_ELEMENTS:
        raise MalformedAnswer(f"one instance was expected and an {local_name(body[0])} came")
    return _Reader().item(body[0])


def page_of(body: etree._Element) -> Page:
    """An EnumerateResponse or PullResponse; `Items` and `EndOfSequence` in either namespace."""
    response = body[0] if len(body) else None
    if response is None or response.tag not in _PAGE_TAGS:
        found = "nothing" if response is None else local_name(response)
        raise MalformedAnswer(f"a page of an enumeration was expected and {found} came")
    reader = _Reader()
    items: list[Instance] = []
    context: str | None = None
    ended = False
    for child in response:
        tag = child.tag
        if tag in _ITEMS_TAGS:
            items += reader.items(child)
        elif tag in _END_TAGS:
            ended = True
        elif tag == _CONTEXT_TAG:
            context = (child.text or "").strip() or None
    return Page(tuple(items), context, ended)


def identity_of(body: etree._Element) -> Identity:
    """An IdentifyResponse; raises `MalformedAnswer` for another answer."""
    response = body.find(f"{{{ns.IDENTITY}}}IdentifyResponse")
    if response is None:
        raise MalformedAnswer("an IdentifyResponse was expected")

    def text(name: str) -> str:
        return (response.findtext(f"{{{ns.IDENTITY}}}{name}") or "").strip()

    profiles = response.iter(f"{{{ns.IDENTITY}}}SecurityProfileName")
    return Identity(
        protocol_version=text("ProtocolVersion"),
        product_vendor=text("ProductVendor"),
        product_version=text("ProductVersion"),
        security_profiles=tuple((profile.text or "").strip() for profile in profiles),
    )


def local_name(element: etree._Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


_PAGE_TAGS = frozenset(
    f"{{{ns.ENUMERATION}}}{name}" for name in ("EnumerateResponse", "PullResponse")
)
_PAGE_ELEMENTS = frozenset({"EnumerateResponse", "PullResponse", "Fault"})
_ITEMS_TAGS = frozenset({f"{{{ns.WSMAN}}}Items", f"{{{ns.ENUMERATION}}}Items"})
_END_TAGS = frozenset({f"{{{ns.WSMAN}}}EndOfSequence", f"{{{ns.ENUMERATION}}}EndOfSequence"})
_CONTEXT_TAG = f"{{{ns.ENUMERATION}}}EnumerationContext"
_FRAGMENT_TAG = f"{{{ns.WSMAN}}}XmlFragment"
_ITEM_TAG = f"{{{ns.WSMAN}}}Item"
_EPR_TAG = f"{{{ns.ADDRESSING}}}EndpointReference"
_SPECIAL_TAGS = frozenset({_FRAGMENT_TAG, _ITEM_TAG, _EPR_TAG})


class _Reader:
    """Elements to instances. Made for one answer: what it remembers of the tags dies with it.

    An answer repeats the same twenty tags for every job, and making their local names is half of
    the work, hence `_scopes`: namespace to (tag to local name, or to None for other namespaces),
    and `_classes`: the tag of an item that was an instance to its class and namespace.
    """

    __slots__ = ("_classes", "_scopes")

    def __init__(self) -> None:
        self._scopes: dict[str, dict[str, str | None]] = {}
        self._classes: dict[str, tuple[str, str]] = {}

    def items(self, elements: etree._Element) -> Iterator[Instance]:
        """All top-level elements of a page."""
        for element in elements:
            known = self._classes.get(element.tag)
            if known is not None:
                name, space = known
                properties = self._plain(element, self._scopes[space], 0)
                if properties is not None:
                    yield Instance(name, properties, space)
                    continue
            yield self.item(element)

    def item(self, element: etree._Element) -> Instance:
        """A top-level element: instance, output, fragment, or a wrapped or bare reference."""
        space, _, name = str(element.tag).rpartition("}")
        if element.tag == _FRAGMENT_TAG:
            # Without namespace in answers to WQL, in the class's in answers to fragment transfer.
            space = element[0].tag.rpartition("}")[0] if len(element) else ""
        if element.tag == _ITEM_TAG:
            # EnumerateObjectAndEPR: the object, then its address.
            for child in element:
                if child.tag != _EPR_TAG:
                    return self.item(child)
        if element.tag == _EPR_TAG or self._holds_reference(element):
            return _reference(element)
        made = self._instance(element, name, space[1:], 0)
        if element.tag not in _SPECIAL_TAGS:
            self._classes[element.tag] = (name, space[1:])
        return made

    def _instance(self, element: etree._Element, name: str, space: str, depth: int) -> Instance:
        if depth > MAX_NESTING:
            raise MalformedAnswer(f"its instances are nested more than {MAX_NESTING} deep")
        names = self._scopes.get(space)
        if names is None:
            names = self._scopes[space] = {}
        properties = self._plain(element, names, depth)
        if properties is None:
            properties = self._careful(element, names, space, depth)
        return Instance(name, properties, space)

    def _plain(
        self, element: etree._Element, names: dict[str, str | None], depth: int
    ) -> dict[str, Property] | None:
        """The usual instance: tags that are known by now, each once. None for any other.

        Half of a listing's time is spent here, hence the comprehensions; what has no text of its
        own, or begins with a blank, is looked at again by its position, which is the same in both.
        """
        try:
            properties: dict[str, Property] = {names[child.tag]: child.text for child in element}  # type: ignore[misc]  # no None, see below
        except KeyError:
            return None
        if len(properties) != len(element) or None in properties:
            return None
        bare = [
            (index, key)
            for index, (key, text) in enumerate(properties.items())
            if not text or text < "!"  # type: ignore[operator]  # still what .text gave
        ]
        for index, key in bare:
            properties[key] = self._value(element[index], key, depth)
        return properties

    def _careful(
        self, element: etree._Element, names: dict[str, str | None], space: str, depth: int
    ) -> dict[str, Property]:
        """Any instance: new tags, other namespaces, repeated elements."""
        properties: dict[str, Property] = {}
        for child in element:
            tag = child.tag
            if tag not in names:
                child_space, _, local = tag.rpartition("}")
                names[tag] = local if child_space[1:] == space else None
            key = names[tag]
            if key is None:
                continue
            value = self._value(child, key, depth)
            if key in properties:
                known = properties[key]
                if type(known) is list:
                    known.append(value)
                else:
                    properties[key] = [known, value]  # type: ignore[list-item]  # no list here
            else:
                properties[key] = value
        return properties

    def _value(self, element: etree._Element, key: str, depth: int) -> str | Instance | None:
        """One property: its text, None for nil, or what its children say where it has no text."""
        text = element.text
        if text and text.strip(_XML_BLANKS):
            return text
        if len(element):
            return self._nested(element, key, depth)
        return "" if text is None and element.get(ns.XSI_NIL) not in _TRUE else text

    def _nested(self, element: etree._Element, name: str, depth: int) -> str | Instance:
        """An element with children: a date, a reference or an embedded instance."""
        first = element[0]
        space = first.tag.rpartition("}")[0][1:]
        if space == ns.CIM_COMMON:
            return (first.text or "").strip()
        if space == ns.ADDRESSING:
            return _reference(first if first.tag == _EPR_TAG else element)
        declared = element.get(ns.XSI_TYPE)
        class_name = declared.rpartition(":")[2].removesuffix("_Type") if declared else name
        return self._instance(element, class_name, space, depth + 1)

    @staticmethod
    def _holds_reference(element: etree._Element) -> bool:
        return len(element) > 0 and element[0].tag == f"{{{ns.ADDRESSING}}}Address"


_TRUE = frozenset({"true", "1"})
_XML_BLANKS = " \t\r\n"


def _reference(element: etree._Element) -> Instance:
    """An endpoint reference as an instance: Address, ResourceURI and the selectors by name."""
    properties: dict[str, Property] = {}
    selectors: dict[str, Property] = {}
    for child in element.iter():
        name = local_name(child)
        if name in ("Address", "ResourceURI"):
            properties.setdefault(name, (child.text or "").strip())
        elif name == "Selector":
            selectors[child.get("Name") or ""] = child.text or ""
    properties["SelectorSet"] = Instance("SelectorSet", selectors)
    return Instance("EndpointReference", properties, ns.ADDRESSING)


_local = threading.local()


def _parser() -> etree.XMLParser:
    """This thread's parser: making one costs more than a small answer, sharing one serialises."""
    parser: etree.XMLParser | None = getattr(_local, "parser", None)
    if parser is None:
        parser = _local.parser = etree.XMLParser(
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
            collect_ids=False,
        )
    return parser


_BOMS: Mapping[bytes, str] = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
# Python has codecs that are no text encodings, or slow ones: a host does not get to choose those.
_SENSIBLE = re.compile(
    r"(iso-8859-\d\d?|latin-?1|(windows-|cp)\d{3,4}|utf-(16|32)-[lb]e|shift_jis|euc-(jp|kr)"
    r"|gb2312|gbk|gb18030|big5|koi8-[ru])",
    re.IGNORECASE,
)
_DECLARED = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)""")


def _utf8(body: bytes, content_type: str) -> bytes:
    """The text as UTF-8: byte order mark first, then the bytes' own look, charset, declaration."""
    for mark, encoding in _BOMS.items():
        if body.startswith(mark):
            return _recoded(body[len(mark) :], encoding)
    if body[:2] == b"<\0":
        return _recoded(body, "utf-16-le")
    if body[:2] == b"\0<":
        return _recoded(body, "utf-16-be")
    charset = charset_of(content_type)
    if charset is None or charset.lower().startswith(("utf-16", "utf-32")):
        # UTF-16 is told above by its bytes; a header that says so of other bytes is mistaken.
        declared = _DECLARED.match(body[:200])
        charset = declared[1].decode("ascii") if declared else "utf-8"
        if charset.lower().startswith(("utf-16", "utf-32")):
            charset = "utf-8"
    return _recoded(body, charset)


def charset_of(content_type: str) -> str | None:
    """The charset that a Content-Type names."""
    found = _CHARSET.search(content_type)
    return found[1] if found else None


def _recoded(body: bytes, encoding: str) -> bytes:
    if encoding.lower() in ("utf-8", "utf8", "us-ascii", "ascii"):
        return body
    if not _SENSIBLE.fullmatch(encoding):
        raise MalformedAnswer(f"it says that it is encoded as {clean(encoding, 40)}")
    try:
        return body.decode(encoding).encode("utf-8")
    except (LookupError, ValueError) as error:
        raise MalformedAnswer(f"it is not the {encoding} text that it says it is") from error


_PROLOG = re.compile(rb"(?:\s|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)


def _refuse_doctype(octets: bytes) -> None:
    # The plain search is nearly free; only what it finds is looked at, since text may hold it too.
    if b"<!DOCTYPE" in octets:
        prolog = _PROLOG.match(octets)
        if prolog and octets.startswith(b"<!DOCTYPE", prolog.end()):
            raise MalformedAnswer(_DOCTYPE_REFUSED)


_DOCTYPE_REFUSED = "it has a document type, which no WS-Management message has"


def _why_not_xml(body: bytes, octets: bytes, error: Exception) -> str:
    if not body.strip():
        return "it is empty"
    start = octets[:2000].decode("utf-8", "replace")
    if start.lstrip("\ufeff \t\r\n").startswith("<"):
        if re.match(r"\s*<(!doctype\s+)?html", start, re.IGNORECASE):
            return f'it is a web page ("{snippet_of(start)}")'
        words = getattr(error, "msg", None) or str(error)
        return f"it is no well-formed XML ({snippet_of(words)})"
    return f'it is no XML ("{snippet_of(start, 60)}")'
