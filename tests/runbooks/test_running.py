"""`run NOTEBOOK` on practice hosts: statuses, exit codes, evidence. Every test starts a kernel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from run_things import Runs, cell, make_runs, text, write_notebook

from bitsshell.fleet.clock import SystemClock

if TYPE_CHECKING:
    from consoles import Site

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

LOAD = cell("load", "%load_ext bitsshell")


@pytest.fixture(autouse=True)
def _environment(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BITSSHELL_PASSWORD", site.host.password)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("BITSSHELL_JOURNAL", str(tmp_path / "journal.sqlite"))


@pytest.fixture
def run(site: Site, tmp_path: Path) -> Runs:
    return make_runs(site, tmp_path)


def connect(site: Site, hosts: int = 1) -> dict[str, Any]:
    names = ",".join(host.endpoint for host in site.hosts[:hosts])
    return cell("connect", f"%bits_use {names} --user {site.host.username} --auth basic")


def python(name: str, source: str, **more: Any) -> dict[str, Any]:
    return cell(name, source, **more)


# Going well


def test_a_deployment_runs_from_create_to_complete_and_leaves_evidence(
    run: Runs, site: Site
) -> None:
    ran = run(
        text("title", "# Deploy"),
        cell("parameters", "url: str\nname = 'pkg'", tags=("parameters",)),
        LOAD,
        connect(site),
        cell("create", r"%bits_create {url} C:\in\pkg.txt --name {name} --into job", step="Create"),
        cell("manage", "%bits_manage {job} --interval 0.1 --timeout 30s", step="Manage"),
        cell("check", "%bits_check {name} --none", step="Check"),
        options=f"-p url={site.url}",
    )
    assert ran.code == 0, ran.out + ran.err
    assert set(run.statuses.values()) == {"ok"}
    assert site.arrived("pkg.txt").read_bytes()
    evidence = run.evidence
    begin, end = evidence["begin"], evidence["end"]
    assert begin["parameters"] == {"url": site.url, "name": "pkg"}
    assert begin["given"] == ["url"]
    assert begin["notebook"]["title"] == "Deploy"
    assert begin["kernel"]["named"] == "no-such-kernel"
    assert begin["kernel"]["python"] == sys.executable
    assert end["verdict"]["exit_code"] == 0
    (where,) = end["where"]
    assert (where["user"], where["auth"], where["transport"]) == (
        site.host.username,
        "basic",
        "HTTP, not encrypted",
    )
    (create,) = run.step("create")["commands"]
    assert create["words"][0] == "create"
    assert create["effect"] == "change"
    assert [one["status"] for one in create["outcomes"]] == ["done"]
    (manage,) = run.step("manage")["commands"]
    assert [one["state"] for one in manage["outcomes"]] == ["ACKNOWLEDGED"]
    assert [one["is_met"] for one in run.step("check")["checks"]] == [True]
    assert run.evidence["chain"]["root"] in ran.out
    injected = next(c for c in run.executed["cells"] if c["id"] == "injected-parameters")
    assert injected["metadata"]["tags"] == ["injected-parameters"]
    verified = run.console(f"run --verify '{run.out}'")
    assert verified.code == 0, verified.out


def test_the_notebook_that_is_run_stays_as_it_is(run: Runs) -> None:
    assert run(python("a", "print('hello')")).code == 0
    source = (run.folder / "book.ipynb").read_text()
    assert "hello\\n" not in source
    assert run.step("a")["shown"] == ["hello"]


@POSIX
def test_the_kernel_is_reached_by_sockets_in_a_private_folder_that_is_gone_afterwards(
    run: Runs,
) -> None:
    source = (
        "import os\nfrom pathlib import Path\nhere = Path(os.environ['BITSSHELL_RUN']).parent\n"
        "print(here)\nprint(oct(here.stat().st_mode & 0o777))\n"
        "print(any(p.is_socket() for p in here.iterdir()))"
    )
    assert run(python("a", source)).code == 0
    here, mode, has_sockets = run.step("a")["shown"]
    assert (mode, has_sockets) == ("0o700", "True")
    assert not Path(here).exists()
    assert "IPC" in run.evidence["begin"]["kernel"]["transport"]


def test_the_outputs_of_a_cell_keep_their_order_and_updates_find_their_display(run: Runs) -> None:
    source = """
from IPython.display import display
print("one", flush=True)
handle = display("first", display_id=True)
for part in ("t", "w", "o", "\\n"):
    print(part, end="", flush=True)
print("10 %", end="\\r"); print("99 %", flush=True)
"""
    assert run(python("a", source), python("b", "handle.update('last')")).code == 0
    first, shown, second = run.executed["cells"][0]["outputs"]
    assert "".join(first["text"]) == "one\n"
    assert shown["data"]["text/plain"] == ["'last'"]
    assert "".join(second["text"]) == "two\n99 %\n"


def test_evidence_that_is_there_already_is_set_aside_and_never_lost(run: Runs) -> None:
    assert run(python("a", "print('first')")).code == 0
    assert run(python("a", "print('second')")).code == 0
    assert run.step("a")["shown"] == ["second"]
    (earlier,) = (run.out / "earlier").iterdir()
    assert "first" in (earlier / "evidence.json").read_text()
    assert (earlier / "report.html").exists()
    assert run.console(f"run --verify '{earlier}'").code == 0


# Going wrong


def test_a_host_that_is_down_ends_the_run_and_later_steps_are_not_run(
    run: Runs, site: Site
) -> None:
    down = "%bits_jobs -H localhost:1 --user nobody --auth basic"
    ran = run(LOAD, connect(site), cell("down", down), python("after", "open('went-on', 'w')"))
    assert ran.code == 3
    assert run.statuses == {"load": "ok", "connect": "ok", "down": "failed", "after": "not run"}
    assert run.step("down")["error"]["type"] == "AllFailed"
    assert "nothing listens" in ran.out
    assert "--from-step down" in ran.out
    assert not (run.folder / "went-on").exists()


def test_hosts_that_fail_beside_others_give_one(run: Runs, site: Site) -> None:
    ran = run(
        LOAD,
        cell(
            "look",
            f"%bits_jobs -H {site.host.endpoint},localhost:1 --user {site.host.username} "
            "--auth basic",
        ),
    )
    assert ran.code == 1
    assert run.step("look")["error"]["type"] == "PartialFailure"


@pytest.mark.parametrize(
    ("source", "code", "status", "error_type"),
    [
        ("1/0", 1, "failed", "ZeroDivisionError"),
        ("import sys; sys.exit()", 1, "failed", "SystemExit"),
        ("import sys; sys.exit(3)", 1, "failed", "SystemExit"),
        ("%bits_jobs --nonsense", 2, "failed", "BitsUsageError"),
        ("%bits_jobs {undefined}", 2, "failed", "BitsUsageError"),
        ("import os; os._exit(7)", 1, "failed", "KernelDied"),
    ],
)
def test_a_cell_that_fails_fails_the_run(
    run: Runs, source: str, code: int, status: str, error_type: str
) -> None:
    ran = run(LOAD, python("bad", source), python("after", "print('on')"))
    assert ran.code == code, ran.out
    assert run.statuses == {"load": "ok", "bad": status, "after": "not run"}
    assert run.step("bad")["error"]["type"] == error_type
    assert error_type in ran.out
    assert run.console(f"run --verify '{run.out}'").code == 0


def test_a_cell_tagged_to_be_left_out_is_skipped_and_needs_no_approval(run: Runs) -> None:
    cells = (
        LOAD,
        cell("never", "%bits_approve go\nraise SystemExit", tags=("skip-execution",)),
        python("after", "print('on')"),
    )
    ran = run(*cells)
    assert ran.code == 0, ran.out
    assert run.statuses == {"load": "ok", "never": "skipped", "after": "ok"}
    assert run.step("never")["note"] == "tagged skip-execution"
    assert run.executed["cells"][1]["execution_count"] is None
    assert run(*cells, options="--from-step never").code == 0
    assert run.statuses["never"] == "skipped"


def test_a_cell_tagged_as_one_that_may_raise_has_failed_where_it_does(run: Runs) -> None:
    tagged = python("raises", "1/0", tags=("raises-exception",))
    ran = run(python("quiet", "1", tags=("raises-exception",)), tagged, python("after", "1"))
    assert ran.code == 1, ran.out
    assert run.statuses == {"quiet": "ok", "raises": "failed", "after": "not run"}
    assert run.step("raises")["error"]["type"] == "ZeroDivisionError"
    assert "the tag raises-exception keeps no run going" in ran.out


def test_a_python_error_names_the_line_of_the_cell(run: Runs) -> None:
    ran = run(python("bad", "x = 1\n\nundefined_name + x"))
    assert "NameError: name 'undefined_name' is not defined" in ran.out
    assert "in line 3 of the cell: undefined_name + x" in ran.out


def test_what_a_failed_step_had_shown_last_is_shown_once(run: Runs) -> None:
    ran = run(python("bad", "for i in range(30):\n    print('row', i)\n1 / 0"))
    assert "      row 29\n" in ran.out
    assert "row 17" not in ran.out
    assert ran.out.count("ZeroDivisionError") == 1


def test_what_the_error_of_a_step_says_was_not_shown_above_it_already(
    run: Runs, site: Site
) -> None:
    gone = site.fleet.files_url + "gone.bin"
    ran = run(
        LOAD,
        connect(site),
        cell("bad", rf"%bits_transfer {gone} C:\in\g.bin --name g1 --interval 0.1"),
    )
    assert ran.out.count("'g1' is in ERROR: 0x80190194 BG_E_HTTP_ERROR_404") == 1
    assert ran.out.count("next: Check the URL in '%bits_show JOB'") == 1
    assert "final, as of" in ran.out


def test_a_check_that_is_not_met_gives_four_and_shows_what_was_observed(
    run: Runs, site: Site
) -> None:
    ran = run(
        LOAD,
        connect(site),
        cell("create", rf"%bits_create {site.url} C:\in\a.txt --name pkg --suspended"),
        cell("check", "%bits_check pkg --that 'state = transferred' --that 'files = 1'"),
        python("after", "1"),
    )
    assert ran.code == 4, ran.out
    assert [one["is_met"] for one in run.step("check")["checks"]] == [False, True]
    assert "state is SUSPENDED" in ran.out
    assert run.statuses["after"] == "not run"


def test_a_step_that_takes_too_long_is_timed_out_and_the_run_ends(run: Runs) -> None:
    ran = run(
        python("hangs", "print('begun', flush=True)\nimport time\ntime.sleep(600)"),
        python("after", "1"),
        options="--step-timeout 3",
    )
    assert ran.code == 4, ran.out
    assert run.statuses == {"hangs": "timed out", "after": "not run"}
    assert run.step("hangs")["shown"] == ["begun"]
    assert "the time limit came in hangs" in ran.out


class ClockOfCells(SystemClock):
    """A clock on which every file that a cell makes in a folder is half an hour."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def monotonic(self) -> float:
        return super().monotonic() + 1800 * len(list(self.folder.iterdir()))


def test_the_time_limit_of_the_run_counts_over_all_steps(run: Runs) -> None:
    spent = run.folder / "spent"
    spent.mkdir()
    run.console.session.clock = ClockOfCells(spent)
    first = f"open({str(spent / 'first')!r}, 'w').close()"
    second = f"open({str(spent / 'second')!r}, 'w').close()\nimport time\ntime.sleep(30)"
    ran = run(python("first", first), python("second", second), options="--timeout 45m")
    assert ran.code == 4, ran.out
    assert run.statuses == {"first": "ok", "second": "timed out"}


@POSIX
def test_ctrl_c_interrupts_the_cell_and_says_so(run: Runs) -> None:
    # As a person would: while the cell runs, here by the cell itself.
    source = f"import os, signal, time\nos.kill({os.getpid()}, signal.SIGINT)\ntime.sleep(600)"
    ran = run(python("hangs", source), python("after", "1"))
    assert ran.code == 130, ran.out
    assert run.statuses == {"hangs": "interrupted", "after": "not run"}
    assert run.evidence["end"]["note"] == "interrupted in hangs"


@POSIX
def test_the_second_ctrl_c_kills_a_kernel_that_does_not_listen(run: Runs) -> None:
    source = f"""
import os, signal, threading, time
signal.signal(signal.SIGINT, lambda *_: os.kill({os.getpid()}, signal.SIGINT))
os.kill({os.getpid()}, signal.SIGINT)
while True:
    time.sleep(0.05)
"""
    ran = run(python("deaf", source), python("after", "1"))
    assert ran.code == 130, ran.out
    assert run.statuses == {"deaf": "interrupted", "after": "not run"}
    # The second one strikes while the kernel is waited for, or between two looks at it.
    assert "the kernel was killed" in ran.out or run.step("deaf")["note"] == "the run was cut off"


# Runs of their own processes


def command(*words: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bitsshell", "run", *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@POSIX
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_no_kernel_outlives_a_runner_that_is_ended(tmp_path: Path, name: str) -> None:
    import psutil

    told = tmp_path / "kernel.pid"
    source = (
        "import os, time\nfrom pathlib import Path\n"
        f"Path('new').write_text(str(os.getpid()))\nPath('new').rename({str(told)!r})\n"
        "time.sleep(600)"
    )
    book = write_notebook(tmp_path / "b.ipynb", python("hangs", source), python("after", "1"))
    with command(str(book), "--evidence", "out", folder=tmp_path) as runner:
        while not told.exists():
            with suppress(subprocess.TimeoutExpired):
                runner.wait(0.05)
                pytest.fail(runner.communicate()[0])
        kernel = psutil.Process(int(told.read_text()))
        runner.send_signal(getattr(signal, name))
        runner.wait(60)
        kernel.wait(60)
    if name == "SIGTERM":
        assert runner.returncode == 130
        assert '"interrupted"' in (tmp_path / "out" / "evidence.json").read_text()


def test_the_default_folder_is_beside_the_person_and_named_after_notebook_and_time(
    tmp_path: Path,
) -> None:
    book = write_notebook(tmp_path / "deploy.ipynb", python("a", "1"))
    elsewhere = tmp_path / "here"
    elsewhere.mkdir()
    with command(str(book), folder=elsewhere) as runner:
        out, _ = runner.communicate(timeout=60)
    assert runner.returncode == 0, out
    (folder,) = elsewhere.iterdir()
    assert folder.name.startswith("deploy-2")
    assert folder.name.endswith("Z")
    assert sorted(path.name for path in folder.iterdir()) == [
        "evidence.json",
        "executed.ipynb",
        "report.html",
    ]


# From a step, what-if, approvals


def test_from_a_step_on_only_setup_and_what_comes_then_is_run(run: Runs) -> None:
    cells = (
        cell("parameters", "x = 1", tags=("parameters",)),
        cell("setup", "y = x + 1", tags=("setup",)),
        python("one", "raise RuntimeError"),
        python("two", "print(x, y)", step="Two"),
    )
    cells[2]["metadata"]["bits"] = {"step": "One"}
    ran = run(*cells, options="--from-step two -p x=5")
    assert ran.code == 0, ran.out
    assert run.statuses["one"] == "skipped"
    assert run.step("two")["shown"] == ["5 6"]


def test_a_what_if_sends_nothing_and_says_what_later_steps_cannot_tell(
    run: Runs, site: Site
) -> None:
    ran = run(
        LOAD,
        connect(site),
        cell("create", rf"%bits_create {site.url} C:\in\a.txt --name pkg --into job"),
        cell("lift", "%bits_whatif off"),
        cell("other", rf"%bits_create {site.url} C:\in\b.txt --name other"),
        cell("resume", "%bits_resume pkg"),
        cell("use", "print(job[0].name)"),
        options="--what-if",
    )
    assert ran.code == 0, ran.out
    assert site.host.jobs() == ()
    assert set(run.statuses.values()) == {"what-if"}
    (create,) = run.step("create")["commands"]
    assert create["is_what_if"]
    assert create["plan"]["steps"][0]["host"]
    assert "cannot be told" in run.step("resume")["note"]
    assert "this run is a what-if" in "".join(run.step("lift")["error"]["lines"])
    assert run.evidence["begin"]["mode"] == "what-if"


def test_a_what_if_cannot_tell_the_rest_of_a_cell_that_needs_a_job_it_planned(
    run: Runs, site: Site
) -> None:
    both = rf"%bits_create {site.url} C:\in\a.txt --name pkg" + "\n%bits_cancel pkg --yes"
    ran = run(LOAD, connect(site), cell("both", both), options="--what-if")
    assert ran.code == 0, ran.out
    assert run.statuses["both"] == "what-if"
    assert "cannot be told" in run.step("both")["note"]


def test_in_a_what_if_a_host_that_is_down_is_a_failure_all_the_same(run: Runs, site: Site) -> None:
    ran = run(
        LOAD,
        connect(site),
        cell("create", rf"%bits_create {site.url} C:\in\a.txt --name pkg"),
        cell("down", "%bits_jobs -H localhost:1 --user nobody --auth basic"),
        options="--what-if",
    )
    assert ran.code == 3
    assert run.statuses["down"] == "failed"


APPROVAL = cell("ask", '%bits_approve go "Send {what}?"', step="Ask")


def test_an_approval_given_beforehand_is_recorded_as_claimed(run: Runs) -> None:
    given = cell("parameters", "what = 'it'", tags=("parameters",))
    ran = run(given, LOAD, APPROVAL, options="--approve go=Maria")
    assert ran.code == 0, ran.out
    (approval,) = run.step("ask")["approvals"]
    assert approval["claimed_by"] == "Maria"
    assert approval["question"] == "Send it?"
    assert approval["os_user"]


def test_a_person_is_asked_when_the_step_is_reached(site: Site, tmp_path: Path) -> None:
    run = make_runs(site, tmp_path, answers=["Maria"])
    given = cell("parameters", "what = 'it'", tags=("parameters",))
    ran = run(given, LOAD, APPROVAL, python("after", "1"))
    assert ran.code == 0, ran.out
    (question,) = run.console.asked
    assert "approval go: Send it?" in question
    assert run.step("ask")["approvals"][0]["claimed_by"] == "Maria"


def test_an_empty_answer_is_a_no_and_nothing_comes_after_it(site: Site, tmp_path: Path) -> None:
    run = make_runs(site, tmp_path, answers=[""])
    ran = run(LOAD, cell("ask", "%bits_approve go"), python("after", "1"))
    assert ran.code == 5
    assert run.statuses == {"load": "ok", "ask": "not run", "after": "not run"}
    assert run.evidence["end"]["note"] == "the approval go was not given"


def test_an_approval_whose_name_only_the_kernel_knows_stops_there(run: Runs) -> None:
    ran = run(LOAD, cell("ask", "name = 'x'\n%bits_approve {name}"), python("after", "1"))
    assert ran.code == 5, ran.out
    assert run.step("ask")["error"]["type"] == "NeedsApproval"


# Secrets


def test_the_password_is_in_no_file_of_the_evidence(run: Runs, site: Site) -> None:
    secret = site.host.password
    ran = run(
        LOAD,
        connect(site),
        python("print", "import os\nprint(os.environ['BITSSHELL_PASSWORD'])"),
        python("value", "{'it': os.environ['BITSSHELL_PASSWORD']}"),
        python("quoted", "from urllib.parse import quote\nquote(os.environ['BITSSHELL_PASSWORD'])"),
        python("raise", "raise RuntimeError(os.environ['BITSSHELL_PASSWORD'])"),
        options=f"--junit '{run.folder / 'junit.xml'}'",
    )
    assert ran.code == 1
    assert secret not in ran.out + ran.err
    files = [*run.out.rglob("*"), run.folder / "junit.xml", run.folder / "journal.sqlite"]
    for path in files:
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
    assert "RuntimeError: ***" in (run.out / "report.html").read_text()


@pytest.mark.parametrize(
    "url",
    [
        "http://maria:hunter2xyz@files/a.bin",
        "http://files/a.bin?access_token=hunter2xyz",
        "http://files/a.bin;api_key=hunter2xyz",
        "http://files/a.bin?x=1&sig=hunter2xyz",
    ],
)
def test_a_secret_in_the_url_of_a_parameter_reaches_the_kernel_and_no_file(
    run: Runs, url: str
) -> None:
    ran = run(
        cell("parameters", "url: str", tags=("parameters",)),
        python("use", "print('of', len(url))\nprint(url[12:])\nassert 'hunter2xyz' in url"),
        python("show", "display({'text/html': url[12:], 'text/plain': ''}, raw=True)"),
        options=f"-p 'url={url}'",
    )
    assert ran.code == 0, ran.out
    assert run.step("use")["shown"][0] == f"of {len(url)}"
    assert "***" in run.step("use")["shown"][1]
    for path in run.out.iterdir():
        assert "hunter2xyz" not in path.read_text(), path


# What may go wrong with the evidence itself


def test_evidence_that_cannot_be_written_any_more_ends_the_run(run: Runs) -> None:
    source = f"import shutil\nshutil.rmtree({str(run.out)!r})"
    ran = run(python("a", source), python("after", f"open({str(run.folder / 'on')!r}, 'w')"))
    assert ran.code == 3
    assert "its evidence cannot be written" in ran.err
    assert not (run.folder / "on").exists()


def test_a_host_that_could_not_be_planned_for_is_an_outcome_beside_the_others(
    run: Runs, site: Site
) -> None:
    created = rf"%bits_create {site.url} C:\in\a.txt --name pkg --suspended"
    both = f"-H {site.host.endpoint},localhost:1 --user {site.host.username} --auth basic"
    ran = run(
        LOAD, connect(site), cell("create", created), cell("resume", f"%bits_resume pkg {both}")
    )
    assert ran.code == 1, ran.out
    (resume,) = run.step("resume")["commands"]
    assert [(one["host"], one["status"]) for one in resume["outcomes"]] == [
        (run.step("create")["commands"][0]["hosts"][0], "done"),
        ("localhost:1", "failed"),
    ]


def test_a_notebook_that_runs_another_one_keeps_both_evidences(run: Runs) -> None:
    inner = write_notebook(run.folder / "inner.ipynb", python("a", "print('inside')"))
    ran = run(LOAD, cell("b", f"%bits_run {inner} --evidence {run.folder / 'inner-out'}"))
    assert ran.code == 0, ran.out
    assert run.console(f"run --verify {run.folder / 'inner-out'}").code == 0
    assert "root: " in "\n".join(run.step("b")["shown"])


def test_a_cell_of_checks_is_evidence_line_by_line(run: Runs) -> None:
    ran = run(
        LOAD,
        python("set", "found = ['a', 'b']"),
        cell("check", "%%bits_check what arrived\nall of them: len(found) == 3\nfound[0] == 'a'"),
        python("after", "1"),
    )
    assert ran.code == 4, ran.out
    assert [
        (one["label"], one["is_met"], one["observed"]) for one in run.step("check")["checks"]
    ] == [
        ("all of them: len(found) == 3", False, "len(found) is 2"),
        ("found[0] == 'a'", True, "found[0] is 'a'"),
    ]
    assert run.statuses["after"] == "not run"
