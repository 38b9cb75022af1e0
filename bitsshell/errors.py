"""The one tree of errors. Every error carries data; its text is made from the data.

An error that reaches a person says what happened, where (host, job) and what to do next, in one to
three lines (`BitsShellError.lines`). Errors survive pickling, so that a worker process can return
them, and compare equal when their class and data are equal.
"""

from __future__ import annotations

from typing import Any, ClassVar

from bitsshell.known_secrets import scrub


def shown(text: str) -> str:
    """A text as it stands in a message: quoted, nothing invisible in it, its backslashes single."""
    return repr(text).replace("\\\\", "\\")


class BitsShellError(Exception):
    """Base of every error that this package raises on purpose.

    Subclasses pass their data to `super().__init__` by keyword and override `what`. `host` is the
    label of the host that it happened on, `job` the id or name of the job, `hint` what to do next.
    """

    default_hint: ClassVar[str | None] = None

    def __init__(
        self,
        message: str = "",
        *,
        host: str | None = None,
        job: str | None = None,
        hint: str | None = None,
        **data: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.host = host
        self.job = job
        self._hint = hint
        self.__dict__.update(data)

    def what(self) -> str:
        """What happened, in one sentence without host and job."""
        return self.message

    @property
    def hint(self) -> str | None:
        """What to do next, or None when there is nothing sensible to say."""
        return self._hint or self.default_hint

    def located(self, *, host: str | None = None, job: str | None = None) -> BitsShellError:
        """Fill in host and job where they are not known yet; return the error itself."""
        self.host = self.host or host
        self.job = self.job or job
        return self

    def lines(self) -> list[str]:
        """One or two lines for a person: what and where, then what to do next; no known secret."""
        where = ", ".join(
            part for part in (self.host, f"job {self.job}" if self.job else None) if part
        )
        first = f"{where}: {self.what()}" if where else self.what()
        found = [first, f"next: {self.hint}"] if self.hint else [first]
        # What a host or a person wrote may hold line breaks; one line stays one line.
        return [" ".join(scrub(line).splitlines()) for line in found]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        data = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items() if value)
        return scrub(f"{type(self).__name__}({data})")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (type(self), self.__dict__))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        # Host and job are filled in later, by `located`: what changes must not be hashed.
        return hash((type(self), self.message))


def _restore(cls: type[BitsShellError], state: dict[str, Any]) -> BitsShellError:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    error.args = (state.get("message", ""),)
    return error


class UsageError(BitsShellError):
    """What was typed cannot be done as it stands: nothing was sent (exit code 2)."""
