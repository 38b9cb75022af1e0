"""What a WS-Man fault means for BITS: branch on its codes, never on its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitsshell.bits.errors import AccessDenied, CodeError, JobGone, ProviderMissing

if TYPE_CHECKING:
    from bitsshell.errors import BitsShellError
    from bitsshell.wsman import Fault

ENUMERATION_FAILED = frozenset({0x80041001})
"""`WBEM_E_FAILED`: one job's owner no longer exists, and the class cannot be enumerated."""

CLASS_MISSING = frozenset(
    {
        0x8033801A,  # CannotProcessFilter: WQL on a class that is not there
        0x8004100E,  # WBEM_E_INVALID_NAMESPACE
        0x80041010,  # WBEM_E_INVALID_CLASS
        0x80041011,  # WBEM_E_PROVIDER_NOT_FOUND
    }
)
NOT_FOUND = frozenset(
    {
        0x80338000,  # ERROR_WSMAN_RESOURCE_NOT_FOUND: class or instance, the same code for both
        0x80041002,  # WBEM_E_NOT_FOUND
        0x80200001,  # BG_E_NOT_FOUND
    }
)
DENIED = frozenset(
    {
        5,  # WinRM's own
        0x80041003,  # WBEM_E_ACCESS_DENIED
        0x80338104,  # ERROR_WSMAN_WMI_SVC_ACCESS_DENIED
        0x80338105,  # ERROR_WSMAN_WMI_PROVIDER_ACCESS_DENIED
        0x80338106,  # ERROR_WSMAN_WMI_CANNOT_CONNECT_ACCESS_DENIED
    }
)
E_ACCESSDENIED = 0x80070005
"""Of a read, the account's rights; of a change, mostly those on a local folder or share."""
BAD_PARAMETER = frozenset(
    {
        87,
        0x80041008,  # WBEM_E_INVALID_PARAMETER
        0x8004102F,  # WBEM_E_INVALID_METHOD_PARAMETERS
        0x8033803A,  # ERROR_WSMAN_INVALID_PARAMETER
        0x80338041,  # ERROR_WSMAN_SCHEMA_VALIDATION_ERROR
        0x8033811E,  # ERROR_WSMAN_WMI_PROVIDER_INVALID_PARAMETER
    }
)
NO_ERROR_INFORMATION = 0x8020000F
"""`BG_E_ERROR_INFORMATION_UNAVAILABLE`: the job has no current error."""

_BITS_FACILITIES = (0x80200000, 0x00200000, 0x80190000)
_ERROR_BIT = 0x80000000
_S_FALSE = 1
_MAX_WIN32 = 0xFFFF


def is_failure(returned: int) -> bool:
    """Whether a method's return value is an error: an HRESULT with its error bit, or Win32's.

    No table says which of the two the provider returns (wire.md 1.3). What is left over (`S_FALSE`,
    `BG_S_*`) are successes with a warning.
    """
    return returned >= _ERROR_BIT or _S_FALSE < returned <= _MAX_WIN32


def bits_code(fault: Fault) -> int:
    """The code in the fault that says most: one of BITS itself, else the most specific one."""
    for code in fault.codes:
        if code & 0xFFFF0000 in _BITS_FACILITIES:
            return code
    return fault.code or 0


def has(fault: Fault, codes: frozenset[int]) -> bool:
    """Whether any code in the fault's chain is one of these."""
    return not codes.isdisjoint(fault.codes)


def says_not_found(fault: Fault) -> bool:
    """Whether the class or the instance is not there. OMI says so without any code."""
    return has(fault, NOT_FOUND) or (not fault.codes and fault.subcode == "DestinationUnreachable")


def translate(
    fault: Fault, *, action: str, host: str, job_id: str | None, is_read: bool
) -> BitsShellError:
    """The error that a person should see for a fault.

    `NOT_FOUND` is taken for the job where one was named; whether it is the class that is missing,
    the provider finds out before it asks here. A fault that leaves open whether a change was
    carried out, and one without any code, is given back as it is.
    """
    if fault.may_have_been_applied:
        return fault.located(host=host, job=job_id)
    if has(fault, CLASS_MISSING) or (says_not_found(fault) and job_id is None):
        return ProviderMissing(host=host)
    if says_not_found(fault):
        return JobGone(host=host, job=job_id)
    code = bits_code(fault)
    if has(fault, DENIED) or (is_read and E_ACCESSDENIED in fault.codes):
        return AccessDenied(action, code, host=host, job=job_id)
    if not code:
        return fault.located(host=host, job=job_id)
    text = fault.provider_text or fault.text
    return CodeError(action, code, text=text, host=host, job=job_id)


def from_return_value(
    returned: int, *, action: str, host: str, job_id: str | None
) -> BitsShellError:
    """The error for a return value that `is_failure`."""
    if returned in NOT_FOUND and job_id is not None:
        return JobGone(host=host, job=job_id)
    if returned in DENIED and returned > _MAX_WIN32:
        return AccessDenied(action, returned, host=host, job=job_id)
    return CodeError(action, returned, host=host, job=job_id)
