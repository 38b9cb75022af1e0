"""What WMI knows of a class: its properties, its methods, and where its instances are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .wql import Value

if TYPE_CHECKING:
    from .wmi import CimType, Instance, Parameter

Arguments = Mapping[str, Value | tuple[Value, ...]]
Outputs = dict[str, Value | tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Method:
    """One method: its parameters, and what carries it out."""

    name: str
    parameters: tuple[Parameter, ...]
    run: Callable[[Any, Arguments], tuple[int, Outputs]]
    """Takes the instance, None for a static method; raises `BitsCallError`."""
    static: bool = False
    outputs: tuple[Parameter, ...] = ()
    """What it gives back beside ReturnValue."""
    makes_instance: bool = False
    """Takes the key of an instance that need not be there yet."""


class WmiClass:
    """A class without instances, such as one that is only embedded. Others override."""

    def __init__(
        self,
        name: str,
        read_only: Mapping[str, CimType],
        *,
        key: str = "",
        writable: tuple[Parameter, ...] = (),
    ) -> None:
        self.name = name
        self.key = key
        """The one key property; empty is a class without keys."""
        self.read_only = read_only
        self.writable = writable
        self.methods: Mapping[str, Method] = {}
        self.can_delete = False

    @property
    def properties(self) -> frozenset[str]:
        """The names of all properties."""
        return frozenset(self.read_only) | {parameter.name for parameter in self.writable}

    def all(self) -> Sequence[Any]:
        """The instances that there are."""
        return ()

    def find(self, key: str) -> Any | None:
        """The instance with that key, in any letter case."""
        del key
        return None

    def key_of(self, item: Any) -> str:
        """The key of an instance."""
        return str(item)

    def instance(self, item: Any) -> Instance:
        """An instance with its properties."""
        raise NotImplementedError

    def put(self, item: Any, changes: Mapping[str, Value]) -> None:
        """Write properties. Raises `BitsCallError`."""

    def delete(self, item: Any) -> None:
        """Delete an instance, if `can_delete`."""
