"""Errors that BITS and its provider give, each explained from the table of codes."""

from __future__ import annotations

from bitsshell.bits.codes import Explanation, explain
from bitsshell.errors import BitsShellError


class BitsError(BitsShellError):
    """Base of what can go wrong with jobs on a host that was reached."""


class CodeError(BitsError):
    """BITS or WMI refused an operation. `code` is an unsigned HRESULT or Win32 code.

    `action` is what was tried, `text` what the host said of it in its own language.
    """

    code: int
    action: str
    text: str

    def __init__(
        self,
        action: str,
        code: int,
        *,
        text: str = "",
        host: str | None = None,
        job: str | None = None,
    ) -> None:
        super().__init__(host=host, job=job, action=action, code=code, text=text)

    @property
    def explanation(self) -> Explanation:
        """Symbol, meaning and remedy of the code."""
        return explain(self.code)

    def what(self) -> str:
        """The action, the code and its meaning (the host's own text where no table knows it)."""
        known = self.explanation
        meaning = known.meaning or self.text or "no table explains this code"
        return f"{self.action} was refused: {known.title}. {meaning}"

    @property
    def hint(self) -> str | None:
        """The remedy from the table."""
        return self._hint or self.explanation.remedy or None


class JobGone(BitsError):
    """The job is not in the host's queue: unknown, or completed or cancelled meanwhile."""

    default_hint = "list what is there: jobs; completed and cancelled jobs leave the queue"

    def what(self) -> str:
        """Say so."""
        return "the job is not there (any more)"


class ProviderMissing(BitsError):
    """The host has no BITS provider for WMI."""

    default_hint = (
        "it comes with the server feature BITS-Compact-Server, which is off by default: "
        "run 'Install-WindowsFeature BITS-Compact-Server' on that host (client Windows has none)"
    )

    def what(self) -> str:
        """Say so."""
        return "WinRM answers, but the class BitsClientJob in root\\microsoft\\bits is missing"


class AccessDenied(BitsError):
    """The account may not use the provider, or not this job."""

    default_hint = (
        "use a member of the host's Administrators group; a local account other than the built-in "
        "Administrator needs LocalAccountTokenFilterPolicy=1 there"
    )
    action: str
    code: int

    def __init__(
        self, action: str, code: int, *, host: str | None = None, job: str | None = None
    ) -> None:
        super().__init__(host=host, job=job, action=action, code=code)

    def what(self) -> str:
        """Say so."""
        return f"{self.action}: access is denied ({explain(self.code).title})"


class QueueUnreadable(BitsError):
    """The enumeration failed as a whole, and no job is known by id that could be read alone."""

    default_hint = (
        "usually one job's owner no longer exists: find it on the host with "
        "'bitsadmin /list /allusers' and cancel it; a job whose full id you know can still be used"
    )

    def what(self) -> str:
        """Say so."""
        return "the queue cannot be enumerated (WBEM_E_FAILED)"


class CreateFailed(BitsError):
    """A create failed after CreateJob; what was half made was cancelled, or could not be.

    `step` is what failed, `cause` its error, `cancel_error` why the clean-up failed, if it did.
    """

    step: str
    cause: BitsShellError
    cancel_error: BitsShellError | None

    def __init__(
        self,
        step: str,
        cause: BitsShellError,
        *,
        job: str,
        host: str | None = None,
        cancel_error: BitsShellError | None = None,
    ) -> None:
        super().__init__(host=host, job=job, step=step, cause=cause, cancel_error=cancel_error)

    def what(self) -> str:
        """What failed and what became of the half-made job."""
        fate = (
            "the half-made job was cancelled"
            if self.cancel_error is None
            else f"the half-made job is STILL THERE ({self.cancel_error.what()})"
        )
        return f"could not {self.step}: {self.cause.what()}; {fate}"

    @property
    def hint(self) -> str | None:
        """How to get rid of what is left, else the cause's own hint."""
        if self.cancel_error is not None:
            return f"cancel it by hand: cancel {self.job}"
        return self.cause.hint


class AnswerWasLost(BitsError):
    """A change was sent, its answer was lost, and the host could not say whether it took effect.

    `reference` is the mark of a create, by which its job can be found later.
    """

    action: str
    reference: str | None
    look: str

    def __init__(
        self,
        action: str,
        *,
        host: str | None = None,
        job: str | None = None,
        reference: str | None = None,
        look: str = "look at the job: show",
    ) -> None:
        super().__init__(host=host, job=job, action=action, reference=reference, look=look)

    def what(self) -> str:
        """Say that it is unknown."""
        return f"{self.action}: the answer was lost, and whether it took effect is UNKNOWN"

    @property
    def hint(self) -> str | None:
        """Where to look."""
        if self.reference:
            return f"when the host answers again, look for it: show ref:{self.reference}"
        return f"when the host answers again, {self.look}"


class NotCreated(BitsError):
    """CreateJob was not (or not usefully) answered, and the queue, read afterwards, lacks it."""

    default_hint = "run the same command again; nothing was left behind"

    def what(self) -> str:
        """Say so."""
        return "CreateJob was not answered, and the job is not in the queue: it was not created"
