"""Wires for tests: they answer from a script, and note what was sent."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeAlias

from lxml import etree

from bitsshell.wsman import Answer, Retry, WSManClient, WSManError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SOAP_TYPE = "application/soap+xml;charset=UTF-8"
Step: TypeAlias = "Answer | bytes | BaseException | Callable[[bytes], Answer | bytes]"

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
}


def soap(body: str, *, status: int = 200) -> Answer:
    """An answer with this body in an envelope."""
    declared = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in NS.items())
    envelope = f"<s:Envelope {declared}><s:Header/><s:Body>{body}</s:Body></s:Envelope>"
    return Answer(status, {"content-type": SOAP_TYPE}, envelope.encode())


def fault(code: int, *, subcode: str = "w:InternalError", text: str = "no") -> Answer:
    """A Windows fault of the first shape."""
    return soap(
        f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{subcode}</s:Value>"
        f"</s:Subcode></s:Code><s:Reason><s:Text>{text}</s:Text></s:Reason>"
        f'<s:Detail><f:WSManFault Code="{code}" Machine="h"><f:Message>{text}</f:Message>'
        "</f:WSManFault></s:Detail></s:Fault>",
        status=500,
    )


def result_of(call: Callable[[], object]) -> object:
    """What a call returns, or the error that it raises."""
    try:
        return call()
    except WSManError as error:
        return error


def aborted(client: WSManClient, until: Callable[[], bool]) -> object:
    """Start a change, abort it as soon as the condition holds, and give what it raised."""
    results: list[object] = []
    thread = threading.Thread(
        target=lambda: results.append(result_of(lambda: client.invoke("urn:x/J", "Do")))
    )
    thread.start()
    deadline = time.monotonic() + 10
    while not until():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)
    began = time.monotonic()
    client.abort()
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - began < 1.0
    return results[0]


def job(number: int) -> str:
    """A small instance for a page."""
    return f'<p:Job xmlns:p="urn:jobs"><p:JobId>{number}</p:JobId></p:Job>'


def first_page(*numbers: int, context: str = "c1", ended: bool = False) -> Answer:
    """An EnumerateResponse as Windows sends it: Items and EndOfSequence in the w namespace."""
    end = "<w:EndOfSequence/>" if ended else ""
    return soap(
        f"<n:EnumerateResponse><n:EnumerationContext>{context}</n:EnumerationContext>"
        f"<w:Items>{''.join(map(job, numbers))}</w:Items>{end}</n:EnumerateResponse>"
    )


def next_page(*numbers: int, context: str = "c2", ended: bool = False) -> Answer:
    """A PullResponse as Windows sends it: Items and EndOfSequence in the n namespace."""
    end = "<n:EndOfSequence/>" if ended else ""
    named = f"<n:EnumerationContext>{context}</n:EnumerationContext>" if context else ""
    return soap(
        f"<n:PullResponse>{named}<n:Items>{''.join(map(job, numbers))}</n:Items>{end}"
        "</n:PullResponse>"
    )


OUTPUT = soap('<p:Do_OUTPUT xmlns:p="urn:jobs"><p:ReturnValue>0</p:ReturnValue></p:Do_OUTPUT>')


class ReplayWire:
    """Answers from a script, one step an exchange; a step that is an error is raised."""

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        self.steps = list(steps)
        self.sent: list[bytes] = []
        self.waits: list[tuple[float, float]] = []
        self.closed = False
        self.aborted = threading.Event()

    def exchange(self, envelope: bytes, *, connect_s: float, read_s: float) -> Answer:
        assert not self.closed, "a closed wire was used again"
        self.sent.append(envelope)
        self.waits.append((connect_s, read_s))
        assert self.steps, "one exchange more than the script has"
        step = self.steps.pop(0)
        if callable(step):
            step = step(envelope)
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, bytes):
            return Answer(200, {"content-type": SOAP_TYPE}, step)
        return step

    def abort(self) -> None:
        self.aborted.set()

    def close(self) -> None:
        self.closed = True


class Script:
    """Wires in the order in which a client asks for them, and a client that uses them."""

    def __init__(
        self, *wires: Iterable[Step], retry: Retry | None = None, **options: object
    ) -> None:
        self.waiting = [ReplayWire(steps) for steps in wires]
        self.made: list[ReplayWire] = []
        self.slept: list[float] = []
        self.now = 0.0
        policy = retry or Retry(sleep=self.sleep, random=lambda: 0.0, clock=lambda: self.now)
        self.client = WSManClient(
            self.connect,
            host="srv01",
            to="http://srv01:5985/wsman",
            retry=policy,
            scheme="ntlm",
            user="CONTOSO\\ann",
            **options,  # type: ignore[arg-type]
        )

    def connect(self) -> ReplayWire:
        assert self.waiting, "one wire more than the script has"
        self.made.append(self.waiting.pop(0))
        return self.made[-1]

    def sleep(self, delay_s: float) -> None:
        self.slept.append(delay_s)
        self.now += delay_s

    @property
    def sent(self) -> list[etree._Element]:
        """Everything that was sent over all wires, parsed."""
        return [etree.fromstring(envelope) for wire in self.made for envelope in wire.sent]

    @property
    def actions(self) -> list[str]:
        """The last part of each action that was sent."""
        found = (e.findtext("s:Header/a:Action", namespaces=NS) or "" for e in self.sent)
        return [action.rpartition("/")[2] for action in found]
