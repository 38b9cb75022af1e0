"""The package's surface: one flat namespace, complete and sorted."""

from __future__ import annotations

import inspect

from bitsshell import wsman


def test_all_names_exactly_what_is_public() -> None:
    public = {
        name
        for name, value in vars(wsman).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name != "annotations"
    }
    assert public == set(wsman.__all__)


def test_everything_public_says_what_it_is() -> None:
    missing = [
        f"{name}.{member}"
        for name in wsman.__all__
        if inspect.isclass(value := getattr(wsman, name))
        and value.__module__.startswith("bitsshell")
        for member, function in vars(value).items()
        if inspect.isfunction(function) and not member.startswith("_") and not function.__doc__
    ]
    assert missing == []
