"""The history file: for its user alone, without secrets, whole when two shells write at once."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bitsshell.known_secrets import learn
from bitsshell.shell import history
from bitsshell.shell.history import ShellHistory, is_kept
from bitsshell.state_files import history_file

if TYPE_CHECKING:
    from pathlib import Path

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")


def loaded(path: Path) -> list[str]:
    """What the next shell has, the oldest first."""
    return list(ShellHistory(path).load_history_strings())[::-1]


def test_lines_come_back_in_order(tmp_path: Path) -> None:
    kept = ShellHistory(tmp_path / "history")
    for line in ("jobs", "show 'my job'", "set x --description 'two\nlines'", "ärger ☃ \ud800"):
        kept.append_string(line)
    assert loaded(tmp_path / "history") == [
        "jobs",
        "show 'my job'",
        "set x --description 'two\nlines'",
        "ärger ☃ ?",
    ]


def test_the_first_shell_knows_that_it_is_the_first(tmp_path: Path) -> None:
    first = ShellHistory(tmp_path / "history")
    assert first.is_new
    first.append_string("jobs")
    assert not ShellHistory(tmp_path / "history").is_new


@posix_only
def test_file_and_folder_are_for_the_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history"
    ShellHistory(path).append_string("jobs")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@posix_only
def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history"
    path.parent.mkdir(mode=0o755)
    path.touch(mode=0o644)
    ShellHistory(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "line",
    [
        "use web01 --password hunter2",
        "use web01 --Password=hunter2",
        "use web01 --passwd x",
        "set x --description 'the password is hunter2'",
        "create https://user:hunter2@server/a.bin D:\\a.bin",
        "use web01 --proxy http://me:hunter2@proxy:3128",
        "create 'https://s.blob.core.windows.net/c/a?sv=1&sig=AAAA' D:\\a",
        "create https://b.s3.amazonaws.com/a?X-Amz-Signature=AAAA D:\\a",
        "create https://server/a?access_token=AAAA D:\\a",
        " jobs",
        "",
        "   ",
    ],
)
def test_a_line_that_may_hold_a_secret_is_kept_nowhere(tmp_path: Path, line: str) -> None:
    path = tmp_path / "history"
    kept = ShellHistory(path)
    kept.append_string(line)
    assert kept.get_strings() == []
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    "line",
    [
        "jobs",
        "use https://web01:5986/wsman --user ADMIN",
        "create http://server:8080/a@2x.png D:\\a.png",
        "create http://server/a?version=3 D:\\a",
        "explain 0x80190194",
    ],
)
def test_ordinary_lines_are_kept(line: str) -> None:
    assert is_kept(line)


def test_a_line_with_a_password_that_this_process_knows_is_kept_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "history"
    kept = ShellHistory(path)
    kept.append_string("show Horse-42")
    learn("Horse-42")
    for line in ("Horse-42", "find Horse-42", "create http://server/?q=Horse%2D42 D:\\a"):
        kept.append_string(line)
    assert kept.get_strings() == ["show Horse-42"], "nobody knew it then"
    assert loaded(path) == ["show Horse-42"]


WRITER = """
import sys
from pathlib import Path
from bitsshell.shell.history import ShellHistory
kept = ShellHistory(Path(sys.argv[1]))
for number in range(300):
    kept.append_string(f"show {sys.argv[2]}-{number} " + sys.argv[2] * 200)
"""


def test_two_shells_at_once_keep_every_line_whole(tmp_path: Path) -> None:
    path = tmp_path / "history"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in ("a", "b")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    lines = loaded(path)
    for name in ("a", "b"):
        expected = [f"show {name}-{number} " + name * 200 for number in range(300)]
        assert [line for line in lines if f" {name}-" in line] == expected


def test_of_a_long_history_only_the_end_is_read_and_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ShellHistory(tmp_path / "history")
    for number in range(100):
        kept.append_string(f"show job-{number:03}")
    for size in range(1000, 1060):
        monkeypatch.setattr(history, "READ_BYTES", size)
        lines = loaded(tmp_path / "history")
        assert lines == [f"show job-{number:03}" for number in range(100 - len(lines), 100)]


def test_a_damaged_file_costs_no_more_than_its_damaged_lines(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b"\xff\xfe garbage\n+lost?\n\n# when\n+jobs\n\x00\n\n# when\n+show \xff\n")
    assert loaded(path) == ["jobs", "show \ufffd"]


def test_without_a_place_for_it_the_shell_works_and_says_so_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = ShellHistory(tmp_path / "file" / "history")
    assert kept.problem is not None
    assert "keeps no history" in kept.problem
    kept.append_string("jobs")
    assert kept.get_strings() == ["jobs"]
    assert list(kept.load_history_strings()) == []


def test_the_file_is_in_the_platforms_folder_for_state() -> None:
    assert history_file().name == "history"
    assert history_file().parent.name.lower() == "bitsshell"
