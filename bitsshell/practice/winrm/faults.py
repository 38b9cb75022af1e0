"""SOAP faults in the shapes that Windows uses (`wire.md` 4.10)."""

from __future__ import annotations

from enum import Enum

from . import names
from .texts import reason
from .xmltext import element, empty, escape, text_element

WMI_PLUGIN = {"provider": "WMI Provider", "path": r"%systemroot%\system32\WsmWmiPl.dll"}


class Shape(Enum):
    """How the detail of a fault is laid out."""

    SERVICE = 1
    """`WSManFault` with the message in it."""
    PROVIDER = 2
    """`WSManFault` of the plug-in inside `ProviderFault`."""
    PROVIDER_TEXT = 3
    """Plain text directly inside `ProviderFault`."""
    WMI_ERROR = 4
    """`MSFT_WmiError`."""


class SoapFaultError(Exception):
    """An operation that ends in a fault. Always sent with HTTP status 500."""

    def __init__(
        self,
        code: int,
        subcode: str,
        *,
        soap_code: str = "s:Sender",
        shape: Shape = Shape.SERVICE,
        detail: str | None = None,
        message: str | None = None,
        extended: str = "",
    ) -> None:
        super().__init__(f"{subcode} {code}")
        self.code = code
        self.subcode = subcode
        self.soap_code = soap_code
        self.shape = shape
        self.detail = detail
        self.message = message
        self.extended = extended

    @property
    def action(self) -> str:
        """The fault's action, which depends on the namespace of its subcode."""
        prefix = self.subcode.partition(":")[0]
        return {"a": names.ADDRESSING_FAULT, "n": names.ENUMERATION_FAULT}.get(
            prefix, names.WSMAN_FAULT
        )

    def body(self, machine: str, locale: str) -> str:
        """The `s:Fault` element in the words of that language."""
        text = reason(self.code, locale)
        code = element(
            "s:Code",
            text_element("s:Value", self.soap_code)
            + element("s:Subcode", text_element("s:Value", self.subcode)),
        )
        why = element("s:Reason", text_element("s:Text", text, {"xml:lang": locale}))
        detail = text_element("w:FaultDetail", self.detail) if self.detail else ""
        if self.shape is Shape.WMI_ERROR:
            detail += _wmi_error(self.code, text)
        else:
            detail += self._wsman_fault(machine, self.message or text)
        return element("s:Fault", code + why + element("s:Detail", detail))

    def _wsman_fault(self, machine: str, text: str) -> str:
        attributes = {"xmlns:f": names.FAULT, "Code": str(self.code), "Machine": machine}
        if self.shape is Shape.SERVICE:
            return element("f:WSManFault", text_element("f:Message", text), attributes)
        inner = escape(text)
        if self.shape is Shape.PROVIDER:
            inner = element("f:WSManFault", text_element("f:Message", text), attributes)
        provider = element("f:ProviderFault", inner + self.extended, WMI_PLUGIN)
        return element("f:WSManFault", element("f:Message", provider), attributes)


def _wmi_error(code: int, text: str) -> str:
    namespace = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"

    def value(name: str, kind: str, content: str) -> str:
        return text_element(f"p:{name}", content, {"xsi:type": f"cim:{kind}"})

    def null(name: str) -> str:
        return empty(f"p:{name}", {"xsi:nil": "true", "xsi:type": "cim:cimString"})

    content = (
        value("CIMStatusCode", "cimUnsignedInt", "27"),
        null("CIMStatusCodeDescription"),
        null("ErrorSource"),
        value("ErrorSourceFormat", "cimUnsignedShort", "0"),
        value("ErrorType", "cimUnsignedShort", "0"),
        value("Message", "cimString", text),
        value("MessageID", "cimString", f"HRESULT 0x{code:08x}"),
        null("OtherErrorSourceFormat"),
        null("OtherErrorType"),
        null("OwningEntity"),
        value("PerceivedSeverity", "cimUnsignedShort", "0"),
        value("ProbableCause", "cimUnsignedShort", "0"),
        null("ProbableCauseDescription"),
        value("error_Category", "cimUnsignedInt", "30"),
        value("error_Code", "cimUnsignedInt", str(code)),
        value("error_Type", "cimString", "HRESULT"),
        value("error_WindowsErrorMessage", "cimString", text),
    )
    return element(
        "p:MSFT_WmiError",
        content,
        {
            "xmlns:p": namespace,
            "xmlns:b": "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd",
            "b:IsCIM_Error": "true",
            "xmlns:xsi": names.XSI,
            "xmlns:cim": names.CIM,
            "xsi:type": "p:MSFT_WmiError_Type",
        },
    )


def extended_status(operation: str, parameter: str, provider: str) -> str:
    """The `__ExtendedStatus` that WMI adds beside a provider's fault."""
    namespace = f"{names.WMI}root/cimv2/__ExtendedStatus"
    content = (
        empty("p:Description", {"xsi:nil": "true"}),
        text_element("p:Operation", operation),
        text_element("p:ParameterInfo", parameter),
        text_element("p:ProviderName", provider),
        empty("p:StatusCode", {"xsi:nil": "true"}),
    )
    status = element(
        "p:__ExtendedStatus",
        content,
        {
            "xmlns:p": namespace,
            "xmlns:xsi": names.XSI,
            "xmlns:cim": names.CIM,
            "xsi:type": "p:__ExtendedStatus_Type",
        },
    )
    return element("f:ExtendedError", status, {"xmlns:f": names.FAULT})


# --- the faults of the dialect, by what happened ---


def resource_not_found(parameter: str = "", code: int = 2150858752) -> SoapFaultError:
    """The class or the instance is not there (`wire.md` 2.5)."""
    return SoapFaultError(
        code,
        "a:DestinationUnreachable",
        shape=Shape.PROVIDER,
        detail=f"{names.FAULT_DETAIL}/InvalidResourceURI",
        extended=extended_status("GetObject", parameter, "BitsClientProv") if parameter else "",
    )


def not_capable() -> SoapFaultError:
    """The provider does not implement the operation (`wire.md` 4.8)."""
    return SoapFaultError(
        2150859010, "w:InternalError", soap_code="s:Receiver", shape=Shape.PROVIDER
    )


def provider_failed(hresult: int) -> SoapFaultError:
    """The provider answered with an error of its own, which shows in Code."""
    return SoapFaultError(
        hresult, "w:InternalError", soap_code="s:Receiver", shape=Shape.PROVIDER_TEXT
    )


def access_denied() -> SoapFaultError:
    """The caller is no administrator."""
    return SoapFaultError(5, "w:AccessDenied", shape=Shape.PROVIDER)


def enumeration_failed() -> SoapFaultError:
    """WBEM_E_FAILED: some job's owner no longer exists (`wire.md` 1.1)."""
    return SoapFaultError(
        2147749889,
        "w:InternalError",
        soap_code="s:Receiver",
        shape=Shape.PROVIDER,
        extended=extended_status("Enumerate", "BitsClientJob", "BitsClientProv"),
    )


def quota() -> SoapFaultError:
    """Too many operations of this user at once."""
    return SoapFaultError(
        2150859174, "w:InternalError", soap_code="s:Receiver", shape=Shape.WMI_ERROR
    )


def plugin_quota() -> SoapFaultError:
    """Too many operations of this user at once in the WMI plug-in, which has its own limit."""
    return SoapFaultError(
        2150859240, "w:InternalError", soap_code="s:Receiver", shape=Shape.WMI_ERROR
    )


def encoding_limit() -> SoapFaultError:
    """The answer does not fit into the envelope that the client takes, or that the host allows."""
    return SoapFaultError(2150858805, "w:EncodingLimit")


def timed_out() -> SoapFaultError:
    """OperationTimeout ran out."""
    return SoapFaultError(2150858793, "w:TimedOut", soap_code="s:Receiver")


def schema_error(name: str) -> SoapFaultError:
    """An element that is unknown, in the wrong letter case, or of the wrong type."""
    return SoapFaultError(
        2150858817,
        "w:SchemaValidationError",
        shape=Shape.PROVIDER,
        message=f"The SOAP packet contains an element {name} that is invalid. ",
    )


def invalid_parameter(name: str) -> SoapFaultError:
    """A parameter is missing or has a value that cannot be."""
    return SoapFaultError(
        2150859038,
        "w:InvalidParameter",
        shape=Shape.PROVIDER,
        message=f"The WMI provider reported that the parameter {name} is not valid. ",
    )


def cannot_process_filter(query: str, why: str | None = None) -> SoapFaultError:
    """A WQL query that cannot be understood, or a class that is not there."""
    return SoapFaultError(
        2150858778,
        "n:CannotProcessFilter",
        shape=Shape.PROVIDER,
        message=why,
        extended=extended_status("ExecQuery", query, "WinMgmt"),
    )


def action_not_supported() -> SoapFaultError:
    """No such method or action."""
    return SoapFaultError(
        2150858771,
        "a:ActionNotSupported",
        detail=f"{names.FAULT_DETAIL}/ActionMismatch",
    )


def invalid_header(what: str) -> SoapFaultError:
    """A SOAP header with an impossible value."""
    return SoapFaultError(
        2150858767,
        "a:InvalidMessageInformationHeader",
        message=(
            "The WS-Management service cannot process the request. The XML contains an invalid "
            f"{what} field in the SOAP header. "
        ),
    )


def missing_header() -> SoapFaultError:
    """A SOAP header that must be there is not."""
    return SoapFaultError(2150858769, "a:MessageInformationHeaderRequired")
