"""Requests as values: what to ask a host for, before it is an envelope.

They are frozen and pickle, so that a plan can show them, a journal can name them and a worker
elsewhere can send them. `bitsshell.wsman.envelopes.envelope` makes the bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

if TYPE_CHECKING:
    from bitsshell.wsman.values import Value

Selectors: TypeAlias = "tuple[tuple[str, str], ...]"
Arguments: TypeAlias = "tuple[tuple[str, Value], ...]"

# Above what one answer of the WMI plug-in holds (75,000 to 250,000 characters), so that the
# envelope limit cuts the pages, and below MaxBatchItems (32,000; wire.md 6).
PAGE_SIZE = 500


@dataclass(frozen=True, slots=True)
class Get:
    """Read one instance ([MS-WSMV] 3.1.4.2, wire.md 4.3)."""

    resource: str
    selectors: Selectors = ()

    is_read: ClassVar[bool] = True

    def describe(self) -> str:
        """`Get BitsClientJob`."""
        return f"Get {class_of(self.resource)}"


@dataclass(frozen=True, slots=True)
class Put:
    """Change properties of one instance (wire.md 4.4).

    With `fragment` exactly one property goes as a fragment of its own, which needs no knowledge of
    the others; without it the properties are sent as an instance.
    """

    resource: str
    selectors: Selectors
    properties: Arguments
    fragment: bool = True

    is_read: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.fragment and len(self.properties) != 1:
            raise ValueError("a fragment is exactly one property")

    def describe(self) -> str:
        """`Put BitsClientJob.Priority`."""
        name = class_of(self.resource)
        return f"Put {name}.{self.properties[0][0]}" if self.fragment else f"Put {name}"


@dataclass(frozen=True, slots=True)
class Invoke:
    """Call a method, of the class or (with selectors) of one instance (wire.md 4.5).

    `is_read` is for a method that changes nothing, such as GetError: it may be sent again.
    """

    resource: str
    method: str
    arguments: Arguments = ()
    selectors: Selectors = ()
    is_read: bool = False

    def describe(self) -> str:
        """`CreateJob`."""
        return self.method


@dataclass(frozen=True, slots=True)
class Enumerate:
    """Read all instances of a class, or what a WQL query selects (wire.md 4.7).

    With `wql` the resource must end in `/*` on Windows. `page_size` is the same in every pull.
    """

    resource: str
    wql: str | None = None
    page_size: int = PAGE_SIZE

    is_read: ClassVar[bool] = True

    def describe(self) -> str:
        """`Enumerate BitsClientJob`."""
        selected = _FROM.search(self.wql) if self.wql else None
        return f"Enumerate {selected[1] if selected else class_of(self.resource)}"


@dataclass(frozen=True, slots=True)
class Pull:
    """Read the next page of an enumeration; not repeatable, since the host moves on."""

    enumeration: Enumerate
    context: str

    is_read: ClassVar[bool] = True

    def describe(self) -> str:
        """The enumeration's own description: nobody asked for a pull."""
        return self.enumeration.describe()


@dataclass(frozen=True, slots=True)
class Release:
    """Tell the host that nobody will read the rest of an enumeration."""

    enumeration: Enumerate
    context: str

    is_read: ClassVar[bool] = True

    def describe(self) -> str:
        """`Release` and the enumeration."""
        return f"Release of {self.enumeration.describe()}"


@dataclass(frozen=True, slots=True)
class Identify:
    """Ask what the host is (wire.md 4.9)."""

    is_read: ClassVar[bool] = True

    def describe(self) -> str:
        """`Identify`."""
        return "Identify"


Request: TypeAlias = Get | Put | Invoke | Enumerate | Identify
"""What `WSManClient.send` takes."""

Message: TypeAlias = Request | Pull | Release
"""What goes on the wire."""

_FROM = re.compile(r"\bFROM\s+(\w+)", re.IGNORECASE)


def class_of(resource: str) -> str:
    """The class that a resource URI names: its last part."""
    return resource.rstrip("/").rpartition("/")[2]
