"""WS-Management over pywinrm's authenticated session: a client that knows SOAP and nothing of BITS.

`WSManClient` takes requests as values (`Get`, `Put`, `Invoke`, `Enumerate`, `Identify`) and returns
`Instance`s or raises one of the errors below `WSManError`. What carries the bytes is a `Wire`;
`WinRMWire` is the real one. Importing this package imports neither winrm nor requests.
"""

from __future__ import annotations

from bitsshell.wsman.client import WSManClient
from bitsshell.wsman.envelopes import envelope
from bitsshell.wsman.errors import (
    AnswerLost,
    AnswerTimeout,
    AuthenticationRejected,
    CallAborted,
    CertificateRejected,
    ConnectFailed,
    ConnectionStale,
    HttpFailure,
    MalformedAnswer,
    MissingExtra,
    NoTicket,
    RequestRefused,
    WSManError,
)
from bitsshell.wsman.faults import Fault
from bitsshell.wsman.messages import (
    Arguments,
    Enumerate,
    Get,
    Identify,
    Invoke,
    Put,
    Request,
    Selectors,
)
from bitsshell.wsman.retry import NEVER, Retry
from bitsshell.wsman.values import Identity, Instance, Property, Secret, Value
from bitsshell.wsman.winrm_wire import WinRMWire
from bitsshell.wsman.wire import Answer, Auth, Endpoint, Wire

__all__ = [
    "NEVER",
    "Answer",
    "AnswerLost",
    "AnswerTimeout",
    "Arguments",
    "Auth",
    "AuthenticationRejected",
    "CallAborted",
    "CertificateRejected",
    "ConnectFailed",
    "ConnectionStale",
    "Endpoint",
    "Enumerate",
    "Fault",
    "Get",
    "HttpFailure",
    "Identify",
    "Identity",
    "Instance",
    "Invoke",
    "MalformedAnswer",
    "MissingExtra",
    "NoTicket",
    "Property",
    "Put",
    "Request",
    "RequestRefused",
    "Retry",
    "Secret",
    "Selectors",
    "Value",
    "WSManClient",
    "WSManError",
    "WinRMWire",
    "Wire",
    "envelope",
]
