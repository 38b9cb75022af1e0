"""The class `BitsCompactServerUrlGroup` (`wire.md` 1.4).

Documented are the methods and their parameters. Inferred are: UrlGroup as the key, which methods
need an instance, the types of SetProperty, every error code, and that Delete works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine.codes import BitsCallError, Hr
from . import names
from .wmi import CimType, Instance, Parameter
from .wmiclass import Arguments, Method, Outputs, WmiClass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..compact import CompactServer, UrlGroup

_STRING, _U8, _U16, _U32 = CimType.STRING, CimType.UINT8, CimType.UINT16, CimType.UINT32
_BOOLEAN = CimType.BOOLEAN
_SUFFIX = Parameter("UrlSuffix", _STRING)
_PORT = Parameter("Port", _U16)
_STORE = (Parameter("StoreName", _STRING), Parameter("hashBlob", _U8, array=True))
_SCHEME = Parameter("Scheme", _U16)
_REALM = (
    Parameter("Flag", _U32, required=False),
    Parameter("DomainName", _STRING, required=False),
    Parameter("Realm", _STRING, required=False),
)
_PROPERTY, _VALUE = Parameter("Property", _STRING), Parameter("Value", _U32)


class UrlGroupClass(WmiClass):
    """The URL groups of one host's compact server."""

    def __init__(self, server: CompactServer) -> None:
        super().__init__(names.URL_GROUP_CLASS, {"UrlGroup": _STRING}, key="UrlGroup")
        self._server = server
        self.can_delete = True
        self.methods = {method.name: method for method in self._declare()}

    def all(self) -> Sequence[UrlGroup]:
        """The groups, oldest first."""
        return self._server.groups()

    def find(self, key: str) -> UrlGroup | None:
        """The group of that prefix."""
        return self._server.find(key)

    def key_of(self, item: UrlGroup) -> str:
        """The prefix as it was given."""
        return item.text

    def instance(self, item: UrlGroup) -> Instance:
        """The group with its one property."""
        return Instance(names.BITS_NAMESPACE, self.name, {"UrlGroup": item.text})

    def delete(self, item: UrlGroup) -> None:
        """Remove the group, as Microsoft's sample does."""
        self._server.delete(item.text)

    def _declare(self) -> list[Method]:
        server, group = self._server, Parameter("UrlGroup", _STRING)
        access = Parameter("CertificateHashAccessCheck", _U8, required=False, array=True)
        return [
            Method(
                "CreateUrlGroup",
                (group,),
                _done(lambda _, given: server.create(_text(given, "UrlGroup"))),
                static=True,
            ),
            Method(
                "DeleteUrlGroup",
                (group,),
                _done(lambda _, given: server.delete(_text(given, "UrlGroup"))),
                static=True,
            ),
            Method(
                "CreateUrl",
                (
                    _SUFFIX,
                    Parameter("SourceFilePath", _STRING),
                    Parameter("SDDLAuth", _STRING),
                    access,
                ),
                _done(
                    lambda key, given: server.publish(
                        key, _text(given, "UrlSuffix"), _text(given, "SourceFilePath")
                    )
                ),
                makes_instance=True,
            ),
            Method(
                "DeleteUrl",
                (_SUFFIX,),
                _done(lambda item, given: server.unpublish(item, _text(given, "UrlSuffix"))),
            ),
            Method(
                "CheckUrl",
                (_SUFFIX,),
                lambda item, given: (
                    Hr.S_OK,
                    {"UrlExists": server.is_published(item, _text(given, "UrlSuffix"))},
                ),
                outputs=(Parameter("UrlExists", _BOOLEAN),),
            ),
            Method(
                "GetProperty",
                (_PROPERTY,),
                lambda item, given: (
                    Hr.S_OK,
                    {"Value": server.limit(item, _text(given, "Property"))},
                ),
                outputs=(_VALUE,),
            ),
            Method(
                "SetProperty",
                (_PROPERTY, _VALUE),
                _done(
                    lambda item, given: server.set_limit(
                        item, _text(given, "Property"), _number(given, "Value")
                    )
                ),
            ),
            Method(
                "SetSslCertificate",
                (_PORT, *_STORE),
                _done(
                    lambda _, given: server.set_certificate(
                        _number(given, "Port"), _text(given, "StoreName"), _bytes(given, "hashBlob")
                    )
                ),
            ),
            Method("GetSslCertificate", (_PORT,), self._get_certificate, outputs=_STORE),
            Method(
                "RemoveSslCertificate",
                (_PORT,),
                _done(lambda _, given: server.remove_certificate(_number(given, "Port"))),
            ),
            Method(
                "SetUrlGroupAuthentication",
                (_SCHEME, Parameter("Enable", _BOOLEAN), *_REALM),
                _done(self._set_authentication),
            ),
            Method(
                "GetUrlGroupAuthentication",
                (_SCHEME,),
                self._get_authentication,
                outputs=(Parameter("Enable", _BOOLEAN), *_REALM),
            ),
        ]

    def _get_certificate(self, _: UrlGroup, given: Arguments) -> tuple[int, Outputs]:
        bound = self._server.certificate(_number(given, "Port"))
        return Hr.S_OK, {"StoreName": bound.store, "hashBlob": bound.digest}

    def _set_authentication(self, item: UrlGroup, given: Arguments) -> None:
        """The flag must be 0, domain and realm NULL."""
        if any(given.get(parameter.name) for parameter in _REALM):
            raise BitsCallError(Hr.INVALID_ARGUMENT)
        enable = bool(given.get("Enable"))
        self._server.set_authentication(item, _number(given, "Scheme"), enable=enable)

    def _get_authentication(self, item: UrlGroup, given: Arguments) -> tuple[int, Outputs]:
        enable = self._server.authentication(item, _number(given, "Scheme"))
        return Hr.S_OK, {"Enable": enable, "Flag": 0, "DomainName": None, "Realm": None}


def _done(call: Callable[[Any, Arguments], object]) -> Callable[..., tuple[int, Outputs]]:
    """A method that gives nothing back but success."""

    def run(item: Any, given: Arguments) -> tuple[int, Outputs]:
        call(item, given)
        return Hr.S_OK, {}

    return run


def _text(given: Arguments, name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else ""


def _number(given: Arguments, name: str) -> int:
    value = given.get(name)
    return value if isinstance(value, int) else 0


def _bytes(given: Arguments, name: str) -> tuple[int, ...]:
    value = given.get(name)
    return tuple(v for v in value if isinstance(v, int)) if isinstance(value, tuple) else ()
