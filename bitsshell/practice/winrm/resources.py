"""The resources of a host: which URI is which class, and Get, Put, Invoke and queries on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from ..engine.codes import BitsCallError
from ..settings import MethodErrors, WinRmSettings
from . import faults, names, wql
from .names import q
from .wmi import Instance, read_value, scalar
from .xmltext import element, text_element

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .enumeration import Item, Wanted
    from .soap import Request
    from .wmiclass import Arguments, Method, Outputs, WmiClass
    from .wql import Value

_MODIFIED_LIST = "__MIInstanceModifiedPropertiesList".lower()


class Resources:
    """WMI's view of one host: the classes of the BITS namespace."""

    def __init__(self, classes: Iterable[WmiClass], settings: WinRmSettings) -> None:
        self._classes = {kind.name.lower(): kind for kind in classes}
        self._settings = settings

    def named(self, name: str) -> WmiClass | None:
        """The class of that name, in any letter case."""
        return self._classes.get(name.lower())

    def _class_of(self, uri: str) -> WmiClass | None:
        """The class that a resource URI of the BITS namespace names; None is all of them.

        Raises:
            SoapFaultError: another namespace, or a class that is not there.
        """
        head, _, tail = uri.rpartition("/")
        kind = self.named(tail)
        if head.lower() != names.BITS.lower() or (kind is None and tail != "*"):
            raise faults.resource_not_found(tail)
        return kind

    # --- Get, Put and Delete ---

    def get(self, request: Request) -> str:
        """The instance that URI and selectors name, or a fragment of it."""
        kind, item = self._selected(request)
        instance = kind.instance(item)
        if request.fragment_path is None:
            return instance.to_xml()
        return _fragment(instance, _fragment_name(kind, request.fragment_path))

    def put(self, request: Request) -> str:
        """Write properties; the answer is the instance (or the fragment) as it is now."""
        kind, item = self._selected(request)
        if request.fragment_path is not None:
            name = _fragment_name(kind, request.fragment_path)
            changes = _read_fragment(kind, request.body, name)
        else:
            changes = _read_instance(kind, request, item)
        try:
            kind.put(item, changes)
        except BitsCallError as error:
            raise faults.provider_failed(error.hresult) from error
        return self.get(request)

    def delete(self, request: Request) -> str:
        """Delete an instance, where the class has that."""
        kind = self._class_of(request.resource_uri)
        if kind is None or not kind.can_delete:
            raise faults.not_capable()
        kind.delete(self._selected(request)[1])
        return ""

    def _selected(self, request: Request) -> tuple[WmiClass, Any]:
        """The class, and the instance that the selectors name."""
        kind = self._class_of(request.resource_uri)
        if kind is None:
            raise faults.resource_not_found("*")
        key = _key(kind, request)
        item = kind.find(key)
        if item is None:
            raise faults.resource_not_found(f'{kind.name}.{kind.key}="{key}"')
        return kind, item

    # --- Invoke ---

    def method(self, action: str) -> Method:
        """The method behind an action URI.

        Raises:
            SoapFaultError: no such method.
        """
        uri, _, name = action.rpartition("/")
        kind = self._class_of(uri)
        methods = {} if kind is None else {key.lower(): m for key, m in kind.methods.items()}
        method = methods.get(name.lower())
        if method is None:
            raise faults.action_not_supported()
        return method

    def invoke(self, request: Request, method: Method) -> str:
        """Call a method; the answer is its `_OUTPUT` element."""
        kind = self._class_of(request.resource_uri)
        if kind is None or kind.methods.get(method.name) is not method:
            raise faults.action_not_supported()
        item = None
        if not method.static:
            if not _keys(request):
                raise faults.invalid_parameter(kind.key)
            item = _key(kind, request) if method.makes_instance else self._selected(request)[1]
        uri = f"{names.BITS}/{kind.name}"
        arguments = _read_arguments(uri, request.body, method)
        outputs: Outputs = {}
        try:
            result, outputs = method.run(item, arguments)
        except BitsCallError as error:
            if self._settings.method_errors is MethodErrors.FAULT:
                raise faults.provider_failed(error.hresult) from error
            result = error.hresult
        return _output(uri, method.name, result, outputs)

    # --- queries ---

    def items(self, request: Request, wanted: Wanted) -> list[Item]:
        """What an enumeration will give, each rendered when it is pulled."""
        kind = self._class_of(request.resource_uri)
        if _keys(request):
            raise faults.SoapFaultError(2150859016, "w:InvalidSelectors")
        if wanted.filter_text is None:
            if kind is None:
                raise faults.resource_not_found("*")
            return [_item(kind, kind.key_of(item), wanted.mode, None) for item in kind.all()]
        if wanted.dialect != names.WQL_DIALECT:
            raise faults.SoapFaultError(2150858777, "n:FilterDialectRequestedUnavailable")
        if kind is not None:
            raise faults.SoapFaultError(2150859003, "w:InvalidParameter")
        return list(self._query(wanted))

    def _query(self, wanted: Wanted) -> Iterator[Item]:
        text = wanted.filter_text or ""
        try:
            query = wql.parse(text)
        except wql.WqlError as error:
            raise faults.cannot_process_filter(text, f"{error}. ") from error
        kind = self.named(query.class_name)
        if kind is None:
            raise faults.cannot_process_filter(
                text, "The specified class does not exist in the given namespace. "
            )
        _check_projection(kind, text, query.properties)
        for item in kind.all():
            try:
                if query.matches(kind.instance(item).row()):
                    yield _item(kind, kind.key_of(item), wanted.mode, query.properties)
            except wql.WqlError as error:
                raise faults.cannot_process_filter(text, f"{error}. ") from error


def _item(kind: WmiClass, key: str, mode: str, properties: Sequence[str] | None) -> Item:
    """Renders an instance when it is its turn, if it is still there."""

    def render() -> str | None:
        found = kind.find(key)
        if found is None:
            return None
        if mode == "EnumerateEPR":
            return _reference(kind, key)
        instance = kind.instance(found)
        whole = instance.to_xml() if properties is None else instance.fragment(properties)
        if mode == "EnumerateObjectAndEPR":
            return element("w:Item", whole + _reference(kind, key))
        return whole

    return render


def _read_instance(kind: WmiClass, request: Request, item: Any) -> dict[str, Value]:
    """Full instance, or only some of its properties; read-only ones are not looked at."""
    body, uri = request.body, f"{names.BITS}/{kind.name}"
    if body is None or body.tag != q(uri, kind.name):
        raise faults.schema_error(kind.name)
    listed = {v.lower() for n, v in request.options if n.lower().endswith(_MODIFIED_LIST)}
    writable = {parameter.name: parameter for parameter in kind.writable}
    changes: dict[str, Value] = {}
    for node in body.iterchildren(tag=etree.Element):
        name = etree.QName(node)
        if name.namespace != uri:
            continue
        if name.localname == kind.key:
            _refuse_other_key(kind, node, item)
        if name.localname in kind.read_only:
            continue
        parameter = writable.get(name.localname)
        if parameter is None:
            raise faults.schema_error(name.localname)
        if not listed or name.localname.lower() in listed:
            changes[parameter.name] = read_value(node, parameter)
    return changes


def _key(kind: WmiClass, request: Request) -> str:
    """The value of the one key.

    Raises:
        SoapFaultError: no selectors, or others than the key.
    """
    selectors = _keys(request)
    if not selectors:
        raise faults.SoapFaultError(2150859002, "w:InvalidSelectors")
    if set(selectors) != {kind.key.lower()}:
        raise faults.SoapFaultError(
            2150858843,
            "w:InvalidSelectors",
            detail=f"{names.FAULT_DETAIL}/UnexpectedSelectors",
        )
    return selectors[kind.key.lower()]


def _keys(request: Request) -> dict[str, str]:
    """The selectors that name an instance; `__cimnamespace` must agree with the URI (4.2)."""
    keys = dict(request.selectors)
    namespace = keys.pop("__cimnamespace", None)
    if namespace is not None:
        given = namespace.replace("\\", "/").strip("/").lower()
        if given != names.BITS_NAMESPACE:
            raise faults.SoapFaultError(2150859067, "w:InternalError", soap_code="s:Receiver")
    return keys


def _refuse_other_key(kind: WmiClass, node: etree._Element, item: Any) -> None:
    given = (node.text or "").strip()
    if given and kind.find(given) is not item:
        raise faults.SoapFaultError(2150858989, "w:InvalidParameter", shape=faults.Shape.PROVIDER)


def _fragment_name(kind: WmiClass, path: str) -> str:
    """The property of a level 1 path, whose letter case counts.

    Raises:
        SoapFaultError: another kind of path, or no such property.
    """
    if path.startswith("/") or path not in kind.properties:
        raise faults.SoapFaultError(
            2150858778, "n:CannotProcessFilter", detail=f"{names.FAULT_DETAIL}/FragmentDialect"
        )
    return path


def _read_fragment(kind: WmiClass, body: etree._Element | None, name: str) -> dict[str, Value]:
    parameter = next((p for p in kind.writable if p.name == name), None)
    if body is None or body.tag != q(names.WSMAN, "XmlFragment"):
        raise faults.schema_error("XmlFragment")
    nodes = [n for n in body.iterchildren(tag=etree.Element) if etree.QName(n).localname == name]
    if parameter is None or len(nodes) != 1 or len(body) != 1:
        raise faults.schema_error(name)
    return {name: read_value(nodes[0], parameter)}


def _fragment(instance: Instance, name: str) -> str:
    whole = etree.fromstring(instance.to_xml())
    content = b"".join(
        etree.tostring(node) for node in whole.iterchildren(q(instance.uri, name))
    ).decode()
    return element("w:XmlFragment", content)


def _read_arguments(uri: str, body: etree._Element | None, method: Method) -> Arguments:
    """The parameters in `METHOD_INPUT`; their letter case counts (1.3)."""
    if body is None or body.tag != q(uri, f"{method.name}_INPUT"):
        raise faults.schema_error(f"{method.name}_INPUT")
    known = {parameter.name: parameter for parameter in method.parameters}
    given: dict[str, Value | tuple[Value, ...]] = {}
    arrays: dict[str, list[Value]] = {}
    for node in body.iterchildren(tag=etree.Element):
        name = etree.QName(node)
        parameter = known.get(name.localname)
        if name.namespace != uri or parameter is None:
            raise faults.schema_error(name.localname)
        value = read_value(node, parameter)
        if parameter.array:
            arrays.setdefault(parameter.name, []).append(value)
        elif parameter.name in given:
            raise faults.schema_error(parameter.name)
        else:
            given[parameter.name] = value
    given |= {name: tuple(values) for name, values in arrays.items()}
    for parameter in method.parameters:
        if parameter.required and given.get(parameter.name) is None:
            raise faults.invalid_parameter(parameter.name)
    return given


def _check_projection(kind: WmiClass, text: str, properties: Sequence[str] | None) -> None:
    known = {name.lower() for name in kind.properties}
    if properties is not None and any(name.lower() not in known for name in properties):
        raise faults.cannot_process_filter(text)


def _output(uri: str, method: str, result: int, outputs: Outputs) -> str:
    content = ""
    for name, value in sorted({**outputs, "ReturnValue": result}.items()):
        values = value if isinstance(value, tuple) else (value,)
        content += "".join(scalar(f"p:{name}", each) for each in values)
    attributes = {
        "xmlns:xsi": names.XSI,
        "xmlns:p": uri,
        "xmlns:cim": names.CIM,
        "xml:lang": "en-US",
    }
    return element(f"p:{method}_OUTPUT", content, attributes)


def _reference(kind: WmiClass, key: str) -> str:
    selector = text_element("w:Selector", key, {"Name": kind.key})
    uri = text_element("w:ResourceURI", f"{names.BITS}/{kind.name}")
    parameters = element("a:ReferenceParameters", uri + element("w:SelectorSet", selector))
    address = text_element("a:Address", names.ANONYMOUS)
    return element("a:EndpointReference", address + parameters)
