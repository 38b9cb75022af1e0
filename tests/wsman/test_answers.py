"""The parser: safe against what a hostile host sends, tolerant of what honest ones do."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wires import result_of, soap

from bitsshell.wsman import Instance, MalformedAnswer, WSManError, answers
from bitsshell.wsman.faults import fault_of

if TYPE_CHECKING:
    from pathlib import Path

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
CIM = 'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common"'
SOAP_OPEN = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
SOAP_CLOSE = "</s:Body></s:Envelope>"


def instance(xml: str) -> Instance:
    return answers.instance_of(answers.soap_body(answers.parse(soap(xml).body)))


def read_all(octets: bytes, content_type: str = "") -> None:
    """Everything that the client may do with an answer."""
    body = answers.soap_body(answers.parse(octets, content_type))
    found = fault_of(body)
    if found is not None:
        found.during("CreateJob", change=True, host="h").lines()
    for reader in (answers.instance_of, answers.page_of, answers.identity_of):
        try:
            reader(body)
        except MalformedAnswer:
            continue


BILLION_LAUGHS = (
    '<!DOCTYPE s [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)


@pytest.mark.parametrize(
    "octets",
    [
        (BILLION_LAUGHS + SOAP_OPEN + "<x>&c;</x>" + SOAP_CLOSE).encode(),
        (BILLION_LAUGHS + SOAP_OPEN + "<x>&c;</x>" + SOAP_CLOSE).encode("utf-16"),
        (BILLION_LAUGHS + SOAP_OPEN + "<x>&c;</x>" + SOAP_CLOSE).encode("utf-16-le"),
        b'<?xml version="1.0"?>\n<!-- a --><?b c?>\n<!DOCTYPE s SYSTEM "file:///etc/passwd"><s/>',
        b'<!DOCTYPE s [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]><s>&x;</s>',
        b"\xef\xbb\xbf<!DOCTYPE s><s/>",
    ],
)
def test_a_document_type_is_refused_before_it_is_read(octets: bytes) -> None:
    with pytest.raises(MalformedAnswer, match="document type"):
        answers.parse(octets)


def test_the_words_of_a_document_type_inside_a_text_are_only_text() -> None:
    read = instance("<p:J xmlns:p='urn:j'><p:T><![CDATA[<!DOCTYPE x>]]></p:T></p:J>")
    assert read["T"] == "<!DOCTYPE x>"


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "it is empty"),
        (b" \r\n", "it is empty"),
        (b"ready\r\n", 'it is no XML ("ready")'),
        (b"\x00\x01\x02\xff", "it is no XML"),
        (b"<s:Envelope", "it is no well-formed XML"),
        ((SOAP_OPEN + "<x>").encode(), "it is no well-formed XML"),
        ((SOAP_OPEN + "<x>&amp;&unknown;</x>" + SOAP_CLOSE).encode(), "it is no well-formed XML"),
        (
            b"<html><title>t</title><body><h1>Not \x1b[31mhere</h1></body>",
            'page ("t Not [31mhere")',
        ),
        (b"<!doctype html><html><body>Hello</body></html>", 'it is a web page ("Hello")'),
        (b"<?xml version='1.0' encoding='punycode'?><a/>", "encoded as punycode"),
        (b"<?xml version='1.0' encoding='zip'?><a/>", "encoded as zip"),
        (b"\xff\xfe<\x00a\x00/", "not the utf-16-le text"),
    ],
)
def test_what_is_no_safe_xml_is_refused_with_a_reason(octets: bytes, reason: str) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        answers.parse(octets)
    assert reason in caught.value.message


@pytest.mark.parametrize(
    "xml",
    [
        "<a/>",
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>',
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>',
    ],
)
def test_other_xml_is_no_answer(xml: str) -> None:
    with pytest.raises(MalformedAnswer, match="envelope"):
        answers.soap_body(answers.parse(xml.encode()))


@pytest.mark.parametrize("depth", [40, 250, 3000, 100_000])
def test_depth_is_bounded(depth: int) -> None:
    with pytest.raises(MalformedAnswer, match=r"nested more than 32 deep|Excessive depth"):
        instance("<a>" * depth + "</a>" * depth)


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "cp1252"])
def test_a_declared_encoding_counts(encoding: str) -> None:
    octets = f"<?xml version='1.0' encoding='{encoding}'?><a>Übung</a>".encode(encoding)
    assert answers.parse(octets).text == "Übung"


def test_the_charset_of_the_header_counts_where_the_text_declares_nothing() -> None:
    assert (
        answers.parse("<a>Übung</a>".encode("latin-1"), "text/xml; charset=iso-8859-1").text
        == "Übung"
    )


def test_a_header_that_is_mistaken_about_utf_16_does_not_count() -> None:
    assert answers.parse("<a>Übung</a>".encode(), "text/xml;charset=UTF-16").text == "Übung"


def test_a_declaration_that_is_mistaken_about_utf_16_does_not_count() -> None:
    octets = "<?xml version='1.0' encoding='UTF-16'?><a>Übung</a>".encode()
    assert answers.parse(octets).text == "Übung"


def test_prefixes_comments_and_instructions_do_not_matter() -> None:
    read = instance(
        '<!-- c --><Job xmlns="urn:j"><?pi?><A>1<!-- c -->2</A><q:A xmlns:q="urn:j">3</q:A></Job>'
    )
    assert read == Instance("Job", {"A": ["12", "3"]})


def test_children_in_other_namespaces_are_ignored() -> None:
    read = instance(
        f'<p:Job xmlns:p="urn:j" {CIM}><p:State>3</p:State>'
        '<cim:Location><x:Address xmlns:x="urn:x">y</x:Address></cim:Location>'
        '<q:State xmlns:q="urn:q">9</q:State><State>8</State></p:Job>'
    )
    assert read == Instance("Job", {"State": "3"})


def test_empty_is_not_nil() -> None:
    read = instance(
        f'<p:J xmlns:p="urn:j" {XSI}><p:A/><p:B xsi:nil="true"/><p:C xsi:nil="1"/>'
        '<p:D xsi:nil="false"/></p:J>'
    )
    assert dict(read) == {"A": "", "B": None, "C": None, "D": ""}


def test_dates_intervals_and_references_become_values() -> None:
    read = instance(
        f'<p:J xmlns:p="urn:j" {CIM} xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd">'
        "<p:D><cim:Datetime>1601-01-01T00:00:00Z</cim:Datetime></p:D>"
        "<p:I><cim:Interval>P0DT0H1M40S</cim:Interval></p:I>"
        "<p:R><a:Address>http://h</a:Address><a:ReferenceParameters><w:ResourceURI>urn:r"
        '</w:ResourceURI><w:SelectorSet><w:Selector Name="K">v</w:Selector></w:SelectorSet>'
        "</a:ReferenceParameters></p:R></p:J>"
    )
    assert read.text("D") == "1601-01-01T00:00:00Z"
    assert read.text("I") == "P0DT0H1M40S"
    assert read["R"] == Instance(
        "EndpointReference",
        {
            "Address": "http://h",
            "ResourceURI": "urn:r",
            "SelectorSet": Instance("SelectorSet", {"K": "v"}),
        },
    )


def test_an_embedded_instance_is_named_by_its_type_or_else_its_property() -> None:
    read = instance(
        f'<p:J xmlns:p="urn:j" {XSI}><p:F xmlns:p7="urn:f" xsi:type="p7:File_Type"><p7:A>1</p7:A>'
        "</p:F><p:G><p:A>2</p:A></p:G></p:J>"
    )
    assert read["F"] == Instance("File", {"A": "1"})
    assert read["G"] == Instance("G", {"A": "2"})
    assert [i.namespace for i in (*read.instances("F"), *read.instances("G"))] == ["urn:f", "urn:j"]


@pytest.mark.parametrize("space", ["", "urn:j"])
def test_a_fragment_reads_with_and_without_namespace(space: str) -> None:
    read = instance(f'<w:XmlFragment><State xmlns="{space}">3</State></w:XmlFragment>')
    assert read == Instance("XmlFragment", {"State": "3"})


def test_an_object_with_its_address_is_the_object() -> None:
    page = answers.page_of(
        answers.soap_body(
            answers.parse(
                soap(
                    "<n:PullResponse><n:Items><w:Item><p:J xmlns:p='urn:j'><p:A>1</p:A></p:J>"
                    "<a:EndpointReference><a:Address>x</a:Address></a:EndpointReference></w:Item>"
                    "</n:Items></n:PullResponse>"
                ).body
            )
        )
    )
    assert page.items == (Instance("J", {"A": "1"}),)


TEXTS = st.sampled_from(["", "1", " ", "\n  ", " 2 ", "\u00a0", "&lt;&#13;"])
PROPERTIES = st.one_of(
    st.builds("<p:{0}>{1}</p:{0}>".format, st.sampled_from("ABC"), TEXTS),
    st.builds("<q:{0}>{1}</q:{0}>".format, st.sampled_from("AB"), TEXTS),
    st.builds('<p:{} xsi:nil="{}"/>'.format, st.sampled_from("ABC"), st.sampled_from(["1", "x"])),
    st.builds(
        "<p:{0}{1}>{2}<q:{3}>{2}</q:{3}></p:{0}>".format,
        st.sampled_from("ABC"),
        st.sampled_from(["", ' xsi:type="q:F_Type"', ' xsi:type="G"']),
        TEXTS,
        st.sampled_from("AB"),
    ),
    st.sampled_from(
        [
            "<a:Address>x</a:Address>",
            "<p:C><cim:Datetime>now</cim:Datetime></p:C>",
            "<p:B><a:EndpointReference><a:Address>y</a:Address></a:EndpointReference></p:B>",
        ]
    ),
)
ITEMS = st.builds(
    lambda name, inner: f"<{name}>{''.join(inner)}</{name}>",
    st.sampled_from(["p:J", "p:J", "p:J", "q:J", "w:Item", "w:XmlFragment", "a:EndpointReference"]),
    st.lists(PROPERTIES, max_size=5),
)


@given(st.lists(ITEMS, max_size=6))
def test_an_item_reads_the_same_wherever_in_a_page_it_stands(items: list[str]) -> None:
    def page(some: list[str]) -> tuple[Instance, ...]:
        octets = soap(
            f"<n:PullResponse {XSI} {CIM} xmlns:p='urn:p' xmlns:q='urn:q'>"
            f"<n:Items>{''.join(some)}</n:Items></n:PullResponse>"
        ).body
        return answers.page_of(answers.soap_body(answers.parse(octets))).items

    together = page(items)
    alone = tuple(one for item in items for one in page([item]))
    assert together == alone
    assert [one.namespace for one in together] == [one.namespace for one in alone]


@pytest.mark.parametrize(("items", "end"), [("w", "w"), ("w", "n"), ("n", "w"), ("n", "n")])
def test_items_and_end_count_in_either_namespace(items: str, end: str) -> None:
    octets = soap(
        f"<n:EnumerateResponse><{end}:EndOfSequence/><{items}:Items><p:J xmlns:p='urn:j'/>"
        f"</{items}:Items></n:EnumerateResponse>"
    ).body
    page = answers.page_of(answers.soap_body(answers.parse(octets)))
    assert (len(page.items), page.context, page.ended) == (1, None, True)


@pytest.mark.parametrize("body", ["", "<a/><b/>", "<n:PullResponse/>"])
def test_one_instance_is_wanted_and_not_another_number(body: str) -> None:
    with pytest.raises(MalformedAnswer, match="one "):
        instance(body)


def test_a_page_and_an_identity_are_not_taken_from_other_answers() -> None:
    body = answers.soap_body(answers.parse(soap("<x/>").body))
    with pytest.raises(MalformedAnswer, match="page of an enumeration"):
        answers.page_of(body)
    with pytest.raises(MalformedAnswer, match="IdentifyResponse"):
        answers.identity_of(body)


def test_the_security_profiles_of_an_identity_are_read() -> None:
    octets = soap(
        '<i:IdentifyResponse xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
        "<i:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</i:ProductVersion><i:SecurityProfiles>"
        "<i:SecurityProfileName>http://x/ntlm</i:SecurityProfileName></i:SecurityProfiles>"
        "</i:IdentifyResponse>"
    ).body
    identity = answers.identity_of(answers.soap_body(answers.parse(octets)))
    assert identity.product_version == "OS: 10.0.20348 SP: 0.0 Stack: 3.0"
    assert identity.security_profiles == ("http://x/ntlm",)


FAULT_OPEN = "<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Detail>"


@pytest.mark.parametrize(
    ("detail", "codes"),
    [
        ('<f:WSManFault Code="5"/>', (5,)),
        ('<f:WSManFault Code="0"/>', ()),
        ('<f:WSManFault Code="x"/>', ()),
        ('<f:WSManFault Code="99999999999"/>', ()),
        ('<f:WSManFault Code="-2145386494"/>', (0x80200002,)),
        ('<f:WSManFault Code="0x80200002"/>', (0x80200002,)),
        (
            (
                '<f:WSManFault Code="1"><f:Message><f:ProviderFault><f:WSManFault Code="2"/>'
                "<f:ExtendedError><q:__ExtendedStatus xmlns:q='urn:e'><q:StatusCode>2147749890"
                "</q:StatusCode></q:__ExtendedStatus></f:ExtendedError></f:ProviderFault>"
                "</f:Message></f:WSManFault>"
            ),
            (1, 2, 0x80041002),
        ),
        (
            (
                "<q:MSFT_WmiError xmlns:q='urn:e'><q:MessageID>HRESULT 0x80041002</q:MessageID>"
                "<q:error_Code>2149580802</q:error_Code></q:MSFT_WmiError>"
            ),
            (0x80041002, 0x80200002),
        ),
        (
            (
                "<q:MSFT_WmiError xmlns:q='urn:e'><q:error_Code>6</q:error_Code>"
                "<q:error_Type>MI</q:error_Type></q:MSFT_WmiError>"
            ),
            (),
        ),
    ],
)
def test_every_code_of_the_chain_is_kept_outer_first(detail: str, codes: tuple[int, ...]) -> None:
    octets = soap(f"{FAULT_OPEN}{detail}</s:Detail></s:Fault>").body
    found = fault_of(answers.soap_body(answers.parse(octets)))
    assert found is not None
    assert found.codes == codes
    assert found.code == (codes[-1] if codes else None)


@given(st.binary(max_size=300), st.sampled_from(["", "text/xml;charset=UTF-16", "a;charset=x"]))
def test_arbitrary_bytes_raise_nothing_but_our_errors(octets: bytes, content_type: str) -> None:
    with pytest.raises(WSManError):
        read_all(octets, content_type)


@given(st.text(alphabet="<>/!?&;'\"= asx:[]-CDATDOYPE#0", max_size=200))
def test_arbitrary_markup_raises_nothing_but_our_errors(text: str) -> None:
    for octets in (text.encode(), (SOAP_OPEN + text + SOAP_CLOSE).encode()):
        try:
            read_all(octets)
        except WSManError:
            continue


@given(seed=st.integers(0, 2**32), data=st.data())
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_damaged_captures_raise_nothing_but_our_errors(
    captures: Path, seed: int, data: st.DataObject
) -> None:
    names = sorted(captures.rglob("*.xml"))
    octets = bytearray(data.draw(st.sampled_from(names)).read_bytes())
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(octets) or 1)
        match chance.randrange(4):
            case 0:
                octets[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del octets[at : at + chance.randint(1, 200)]
            case 2:
                octets[at:at] = octets[at // 2 : at // 2 + chance.randint(1, 200)]
            case _:
                del octets[at:]
    error = result_of(lambda: read_all(bytes(octets)))
    assert error is None or len(str(error).splitlines()) <= 3
