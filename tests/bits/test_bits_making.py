"""Jobs that are made in bulk are the jobs that their constructor makes."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, dataclass, fields, replace

import pytest

from bitsshell.bits import Job, JobFile, JobState, Priority
from bitsshell.bits.making import maker_of

FILE = JobFile("http://files/a", "C:\\a", 3, 2, True)
VALUES = {
    **{each.name: number for number, each in enumerate(fields(Job))},
    "host": "srv01",
    "id": "9D5C4B47-E79E-4090-BC3B-552578D0EC8C",
    "state": JobState.ERROR,
    "priority": Priority.HIGH,
    "files": (FILE,),
}


def test_what_is_made_equals_what_the_constructor_makes() -> None:
    made, constructed = maker_of(Job)(*VALUES.values()), Job(**VALUES)  # type: ignore[arg-type]
    assert type(made) is Job
    assert made == constructed
    assert hash(made) == hash(constructed)
    assert repr(made) == repr(constructed)
    assert made.properties == constructed.properties
    assert pickle.loads(pickle.dumps(made)) == constructed
    assert replace(made, name="other") == replace(constructed, name="other")


def test_what_is_made_cannot_be_changed() -> None:
    made = maker_of(JobFile)("http://files/a", "C:\\a", None, 0, False)
    with pytest.raises(FrozenInstanceError):
        made.url = "http://files/b"  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        made.colour = "red"  # type: ignore[attr-defined]


@pytest.mark.parametrize("values", [(), ("one",), tuple("abcdef")])
def test_every_field_is_given(values: tuple[str, ...]) -> None:
    with pytest.raises(TypeError):
        maker_of(JobFile)(*values)


@dataclass(frozen=True)
class Open:
    name: str


@dataclass(frozen=True, slots=True)
class Checked:
    name: str

    def __post_init__(self) -> None:
        raise ValueError(self.name)


@pytest.mark.parametrize("cls", [Open, Checked])
def test_a_class_that_would_not_be_itself_is_refused(cls: type) -> None:
    with pytest.raises(TypeError, match=cls.__name__):
        maker_of(cls)
