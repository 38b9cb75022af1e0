"""Namespaces, actions and resource URIs of WS-Management (`wire.md` 0 and 4.1)."""

from __future__ import annotations

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
EVENTING = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
MS_WSMAN = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
CIM = "http://schemas.dmtf.org/wbem/wscim/1/common"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"
XML = "http://www.w3.org/XML/1998/namespace"

PREFIXES = {
    "s": SOAP,
    "a": ADDRESSING,
    "x": TRANSFER,
    "e": EVENTING,
    "n": ENUMERATION,
    "w": WSMAN,
    "p": MS_WSMAN,
}

ANONYMOUS = f"{ADDRESSING}/role/anonymous"
ADDRESSING_FAULT = f"{ADDRESSING}/fault"
ENUMERATION_FAULT = f"{ENUMERATION}/fault"
WSMAN_FAULT = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
FAULT_DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail"
WQL_DIALECT = "http://schemas.microsoft.com/wbem/wsman/1/WQL"

GET = f"{TRANSFER}/Get"
PUT = f"{TRANSFER}/Put"
DELETE = f"{TRANSFER}/Delete"
CREATE = f"{TRANSFER}/Create"
ENUMERATE = f"{ENUMERATION}/Enumerate"
PULL = f"{ENUMERATION}/Pull"
RELEASE = f"{ENUMERATION}/Release"

OPERATIONS = {
    GET: "Get",
    PUT: "Put",
    DELETE: "Delete",
    CREATE: "Create",
    ENUMERATE: "Enumerate",
    PULL: "Pull",
    RELEASE: "Release",
}

WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
BITS_NAMESPACE = "root/microsoft/bits"
BITS = f"{WMI}{BITS_NAMESPACE}"
JOB_CLASS = "BitsClientJob"
FILE_CLASS = "BitsClientFile"
URL_GROUP_CLASS = "BitsCompactServerUrlGroup"


def q(namespace: str, local: str) -> str:
    """A name as lxml writes it."""
    return f"{{{namespace}}}{local}"
