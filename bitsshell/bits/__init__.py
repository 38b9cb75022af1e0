"""BITS jobs as data, changes to them as operations, and the provider that carries them out.

Lives here: what the WMI class `BitsClientJob` knows and can do. May not live here: how many hosts
there are, who types, how things look.
"""

from __future__ import annotations

from bitsshell.bits.changing import is_already
from bitsshell.bits.codes import BG_S_PARTIAL_COMPLETE, Explanation, explain, parse_code
from bitsshell.bits.enums import (
    AuthScheme,
    AuthTarget,
    ErrorContext,
    JobAction,
    JobState,
    JobType,
    Priority,
    ProxyUsage,
    ServiceAccount,
)
from bitsshell.bits.errors import (
    AccessDenied,
    AnswerWasLost,
    BitsError,
    CodeError,
    CreateFailed,
    JobGone,
    NotCreated,
    ProviderMissing,
    QueueUnreadable,
)
from bitsshell.bits.limits import NotAccepted
from bitsshell.bits.model import (
    SIZE_UNKNOWN,
    Done,
    HostIdentity,
    Job,
    JobDetail,
    JobError,
    JobFile,
    JobList,
)
from bitsshell.bits.operations import (
    AddFile,
    ChangeOperation,
    ChangeState,
    CreateJob,
    Effect,
    FileSpec,
    GetDetail,
    GetError,
    GetJob,
    IdentifyHost,
    JobProperty,
    ListJobs,
    Operation,
    ReadOperation,
    SetProperty,
)
from bitsshell.bits.provider import BitsProvider
from bitsshell.bits.reference import canonical_job_id, new_reference, parse_mark

__all__ = [
    "BG_S_PARTIAL_COMPLETE",
    "SIZE_UNKNOWN",
    "AccessDenied",
    "AddFile",
    "AnswerWasLost",
    "AuthScheme",
    "AuthTarget",
    "BitsError",
    "BitsProvider",
    "ChangeOperation",
    "ChangeState",
    "CodeError",
    "CreateFailed",
    "CreateJob",
    "Done",
    "Effect",
    "ErrorContext",
    "Explanation",
    "FileSpec",
    "GetDetail",
    "GetError",
    "GetJob",
    "HostIdentity",
    "IdentifyHost",
    "Job",
    "JobAction",
    "JobDetail",
    "JobError",
    "JobFile",
    "JobGone",
    "JobList",
    "JobProperty",
    "JobState",
    "JobType",
    "ListJobs",
    "NotAccepted",
    "NotCreated",
    "Operation",
    "Priority",
    "ProviderMissing",
    "ProxyUsage",
    "QueueUnreadable",
    "ReadOperation",
    "ServiceAccount",
    "SetProperty",
    "canonical_job_id",
    "explain",
    "is_already",
    "new_reference",
    "parse_code",
    "parse_mark",
]
