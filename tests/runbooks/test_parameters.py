from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.errors import UsageError
from bitsshell.runbooks.parameters import BadParameters, Kind, bound, declared, injected_source

CELL = '''\
"""What this runbook takes."""
from typing import Literal

hosts: list[str] = ["web01"]  # the hosts to act on
url: str  # what to fetch
mode: str = "fast"  # one of: fast, careful. How to go about it
speed = 1.5  # one of: 1.5, 2.5
priority: Literal["high", "low"] = "low"
limit: int = 3
proxy: str | None = None
verify = True
folders = [
    "in",
    "out",
]  # where files go
'''


def test_a_comment_that_a_formatter_moved_into_brackets_still_says_the_choices() -> None:
    (found,) = declared(
        'mode: str = (\n    "fast"  # one of: fast, careful. How to go about it\n)\n'
    )
    assert (found.choices, found.help) == (("fast", "careful"), "How to go about it")


def test_a_cell_declares_one_parameter_a_line() -> None:
    found = {parameter.name: parameter for parameter in declared(CELL)}
    kinds = {name: parameter.kind for name, parameter in found.items()}
    assert kinds == {
        "hosts": Kind.LIST,
        "url": Kind.STR,
        "mode": Kind.STR,
        "speed": Kind.FLOAT,
        "priority": Kind.STR,
        "limit": Kind.INT,
        "proxy": Kind.STR,
        "verify": Kind.BOOL,
        "folders": Kind.LIST,
    }
    assert [name for name, parameter in found.items() if parameter.is_required] == ["url"]
    assert found["hosts"].default == ["web01"]
    assert found["hosts"].help == "the hosts to act on"
    assert found["mode"].choices == ("fast", "careful")
    assert found["mode"].help == "How to go about it"
    assert found["speed"].choices == (1.5, 2.5)
    assert found["priority"].choices == ("high", "low")
    assert found["folders"].default == ["in", "out"]
    assert found["folders"].help == "where files go"
    assert found["limit"].line == 9


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("a = 1\nb = 1 +", 2, "no Python"),
        ("a = 1\nprint(a)", 2, "is no parameter"),
        ("a = b = 1", 1, "is no parameter"),
        ("a: dict = {}", 1, "'dict'"),
        ("a = {}", 1, "dict"),
        ("a = 1 + 1", 1, "computed"),
        ("a: int = 'x'", 1, "whole number"),
        ("a: int = True", 1, "whole number"),
        ("a: list[str] = 'x'", 1, "list of texts"),
        ("a = [1]", 1, "list of texts"),
        ("a = 'x'  # one of: y, z", 1, "cannot be 'x'"),
        ("a = 1\n\na = 2", 3, "declared twice"),
        ("%load_ext bitsshell", 1, "no Python"),
    ],
)
def test_what_is_no_parameter_is_named_with_its_line(source: str, line: int, says: str) -> None:
    with pytest.raises(BadParameters, match=says) as caught:
        declared(source)
    assert caught.value.line == line
    assert f"line {line}" in caught.value.what()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("hosts", "web01,web02", ["web01", "web02"]),
        ("hosts", "web[01,03],db1", ["web[01,03]", "db1"]),
        ("hosts", '["a,b", "c"]', ["a,b", "c"]),
        ("hosts", "", []),
        ("url", "http://x/a,b", "http://x/a,b"),
        ("limit", "12", 12),
        ("speed", "2.5", 2.5),
        ("verify", "no", False),
    ],
)
def test_a_text_becomes_a_value_of_the_parameters_kind(name: str, text: str, value: Any) -> None:
    texts = {"url": "http://x", name: text}
    assert bound(declared(CELL), texts, {})[name] == value


def test_what_is_typed_counts_more_than_the_file_and_the_file_more_than_the_default() -> None:
    values = bound(declared(CELL), {"url": "u"}, {"url": "file", "limit": 5, "hosts": ["a"]})
    assert (values["url"], values["limit"], values["hosts"]) == ("u", 5, ["a"])
    assert values["mode"] == "fast"


@pytest.mark.parametrize(
    ("texts", "typed", "says"),
    [
        ({"url": "u", "hostz": "a"}, {}, "did you mean hosts"),
        ({}, {}, "missing for url"),
        ({"url": "u", "limit": "many"}, {}, "limit takes a whole number"),
        ({"url": "u", "limit": "1.5"}, {}, "limit takes a whole number"),
        ({"url": "u", "speed": "inf"}, {}, "speed takes a number"),
        ({"url": "u", "verify": "perhaps"}, {}, "verify takes true or false"),
        ({"url": "u", "mode": "slow"}, {}, "one of fast, careful"),
        ({"url": "u"}, {"limit": True}, "limit takes a whole number"),
        ({"url": "u"}, {"hosts": [1]}, "hosts takes a list of texts"),
        ({"url": "u"}, {"limit": {}}, "limit takes a whole number"),
    ],
)
def test_what_does_not_fit_is_refused(
    texts: dict[str, str], typed: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError) as caught:
        bound(declared(CELL), texts, typed)
    assert says in str(caught.value)


values = st.one_of(
    st.text(), st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text()),
)  # fmt: skip


@given(values)
def test_an_injected_value_is_the_value_when_python_reads_it(value: Any) -> None:
    namespace: dict[str, Any] = {}
    exec(injected_source({"x": value}), namespace)  # a kernel does the same
    assert namespace["x"] == value
    assert type(namespace["x"]) is type(value)


@given(st.text())
def test_no_cell_whatever_is_in_it_breaks_the_reader(source: str) -> None:
    try:
        declared(source)
    except BadParameters as error:
        assert error.line >= 1
