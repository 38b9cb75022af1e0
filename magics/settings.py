"""What `%config BitsMagics` takes, checked when it is set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bitsshell.errors import BitsShellError, UsageError, shown

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_ROWS = 1000


def checked(name: str, value: Any) -> Any:
    """The value in the form that is kept. Raises UsageError, which says what is allowed."""
    if value is None:
        return None
    try:
        return _CHECKS[name](value)
    except BitsShellError as error:
        text = value if isinstance(value, str) else repr(value)
        raise UsageError(
            f"BitsMagics.{name} = {shown(text)}: {error.what()}", hint=error.hint
        ) from error


def _hosts(value: Any) -> str | list[str]:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, list | tuple) and value and all(isinstance(one, str) for one in value):
        return list(value)
    raise UsageError("it is no host", hint="a name, a range, a @group, or a list of them")


def _text(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise UsageError("it is no name", hint="DOMAIN\\name or name@domain")


def _auth(value: Any) -> str:
    from bitsshell.commands.types import Member
    from bitsshell.fleet.targets import Auth

    return str(Member(Auth, "auth").convert(value, None, None))


def _seconds(minimum_s: float) -> Callable[[Any], float]:
    def convert(value: Any) -> float:
        from bitsshell.commands.types import Duration

        if isinstance(value, bool):
            raise UsageError("it is no length of time", hint="write 0.5, 90, '5m' or '2h'")
        return Duration(minimum_s=minimum_s).convert(
            str(value) if isinstance(value, int | float) else value, None, None
        )

    return convert


def _rows(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MAX_ROWS:
        return value
    raise UsageError("it is no number of rows", hint=f"1 to {_MAX_ROWS:,}")


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise UsageError("it is neither True nor False", hint="without quotes")


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "host": _hosts,
    "user": _text,
    "auth": _auth,
    "timeout": _seconds(0.1),
    "interval": _seconds(0.05),
    "max_rows": _rows,
    "what_if": _switch,
    "batch": _switch,
    "tracebacks": _switch,
}
