"""What requests carry and answers hold: plain values, with no XML left in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, TypeAlias, overload

from bitsshell.wsman.errors import MalformedAnswer

UINT64_MAX = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that goes on the wire and nowhere else: never in `repr`, `str` or a shown envelope."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "***"


Value: TypeAlias = "str | int | bool | bytes | Secret | Instance | Sequence[Value] | None"
"""What a request can carry.

`bool` goes as `true`/`false`, `None` as `xsi:nil`, `bytes` as one decimal number a byte in repeated
elements (uint8[], wire.md 4.6), a sequence as the element repeated, an empty one as nothing.
"""

Property: TypeAlias = "str | Instance | list[str | Instance | None] | None"
"""What an answer's property holds: text as sent, `None` for nil, a list for repeated elements."""


class Instance(Mapping[str, Property]):
    """One CIM instance, method output or fragment out of an answer; read-only by contract.

    `class_name` is the class without its `_Type` suffix, `namespace` the XML namespace of its
    properties (empty for the children of an `XmlFragment`). Values stay text until they are asked
    for as something else, because most are never looked at.
    """

    __slots__ = ("class_name", "namespace", "properties")

    def __init__(
        self, class_name: str, properties: dict[str, Property], namespace: str = ""
    ) -> None:
        self.class_name = class_name
        self.properties = properties
        self.namespace = namespace

    def __getitem__(self, name: str) -> Property:
        return self.properties[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.properties)

    def __len__(self) -> int:
        return len(self.properties)

    def __repr__(self) -> str:
        return f"Instance({self.class_name!r}, {self.properties!r})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Instance)
            and self.class_name == other.class_name
            and self.properties == other.properties
        )

    __hash__ = None  # type: ignore[assignment]

    @overload
    def text(self, name: str) -> str | None: ...
    @overload
    def text(self, name: str, default: str) -> str: ...
    def text(self, name: str, default: str | None = None) -> str | None:
        """The property's text; the default when it is missing or nil."""
        value = self.properties.get(name)
        if type(value) is str:
            return value
        return default if value is None else self._wrong(name, "one text", value)

    @overload
    def uint(self, name: str) -> int | None: ...
    @overload
    def uint(self, name: str, default: int) -> int: ...
    def uint(self, name: str, default: int | None = None) -> int | None:
        """The property as an unsigned number up to 2^64-1; the default when missing or nil."""
        value = self.properties.get(name)
        if value is None:
            return default
        if type(value) is str and value.isascii():
            if len(value) < 20 and value.isdigit():  # the usual case, decided quickly
                return int(value)
            digits = value if value.isdigit() else value.strip()
            if digits.isdigit() and len(digits) <= 20 and (number := int(digits)) <= UINT64_MAX:
                return number
        return self._wrong(name, "an unsigned number", value)

    @overload
    def boolean(self, name: str) -> bool | None: ...
    @overload
    def boolean(self, name: str, default: bool) -> bool: ...
    def boolean(self, name: str, default: bool | None = None) -> bool | None:
        """The property as a truth value: `true`, `FALSE`, `1`, ...; the default when missing."""
        value = self.properties.get(name)
        if type(value) is str:
            known = _BOOLEANS.get(value.strip().lower())
            if known is not None:
                return known
        return default if value is None else self._wrong(name, "true or false", value)

    def array(self, name: str) -> tuple[str | Instance, ...]:
        """The property as a tuple: missing, nil and empty are `()`, one value is a tuple of one."""
        value = self.properties.get(name)
        if value is None:
            return ()
        if type(value) is list:
            return tuple(element for element in value if element is not None)
        return (value,)  # type: ignore[return-value]  # the list is gone by the line above

    def instances(self, name: str) -> tuple[Instance, ...]:
        """The property as a tuple of embedded instances; anything else in it is refused."""
        elements = self.array(name)
        for element in elements:
            if type(element) is not Instance:
                self._wrong(name, "embedded instances", element)
        return elements  # type: ignore[return-value]  # every element was looked at above

    @property
    def return_value(self) -> int | None:
        """A method's `ReturnValue` as an unsigned number: a signed HRESULT is read as its bits."""
        value = self.properties.get("ReturnValue")
        if type(value) is str and value.strip().startswith("-"):
            digits = value.strip()[1:]
            if digits.isascii() and digits.isdigit() and len(digits) <= 10:
                return -int(digits) & 0xFFFFFFFF
        return self.uint("ReturnValue")

    def _wrong(self, name: str, expected: str, value: object) -> NoReturn:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        raise MalformedAnswer(f"{self.class_name}.{name} should be {expected} and is {shown}")


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Identity:
    """What a host says it is (`wsmid:IdentifyResponse`, wire.md 4.9)."""

    protocol_version: str
    product_vendor: str
    product_version: str
    security_profiles: tuple[str, ...] = ()
