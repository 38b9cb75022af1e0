"""WMI classes as the plug-in shows them: values, types, instances (`wire.md` 4.3, 4.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from . import faults, names
from .numbers import unsigned
from .wql import Value
from .xmltext import element, empty, text_element

if TYPE_CHECKING:
    from lxml import etree


class CimType(Enum):
    """The types that the BITS classes use."""

    STRING = "string"
    BOOLEAN = "boolean"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"

    @property
    def limit(self) -> int:
        """The largest number, 0 for what is no number."""
        bits = self.value.removeprefix("uint")
        return (1 << int(bits)) - 1 if bits.isdigit() else 0


@dataclass(frozen=True, slots=True)
class Embedded:
    """An object inside of a property, such as one of a job's files."""

    class_name: str
    values: Mapping[str, Value]


Property = Value | Sequence[Embedded]


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a class. Properties are written in alphabetical order."""

    namespace: str
    """Such as `root/microsoft/bits`."""
    class_name: str
    values: Mapping[str, Property]

    @property
    def uri(self) -> str:
        """The resource URI of the class, which is also its XML namespace."""
        return f"{names.WMI}{self.namespace}/{self.class_name}"

    def row(self) -> dict[str, Value]:
        """The plain values for a query, by name in lower case."""
        return {
            name.lower(): value
            for name, value in self.values.items()
            if value is None or isinstance(value, str | int)
        }

    def to_xml(self) -> str:
        """The whole instance."""
        attributes = {
            "xmlns:xsi": names.XSI,
            "xmlns:p": self.uri,
            "xmlns:cim": names.CIM,
            "xsi:type": f"p:{self.class_name}_Type",
        }
        content = self._properties("p:", sorted(self.values))
        return element(f"p:{self.class_name}", content, attributes)

    def fragment(self, properties: Sequence[str]) -> str:
        """Chosen properties as an `XmlFragment`, whose children have no namespace (4.7)."""
        known = {name.lower(): name for name in self.values}
        chosen = sorted({known[name.lower()] for name in properties})
        attributes = {
            "xmlns:xsi": names.XSI,
            "xmlns:w": names.WSMAN,
            "xmlns:m": names.MS_WSMAN,
        }
        return element("w:XmlFragment", self._properties("", chosen), attributes)

    def _properties(self, prefix: str, chosen: Sequence[str]) -> str:
        return "".join(self._property(prefix + name, self.values[name]) for name in chosen)

    def _property(self, tag: str, value: Property) -> str:
        if value is None or isinstance(value, str | int):
            return scalar(tag, value)
        return "".join(
            self._embedded(tag, f"p{number}", item) for number, item in enumerate(value, start=1)
        )

    def _embedded(self, tag: str, prefix: str, item: Embedded) -> str:
        uri = f"{names.WMI}{self.namespace}/{item.class_name}"
        content = "".join(
            scalar(f"{prefix}:{name}", value) for name, value in sorted(item.values.items())
        )
        attributes = {f"xmlns:{prefix}": uri, "xsi:type": f"{prefix}:{item.class_name}_Type"}
        return element(tag, content, attributes)


def scalar(tag: str, value: Value) -> str:
    """One value; NULL is `xsi:nil`."""
    if value is None:
        return empty(tag, {"xsi:nil": "true"})
    if isinstance(value, bool):
        return element(tag, "true" if value else "false")
    return text_element(tag, str(value))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input parameter of a method, or one writable property."""

    name: str
    type: CimType
    required: bool = True
    array: bool = False


def read_value(node: etree._Element, parameter: Parameter) -> Value:
    """The value of an element.

    Raises:
        SoapFaultError: it is not of the parameter's type.
    """
    if node.get(names.q(names.XSI, "nil"), "").strip().lower() in {"true", "1"}:
        return None
    if len(node):
        raise faults.schema_error(parameter.name)
    text = node.text or ""
    if parameter.type is CimType.STRING:
        return text
    text = text.strip()
    if not text:
        return None
    if parameter.type is CimType.BOOLEAN:
        if text.lower() not in {"true", "false", "1", "0"}:
            raise faults.schema_error(parameter.name)
        return text.lower() in {"true", "1"}
    number = unsigned(text)
    if number is None or number > parameter.type.limit:
        raise faults.schema_error(parameter.name)
    return number
