"""Paths as they are typed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bitsshell.errors import UsageError
from bitsshell.local_files import is_a_file, local_path


def test_a_path_stands_for_itself_but_for_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(Path("home").absolute()))
    assert local_path("a/b.txt") == Path("a/b.txt")
    assert local_path("~/b.txt") == Path("home").absolute() / "b.txt"


@pytest.mark.parametrize("text", ["a\0b", "~nobody-here/b.txt", "a\ud800b"])
def test_what_can_be_no_path_is_said(text: str) -> None:
    if sys.platform == "win32" and "\0" not in text:
        pytest.skip("a path there")
    with pytest.raises(UsageError) as caught:
        local_path(text)
    assert ascii(text)[1:-1].replace("\\\\", "\\") in str(caught.value)


def test_a_file_is_there_or_not_whatever_the_path_is(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert is_a_file(file)
    for path in (tmp_path, file / "below", tmp_path / ("a" * 300), Path("a\0b")):
        assert not is_a_file(path)
