"""The resources of a host: which URI is which class, and Get, Put, Invoke and queries on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from ..engine.codes import BitsCallError
from ..settings import MethodErrors, WinRmSettings
from . import faults, names, wql
from .names import q
from .provider import PROPERTIES, READ_ONLY, WRITABLE, BitsProvider, Method
from .wmi import Instance, read_value, scalar
from .xmltext import element, text_element

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..engine.model import Job
    from .enumeration import Item, Wanted
    from .soap import Request
    from .wql import Value

_MODIFIED_LIST = "__MIInstanceModifiedPropertiesList".lower()
_KNOWN_CLASSES = {name.lower() for name in (names.JOB_CLASS, names.FILE_CLASS)}
_JOB_URI = f"{names.BITS}/{names.JOB_CLASS}"


def class_of(uri: str) -> str:
    """The class in lower case that a resource URI of the BITS namespace names.

    Raises:
        SoapFaultError: another namespace, or a class that is not there.
    """
    head, _, tail = uri.rpartition("/")
    if head.lower() != names.BITS.lower() or tail.lower() not in _KNOWN_CLASSES | {"*"}:
        raise faults.resource_not_found(tail)
    return tail.lower()


class Resources:
    """WMI's view of one host."""

    def __init__(self, provider: BitsProvider, settings: WinRmSettings) -> None:
        self._provider = provider
        self._settings = settings

    # --- Get and Put ---

    def get(self, request: Request) -> str:
        """The instance that URI and selectors name, or a fragment of it."""
        instance = self._provider.instance(self._selected(request))
        if request.fragment_path is None:
            return instance.to_xml()
        return _fragment(instance, _fragment_name(request.fragment_path))

    def put(self, request: Request) -> str:
        """Write properties; the answer is the instance (or the fragment) as it is now."""
        job = self._selected(request)
        if request.fragment_path is not None:
            name = _fragment_name(request.fragment_path)
            changes = _read_fragment(request.body, name)
        else:
            changes = self._read_instance(request, job)
        try:
            self._provider.put(job, changes)
        except BitsCallError as error:
            raise faults.provider_failed(error.hresult) from error
        instance = self._provider.instance(job)
        if request.fragment_path is not None:
            return _fragment(instance, _fragment_name(request.fragment_path))
        return instance.to_xml()

    def _selected(self, request: Request) -> Job:
        kind = class_of(request.resource_uri)
        if kind == "*":
            raise faults.resource_not_found("*")
        selectors = _keys(request)
        if not selectors:
            raise faults.SoapFaultError(2150859002, "w:InvalidSelectors")
        if set(selectors) != {"jobid"}:
            raise faults.SoapFaultError(
                2150858843,
                "w:InvalidSelectors",
                detail=f"{names.FAULT_DETAIL}/UnexpectedSelectors",
            )
        job = self._provider.find(selectors["jobid"]) if kind == names.JOB_CLASS.lower() else None
        if job is None:
            raise faults.resource_not_found(f'{names.JOB_CLASS}.JobId="{selectors["jobid"]}"')
        return job

    def _read_instance(self, request: Request, job: Job) -> dict[str, Value]:
        """Full instance, or only some of its properties; read-only ones are not looked at."""
        body = request.body
        if body is None or body.tag != q(_JOB_URI, names.JOB_CLASS):
            raise faults.schema_error(names.JOB_CLASS)
        listed = {v.lower() for n, v in request.options if n.lower().endswith(_MODIFIED_LIST)}
        writable = {parameter.name: parameter for parameter in WRITABLE}
        changes: dict[str, Value] = {}
        for node in body.iterchildren(tag=etree.Element):
            name = etree.QName(node)
            if name.namespace != _JOB_URI:
                continue
            if name.localname == "JobId":
                _refuse_other_key(node, job)
            if name.localname in READ_ONLY:
                continue
            parameter = writable.get(name.localname)
            if parameter is None:
                raise faults.schema_error(name.localname)
            if not listed or name.localname.lower() in listed:
                changes[parameter.name] = read_value(node, parameter)
        return changes

    # --- Invoke ---

    def method(self, action: str) -> Method:
        """The method behind an action URI.

        Raises:
            SoapFaultError: no such method.
        """
        uri, _, name = action.rpartition("/")
        methods = {key.lower(): method for key, method in self._provider.methods.items()}
        method = methods.get(name.lower())
        if class_of(uri) != names.JOB_CLASS.lower() or method is None:
            raise faults.action_not_supported()
        return method

    def invoke(self, request: Request, method: Method) -> str:
        """Call a method; the answer is its `_OUTPUT` element."""
        if class_of(request.resource_uri) != names.JOB_CLASS.lower():
            raise faults.action_not_supported()
        job = None
        if not method.static:
            if not _keys(request):
                raise faults.invalid_parameter("JobId")
            job = self._selected(request)
        arguments = _read_arguments(request.body, method)
        outputs: dict[str, Value] = {}
        try:
            result, outputs = method.run(job, arguments)
        except BitsCallError as error:
            if self._settings.method_errors is MethodErrors.FAULT:
                raise faults.provider_failed(error.hresult) from error
            result = error.hresult
        return _output(method.name, result, outputs)

    # --- queries ---

    def items(self, request: Request, wanted: Wanted) -> list[Item]:
        """What an enumeration will give, each rendered when it is pulled."""
        kind = class_of(request.resource_uri)
        if _keys(request):
            raise faults.SoapFaultError(2150859016, "w:InvalidSelectors")
        if wanted.filter_text is None:
            if kind == "*":
                raise faults.resource_not_found("*")
            jobs = self._provider.jobs() if kind == names.JOB_CLASS.lower() else ()
            return [self._item(job, wanted.mode, None) for job in jobs]
        if wanted.dialect != names.WQL_DIALECT:
            raise faults.SoapFaultError(2150858777, "n:FilterDialectRequestedUnavailable")
        if kind != "*":
            raise faults.SoapFaultError(2150859003, "w:InvalidParameter")
        return list(self._query(wanted))

    def _query(self, wanted: Wanted) -> Iterator[Item]:
        text = wanted.filter_text or ""
        try:
            query = wql.parse(text)
        except wql.WqlError as error:
            raise faults.cannot_process_filter(text, f"{error}. ") from error
        if query.class_name.lower() not in _KNOWN_CLASSES:
            raise faults.cannot_process_filter(
                text, "The specified class does not exist in the given namespace. "
            )
        _check_projection(text, query.properties)
        if query.class_name.lower() != names.JOB_CLASS.lower():
            return
        for job in self._provider.jobs():
            try:
                if query.matches(self._provider.instance(job).row()):
                    yield self._item(job, wanted.mode, query.properties)
            except wql.WqlError as error:
                raise faults.cannot_process_filter(text, f"{error}. ") from error

    def _item(self, job: Job, mode: str, properties: Sequence[str] | None) -> Item:
        job_id = job.job_id

        def render() -> str | None:
            found = self._provider.find(job_id)
            if found is None:
                return None
            instance = self._provider.instance(found)
            if mode == "EnumerateEPR":
                return _reference(job_id)
            whole = instance.to_xml() if properties is None else instance.fragment(properties)
            if mode == "EnumerateObjectAndEPR":
                return element("w:Item", whole + _reference(job_id))
            return whole

        return render


def _keys(request: Request) -> dict[str, str]:
    """The selectors that name an instance; `__cimnamespace` must agree with the URI (4.2)."""
    keys = dict(request.selectors)
    namespace = keys.pop("__cimnamespace", None)
    if namespace is not None:
        given = namespace.replace("\\", "/").strip("/").lower()
        if given != names.BITS_NAMESPACE:
            raise faults.SoapFaultError(2150859067, "w:InternalError", soap_code="s:Receiver")
    return keys


def _refuse_other_key(node: etree._Element, job: Job) -> None:
    given = (node.text or "").strip().strip("{}").upper()
    if given and given != job.job_id.strip("{}"):
        raise faults.SoapFaultError(2150858989, "w:InvalidParameter", shape=faults.Shape.PROVIDER)


def _fragment_name(path: str) -> str:
    """The property of a level 1 path, whose letter case counts.

    Raises:
        SoapFaultError: another kind of path, or no such property.
    """
    if path.startswith("/") or path not in PROPERTIES:
        raise faults.SoapFaultError(
            2150858778, "n:CannotProcessFilter", detail=f"{names.FAULT_DETAIL}/FragmentDialect"
        )
    return path


def _read_fragment(body: etree._Element | None, name: str) -> dict[str, Value]:
    parameter = next((p for p in WRITABLE if p.name == name), None)
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


def _read_arguments(
    body: etree._Element | None, method: Method
) -> dict[str, Value | tuple[Value, ...]]:
    """The parameters in `METHOD_INPUT`; their letter case counts (1.3)."""
    if body is None or body.tag != q(_JOB_URI, f"{method.name}_INPUT"):
        raise faults.schema_error(f"{method.name}_INPUT")
    known = {parameter.name: parameter for parameter in method.parameters}
    given: dict[str, Value | tuple[Value, ...]] = {}
    arrays: dict[str, list[Value]] = {}
    for node in body.iterchildren(tag=etree.Element):
        name = etree.QName(node)
        parameter = known.get(name.localname)
        if name.namespace != _JOB_URI or parameter is None:
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


def _check_projection(text: str, properties: Sequence[str] | None) -> None:
    known = {name.lower() for name in PROPERTIES}
    if properties is not None and any(name.lower() not in known for name in properties):
        raise faults.cannot_process_filter(text)


def _output(method: str, result: int, outputs: dict[str, Value]) -> str:
    values: dict[str, Value] = {**outputs, "ReturnValue": result}
    content = "".join(scalar(f"p:{name}", value) for name, value in sorted(values.items()))
    attributes = {
        "xmlns:xsi": names.XSI,
        "xmlns:p": _JOB_URI,
        "xmlns:cim": names.CIM,
        "xml:lang": "en-US",
    }
    return element(f"p:{method}_OUTPUT", content, attributes)


def _reference(job_id: str) -> str:
    selector = text_element("w:Selector", job_id, {"Name": "JobId"})
    parameters = element(
        "a:ReferenceParameters",
        text_element("w:ResourceURI", _JOB_URI) + element("w:SelectorSet", selector),
    )
    address = text_element("a:Address", names.ANONYMOUS)
    return element("a:EndpointReference", address + parameters)
