"""The magics in a real kernel, talked to over its sockets as JupyterLab and nbclient do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bitsshell.practice import JobState, PracticeFleet
from bitsshell.render import REPORT_MIME_TYPE

if TYPE_CHECKING:
    from magics_kernels import Kernel

CREATE = r"%bits_create {url} C:\in\a.bin --suspended --into job -q"


def test_a_listing_is_the_value_of_its_cell_in_three_forms(kernel: Kernel) -> None:
    reply = kernel.run("%bits_jobs")
    (value,) = reply.of_type("execute_result")
    assert set(value["data"]) == {"text/plain", "text/html", REPORT_MIME_TYPE}
    assert value["data"]["text/plain"].startswith("0 jobs on 1 host\nas of 20")


def test_quiet_cells_publish_nothing(kernel: Kernel) -> None:
    quiet = ("%bits_jobs -q", "%bits_jobs --state error;", "%bits_jobs ;", "x = %bits_jobs ;")
    for cell in (*quiet, "%bits_tasks -q"):
        reply = kernel.run(cell)
        assert {message["msg_type"] for message in reply.messages} == {"status", "execute_input"}
        assert kernel.run("_").of_type("execute_result") != []


def test_an_error_is_an_error_reply_with_our_lines_alone(kernel: Kernel) -> None:
    reply = kernel.run("%bits_show nothing")
    assert reply.status == "error"
    assert reply.content["ename"] == "BitsUsageError"
    assert reply.content["evalue"].startswith("no job 'nothing' on 127.0.0.1:")
    (published,) = reply.of_type("error")
    assert published["traceback"][0].startswith("BitsUsageError: no job 'nothing'")
    assert len(published["traceback"]) == 2
    assert reply.of_type("stream") == []


def test_what_arrived_is_displayed_before_the_error(kernel: Kernel) -> None:
    reply = kernel.run("%bits_jobs -H localhost:1 -H {other} --user practice --auth basic")
    kinds = [message["msg_type"] for message in reply.messages]
    assert kinds.index("display_data") < kinds.index("error")
    assert reply.content["ename"] == "PartialFailure"


def test_a_watch_is_one_display_updated_in_place(kernel: Kernel) -> None:
    kernel.run(CREATE)
    reply = kernel.run("%bits_resume {job}\n%bits_manage {job} --interval 0.05 --timeout 30")
    (first,) = reply.of_type("display_data")
    updates = reply.of_type("update_display_data")
    places = {shown["transient"]["display_id"] for shown in (first, *updates)}
    assert len(places) == 1
    assert updates[-1]["data"]["text/plain"].startswith("final, as of")
    assert "ACKNOWLEDGED" in updates[-1]["data"]["text/html"]
    assert updates[-1]["data"][REPORT_MIME_TYPE]["ok"] is True
    assert reply.of_type("execute_result") == []


def test_an_interrupt_ends_the_watch_and_drops_the_queue(
    kernel: Kernel, fleet: PracticeFleet
) -> None:
    kernel.run(CREATE)
    watching = kernel.client.execute("%bits_watch {job} --interval 0.1")
    waiting = kernel.client.execute("ran_on = True")
    kernel.next_published("display_data")
    kernel.manager.interrupt_kernel()
    reply = kernel.reply_to(watching)
    assert (reply["status"], reply["ename"]) == ("error", "Interrupted")
    assert len(reply["traceback"]) == 1
    assert kernel.reply_to(waiting)["status"] == "aborted"
    kernel.forget_published()
    assert kernel.run("ran_on").content["ename"] == "NameError"
    assert [job.state for job in fleet.hosts[0].jobs()] == [JobState.SUSPENDED]


def test_an_interrupt_does_not_wait_for_a_host_that_hangs(
    kernel: Kernel, fleet: PracticeFleet
) -> None:
    watching = kernel.client.execute("%bits_watch --interval 0.1")
    kernel.next_published("display_data")
    faults = fleet.hosts[0].faults
    faults.arm("hang", times=1)
    until_s = time.monotonic() + 20
    while faults.armed:
        assert time.monotonic() < until_s, "the host was not asked again"
    kernel.manager.interrupt_kernel()
    reply = kernel.reply_to(watching)  # it comes while the host still hangs
    kernel.forget_published()
    assert reply["ename"] == "Interrupted"


def test_a_wait_says_at_once_that_nothing_moves(kernel: Kernel) -> None:
    kernel.run(CREATE)
    waiting = kernel.client.execute("%bits_wait {job} --interval 0.1")
    shown = kernel.next_published("display_data")["content"]
    kernel.manager.interrupt_kernel()
    reply = kernel.reply_to(waiting)
    kernel.forget_published()
    assert "nothing moves until it is resumed" in shown["data"]["text/plain"]
    assert reply["ename"] == "Interrupted"


def test_after_an_interrupt_the_next_cell_works(kernel: Kernel) -> None:
    kernel.run(CREATE)
    watching = kernel.client.execute("%bits_watch --interval 0.1")
    kernel.next_published("display_data")
    kernel.manager.interrupt_kernel()
    kernel.reply_to(watching)
    kernel.forget_published()
    assert kernel.run("%bits_jobs").status == "ok"


def test_a_person_is_asked_and_a_yes_sends_it(kernel: Kernel, fleet: PracticeFleet) -> None:
    kernel.run(CREATE)
    reply = kernel.run("%bits_cancel *", answers=["y"])
    assert reply.status == "ok"
    assert fleet.hosts[0].jobs() == ()


def test_a_no_sends_nothing_and_stops_the_cells_that_wait(
    kernel: Kernel, fleet: PracticeFleet
) -> None:
    kernel.run(CREATE)
    reply = kernel.run("%bits_cancel *", answers=["n"])
    assert reply.content["ename"] == "Declined"
    assert len(fleet.hosts[0].jobs()) == 1


def test_without_stdin_nobody_is_asked_and_nothing_is_sent(
    kernel: Kernel, fleet: PracticeFleet
) -> None:
    kernel.run(CREATE)
    reply = kernel.run("%bits_cancel *")
    assert reply.content["ename"] == "NeedsConfirmation"
    assert len(fleet.hosts[0].jobs()) == 1


def test_a_password_is_asked_without_echo_and_never_published(
    kernel: Kernel, fleet: PracticeFleet
) -> None:
    host = fleet.hosts[1]
    kernel.run("import os; kept = os.environ.pop('BITSSHELL_PASSWORD')")
    # Another case of the user's name, because the password of the first is known already.
    cell = "%bits_jobs -H {other} --user .\\practice --auth ntlm"
    reply = kernel.run(cell, answers=[host.password])
    kernel.run("os.environ['BITSSHELL_PASSWORD'] = kept")
    assert reply.status == "ok", reply.content
    assert host.password not in str(reply.messages)


def test_arguments_are_completed_by_the_kernel_with_jedi_on(kernel: Kernel) -> None:
    def offered(code: str) -> list[str]:
        content = kernel.client.complete(code, reply=True, timeout=30)["content"]
        return [code[: content["cursor_start"]] + match for match in content["matches"]]

    assert kernel.run("assert get_ipython().Completer.use_jedi").status == "ok"
    assert offered("%bits_watch --inter") == ["%bits_watch --interval"]
    assert offered("a = 1\nx = %bits_set %1 --priority fo") == [
        "a = 1\nx = %bits_set %1 --priority foreground"
    ]


def test_inspecting_a_magic_shows_its_help(kernel: Kernel) -> None:
    found = kernel.client.inspect("%bits_create", reply=True, timeout=30)["content"]
    assert "URL PATH" in found["data"]["text/plain"]
