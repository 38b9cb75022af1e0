"""The numbers of BITS: states, priorities, contexts and result codes.

The practice fleet has its own table on purpose: it shares no code with the client.
"""

from __future__ import annotations

from enum import IntEnum

SIZE_UNKNOWN = 0xFFFF_FFFF_FFFF_FFFF
"""BG_SIZE_UNKNOWN (statement 9)."""


class JobState(IntEnum):
    """BG_JOB_STATE (statement 1)."""

    QUEUED = 0
    CONNECTING = 1
    TRANSFERRING = 2
    SUSPENDED = 3
    ERROR = 4
    TRANSIENT_ERROR = 5
    TRANSFERRED = 6
    ACKNOWLEDGED = 7
    CANCELLED = 8


FINAL = frozenset({JobState.ACKNOWLEDGED, JobState.CANCELLED})
RUNNING = frozenset({JobState.CONNECTING, JobState.TRANSFERRING})
ACTIVE = RUNNING | {JobState.QUEUED}
FAILED = frozenset({JobState.ERROR, JobState.TRANSIENT_ERROR})


class Priority(IntEnum):
    """BG_JOB_PRIORITY (statement 2)."""

    FOREGROUND = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


class JobType(IntEnum):
    """BG_JOB_TYPE, as far as the provider offers it (statement 3)."""

    DOWNLOAD = 0
    UPLOAD = 1


class ProxyUsage(IntEnum):
    """BG_JOB_PROXY_USAGE (statement 4)."""

    PRECONFIG = 0
    NO_PROXY = 1
    OVERRIDE = 2
    AUTODETECT = 3


class ErrorContext(IntEnum):
    """BG_ERROR_CONTEXT (statement 5)."""

    NONE = 0
    UNKNOWN = 1
    GENERAL_QUEUE_MANAGER = 2
    QUEUE_MANAGER_NOTIFICATION = 3
    LOCAL_FILE = 4
    REMOTE_FILE = 5
    GENERAL_TRANSPORT = 6
    REMOTE_APPLICATION = 7


class AuthTarget(IntEnum):
    """Whom credentials are for, in the numbers of WMI (COM's are one higher)."""

    SERVER = 0
    PROXY = 1


class AuthScheme(IntEnum):
    """How credentials are sent, in the numbers of WMI (COM's are one higher)."""

    BASIC = 0
    DIGEST = 1
    NTLM = 2
    NEGOTIATE = 3
    PASSPORT = 4


class Hr:
    """HRESULTs as unsigned numbers."""

    S_OK = 0
    S_PARTIAL_COMPLETE = 0x0020_0017
    S_UNABLE_TO_DELETE_FILES = 0x0020_001A
    NOT_FOUND = 0x8020_0001
    INVALID_STATE = 0x8020_0002
    EMPTY = 0x8020_0003
    ERROR_INFORMATION_UNAVAILABLE = 0x8020_000F
    NETWORK_DISCONNECTED = 0x8020_0010
    MISSING_FILE_SIZE = 0x8020_0011
    INSUFFICIENT_RANGE_SUPPORT = 0x8020_0013
    PROXY_LIST_TOO_LARGE = 0x8020_0018
    PROXY_BYPASS_LIST_TOO_LARGE = 0x8020_0019
    INVALID_SERVER_RESPONSE = 0x8020_001B
    TOO_MANY_FILES = 0x8020_001C
    LOCAL_FILE_CHANGED = 0x8020_001D
    SESSION_NOT_FOUND = 0x8020_001F
    TOO_LARGE = 0x8020_0020
    STRING_TOO_LONG = 0x8020_0021
    CLIENT_SERVER_PROTOCOL_MISMATCH = 0x8020_0022
    NO_PROGRESS = 0x8020_0024
    USERNAME_TOO_LARGE = 0x8020_0025
    PASSWORD_TOO_LARGE = 0x8020_0026
    INVALID_AUTH_TARGET = 0x8020_0027
    INVALID_AUTH_SCHEME = 0x8020_0028
    BLOCKED_BY_POLICY = 0x8020_003E
    INVALID_PROXY_INFO = 0x8020_003F
    MAXDOWNLOAD_TIMEOUT = 0x8020_0054
    REMOTE_FILE_CHANGED = 0x8020_0073
    NOT_IMPLEMENTED = 0x8000_4001
    INVALID_ARGUMENT = 0x8007_0057
    ACCESS_DENIED = 0x8007_0005
    FILE_NOT_FOUND = 0x8007_0002
    PATH_NOT_FOUND = 0x8007_0003
    SHARING_VIOLATION = 0x8007_0020
    DISK_FULL = 0x8007_0070
    WRITE_FAULT = 0x8007_001D
    ALREADY_EXISTS = 0x8007_00B7
    FILENAME_TOO_LONG = 0x8007_00CE
    TIMEOUT = 0x8007_2EE2
    INVALID_URL = 0x8007_2EE5
    NAME_NOT_RESOLVED = 0x8007_2EE7
    CANNOT_CONNECT = 0x8007_2EFD
    CONNECTION_ERROR = 0x8007_2EFE
    CERT_DATE_INVALID = 0x8007_2F05
    CERT_CN_INVALID = 0x8007_2F06
    INVALID_CA = 0x8007_2F0D
    INVALID_HTTP_RESPONSE = 0x8007_2F78
    SECURE_FAILURE = 0x8007_2F8F
    REDIRECT_FAILED = 0x8007_2F7C


def http_status(status: int) -> int:
    """The HRESULT that stands for an HTTP status (statement 12)."""
    return 0x8019_0000 + status


class BitsCallError(Exception):
    """A call that the engine refused. Carries the HRESULT that BITS answers."""

    def __init__(self, hresult: int) -> None:
        super().__init__(f"0x{hresult:08X}")
        self.hresult = hresult
