"""What goes wrong while notebooks run: one clear message, and never a lost or doubled job."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

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
    host.faults.arm("hang", operation=operation, times=1)
    creating = own_kernel.client.execute(f"{CREATE} --priority high")
    queued = own_kernel.client.execute("ran_on = True")
    until_s = time.monotonic() + 20
    while host.faults.armed:
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


@pytest.mark.parametrize(
    "cell",
    [
        CREATE,
        r"%bits_transfer {url} C:\in\a.bin --name nightly",
        "%%bits\njobs -q\n" + CREATE.removeprefix("%bits_"),
        "%%bits_create --name nightly --suspended\n{url} -> C:\\in\\a.bin",
    ],
)
def test_an_interrupt_before_the_answer_to_a_create_says_where_to_look(
    own_kernel: Kernel, fleet: PracticeFleet, cell: str
) -> None:
    host = fleet.hosts[0]
    own_kernel.run(USE)
    reply, _ = interrupted_in_create(own_kernel, host, cell=cell)
    what, look = reply["traceback"]
    assert what.startswith(f"Interrupted: {host.endpoint.split('/')[2]}: interrupted under way")
    assert what.endswith("UNKNOWN")
    assert look.startswith("next: look for it: %bits_show ref:")
    assert own_kernel.run(look.removeprefix("next: look for it: ")).status == "ok"


def test_of_an_interrupt_where_others_were_served_the_table_and_the_error_say_the_same(
    own_kernel: Kernel, fleet: PracticeFleet
) -> None:
    own_kernel.run(USE)
    own_kernel.run(f"hosts = {[host.endpoint for host in fleet.hosts]!r}")
    cell = CREATE + " -H {hosts} --user {user} --auth basic --yes"
    reply, shown = interrupted_in_create(own_kernel, *fleet.hosts, cell=cell)
    assert reply["traceback"][0] == "Interrupted: create: 1 done, 1 unknown"
    look = reply["traceback"][-1]
    assert look.startswith("next: look for it: %bits_show ref:")
    assert look in shown["text/plain"].splitlines()
    assert look in shown["text/html"]


def test_an_interrupt_of_the_api_names_the_call_that_looks_for_the_job(
    own_kernel: Kernel, fleet: PracticeFleet
) -> None:
    own_kernel.run("import bitsshell; bits = bitsshell.connect(host, user=user, auth='basic')")
    cell = "bits.create(url, r'C:\\in\\a.bin', name='nightly', suspended=True)"
    reply, _ = interrupted_in_create(own_kernel, fleet.hosts[0], cell=cell)
    look = reply["traceback"][-1]
    assert look.startswith("next: look for it: show('ref:")
    found = own_kernel.run(f"print(bits.{look.removeprefix('next: look for it: ')}.names)")
    assert "nightly" in found.of_type("stream")[0]["text"]
    own_kernel.run("bits.close()")


def interrupted_in_create(
    kernel: Kernel, host: PracticeHost, *others: PracticeHost, cell: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Stop a cell while a host makes its job and others have; the reply, what was shown last."""
    host.faults.arm("slow", operation="CreateJob", seconds=4, times=1)
    creating = kernel.client.execute(cell)
    until_s = time.monotonic() + 20
    while host.faults.armed or not all(other.jobs() for other in others):
        assert time.monotonic() < until_s, "the create never came so far"
    kernel.manager.interrupt_kernel()
    reply = kernel.reply_to(creating)
    shown: dict[str, Any] = {}
    while (message := kernel.client.get_iopub_msg(timeout=30))["msg_type"] != "error":
        shown = message["content"].get("data", shown)
    kernel.forget_published()
    while not host.jobs():
        assert time.monotonic() < until_s, "the job was never made"
    return reply, shown


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
