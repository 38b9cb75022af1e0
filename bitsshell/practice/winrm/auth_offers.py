"""Which ways of logging on a practice host can offer here: the one place that decides it.

Basic, NTLM (with SPNEGO), CredSSP and client certificates work everywhere: pyspnego's own NTLM
reads the fleet's account file, the rest is TLS. Kerberos needs an acceptor that reads a keytab,
which is MIT's GSS-API with the bindings `gssapi` and `krb5`. On Windows the acceptor would be
SSPI, which checks the machine's real accounts; on macOS it is Apple's, without a keytab of ours
and without the sealing of WinRM. So it is not offered there.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ..settings import WinRmSettings


def kerberos_problem(keytab: Path | None, platform: str = sys.platform) -> str | None:
    """Why Kerberos cannot be offered; None when it can."""
    if platform in {"win32", "darwin"}:
        return "this platform's Kerberos acceptor would check the machine's real accounts"
    if keytab is None:
        return "it needs a keytab"
    if not keytab.is_file():
        return f"there is no keytab {keytab}"
    return None if _has_acceptor() else "it needs the packages gssapi and krb5"


def offered(settings: WinRmSettings, keytab: Path | None) -> WinRmSettings:
    """The settings with what cannot be offered here switched off.

    Raises:
        ValueError: a keytab was given, and Kerberos is not possible all the same.
    """
    problem = kerberos_problem(keytab)
    if keytab is not None and problem is not None:
        raise ValueError(f"Kerberos cannot be offered: {problem}")
    return replace(settings, kerberos=settings.kerberos and problem is None)


def _has_acceptor() -> bool:
    from spnego._gss import HAS_GSSAPI, HAS_IOV

    return bool(HAS_GSSAPI and HAS_IOV)
