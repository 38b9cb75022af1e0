"""Names of hosts as few words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.fleet.hostsets import HostSets
from bitsshell.folding import folded, natural


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), ()),
        (("web01",), ("web01",)),
        (("web01", "web02", "web03"), ("web[01-03]",)),
        (("web03", "web01", "db", "web02", "web07"), ("web[01-03,07]", "db")),
        (("web9", "web10", "web11"), ("web[9-11]",)),
        (("web09", "web10", "web099", "web100"), ("web[09-10,099-100]",)),
        (("web1", "web01"), ("web[1,01]",)),
        (("a1.x2.org", "a2.x2.org"), ("a[1-2].x2.org",)),
        (("10.0.0.9", "10.0.0.10", "10.0.1.10"), ("10.0.0.[9-10]", "10.0.1.10")),
        (("web01:5986", "web02:5986"), ("web[01-02]:5986",)),
        (("db", "db"), ("db",)),
        (("[::1]:5985", "[::2]:5985"), ("[::1]:5985", "[::2]:5985")),
    ],
)
def test_names_fold_into_ranges(names: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert folded(names) == words


@given(
    st.lists(
        st.from_regex(r"[a-c]{0,2}[0-9]{1,3}[a-z]?(\.x[0-9])?", fullmatch=True)
        | st.from_regex(r"10\.0\.[01]\.[1-9][0-9]?", fullmatch=True),
        min_size=1,
        max_size=30,
    )
)
def test_what_was_folded_is_taken_again_and_means_the_same(names: list[str]) -> None:
    again = HostSets({}).expand(folded(names), many=True)
    assert sorted(again) == sorted(set(names))


def test_names_stand_in_the_order_that_a_person_expects() -> None:
    names = ["web10", "db", "Web2", "web02b", "10.0.0.10", "10.0.0.9", "web1-20", "web1-3"]
    assert sorted(names, key=natural) == [
        "10.0.0.9", "10.0.0.10", "db", "web1-3", "web1-20", "Web2", "web02b", "web10"
    ]  # fmt: skip


@given(st.lists(st.text(max_size=8)))
def test_any_names_have_an_order(names: list[str]) -> None:
    assert len(sorted(names, key=natural)) == len(names)
