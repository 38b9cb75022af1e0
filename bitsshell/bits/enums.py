"""The numbers that BITS and its WMI provider use, under their documented names.

Sources: `BG_JOB_STATE`, `BG_JOB_PRIORITY`, `BG_ERROR_CONTEXT` and friends in bits.h; the provider's
own codes from the MOF pages of `BitsClientJob`. Where WMI and COM number the same thing differently
(authentication targets and schemes), these are WMI's numbers, which go over the wire.
"""

from __future__ import annotations

import enum

_KEPT_BELOW = 0x1_0000
"""States are uint16 on the wire: so many unknown members can be kept, and no more."""


class _Tolerant(enum.IntEnum):
    """An enumeration that keeps a number it does not know, under a name made from the number.

    The member for such a number is made once, so that it can be compared by identity like others.
    """

    @classmethod
    def _missing_(cls, value: object) -> _Tolerant | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        if 0 <= value < _KEPT_BELOW:
            known: _Tolerant = cls._value2member_map_.setdefault(value, member)  # type: ignore[assignment]
            return known
        return member

    def __reduce_ex__(self, protocol: object) -> tuple[type[_Tolerant], tuple[int]]:
        return (type(self), (int(self),))

    @property
    def is_known(self) -> bool:
        """Whether this number has a documented meaning."""
        return not self.name.startswith("UNKNOWN_")


class JobState(_Tolerant):
    """`BG_JOB_STATE`. A number that a future Windows adds stays visible as UNKNOWN_n."""

    QUEUED = 0
    CONNECTING = 1
    TRANSFERRING = 2
    SUSPENDED = 3
    ERROR = 4
    TRANSIENT_ERROR = 5
    TRANSFERRED = 6
    ACKNOWLEDGED = 7
    CANCELLED = 8

    @property
    def is_final(self) -> bool:
        """ACKNOWLEDGED or CANCELLED: the job has left the queue and nothing can change it."""
        return self in {JobState.ACKNOWLEDGED, JobState.CANCELLED}

    @property
    def is_active(self) -> bool:
        """QUEUED, CONNECTING or TRANSFERRING: BITS works on the job without being asked."""
        return self in {JobState.QUEUED, JobState.CONNECTING, JobState.TRANSFERRING}

    @property
    def has_error(self) -> bool:
        """ERROR or TRANSIENT_ERROR: GetError has something to say."""
        return self in {JobState.ERROR, JobState.TRANSIENT_ERROR}


class JobAction(enum.IntEnum):
    """What `SetJobState` takes. These are commands, not states: 2 resumes, it does not transfer."""

    CANCEL = 0
    COMPLETE = 1
    RESUME = 2
    SUSPEND = 3

    @property
    def final_state(self) -> JobState | None:
        """The state in which a job leaves the queue by this action, None where it stays in it."""
        match self:
            case JobAction.CANCEL:
                return JobState.CANCELLED
            case JobAction.COMPLETE:
                return JobState.ACKNOWLEDGED
            case _:
                return None


class Priority(_Tolerant):
    """`BG_JOB_PRIORITY`; NORMAL is the default. FOREGROUND competes with other traffic."""

    FOREGROUND = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


class JobType(enum.IntEnum):
    """`BG_JOB_TYPE` as far as the provider can create it."""

    DOWNLOAD = 0
    UPLOAD = 1


class ServiceAccount(enum.IntEnum):
    """The account that owns a job created through the provider (`CreateJob`, ServiceAccount)."""

    LOCAL_SYSTEM = 0
    LOCAL_SERVICE = 1
    NETWORK_SERVICE = 2


class ErrorContext(_Tolerant):
    """`BG_ERROR_CONTEXT`: what BITS was working on when the error came."""

    NONE = 0
    UNKNOWN = 1
    GENERAL_QUEUE_MANAGER = 2
    QUEUE_MANAGER_NOTIFICATION = 3
    LOCAL_FILE = 4
    REMOTE_FILE = 5
    GENERAL_TRANSPORT = 6
    REMOTE_APPLICATION = 7
    SERVER_CERTIFICATE_CALLBACK = 8


class AuthTarget(enum.IntEnum):
    """`SetCredentials`, Target, in WMI's numbers (COM's are one higher)."""

    SERVER = 0
    PROXY = 1


class AuthScheme(enum.IntEnum):
    """`SetCredentials`, Scheme, in WMI's numbers (COM's are one higher)."""

    BASIC = 0
    DIGEST = 1
    NTLM = 2
    NEGOTIATE = 3
    PASSPORT = 4


class ProxyUsage(enum.IntEnum):
    """`SetProxySettings`, ProxyUsage (the same numbers as COM's `BG_JOB_PROXY_USAGE`)."""

    PRECONFIG = 0
    NO_PROXY = 1
    OVERRIDE = 2
    AUTODETECT = 3


class CertStore(enum.IntEnum):
    """`SetClientCertificateById`, CertStoreLocation (COM's `BG_CERT_STORE_LOCATION`)."""

    CURRENT_USER = 0
    LOCAL_MACHINE = 1
    CURRENT_SERVICE = 2
    SERVICES = 3
    USERS = 4
    CURRENT_USER_GROUP_POLICY = 5
    LOCAL_MACHINE_GROUP_POLICY = 6
    LOCAL_MACHINE_ENTERPRISE = 7
