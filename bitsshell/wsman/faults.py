"""SOAP faults become `Fault`s here, whatever their shape (wire.md 4.10).

Windows sends four shapes of detail, OMI one of its own, and many faults have none. What they have
in common is read in one pass over the detail, by local names; texts are kept, never interpreted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bitsshell.wsman import namespaces as ns
from bitsshell.wsman.answers import local_name
from bitsshell.wsman.errors import WSManError
from bitsshell.wsman.texts import clean

if TYPE_CHECKING:
    from lxml import etree


# Answers that prove that the request was not carried out (wire.md 4.10): load quotas.
QUOTA_CODES = frozenset({*range(2150859174, 2150859177), *range(2150859237, 2150859241)})
OPERATION_TIMED_OUT = 2150858793
_ACCESS_DENIED_CODES = frozenset({5, 0x80070005, 2150859012, 2150859013, 2150859014})
_REMOTE_DISABLED_CODES = frozenset({2150859229, 2150859235})


class Fault(WSManError):
    """The host's own refusal: a SOAP fault, in any of the four Windows shapes or OMI's.

    soap_code    `Sender`, `Receiver`, `MustUnderstand`, ... without prefix
    subcode      such as `DestinationUnreachable`, without prefix; empty when there is none
    codes        every Windows, WS-Man or HRESULT number in the chain, outer first, each once:
                 WSManFault, the provider's inner ones, ExtendedStatus, MSFT_WmiError
    cim_status   CIMStatusCode, kept apart: its small numbers mean something else than Win32's
    omi_code     OMI's own result code, kept apart for the same reason
    text         the reason, in whatever language
    provider_text, provider, machine, detail_uri    as sent; empty when not sent
    """

    soap_code: str
    subcode: str
    codes: tuple[int, ...]
    cim_status: int | None
    omi_code: int | None
    text: str
    provider_text: str
    provider: str
    machine: str
    detail_uri: str

    def __init__(
        self,
        *,
        soap_code: str = "",
        subcode: str = "",
        codes: tuple[int, ...] = (),
        cim_status: int | None = None,
        omi_code: int | None = None,
        text: str = "",
        provider_text: str = "",
        provider: str = "",
        machine: str = "",
        detail_uri: str = "",
        **data: Any,
    ) -> None:
        super().__init__(
            soap_code=soap_code,
            subcode=subcode,
            codes=codes,
            cim_status=cim_status,
            omi_code=omi_code,
            text=text,
            provider_text=provider_text,
            provider=provider,
            machine=machine,
            detail_uri=detail_uri,
            **data,
        )

    @property
    def code(self) -> int | None:
        """The most specific code: the innermost of the chain."""
        return self.codes[-1] if self.codes else None

    @property
    def is_quota(self) -> bool:
        """A load quota was hit: the request was not carried out and may be sent again."""
        return not QUOTA_CODES.isdisjoint(self.codes)

    @property
    def is_timed_out(self) -> bool:
        """The operation time-out ran out on the host (2150858793, `w:TimedOut`)."""
        return OPERATION_TIMED_OUT in self.codes or self.subcode == "TimedOut"

    @property
    def is_access_denied(self) -> bool:
        """The account may not do this."""
        return self.subcode == "AccessDenied" or not _ACCESS_DENIED_CODES.isdisjoint(self.codes)

    @property
    def may_have_been_applied(self) -> bool:
        """A refusal says no, except where it only says that time ran out."""
        return self.change and self.is_timed_out

    def what(self) -> str:
        """Operation, the host's words and the code."""
        words = clean(self.provider_text or self.text, 300) or "no reason given"
        code = f"0x{self.code:08X}" if self.code and self.code > 0xFFFF else str(self.code or "")
        named = ", ".join(part for part in (code, self.subcode) if part)
        what = self.operation or "the request"
        return f"the host refused {what}: {words}{f' ({named})' if named else ''}"

    @property
    def hint(self) -> str | None:
        """For the few refusals that have nothing to do with what was asked."""
        if self._hint or self.may_have_been_applied:
            return self._hint or super().hint
        if self.is_access_denied:
            return "the account must be in the host's Administrators group"
        if self.is_quota:
            return "the host is at its limit of WinRM calls: try again in a while"
        if not _REMOTE_DISABLED_CODES.isdisjoint(self.codes):
            return "WinRM refuses remote calls there: winrm quickconfig on the host"
        return None


def fault_of(body: etree._Element) -> Fault | None:
    """The fault in a Body, None when there is none."""
    element = body.find(f"{{{ns.SOAP}}}Fault")
    if element is None:
        return None
    found = _Details()
    detail = element.find(f"{{{ns.SOAP}}}Detail")
    if detail is not None:
        for child in detail.iter():
            found.take(child)
    return Fault(
        soap_code=_qname(element, "Code", "Value"),
        subcode=_qname(element, "Code", "Subcode", "Value"),
        codes=tuple(dict.fromkeys(found.codes)),
        cim_status=found.cim_status,
        omi_code=found.omi_code,
        text=_reason(element),
        provider_text=found.provider_text,
        provider=found.provider,
        machine=found.machine,
        detail_uri=found.detail_uri,
    )


class _Details:
    """What a Detail tells, gathered in document order, which is outer first."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.cim_status: int | None = None
        self.omi_code: int | None = None
        self.provider_text = ""
        self.provider = ""
        self.machine = ""
        self.detail_uri = ""

    def take(self, element: etree._Element) -> None:
        name = local_name(element)
        text = " ".join((element.text or "").split())
        if name == "WSManFault":
            self._add_code(element.get("Code"))
            self.machine = self.machine or element.get("Machine") or ""
        elif name == "ProviderFault":
            self.provider = self.provider or (element.get("provider") or "").strip()
            self.provider_text = text or self.provider_text
        elif name == "FaultDetail":
            self.detail_uri = text
        elif name in ("Message", "OMI_ErrorMessage", "error_WindowsErrorMessage"):
            self._take_words(name, text)
        else:
            self._take_number(element, name, text)

    def _take_words(self, name: str, text: str) -> None:
        if name == "Message":
            self.provider_text = text or self.provider_text
        else:
            # The code's general text; a Message before it says more.
            self.provider_text = self.provider_text or text

    def _take_number(self, element: etree._Element, name: str, text: str) -> None:
        match name:
            case "StatusCode":
                self._add_code(text)
            case "MessageID" if (hresult := _HRESULT.fullmatch(text)) is not None:
                self._add_code(hresult[1])
            case "error_Code":
                self._take_wmi_code(element, text)
            case "CIMStatusCode":
                self.cim_status = number_of(text)
            case "OMI_Code":
                self.omi_code = number_of(text)
            case _:
                pass

    def _take_wmi_code(self, element: etree._Element, text: str) -> None:
        parent = element.getparent()
        kinds = [] if parent is None else [c.text for c in parent if local_name(c) == "error_Type"]
        if "MI" in kinds:
            self.omi_code = number_of(text)
        else:
            self._add_code(text)

    def _add_code(self, text: str | None) -> None:
        code = number_of(text)
        if code:  # 0 is no error and says nothing
            self.codes.append(code)


_HRESULT = re.compile(r"HRESULT\s+(0x[0-9a-f]{1,8})", re.IGNORECASE)
_NUMBER = re.compile(r"(-?)(0x[0-9a-f]{1,8}|[0-9]{1,10})", re.IGNORECASE)


def number_of(text: str | None) -> int | None:
    """A code as sent: decimal, hexadecimal, or a negative number standing for its 32 bits."""
    found = _NUMBER.fullmatch(text.strip()) if text else None
    if found is None:
        return None
    digits = found[2]
    number = int(digits, 16) if digits[:2].lower() == "0x" else int(digits)
    if number > 0xFFFFFFFF:
        return None
    return -number & 0xFFFFFFFF if found[1] else number


def _qname(element: etree._Element, *path: str) -> str:
    value = element.findtext("/".join(f"{{{ns.SOAP}}}{part}" for part in path)) or ""
    return value.strip().rpartition(":")[2]


def _reason(element: etree._Element) -> str:
    for text in element.iterfind(f"{{{ns.SOAP}}}Reason/{{{ns.SOAP}}}Text"):
        if text.text and text.text.strip():
            return " ".join(text.text.split())
    return ""
