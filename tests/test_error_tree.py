"""The one tree of errors: every class in it is data that travels and reads well."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
from pathlib import Path
from typing import Any

import pytest

import bitsshell
from bitsshell.bits import ErrorContext, Explanation, Job, JobError, JobState
from bitsshell.errors import BitsShellError, UsageError

ID = "9D5C4B47-E79E-4090-BC3B-552578D0EC8C"
JOB = Job(host="web01", id=ID, name="nightly", state=JobState.ERROR)
OUTSIDE = ("bitsshell.practice", "bitsshell.__main__", "bitsshell.demo")
"""Not of the client, or run when they are imported."""

SAMPLES: dict[str, Any] = {
    "action": "resume the job",
    "candidates": (JOB,),
    "cause": UsageError("bad", hint="better"),
    "code": 0x80200002,
    "detail": "of course",
    "error": JobError(host="web01", job_id=ID, code=0x80190194, context=ErrorContext.REMOTE_FILE),
    "extra": "kerberos",
    "field": "name",
    "groups": ("web", "db"),
    "hint": "do this",
    "host": "web01",
    "hosts": ("web01", "web02"),
    "is_change": True,
    "job": ID,
    "kind": "ZeroDivisionError",
    "limit_s": 30.0,
    "message": "what happened",
    "line": 7,
    "name": "nightly",
    "names": ("web", "db"),
    "options": ("--one", "--two"),
    "plan": None,
    "path": Path("bitsshell.toml"),
    "problem": "is empty",
    "question": "cancel 2 jobs on web01",
    "reason": "cannot be sent",
    "reference": "0123456789",
    "remedy": "make room",
    "said": ("what happened", "next: do this"),
    "scheme": "ntlm",
    "state": JobState.SUSPENDED,
    "status": 404,
    "step": "resume it",
    "text": "the host's words",
    "typed": "nightyl",
    "verb": "resume",
    "verbs": ("jobs", "resume"),
    "wanted": "TRANSFERRED",
    "was_sent": True,
}
ANNOTATED: dict[tuple[str, str], Any] = {("job", "Job"): JOB, ("state", "str"): "SUSPENDED"}
"""Where one name stands for different things."""


def modules() -> list[str]:
    found = pkgutil.walk_packages(bitsshell.__path__, "bitsshell.")
    return [module.name for module in found if not module.name.startswith(OUTSIDE)]


def every_error() -> list[type[BitsShellError]]:
    """Every class of the tree, found by walking it after all modules were imported."""
    for name in modules():
        importlib.import_module(name)
    found: list[type[BitsShellError]] = []
    waiting = [BitsShellError]
    while waiting:
        cls = waiting.pop()
        if cls not in found and cls.__module__.startswith("bitsshell."):
            found.append(cls)
            waiting.extend(cls.__subclasses__())
    return sorted(found, key=lambda cls: (cls.__module__, cls.__name__))


EVERY = every_error()


def sample(name: str, annotation: str, cls: type) -> Any:
    if (name, annotation) in ANNOTATED:
        return ANNOTATED[name, annotation]
    plain = {"str": "some words", "int": 7, "float": 1.5, "bool": True}
    if name not in SAMPLES:
        assert annotation in plain, f"say what {name!r} of {cls.__name__} could be"
    return SAMPLES.get(name, plain.get(annotation))


def make(cls: type[BitsShellError]) -> BitsShellError:
    """An error of this class; what its words are made of comes from the samples."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in inspect.signature(cls).parameters.values():
        annotation = str(parameter.annotation)
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        if parameter.default is parameter.empty:
            value = sample(parameter.name, annotation, cls)
            if parameter.kind is parameter.KEYWORD_ONLY:
                named[parameter.name] = value
            else:
                positional.append(value)
        elif parameter.name in {"host", "job", "message", "extra"}:
            named[parameter.name] = sample(parameter.name, annotation, cls)
    if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(cls).parameters.values()):
        for base in cls.__mro__:
            for name, annotation in inspect.get_annotations(base).items():
                if "ClassVar" not in str(annotation) and name in SAMPLES and name not in named:
                    named[name] = sample(name, str(annotation), cls)
        named = {name: value for name, value in named.items() if _is_taken(cls, name, positional)}
    return cls(*positional, **named)


def _is_taken(cls: type, name: str, positional: list[Any]) -> bool:
    """Whether a class takes this name beside its positional ones."""
    first = [
        parameter.name
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    return name not in first[: len(positional)]


def test_the_tree_is_as_large_as_it_looks() -> None:
    assert len(EVERY) > 40
    assert {"wsman", "bits", "fleet"} <= {cls.__module__.split(".")[1] for cls in EVERY}


@pytest.mark.parametrize("cls", EVERY, ids=lambda cls: cls.__name__)
def test_every_error_survives_pickling_and_copying_with_equality(
    cls: type[BitsShellError],
) -> None:
    error = make(cls)
    for twin in (
        pickle.loads(pickle.dumps(error)),
        copy.copy(error),
        copy.deepcopy(error),
        make(cls),
    ):
        assert type(twin) is cls
        assert twin == error
        assert hash(twin) == hash(error)
        assert twin.lines() == error.lines()
        assert twin.args == error.args
        assert repr(twin) == repr(error)


@pytest.mark.parametrize("cls", EVERY, ids=lambda cls: cls.__name__)
def test_every_error_reads_in_one_to_three_lines(cls: type[BitsShellError]) -> None:
    error = make(cls)
    assert 1 <= len(error.lines()) <= 3
    assert str(error).splitlines() == error.lines()
    for line in error.lines():
        assert line.strip() == line
        assert "None" not in line
        assert "<" not in line, "no object shows through"
    assert error.what().strip()


@pytest.mark.parametrize("cls", EVERY, ids=lambda cls: cls.__name__)
def test_every_error_documents_itself(cls: type[BitsShellError]) -> None:
    assert cls.__doc__
    assert cls.__doc__ != (cls.__mro__[1].__doc__ or "")


# The base


def test_an_error_says_what_where_and_what_next() -> None:
    error = BitsShellError("it broke", host="web01", job=ID, hint="mend it")
    assert str(error) == f"web01, job {ID}: it broke\nnext: mend it"
    assert str(BitsShellError("it broke", host="web01")) == "web01: it broke"
    assert str(BitsShellError("it broke", job="n")) == "job n: it broke"
    assert str(BitsShellError("it broke")) == "it broke"


def test_place_and_job_are_filled_in_where_they_are_not_known() -> None:
    error = BitsShellError("it broke")
    before = hash(error)
    assert error.located(host="web01", job="n") is error
    assert error.located(host="web02").host == "web01"
    assert error.job == "n"
    assert hash(error) == before


def test_line_breaks_of_others_do_not_make_more_lines() -> None:
    error = BitsShellError("a\nb\r\nc\x85d\u2028e", hint="x\ny")
    assert error.lines() == ["a b c d e", "next: x y"]


def test_errors_of_different_classes_or_data_are_different() -> None:
    assert BitsShellError("x") != UsageError("x")
    assert BitsShellError("x") != BitsShellError("y")
    assert BitsShellError("x") != BitsShellError("x", host="a")
    assert BitsShellError("x") != "x"


def test_a_hint_that_is_given_wins_over_the_usual_one() -> None:
    class Usual(BitsShellError):
        default_hint = "as usual"

    assert Usual().hint == "as usual"
    assert Usual(hint="this time").hint == "this time"


def test_the_shown_form_of_an_error_has_its_data() -> None:
    error = BitsShellError("it broke", host="web01", code=5)
    assert repr(error) == "BitsShellError(message='it broke', host='web01', code=5)"


def test_explanations_are_values_too() -> None:
    known = Explanation(5, "A", "b", "c")
    assert pickle.loads(pickle.dumps(known)) == known
