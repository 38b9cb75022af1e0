"""What goes wrong while notebooks run: one clear message, and never a lost or doubled job."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import nbformat
import pytest
from consoles import cancel_job
from jupyter_client.manager import start_new_kernel
from magics_kernels import Kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from bitsshell.practice import JobState, PracticeFleet, PracticeHost

if TYPE_CHECKING:
    from collections.abc import Iterator

USE = "%bits_use {host} --user {user} --auth basic -q"
CREATE = r"%bits_create {url} C:\in\a.bin --suspended --name nightly"


@pytest.fixture
def own_kernel(fleet: PracticeFleet) -> Iterator[Kernel]:
    """A kernel that a test may break."""
    environment = {
        **os.environ,
        "BITSSHELL_PASSWORD": fleet.hosts[0].password,
        "BITSSHELL_JOURNAL": "off",
    }
    manager, client = start_new_kernel(kernel_name="python3", env=environment)
    kernel = Kernel(manager, client)
    begin(kernel, fleet)
    yield kernel
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    for host in fleet.hosts:
        host.faults.disarm()


@pytest.fixture(autouse=True)
def _clean(fleet: PracticeFleet) -> Iterator[None]:
    yield
    for host in fleet.hosts:
        host.faults.disarm()
        for job in host.jobs():
            cancel_job(host, job.id)


def begin(kernel: Kernel, fleet: PracticeFleet) -> None:
    """The first cells of a notebook."""
    kernel.run(f"url, host = {fleet.files[-2].url!r}, {fleet.hosts[0].endpoint!r}")
    kernel.run(f"user = {fleet.hosts[0].username!r}")
    kernel.run("%load_ext bitsshell")


def states(host: PracticeHost) -> list[JobState]:
    return [job.state for job in host.jobs()]


def test_a_magic_before_connecting_says_how_to_connect(own_kernel: Kernel) -> None:
    reply = own_kernel.run("%bits_jobs")
    assert reply.content["ename"] == "BitsUsageError"
    assert reply.content["traceback"] == [
        "BitsUsageError: no host to act on",
        "next: name them: -H HOST, or once for the session: %bits_use HOST",
    ]


def test_run_all_twice_makes_no_second_job(own_kernel: Kernel, fleet: PracticeFleet) -> None:
    for cell in (USE, CREATE):
        assert own_kernel.run(cell).status == "ok"
    own_kernel.run(USE)
    again = own_kernel.run(CREATE)
    assert again.content["ename"] == "AllFailed"
    assert "--if-exists" in again.content["evalue"]
    assert own_kernel.run(f"{CREATE} --if-exists reuse").status == "ok"
    assert states(fleet.hosts[0]) == [JobState.SUSPENDED]


def test_after_a_kernel_restart_the_job_is_found_again_and_not_made_anew(
    own_kernel: Kernel, fleet: PracticeFleet
) -> None:
    own_kernel.run(USE)
    own_kernel.run(f"{CREATE} --into job")
    own_kernel.manager.restart_kernel(now=True)
    own_kernel.client.wait_for_ready(timeout=30)
    begin(own_kernel, fleet)
    assert own_kernel.run("%bits_resume {job}").content["evalue"].startswith("name 'job' is not")
    assert "no host to act on" in own_kernel.run("%bits_resume nightly").content["evalue"]
    own_kernel.run(USE)
    assert own_kernel.run(f"{CREATE} --if-exists reuse --into job").status == "ok"
    assert own_kernel.run("%bits_resume {job}").status == "ok"
    assert len(fleet.hosts[0].jobs()) == 1


@pytest.mark.parametrize("operation", ["CreateJob", "Put"])
def test_an_interrupt_in_the_middle_of_a_create_loses_and_doubles_no_job(
    own_kernel: Kernel, fleet: PracticeFleet, operation: str
) -> None:
    host = fleet.hosts[0]
    own_kernel.run(USE)
    host.faults.arm("hang", operation=operation)
    calls = host.stats.calls.get(operation, 0)
    creating = own_kernel.client.execute(f"{CREATE} --priority high")
    queued = own_kernel.client.execute("ran_on = True")
    until_s = time.monotonic() + 20
    while host.stats.calls.get(operation, 0) == calls and not host.jobs():
        assert time.monotonic() < until_s, "the create never came so far"
    own_kernel.manager.interrupt_kernel()
    reply = own_kernel.reply_to(creating)
    assert reply["ename"] == "Interrupted"
    assert own_kernel.reply_to(queued)["status"] == "aborted"
    host.faults.disarm()
    own_kernel.forget_published()
    again = own_kernel.run(f"{CREATE} --priority high --if-exists reuse")
    assert again.status == "ok", again.content
    assert len(host.jobs()) == 1


def test_a_host_that_is_down_stops_run_all_and_the_others_were_served(
    host: PracticeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITSSHELL_JOURNAL", "off")
    cells = [
        "%load_ext bitsshell",
        f"%bits_use {host.endpoint} localhost:1 --user {host.username} --auth basic",
        "open('went-on', 'w')",
    ]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    with pytest.raises(CellExecutionError) as caught:
        NotebookClient(made, timeout=60, kernel_name="python3").execute()
    assert caught.value.ename == "PartialFailure"
    assert "localhost:1" in caught.value.evalue
    assert made.cells[1].outputs[0].data["text/plain"].count("connected") == 1
    assert made.cells[2].outputs == []
    assert made.cells[2].execution_count is None


def test_a_reload_during_a_watch_is_mended_by_watching_again(
    own_kernel: Kernel, fleet: PracticeFleet
) -> None:
    """The page that was reloaded sees nothing more of the cell; the person stops it, and asks."""
    own_kernel.run(USE)
    own_kernel.run(CREATE)
    own_kernel.run("%config BitsMagics.batch = False")
    watching = own_kernel.client.execute("%bits_watch nightly --interval 0.1")
    own_kernel.next_published("display_data")
    own_kernel.forget_published()
    own_kernel.manager.interrupt_kernel()
    own_kernel.reply_to(watching)
    own_kernel.forget_published()
    own_kernel.run("%bits_resume nightly -q")
    again = own_kernel.run("%bits_watch")
    last = again.of_type("update_display_data")[-1]
    assert last["data"]["text/plain"].startswith("final, as of")


def test_a_job_named_like_a_script_is_text_everywhere(
    own_kernel: Kernel, fleet: PracticeFleet
) -> None:
    own_kernel.run(USE)
    own_kernel.run("name = '<script>alert(1)</script>'")
    own_kernel.run(r"%bits_create {url} C:\in\a.bin --name {name} -q")
    for cell in ("%bits_jobs", "%bits_show {name}", "%bits_manage {name} --interval 0.1"):
        reply = own_kernel.run(cell)
        shown = [one["data"] for kind in ("execute_result", "display_data", "update_display_data")
                 for one in reply.of_type(kind)]  # fmt: skip
        assert shown, cell
        assert all("<script>" not in data["text/html"] for data in shown)
        assert any("&lt;script&gt;" in data["text/html"] for data in shown)
