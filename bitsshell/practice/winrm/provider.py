"""The class `BitsClientJob`: its properties and its methods (`wire.md` 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.codes import BitsCallError, Hr, JobType
from ..settings import AddFileCase, OwnerForm, WinRmSettings
from . import names
from .messages import context_text, error_text
from .wmi import CimType, Embedded, Instance, Parameter
from .wmiclass import Arguments, Method, Outputs, WmiClass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..engine.engine import BitsEngine
    from ..engine.model import Job
    from .wql import Value

SERVICE_ACCOUNTS = {
    0: ("S-1-5-18", r"NT AUTHORITY\SYSTEM"),
    1: ("S-1-5-19", r"NT AUTHORITY\LOCAL SERVICE"),
    2: ("S-1-5-20", r"NT AUTHORITY\NETWORK SERVICE"),
}
_NETWORK_SERVICE = 2
_OWNER_NAMES = dict(SERVICE_ACCOUNTS.values())

_STRING, _U8, _U16, _U32 = CimType.STRING, CimType.UINT8, CimType.UINT16, CimType.UINT32
_U64 = CimType.UINT64

WRITABLE = (
    Parameter("DisplayName", _STRING),
    Parameter("Description", _STRING),
    Parameter("Priority", _U32),
    Parameter("MinimumRetryDelay", _U32),
    Parameter("NoProgressTimeout", _U32),
)
READ_ONLY_TYPES = {
    "BytesTotal": _U64,
    "BytesTransferred": _U64,
    "Files": _STRING,
    "FilesTotal": _U32,
    "FilesTransferred": _U32,
    "JobCompletionTime": _U64,
    "JobCreationTime": _U64,
    "JobId": _STRING,
    "JobLastModificationTime": _U64,
    "Owner": _STRING,
    "State": _U16,
    "TransientErrorCount": _U32,
}
"""`Files` holds embedded objects, which CIM-XML calls strings."""
FILE_TYPES = {
    "BytesTotal": _U64,
    "BytesTransferred": _U64,
    "Completed": CimType.BOOLEAN,
    "LocalFile": _STRING,
    "RemoteUrl": _STRING,
}


class FileClass(WmiClass):
    """The files of a job, which are only embedded in it."""

    def __init__(self) -> None:
        super().__init__(names.FILE_CLASS, FILE_TYPES)


class JobClass(WmiClass):
    """The jobs of one host, in WMI's names and numbers."""

    def __init__(self, engine: BitsEngine, settings: WinRmSettings) -> None:
        super().__init__(names.JOB_CLASS, READ_ONLY_TYPES, key="JobId", writable=WRITABLE)
        self._engine = engine
        self._settings = settings
        self.methods = {method.name: method for method in self._declare()}

    def use(self, engine: BitsEngine) -> None:
        """Talk to another engine from now on: the service was restarted."""
        self._engine = engine

    def all(self) -> Sequence[Job]:
        """All jobs of the host: the caller is an administrator."""
        return self._engine.jobs()

    def find(self, key: str) -> Job | None:
        """The job with that key, if it is still in the queue."""
        try:
            return self._engine.find(key)
        except BitsCallError:
            return None

    def key_of(self, item: Job) -> str:
        """The job's id."""
        return item.job_id

    def instance(self, item: Job) -> Instance:
        """The job as an instance of BitsClientJob."""
        job = item
        owner = job.owner_sid
        if self._settings.owner_form is OwnerForm.NAME:
            owner = _OWNER_NAMES.get(owner, owner)
        values: dict[str, Value | Sequence[Embedded]] = {
            "BytesTotal": job.bytes_total,
            "BytesTransferred": job.bytes_transferred,
            "Description": job.description,
            "DisplayName": job.display_name,
            "Files": [
                Embedded(
                    names.FILE_CLASS,
                    {
                        "BytesTotal": entry.bytes_total,
                        "BytesTransferred": entry.bytes_transferred,
                        "Completed": entry.completed,
                        "LocalFile": entry.local_path,
                        "RemoteUrl": entry.remote_url,
                    },
                )
                for entry in job.files
            ],
            "FilesTotal": len(job.files),
            "FilesTransferred": job.files_transferred,
            "JobCompletionTime": job.completed,
            "JobCreationTime": job.created,
            "JobId": job.job_id,
            "JobLastModificationTime": job.modified,
            "MinimumRetryDelay": job.minimum_retry_delay_s,
            "NoProgressTimeout": job.no_progress_timeout_s,
            "Owner": owner,
            "Priority": int(job.priority),
            "State": int(job.state),
            "TransientErrorCount": job.error_count,
        }
        return Instance(names.BITS_NAMESPACE, names.JOB_CLASS, values)

    def put(self, item: Job, changes: Mapping[str, Value]) -> None:
        """Write properties.

        Raises:
            BitsCallError: a value that BITS refuses; the ones before it are written.
        """
        engine, job = self._engine, item
        for name, value in changes.items():
            if isinstance(value, str) or value is None:
                if name == "DisplayName":
                    engine.set_name(job, value)
                elif name == "Description":
                    engine.set_description(job, value)
                else:
                    raise BitsCallError(Hr.INVALID_ARGUMENT)
            elif name == "Priority":
                engine.set_priority(job, value)
            elif name == "MinimumRetryDelay":
                engine.set_minimum_retry_delay(job, value)
            elif name == "NoProgressTimeout":
                engine.set_no_progress_timeout(job, value)

    def _declare(self) -> list[Method]:
        pascal = self._settings.add_file_case is AddFileCase.PASCAL
        url, local = ("RemoteUrl", "LocalFile") if pascal else ("remoteUrl", "localFile")
        target = (Parameter("Target", _U16), Parameter("Scheme", _U16))
        store = (Parameter("CertStoreLocation", _U16), Parameter("StoreName", _STRING))
        return [
            Method(
                "CreateJob",
                (
                    Parameter("DisplayName", _STRING),
                    Parameter("RemoteUrl", _STRING),
                    Parameter("LocalFile", _STRING),
                    Parameter("ServiceAccount", _U16, required=False),
                    Parameter("Type", _U16, required=False),
                    Parameter("Suspend", CimType.BOOLEAN, required=False),
                    Parameter("Description", _STRING, required=False),
                ),
                self._create_job,
                static=True,
                outputs=(Parameter("JobId", _STRING),),
            ),
            Method(
                "AddFile",
                (Parameter(url, _STRING), Parameter(local, _STRING)),
                self._on_job(
                    lambda job, given: self._engine.add_file(
                        job, _text(given.get(url)), _text(given.get(local))
                    )
                ),
            ),
            Method("SetJobState", (Parameter("JobState", _U16),), self._set_job_state),
            Method(
                "GetError",
                (Parameter("LanguageId", _U32),),
                self._get_error,
                outputs=(
                    Parameter("ErrorContext", _U32),
                    Parameter("ErrorCode", _U32),
                    Parameter("ContextDescription", _STRING),
                    Parameter("ErrorDescription", _STRING),
                ),
            ),
            Method(
                "SetCredentials",
                (
                    *target,
                    Parameter("UserName", _STRING, required=False),
                    Parameter("Password", _STRING, required=False),
                ),
                self._on_job(
                    lambda job, given: self._engine.set_credentials(
                        job,
                        _number(given.get("Target")),
                        _number(given.get("Scheme")),
                        _optional(given.get("UserName")),
                        _optional(given.get("Password")),
                    )
                ),
            ),
            Method(
                "RemoveCredentials",
                target,
                self._on_job(
                    lambda job, given: self._engine.remove_credentials(
                        job, _number(given.get("Target")), _number(given.get("Scheme"))
                    )
                ),
            ),
            Method(
                "SetProxySettings",
                (
                    Parameter("ProxyUsage", _U16),
                    Parameter("ProxyList", _STRING, required=False),
                    Parameter("ProxyBypassList", _STRING, required=False),
                ),
                self._on_job(
                    lambda job, given: self._engine.set_proxy(
                        job,
                        _number(given.get("ProxyUsage")),
                        _optional(given.get("ProxyList")),
                        _optional(given.get("ProxyBypassList")),
                    )
                ),
            ),
            Method(
                "SetClientCertificateById",
                (*store, Parameter("CertHash", _U8, array=True)),
                self._set_certificate,
            ),
            Method(
                "SetClientCertificateByName",
                (*store, Parameter("SubjectName", _STRING)),
                self._set_certificate,
            ),
            Method(
                "RemoveClientCertificate",
                (),
                self._on_job(lambda job, _: self._engine.set_certificate(job, None)),
            ),
        ]

    @staticmethod
    def _on_job(
        call: Callable[[Job, Arguments], None],
    ) -> Callable[[Job | None, Arguments], tuple[int, Outputs]]:
        """A method that needs a job and gives nothing back but success."""

        def run(job: Job | None, given: Arguments) -> tuple[int, Outputs]:
            call(_present(job), given)
            return Hr.S_OK, {}

        return run

    def _create_job(self, _: Job | None, given: Arguments) -> tuple[int, Outputs]:
        """All or nothing: a job whose first file is refused is cancelled again (149)."""
        account = given.get("ServiceAccount")
        owner = SERVICE_ACCOUNTS.get(_NETWORK_SERVICE if account is None else _number(account))
        if owner is None:
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        kind = given.get("Type")
        job = self._engine.create(
            _optional(given.get("DisplayName")),
            owner_sid=owner[0],
            description=_text(given.get("Description")),
            job_type=JobType.DOWNLOAD if kind is None else _number(kind),
        )
        try:
            self._engine.add_file(job, _text(given.get("RemoteUrl")), _text(given.get("LocalFile")))
        except BitsCallError:
            self._engine.cancel(job)
            raise
        suspend = given.get("Suspend")
        if not (self._settings.suspend_default if suspend is None else suspend):
            self._engine.resume(job)
        return Hr.S_OK, {"JobId": job.job_id}

    def _set_job_state(self, job: Job | None, given: Arguments) -> tuple[int, Outputs]:
        """The numbers are commands, not states (150)."""
        engine = self._engine
        actions = (engine.cancel, engine.complete, engine.resume, engine.suspend)
        number = _number(given.get("JobState"))
        if number >= len(actions):
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        return actions[number](_present(job)), {}

    def _get_error(self, job: Job | None, given: Arguments) -> tuple[int, Outputs]:
        failure = self._engine.failure(_present(job))
        language = _number(given.get("LanguageId"))
        return Hr.S_OK, {
            "ContextDescription": context_text(failure.context, language),
            "ErrorCode": failure.code,
            "ErrorContext": int(failure.context),
            "ErrorDescription": error_text(failure.code, language),
        }

    def _set_certificate(self, job: Job | None, given: Arguments) -> tuple[int, Outputs]:
        """Location 0 to 7; a hash has the 20 bytes of SHA-1."""
        if _number(given.get("CertStoreLocation")) > 7 or not _text(given.get("StoreName")):
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        digest = given.get("CertHash")
        if isinstance(digest, tuple) and len(digest) != 20:
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        self._engine.set_certificate(_present(job), dict(given))
        return Hr.S_OK, {}


def _present(job: Job | None) -> Job:
    if job is None:
        raise BitsCallError(Hr.NOT_FOUND)
    return job


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _optional(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
