"""What a practice host may be told to do differently.

Every statement of the BITS facts that is graded `[I]` (inferred) or `[U]` (unverified), and every
open question about the provider, is a setting here with the proposed answer as its default, so
that a client can be tried against each possible Windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class MethodErrors(Enum):
    """How a failed method of the provider shows: nothing public says which Windows does."""

    RETURN_VALUE = "return-value"
    FAULT = "fault"


class MissingFolder(Enum):
    """What a destination folder that does not exist leads to (statement 45)."""

    ADD_FAILS = "add-fails"
    JOB_FAILS = "job-fails"
    CREATED = "created"


class AddFileCase(Enum):
    """The letter case of AddFile's parameters, which WinRM compares exactly."""

    DOCUMENTED = "documented"
    """`remoteUrl`, `localFile`, as the documentation prints them."""
    PASCAL = "pascal"
    """`RemoteUrl`, `LocalFile`, as the one public script sends them."""


class OwnerForm(Enum):
    """How the Owner property names the service account."""

    NAME = "name"
    SID = "sid"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Choices of the BITS engine. Times are seconds of the fleet's own clock."""

    folders: tuple[str, ...] = (r"C:\in", r"C:\Windows\Temp", r"D:\in")
    """Folders that every host starts with; BITS makes none."""
    missing_folder: MissingFolder = MissingFolder.ADD_FAILS
    transfer_bytes_per_s: int | None = None
    """Pace of every transfer, so that one can be watched; None is as fast as it goes."""
    time_slice_s: float = 300.0
    """How long a background job runs while another of its priority waits (statement 88)."""
    background_range_bytes: int = 1 << 20
    """Largest range asked at once by a background job; the first one is smaller (96)."""
    first_range_bytes: int = 71_745
    """First range of a background job, as captured: bytes 0 to 71744 (96)."""
    upload_fragment_bytes: int = 1 << 20
    """Largest piece of an upload (118); nothing says how large they are."""
    connect_attempts: int = 3
    """Tries to connect before a job goes to TRANSIENT_ERROR (80)."""
    connect_gap_s: float = 0.3
    """Pause between those tries (80)."""
    connect_timeout_s: float = 20.0
    """Real seconds that connecting may take."""
    read_timeout_s: float = 60.0
    """Real seconds without a byte until a transfer counts as timed out."""
    suspend_hides_error_state: bool = True
    """Suspend moves ERROR and TRANSFERRED jobs to SUSPENDED (28)."""
    resume_of_transferred_fails: bool = False
    """Resume on a TRANSFERRED job without new files answers BG_E_EMPTY, as Wine does, instead of
    S_OK (33)."""
    remote_change_is_error: bool = False
    """A file that changes mid-way ends the job with 0x80200073 at once instead of being fetched
    anew in silence (102)."""
    no_progress_keeps_error: bool = True
    """When the no-progress time is over, the job keeps its last error; else it gets
    BG_E_NO_PROGRESS (81)."""
    long_url_hresult: int = 0x8007_0057
    """The answer to a URL of more than 2200 characters (43)."""
    empty_complete_succeeds: bool = True
    """Complete on a job without files answers S_OK, else BG_S_PARTIAL_COMPLETE (section S)."""
    max_download_time_s: float = 7_776_000.0
    """Active seconds until BG_E_MAXDOWNLOAD_TIMEOUT (83)."""
    job_inactivity_timeout_s: float = 7_776_000.0
    """Seconds without progress or change until a job is cancelled (84)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WinRmSettings:
    """Choices of the WinRM endpoint, under the names that `winrm/config` gives them."""

    basic: bool = True
    negotiate: bool = True
    kerberos: bool = True
    """Offered where there is a keytab and an acceptor for it; see `winrm.auth_offers`."""
    credssp: bool = False
    certificate: bool = False
    """Client certificates, over TLS only. False is Windows' default, as it is for CredSSP."""
    allow_unencrypted: bool = True
    """Windows' default is false; a practice host on loopback lets basic over HTTP through."""
    unencrypted_status: int = 500
    """The answer to a plain message that is not allowed, from a client that has logged on; it has
    no body. Reports of 500 prevail over those of 401."""
    max_envelope_kb: int = 500
    max_timeout_ms: int = 60_000
    max_batch_items: int = 32_000
    enumeration_timeout_s: float = 240.0
    max_concurrent_operations_per_user: int = 1_500
    """Operations under way at once, of the whole service; one more is answered by 2150859174."""
    plugin_operations_per_user: int = 15
    """The same of the WMI plug-in, by 2150859240. [MS-WSMV] 3.1.4.1.34.3.1 says 15, a dump of a
    host 100; that the code is that of a plug-in's quota is inferred."""
    max_packet_retrieval_s: float = 120.0
    """Real seconds that a client may take to send its body, or to take its answer."""
    idle_connection_timeout_s: float = 120.0
    """Real seconds after which an idle connection is closed, its NTLM context with it."""
    method_errors: MethodErrors = MethodErrors.RETURN_VALUE
    suspend_default: bool = False
    """What CreateJob takes an absent Suspend for; the documents contradict each other."""
    add_file_case: AddFileCase = AddFileCase.DOCUMENTED
    owner_form: OwnerForm = OwnerForm.NAME
    product_version: str = "OS: 10.0.20348 SP: 0.0 Stack: 3.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeSettings:
    """All choices of a practice fleet."""

    engine: EngineSettings = EngineSettings()
    winrm: WinRmSettings = WinRmSettings()
