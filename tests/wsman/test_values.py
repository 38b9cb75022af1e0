"""Instances give what was sent as what is asked for, or say what is wrong."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from bitsshell.wsman import Instance, MalformedAnswer, Secret

FILE = Instance("File", {"A": "1"}, "urn:f")
JOB = Instance(
    "Job",
    {
        "Text": "x",
        "Empty": "",
        "Nil": None,
        "Many": ["a", None, "b"],
        "File": FILE,
        "Files": [FILE, FILE],
        "True": " TRUE ",
        "One": "1",
        "False": "false",
        "Big": "18446744073709551615",
        "TooBig": "18446744073709551616",
        "Padded": "\n 7 ",
        "Negative": "-1",
        "Arabic": "\u0663",
        "ReturnValue": "-2145386494",
    },
    "urn:j",
)


def test_text_is_as_sent_and_nil_or_missing_is_the_default() -> None:
    assert JOB.text("Text") == "x"
    assert JOB.text("Empty", "default") == ""
    assert JOB.text("Nil") is None
    assert JOB.text("Missing", "default") == "default"


def test_numbers_go_up_to_64_bits() -> None:
    assert JOB.uint("Big") == 2**64 - 1
    assert JOB.uint("Padded") == 7
    assert JOB.uint("Nil", 5) == 5
    assert JOB.uint("Missing") is None


@pytest.mark.parametrize("text", ["true", "True", " TRUE ", "1"])
def test_truth_is_read_in_any_case(text: str) -> None:
    assert Instance("X", {"V": text}).boolean("V") is True
    assert Instance("X", {"V": text.replace("1", "0")}).boolean("V") is ("1" not in text)


def test_false_is_not_missing() -> None:
    assert JOB.boolean("False", True) is False
    assert JOB.boolean("Missing", True) is True
    assert JOB.boolean("Nil") is None


def test_an_array_is_always_a_tuple() -> None:
    assert JOB.array("Missing") == JOB.array("Nil") == ()
    assert JOB.array("Text") == ("x",)
    assert JOB.array("Many") == ("a", "b")
    assert JOB.instances("File") == (FILE,)
    assert JOB.instances("Files") == (FILE, FILE)


def test_a_signed_return_value_is_read_as_its_bits() -> None:
    assert JOB.return_value == 0x80200002
    assert Instance("O", {"ReturnValue": "2149580802"}).return_value == 0x80200002
    assert Instance("O", {}).return_value is None


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("text", "Many"),
        ("text", "File"),
        ("uint", "Text"),
        ("uint", "Empty"),
        ("uint", "TooBig"),
        ("uint", "Negative"),
        ("uint", "Arabic"),
        ("uint", "Many"),
        ("boolean", "Text"),
        ("boolean", "Empty"),
        ("instances", "Many"),
    ],
)
def test_what_is_something_else_is_refused_with_its_name(method: str, name: str) -> None:
    with pytest.raises(MalformedAnswer, match=rf"Job\.{name} should be"):
        getattr(JOB, method)(name)


def test_an_instance_is_a_mapping_that_compares_and_pickles() -> None:
    again: Any = pickle.loads(pickle.dumps(JOB))
    assert again == JOB
    assert again.namespace == "urn:j"
    assert list(JOB)[:2] == ["Text", "Empty"]
    assert len(JOB) == 15
    assert Instance("Other", dict(JOB.properties)) != JOB
    assert repr(FILE) == "Instance('File', {'A': '1'})"


def test_a_secret_pickles_and_does_not_show() -> None:
    secret = Secret("word")
    assert pickle.loads(pickle.dumps(secret)) == secret
    assert "word" not in f"{secret} {secret!r} {[secret]}"
