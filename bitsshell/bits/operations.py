"""Operations: what to do to one job on one host, as frozen, picklable values.

An operation says what it would do (`describe`), how much it would take away (`effect`) and which
WS-Man requests it would send (`requests`), all before anything is sent. The provider carries it
out.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import ClassVar

from bitsshell import wsman
from bitsshell.bits import limits
from bitsshell.bits.elements import (
    JOB_RESOURCE,
    PENDING_JOB,
    Effect,
    invoke,
    name_in_words,
    select_jobs,
    selectors_of,
)
from bitsshell.bits.enums import JobAction, JobState, JobType, Priority, ServiceAccount
from bitsshell.bits.reference import is_reference, join_description, split_description
from bitsshell.bits.settings import JobCredentials, JobSetting, SetCredentials
from bitsshell.bits.url_groups import ListUrlGroups, PublishOperation
from bitsshell.errors import shown


class JobProperty(enum.StrEnum):
    """The properties that the provider lets a caller write, under their WMI names."""

    PRIORITY = "Priority"
    NAME = "DisplayName"
    DESCRIPTION = "Description"
    RETRY_DELAY = "MinimumRetryDelay"
    NO_PROGRESS_TIMEOUT = "NoProgressTimeout"


@dataclass(frozen=True, slots=True)
class FileSpec:
    """One file to transfer: remote URL and local path on the host. Checked when made."""

    url: str
    path: str

    def __post_init__(self) -> None:
        """Raise `NotAccepted` for what BITS would refuse."""
        limits.check_url(self.url)
        limits.check_path(self.path)


@dataclass(frozen=True, slots=True)
class ListJobs:
    """Read the whole queue. `properties` limits what is asked for (WMI names; None for all).

    `known_ids` are read one by one where the enumeration fails as a whole (`WBEM_E_FAILED`).
    """

    effect: ClassVar[Effect] = Effect.READ
    properties: tuple[str, ...] | None = None
    known_ids: tuple[str, ...] = ()

    def describe(self) -> str:
        """In words."""
        return "list the jobs"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One enumeration, by WQL when only some properties are wanted."""
        if self.properties is None:
            return (wsman.Enumerate(JOB_RESOURCE),)
        return (select_jobs(self.properties),)


@dataclass(frozen=True, slots=True)
class GetJob:
    """Read one job by its id."""

    effect: ClassVar[Effect] = Effect.READ
    job_id: str

    def describe(self) -> str:
        """In words."""
        return f"read job {self.job_id}"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One Get by JobId."""
        return (wsman.Get(JOB_RESOURCE, selectors_of(self.job_id)),)


@dataclass(frozen=True, slots=True)
class GetDetail:
    """Read one job and, where it is in an error state, its error."""

    effect: ClassVar[Effect] = Effect.READ
    job_id: str

    def describe(self) -> str:
        """In words."""
        return f"read job {self.job_id} and its error"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One Get by JobId, and a GetError."""
        return GetJob(self.job_id).requests() + GetError(self.job_id).requests()


@dataclass(frozen=True, slots=True)
class IdentifyHost:
    """Ask the host what it is. Needs neither the provider nor BITS."""

    effect: ClassVar[Effect] = Effect.READ

    def describe(self) -> str:
        """In words."""
        return "ask the host what it is"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One Identify."""
        return (wsman.Identify(),)


@dataclass(frozen=True, slots=True)
class GetError:
    """Ask a job for its error. `language_id` is a LANGID; 1033 is American English."""

    effect: ClassVar[Effect] = Effect.READ
    job_id: str
    language_id: int = 1033

    def describe(self) -> str:
        """In words."""
        return f"read the error of job {self.job_id}"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One GetError."""
        arguments = (("LanguageId", self.language_id),)
        return (invoke("GetError", self.job_id, arguments, is_read=True),)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateJob:
    """Create a job, add its files, set its properties, and resume it unless `suspended`.

    The job is created suspended in any case, because documentation and field reports contradict
    each other on a new job's state. `reference` is the mark by which it is found again if an
    answer is lost (`new_reference`). Uploads hold exactly one file.
    """

    name: str
    files: tuple[FileSpec, ...]
    reference: str
    description: str = ""
    account: ServiceAccount = ServiceAccount.NETWORK_SERVICE
    type: JobType = JobType.DOWNLOAD
    priority: Priority = Priority.NORMAL
    retry_delay_s: int | None = None
    no_progress_timeout_s: int | None = None
    suspended: bool = False
    credentials: JobCredentials | None = None
    replaces: tuple[str, ...] = ()
    """Ids of live jobs that are cancelled (`--if-exists replace`) once the new one stands complete,
    just before it is resumed: a create that fails takes nothing away."""

    def __post_init__(self) -> None:
        """Raise `NotAccepted` for what BITS would refuse."""
        limits.check_name(self.name)
        limits.check_description(self.description)
        if not is_reference(self.reference):
            raise limits.NotAccepted(
                "reference", f"{self.reference!r} is none", hint="new_reference() makes one"
            )
        if not self.files:
            raise limits.NotAccepted("files", "there are none", hint="give a URL and a path")
        if self.type is JobType.UPLOAD and len(self.files) > 1:
            raise limits.NotAccepted(
                "files",
                f"an upload job holds exactly one, not {len(self.files)}",
                hint="make one job for each",
            )
        limits.check_seconds("retry delay", self.retry_delay_s)
        limits.check_seconds("no-progress timeout", self.no_progress_timeout_s)

    @property
    def effect(self) -> Effect:
        """A change; a destruction when it replaces a job."""
        return Effect.DESTROY if self.replaces else Effect.CHANGE

    @property
    def whole_description(self) -> str:
        """The Description as it goes to the host, reference included."""
        return join_description(self.description, self.reference)

    @property
    def settings(self) -> tuple[SetProperty, ...]:
        """The property changes that follow the creation, without those that are defaults."""
        wanted: list[tuple[JobProperty, int]] = []
        if self.priority is not Priority.NORMAL:
            wanted.append((JobProperty.PRIORITY, int(self.priority)))
        if self.retry_delay_s is not None:
            wanted.append((JobProperty.RETRY_DELAY, self.retry_delay_s))
        if self.no_progress_timeout_s is not None:
            wanted.append((JobProperty.NO_PROGRESS_TIMEOUT, self.no_progress_timeout_s))
        return tuple(SetProperty(PENDING_JOB, prop, value) for prop, value in wanted)

    def describe(self) -> str:
        """In words."""
        first = self.files[0]
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        if self.type is JobType.UPLOAD:
            steps = [f"create upload job {shown(self.name)}: {first.path} -> {first.url}"]
        else:
            steps = [f"create job {shown(self.name)}: {first.url} -> {first.path}{more}"]
        if self.description:
            steps.append(f"describe it as {shown(self.description)}")
        if self.account is not ServiceAccount.NETWORK_SERVICE:
            steps.append(f"owned by {self.account.name.lower().replace('_', '-')}")
        for setting in self.settings:
            steps.append(f"set {setting.label} to {setting.value_in_words}")
        if self.credentials is not None:
            steps.append(f"give it {self.credentials.describe()}")
        if self.replaces:
            plural = "" if len(self.replaces) == 1 else "s"
            steps.append(f"cancel the {len(self.replaces)} job{plural} that it replaces")
        steps.append("leave it suspended" if self.suspended else "resume it")
        return ", ".join(steps)

    def requests(self) -> tuple[wsman.Request, ...]:
        """CreateJob, an AddFile a further file, a Put a property, SetCredentials, SetJobState."""
        sent: list[wsman.Request] = [self.creation]
        for file in self.files[1:]:
            sent.extend(AddFile(PENDING_JOB, file).requests())
        for setting in self.settings:
            sent.extend(setting.requests())
        if self.credentials is not None:
            sent.extend(SetCredentials(PENDING_JOB, self.credentials).requests())
        for old in self.replaces:
            sent.extend(ChangeState(old, JobAction.CANCEL).requests())
        if not self.suspended:
            sent.extend(ChangeState(PENDING_JOB, JobAction.RESUME).requests())
        return tuple(sent)

    @property
    def creation(self) -> wsman.Invoke:
        """The CreateJob itself, with the first file."""
        first = self.files[0]
        return wsman.Invoke(
            JOB_RESOURCE,
            "CreateJob",
            (
                ("DisplayName", self.name),
                ("RemoteUrl", first.url),
                ("LocalFile", first.path),
                ("ServiceAccount", int(self.account)),
                ("Type", int(self.type)),
                ("Suspend", True),
                ("Description", self.whole_description),
            ),
        )


@dataclass(frozen=True, slots=True)
class AddFile:
    """Add one file to a job. `job_name` is only for words."""

    effect: ClassVar[Effect] = Effect.CHANGE
    job_id: str
    file: FileSpec
    job_name: str = field(default="", compare=False)

    def describe(self) -> str:
        """In words."""
        name = name_in_words(self.job_id, self.job_name)
        return f"add {self.file.url} -> {self.file.path} to {name}"

    def requests(self) -> tuple[wsman.Request, ...]:
        """One AddFile, with the parameter names as documented (`remoteUrl`, `localFile`)."""
        arguments = (("remoteUrl", self.file.url), ("localFile", self.file.path))
        return (invoke("AddFile", self.job_id, arguments),)


@dataclass(frozen=True, slots=True)
class SetProperty:
    """Set one writable property. A description is what the user wrote, without the reference.

    `reference` is the job's own mark, which a new description keeps.
    """

    effect: ClassVar[Effect] = Effect.CHANGE
    job_id: str
    property_: JobProperty
    value: str | int
    reference: str | None = None
    job_name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Raise `NotAccepted` for what BITS would refuse."""
        if self.property_ is JobProperty.NAME:
            limits.check_name(str(self.value))
        elif self.property_ is JobProperty.DESCRIPTION:
            limit = limits.MAX_OWN_DESCRIPTION if self.reference else limits.MAX_DESCRIPTION
            limits.check_description(str(self.value), limit=limit)
            self._check_mark(str(self.value))
        elif self.property_ is JobProperty.PRIORITY:
            if not Priority(int(self.value)).is_known:
                raise limits.NotAccepted(
                    "priority",
                    f"{self.value} is none",
                    hint=", ".join(f"{known} {known.name.lower()}" for known in Priority),
                )
        else:
            limits.check_seconds(self.label.removeprefix("the "), int(self.value))

    def _check_mark(self, text: str) -> None:
        """A job without a reference must not seem to have one."""
        if self.reference is None and split_description(text)[1] is not None:
            raise limits.NotAccepted(
                "description",
                "ends like the mark by which this program finds its jobs",
                hint="end it otherwise, if only with a dot",
            )

    @property
    def wire_value(self) -> str | int:
        """What goes to the host: a description gets its reference back."""
        if self.property_ is JobProperty.DESCRIPTION:
            return join_description(str(self.value), self.reference)
        return self.value

    def describe(self) -> str:
        """In words."""
        name = name_in_words(self.job_id, self.job_name)
        return f"set {self.label} of {name} to {self.value_in_words}"

    @property
    def label(self) -> str:
        """What is set, in words."""
        return _PROPERTY_LABELS[self.property_]

    @property
    def value_in_words(self) -> str:
        """The value as a person reads it."""
        if self.property_ is JobProperty.PRIORITY:
            return Priority(int(self.value)).name.lower()
        return f"{self.value} s" if isinstance(self.value, int) else repr(self.value)

    def requests(self) -> tuple[wsman.Request, ...]:
        """One Put of one property."""
        properties = ((self.property_.value, self.wire_value),)
        return (wsman.Put(JOB_RESOURCE, selectors_of(self.job_id), properties),)


_PROPERTY_LABELS = {
    JobProperty.PRIORITY: "the priority",
    JobProperty.NAME: "the name",
    JobProperty.DESCRIPTION: "the description",
    JobProperty.RETRY_DELAY: "the minimum retry delay",
    JobProperty.NO_PROGRESS_TIMEOUT: "the no-progress timeout",
}


@dataclass(frozen=True, slots=True)
class ChangeState:
    """Resume, suspend, complete or cancel a job.

    `planned_state` is the state that the plan was made on, from which the effect follows: a
    cancelled job is lost, and completing an unfinished one keeps only the files that are done.
    `lost_bytes` and `lost_files` say how much that is, as far as the plan knew.
    """

    job_id: str
    action: JobAction
    planned_state: JobState | None = None
    job_name: str = field(default="", compare=False)
    lost_bytes: int | None = field(default=None, compare=False)
    lost_files: int | None = field(default=None, compare=False)

    @property
    def effect(self) -> Effect:
        """Destroys when it cancels, or completes what is not TRANSFERRED."""
        if self.action is JobAction.CANCEL:
            return Effect.DESTROY
        if self.action is JobAction.COMPLETE and self.planned_state is not JobState.TRANSFERRED:
            return Effect.DESTROY
        return Effect.CHANGE

    def describe(self) -> str:
        """In words, with what is lost."""
        words = f"{self.action.name.lower()} {name_in_words(self.job_id, self.job_name)}"
        if self.planned_state is not None:
            words += f" ({self.planned_state.name})"
        if self.effect is Effect.DESTROY:
            lost = (
                "its temporary files are deleted"
                if self.action is JobAction.CANCEL
                else "unfinished files are deleted"
            )
            words += f": {lost}"
        return words

    def requests(self) -> tuple[wsman.Request, ...]:
        """One SetJobState with the action's number."""
        return (invoke("SetJobState", self.job_id, (("JobState", int(self.action)),)),)


ReadOperation = ListJobs | GetJob | GetDetail | GetError | IdentifyHost | ListUrlGroups
ChangeOperation = CreateJob | AddFile | SetProperty | ChangeState | JobSetting | PublishOperation
Operation = ReadOperation | ChangeOperation
