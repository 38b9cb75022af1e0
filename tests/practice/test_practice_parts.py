"""The fleet's small parts: paths, WQL, file server, clock, account, life of a fleet."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import threading
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from bitsshell.practice import ManualClock, PracticeFleet, ScaledClock
from bitsshell.practice.accounts import Account, AccountFile
from bitsshell.practice.clock import pause
from bitsshell.practice.paths import HostPaths, is_full_path
from bitsshell.practice.winrm import wql
from bitsshell.practice.winrm.xmltext import escape

# --- paths ---


@pytest.mark.parametrize(
    ("windows", "real"),
    [
        (r"C:\in\a.bin", "C/in/a.bin"),
        (r"c:/in/a.bin", "C/in/a.bin"),
        (r"D:\x", "D/x"),
        (r"C:\in\..\..\..\..\etc\passwd", "C/etc/passwd"),
        (r"\\server\share\x", "UNC/server/share/x"),
        (r"\\..\..\x", "UNC/x"),
        (r"C:\in\CON", "C/in/_CON"),
        (r"C:\nul.txt", "C/_nul.txt"),
        (r"C:\in\com1 .log", "C/in/_com1 .log"),
        (r"C:\in\dots...", "C/in/dots"),
        (r"C:\a\.\b", "C/a/b"),
    ],
)
def test_a_windows_path_lies_under_the_root(tmp_path: Path, windows: str, real: str) -> None:
    assert HostPaths(tmp_path).resolve(windows) == tmp_path / real


@given(st.text(max_size=60))
def test_no_text_leads_out_of_the_root(text: str) -> None:
    root = Path(__file__).parent
    for prefix in ("C:\\", "\\\\", ""):
        resolved = HostPaths(root).resolve(prefix + text)
        assert os.path.normpath(resolved) == str(resolved)
        assert resolved.is_relative_to(root)


def test_existing_names_match_in_any_letter_case(tmp_path: Path) -> None:
    paths = HostPaths(tmp_path)
    paths.make_folder(r"C:\Data\In")
    assert paths.resolve(r"c:\dATA\iN\New.txt") == tmp_path / "C" / "Data" / "In" / "New.txt"


def test_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    HostPaths(root).make_folder(r"C:\in")
    try:
        (root / "C" / "in" / "out").symlink_to(tmp_path)
    except OSError:
        pytest.skip("links cannot be made here")
    with pytest.raises(PermissionError):
        HostPaths(root).resolve(r"C:\in\out\x")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a.bin",
        r"in\a.bin",
        r"\in\a.bin",
        r"C:a.bin",
        "C:\\",
        "C:\\in\\",
        r"\\?\C:\in\a",
        r"\\.\C:\in\a",
        r"C:\in\*.bin",
        r"C:\in\a?.bin",
        r"C:\in\a.bin:stream",
        "C:\\" + "a" * 258,
        r"\\server",
        "http://h/x",
    ],
)
def test_a_local_name_that_bits_refuses(path: str) -> None:
    assert not is_full_path(path)


def test_a_local_name_of_full_length_is_taken() -> None:
    assert is_full_path("C:\\" + "a" * 257)


# --- WQL ---

ROW: wql.Row = {"state": 3, "displayname": "Nightly build", "owner": None, "done": True}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("State = 3", True),
        ("3 = State", True),
        ("State <> 3", False),
        ("State != 4", True),
        ("State >= 3 AND State < 4", True),
        ("4 > State", True),
        ("State = '3'", True),
        ("NOT State = 3", False),
        ("NOT NOT State = 3", True),
        ("State = 4 OR DisplayName = 'NIGHTLY BUILD'", True),
        ("State = 4 OR State = 5 AND State = 3", False),
        ("(State = 3 OR State = 5) AND State = 3", True),
        ("DisplayName LIKE 'night%'", True),
        ("DisplayName LIKE '%y_build'", True),
        ("DisplayName LIKE '[m-o]ightly%'", True),
        ("DisplayName LIKE '[^n]%'", False),
        ("DisplayName LIKE 'a.*'", False),
        ("Owner IS NULL", True),
        ("Owner IS NOT NULL", False),
        ("Owner = 'x'", False),
        ("NOT Owner = 'x'", False),
        ("Owner = 'x' OR State = 3", True),
        ("Done = TRUE", True),
        ('DisplayName = "it\\\'s"', False),
    ],
)
def test_a_condition_is_computed_as_wql_says(condition: str, expected: bool) -> None:
    assert wql.parse(f"select * from BitsClientJob where {condition}").matches(ROW) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT",
        "SELECT * FROM",
        "SELECT *, x FROM c",
        "SELECT * FROM c WHERE",
        "SELECT * FROM c WHERE x",
        "SELECT * FROM c WHERE x = ",
        "SELECT * FROM c WHERE x = 'open",
        "SELECT * FROM c WHERE (x = 1",
        "SELECT * FROM c; DROP",
        "SELECT * FROM c WHERE x LIKE 3",
        "SELECT * FROM c WHERE " + "(" * 200 + "x = 1" + ")" * 200,
        "SELECT * FROM c WHERE x = '" + "a" * 20_000 + "'",
    ],
)
def test_a_broken_query_is_refused(text: str) -> None:
    with pytest.raises(wql.WqlError):
        wql.parse(text)


@given(st.text(alphabet="SELECT FROMabc*=<>'\"()\\%_[]^,0123 WHERELIKEISNULLANDORNOT", max_size=80))
def test_any_text_is_a_query_or_is_refused(text: str) -> None:
    try:
        query = wql.parse(text)
    except wql.WqlError:
        return
    with contextlib.suppress(wql.WqlError):
        assert query.matches({"a": 1, "b": "x", "c": None}) in {True, False}


@given(st.text())
def test_any_text_can_be_written_as_xml(text: str) -> None:
    from lxml import etree

    node = etree.fromstring(f"<a>{escape(text)}</a>".encode())
    read = node.text or ""
    assert len(read) == len(text)
    assert re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "?", text) == read


# --- the file server ---


def get(url: str, **headers: str) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    answer = session.get(url, headers=headers, timeout=20)
    session.close()
    return answer


def test_the_index_links_files_of_known_hash(fleet: PracticeFleet) -> None:
    page = get(fleet.files_url)
    assert page.headers["Content-Type"].startswith("text/html")
    links = re.findall(r'href="([^"]+)"', page.text)
    assert links == [file.name for file in fleet.files]
    for file in fleet.files:
        data = get(fleet.files_url + file.name).content
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.size_bytes, file.sha256)


def test_the_files_are_the_same_on_every_run(fleet: PracticeFleet) -> None:
    with PracticeFleet(hosts=1) as other:
        assert [f.sha256 for f in other.files] == [f.sha256 for f in fleet.files]
        assert {0, 1_048_576, 8_388_608} <= {f.size_bytes for f in other.files}


@pytest.mark.parametrize(
    ("asked", "status", "content_range"),
    [
        ("bytes=0-9", 206, "bytes 0-9/38"),
        ("bytes=30-99", 206, "bytes 30-37/38"),
        ("bytes=30-", 206, "bytes 30-37/38"),
        ("bytes=-8", 206, "bytes 30-37/38"),
        ("bytes=38-", 416, "bytes */38"),
        ("bytes=-0", 416, "bytes */38"),
        ("lines=1-2", 200, None),
        ("bytes=-", 200, None),
    ],
)
def test_ranges(fleet: PracticeFleet, asked: str, status: int, content_range: str | None) -> None:
    answer = get(fleet.files_url + "hello.txt", Range=asked)
    assert (answer.status_code, answer.headers.get("Content-Range")) == (status, content_range)


def test_a_changed_file_is_told_by_412(fleet: PracticeFleet) -> None:
    headers = {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}
    assert get(fleet.files_url + "hello.txt", **headers).status_code == 412


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fetc%2fpasswd", "hello.txt/"])
def test_there_is_nothing_else(fleet: PracticeFleet, name: str) -> None:
    assert get(fleet.files_url + name).status_code == 404


# --- clock ---


def test_a_manual_clock_runs_what_is_due_in_order() -> None:
    async def scenario() -> list[str]:
        clock = ManualClock()
        seen: list[str] = []
        clock.call_at(20, lambda: seen.append("late"))
        clock.call_at(10, lambda: seen.append("early"))
        clock.call_at(15, lambda: seen.append("never")).cancel()
        clock.advance(9.9)
        await asyncio.sleep(0)
        assert seen == []
        waiting = asyncio.ensure_future(pause(clock, 20))
        await asyncio.sleep(0)
        clock.advance(30)
        await waiting
        return seen

    assert asyncio.run(scenario()) == ["early", "late"]


def test_a_scaled_clock_runs_faster_than_the_one_it_reads() -> None:
    now = [100.0]
    clock = ScaledClock(60, monotonic_s=lambda: now[0], wall_s=lambda: 5.0)
    now[0] += 2
    assert clock.now_s() == pytest.approx(120)
    assert clock.wall_s() == 5.0


@pytest.mark.parametrize("scale", [0, -1])
def test_time_does_not_stand_still_or_run_backwards(scale: float) -> None:
    with pytest.raises(ValueError):
        ScaledClock(scale)


# --- the account ---


def test_the_account_file_is_for_its_owner_only_and_seen_for_a_moment(tmp_path: Path) -> None:
    before = os.environ.get("NTLM_USER_FILE") or None
    file = AccountFile(tmp_path, Account("u", "p"), ("practice01",))
    if os.name == "posix":
        assert file.path.stat().st_mode & 0o777 == 0o600
    with file.in_environment():
        assert os.environ["NTLM_USER_FILE"] == str(file.path)
    assert (os.environ["NTLM_USER_FILE"] or None) == before
    file.remove()
    assert list(tmp_path.iterdir()) == []


def test_whoever_walks_the_environment_is_not_disturbed_by_a_logon(tmp_path: Path) -> None:
    file = AccountFile(tmp_path, Account("u", "p"), ("practice01",))
    walk = iter(os.environ.items())  # as requests does for proxies, in another thread
    with file.in_environment():
        seen = [next(walk)]
    assert len([*seen, *walk]) == len(os.environ)
    file.remove()


@pytest.mark.parametrize(("user", "password"), [("", "p"), ("u", ""), ("a:b", "p"), ("D\\u", "p")])
def test_an_account_that_the_acceptor_could_not_read_is_refused(user: str, password: str) -> None:
    with pytest.raises(ValueError):
        Account(user, password)


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(Account("u", "secret"))


# --- life of a fleet ---


def test_a_temporary_folder_goes_with_its_fleet() -> None:
    with PracticeFleet(hosts=1) as fleet:
        root = fleet.hosts[0].root
        assert (root / "C" / "in").is_dir()
    assert not root.exists()
    assert not root.parent.exists()


def test_a_given_folder_stays(tmp_path: Path) -> None:
    with PracticeFleet(hosts=2, folder=tmp_path / "fleet") as fleet:
        names = [host.root.name for host in fleet.hosts]
    assert sorted(p.name for p in (tmp_path / "fleet").iterdir()) == names


def test_two_fleets_live_side_by_side_and_leave_nothing_behind() -> None:
    before = threading.active_count()
    with PracticeFleet(hosts=1) as one, PracticeFleet(hosts=1) as two:
        assert one.hosts[0].password != two.hosts[0].password
        assert one.hosts[0].root != two.hosts[0].root
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "arguments",
    [
        {"hosts": 0},
        {"hosts": 10_001},
        {"locale": "xx"},
        {"time_scale": 0},
        {"bind": "not an address"},
        {"username": "a:b"},
    ],
)
def test_a_fleet_that_cannot_be_is_refused_before_anything_runs(arguments: dict) -> None:
    with pytest.raises(ValueError):
        PracticeFleet(**arguments)


def test_a_fleet_that_cannot_start_says_why(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    with pytest.raises(OSError):
        PracticeFleet(hosts=1, folder=blocker).start()
