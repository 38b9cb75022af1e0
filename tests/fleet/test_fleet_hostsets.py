"""Sets of hosts: ranges, groups, and the traps of the library that are closed."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.errors import BitsShellError
from bitsshell.fleet.hostsets import (
    EmptySet,
    GroupLoop,
    HostSets,
    TooManyHosts,
    UnknownGroup,
)
from bitsshell.fleet.targets import BadHost

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = {
    "web": ("web[01-04]",),
    "db": ("db1", "DB2"),
    "all": ("@web", "@db", "!web03"),
    "rack1": ("web01", "db1"),
    "none": ("db1!db1",),
    "loop": ("@pool",),
    "pool": ("web01", "@loop"),
}
SETS = HostSets(GROUPS)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("web01", "web01"),
        ("web[01-03]", "web01 web02 web03"),
        ("web[8-11]", "web8 web9 web10 web11"),
        ("web[1-9/4]", "web1 web5 web9"),
        ("r[1-2]n[01-02]", "r1n01 r1n02 r2n01 r2n02"),
        ("web[1,3]x", "web1x web3x"),
        ("web[01-02]:5986", "web01:5986 web02:5986"),
        ("https://web[1-2].x.org:5986/wsman", "https://web1.x.org:5986/wsman https://web2.x.org:5986/wsman"),
        ("10.0.0.[9-10]", "10.0.0.9 10.0.0.10"),
        ("[::1]:5985", "[::1]:5985"),
        ("http://[::1]:5985/wsman", "http://[::1]:5985/wsman"),
        ("b,a", "b a"),
        ("a, b", "a b"),
        ("a,A", "a"),
        ("@web", "web01 web02 web03 web04"),
        ("@WEB", "web01 web02 web03 web04"),
        ("@db", "db1 DB2"),
        ("@web!web[02-03]", "web01 web04"),
        ("@web!WEB02", "web01 web03 web04"),
        ("@web&@rack1", "web01"),
        ("@rack1^@db", "web01 DB2"),
        ("@all", "web01 web02 web04 db1 DB2"),
        ("@rack[1-1]", "web01 db1"),
    ],
)  # fmt: skip
def test_what_is_typed_means_these_hosts_in_this_order(typed: str, names: str) -> None:
    assert SETS.expand((typed,)) == tuple(names.split())


def test_several_texts_are_read_one_after_the_other() -> None:
    assert SETS.expand(("@web", "!web01", "db1")) == ("web02", "web03", "web04", "db1")


def test_hosts_are_compared_by_their_key() -> None:
    sets = HostSets({}, key=lambda name: name.lower().removesuffix(":5985"))
    assert sets.expand(("web[1-2]!WEB1:5985",)) == ("web2",)


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", ",", "a,", ",a", "a,,b", "!a", "a b", "@", "@ web", "a!", "web[", "web]",
        "web[1-2", "web[]", "web[-1]", "web[a-b]", "web[[1]]", "web[2-1]", "web[1-1_0]", "web[١-٣]",
        "web[01-3]", "web[1-3/0]", "web[1-3/]", "web[ 1-2 ]", "we\tb",
    ],
)  # fmt: skip
def test_what_is_no_set_is_refused(typed: str) -> None:
    with pytest.raises(BadHost):
        SETS.expand((typed,))


def test_an_unknown_group_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(UnknownGroup, match=r"(?s)'@wev'.*did you mean @web\?"):
        SETS.expand(("@wev",))
    with pytest.raises(UnknownGroup, match="config init"):
        HostSets({}).expand(("@web",))


@pytest.mark.parametrize("typed", ["web1!web1", "@web&@db", "@none", "@web!@web"])
def test_no_set_is_silently_empty(typed: str) -> None:
    with pytest.raises(EmptySet):
        SETS.expand((typed,))


def test_a_group_that_holds_itself_is_an_error_that_shows_the_way() -> None:
    with pytest.raises(GroupLoop, match="@loop > @pool > @loop"):
        SETS.expand(("@loop",))


def test_a_long_range_is_refused_unless_it_is_meant() -> None:
    with pytest.raises(TooManyHosts, match=r"(?s)1,001 hosts.*--yes") as caught:
        SETS.expand(("web[1000-2000]",))
    assert caught.value.size == 1001
    assert len(SETS.expand(("web[1000-2000]",), many=True)) == 1001
    assert len(SETS.expand(("web[1-1000]",))) == 1000
    with pytest.raises(TooManyHosts):
        SETS.expand(("a[1-600]", "b[1-600]"))
    assert len(SETS.expand(("@web!x[1-9999]",))) == 4


@pytest.mark.parametrize("typed", ["w[1-999999999]", "a[1-9999]b[1-9999]c[1-9999]"])
def test_no_slip_in_a_range_fills_the_memory(typed: str) -> None:
    began = time.process_time()
    with pytest.raises(TooManyHosts, match="at most 1,000,000"):
        SETS.expand((typed,), many=True)
    assert time.process_time() - began < 0.5


def test_a_password_that_was_typed_into_a_host_is_not_repeated() -> None:
    for typed in ("ann:s3cret@web[1-2", "http://ann:s3cret@web[1-2]/wsman", "ann:s3c!ret@web1"):
        with pytest.raises(BadHost) as caught:
            SETS.expand((typed,))
        assert "s3c" not in str(caught.value)


def test_configuration_files_of_the_library_are_not_groups_of_ours(tmp_path: Path) -> None:
    (tmp_path / "groups.conf").write_text(
        f"[Main]\ndefault: own\n[own]\nmap: touch {tmp_path}/called; echo db1\n"
    )
    program = (
        "from bitsshell.fleet.hostsets import HostSets, UnknownGroup\n"
        "assert HostSets({}).expand(('web[1-2]',)) == ('web1', 'web2')\n"
        "try: HostSets({}).expand(('@x',))\n"
        "except UnknownGroup: print('unknown')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={"CLUSTERSHELL_CFGDIR": str(tmp_path), "PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "unknown\n"
    assert not (tmp_path / "called").exists()


@given(st.text(alphabet="ab01[]-,!&^@/: .%*?", max_size=14))
def test_whatever_is_typed_gives_hosts_or_an_error_of_ours(typed: str) -> None:
    try:
        names = SETS.expand((typed,))
    except BitsShellError as error:
        assert str(error)
    else:
        assert names
        assert not any(character in name for name in names for character in ",!&^ ")
