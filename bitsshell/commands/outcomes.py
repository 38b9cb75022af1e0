"""What verbs that look at jobs for a while say of them in the end."""

from __future__ import annotations

from bitsshell.bits import Job, JobError, JobState, explain
from bitsshell.errors import BitsShellError, shown


class JobFailed(BitsShellError):
    """A job that was waited for or managed ended in ERROR, or was cancelled because of an error.

    `code` is what GetError said (None where it said nothing), `fate` what was done about it.
    """

    code: int | None
    text: str
    fate: str
    name: str
    state: JobState

    def __init__(
        self, job: Job, error: JobError | None, *, fate: str = "", host: str | None = None
    ) -> None:
        super().__init__(
            host=host or job.host,
            job=job.id,
            name=job.name,
            state=job.state,
            code=error.code if error else None,
            text=error.description if error else "",
            fate=fate,
        )

    def what(self) -> str:
        """The state, the code and its meaning, and what was done."""
        said = f"{shown(self.name)} is in {self.state.name}"
        if self.code is not None:
            known = explain(self.code)
            said += f": {known.title}. {known.meaning or self.text}".rstrip()
        return f"{said.rstrip('.')}; {self.fate}" if self.fate else said

    @property
    def hint(self) -> str | None:
        """The remedy from the table."""
        remedy = explain(self.code).remedy if self.code is not None else ""
        return self._hint or remedy or f"see why: explain {self.job}"


class NotReached(BitsShellError):
    """The time limit came before the job was where it was wanted (exit code 4)."""

    name: str
    state: JobState
    wanted: str
    limit_s: float

    def __init__(self, job: Job, *, wanted: str, limit_s: float) -> None:
        super().__init__(
            host=job.host,
            job=job.id,
            name=job.name,
            state=job.state,
            wanted=wanted,
            limit_s=limit_s,
        )

    def what(self) -> str:
        """The state it is in, and the one it should be in."""
        return (
            f"{shown(self.name)} is {self.state.name} after {self.limit_s:g} s, "
            f"not yet {self.wanted}"
        )

    @property
    def hint(self) -> str | None:
        """Whether it moves by itself."""
        if self.state is JobState.SUSPENDED:
            return f"nothing moves until it is resumed: resume {self.job}"
        return "the job goes on by itself: look again with watch, or wait longer"


class LeftTheQueue(BitsShellError):
    """A job that was waited for is gone: somebody else completed or cancelled it."""

    name: str
    default_hint = "whether it was completed or cancelled is in the host's Bits-Client event log"

    def __init__(self, job: Job) -> None:
        super().__init__(host=job.host, job=job.id, name=job.name)

    def what(self) -> str:
        """Say so."""
        return f"{shown(self.name)} left the queue: somebody completed or cancelled it meanwhile"


class NotVerified(BitsShellError):
    """A transfer ended, but what the host says of it is not what was asked for."""

    problem: str
    default_hint = "look at the files on the host before you use them"

    def __init__(self, job: Job, problem: str) -> None:
        super().__init__(host=job.host, job=job.id, problem=problem)

    def what(self) -> str:
        """The difference."""
        return f"the transfer is not verified: {self.problem}"


class AlreadyPublished(BitsShellError):
    """A URL is published already, and `--if-exists` does not say what to do."""

    url: str
    default_hint = "--if-exists reuse leaves it, replace publishes this file in its place"

    def __init__(self, url: str, *, host: str) -> None:
        super().__init__(host=host, url=url)

    def what(self) -> str:
        """Say so, and that nobody can see what it is."""
        return f"{self.url} is published already, and which file it is cannot be read"


class NotAgreed(BitsShellError):
    """A change was asked about, and the answer was no, or none."""

    def what(self) -> str:
        """Say so."""
        return "nobody agreed to it"


class JobExists(BitsShellError):
    """A live job of that name is there already, and `--if-exists` does not say what to do."""

    name: str
    state: JobState
    problem: str
    default_hint = "--if-exists reuse takes it, replace cancels it, new makes another"

    def __init__(self, job: Job, problem: str = "") -> None:
        super().__init__(host=job.host, job=job.id, name=job.name, state=job.state, problem=problem)

    def what(self) -> str:
        """Say so."""
        return f"a job named {shown(self.name)} is there already ({self.state.name}){self.problem}"


class NoAnswerYet(BitsShellError):
    """A host that is read again and again takes long this time."""

    default_hint = "its jobs are shown as they last were"

    def what(self) -> str:
        """Say so."""
        return "no answer yet"
