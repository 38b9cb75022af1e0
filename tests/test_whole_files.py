"""Files written whole: what is there, who may read it, and what another process holds open."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from bitsshell.whole_files import PATIENCE_S, patiently, write_whole

if TYPE_CHECKING:
    from pathlib import Path

POSIX = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")


@pytest.mark.parametrize("is_synced", [False, True])
def test_a_file_is_put_in_the_place_of_the_old_one(tmp_path: Path, is_synced: bool) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    write_whole(path, "new\nlines\n", is_synced=is_synced)
    assert path.read_bytes() == b"new\nlines\n"
    assert list(tmp_path.iterdir()) == [path]


@POSIX
def test_a_file_is_for_the_user_alone_unless_more_is_said(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        write_whole(tmp_path / "mine", "x")
        write_whole(tmp_path / "theirs", "x", mode=0o666)
    finally:
        os.umask(umask)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"mine": 0o600, "theirs": 0o644}


def test_half_of_a_surrogate_pair_is_kept_as_json_has_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.json", json.dumps({"name": "\ud800"}, ensure_ascii=False))
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"name": "\ud800"}


def test_nothing_is_left_of_a_file_that_cannot_take_its_place(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    (taken / "by a folder").mkdir(parents=True)
    with pytest.raises(OSError):
        write_whole(taken, "x")
    assert list(tmp_path.iterdir()) == [taken]


class Held:
    """A file that another process has open for a while, and a clock that moves by the pauses."""

    def __init__(self, held_s: float) -> None:
        self.held_s = held_s
        self.now_s = 100.0
        self.tries = 0

    def replace(self) -> str:
        self.tries += 1
        if self.now_s < 100 + self.held_s:
            raise PermissionError(13, "The process cannot access the file")
        return "replaced"

    def pause(self, seconds: float) -> None:
        self.now_s += seconds

    def patiently(self, *, is_windows: bool) -> str:
        return patiently(
            self.replace, is_windows=is_windows, clock=lambda: self.now_s, pause=self.pause
        )


def test_on_windows_a_file_that_somebody_has_open_is_waited_for() -> None:
    held = Held(held_s=PATIENCE_S * 0.8)
    assert held.patiently(is_windows=True) == "replaced"
    assert held.tries > 2


def test_it_is_not_waited_for_without_end() -> None:
    held = Held(held_s=PATIENCE_S * 10)
    with pytest.raises(PermissionError):
        held.patiently(is_windows=True)
    assert PATIENCE_S <= held.now_s - 100 <= PATIENCE_S * 1.1


def test_elsewhere_a_refusal_is_final() -> None:
    held = Held(held_s=1)
    with pytest.raises(PermissionError):
        held.patiently(is_windows=False)
    assert held.tries == 1
