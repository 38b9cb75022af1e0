"""The WinRM endpoint of a practice host: HTTP, authentication, SOAP, WMI's BITS provider.

Speaks Windows' dialect of WS-Management as `wire.md` describes it from captures and documents.
"""

from __future__ import annotations
