"""One host's WS-Management service: an envelope in, an envelope out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import classes, config, faults, names
from .enumeration import Enumerations, read_enumerate
from .names import q
from .resources import Resources
from .soap import NotUnderstoodError, Request, envelope, parse, read_request
from .texts import DEFAULT_LOCALE, LOCALES
from .xmltext import element, empty, text_element

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..clock import Clock
    from ..settings import WinRmSettings
    from .wmiclass import WmiClass

_OK, _FAULT = 200, 500


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: an HTTP status and an envelope."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was read, with the name of its operation, before it takes effect."""

    operation: str
    """`Get`, `Put`, `Enumerate`, `Pull`, `Release`, `Delete`, `Identify` or a method's name."""
    request: Request
    run: Callable[[], str]
    """Carries it out and returns the answer's envelope."""


class WsManService:
    """Reads, carries out and answers the requests to one host."""

    def __init__(
        self,
        machine: str,
        wmi_classes: Iterable[WmiClass],
        clock: Clock,
        settings: WinRmSettings,
        locale: str,
    ) -> None:
        self._machine = machine
        self._settings = settings
        self._locale = locale
        self._resources = Resources(wmi_classes, settings)
        self._enumerations = Enumerations(
            clock, settings.enumeration_timeout_s, settings.max_batch_items
        )

    def read(self, data: bytes, charset: str) -> Call | Reply:
        """What a request's body asks for, or the fault that answers it at once.

        Raises:
            NotSoapError: it is no envelope.
        """
        root = parse(data, charset)
        message_id = root.findtext(
            f"{q(names.SOAP, 'Header')}/{q(names.ADDRESSING, 'MessageID')}", ""
        ).strip()
        try:
            request = read_request(root)
            return self._call(request)
        except NotUnderstoodError as error:
            return self._not_understood(error, message_id)
        except faults.SoapFaultError as fault:
            return self.fault(fault, message_id, None)

    def answer(self, call: Call) -> Reply:
        """Carry the operation out."""
        try:
            return Reply(_OK, call.run())
        except faults.SoapFaultError as fault:
            return self.fault(fault, call.request.message_id, call.request.locale)

    def fault(self, fault: faults.SoapFaultError, message_id: str, locale: str | None) -> Reply:
        """A fault's envelope, with the status that all faults have."""
        language = self._language(locale)
        body = fault.body(self._machine, language)
        text = envelope(fault.action, message_id, body, prefixes="saxenwp", locale=language)
        return Reply(_FAULT, text)

    def identify(self, *, authenticated: bool) -> Reply:
        """The answer to Identify, which tells the version only to those who logged on (4.9)."""
        version = self._settings.product_version
        if not authenticated:
            version = "OS: 0.0.0 SP: 0.0 Stack: 3.0"
        content = (
            text_element("wsmid:ProtocolVersion", names.PREFIXES["w"]),
            text_element("wsmid:ProductVendor", "Microsoft Corporation"),
            text_element("wsmid:ProductVersion", version),
        )
        body = element("wsmid:IdentifyResponse", content, {"xmlns:wsmid": names.IDENTITY})
        text = element(
            "s:Envelope",
            empty("s:Header") + element("s:Body", body),
            {"xml:lang": self._locale, "xmlns:s": names.SOAP},
        )
        return Reply(_OK, text)

    def _call(self, request: Request) -> Call:
        if request.identify:
            return Call("Identify", request, lambda: self.identify(authenticated=True).body)
        operation = names.OPERATIONS.get(request.action)
        if operation is None:
            method = self._resources.method(request.action)
            return Call(
                method.name,
                request,
                lambda: self._reply(request, self._resources.invoke(request, method), "sawp"),
            )
        carry_out = {
            "Get": self._get,
            "Put": self._put,
            "Delete": self._delete,
            "Enumerate": self._enumerate,
            "Pull": self._pull,
            "Release": self._release,
        }.get(operation, _not_capable)
        return Call(operation, request, lambda: carry_out(request))

    def _get(self, request: Request) -> str:
        if request.resource_uri.lower() in config.URIS:
            return self._reply(request, config.config_xml(self._settings), "saxwp")
        if request.resource_uri.lower() == classes.CLASS_URI:
            return self._reply(request, classes.class_xml(request, self._resources), "saxwp")
        return self._reply(request, self._resources.get(request), "saxwp")

    def _put(self, request: Request) -> str:
        return self._reply(request, self._resources.put(request), "saxwp")

    def _delete(self, request: Request) -> str:
        return self._reply(request, self._resources.delete(request), "saxwp")

    def _enumerate(self, request: Request) -> str:
        wanted = read_enumerate(request.body)
        items = self._resources.items(request, wanted)
        return self._reply(request, self._enumerations.start(request, wanted, items), "sanwp")

    def _pull(self, request: Request) -> str:
        limit = self._envelope_limit(request)
        return self._reply(request, self._enumerations.pull(request, limit), "sanwp")

    def _envelope_limit(self, request: Request) -> int:
        limit = self._settings.max_envelope_kb * 1024
        asked = request.max_envelope_bytes
        return limit if asked is None else min(limit, asked)

    def _release(self, request: Request) -> str:
        self._enumerations.release(request)
        return self._reply(request, "", "sanwp")

    def _reply(self, request: Request, body: str, prefixes: str) -> str:
        header = ""
        if request.fragment_path is not None:
            header = text_element(
                "w:FragmentTransfer", request.fragment_path, {"s:mustUnderstand": "true"}
            )
        text = envelope(
            f"{request.action}Response",
            request.message_id,
            body,
            prefixes=prefixes,
            locale=self._language(request.locale),
            header=header,
        )
        if len(text.encode()) > self._envelope_limit(request):
            raise faults.encoding_limit()
        return text

    def _not_understood(self, error: NotUnderstoodError, message_id: str) -> Reply:
        mark = empty(
            "s:NotUnderstood",
            {"qname": f"ns:{error.local}", "xmlns:ns": error.namespace},
        )
        text = (
            "The WS-Management service cannot process a SOAP header in the request that is marked "
            "as mustUnderstand by the client. "
        )
        body = element(
            "s:Fault",
            element("s:Code", text_element("s:Value", "s:MustUnderstand"))
            + element("s:Reason", text_element("s:Text", text, {"xml:lang": self._locale})),
        )
        envelope_text = envelope(
            names.ADDRESSING_FAULT,
            message_id,
            body,
            prefixes="saxenwp",
            locale=self._locale,
            header=mark,
        )
        return Reply(_FAULT, envelope_text)

    def _language(self, asked: str | None) -> str:
        """The language of the answer: the asked one if the host has it, else the host's (4.2)."""
        if self._locale != DEFAULT_LOCALE:
            return self._locale
        return asked if asked in LOCALES else self._locale


def _not_capable(request: Request) -> str:
    """Create: the provider has methods for that."""
    del request
    raise faults.not_capable()
