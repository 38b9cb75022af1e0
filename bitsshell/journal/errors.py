"""What can be wrong with a journal. Nothing of it ever overwrites one."""

from __future__ import annotations

from bitsshell.errors import BitsShellError, shown

_GO_ON = "or write elsewhere: BITSSHELL_JOURNAL=FILE; without one: BITSSHELL_JOURNAL=off"


class JournalUnavailable(BitsShellError):
    """The journal cannot be read or written now: a full disk, no permission, another's lock."""

    path: str
    problem: str
    remedy: str

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        super().__init__(path=str(path), problem=problem, remedy=remedy)

    def what(self) -> str:
        """What is wrong, and with which file."""
        return f"the journal {shown(self.path)} cannot be used: {self.problem}"

    @property
    def hint(self) -> str | None:
        """How to mend it, and how to go on without."""
        return f"{self.remedy}, {_GO_ON}"


class JournalDamaged(JournalUnavailable):
    """The file is no journal, or not whole. It stays as it is."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, f"{problem}; it was left as it is", "move it away")


class NotJournaled(BitsShellError):
    """A change could not be written down beforehand, and so was not sent."""

    cause: JournalUnavailable

    def __init__(self, cause: JournalUnavailable) -> None:
        super().__init__(cause=cause)

    def what(self) -> str:
        """What was not done, and why."""
        return f"nothing was sent, for it cannot be written down before: {self.cause.what()}"

    @property
    def hint(self) -> str | None:
        """That of the cause."""
        return self.cause.hint
