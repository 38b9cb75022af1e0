"""A notebook without secrets: masked in all that it says, its structure left alone."""

from __future__ import annotations

from typing import Any

from bitsshell.concealed import kept, kept_json
from bitsshell.known_secrets import scrub
from bitsshell.render import REPORT_MIME_TYPE

Record = dict[str, Any]

_STRUCTURE = frozenset({"tags", "kernelspec", "language_info"})
"""Metadata that says how a notebook is to be read."""


def masked_notebook(notebook: Record) -> Record:
    """The notebook with known secrets masked, and accounts and signatures in URLs.

    It stays one that can be opened, also where a password is a word of notebooks (`cells`).
    """
    return {
        **notebook,
        "metadata": _metadata(notebook["metadata"]),
        "cells": [_cell(cell) for cell in notebook["cells"]],
    }


def _cell(cell: Record) -> Record:
    masked = {
        **cell,
        "source": kept(cell["source"]),
        "metadata": _metadata(cell["metadata"]),
    }
    if "outputs" in cell:
        masked["outputs"] = [_output(output) for output in cell["outputs"]]
    return masked


def _metadata(metadata: Record) -> Record:
    """Ours is a record of ours; what others put there is anything."""

    def masked(name: str, value: Any) -> Any:
        if name in _STRUCTURE:
            return value
        return kept(value) if name == "bits" else _of_others(value)

    return {name: masked(name, value) for name, value in metadata.items()}


def _output(output: Record) -> Record:
    def masked(name: str, value: Any) -> Any:
        match name:
            case "output_type" | "name":
                return value
            case "data":
                return {kind: _shown(kind, shown) for kind, shown in value.items()}
            case "metadata":
                return {kind: _of_others(said) for kind, said in value.items()}
            case _:
                return _of_others(value)

    return {name: masked(name, value) for name, value in output.items()}


def _shown(mime_type: str, value: Any) -> Any:
    if mime_type == REPORT_MIME_TYPE:
        return kept(value)
    if isinstance(value, str) and "<script" in value.lower():
        return scrub(value)  # what looks like a parameter of a URL may be a program
    return _of_others(value)


def _of_others(value: Any) -> Any:
    return kept_json(value)
