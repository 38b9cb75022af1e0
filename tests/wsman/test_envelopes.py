"""Requests are exactly as wire.md section 4 describes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from wires import NS

from bitsshell.wsman import (
    Enumerate,
    Get,
    Identify,
    Instance,
    Invoke,
    Put,
    Request,
    RequestRefused,
    Secret,
    answers,
    envelope,
)
from bitsshell.wsman.envelopes import page_envelope
from bitsshell.wsman.messages import Pull, Release

if TYPE_CHECKING:
    from collections.abc import Callable

JOBS = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/microsoft/bits/BitsClientJob"
KEY = (("JobId", "{9D5C4B47-E79E-4090-BC3B-552578D0EC8C}"),)
TO = "http://srv01:5985/wsman"

HEADER = """
  <a:To>http://srv01:5985/wsman</a:To>
  <w:ResourceURI s:mustUnderstand="true">{resource}</w:ResourceURI>
  <a:ReplyTo><a:Address s:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>
  <a:Action s:mustUnderstand="true">{action}</a:Action>
  <w:MaxEnvelopeSize s:mustUnderstand="true">153600</w:MaxEnvelopeSize>
  <a:MessageID>uuid:1</a:MessageID>
  <w:Locale xml:lang="en-US" s:mustUnderstand="false"/>
  <p:DataLocale xml:lang="en-US" s:mustUnderstand="false"/>
  {selectors}
  <w:OperationTimeout>PT60S</w:OperationTimeout>
"""
SELECTORS = (
    '<w:SelectorSet><w:Selector Name="JobId">{9D5C4B47-E79E-4090-BC3B-552578D0EC8C}</w:Selector>'
    "</w:SelectorSet>"
)
NAMESPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"'
    ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
    ' xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"


def sent(request: Request | Pull | Release, **options: object) -> etree._Element:
    octets = envelope(request, to=TO, message_id="uuid:1", max_envelope_bytes=153600, **options)  # type: ignore[arg-type]
    return etree.fromstring(octets)


def expected(
    action: str, body: str, *, selectors: str = "", resource: str = JOBS
) -> etree._Element:
    header = HEADER.format(resource=resource, action=action, selectors=selectors)
    text = f"<s:Envelope {NAMESPACES}><s:Header>{header}</s:Header>{body}</s:Envelope>"
    return etree.fromstring(text, etree.XMLParser(remove_blank_text=True))


def flat(element: etree._Element) -> list[object]:
    """Element by element: name, attributes in order, text. Prefixes are free."""
    return [
        (
            e.tag,
            [(k, v) for k, v in e.attrib.items() if not str(k).endswith("type")],
            (e.text or "").strip(),
        )
        for e in element.iter()
    ]


CASES: dict[str, tuple[Request | Pull | Release, etree._Element]] = {
    "get": (
        Get(JOBS, KEY),
        expected(f"{TRANSFER}/Get", "<s:Body/>", selectors=SELECTORS),
    ),
    "put of a fragment": (
        Put(JOBS, KEY, (("Priority", 0),)),
        expected(
            f"{TRANSFER}/Put",
            f'<s:Body><w:XmlFragment><q:Priority xmlns:q="{JOBS}">0</q:Priority></w:XmlFragment>'
            "</s:Body>",
            selectors='<w:FragmentTransfer s:mustUnderstand="true">Priority</w:FragmentTransfer>'
            + SELECTORS,
        ),
    ),
    "put of an instance": (
        Put(JOBS, KEY, (("JobId", KEY[0][1]), ("Priority", 0)), fragment=False),
        expected(
            f"{TRANSFER}/Put",
            f'<s:Body><q:BitsClientJob xmlns:q="{JOBS}"><q:JobId>{KEY[0][1]}</q:JobId>'
            "<q:Priority>0</q:Priority></q:BitsClientJob></s:Body>",
            selectors=SELECTORS,
        ),
    ),
    "static method": (
        Invoke(
            JOBS,
            "CreateJob",
            (
                ("DisplayName", "nightly"),
                ("RemoteUrl", "http://files/x.iso"),
                ("LocalFile", "D:\\in\\x.iso"),
                ("ServiceAccount", 2),
                ("Type", 0),
                ("Suspend", True),
                ("Description", None),
            ),
        ),
        expected(
            f"{JOBS}/CreateJob",
            f'<s:Body><q:CreateJob_INPUT xmlns:q="{JOBS}"><q:DisplayName>nightly</q:DisplayName>'
            "<q:RemoteUrl>http://files/x.iso</q:RemoteUrl><q:LocalFile>D:\\in\\x.iso</q:LocalFile>"
            "<q:ServiceAccount>2</q:ServiceAccount><q:Type>0</q:Type><q:Suspend>true</q:Suspend>"
            '<q:Description xsi:nil="true"/></q:CreateJob_INPUT></s:Body>',
        ),
    ),
    "method without parameters": (
        Invoke(JOBS, "RemoveClientCertificate", (), KEY),
        expected(
            f"{JOBS}/RemoveClientCertificate",
            f'<s:Body><q:RemoveClientCertificate_INPUT xmlns:q="{JOBS}"/></s:Body>',
            selectors=SELECTORS,
        ),
    ),
    "enumerate": (
        Enumerate(JOBS, page_size=20),
        expected(
            f"{ENUMERATION}/Enumerate",
            "<s:Body><n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>20</w:MaxElements>"
            "</n:Enumerate></s:Body>",
        ),
    ),
    "enumerate by query": (
        Enumerate(JOBS[:-13] + "*", wql="SELECT JobId FROM BitsClientJob", page_size=20),
        expected(
            f"{ENUMERATION}/Enumerate",
            "<s:Body><n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>20</w:MaxElements>"
            '<w:Filter Dialect="http://schemas.microsoft.com/wbem/wsman/1/WQL">'
            "SELECT JobId FROM BitsClientJob</w:Filter></n:Enumerate></s:Body>",
            resource=JOBS[:-13] + "*",
        ),
    ),
    "pull": (
        Pull(Enumerate(JOBS, page_size=20), "uuid:c"),
        expected(
            f"{ENUMERATION}/Pull",
            "<s:Body><n:Pull><n:EnumerationContext>uuid:c</n:EnumerationContext>"
            "<n:MaxElements>20</n:MaxElements></n:Pull></s:Body>",
        ),
    ),
    "release": (
        Release(Enumerate(JOBS, page_size=20), "uuid:c"),
        expected(
            f"{ENUMERATION}/Release",
            "<s:Body><n:Release><n:EnumerationContext>uuid:c</n:EnumerationContext></n:Release></s:Body>",
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_request_is_element_by_element_what_the_specification_shows(name: str) -> None:
    request, wanted = CASES[name]
    assert flat(sent(request)) == flat(wanted)


def test_identify_has_an_empty_header() -> None:
    root = sent(Identify())
    assert len(root[0]) == 0
    space = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
    assert [child.tag for child in root[1]] == [f"{{{space}}}Identify"]


def test_the_prefix_p_means_the_class_in_the_body() -> None:
    octets = envelope(Invoke(JOBS, "CreateJob", (("Type", 0),)), to=TO)
    assert f'<p:CreateJob_INPUT xmlns:p="{JOBS}"><p:Type>0</p:Type>'.encode() in octets


def test_every_message_has_an_id_of_its_own() -> None:
    found = {re.search(rb"uuid:[0-9A-F-]{36}", envelope(Get(JOBS), to=TO))[0] for _ in range(5)}  # type: ignore[index]
    assert len(found) == 5


@pytest.mark.parametrize(
    ("seconds", "text"), [(60, "PT60S"), (0.5, "PT0.5S"), (60.0, "PT60S"), (1e6, "PT1000000S")]
)
def test_a_time_out_is_written_as_a_duration(seconds: float, text: str) -> None:
    root = sent(Get(JOBS), operation_timeout_s=seconds)
    assert root.findtext("s:Header/w:OperationTimeout", namespaces=NS) == text


def test_bytes_go_as_one_number_each_and_an_empty_array_as_nothing() -> None:
    root = sent(
        Invoke(JOBS, "M", (("CertHash", b"\x00\xff\x10"), ("None", ()), ("Two", ["a", True])))
    )
    sent_values = [(child.tag.rpartition("}")[2], child.text) for child in root[1][0]]
    assert sent_values == [
        ("CertHash", "0"),
        ("CertHash", "255"),
        ("CertHash", "16"),
        ("Two", "a"),
        ("Two", "true"),
    ]


def test_an_embedded_instance_keeps_its_own_namespace() -> None:
    file = Instance("BitsClientFile", {"LocalFile": "D:\\x", "Completed": None}, "urn:files")
    root = sent(Put("http://x/Jobs", (), (("Files", [file, file]),), fragment=False))
    files = root[1][0]
    assert [f.tag for f in files] == ["{http://x/Jobs}Files"] * 2
    assert (
        files[0].get("{http://www.w3.org/2001/XMLSchema-instance}type") == "p1:BitsClientFile_Type"
    )
    assert files[0].nsmap["p1"] == "urn:files"
    assert [(c.tag, c.text) for c in files[0]] == [
        ("{urn:files}LocalFile", "D:\\x"),
        ("{urn:files}Completed", None),
    ]


def test_a_carriage_return_survives_as_a_character_reference() -> None:
    octets = envelope(Invoke(JOBS, "M", (("Text", "a\r\nb\rc\td"),)), to=TO)
    assert b"a&#13;\nb&#13;c\td" in octets
    assert etree.fromstring(octets)[1][0][0].text == "a\r\nb\rc\td"


@pytest.mark.parametrize(
    "bad", ["\x00", "\x0b", "\x1b[2J", "\ufffe", "\uffff", "\ud800", "a\udfff"]
)
def test_what_xml_cannot_carry_is_refused_by_name(bad: str) -> None:
    with pytest.raises(RequestRefused, match="DisplayName has a character that XML cannot carry"):
        envelope(Invoke(JOBS, "CreateJob", (("DisplayName", f"x{bad}"),)), to=TO)


@pytest.mark.parametrize(
    ("request_", "called"),
    [
        (Get(JOBS, (("JobId", "\x00"),)), "selector JobId"),
        (Get(JOBS, (("\x00", "x"),)), "selector name"),
        (Get("urn:\x00"), "ResourceURI"),
        (Enumerate(JOBS, wql="\x00"), "query"),
        (Invoke(JOBS, "no name", ()), "no name_INPUT"),
        (Invoke(JOBS, "M", (("1st", "x"),)), "1st"),
        (Invoke(JOBS, "M", (("Big", 2**64),)), "Big"),
        (Invoke(JOBS, "M", (("Small", -(2**63) - 1),)), "Small"),
        (Invoke(JOBS, "M", (("Nested", [["x"]]),)), "Nested"),
        (Invoke(JOBS, "M", (("Ratio", 0.5),)), "Ratio"),  # type: ignore[arg-type]
        (Invoke(JOBS, "M", (("Password", Secret("\x00")),)), "Password"),
    ],
)
def test_whatever_cannot_be_sent_is_refused_by_name(request_: Request, called: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        envelope(request_, to=TO)
    assert called in caught.value.name


def test_numbers_up_to_64_bits_are_sent_in_full() -> None:
    root = sent(Invoke(JOBS, "M", (("A", 2**64 - 1), ("B", -(2**63)))))
    assert [c.text for c in root[1][0]] == ["18446744073709551615", "-9223372036854775808"]


def test_a_secret_is_sent_and_never_shown() -> None:
    request = Invoke(JOBS, "SetCredentials", (("Password", Secret("pa$$ & <word>")),))
    assert "pa$$" not in repr(request)
    assert "pa$$" not in str(request.arguments[0][1])
    shown = envelope(request, to=TO, for_show=True)
    assert b"pa$$" not in shown
    assert b"<p:Password>***</p:Password>" in shown
    assert sent(request)[1][0][0].text == "pa$$ & <word>"


def test_a_shown_envelope_is_indented() -> None:
    assert b"\n    <a:To>" in envelope(Get(JOBS), to=TO, for_show=True)


def test_a_fragment_is_exactly_one_property() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Put(JOBS, KEY, (("A", 1), ("B", 2)))


XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
        lambda c: c >= " " or c in "\t\n\r"
    )
)


@given(text=XML_TEXT, number=st.integers(0, 2**64 - 1), flag=st.booleans())
def test_every_sendable_value_comes_back_as_it_was(text: str, number: int, flag: bool) -> None:
    values = (("Text", text), ("Number", number), ("Flag", flag), ("Nothing", None))
    octets = envelope(Invoke(JOBS, "M", values, (("Key", text),)), to=TO)
    root = answers.parse(octets)
    read = answers.instance_of(answers.soap_body(root))
    assert read.text("Text") == text
    assert read.uint("Number") == number
    assert read.boolean("Flag") is flag
    assert read["Nothing"] is None
    assert root.findtext("s:Header/w:SelectorSet/w:Selector", namespaces=NS) == (text or "")


@given(st.text())
def test_any_text_is_sent_unchanged_or_refused_with_a_reason(text: str) -> None:
    request = Invoke(JOBS, "M", (("Text", text),))
    if all(c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff") for c in text) and not (
        {"\ufffe", "\uffff"} & set(text)
    ):
        root = answers.parse(envelope(request, to=TO))
        assert answers.instance_of(answers.soap_body(root)).text("Text") == text
    else:
        with pytest.raises(RequestRefused, match=r"Text has a character .* \(U\+"):
            envelope(request, to=TO)


@pytest.mark.parametrize(
    ("request_", "words", "reads"),
    [
        (Get(JOBS), "Get BitsClientJob", True),
        (Put(JOBS, KEY, (("Priority", 0),)), "Put BitsClientJob.Priority", False),
        (Put(JOBS, KEY, (), fragment=False), "Put BitsClientJob", False),
        (Invoke(JOBS, "CreateJob"), "CreateJob", False),
        (Invoke(JOBS, "GetError", is_read=True), "GetError", True),
        (Enumerate(JOBS), "Enumerate BitsClientJob", True),
        (Enumerate("urn:x/*", wql="select * from BitsClientJob"), "Enumerate BitsClientJob", True),
        (Identify(), "Identify", True),
    ],
)
def test_a_request_has_a_short_name(request_: Request, words: str, reads: bool) -> None:
    assert request_.describe() == words
    assert request_.is_read is reads


@given(
    st.sampled_from([TO, "https://[fe80::1]:5986/wsman", "http://srv&01/wsman?a='b'", ""]),
    st.text() | st.uuids().map(lambda one: f"uuid:{one}"),
    st.sampled_from([None, "SELECT * FROM BitsClientJob WHERE DisplayName <> '&'"]),
)
def test_messages_of_an_enumeration_are_the_same_when_made_from_a_template(
    to: str, context: str, wql: str | None
) -> None:
    enumeration = Enumerate(JOBS, wql)
    for request in (enumeration, Pull(enumeration, context)):
        made = _bytes_or_refusal(lambda: page_envelope(request, to=to, message_id="uuid:1"))  # noqa: B023  # called at once
        assert made == _bytes_or_refusal(lambda: envelope(request, to=to, message_id="uuid:1"))  # noqa: B023


def test_every_message_from_a_template_has_an_id_of_its_own() -> None:
    made = {page_envelope(Enumerate(JOBS), to=TO) for _ in range(3)}
    assert len(made) == 3


def _bytes_or_refusal(make: Callable[[], bytes]) -> bytes | str:
    try:
        return make()
    except RequestRefused as error:
        return str(error)
