"""A fleet of emulated Windows hosts to learn, rehearse and test on.

Each host has a WinRM endpoint, a BITS engine behind it that really downloads, and a folder that
its jobs cannot leave; a file server gives them something to fetch. Nothing of the client is used
here, so that a mistake of one side cannot hide in the other.
"""

from __future__ import annotations

from .certificates import Certificate, ClientCertificate, Tls
from .clock import ManualClock, ScaledClock
from .control import arm_as_told
from .engine.codes import ErrorContext, JobState, Priority
from .engine.model import PracticeJob, PracticeJobFile
from .faults import KINDS, FaultKind, HostFaults
from .file_modes import MODES as FILE_MODES
from .files import PracticeFile
from .fleet import PracticeFleet
from .host import PracticeHost
from .rehearsal import rehearse
from .settings import (
    AddFileCase,
    EngineSettings,
    MethodErrors,
    MissingFolder,
    OwnerForm,
    PracticeSettings,
    WinRmSettings,
)
from .stats import HostStats

__all__ = [
    "FILE_MODES",
    "KINDS",
    "AddFileCase",
    "Certificate",
    "ClientCertificate",
    "EngineSettings",
    "ErrorContext",
    "FaultKind",
    "HostFaults",
    "HostStats",
    "JobState",
    "ManualClock",
    "MethodErrors",
    "MissingFolder",
    "OwnerForm",
    "PracticeFile",
    "PracticeFleet",
    "PracticeHost",
    "PracticeJob",
    "PracticeJobFile",
    "PracticeSettings",
    "Priority",
    "ScaledClock",
    "Tls",
    "WinRmSettings",
    "arm_as_told",
    "rehearse",
]
