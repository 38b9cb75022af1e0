"""Clients of other people's making, and hand-written envelopes, for the tests of the fleet."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import winrm.transport
from lxml import etree
from pypsrp.wsman import OptionSet, SelectorSet, WSMan

if TYPE_CHECKING:
    from bitsshell.practice import PracticeHost

JOB_URI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/microsoft/bits/BitsClientJob"
FILE_URI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/microsoft/bits/BitsClientFile"
ALL_URI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/microsoft/bits/*"
N = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
S = "http://www.w3.org/2003/05/soap-envelope"
A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
T = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
F = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"

CANCEL, COMPLETE, RESUME, SUSPEND = range(4)


def connect(host: PracticeHost, auth: str = "basic", **options: object) -> WSMan:
    """pypsrp's WS-Man client on a practice host."""
    parts = urlsplit(host.endpoint)
    given: dict[str, object] = {
        "username": host.username,
        "password": host.password,
        "encryption": "never" if auth == "basic" else "always",
        "connection_timeout": 10,
        "read_timeout": 20,
        **options,
    }
    return WSMan(
        parts.hostname,
        port=parts.port,
        path=parts.path.lstrip("/"),
        ssl=parts.scheme == "https",
        auth=auth,
        no_proxy=True,
        **given,
    )


def key(job_id: str) -> SelectorSet:
    selectors = SelectorSet()
    selectors.add_option("JobId", job_id)
    return selectors


def children(element: ET.Element | None) -> list[ET.Element]:
    """Those of an element that may not be there."""
    return [] if element is None else list(element)


class BitsOverPypsrp:
    """The provider's calls, through pypsrp's WSMan."""

    def __init__(self, wsman: WSMan) -> None:
        self.wsman = wsman

    def invoke(
        self,
        method: str,
        parameters: Mapping[str, object] | Sequence[tuple[str, object]] = (),
        job_id: str | None = None,
    ) -> dict[str, str | None]:
        body = ET.Element(f"{{{JOB_URI}}}{method}_INPUT")
        pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
        for name, value in pairs:
            ET.SubElement(body, f"{{{JOB_URI}}}{name}").text = str(value)
        answer = self.wsman.invoke(
            f"{JOB_URI}/{method}",
            JOB_URI,
            body,
            selector_set=None if job_id is None else key(job_id),
        )
        output = answer.find(f".//{{{JOB_URI}}}{method}_OUTPUT")
        assert output is not None
        return {child.tag.partition("}")[2]: child.text for child in output}

    def create(self, url: str, path: str, name: str = "job", **more: object) -> str:
        given = {"DisplayName": name, "RemoteUrl": url, "LocalFile": path, "Suspend": "true"}
        answer = self.invoke("CreateJob", given | more)
        assert answer["ReturnValue"] == "0", answer
        assert answer["JobId"] is not None
        return answer["JobId"]

    def set_state(self, job_id: str, action: int) -> int:
        return int(self.invoke("SetJobState", {"JobState": action}, job_id)["ReturnValue"] or "")

    def get(self, job_id: str) -> ET.Element:
        return self.wsman.get(JOB_URI, selector_set=key(job_id))[0]

    def values(self, job_id: str) -> dict[str, str | None]:
        return {child.tag.partition("}")[2]: child.text for child in self.get(job_id)}

    def put(self, job_id: str, properties: Mapping[str, object], options: OptionSet | None = None):
        body = ET.Element(f"{{{JOB_URI}}}BitsClientJob")
        for name, value in properties.items():
            ET.SubElement(body, f"{{{JOB_URI}}}{name}").text = str(value)
        return self.wsman.put(JOB_URI, body, selector_set=key(job_id), option_set=options)[0]

    def enumerate(
        self, *, uri: str = JOB_URI, query: str | None = None, page: int = 100
    ) -> tuple[list[ET.Element], list[str]]:
        """All items, and the contexts in the order in which they came."""
        body = ET.Element(f"{{{N}}}Enumerate")
        ET.SubElement(body, f"{{{W}}}OptimizeEnumeration")
        ET.SubElement(body, f"{{{W}}}MaxElements").text = str(page)
        if query is not None:
            ET.SubElement(body, f"{{{W}}}Filter", Dialect=WQL).text = query
        answer = self.wsman.enumerate(uri, body)[0]
        items = children(answer.find(f"{{{W}}}Items"))
        contexts = []
        while answer.find(f"{{{N}}}EndOfSequence") is None:
            if answer.find(f"{{{W}}}EndOfSequence") is not None:
                break
            context = answer.findtext(f"{{{N}}}EnumerationContext") or ""
            contexts.append(context)
            answer = self.pull(context, uri=uri, page=page)
            items += children(answer.find(f"{{{N}}}Items"))
        return items, contexts

    def pull(self, context: str, *, uri: str = JOB_URI, page: int = 100) -> ET.Element:
        body = ET.Element(f"{{{N}}}Pull")
        ET.SubElement(body, f"{{{N}}}EnumerationContext").text = context
        ET.SubElement(body, f"{{{N}}}MaxElements").text = str(page)
        return self.wsman.pull(uri, body)[0]


def envelope(
    action: str,
    body: str = "",
    *,
    uri: str = JOB_URI,
    selectors: Mapping[str, str] | None = None,
    headers: str = "",
    reply_to: str = f"{A}/role/anonymous",
    message_id: str = "uuid:11111111-2222-3333-4444-555555555555",
    max_envelope: int = 153_600,
) -> str:
    """A request written by hand, as `wire.md` 4.3 shows it."""
    chosen = "".join(
        f'<w:Selector Name="{name}">{value}</w:Selector>'
        for name, value in (selectors or {}).items()
    )
    return (
        f'<s:Envelope xmlns:s="{S}" xmlns:a="{A}" xmlns:w="{W}" xmlns:n="{N}" '
        f'xmlns:p="{JOB_URI}"><s:Header><a:To>http://host:5985/wsman</a:To>'
        f'<w:ResourceURI s:mustUnderstand="true">{uri}</w:ResourceURI>'
        f'<a:ReplyTo><a:Address s:mustUnderstand="true">{reply_to}</a:Address></a:ReplyTo>'
        f'<a:Action s:mustUnderstand="true">{action}</a:Action>'
        f'<w:MaxEnvelopeSize s:mustUnderstand="true">{max_envelope}</w:MaxEnvelopeSize>'
        f"<a:MessageID>{message_id}</a:MessageID>"
        + (f"<w:SelectorSet>{chosen}</w:SelectorSet>" if chosen else "")
        + f"<w:OperationTimeout>PT60S</w:OperationTimeout>{headers}"
        f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def pywinrm(host: PracticeHost, auth: str = "ntlm", **options: object) -> winrm.transport.Transport:
    """pywinrm's transport on a practice host, for envelopes written by hand."""
    return winrm.transport.Transport(
        endpoint=host.endpoint,
        username=host.username,
        password=host.password,
        auth_method=auth,
        proxy=None,
        read_timeout_sec=20,
        **options,
    )


def parsed(answer: bytes | str) -> etree._Element:
    return etree.fromstring(answer.encode() if isinstance(answer, str) else answer)
