"""What a class is like, as CIM-XML: its properties, methods and qualifiers (`wire.md` 4.11).

The MOF file of the provider is not public: `key` and `static` follow from Microsoft's examples, the
letter case of AddFile's parameters is a setting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import faults, names
from .xmltext import element, text_element

if TYPE_CHECKING:
    from .resources import Resources
    from .soap import Request
    from .wmi import Parameter
    from .wmiclass import Method, WmiClass

CLASS_URI = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*"


def class_xml(request: Request, resources: Resources) -> str:
    """The CLASS element that a request's selectors ask for.

    Raises:
        SoapFaultError: no such namespace or class.
    """
    namespace = request.selectors.get("__cimnamespace", "").replace("\\", "/").strip("/").lower()
    name = request.selectors.get("classname", "").lower()
    if namespace != names.BITS_NAMESPACE or not name:
        raise faults.resource_not_found(f"{namespace}:{name}")
    qualified = ("includequalifiers", "true") in {
        (option.lower(), value.lower()) for option, value in request.options
    }
    kind = resources.named(name)
    if kind is None:
        raise faults.resource_not_found(f"{namespace}:{name}")
    return _Writer(kind, qualified).whole()


class _Writer:
    """Writes one class, with its qualifiers or without."""

    def __init__(self, kind: WmiClass, qualified: bool) -> None:
        self._kind = kind
        self._qualified = qualified

    def whole(self) -> str:
        """The CLASS element."""
        writable = {parameter.name: parameter.type for parameter in self._kind.writable}
        types = {**self._kind.read_only, **writable}
        properties = []
        for name, kind in sorted(types.items()):
            marks = ["key"] if name == self._kind.key else []
            marks += ["read", "write"] if name in writable else ["read"]
            is_files = name == "Files"
            embedded = self._text("EmbeddedInstance", names.FILE_CLASS) if is_files else ""
            tag = "PROPERTY.ARRAY" if is_files else "PROPERTY"
            properties.append(self._typed(tag, name, kind.value, self._flags(marks) + embedded))
        methods = "".join(self._method(method) for method in self._kind.methods.values())
        return self._class("".join(properties) + methods)

    def _class(self, content: str) -> str:
        about = self._flags(["dynamic"]) + self._text("provider", "BitsClientProv")
        return element("CLASS", about + content, {"NAME": self._kind.name})

    def _method(self, method: Method) -> str:
        content = self._flags(["static"] if method.static else [])
        for parameter in method.parameters:
            marks = ["in"] if parameter.required else ["in", "optional"]
            content += self._parameter(parameter, marks)
        for parameter in method.outputs:
            content += self._parameter(parameter, ["out"])
        return self._typed("METHOD", method.name, "uint32", content)

    def _parameter(self, parameter: Parameter, marks: list[str]) -> str:
        tag = "PARAMETER.ARRAY" if parameter.array else "PARAMETER"
        attributes = {"NAME": parameter.name, "TYPE": parameter.type.value}
        return element(tag, self._flags(marks), attributes)

    def _typed(self, tag: str, name: str, kind: str, content: str) -> str:
        attributes = {"NAME": name, "CLASSORIGIN": self._kind.name, "TYPE": kind}
        return element(tag, content, attributes)

    def _flags(self, marks: list[str]) -> str:
        return "".join(self._qualifier(mark, "boolean", "true") for mark in marks)

    def _text(self, name: str, text: str) -> str:
        return self._qualifier(name, "string", text)

    def _qualifier(self, name: str, kind: str, value: str) -> str:
        if not self._qualified:
            return ""
        return element("QUALIFIER", text_element("VALUE", value), {"NAME": name, "TYPE": kind})
