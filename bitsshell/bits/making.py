"""Frozen dataclasses made in bulk: a listing makes thousands of them, and a watch every poll."""

from __future__ import annotations

from dataclasses import fields, make_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Made = TypeVar("_Made")


def maker_of(cls: type[_Made]) -> Callable[..., _Made]:
    """A function that makes a `cls` of all its fields, by position: six times faster than `cls`.

    The constructor of a frozen dataclass sets every field through `object.__setattr__`. Here an
    open twin with the same slots is filled, and then becomes what it was made for. `cls` must have
    slots, and no `__post_init__`, which would not run.
    """
    if "__slots__" not in vars(cls) or hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} cannot be made this way")
    names = [each.name for each in fields(cls)]  # type: ignore[arg-type]  # checked by what follows
    twin = make_dataclass(f"_{cls.__name__}", names, slots=True, eq=False, repr=False)

    def made(*values: Any) -> _Made:
        one: Any = twin(*values)
        one.__class__ = cls
        made_one: _Made = one
        return made_one

    return made
