"""A host that answers from a script, and notes what it was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias
from xml.sax.saxutils import escape

from lxml import etree

from bitsshell.bits import BitsProvider
from bitsshell.bits.elements import JOB_RESOURCE
from bitsshell.wsman import Answer, AnswerLost, ConnectFailed, Retry, WSManClient

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
ID = "9D5C4B47-E79E-4090-BC3B-552578D0EC8C"
OLD = "11111111-1111-4111-8111-111111111111"
FILE_RESOURCE = JOB_RESOURCE.replace("BitsClientJob", "BitsClientFile")

LOST = AnswerLost
"""The request was sent, and the connection ended. A class, for errors learn where they happened."""
DOWN = ConnectFailed
"""Nothing could be sent."""

Step: TypeAlias = "Answer | Exception | type[Exception]"


@dataclass(frozen=True)
class Asked:
    """One request as the host saw it: what, of which job, with what."""

    name: str
    job_id: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, name: str) -> str:
        return dict(self.arguments)[name]


def soap(body: str, *, status: int = 200) -> Answer:
    declared = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in NS.items())
    text = f"<s:Envelope {declared}><s:Header/><s:Body>{body}</s:Body></s:Envelope>"
    return Answer(status, {"content-type": "application/soap+xml;charset=UTF-8"}, text.encode())


def instance(
    job_id: str = ID, *, files: tuple[tuple[str, str], ...] = (), **properties: object
) -> str:
    """A job as Windows writes it; without State it is suspended."""
    given = {"JobId": f"{{{job_id}}}", "DisplayName": "nightly", "State": 3, **properties}
    parts = [f"<p:{name}>{escape(str(value))}</p:{name}>" for name, value in given.items()]
    parts += [
        f'<p:Files xmlns:p1="{FILE_RESOURCE}" xsi:type="p1:BitsClientFile_Type">'
        f"<p1:LocalFile>{escape(path)}</p1:LocalFile><p1:RemoteUrl>{escape(url)}</p1:RemoteUrl>"
        "</p:Files>"
        for url, path in files
    ]
    return f'<p:BitsClientJob xmlns:p="{JOB_RESOURCE}">{"".join(parts)}</p:BitsClientJob>'


def job(
    job_id: str = ID, *, files: tuple[tuple[str, str], ...] = (), **properties: object
) -> Answer:
    """The answer to a Get."""
    return soap(instance(job_id, files=files, **properties))


def queue(*instances: str) -> Answer:
    """The answer to an enumeration that ends at once."""
    return soap(
        "<n:EnumerateResponse><n:EnumerationContext/>"
        f"<w:Items>{''.join(instances)}</w:Items><w:EndOfSequence/></n:EnumerateResponse>"
    )


def output(returned: object = 0, **out: object) -> Answer:
    """The answer to a method."""
    given = {**out, "ReturnValue": returned}
    parts = "".join(f"<p:{name}>{escape(str(value))}</p:{name}>" for name, value in given.items())
    return soap(f'<p:Some_OUTPUT xmlns:p="{JOB_RESOURCE}">{parts}</p:Some_OUTPUT>')


def created(job_id: str = ID, returned: int = 0) -> Answer:
    return output(returned, JobId=f"{{{job_id}}}")


def put() -> Answer:
    """The answer to a Put: the changed fragment."""
    return soap("<w:XmlFragment/>")


def fault(code: int, *inner: int, subcode: str = "w:InternalError") -> Answer:
    """A fault of the first shape, or of the second with the provider's own codes in it."""
    text = "no"
    for number in reversed(inner):
        text = (
            '<f:ProviderFault provider="WMI">'
            f'<f:WSManFault Code="{number}"><f:Message>{text}</f:Message></f:WSManFault>'
            "</f:ProviderFault>"
        )
    return soap(
        f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{subcode}</s:Value>"
        "</s:Subcode></s:Code><s:Reason><s:Text>the host's own words</s:Text></s:Reason>"
        f'<s:Detail><f:WSManFault Code="{code}"><f:Message>{text}</f:Message></f:WSManFault>'
        "</s:Detail></s:Fault>",
        status=500,
    )


NOT_FOUND = fault(2150858752, subcode="a:DestinationUnreachable")
WBEM_E_FAILED = fault(2147749889)
ACCESS_DENIED = fault(5, subcode="w:AccessDenied")
TIMED_OUT = fault(2150858793, subcode="w:TimedOut")


class ScriptedHost:
    """The wire of a host and the provider on it. Every wire that is made shares the script."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.asked: list[Asked] = []
        self.slept: list[float] = []
        never = Retry(attempts=1)
        client = WSManClient(lambda: self, host="srv01", to="http://srv01:5985/wsman", retry=never)
        self.provider = BitsProvider(client, host="srv01", sleep=self.slept.append)

    @property
    def names(self) -> list[str]:
        """What was asked, in order."""
        assert not self.steps, f"{len(self.steps)} answers were never asked for"
        return [asked.name for asked in self.asked]

    def exchange(self, envelope: bytes, *, connect_s: float, read_s: float) -> Answer:
        self.asked.append(_read(envelope))
        assert self.steps, f"nothing is scripted for {self.asked[-1]}"
        step = self.steps.pop(0)
        if isinstance(step, Answer):
            return step
        raise step

    def abort(self) -> None:
        """Nothing blocks here."""

    def close(self) -> None:
        """Nothing is open here."""


def _read(envelope: bytes) -> Asked:
    root = etree.fromstring(envelope)
    action = root.findtext("s:Header/a:Action", namespaces=NS) or "Identify"
    selector = root.findtext("s:Header/w:SelectorSet/w:Selector", namespaces=NS)
    body = root.find("s:Body", NS)
    assert body is not None
    filter_ = body.findtext("n:Enumerate/w:Filter", namespaces=NS)
    inputs = body.findall("*/*") if filter_ is None else []
    arguments = [(etree.QName(element).localname, element.text or "") for element in inputs]
    if filter_ is not None:
        arguments = [("wql", filter_)]
    return Asked(action.rpartition("/")[2], selector, tuple(arguments))
