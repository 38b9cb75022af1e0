"""The host's `winrm/config`, laid out as a current Windows host answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import names
from .xmltext import element, text_element

if TYPE_CHECKING:
    from ..settings import WinRmSettings

URIS = frozenset({"http://schemas.microsoft.com/wbem/wsman/1/config"})

_Tree = dict[str, "str | _Tree"]


def config_xml(settings: WinRmSettings) -> str:
    """The Config element."""
    unlimited = str(2**32 - 1)
    endless = str(2**31 - 1)
    ports: _Tree = {"HTTP": "5985", "HTTPS": "5986"}
    tree: _Tree = {
        "MaxEnvelopeSizekb": str(settings.max_envelope_kb),
        "MaxTimeoutms": str(settings.max_timeout_ms),
        "MaxBatchItems": str(settings.max_batch_items),
        "MaxProviderRequests": unlimited,
        "Client": {
            "NetworkDelayms": "5000",
            "URLPrefix": "wsman",
            "AllowUnencrypted": "false",
            "Auth": {
                "Basic": "true",
                "Digest": "true",
                "Kerberos": "true",
                "Negotiate": "true",
                "Certificate": "true",
                "CredSSP": "false",
            },
            "DefaultPorts": ports,
            "TrustedHosts": "",
        },
        "Service": {
            "RootSDDL": "O:NSG:BAD:P(A;;GA;;;BA)(A;;GR;;;IU)S:P(AU;FA;GA;;;WD)(AU;SA;GXGW;;;WD)",
            "MaxConcurrentOperations": unlimited,
            "MaxConcurrentOperationsPerUser": str(settings.max_concurrent_operations_per_user),
            "EnumerationTimeoutms": str(int(settings.enumeration_timeout_s * 1000)),
            "MaxConnections": "300",
            "MaxPacketRetrievalTimeSeconds": str(int(settings.max_packet_retrieval_s)),
            "AllowUnencrypted": _boolean(settings.allow_unencrypted),
            "Auth": {
                "Basic": _boolean(settings.basic),
                "Kerberos": _boolean(settings.kerberos),
                "Negotiate": _boolean(settings.negotiate),
                "Certificate": _boolean(settings.certificate),
                "CredSSP": _boolean(settings.credssp),
                "CbtHardeningLevel": "Relaxed",
            },
            "DefaultPorts": ports,
            "IPv4Filter": "*",
            "IPv6Filter": "*",
            "EnableCompatibilityHttpListener": "false",
            "EnableCompatibilityHttpsListener": "false",
            "CertificateThumbprint": "",
            "AllowRemoteAccess": "true",
        },
        "Winrs": {
            "AllowRemoteShellAccess": "false",
            "IdleTimeout": "7200000",
            "MaxConcurrentUsers": endless,
            "MaxShellRunTime": endless,
            "MaxProcessesPerShell": endless,
            "MaxMemoryPerShellMB": endless,
            "MaxShellsPerUser": endless,
        },
    }
    return element("cfg:Config", _children(tree), {"xmlns:cfg": names.CONFIG})


def _children(tree: _Tree) -> str:
    return "".join(
        text_element(f"cfg:{name}", value)
        if isinstance(value, str)
        else element(f"cfg:{name}", _children(value))
        for name, value in tree.items()
    )


def _boolean(value: bool) -> str:
    return "true" if value else "false"
